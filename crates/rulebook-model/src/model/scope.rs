//! Scopes: the permissions that methods require.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::call::Value;
use crate::span::Span;
use crate::types::Check;

/// The permissions that a method requires: groups of permissions, of which a caller needs one group completely. A
/// method without groups is public.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Scope {
    /// The groups of permissions. A caller needs all permissions of one group. No group is empty.
    pub groups: Vec<Vec<Permission>>,
    /// The conditions on parameters under which a caller can call the method. At least one of them must be satisfied.
    ///
    /// Conditions exist only in an API that [`Api::for_permissions`](super::Api::for_permissions) returns, for methods
    /// whose permissions have variables. `None` for other methods, and if there are too many conditions.
    pub conditions: Option<Vec<ScopeCondition>>,
}

/// A condition on the parameters of a request. The map keys are the names of parameters in code. Each of these
/// parameters must have one of the listed values. The values are in the form in which a client sends them; a client may
/// also send another text that is decoded to the same value. An empty condition is always satisfied.
pub type ScopeCondition = BTreeMap<String, Vec<String>>;

impl Scope {
    /// Returns `true` if the method requires no permission.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns `true` if a permission contains a variable, which is replaced by the value of a parameter.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|permission| &permission.parts);
        parts.any(|part| matches!(part, PermissionPart::Variable(_)))
    }

    /// Returns `true` if a permission contains the variable for the parameter with this name in code.
    #[must_use]
    pub fn has_variable(&self, name: &str) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|permission| &permission.parts);
        parts.any(|part| matches!(part, PermissionPart::Variable(known) if known == name))
    }
}

/// A permission that a method requires. It can contain variables in brackets: `reader`, `user[user_id]`,
/// `prefix[p].user[u].suffix`. A variable is replaced by the value of the parameter with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// The text of the permission in the definition.
    pub text: String,
    /// The fixed texts and variables of the permission, in order.
    pub parts: Vec<PermissionPart>,
    /// The position of the permission in the definition.
    pub span: Span,
}

/// A part of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionPart {
    /// A fixed text, which includes the brackets around variables.
    Literal(String),
    /// A variable: the name in code of the parameter whose value replaces it.
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

    /// Compares this required permission with a permission of a caller. Returns the values of the variables for which
    /// the two permissions are equal, or `None` if they differ for all values. The result is unambiguous, because a
    /// bracket follows each value, and values contain no brackets.
    #[must_use]
    pub fn match_values<'p>(&'p self, permission: &'p str) -> Option<BTreeMap<&'p str, &'p str>> {
        let mut values = BTreeMap::new();
        let mut rest = permission;
        for part in &self.parts {
            match part {
                PermissionPart::Literal(literal) => rest = rest.strip_prefix(&**literal)?,
                PermissionPart::Variable(name) => {
                    let (value, after) = rest.split_at(rest.find(VARIABLE_BRACKETS).unwrap_or(rest.len()));
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

/// The characters around variables in permissions. The value of a variable cannot contain them.
const VARIABLE_BRACKETS: [char; 2] = ['[', ']'];

/// Returns the text that replaces a variable in permissions if its parameter has this value. Returns `None` if the
/// check rejects the value, if the value is an array, an object, a file or null, or if it contains a bracket.
#[must_use]
pub fn variable_text(check: &dyn Check, value: Value<'_>) -> Option<String> {
    let text = match check.checked(value).ok()? {
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Uint(uint) => uint.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Text(text) => Cow::into_owned(text),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => return None,
    };
    (!text.contains(VARIABLE_BRACKETS)).then_some(text)
}
