//! The losses of an import: the parts of the description that the definition cannot express.

use std::collections::{BTreeMap, HashMap};

use rulebook_model::invisible::replace_invisible;

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
    /// Creates the place to which a pointer leads.
    pub(super) fn new(pointer: &str) -> Self {
        Self(pointer.to_owned())
    }

    /// Returns the place of a member of the value at this place.
    pub(super) fn member(&self, key: &str) -> Self {
        Self(format!("{}/{}", self.0, key.replace('~', "~0").replace('/', "~1")))
    }

    /// Returns the place of an item of the array at this place.
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

/// A part of the description that the definition cannot express.
#[derive(Debug)]
struct Loss {
    kind: LossKind,
    effect: &'static str,
    place: Place,
    message: String,
    /// The position of the place in the description.
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

    /// Adds a loss because of which the definition accepts more values than the description.
    pub(super) fn widen(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        self.insert(kind, ACCEPTS_MORE, place, message.into());
    }

    /// Adds a loss because of which the definition accepts fewer values than the description.
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

    /// Returns `true` if there is a loss at this place.
    pub(super) fn has(&self, place: &Place) -> bool {
        self.at.contains_key(place)
    }

    /// Sets the position of a place in the description.
    pub(super) fn set_position(&mut self, place: &Place, position: usize) {
        for index in self.at.get(place).into_iter().flatten() {
            self.list[*index].position = position;
        }
    }

    /// Sorts the losses by the positions of their places.
    pub(super) fn sort(&mut self) {
        self.list.sort_by_key(|loss| loss.position);
        self.at.clear();
    }

    /// Returns the number of losses.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// Returns the numbers of losses because of which the definition accepts more values, and fewer.
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
