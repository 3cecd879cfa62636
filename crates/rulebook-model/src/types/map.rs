//! The type `map<T>`: an object with any members, whose values have the type `T`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::array::{MAX_REQUIRED_VALUES, count_nested_values, item_type_expr, with_item_attributes};
use super::bounds::Bounds;
use super::object::refuse_repeated_members;
use super::simple_type::decode_json;
use super::union::constants_of;
use super::{
    ArgumentError, ArgumentErrorKind, Arity, Check, NamedSchema, Structure, TypeArgument, TypeArguments, TypeExpr,
    decode_item, first_valid_value, keep_valid_values,
};
use crate::call::{PhpArray, TypeMismatch, Value};

/// The name of the attribute that contains the type of the members' names.
pub(super) const KEYS_ATTRIBUTE: &str = "keys";

#[derive(Debug)]
struct MapCheck {
    /// The type of the members' names, which are texts. `None` if a name can be any text.
    keys: Option<Arc<dyn Check>>,
    values: Arc<dyn Check>,
    member_count: Bounds<u64>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let [TypeArgument::Type(values)] = arguments.positional else {
        return Err(arguments
            .error("`map` has one argument, the type of its members, in `<>`")
            .help("write `map<string>`"));
    };
    if matches!(values.arity(), Arity::File | Arity::Files) {
        return Err(arguments.error("a map cannot contain files").help("make each file a parameter"));
    }
    let keys = arguments.types_in(KEYS_ATTRIBUTE).next().map(|keys| Arc::clone(&keys.check));
    if let Some(keys) = &keys {
        let is_text = |value: &Value<'_>| matches!(value, Value::Text(_));
        if !keys.boundary_values().iter().all(is_text) || keys.checked(Value::Int(1)).is_ok() {
            let message = format!("`keys` must be a type of strings, which `{}` is not", keys.type_expr().term);
            return Err(arguments.error(message).at(KEYS_ATTRIBUTE).help("write `\"keys\": \"string(1,20)\"`"));
        }
    }
    // The argument of the term is the type of the members. It is hidden, because it is not a bound.
    let attributes_only = TypeArguments { positional: &[], ..*arguments };
    let member_count = Bounds::from_arguments(&attributes_only, false)?;
    let names = keys.as_ref().and_then(|keys| constants_of(&**keys)).map(|names| names.len() as u64);
    if let Some((names, min)) = names.zip(member_count.min).filter(|(names, min)| names < min) {
        let message = format!("no map is valid: it has at most {names} members, but at least {min} are required");
        return Err(ArgumentError::new(ArgumentErrorKind::Bounds, message).at("min").help("lower `min`"));
    }
    Ok(Arc::new(MapCheck { keys, values: Arc::clone(values), member_count }))
}

