//! Checks JSON objects against their [`KeyTable`], which lists the keys that a kind of object can have.
//!
//! Unknown keys and values of the wrong kind are reported and omitted. The functions of [`CheckedObject`] that return
//! values therefore do not return errors.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::keys::ancestors::{help_for_foreign_key, help_for_foreign_value};
use super::keys::rules::COMMON_RULES;
use super::keys::{JsonKind, KeyTable};
use crate::byte_size;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::schema::key_constraint;
use crate::span::{Span, Spanned};

/// A JSON object that has only known keys, and whose values have the right kinds.
pub(crate) struct CheckedObject<'a> {
    members: Vec<&'a JsonMember>,
    /// The range of the file that contains the object.
    pub span: Span,
    /// `true` if a member of the object was reported and omitted.
    pub is_incomplete: bool,
}

impl<'a> CheckedObject<'a> {
    /// Checks an object against the key table `keys`. If the value is not an object, reports the value and returns
    /// `None`.
    pub fn new(node: &'a JsonNode, keys: &'static KeyTable, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        match &node.data {
            JsonData::Object(members) => Some(Self::with_checked_members(members, node.span, keys, diagnostics)),
            JsonData::Array(_) if is_allowed_empty_array(keys, node) => {
                Some(Self { members: Vec::new(), span: node.span, is_incomplete: false })
            }
            _ => {
                let error = wrong_kind_error(keys.subject, "an object", node);
                let has_type = keys.iter().any(|key| key.name == "type" && key.is_required);
                let info = if keys.find("description").is_some() { "description" } else { "info" };
                diagnostics.push(match node.string().filter(|_| has_type) {
                    Some(_) => error.help(format!("write `{{\"{info}\": \"…\", \"type\": \"string\"}}`")),
                    None => error,
                });
                None
            }
        }
    }

    fn with_checked_members(
        members: &'a JsonMembers,
        span: Span,
        keys: &'static KeyTable,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut object =
            Self { members: Vec::with_capacity(members.list.len()), span, is_incomplete: members.is_incomplete };
        // A name that the author chose may begin with the prefix of a comment, such as `x-`.
        let is_content = |member: &&JsonMember| {
            !member.is_comment()
                || (keys.named_member_table.is_some() && has_object_value(member))
                || replaces_type(member, members, keys)
        };
        for member in members.list.iter().filter(is_content) {
            let error = match keys.find(&member.key.value) {
                Some(kind) => check_value_kind(kind, member).map(|error| with_words(error, keys, &member.key.value)),
                None => Some(unknown_key_error(keys, member, members)),
            };
            match error {
                Some(error) => {
                    object.is_incomplete = true;
                    diagnostics.push(error);
                }
                None => object.members.push(member),
            }
        }
        object
    }

