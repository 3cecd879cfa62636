//! The permissions that a method requires: an OR of ANDs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::call::Value;
use crate::span::Span;
use crate::types::Check;

/// The permissions that a method requires, as an OR of ANDs. A method without groups is public.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Scope {
    /// The groups. The caller needs all permissions of one of them. No group is empty.
    pub groups: Vec<Vec<Permission>>,
    /// In the API [for a caller](super::Api::for_permissions): if the groups have variables, the conditions under which the
    /// caller may call the method, of which one must be met. `None` if there are no conditions or they are not known; a
    /// definition has none.
    pub conditions: Option<Vec<ScopeCondition>>,
}

/// A condition on parameters: each of these parameters, by its name in code, must have one of these values, as a client
/// writes them, or another text with the same meaning. An empty condition is always met.
pub type ScopeCondition = BTreeMap<String, Vec<String>>;

impl Scope {
    /// Returns `true` if the method requires no permission.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns `true` if a permission contains the value of a parameter.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|permission| &permission.parts);
        parts.any(|part| matches!(part, PermissionPart::Variable(_)))
    }
}

/// A required permission, perhaps with variables: `reader`, `user[user_id]`, `prefix[p].user[u].suffix`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// The permission as in the definition.
    pub text: String,
    /// The parts of the permission.
    pub parts: Vec<PermissionPart>,
    /// The position in the definition.
    pub span: Span,
}

/// A part of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionPart {
    /// This text, which includes brackets.
    Literal(String),
    /// The value of the parameter with this name in code.
    Variable(String),
}

impl Permission {
    /// Parses a permission. The text between `[` and `]` is the name of a variable. Returns `None` if the text is empty, or
    /// brackets are empty, nested or not closed.
    #[must_use]
    pub fn parse(text: &str, span: Span) -> Option<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once('[') {
            let (variable, after) = inside.split_once(']')?;
            if before.contains(']') || variable.is_empty() || variable.contains('[') {
                return None;
            }
            literal.push_str(before);
            literal.push('[');
            parts.push(PermissionPart::Literal(std::mem::replace(&mut literal, "]".to_owned())));
            parts.push(PermissionPart::Variable(variable.to_owned()));
            rest = after;
        }
        if rest.contains(']') {
            return None;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(PermissionPart::Literal(literal));
        }
        (!parts.is_empty()).then(|| Self { text: text.to_owned(), parts, span })
    }

    /// Matches a permission of a caller. Returns the values of the variables, or `None` if the caller's is another
    /// permission. The match is unambiguous, because a value contains no bracket and a bracket follows it.
    #[must_use]
    pub fn match_values<'p>(&'p self, permission: &'p str) -> Option<BTreeMap<&'p str, &'p str>> {
        let mut values = BTreeMap::new();
        let mut rest = permission;
        for part in &self.parts {
            match part {
                PermissionPart::Literal(literal) => rest = rest.strip_prefix(&**literal)?,
                PermissionPart::Variable(name) => {
                    let (value, after) = rest.split_at(rest.find(BRACKETS).unwrap_or(rest.len()));
                    if values.insert(&**name, value).is_some_and(|other| other != value) {
                        return None;
                    }
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(values)
    }
}

/// The characters around variables, which values of variables cannot contain.
const BRACKETS: [char; 2] = ['[', ']'];

/// Returns the text of a value in permissions. `None` if the value does not pass its check, is an array, an object, a file
/// or null, or contains a bracket.
#[must_use]
pub fn variable_text(check: &dyn Check, value: Value<'_>) -> Option<String> {
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
