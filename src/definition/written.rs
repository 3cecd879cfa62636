//! The written form: what all dialects are read into, every word with its place.
//!
//! What is faulty as text is told by the reader and left out here. What it was
//! left out of is `damaged`: then nothing follows from a part that is missing
//! (no `missing-info`, no `unused-capture`), only from those that are there. The
//! damage of a part is not the damage of the whole: a parameter with an unknown
//! key is damaged and its method is not, one that is a number instead of an
//! object is not there and its method is damaged.

use serde_json::Value as Json;

use super::manner::Manner;
use crate::place::{Place, Placed};

/// All files of a definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// `app.json`, or the settings of a whole-API document.
    pub app: App,
    /// The modules of all files.
    pub modules: Vec<Module>,
}

/// Whom to ask.
#[derive(Debug, Default)]
pub struct Contact {
    /// `name`.
    pub name: Option<Placed<String>>,
    /// `url`.
    pub url: Option<Placed<String>>,
    /// `email`.
    pub email: Option<Placed<String>>,
}

/// A licence.
#[derive(Debug, Default)]
pub struct License {
    /// `name`.
    pub name: Option<Placed<String>>,
    /// `identifier`.
    pub identifier: Option<Placed<String>>,
    /// `url`.
    pub url: Option<Placed<String>>,
    /// The whole object.
    pub place: Place,
}

/// What pages of other origins may do.
#[derive(Debug, Default)]
pub struct Cors {
    /// `origins`.
    pub origins: Option<Placed<Vec<Placed<String>>>>,
    /// `credentials`.
    pub credentials: Option<Placed<bool>>,
    /// `headers`.
    pub headers: Vec<Placed<String>>,
    /// `expose`.
    pub expose: Vec<Placed<String>>,
    /// `max_age`.
    pub max_age: Option<Placed<u64>>,
    /// The whole object.
    pub place: Place,
    /// Whether a key was faulty and is left out.
    pub damaged: bool,
}

/// What `app.json` says, as far as it says it.
#[derive(Debug, Default)]
pub struct App {
    /// The whole file; the default place where there is none.
    pub place: Place,
    /// `title`.
    pub title: Option<Placed<String>>,
    /// `version`.
    pub version: Option<Placed<String>>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `contact`.
    pub contact: Option<Contact>,
    /// `license`.
    pub license: Option<License>,
    /// `servers`: `url` and `info` of each.
    pub servers: Vec<(Placed<String>, Option<Placed<String>>)>,
    /// `base`.
    pub base: Option<Placed<String>>,
    /// `envelope`.
    pub envelope: Option<Placed<String>>,
    /// `common`: parameters that every method has.
    pub common: Vec<Parameter>,
    /// Whether they are written as rules.
    pub common_rules: bool,
    /// `unknown`.
    pub unknown: Option<Placed<String>>,
    /// `timezone`.
    pub timezone: Option<Placed<String>>,
    /// `types.default`.
    pub default_types: Option<Placed<bool>>,
    /// `limits`, by key.
    pub limits: Vec<(Placed<String>, Placed<u64>)>,
    /// `unbound`.
    pub unbound: Option<Placed<String>>,
    /// `bind`.
    pub bind: Option<Placed<String>>,
    /// `data`.
    pub data: Option<Placed<String>>,
    /// `files`.
    pub files: Option<Placed<String>>,
    /// `workers`.
    pub workers: Option<Placed<u64>>,
    /// `log`.
    pub log: Option<Placed<String>>,
    /// `log_format`.
    pub log_format: Option<Placed<String>>,
    /// `options`.
    pub options: Option<Placed<String>>,
    /// `compress`.
    pub compress: Option<Placed<bool>>,
    /// `cors`.
    pub cors: Option<Cors>,
    /// `catalogue`.
    pub catalogue: Option<Placed<String>>,
    /// `formats`.
    pub formats: Option<Placed<Vec<Placed<String>>>>,
    /// `jsonp`.
    pub jsonp: Option<Placed<bool>>,
    /// `service.on`.
    pub service: Option<Placed<bool>>,
    /// `service.default`.
    pub default_service: Option<Placed<String>>,
    /// `dispatch`.
    pub dispatch: Option<Placed<bool>>,
    /// `phalapi.real_status`.
    pub real_status: Option<Placed<bool>>,
    /// `iapi.strict_status`.
    pub strict_status: Option<Placed<bool>>,
    /// Whether a setting was faulty and is left out, or a file of settings could not be read.
    pub damaged: bool,
}

