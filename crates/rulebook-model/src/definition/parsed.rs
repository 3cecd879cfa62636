//! The parsed definition: the contents of definition files in the structures that all dialects share.
//!
//! Every value carries its [`Span`]. Values are as the author wrote them; `compile` checks their meaning.
//!
//! The parser reports an erroneous value and leaves it out. The structure that lacks it is marked `incomplete`, so that
//! `compile` does not report consequences of what is missing (`missing-info`, `unused-capture`); it still checks
//! everything that is there. Only the structure that lacks the value is marked: a parameter with an unknown key is
//! incomplete but its method is not, while a method is incomplete if one of its parameters is not an object and is
//! left out.

use serde_json::Value as Json;

use super::dialect_spec::DialectSpec;
use crate::span::{Span, Spanned};

/// All files of a definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// The settings: `app.json`, or the top level of a file that holds a whole API.
    pub app: App,
    /// The modules of all files. Modules of one name are parts of the same module.
    pub modules: Vec<Module>,
}

/// `contact` of the settings.
#[derive(Debug, Default)]
pub struct Contact {
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `url`.
    pub url: Option<Spanned<String>>,
    /// `email`.
    pub email: Option<Spanned<String>>,
}

/// `license` of the settings.
#[derive(Debug, Default)]
pub struct License {
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `identifier`.
    pub identifier: Option<Spanned<String>>,
    /// `url`.
    pub url: Option<Spanned<String>>,
    /// The whole object.
    pub span: Span,
}

/// `cors` of the settings.
#[derive(Debug, Default)]
pub struct Cors {
    /// `origins`.
    pub origins: Option<Spanned<Vec<Spanned<String>>>>,
    /// `credentials`.
    pub credentials: Option<Spanned<bool>>,
    /// `headers`.
    pub headers: Vec<Spanned<String>>,
    /// `expose`.
    pub expose: Vec<Spanned<String>>,
    /// `max_age`.
    pub max_age: Option<Spanned<u64>>,
    /// The whole object.
    pub span: Span,
    /// `true` if an erroneous value was left out.
    pub incomplete: bool,
}

/// The settings. A setting that the files do not have is `None` or empty.
#[derive(Debug, Default)]
pub struct App {
    /// The whole file; the default span without a file of settings.
    pub span: Span,
    /// `title`.
    pub title: Option<Spanned<String>>,
    /// `version`.
    pub version: Option<Spanned<String>>,
    /// `info`.
    pub info: Option<Spanned<String>>,
    /// `contact`.
    pub contact: Option<Contact>,
    /// `license`.
    pub license: Option<License>,
    /// `servers`: `url` and `info` of each.
    pub servers: Vec<(Spanned<String>, Option<Spanned<String>>)>,
    /// `base`.
    pub base: Option<Spanned<String>>,
    /// `envelope`.
    pub envelope: Option<Spanned<String>>,
    /// `common`: parameters that every method has.
    pub common: Vec<Parameter>,
    /// `true` if `common` is written in the dialect `rules`.
    pub common_rules: bool,
    /// `unknown`.
    pub unknown: Option<Spanned<String>>,
    /// `timezone`.
    pub timezone: Option<Spanned<String>>,
    /// `types.default`.
    pub default_types: Option<Spanned<bool>>,
    /// `limits`, by key.
    pub limits: Vec<(Spanned<String>, Spanned<u64>)>,
    /// `unbound`.
    pub unbound: Option<Spanned<String>>,
    /// `bind`.
    pub bind: Option<Spanned<String>>,
    /// `data`.
    pub data: Option<Spanned<String>>,
    /// `files`.
    pub files: Option<Spanned<String>>,
    /// `workers`.
    pub workers: Option<Spanned<u64>>,
    /// `log`.
    pub log: Option<Spanned<String>>,
    /// `log_format`.
    pub log_format: Option<Spanned<String>>,
    /// `options`.
    pub options: Option<Spanned<String>>,
    /// `compress`.
    pub compress: Option<Spanned<bool>>,
    /// `cors`.
    pub cors: Option<Cors>,
    /// `catalogue`.
    pub catalogue: Option<Spanned<String>>,
    /// `formats`.
    pub formats: Option<Spanned<Vec<Spanned<String>>>>,
    /// `jsonp`.
    pub jsonp: Option<Spanned<bool>>,
    /// `service.on`.
    pub service: Option<Spanned<bool>>,
    /// `service.default`.
    pub default_service: Option<Spanned<String>>,
    /// `dispatch`.
    pub dispatch: Option<Spanned<bool>>,
    /// `phalapi.real_status`.
    pub real_status: Option<Spanned<bool>>,
    /// `iapi.strict_status`.
    pub strict_status: Option<Spanned<bool>>,
    /// `true` if an erroneous setting was left out, or a file of settings could not be read.
    pub incomplete: bool,
}

