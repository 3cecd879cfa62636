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
use super::jsonc::{Member, Node};
use crate::span::{Span, Spanned};

/// All files of a definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// The settings: `app.json`, or the top level of a file that holds a whole API.
    pub app: App,
    /// The modules of all files. Several entries may have the same name: together they form one module.
    pub modules: Vec<Module>,
}

/// The settings: the members of `app.json`, and of files that hold a whole API.
#[derive(Debug, Default)]
pub struct App {
    /// The settings that have a value of the right kind, in the order of the text. [`crate::compile`] reads them.
    pub(crate) settings: Vec<Member>,
    /// `common`: parameters that every method has.
    pub common: Vec<Parameter>,
    /// `true` if `common` is written in the dialect `rules`.
    pub common_rules: bool,
    /// The whole file; the default span without a file of settings.
    pub span: Span,
    /// `true` if an erroneous setting was left out, or a file of settings could not be read.
    pub incomplete: bool,
}

impl App {
    /// Returns the value of a setting, or `None` if the files do not have it.
    pub(crate) fn value(&self, key: &str) -> Option<&Node> {
        self.settings.iter().find(|member| member.key.value == key).map(|member| &member.value)
    }
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