/// A module of whatever dialect, or a part of one: those of one name are one module.
#[derive(Debug)]
pub struct Module {
    /// Its name: `module`, the file's stem, or the top-level key.
    pub name: Placed<String>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `envelope`.
    pub envelope: Option<Placed<String>>,
    /// `ignore_case`: whether URIs compare without regard to case; set by the dialect or written.
    pub ignore_case: Option<Placed<bool>>,
    /// `repeated`: `refuse` or `last`; set by the dialect or written.
    pub repeated: Option<Placed<String>>,
    /// Its URIs that have methods, in the order of the text. A path may stand here more than once.
    pub services: Vec<Service>,
    /// How its dialect says what is in it.
    pub manner: &'static Manner,
    /// Where its text begins.
    pub place: Place,
}

/// A URI with methods.
#[derive(Debug)]
pub struct Service {
    /// The whole path with all keys above it joined by `/`, as it is written: `/article/{id}`; of the root `/`.
    /// The place is the innermost key's, of the root the first method's.
    pub path: Placed<String>,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// A method.
#[derive(Debug, Clone)]
pub struct Method {
    /// `GET`, …, as written.
    pub http: Placed<String>,
    /// `id`.
    pub id: Option<Placed<String>>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `scope`.
    pub scope: Vec<Placed<Vec<Placed<String>>>>,
    /// `in`.
    pub parameters: Vec<Parameter>,
    /// `out`.
    pub outputs: Vec<Output>,
    /// `errors`.
    pub errors: Vec<DeclaredError>,
    /// `options`.
    pub options: Options,
    /// The whole object.
    pub place: Place,
    /// Whether a key, a permission, or a whole parameter, output or error was faulty and is left out.
    pub damaged: bool,
}

/// What a method says beside what it takes and returns.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `status`.
    pub status: Option<Placed<u64>>,
    /// `download`.
    pub download: Option<Placed<bool>>,
    /// `jsonp`.
    pub jsonp: Option<Placed<bool>>,
    /// `deprecated`.
    pub deprecated: Option<Placed<bool>>,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its key: `{x}`, `URL#0`, `GET@x`, `HEADER@x`, `COOKIE@x`, `ANY@x`, `x`. What a position begins with and where
    /// `x` stands the module's [`Manner`] says.
    pub key: Placed<String>,
    /// `name`.
    pub name: Option<Placed<String>>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `type`, and the attributes beside it.
    pub r#type: TypeText,
    /// `optional`: what `?` in front of the type says, in dialects that say it beside.
    pub optional: Option<Placed<bool>>,
    /// `default`.
    pub default: Option<Placed<Json>>,
    /// `example`.
    pub example: Option<Placed<Json>>,
    /// `message`.
    pub message: Option<Placed<String>>,
    /// The whole object.
    pub place: Place,
    /// Whether a key or a whole field was faulty and is left out.
    pub damaged: bool,
}

/// The name of an attribute and what it holds.
pub type Attribute = (Placed<String>, Placed<Json>);

/// A type and its attributes, as written.
#[derive(Debug, Clone, Default)]
pub struct TypeText {
    /// The term with its `?`.
    pub term: Option<Placed<String>>,
    /// `min`, `max`, `regex`, `format`, `separator`, `range`, `ext`, `params`, `items`.
    pub attributes: Vec<Attribute>,
    /// What `items` holds once more, for its places: each attribute by its way, `items.max`.
    pub items: Vec<Attribute>,
    /// `fields` of an object: members like outputs.
    pub fields: Option<Placed<Vec<Output>>>,
}

/// An output, or a field of an object.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its key.
    pub name: Placed<String>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `type`, and the attributes beside it.
    pub r#type: TypeText,
    /// `example`.
    pub example: Option<Placed<Json>>,
    /// The whole object.
    pub place: Place,
    /// Whether a key or a whole field was faulty and is left out.
    pub damaged: bool,
}

/// An error of a method's own.
#[derive(Debug, Clone)]
pub struct DeclaredError {
    /// Its key.
    pub name: Placed<String>,
    /// `status`.
    pub status: Option<Placed<u64>>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// The whole object.
    pub place: Place,
    /// Whether a key was faulty and is left out.
    pub damaged: bool,
}
