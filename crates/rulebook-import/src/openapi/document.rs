//! The description as a JSON value, in which references are followed, and of which each member is read or lost.
//!
//! Code that expresses a member in the definition, or reports it as a loss, gets it with [`Document::read`] or a
//! function that uses it. Code that only looks at a member, for example to choose how a schema is converted, uses
//! [`Json::get`]. `unread` reports every member that was not read, so that none is lost without a report.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value as Json};

use super::losses::Place;
use super::schema::Values;

const SCHEMAS_POINTER: &str = "/components/schemas/";

/// The maximum number of references that are followed to one value that is not a schema.
const MAX_CHAIN: usize = 32;

/// An OpenAPI description.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub root: &'a Json,
    pub knowledge: &'a Knowledge,
}

/// What is known of the values of a description. Their addresses identify them.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// The kinds of values of schemas.
    pub values: RefCell<HashMap<*const Json, Values>>,
    /// Whether schemas accept null.
    pub is_nullable: RefCell<HashMap<*const Json, bool>>,
    /// The addresses of the schemas to which schemas lead through their references.
    pub ends: RefCell<HashMap<*const Json, Option<*const Json>>>,
    read: RefCell<HashMap<*const Json, Extent>>,
    /// The values that are equal to others that were read next to them.
    repeated: RefCell<HashSet<*const Json>>,
}

/// How much of a value was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing.
    None,
    /// The value, but not its members or items: these are read one by one.
    Shallow,
    /// The value with everything in it.
    Whole,
}

impl<'a> Document<'a> {
    /// Records that a value was read, but not its members or items.
    pub(super) fn record(self, value: &Json) {
        self.knowledge.read.borrow_mut().entry(std::ptr::from_ref(value)).or_insert(Extent::Shallow);
    }

    /// Records that a value was read with everything in it.
    pub(super) fn record_whole(self, value: &Json) {
        self.knowledge.read.borrow_mut().insert(std::ptr::from_ref(value), Extent::Whole);
    }

    /// Records that a value is equal to another one that was read next to it, with everything in it. If the value
    /// itself is read, too, everything in it must be read.
    pub(super) fn record_repeated(self, value: &Json) {
        self.knowledge.repeated.borrow_mut().insert(std::ptr::from_ref(value));
    }

    /// Returns how much of a value was read.
    pub(super) fn extent(self, value: &Json) -> Extent {
        let is_repeated = || self.knowledge.repeated.borrow().contains(&std::ptr::from_ref(value));
        let read = self.knowledge.read.borrow().get(&std::ptr::from_ref(value)).copied();
        read.unwrap_or_else(|| if is_repeated() { Extent::Whole } else { Extent::None })
    }

    /// Reads a member, but not what is in it.
    pub(super) fn read<'v>(self, value: &'v Json, key: &str) -> Option<&'v Json> {
        value.get(key).inspect(|member| self.record(member))
    }

    /// Reads a member with everything in it.
    pub(super) fn read_whole<'v>(self, value: &'v Json, key: &str) -> Option<&'v Json> {
        value.get(key).inspect(|member| self.record_whole(member))
    }

    /// Reads the text of a member that is not blank.
    pub(super) fn read_text<'v>(self, value: &'v Json, key: &str) -> Option<&'v str> {
        text(value, key).inspect(|_| self.record(&value[key]))
    }

    /// Reads a boolean. Returns `true` if it is `true`.
    pub(super) fn read_flag(self, value: &Json, key: &str) -> bool {
        let flag = value.get(key).filter(|flag| flag.is_boolean());
        flag.inspect(|flag| self.record(flag)).and_then(Json::as_bool) == Some(true)
    }

    /// Reads an object, but not its members. Returns null if the member is missing or another value.
    pub(super) fn read_object<'v>(self, value: &'v Json, key: &str) -> &'v Json {
        let object = value.get(key).filter(|member| member.is_object());
        object.inspect(|object| self.record(object)).unwrap_or(&Json::Null)
    }

    /// Reads an object, but not its members. Returns its members; none if the member is missing or another value.
    pub(super) fn read_members<'v>(self, value: &'v Json, key: &str) -> &'v Map<String, Json> {
        members(Some(self.read_object(value, key)))
    }

    /// Reads an array, but not its items. Returns its items; none if the member is missing or another value.
    pub(super) fn read_items<'v>(self, value: &'v Json, key: &str) -> &'v [Json] {
        items(value.get(key).filter(|member| member.is_array()).inspect(|member| self.record(member)))
    }

    /// Reads the description of a schema, or else its title.
    pub(super) fn read_description(self, schema: &Json) -> Option<&str> {
        self.read_text(schema, "description").or_else(|| self.read_text(schema, "title"))
    }
}

