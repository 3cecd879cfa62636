//! The permissions that an API method requires. A permission may contain variables, such as `user[id]`, which the
//! values of parameters replace. Here, a variable is the index of the parameter's slot.

/// The permissions that an API method requires, as groups of permissions. If there are no groups, every client may call
/// the method.
#[derive(Debug, Default)]
pub struct Permit {
    /// The groups of permissions. The caller needs all permissions of at least one group.
    pub groups: Box<[Box<[Requirement]>]>,
}

impl Permit {
    /// Returns `true` if one of the permissions contains the value of the parameter with this slot index.
    #[must_use]
    pub fn uses_slot(&self, slot: usize) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|requirement| &requirement.parts);
        parts.any(|part| matches!(part, RequirementPart::Slot(used) if *used == slot))
    }
}

/// A single permission that the caller needs.
#[derive(Debug)]
pub struct Requirement {
    /// The permission in the form that it has in the definition, such as `user[id]`.
    pub text: Box<str>,
    /// The literal texts and variables that the permission consists of. If there are no parts, no caller has the
    /// permission.
    pub parts: Box<[RequirementPart]>,
}

/// A literal text or a variable in a required permission.
#[derive(Debug)]
pub enum RequirementPart {
    /// The permission contains this text.
    Literal(Box<str>),
    /// The permission contains the value of the parameter with this slot index.
    Slot(usize),
}
