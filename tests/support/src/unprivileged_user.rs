//! The Unix account under which a test runs a program that must not have the rights of the administrator.

/// The user id and the group id of the Unix account `nobody`, which has no privileges.
pub const UNPRIVILEGED_USER_ID: u32 = 65_534;