impl<'a> Document<'a> {
    /// Returns the value to which a reference leads, and its place. Returns `None` for references to other files, and
    /// for those that lead nowhere.
    pub(super) fn find(self, reference: &str) -> Option<(&'a Json, Place)> {
        let pointer = decode_percent(reference.strip_prefix('#')?);
        Some((self.root.pointer(&pointer)?, Place::new(&pointer)))
    }

    /// Follows the references of a value that is not a schema, such as a parameter. Returns the value and its place, or
    /// why a reference cannot be followed.
    pub(super) fn find_target(self, value: &'a Json, place: &Place) -> Result<(&'a Json, Place), String> {
        let (mut value, mut place) = (value, place.clone());
        for _ in 0..MAX_CHAIN {
            let Some(reference) = reference_of(value) else {
                return if value.is_object() {
                    Ok((value, place))
                } else {
                    Err("the value is not an object".to_owned())
                };
            };
            (value, place) = self.find(reference).ok_or_else(|| why_not_found(reference))?;
        }
        let reference = reference_of(value).unwrap_or_default();
        Err(format!("`{}` leads back to itself, or through too many others", reference.escape_debug()))
    }

    /// Reads a value that is not a schema, and its references, but not its members.
    pub(super) fn resolve(self, value: &'a Json, place: &Place) -> Result<(&'a Json, Place), String> {
        let found = self.find_target(value, place)?;
        let mut value = Some(value);
        while let Some(next) = value {
            self.record(next);
            let reference = self.read(next, "$ref").and_then(Json::as_str);
            value = reference.and_then(|reference| self.find(reference)).map(|(target, _)| target);
        }
        Ok(found)
    }

    pub(super) fn schemas(self) -> impl Iterator<Item = (&'a str, &'a Json)> {
        let schemas = self.root.pointer(SCHEMAS_POINTER.trim_end_matches('/'));
        members(schemas).iter().map(|(name, schema)| (name.as_str(), schema))
    }
}

pub(super) fn why_not_found(reference: &str) -> String {
    let why = match reference.strip_prefix('#') {
        Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => "leads nowhere",
        Some(_) => "is not a JSON pointer",
        None => "leads to another file",
    };
    format!("`{}` {why}", reference.escape_debug())
}

/// Returns the reference that a value consists of.
pub(super) fn reference_of(value: &Json) -> Option<&str> {
    value.get("$ref").and_then(Json::as_str)
}

/// Returns the key in `components/schemas` to which a reference leads; `None` if it leads elsewhere.
pub(super) fn schema_key(reference: &str) -> Option<String> {
    let pointer = decode_percent(reference.strip_prefix('#')?);
    let key = pointer.strip_prefix(SCHEMAS_POINTER).filter(|key| !key.contains('/'))?;
    Some(key.replace("~1", "/").replace("~0", "~"))
}

pub(super) fn schema_place(key: &str) -> Place {
    Place::new(SCHEMAS_POINTER.trim_end_matches('/')).member(key)
}

/// Returns the members of an object; none if the value is missing or another value.
pub(super) fn members(value: Option<&Json>) -> &Map<String, Json> {
    static EMPTY: std::sync::LazyLock<Map<String, Json>> = std::sync::LazyLock::new(Map::new);
    value.and_then(Json::as_object).unwrap_or(&EMPTY)
}

/// Returns the items of an array; none if the value is missing or another value.
pub(super) fn items(value: Option<&Json>) -> &[Json] {
    value.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Returns the text of a member that is not blank.
pub(super) fn text<'a>(value: &'a Json, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// Returns `true` if a member is `true`.
pub(super) fn is_true(value: &Json, key: &str) -> bool {
    value.get(key).and_then(Json::as_bool) == Some(true)
}

/// Decodes the percent-encoding of a reference. An invalid escape is kept.
fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}
