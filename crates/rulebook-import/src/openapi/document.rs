//! The description: parsed from JSON or YAML to a JSON value, in which references are followed, and of which each
//! member is read or lost.
//!
//! Code that expresses a member in the definition, or reports it as a loss, gets it with [`Document::read`] or a
//! function that uses it. Code that only looks at a member, for example to choose how a schema is converted, uses
//! [`Json::get`]. `losses` reports every member that was not read, so that none is lost without a report.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use percent_encoding::percent_decode_str;
use rulebook_model::unique_json::{self, duplicate_key};
use serde_json::{Map, Value as Json};
use serde_saphyr::budget::{Budget, BudgetBreach};
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::losses::Place;
use super::schema::Values;

const SCHEMAS_POINTER: &str = "/components/schemas/";

/// The maximum number of references that are followed to one value that is not a schema.
const MAX_CHAIN: usize = 32;

#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a> {
    pub root: &'a Json,
    pub knowledge: &'a Knowledge,
}

/// What is known of the values of a description. Their addresses identify them.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    pub values: RefCell<HashMap<*const Json, Values>>,
    pub is_nullable: RefCell<HashMap<*const Json, bool>>,
    /// The addresses of the schemas to which schemas lead through their references.
    pub ends: RefCell<HashMap<*const Json, Option<*const Json>>>,
    read: RefCell<HashMap<*const Json, Extent>>,
    /// The values that are equal to others that were read next to them.
    repeated: RefCell<HashSet<*const Json>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    None,
    /// The value, but not its members or items: these are read one by one.
    Shallow,
    Whole,
}

impl<'a> Document<'a> {
    /// Records that a value was read, but not its members or items.
    pub(super) fn record(self, value: &Json) {
        self.knowledge.read.borrow_mut().entry(std::ptr::from_ref(value)).or_insert(Extent::Shallow);
    }

    pub(super) fn record_whole(self, value: &Json) {
        self.knowledge.read.borrow_mut().insert(std::ptr::from_ref(value), Extent::Whole);
    }

    /// Records that a value is equal to another one that was read next to it, with everything in it. If the value
    /// itself is read, too, everything in it must be read.
    pub(super) fn record_repeated(self, value: &Json) {
        self.knowledge.repeated.borrow_mut().insert(std::ptr::from_ref(value));
    }

    pub(super) fn extent(self, value: &Json) -> Extent {
        let is_repeated = || self.knowledge.repeated.borrow().contains(&std::ptr::from_ref(value));
        let read = self.knowledge.read.borrow().get(&std::ptr::from_ref(value)).copied();
        read.unwrap_or_else(|| if is_repeated() { Extent::Whole } else { Extent::None })
    }

    /// Reads a member, but not what is in it.
    pub(super) fn read<'v>(self, value: &'v Json, key: &str) -> Option<&'v Json> {
        value.get(key).inspect(|member| self.record(member))
    }

    pub(super) fn read_whole<'v>(self, value: &'v Json, key: &str) -> Option<&'v Json> {
        value.get(key).inspect(|member| self.record_whole(member))
    }

    /// Reads the text of a member that is not blank.
    pub(super) fn read_text<'v>(self, value: &'v Json, key: &str) -> Option<&'v str> {
        text(value, key).inspect(|_| self.record(&value[key]))
    }

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

pub(super) fn is_true(value: &Json, key: &str) -> bool {
    value.get(key).and_then(Json::as_bool) == Some(true)
}

/// Decodes the percent-encoding of a reference. An invalid escape is kept.
fn decode_percent(text: &str) -> String {
    percent_decode_str(text).decode_utf8().map_or_else(|_| text.to_owned(), Cow::into_owned)
}

const MAX_DEPTH: usize = 128;

/// The maximum number of values in YAML, and of the events with which they are parsed.
const MAX_EVENTS: usize = 20_000_000;

/// Parses a description, and checks its version. `name` is the name of the file or the URL.
pub(super) fn parse(name: &str, bytes: Vec<u8>) -> Result<Json, String> {
    let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let is_json_file = || Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case("json"));
    let document = match unique_json::parse(text.as_bytes()) {
        Ok(document) => document,
        Err(error) if text.trim_start().starts_with('{') && (error.is_data() || is_json_file()) => {
            return Err(format!("{name} cannot be read as JSON: {error}"));
        }
        Err(_) => parse_yaml(text).map_err(|error| format!("{name} cannot be read as YAML: {error}"))?,
    };
    let Some(version) = version(&document, "openapi").or_else(|| version(&document, "swagger")) else {
        return Err(format!("{name} is not an OpenAPI description: it has no key `openapi`"));
    };
    let is_supported = ["3.0", "3.1", "3.2"]
        .iter()
        .any(|known| version.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])));
    if !is_supported {
        return Err(format!(
            "{name} has the version {version} of OpenAPI; the versions 3.0, 3.1 and 3.2 can be imported, and other \
             programs convert older versions to them"
        ));
    }
    Ok(document)
}

/// Returns the version in a member of a description. In YAML, a version without quotes can be a number.
pub(super) fn version(object: &Json, key: &str) -> Option<String> {
    match object.get(key)? {
        Json::String(version) => Some(version.trim().to_owned()).filter(|version| !version.is_empty()),
        Json::Number(version) => Some(version.to_string()),
        _ => None,
    }
}

/// Parses YAML 1.2, as OpenAPI recommends: words such as `no` are texts. Limits prevent that a small text with many
/// references becomes a large value.
fn parse_yaml(text: &str) -> Result<Json, String> {
    let mut budget = Budget::default();
    (budget.max_depth, budget.max_events, budget.max_nodes) = (MAX_DEPTH, MAX_EVENTS, MAX_EVENTS);
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.with_snippet = false;
    options.strict_booleans = true;
    // These are numbers only in YAML 1.1, or only outside of JSON.
    (options.underscored_numbers_as_strings, options.leading_zero_numbers_as_strings) = (true, true);
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|place| format!(" (line {}, column {})", place.line(), place.column()));
        describe(&error) + &place.unwrap_or_default()
    })
}

/// Describes an error without its place. The texts of the library are used only for invalid syntax: its other texts
/// name settings and functions of the library.
fn describe(error: &Error) -> String {
    let text = match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => return describe(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => return duplicate_key(key),
        Error::DuplicateMappingKey { key: None, .. } => "a key occurs twice in the same mapping",
        Error::NonFiniteFloat { value, .. } => {
            return format!("`{}` is a number that JSON does not have", value.escape_debug());
        }
        Error::MultipleDocuments { .. } => "a second document begins; write the description to a file of its own",
        Error::Unexpected { .. } => "a key must be a text",
        Error::UnknownAnchor { .. } => "`*` refers to an anchor that no `&` defines before it",
        Error::RecursiveReferencesRequireWeakTypes { .. } => "`*` refers to a value that contains it",
        Error::MergeValueNotMapOrSeqOfMaps { .. } => "the value of `<<` must be a mapping, or a list of mappings",
        Error::InvalidBinaryBase64 { .. } | Error::BinaryNotUtf8 { .. } => {
            "the value with the tag `!!binary` is not a text in base64"
        }
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            return format!("more than {MAX_DEPTH} mappings and lists contain each other");
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "the text is too large, or the values that `*` repeats make it too large"
        }
        other => return UserMessageFormatter.format_message(other).into_owned(),
    };
    text.to_owned()
}
