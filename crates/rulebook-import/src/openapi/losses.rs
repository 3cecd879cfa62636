//! The losses of an import: the parts of the description that the definition cannot express, and those that no code has
//! read.

use std::collections::{BTreeMap, HashMap};

use rulebook_model::invisible::replace_invisible;
use serde_json::Value as Json;

use super::document::{Document, Extent, members, reference_of};

/// A kind of losses: its name in reports, and what losses of this kind have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LossKind(&'static str, &'static str);

impl LossKind {
    pub const ALL_OF: Self = Self("all-of", "parts of `allOf` that cannot be merged");
    pub const ANNOTATION: Self = Self("annotation", "texts and notes for readers, such as `title` and `externalDocs`");
    pub const BODY: Self = Self("body", "request bodies that are omitted, and those that can be missing or null");
    pub const CALLBACK: Self = Self("callback", "requests that the server sends to the client");
    pub const CONSTRAINT: Self = Self("constraint", "conditions between the members of an object");
    pub const CONTENT_TYPE: Self = Self("content-type", "media types of bodies besides the imported one");
    pub const DEFAULT: Self = Self("default", "default values of fields, and those that are not valid");
    pub const ERROR_BODY: Self = Self("error-body", "bodies of error responses: the envelope determines them");
    pub const EXAMPLE: Self = Self("example", "examples that are not valid or are long, and those without a place");
    pub const FORMAT: Self = Self("format", "formats of strings and numbers that no type checks");
    pub const KEYWORD: Self = Self("keyword", "keywords of schemas that no attribute expresses");
    pub const LINK: Self = Self("link", "links from a response to other operations");
    pub const METHOD: Self = Self("method", "operations with other HTTP methods");
    pub const NAME: Self = Self("name", "names that a definition cannot have");
    pub const NULL: Self = Self("null", "values that can be either null or missing: here they can be both");
    pub const PARAMETER: Self = Self("parameter", "parameters, and rules for them, that no key expresses");
    pub const PATH: Self = Self("path", "paths that do not consist of whole segments, or that collide");
    pub const PATTERN: Self = Self("pattern", "patterns that the type `string` does not accept");
    pub const REFERENCE: Self = Self("reference", "references that lead nowhere, to other files, or to themselves");
    pub const RESPONSE: Self = Self("response", "responses besides the first success and the errors");
    pub const RESPONSE_HEADER: Self = Self("response-header", "header fields of responses");
    pub const SECURITY: Self = Self("security", "authentication that is not a permission");
    pub const SERVER: Self = Self("server", "servers of single operations, and variables in their URLs");
    pub const STYLE: Self = Self("style", "serializations of parameters");
    pub const TAG: Self = Self("tag", "tags besides the module of a path");
    pub const TYPE: Self = Self("type", "types that `rulebook check` rejects, replaced by looser ones");
    pub const UNION: Self = Self("union", "`oneOf` and `anyOf` whose types overlap, replaced by looser ones");
    pub const UNKNOWN: Self = Self("unknown", "members that nothing in a definition expresses, such as unknown keys");
    pub const UNUSED: Self = Self("unused", "components and tags that no part of the definition uses");
    pub const WEBHOOK: Self = Self("webhook", "requests that other servers receive");
}

/// A place in the description, as a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Place(String);

impl Place {
    pub(super) fn new(pointer: &str) -> Self {
        Self(pointer.to_owned())
    }