impl Check for MapCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['{'])
    }

    /// The keys are the names of members, even if they are numbers.
    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        if array.is_list() && array.has_appended_items() {
            return array.into_value();
        }
        let items = array.into_items().into_iter();
        Value::Map(items.map(|(key, item)| (key.into_text(), decode_item(&*self.values, item))).collect())
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Map(members) = value else {
            return Err(TypeMismatch::new(self.expected(), value));
        };
        refuse_repeated_members(members)?;
        if !self.member_count.contains_count(members.len()) {
            return Err(TypeMismatch::new(self.expected(), value));
        }
        for (name, member) in members {
            if let Some(keys) = &self.keys
                && keys.checked(Value::Text(Cow::Borrowed(&**name))).is_err()
            {
                let expected = format!("a member whose name is {}", keys.expected());
                return Err(TypeMismatch::new(expected, member).inside(&format!(".{name}")));
            }
            self.values.check(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))?;
        }
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("an object{}", self.member_count.count_phrase("member")).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let names = self.keys.as_ref().map(|keys| format!("; each name {}", keys.in_words())).unwrap_or_default();
        let count = self.member_count.count_phrase("member");
        format!("an object{count}; each value {}{names}", self.values.in_words()).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        let mut schemas = self.values.referenced_schemas();
        schemas.extend(self.keys.iter().flat_map(|keys| keys.referenced_schemas()));
        schemas
    }

    fn late_error(&self) -> Option<ArgumentError> {
        self.values.late_error()
    }

    fn structure(&self) -> Structure {
        Structure::Map(Arc::clone(&self.values))
    }

    fn schema(&self) -> Json {
        let mut schema = json!({ "type": "object", "additionalProperties": self.values.schema() });
        if let Some(keys) = &self.keys {
            schema["propertyNames"] = keys.schema();
        }
        self.member_count.insert_keywords(&mut schema, "minProperties", "maxProperties");
        schema
    }

    fn type_expr(&self) -> TypeExpr {
        let values = item_type_expr(self.values.type_expr());
        let type_expr = self.member_count.type_expr_with_attributes(format!("map<{}>", values.term));
        let keys = self.keys.as_ref().map(|keys| keys.type_expr().into_json());
        with_item_attributes(type_expr.with(KEYS_ATTRIBUTE, keys), values.attributes)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let mut names = self.names(MAX_BOUNDARY_NAMES).into_iter().cycle();
        let values = self.values.boundary_values();
        let example = self.example_with(values.first().cloned());
        let values = values.into_iter().filter_map(|value| Some(vec![(names.next()?, value)]));
        let mut candidates: Vec<_> = values.chain([Vec::new()]).map(Value::Map).collect();
        candidates.extend(example);
        keep_valid_values(self, candidates)
    }

    fn example(&self) -> Option<Value<'static>> {
        first_valid_value(self, self.example_with(self.values.example()))
    }

    fn can_check_early(&self) -> bool {
        self.values.can_check_early()
    }
}

const MAX_BOUNDARY_NAMES: usize = 8;
const MAX_EXAMPLE_MEMBERS: u64 = 1000;
const MAX_TRIED_NAMES: usize = 20_000;

impl MapCheck {
    /// Returns up to `count` names that members can have, beginning with an example. All are different.
    fn names(&self, count: usize) -> Vec<Cow<'static, str>> {
        let Some(keys) = &self.keys else {
            return (1..=count).map(|number| Cow::Owned(format!("key{number}"))).collect();
        };
        let mut names: Vec<Cow<'static, str>> = Vec::new();
        let mut seen = HashSet::new();
        let mut tried = 0;
        for value in keys.example().into_iter().chain(keys.boundary_values()) {
            if let Value::Text(text) = value
                && seen.insert(text.clone())
            {
                names.push(text);
            }
        }
        // Further names differ in one character from a name before them.
        let mut at = 0;
        while let Some(name) = names.get(at).cloned().filter(|_| names.len() < count && tried < MAX_TRIED_NAMES) {
            at += 1;
            for changed in names_like(&name) {
                tried += 1;
                if names.len() < count
                    && !seen.contains(&*changed)
                    && keys.checked(Value::Text(Cow::Borrowed(&changed))).is_ok()
                {
                    seen.insert(Cow::Owned(changed.clone()));
                    names.push(Cow::Owned(changed));
                }
            }
        }
        names.truncate(count);
        names
    }

    /// The map has as few members as the definition allows, but at least one.
    fn example_with(&self, value: Option<Value<'static>>) -> Option<Value<'static>> {
        let Some(value) = value else { return Some(Value::Map(Vec::new())) };
        let count = usize::try_from(self.member_count.min.unwrap_or(1).clamp(1, MAX_EXAMPLE_MEMBERS)).ok()?;
        if count > 1 && count.saturating_mul(count_nested_values(&value)) > MAX_REQUIRED_VALUES {
            return None;
        }
        Some(Value::Map(self.names(count).into_iter().map(|name| (name, value.clone())).collect()))
    }
}

/// Returns the texts in which one character is replaced, from the last character to the first.
fn names_like(name: &str) -> impl Iterator<Item = String> {
    let others = ('1'..='9').chain(['0']).chain('a'..='z').chain('A'..='Z');
    name.char_indices().rev().flat_map(move |(at, char)| {
        let (before, after) = (&name[..at], &name[at + char.len_utf8()..]);
        others.clone().map(move |other| format!("{before}{other}{after}"))
    })
}
