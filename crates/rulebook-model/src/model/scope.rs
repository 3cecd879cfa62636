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
    /// The groups. A caller needs all permissions of one group. No group is empty.
    pub groups: Vec<Vec<Permission>>,
    /// The conditions under which a caller can call the method, of which one must be satisfied. Only an API
    /// [for a caller](super::Api::for_permissions) has them, for groups with variables. `None` if the groups have no
    /// variables, or if there are too many conditions.
    pub conditions: Option<Vec<ScopeCondition>>,
}

/// A condition on parameters. Each parameter, by its name in code, must have one of the listed values, which are
/// written as a client sends them; other texts with the same meaning are equal. An empty condition is always satisfied.
pub type ScopeCondition = BTreeMap<String, Vec<String>>;

impl Scope {
    /// Returns `true` if the method requires no permission.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns `true` if a permission has a variable, which stands for the value of a parameter.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|permission| &permission.parts);
        parts.any(|part| matches!(part, PermissionPart::Variable(_)))
    }
}

/// A required permission, which can contain variables: `reader`, `user[user_id]`, `prefix[p].user[u].suffix`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// The permission as in the definition.
    pub text: String,
    /// The parts of the permission.
    pub parts: Vec<PermissionPart>,
    /// The span of the permission in the definition.
    pub span: Span,
}

/// A part of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionPart {
    /// A fixed text, including the brackets around variables.
    Literal(String),
    /// The value of the parameter with this name in code.
    Variable(String),
}

impl Permission {
    /// Parses a permission. The text between `[` and `]` is the name of a variable. Returns `None` if the text is
    /// empty, or if brackets are empty, nested or not closed.
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

    /// Compares this required permission with a permission of the caller. Returns the values of the variables, or
    /// `None` if the permissions differ. The values are unambiguous, because a value contains no bracket and is
    /// followed by one.
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

/// Returns the value of a parameter as permissions contain it. Returns `None` if the value is invalid, is an array, an
/// object, a file or null, or contains a bracket.
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
