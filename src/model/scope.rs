//! Who may call a method: an OR of ANDs of permissions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::call::Value;
use crate::place::Place;
use crate::types::Check;

/// An OR of ANDs; empty: everybody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// One group must hold entirely. No group is empty.
    pub groups: Vec<Vec<Permission>>,
    /// Where the API is one [for somebody](super::Api::for_holder) and the groups have variables: with which values of
    /// them that one may call. None says nothing; a definition never says it.
    pub when: Option<Vec<When>>,
}

/// Values of parameters by their names in code, as a client writes them: each of these parameters has one of its values,
/// or another text that means the same. Without any it always holds. Of several, one must hold.
pub type When = BTreeMap<String, Vec<String>>;

impl Scope {
    /// Whether everybody may.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether who may call depends on values of parameters.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        let mut pieces = self.groups.iter().flatten().flat_map(|permission| &permission.pieces);
        pieces.any(|piece| matches!(piece, Piece::Variable(_)))
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

    /// The values that its variables have in a permission that is held; none where that is another one. There is one
    /// way to read it: a value holds no bracket, and a bracket follows each.
    #[must_use]
    pub fn values<'p>(&'p self, held: &'p str) -> Option<BTreeMap<&'p str, &'p str>> {
        let mut values = BTreeMap::new();
        let mut rest = held;
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => rest = rest.strip_prefix(&**literal)?,
                Piece::Variable(name) => {
                    let (value, behind) = rest.split_at(rest.find(BRACKETS).unwrap_or(rest.len()));
                    if values.insert(&**name, value).is_some_and(|other| other != value) {
                        return None;
                    }
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(values)
    }
}

/// What encloses variables, and stands in no value of them.
const BRACKETS: [char; 2] = ['[', ']'];

/// The value of a variable as permissions write it; none where it does not pass its check, is no single value, or
/// holds a bracket.
#[must_use]
pub fn variable(check: &dyn Check, value: Value<'_>) -> Option<String> {
    let text = match check.check(value).ok()? {
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Uint(uint) => uint.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Text(text) => Cow::into_owned(text),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => return None,
    };
    (!text.contains(BRACKETS)).then_some(text)
}