/// A module, or the part of one that a file holds.
#[derive(Debug)]
pub struct Module {
    /// The key `module`, the name of the file, or the key above the module.
    pub name: Spanned<String>,
    /// `info`.
    pub info: Option<Spanned<String>>,
    /// `envelope`.
    pub envelope: Option<Spanned<String>>,
    /// `ignore_case`: `true` if URIs are matched case-insensitively. Some dialects imply it.
    pub ignore_case: Option<Spanned<bool>>,
    /// `repeated`: `refuse` or `last`. Some dialects imply it.
    pub repeated: Option<Spanned<String>>,
    /// The URIs that have methods, in the order of the text. A path may occur more than once.
    pub services: Vec<Service>,
    /// The dialect of the file.
    pub spec: &'static DialectSpec,
    /// The first byte of the module, since the whole is too long to show.
    pub span: Span,
}

/// A URI that has methods.
#[derive(Debug)]
pub struct Service {
    /// The whole path, made of the keys above it joined by `/`: `/article/{id}`, or `/` for the root. The span is that
    /// of the innermost key; for the root, that of the first method.
    pub path: Spanned<String>,
    /// The methods.
    pub methods: Vec<Method>,
}

/// A method.
#[derive(Debug, Clone)]
pub struct Method {
    /// The HTTP method, not checked yet.
    pub http: Spanned<String>,
    /// `id`.
    pub id: Option<Spanned<String>>,
    /// `info`.
    pub info: Option<Spanned<String>>,
    /// `scope`: an OR of ANDs of permissions.
    pub scope: Vec<Spanned<Vec<Spanned<String>>>>,
    /// `in`.
    pub parameters: Vec<Parameter>,
    /// `out`.
    pub outputs: Vec<Output>,
    /// `errors`.
    pub errors: Vec<DeclaredError>,
    /// `options`.
    pub options: Options,
    /// The whole object.
    pub span: Span,
    /// `true` if an erroneous value, permission, parameter, output or error was left out.
    pub incomplete: bool,
}

/// `options` of a method.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `status`.
    pub status: Option<Spanned<u64>>,
    /// `download`.
    pub download: Option<Spanned<bool>>,
    /// `jsonp`.
    pub jsonp: Option<Spanned<bool>>,
    /// `deprecated`.
    pub deprecated: Option<Spanned<bool>>,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// The key, which says where the value is sent: `{x}`, `URL#0`, `GET@x`, `HEADER@x`, `COOKIE@x`, `ANY@x` or `x`.
    /// The module's [`DialectSpec`] has the prefix of positions and the meaning of `x`.
    pub key: Spanned<String>,
    /// `name`.
    pub name: Option<Spanned<String>>,
    /// `info`.
    pub info: Option<Spanned<String>>,
    /// `type`, and the attributes next to it.
    pub r#type: TypeSpec,
    /// `optional`, in dialects that have this key instead of a `?` before the type.
    pub optional: Option<Spanned<bool>>,
    /// `default`.
    pub default: Option<Spanned<Json>>,
    /// `example`.
    pub example: Option<Spanned<Json>>,
    /// `message`.
    pub message: Option<Spanned<String>>,
    /// The whole object.
    pub span: Span,
    /// `true` if an erroneous value was left out.
    pub incomplete: bool,
}

/// The name and the value of a type's attribute.
pub type Attribute = (Spanned<String>, Spanned<Json>);

/// A type and its attributes.
#[derive(Debug, Clone, Default)]
pub struct TypeSpec {
    /// The type expression, with its `?`.
    pub term: Option<Spanned<String>>,
    /// The attributes next to `type`: `min`, `max`, `regex`, `items`, ….
    pub attributes: Vec<Attribute>,
    /// The attributes in `items`, by their paths (`items.max`), for their spans.
    pub items: Vec<Attribute>,
    /// `fields` of an object type.
    pub fields: Option<Spanned<Vec<Output>>>,
}

/// An output, or a field of an object.
#[derive(Debug, Clone)]
pub struct Output {
    /// The key.
    pub name: Spanned<String>,
    /// `info`.
    pub info: Option<Spanned<String>>,
    /// `type`, and the attributes next to it.
    pub r#type: TypeSpec,
    /// `example`.
    pub example: Option<Spanned<Json>>,
    /// The whole object.
    pub span: Span,
    /// `true` if an erroneous value was left out.
    pub incomplete: bool,
}

/// An error that the handler of a method may return.
#[derive(Debug, Clone)]
pub struct DeclaredError {
    /// The key.
    pub name: Spanned<String>,
    /// `status`.
    pub status: Option<Spanned<u64>>,
    /// `info`.
    pub info: Option<Spanned<String>>,
    /// The whole object.
    pub span: Span,
    /// `true` if an erroneous value was left out.
    pub incomplete: bool,
}
