//! Who may call a method, with variables resolved to slots.

/// An OR of ANDs; no groups: everybody.
#[derive(Debug, Default)]
pub struct Permit {
    /// One must hold entirely.
    pub groups: Box<[Box<[Requirement]>]>,
}

impl Permit {
    /// Whether everybody may.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the value in this slot takes part.
    #[must_use]
    pub fn names(&self, slot: usize) -> bool {
        let mut pieces = self.groups.iter().flatten().flat_map(|requirement| &requirement.pieces);
        pieces.any(|piece| matches!(piece, Piece::Slot(own) if *own == slot))
    }
}

/// One permission that must be held.
#[derive(Debug)]
pub struct Requirement {
    /// As the definition writes it.
    pub text: Box<str>,
    /// In pieces; one literal where it has no variables. Without pieces it is never met.
    pub pieces: Box<[Piece]>,
}

/// A piece of a permission.
#[derive(Debug)]
pub enum Piece {
    /// Letter for letter.
    Literal(Box<str>),
    /// The value in this slot.
    Slot(usize),
}
