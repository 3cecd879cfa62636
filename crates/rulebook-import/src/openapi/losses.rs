//! The losses of an import: the parts of the description that the definition cannot express.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fmt::Write as _;

/// The kinds of losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LossKind {
    AllOf,
    Annotation,
    Body,
    Callback,
    Constraint,
    ContentType,
    Default,
    ErrorBody,
    Example,
    Format,
    Keyword,
    Link,
    Method,
    Name,
    Null,
    Parameter,
    Path,
    Pattern,
    Reference,
    Response,
    ResponseHeader,
    Security,
    Server,
    Style,
    Tag,
    Type,
    Union,
    Unknown,
    Unused,
    Webhook,
}

impl LossKind {
    /// Returns the name of the kind in reports, and what losses of this kind have in common.
    pub(super) fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::AllOf => ("all-of", "parts of `allOf` that cannot be merged"),
            Self::Annotation => ("annotation", "texts and notes for readers, such as `title` and `externalDocs`"),
            Self::Body => ("body", "request bodies that are omitted, and those that can be missing or null"),
            Self::Callback => ("callback", "requests that the server sends to the client"),
            Self::Constraint => ("constraint", "conditions between the members of an object"),
            Self::ContentType => ("content-type", "media types of bodies besides the imported one"),
            Self::Default => ("default", "default values of fields, and those that are not valid"),
            Self::ErrorBody => ("error-body", "bodies of error responses: the envelope determines them"),
            Self::Example => ("example", "examples that are not valid or are long, and those without a place"),
            Self::Format => ("format", "formats of strings and numbers that no type checks"),
            Self::Keyword => ("keyword", "keywords of schemas that no attribute expresses"),
            Self::Link => ("link", "links from a response to other operations"),
            Self::Method => ("method", "operations with other HTTP methods"),
            Self::Name => ("name", "names that a definition cannot have"),
            Self::Null => ("null", "values that can be either null or missing: here they can be both"),
            Self::Parameter => ("parameter", "parameters, and rules for them, that no key expresses"),
            Self::Path => ("path", "paths that do not consist of whole segments, or that collide"),
            Self::Pattern => ("pattern", "patterns that the type `string` does not accept"),
            Self::Reference => ("reference", "references that lead nowhere, to other files, or to themselves"),
            Self::Response => ("response", "responses besides the first success and the errors"),
            Self::ResponseHeader => ("response-header", "header fields of responses"),
            Self::Security => ("security", "authentication that is not a permission"),
            Self::Server => ("server", "servers of single operations, and variables in their URLs"),
            Self::Style => ("style", "serializations of parameters"),
            Self::Tag => ("tag", "tags besides the module of a path"),
            Self::Type => ("type", "types that `rulebook check` rejects, replaced by looser ones"),
            Self::Union => ("union", "`oneOf` and `anyOf` whose types overlap, replaced by looser ones"),
            Self::Unknown => ("unknown", "members that nothing in a definition expresses, such as unknown keys"),
            Self::Unused => ("unused", "components and tags that no part of the definition uses"),
            Self::Webhook => ("webhook", "requests that other servers receive"),
        }
    }
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

/// How a loss changes which values are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// It does not change which values are valid.
    None,
    /// The definition accepts more values than the description.
    AcceptsMore,
    /// The definition accepts fewer values than the description.
    AcceptsFewer,
}

/// A part of the description that the definition cannot express.
#[derive(Debug)]
struct Loss {
    kind: LossKind,
    effect: Effect,
    place: Place,
    message: String,
    /// The position of the place in the description.
    position: usize,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::None => "",
            Effect::AcceptsMore => ", accepts more",
            Effect::AcceptsFewer => ", accepts fewer",
        };
        write!(f, "{}{effect}: {}: {}", self.kind.describe().0, self.place.as_str(), self.message)
    }
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
        self.insert(kind, Effect::None, place, message.into());
    }

    /// Adds a loss because of which the definition accepts more values than the description.
    pub(super) fn widen(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        self.insert(kind, Effect::AcceptsMore, place, message.into());
    }

    /// Adds a loss because of which the definition accepts fewer values than the description.
    pub(super) fn narrow(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        self.insert(kind, Effect::AcceptsFewer, place, message.into());
    }

    /// Adds a loss, unless one of this kind and with this effect is known at this place: a component of the description
    /// can be used several times.
    fn insert(&mut self, kind: LossKind, effect: Effect, place: &Place, message: String) {
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
        let count = |effect: Effect| self.list.iter().filter(|loss| loss.effect == effect).count();
        (count(Effect::AcceptsMore), count(Effect::AcceptsFewer))
    }

    /// Returns all losses as text, one on each line.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for loss in &self.list {
            let line = loss.to_string().replace(['\n', '\r'], " ");
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Returns the number of losses of each kind as text, one kind on each line.
    pub fn to_counts(&self) -> String {
        let mut counts: BTreeMap<LossKind, usize> = BTreeMap::new();
        for loss in &self.list {
            *counts.entry(loss.kind).or_default() += 1;
        }
        let mut text = String::new();
        for (kind, count) in counts {
            let (name, description) = kind.describe();
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{count:8}  {name}: {description}");
        }
        text
    }
}
