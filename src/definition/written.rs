//! The written form: what all dialects are read into, every word with its place.

use serde_json::Value as Json;

use crate::place::{Place, Placed};

/// All files of a definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// `app.json`, or the settings of a whole-API document.
    pub app: App,
    /// The modules of all files.
    pub modules: Vec<Module>,
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
    /// `contact`: `name`, `url`, `email`.
    pub contact: Option<Placed<Vec<(Placed<String>, Placed<String>)>>>,
    /// `license`: `name`, `identifier`, `url`.
    pub license: Option<Placed<Vec<(Placed<String>, Placed<String>)>>>,
    /// `servers`: `url` and `info` of each.
    pub servers: Vec<(Placed<String>, Option<Placed<String>>)>,
    /// `base`.
    pub base: Option<Placed<String>>,
    /// `envelope`.
    pub envelope: Option<Placed<String>>,
    /// `common`: parameters that every method has.
    pub common: Vec<Parameter>,
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
    /// `workers`.
    pub workers: Option<Placed<u64>>,
    /// `log`.
    pub log: Option<Placed<String>>,
}

/// A module of whatever dialect.
#[derive(Debug)]
pub struct Module {
    /// Its name: `module`, the file's stem, or the top-level key.
    pub name: Placed<String>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `envelope`.
    pub envelope: Option<Placed<String>>,
    /// Whether URIs compare without regard to case; set by the dialect or `ignore_case`.
    pub ignore_case: bool,
    /// `repeated`: `refuse` or `last`; set by the dialect or written.
    pub repeated: Option<Placed<String>>,
    /// Its URIs that have methods.
    pub services: Vec<Service>,
    /// Where its text begins.
    pub place: Place,
}

/// A URI with methods.
#[derive(Debug)]
pub struct Service {
    /// The whole path with all keys above it joined, as it is written: `/article/{id}`. The place is the innermost key's.
    pub path: Placed<String>,
    /// Its methods.
    pub methods: Vec<Method>,
}

/// A method.
#[derive(Debug)]
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
    /// `options`, by key.
    pub options: Vec<(Placed<String>, Placed<Json>)>,
    /// The whole object.
    pub place: Place,
}

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// The key as the tree dialect writes it: `{x}`, `URL#0`, `GET@x`, `HEADER@x`, `COOKIE@x`, `ANY@x`, `x`.
    pub key: Placed<String>,
    /// `name`.
    pub name: Option<Placed<String>>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// `type`, and the attributes beside it.
    pub r#type: TypeText,
    /// `default`.
    pub default: Option<Placed<Json>>,
    /// `example`.
    pub example: Option<Placed<Json>>,
    /// `message`.
    pub message: Option<Placed<String>>,
    /// The whole object.
    pub place: Place,
}

/// A type and its attributes, as written.
#[derive(Debug, Default)]
pub struct TypeText {
    /// The term with its `?`.
    pub term: Option<Placed<String>>,
    /// `min`, `max`, `regex`, `format`, `separator`, `range`, `ext`, `params`.
    pub attributes: Vec<(Placed<String>, Placed<Json>)>,
    /// `fields` of an object: members like outputs.
    pub fields: Option<Placed<Vec<Output>>>,
}

/// An output, or a field of an object.
#[derive(Debug)]
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
}

/// An error of a method's own.
#[derive(Debug)]
pub struct DeclaredError {
    /// Its key.
    pub name: Placed<String>,
    /// `status`.
    pub status: Option<Placed<u64>>,
    /// `info`.
    pub info: Option<Placed<String>>,
    /// The whole object.
    pub place: Place,
}