    pub(super) fn member(&self, key: &str) -> Self {
        Self(format!("{}/{}", self.0, key.replace('~', "~0").replace('/', "~1")))
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// Returns the place of the value that contains the value at this place.
    pub(super) fn parent(&self) -> Self {
        Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a loss changes which values are valid, as reports say it: not at all, or the definition accepts more values than
/// the description, or fewer.
const NO_EFFECT: &str = "";
const ACCEPTS_MORE: &str = ", accepts more";
const ACCEPTS_FEWER: &str = ", accepts fewer";

#[derive(Debug)]
struct Loss {
    kind: LossKind,
    effect: &'static str,
    place: Place,
    message: String,
    position: usize,
}

/// All losses of an import, each once.
#[derive(Debug, Default)]
pub struct Losses {
    list: Vec<Loss>,
    /// The indexes of the losses at each place.
    at: HashMap<Place, Vec<usize>>,
}

impl Losses {
    /// Adds a loss that does not change which values are valid.
    pub(super) fn add(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        self.insert(kind, NO_EFFECT, place, message.into());
    }

    /// Adds a loss that lets the definition accept more values than the description.
    pub(super) fn widen(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        self.insert(kind, ACCEPTS_MORE, place, message.into());
    }

    /// Adds a loss that lets the definition accept fewer values than the description.
    pub(super) fn narrow(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        self.insert(kind, ACCEPTS_FEWER, place, message.into());
    }

    /// Adds a loss, unless one of this kind and with this effect is known at this place: a component of the description
    /// can be used several times.
    fn insert(&mut self, kind: LossKind, effect: &'static str, place: &Place, message: String) {
        let indexes = self.at.entry(place.clone()).or_default();
        if indexes.iter().all(|index| (self.list[*index].kind, self.list[*index].effect) != (kind, effect)) {
            indexes.push(self.list.len());
            self.list.push(Loss { kind, effect, place: place.clone(), message, position: 0 });
        }
    }

    pub(super) fn has(&self, place: &Place) -> bool {
        self.at.contains_key(place)
    }

    pub(super) fn set_position(&mut self, place: &Place, position: usize) {
        for index in self.at.get(place).into_iter().flatten() {
            self.list[*index].position = position;
        }
    }

    pub(super) fn sort(&mut self) {
        self.list.sort_by_key(|loss| loss.position);
        self.at.clear();
    }

    /// Returns the number of losses.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Returns how many losses let the definition accept more values, and how many let it accept fewer.
    pub fn count_effects(&self) -> (usize, usize) {
        let count = |effect: &str| self.list.iter().filter(|loss| loss.effect == effect).count();
        (count(ACCEPTS_MORE), count(ACCEPTS_FEWER))
    }

    /// Returns all losses as text, one on each line.
    pub fn to_text(&self) -> String {
        let line = |Loss { kind, effect, place, message, .. }: &Loss| {
            let line = format!("{}{effect}: {}: {message}", kind.0, place.as_str());
            // Titles, names and paths of the description can contain anything, also what changes a terminal.
            format!("{}\n", replace_invisible(&line.replace(['\n', '\r'], " ")))
        };
        self.list.iter().map(line).collect()
    }

    /// Returns the number of losses of each kind as text, one kind on each line.
    pub fn to_counts(&self) -> String {
        let mut counts: BTreeMap<LossKind, usize> = BTreeMap::new();
        for loss in &self.list {
            *counts.entry(loss.kind).or_default() += 1;
        }
        let line = |(LossKind(name, description), count)| format!("{count:8}  {name}: {description}\n");
        counts.into_iter().map(line).collect()
    }
}

/// The message about a member or an item that no part of a definition expresses.
const NOT_EXPRESSED: &str = "nothing in a definition expresses it";

/// The members whose value is an object with names that the author of the description has chosen.
const WITH_NAMES: &str = "$defs $vocabulary additionalOperations callbacks content definitions dependentRequired \
    dependentSchemas encoding examples headers links mapping mediaTypes parameters pathItems paths patternProperties \
    properties requestBodies responses schemas scopes securitySchemes variables webhooks";

/// The flags whose absence means `false`.
const FLAGS: &str = "allowEmptyValue allowReserved deprecated exclusiveMaximum exclusiveMinimum nullable readOnly required \
    uniqueItems writeOnly";

/// The keywords that accept every value if they are `true` or an empty schema.
const OPEN_SCHEMAS: &str =
    "additionalItems additionalProperties items propertyNames unevaluatedItems unevaluatedProperties";

/// The keywords that require something only of values of one type.
const KEYWORDS_OF_TYPES: [(&str, &str); 4] = [
    (
        "array",
        "additionalItems contains items maxContains maxItems minContains minItems prefixItems unevaluatedItems uniqueItems",
    ),
    ("number", "exclusiveMaximum exclusiveMinimum maximum minimum multipleOf"),
    (
        "object",
        "additionalProperties dependentRequired dependentSchemas maxProperties minProperties patternProperties properties \
         propertyNames required unevaluatedProperties",
    ),
    ("string", "contentEncoding contentMediaType contentSchema maxLength minLength pattern"),
];

/// The keywords that limit the values of a schema, in addition to [`KEYWORDS_OF_TYPES`].
const LIMITS: &str = "$dynamicRef allOf anyOf const else enum format if not oneOf then type";

/// Reports each member of the description that was not read, except for those that say nothing, and those at whose
/// place a loss is known. Then sorts all losses by their places.
pub(super) fn report_unread(document: Document<'_>, losses: &mut Losses) {
    let mut visitor = Visitor { document, losses, position: 0 };
    visitor.visit(document.root, &Place::default(), true, false);
    losses.sort();
}

struct Visitor<'a, 'l> {
    document: Document<'a>,
    losses: &'l mut Losses,
    /// The number of values that were visited.
    position: usize,
}

impl Visitor<'_, '_> {
    /// Visits the members of a value. They are reported, unless they were read, if `is_open` is `true`. If `are_names`
    /// is `true`, the author of the description has chosen their names.
    fn visit(&mut self, value: &Json, place: &Place, is_open: bool, are_names: bool) {
        match value {
            Json::Object(members) => {
                for (key, member) in members {
                    let place = place.member(key);
                    if !are_names && matches!(key.as_str(), "$defs" | "definitions") {
                        self.visit_definitions(member, &place);
                        continue;
                    }
                    let is_expected = !are_names && (is_extension(key) || has_no_effect(value, key));
                    if is_open && !is_expected && self.is_lost(member, &place) {
                        if are_names {
                            self.losses.add(LossKind::UNKNOWN, &place, NOT_EXPRESSED);
                        } else {
                            report_member(self.losses, value, key, &place);
                        }
                    }
                    self.visit_inner(member, &place, is_open, !are_names && is_in(WITH_NAMES, key));
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let place = place.item(index);
                    if is_open && self.is_lost(item, &place) {
                        self.losses.add(LossKind::UNKNOWN, &place, NOT_EXPRESSED);
                    }
                    self.visit_inner(item, &place, is_open, false);
                }
            }
            _ => {}
        }
    }

    /// Visits the definitions in a schema. A definition to which no reference leads means nothing.
    fn visit_definitions(&mut self, definitions: &Json, place: &Place) {
        self.position += 1;
        self.losses.set_position(place, self.position);
        for (name, definition) in members(Some(definitions)) {
            self.visit_inner(definition, &place.member(name), true, false);
        }
    }

    /// Returns `true` if a value was not read, and no loss names it.
    fn is_lost(&self, value: &Json, place: &Place) -> bool {
        self.document.extent(value) == Extent::None && !self.losses.has(place)
    }

    fn visit_inner(&mut self, value: &Json, place: &Place, is_open: bool, are_names: bool) {
        self.position += 1;
        self.losses.set_position(place, self.position);
        self.visit(value, place, is_open && self.document.extent(value) == Extent::Shallow, are_names);
    }
}

fn is_in(words: &str, key: &str) -> bool {
    words.split(' ').any(|word| word == key)
}

/// Returns the type of the values that a keyword restricts; `None` for other keywords.
fn type_of_keyword(key: &str) -> Option<&'static str> {
    KEYWORDS_OF_TYPES.iter().find(|(_, keywords)| is_in(keywords, key)).map(|(name, _)| *name)
}

/// Returns `true` if a member is for other programs.
pub(super) fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

/// Returns `true` if a member of an object has no meaning because of its value: without it, the object would mean the
/// same.
fn has_no_effect(object: &Json, key: &str) -> bool {
    let is_empty = |value: &Json| match value {
        Json::Bool(true) => is_in(OPEN_SCHEMAS, key),
        Json::Bool(false) => is_in(FLAGS, key),
        Json::Number(number) => number.as_u64() == Some(0) && is_in("minItems minLength minProperties", key),
        Json::String(text) => text.trim().is_empty() && is_in("description format pattern summary title", key),
        Json::Array(items) => items.is_empty() && is_in("examples parameters required servers tags", key),
        Json::Object(members) => {
            members.is_empty() && (is_in(WITH_NAMES, key) || is_in(OPEN_SCHEMAS, key) || key == "components")
        }
        Json::Null => key == "default",
    };
    object.get(key).is_some_and(is_empty)
}

/// Returns `true` if a keyword can require something of the values of a schema.
fn applies_to_type(schema: &Json, key: &str) -> bool {
    let Some(of_type) = type_of_keyword(key) else { return true };
    let names = match schema.get("type") {
        Some(Json::Array(names)) => names.as_slice(),
        name => name.map_or(&[][..], std::slice::from_ref),
    };
    let types = "array boolean integer null number object string";
    let is_unknown = |name: &Json| !name.as_str().is_some_and(|name| is_in(types, name));
    let is_of_type = |name: &Json| name == of_type || (of_type == "number" && name == "integer");
    names.is_empty() || names.iter().any(|name| is_unknown(name) || is_of_type(name))
}

/// Reports a member of an object that no part of the definition expresses.
fn report_member(losses: &mut Losses, object: &Json, key: &str, place: &Place) {
    let is_limit = type_of_keyword(key).is_some() || is_in(LIMITS, key);
    let text = |value: &Json| value.as_str().unwrap_or_default().escape_debug().to_string();
    match key {
        _ if !applies_to_type(object, key) => {
            losses.add(LossKind::KEYWORD, place, "the keyword has no effect on values of this type");
        }
        _ if is_limit && reference_of(object).is_some() => {
            losses.widen(LossKind::KEYWORD, place, "the keyword is next to a reference");
        }
        "format" => losses.widen(LossKind::FORMAT, place, format!("`{}` is not checked", text(&object[key]))),
        "allOf" => losses.widen(LossKind::ALL_OF, place, "the parts limit the values of the schema next to them"),
        "anyOf" | "oneOf" => {
            let message = "the branches limit the values of the schema next to them";
            losses.widen(LossKind::CONSTRAINT, place, message);
        }
        "type" => losses.widen(LossKind::KEYWORD, place, "values of other types are accepted, too"),
        "dependentRequired" | "dependentSchemas" | "required" => {
            losses.widen(LossKind::CONSTRAINT, place, "which members are required is not checked");
        }
        _ if is_limit => losses.widen(LossKind::KEYWORD, place, "the type has no attribute for this keyword"),
        "default" => losses.add(LossKind::DEFAULT, place, "the default is not applied"),
        "example" | "examples" => losses.add(LossKind::EXAMPLE, place, "a definition has no such example here"),
        "additionalOperations" | "head" | "options" | "query" | "trace" => report_method(losses, key, place),
        "callbacks" => losses.add(LossKind::CALLBACK, place, "a definition has no callbacks"),
        "links" => losses.add(LossKind::LINK, place, "a definition has no links"),
        "headers" => {
            losses.add(LossKind::RESPONSE_HEADER, place, "header fields are not imported: write outputs with `header`");
        }
        "servers" => losses.add(LossKind::SERVER, place, "servers belong to the whole API"),
        "allowEmptyValue" | "allowReserved" => losses.add(LossKind::STYLE, place, "a parameter has no such key"),
        "encoding" if members(Some(&object[key])).values().any(|part| part.get("contentType").is_some()) => {
            losses.widen(LossKind::CONTENT_TYPE, place, "the media types of the parts of a body are not checked");
        }
        "contentType" => losses.widen(LossKind::CONTENT_TYPE, place, "the media type of a field is not checked"),
        "encoding" | "itemEncoding" | "prefixEncoding" => {
            losses.add(LossKind::CONTENT_TYPE, place, "how parts of a body are encoded is not described");
        }
        "itemSchema" => losses.add(LossKind::CONTENT_TYPE, place, "a definition does not describe items of a stream"),
        "title" if object.get("description").is_some() => {
            losses.add(LossKind::ANNOTATION, place, "there is a description, too");
        }
        "bearerFormat" => losses.add(LossKind::SECURITY, place, "the format of the tokens is not described"),
        "$anchor" | "$comment" | "$dynamicAnchor" | "$id" | "$schema" | "contentEncoding" | "contentMediaType"
        | "contentSchema" | "deprecated" | "description" | "discriminator" | "externalDocs" | "readOnly"
        | "summary" | "termsOfService" | "title" | "writeOnly" | "xml" => {
            losses.add(LossKind::ANNOTATION, place, "a definition has no such note here");
        }
        _ => losses.add(LossKind::UNKNOWN, place, NOT_EXPRESSED),
    }
}

fn report_method(losses: &mut Losses, key: &str, place: &Place) {
    let message = match key {
        "head" => "a HEAD request is handled as a GET request: the description of the operation is omitted",
        "options" => "the server responds to OPTIONS requests itself: the operation is omitted",
        _ => "a definition has no such HTTP method: the operation is omitted",
    };
    losses.add(LossKind::METHOD, place, message);
}
