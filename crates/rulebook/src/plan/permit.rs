//! The permissions that a method requires, with variables resolved to slots.

/// The permissions that a method requires, as an OR of ANDs. Without groups, the method is public.
#[derive(Debug, Default)]
pub struct Permit {
    /// The groups. The caller needs all permissions of at least one group.
    pub groups: Box<[Box<[Requirement]>]>,
}

impl Permit {
    /// Returns `true` if a permission contains the value of this slot.
    #[must_use]
    pub fn uses_slot(&self, slot: usize) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|requirement| &requirement.parts);
        parts.any(|part| matches!(part, RequirementPart::Slot(used) if *used == slot))
    }
}

/// A permission that the caller needs.
#[derive(Debug)]
pub struct Requirement {
    /// The permission as the definition writes it.
    pub text: Box<str>,
    /// The parts of the permission: a single literal if it has no variables. If there are no parts, no caller has the
    /// permission.
    pub parts: Box<[RequirementPart]>,
}

/// A part of a required permission.
#[derive(Debug)]
pub enum RequirementPart {
    /// This text.
    Literal(Box<str>),
    /// The value of this slot.
    Slot(usize),
}
