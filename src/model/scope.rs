//! Who may call a method: an OR of ANDs of permissions.

use crate::place::Place;

/// An OR of ANDs; empty: everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// One group must hold entirely. No group is empty.
    pub groups: Vec<Vec<Permission>>,
}

impl Scope {
    /// Whether everybody may.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }
}

/// A permission, perhaps with variables: `reader`, `user[user_id]`, `prefix[p].user[u].suffix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// As it is written.
    pub text: String,
    /// The same taken apart.
    pub pieces: Vec<Piece>,
    /// Where it is written.
    pub place: Place,
}

/// A piece of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Letter for letter, brackets included.
    Literal(String),
    /// The value of the parameter of this name in code.
    Variable(String),
}

impl Permission {
    /// Takes a permission apart: what stands between `[` and `]` is a variable.
    /// None where brackets are empty, nested or not closed, or the text is empty.
    #[must_use]
    pub fn parse(text: &str, place: Place) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once('[') {
            let (variable, behind) = inside.split_once(']')?;
            if before.contains(']') || variable.is_empty() || variable.contains('[') {
                return None;
            }
            literal.push_str(before);
            literal.push('[');
            pieces.push(Piece::Literal(std::mem::replace(&mut literal, "]".to_owned())));
            pieces.push(Piece::Variable(variable.to_owned()));
            rest = behind;
        }
        if rest.contains(']') {
            return None;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        (!pieces.is_empty()).then(|| Self { text: text.to_owned(), pieces, place })
    }
}
