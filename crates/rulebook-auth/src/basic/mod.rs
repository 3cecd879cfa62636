//! The kind of authenticator `basic`: names and passwords (RFC 7617), whose hashes are in files.

mod all_users;
mod authenticator;
mod kind;
mod user_file;

pub use kind::BasicKind;