    /// Returns the members of the object in the order of the text.
    pub fn members(&self) -> impl Iterator<Item = &'a JsonMember> {
        self.members.iter().copied()
    }

    /// Returns the value of the member `key`, or `None` if the object has no such member.
    pub fn get(&self, key: &str) -> Option<&'a JsonNode> {
        self.members().find(|member| member.key.value == key).map(|member| &member.value)
    }

    /// Returns `true` if the object has the member `key`.
    pub fn has_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Returns the value of the member `key` if it is a string.
    pub fn string(&self, key: &str) -> Option<Spanned<String>> {
        self.get(key)?.string()
    }

    /// Returns the strings in the value of the member `key` if it is an array.
    pub fn strings(&self, key: &str) -> Option<Spanned<Vec<Spanned<String>>>> {
        self.get(key)?.strings()
    }

    /// Returns the value of the member `key` if it is a Boolean value, or a string that contains a Boolean value.
    pub fn bool(&self, key: &str) -> Option<Spanned<bool>> {
        self.get(key)?.bool()
    }

    /// Returns the value of the member `key` if it is an integer from 0.
    pub fn integer(&self, key: &str) -> Option<Spanned<u64>> {
        self.get(key)?.integer()
    }

    /// Returns the integers in the value of the member `key`, which is an integer or an array of integers.
    pub fn integers(&self, key: &str) -> Vec<Spanned<u64>> {
        match self.get(key) {
            Some(JsonNode { data: JsonData::Array(items), .. }) => items.iter().filter_map(JsonNode::integer).collect(),
            node => node.and_then(JsonNode::integer).into_iter().collect(),
        }
    }

    /// Returns the value of the member `key` if it is a size in bytes.
    pub fn byte_size(&self, key: &str) -> Option<Spanned<u64>> {
        self.get(key)?.byte_size()
    }

    /// Returns the value of the member `key` if it is a point in time.
    pub fn moment(&self, key: &str) -> Option<Spanned<Timestamp>> {
        self.get(key)?.moment()
    }

    /// Returns the value of the member `key` as a `serde_json` value.
    pub fn json(&self, key: &str) -> Option<Spanned<Json>> {
        let node = self.get(key)?;
        Some(Spanned::new(node.json(), node.span))
    }

    /// Returns the known members as a `serde_json` value.
    pub fn to_json(&self) -> Json {
        self.members().map(|member| (member.key.value.clone(), member.value.json())).collect()
    }

    /// Checks the object under `key` against the key table `keys` and returns it. If a member of this inner object is
    /// omitted, the outer object is incomplete too.
    pub fn object(
        &mut self,
        key: &str,
        keys: &'static KeyTable,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<CheckedObject<'a>> {
        let object = CheckedObject::new(self.get(key)?, keys, diagnostics)?;
        self.is_incomplete |= object.is_incomplete;
        Some(object)
    }

    /// Checks the named objects under `key` against the key table `keys`, and converts each object with `convert`.
    /// Returns the results in the order of the text.
    pub fn objects_by_name<T>(
        &mut self,
        key: &str,
        keys: &'static KeyTable,
        diagnostics: &mut Vec<Diagnostic>,
        convert: impl Fn(Spanned<String>, &mut CheckedObject<'a>, &mut Vec<Diagnostic>) -> T,
    ) -> Vec<T> {
        let Some(JsonData::Object(members)) = self.get(key).map(|node| &node.data) else {
            return Vec::new();
        };
        self.is_incomplete |= members.is_incomplete;
        let mut all = Vec::with_capacity(members.list.len());
        for member in named_members(members) {
            match CheckedObject::new(&member.value, keys, diagnostics) {
                Some(mut object) => all.push(convert(member.key.clone(), &mut object, diagnostics)),
                None => self.is_incomplete = true,
            }
        }
        all
    }
}

/// Returns the members of an object in which the author chooses the names. Objects are never comments.
pub(super) fn named_members(members: &JsonMembers) -> impl Iterator<Item = &JsonMember> {
    members.list.iter().filter(move |member| has_object_value(member) || !member.is_comment())
}

fn is_allowed_empty_array(keys: &KeyTable, node: &JsonNode) -> bool {
    keys.allows_empty_array && matches!(&node.data, JsonData::Array(items) if items.is_empty())
}

fn has_object_value(member: &JsonMember) -> bool {
    matches!(member.value.data, JsonData::Object(_))
}

/// Returns `true` for a reference of JSON Schema in place of the type, which would otherwise be a comment.
fn replaces_type(member: &JsonMember, members: &JsonMembers, keys: &'static KeyTable) -> bool {
    member.key.value == "$ref"
        && keys.iter().any(|key| key.name == "type" && key.is_required)
        && members.list.iter().all(|member| member.key.value != "type")
}

/// Adds the words that the value of a key can be to the error of another value.
fn with_words(error: Diagnostic, keys: &'static KeyTable, key: &str) -> Diagnostic {
    let constraint = key_constraint(keys, key);
    error.help_if_some(constraint["enum"].as_array().map(|words| {
        let words: Vec<_> = words.iter().filter_map(Json::as_str).map(|word| format!("`\"{word}\"`")).collect();
        format!("write {}", words.join(" or "))
    }))
}

fn check_value_kind(kind: JsonKind, member: &JsonMember) -> Option<Diagnostic> {
    let node = &member.value;
    let (is_valid, expected) = match kind {
        JsonKind::String => (matches!(node.data, JsonData::String(_)), "a string"),
        JsonKind::Bool => (matches!(node.data, JsonData::Bool(_)), "true or false"),
        JsonKind::BoolOrString => (node.bool().is_some(), "true or false"),
        JsonKind::Integer => (node.integer().is_some(), "an integer from 0"),
        JsonKind::IntegerOrIntegers => {
            let is_list = |items: &[JsonNode]| !items.is_empty() && items.iter().all(|item| item.integer().is_some());
            let is_valid = match &node.data {
                JsonData::Array(items) => is_list(items),
                _ => node.integer().is_some(),
            };
            (is_valid, "an integer from 0 or an array of one or more such integers")
        }
        JsonKind::Moment => (node.moment().is_some(), "a date such as `2027-06-01`"),
        JsonKind::BoolOrMoment => {
            (node.bool().is_some() || node.moment().is_some(), "true, false, or a date such as `2026-12-01`")
        }
        JsonKind::ByteSize => (node.byte_size().is_some(), byte_size::DESCRIPTION),
        JsonKind::Strings => return check_array_of_strings(member),
        JsonKind::StringOrStrings | JsonKind::ObjectsByNameOrStrings(_) if matches!(node.data, JsonData::Array(_)) => {
            return check_array_of_strings(member);
        }
        JsonKind::ObjectOrObjects(_) => {
            (matches!(node.data, JsonData::Object(_) | JsonData::Array(_)), "an object or an array of objects")
        }
        JsonKind::ObjectsByNameOrStrings(_) => {
            (matches!(node.data, JsonData::Object(_)), "an object or an array of strings")
        }
        JsonKind::StringOrStrings => (matches!(node.data, JsonData::String(_)), "a string or an array of strings"),
        JsonKind::Scope => (matches!(node.data, JsonData::Array(_)), "an array of arrays of strings"),
        JsonKind::Permissions => (matches!(node.data, JsonData::Array(_)), "an array of strings"),
        JsonKind::Object(keys) if is_allowed_empty_array(keys, node) => (true, ""),
        JsonKind::CommonParameters if is_allowed_empty_array(&COMMON_RULES, node) => (true, ""),
        JsonKind::Object(_) | JsonKind::AnyObject | JsonKind::ObjectsByName(_) | JsonKind::CommonParameters => {
            (matches!(node.data, JsonData::Object(_)), "an object")
        }
        JsonKind::Type(_) => (matches!(node.data, JsonData::String(_) | JsonData::Object(_)), "a string or an object"),
        JsonKind::Types(_) => (matches!(node.data, JsonData::Array(_) | JsonData::Object(_)), "an array or an object"),
        JsonKind::Objects(_) => (matches!(node.data, JsonData::Array(_)), "an array of objects"),
        JsonKind::Any => (true, ""),
    };
    (!is_valid).then(|| {
        wrong_kind_error(&format!("`{}`", member.key.value), expected, node)
            .help_if_some(help_for_foreign_value(&member.key.value, node))
    })
}

fn check_array_of_strings(member: &JsonMember) -> Option<Diagnostic> {
    let subject = format!("`{}`", member.key.value);
    let JsonData::Array(items) = &member.value.data else {
        return Some(wrong_kind_error(&subject, "an array of strings", &member.value));
    };
    let other = items.iter().find(|item| !matches!(item.data, JsonData::String(_)))?;
    Some(wrong_kind_error(&format!("each item of {subject}"), "a string", other))
}

/// Returns the diagnostic for a value of another kind. `subject` names the value in the message, such as "`info`".
pub(crate) fn wrong_kind_error(subject: &str, expected: &str, node: &JsonNode) -> Diagnostic {
    let message = format!("{subject} must be {expected}, but this is {}", node.describe_kind());
    Diagnostic::new(DiagnosticCode::WrongKind, node.span, message).label(format!("expected {expected}"))
}

fn unknown_key_error(keys: &'static KeyTable, member: &JsonMember, object: &JsonMembers) -> Diagnostic {
    let key = &member.key;
    let known = || keys.iter().map(|key| key.name);
    let message = format!("unknown key `{}` in {}", key.value, keys.subject);
    let error = Diagnostic::new(DiagnosticCode::UnknownKey, key.span, message);
    let foreign = help_for_foreign_key(member, object, |name| known().any(|known| known == name));
    if let Some(help) = foreign.or_else(|| help_for_inner_key(keys, &key.value)) {
        return error.help(help);
    }
    let help = keys.unknown_key_help.map_or_else(
        || {
            let list: Vec<String> = known().map(|name| format!("`{name}`")).collect();
            format!("the known keys are {}", list.join(", "))
        },
        str::to_owned,
    );
    error.help(help).suggest(&key.value, known())
}

/// Returns the help for a key that only one of the objects in an object can have, such as `status` in the `options` of
/// a method.
fn help_for_inner_key(keys: &'static KeyTable, key: &str) -> Option<String> {
    let mut owners = keys.iter().filter(|outer| {
        let JsonKind::Object(inner) = outer.kind else { return false };
        inner.iter().any(|known| known.name == key)
    });
    let (owner, other) = (owners.next()?, owners.next());
    other.is_none().then(|| format!("write it in `{0}`: `\"{0}\": {{\"{key}\": …}}`", owner.name))
}
