//! The losses of an import: the parts of the description that the definition cannot express.

use std::collections::{BTreeMap, HashSet};
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
    Webhook,
}

impl LossKind {
    /// Returns the name of the kind in reports, and what losses of this kind have in common.
    pub(super) fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::AllOf => ("all-of", "parts of `allOf` that cannot be merged"),
            Self::Annotation => ("annotation", "notes for readers, such as `externalDocs`, `xml` and `readOnly`"),
            Self::Body => ("body", "request bodies that are omitted, and those that can be missing"),
            Self::Callback => ("callback", "requests that the server sends to the client"),
            Self::Constraint => ("constraint", "conditions between the members of an object"),
            Self::ContentType => ("content-type", "media types of bodies besides the imported one"),
            Self::Default => ("default", "default values of fields, and those that are not valid"),
            Self::ErrorBody => ("error-body", "bodies of error responses: the envelope determines them"),
            Self::Example => ("example", "examples that are not valid or are long, and those of whole bodies"),
            Self::Format => ("format", "formats of strings and numbers that no type checks"),
            Self::Keyword => ("keyword", "keywords of schemas that no attribute expresses"),
            Self::Link => ("link", "links from a response to other operations"),
            Self::Method => ("method", "operations with other HTTP methods"),
            Self::Name => ("name", "names that a definition cannot have"),
            Self::Null => ("null", "required values that can be null: here they can also be missing"),
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

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A part of the description that the definition cannot express.
#[derive(Debug)]
struct Loss {
    kind: LossKind,
    place: Place,
    message: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind.describe().0, self.place.as_str(), self.message)
    }
}

/// All losses of an import, each once.
#[derive(Debug, Default)]
pub(super) struct Losses {
    list: Vec<Loss>,
    known: HashSet<(LossKind, Place)>,
}

impl Losses {
    /// Adds a loss, unless one of this kind is known at this place: a component of the description can be used several
    /// times.
    pub(super) fn add(&mut self, kind: LossKind, place: &Place, message: impl Into<String>) {
        if self.known.insert((kind, place.clone())) {
            self.list.push(Loss { kind, place: place.clone(), message: message.into() });
        }
    }

    /// Returns the number of losses.
    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// Returns all losses as text, one on each line.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        for loss in &self.list {
            let line = loss.to_string().replace(['\n', '\r'], " ");
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Returns the number of losses of each kind as text, one kind on each line.
    pub(super) fn to_counts(&self) -> String {
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
