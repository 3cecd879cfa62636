//! The permissions that an API method requires. A permission may contain variables, such as `user[id]`, which the
//! values of parameters replace. In this module, a variable is represented by the index of the parameter's slot (the
//! place for its argument).

/// The permissions that an API method requires, as groups of permissions. If there are no groups, every client may call
/// the method.
#[derive(Debug, Default)]
pub struct RequiredPermissions {
    /// The groups of permissions. The caller needs all permissions of at least one group.
    pub groups: Box<[Box<[RequiredPermission]>]>,
}

impl RequiredPermissions {
    /// Returns `true` if one of the permissions contains the value of the parameter with this slot index.
    #[must_use]
    pub fn uses_slot(&self, slot: usize) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|requirement| &requirement.parts);
        parts.any(|part| matches!(part, RequiredPermissionPart::Slot(used) if *used == slot))
    }
}

/// A single permission that the caller needs.
#[derive(Debug)]
pub struct RequiredPermission {
    /// The permission in the form that it has in the definition, such as `user[id]`.
    pub text: Box<str>,
    /// The literal texts and variables that the permission consists of. If there are no parts, no caller has the
    /// permission.
    pub parts: Box<[RequiredPermissionPart]>,
}

/// A literal text or a variable in a required permission.
#[derive(Debug)]
pub enum RequiredPermissionPart {
    /// The permission contains this text.
    Literal(Box<str>),
    /// The permission contains the value of the parameter with this slot index.
    Slot(usize),
}

/// The values of `WWW-Authenticate` that name the permissions of a method (RFC 6750 section 3), so that clients can
/// request a token with these permissions. If the method accepts several groups of permissions, they name the first.
#[derive(Debug)]
pub struct ScopeChallenges {
    /// The value in a response to a request without a credential.
    pub without_credential: Box<str>,
    /// The value in a response to a request whose token lacks a permission.
    pub insufficient_scope: Box<str>,
}
