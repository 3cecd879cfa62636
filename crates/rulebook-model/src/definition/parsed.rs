//! The parsed definition, which contains the contents of all definition files in structures that all dialects share.
//!
//! Every value has its [`Span`], the range of the file that contains it. Values are as the author wrote them; `compile`
//! checks their meaning later.
//!
//! The parser reports an erroneous value and omits it. It marks the structure that contains the value as incomplete, so
//! that `compile` does not report consequences of the omission (`missing-info`, `unused-capture`). `compile` still
//! checks all other values of the structure. Outer structures are not marked: a parameter with an unknown key is
//! incomplete, but the parameter's method is not. A method is incomplete if one of its parameters is omitted because it
//! is not an object.

use serde_json::Value as Json;

use super::dialect_spec::DialectSpec;
use super::jsonc::{JsonMember, JsonNode};
use crate::method_options::DeclaredOptions;
use crate::span::{Span, Spanned};

/// The contents of all files of a definition.
#[derive(Debug, Default)]
pub struct Definition {
    /// The settings in `app.json`, or at the top level of a file that contains a whole API.
    pub app: AppSettings,
    /// The API modules of all files. Several entries may have the same name; together they form one API module.
    pub modules: Vec<Module>,
}

/// The settings of an API: the members of `app.json`, and of files that contain a whole API.
#[derive(Debug, Default)]
pub struct AppSettings {
    /// The settings whose values have the right kind, in the order of the text. [`crate::compile`] reads the values.
    pub(crate) settings: Vec<JsonMember>,
    /// The parameters in the setting `common`, which every method has.
    pub common: Vec<Field>,
    /// The schemas that all API modules can use.
    pub schemas: Vec<Schema>,
    /// `true` if the setting `common` is written in the dialect `rules`.
    pub has_common_rules: bool,
    /// The span of the whole file, or the default span if there is no file with settings.
    pub span: Span,
    /// `true` if settings, common parameters, or files whose methods have the common parameters were omitted because of
    /// an error.
    pub is_incomplete: bool,
}

impl AppSettings {
    pub(crate) fn value(&self, key: &str) -> Option<&JsonNode> {
        self.settings.iter().find(|member| member.key.value == key).map(|member| &member.value)
    }
}

/// An API module, or the part of an API module that one file contains.
#[derive(Debug)]
pub struct Module {
    /// The name of the API module: the value of the key `module`, the name of the file, or the key above the API
    /// module.
    pub name: Spanned<String>,
    /// The value of the key `info`, which describes the API module.
    pub info: Option<Spanned<String>>,
    /// The value of the key `envelope`, which names the structure of the API module's responses.
    pub envelope: Option<Spanned<String>>,
    /// The value of the key `ignore_case`: `true` if URIs are matched case-insensitively. The dialect `rules` sets it
    /// to `true`.
    pub ignore_case: Option<Spanned<bool>>,
    /// The value of the key `repeated`, which is `refuse` or `last`. The dialect `rules` sets it to `last`.
    pub repeated: Option<Spanned<String>>,
    /// The value of the key `rate_limit`: the limits of the number of requests to all methods that set none.
    pub rate_limit: Option<JsonNode>,
    /// The value of the key `scope`: the permissions of all methods that name none.
    pub scope: Option<JsonNode>,
    /// The schemas of the API module.
    pub schemas: Vec<Schema>,
    /// The URIs that have methods, in the order of the text. Several services may have the same path.
    pub services: Vec<Service>,
    /// The dialect in which the file is written.
    pub spec: &'static DialectSpec,
    /// `true` if an erroneous value of the API module itself was omitted.
    pub is_incomplete: bool,
    /// The span of the first byte of the API module, because the whole API module is too long to show in a diagnostic.
    pub span: Span,
}

impl Module {
    /// Returns an API module that sets nothing and has no services.
    pub(super) fn new(name: Spanned<String>, spec: &'static DialectSpec, span: Span) -> Self {
        let (schemas, services) = (Vec::new(), Vec::new());
        let (info, envelope, ignore_case, repeated, rate_limit, scope) = (None, None, None, None, None, None);
        Self {
            name,
            info,
            envelope,
            ignore_case,
            repeated,
            rate_limit,
            scope,
            schemas,
            services,
            spec,
            is_incomplete: false,
            span,
        }
    }
}

/// A URI that has methods.
#[derive(Debug)]
pub struct Service {
    /// The whole path, which consists of the nested keys joined by `/`: `/article/{id}`, or `/` for the root. The span
    /// of the path is the span of the innermost key; for the root, it is the span of the first method.
    pub path: Spanned<String>,
    /// The methods of the URI, one for each HTTP method.
    pub methods: Vec<Method>,
}

/// A method of a service: what the API does for one HTTP method at one URI.
#[derive(Debug, Clone)]
pub struct Method {
    /// The name of the HTTP method as the author wrote it. The parser does not check that the HTTP method exists.
    pub http_method: Spanned<String>,
    /// The value of the key `id`, which identifies the method.
    pub id: Option<Spanned<String>>,
    /// The description of the method.
    pub info: Option<Spanned<String>>,
    /// The value of the key `scope`; `None` if the method has the default of its module or of the API.
    pub scope: Option<PermissionGroups>,
    /// The parameters under the key `in`.
    pub parameters: Vec<Field>,
    /// The outputs under the key `out`.
    pub outputs: Vec<Field>,
    /// The errors under the key `errors`, which the handler may return.
    pub errors: Vec<DeclaredError>,
    /// The value of the key `constraints`: what must hold between the parameters.
    pub constraints: Option<JsonNode>,
    /// The value of the key `handler`: what handles calls of the method instead of code of the program.
    pub handler: Option<JsonNode>,
    /// The values under the key `options`.
    pub options: DeclaredOptions,
    /// The span of the whole method.
    pub span: Span,
    /// `true` if an erroneous value, permission, parameter, output or error was omitted.
    pub is_incomplete: bool,
    /// `true` if the parser reported an error in the method.
    pub has_errors: bool,
}

/// Groups of permissions. A caller needs all permissions of at least one group.
pub type PermissionGroups = Vec<Spanned<Vec<Spanned<String>>>>;

/// A parameter of a method, an output of a method, or a field of an object.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// The key. That of an output or a field is its name. That of a parameter determines the part of the request that
    /// contains the value: `{x}`, `URL#0`, `GET@x`, `HEADER@x`, `COOKIE@x`, `ANY@x` or `x`. The [`DialectSpec`] of the
    /// API module has the prefix of positional parameters and the meaning of `x`.
    pub key: Spanned<String>,
    /// The value of the key `name`: the parameter's name in code, or the name of an output in programs for aicra, which
    /// only has to be unique.
    pub name: Option<Spanned<String>>,
    /// The description.
    pub info: Option<Spanned<String>>,
    /// The value of the key `header`: the header field that contains the output.
    pub header: Option<Spanned<String>>,
    /// The value of the key `type`, and the attributes next to this key.
    pub r#type: TypeSpec,
    /// The value of the key `optional`, in dialects whose parameters have this key instead of a `?` before the type.
    pub optional: Option<Spanned<bool>>,
    /// The value of the key `default`: the parameter's value if the request does not contain the parameter. That of an
    /// output only has to be a valid value of the type.
    pub default: Option<Spanned<Json>>,
    /// The value of the key `example`: an example of the values.
    pub example: Option<Spanned<Json>>,
    /// The value of the key `message` of a parameter: the error message for clients that send an invalid value.
    pub message: Option<Spanned<String>>,
    /// `true` if an erroneous value was omitted.
    pub is_incomplete: bool,
}

/// The name and the value of a type's attribute.
pub type Attribute = (Spanned<String>, Spanned<Json>);

/// A type with its attributes, as the author wrote them.
#[derive(Debug, Clone, Default)]
pub struct TypeSpec {
    /// The term that denotes the type, such as `?int`, with the `?` of an optional parameter or output.
    pub term: Option<Spanned<String>>,
    /// The attributes next to the key `type`: `min`, `max`, `regex`, `items`, ….
    pub attributes: Vec<Attribute>,
    /// The attributes in `items` by their paths (such as `items.max`), and the entries of constraints
    /// (`constraints[0]`), which diagnostics use to find their spans.
    pub parts: Vec<Attribute>,
    /// The types in the attributes `of` and `keys`, also in those of `items`.
    pub nested: Vec<NestedType>,
    /// The fields under the key `fields` of an object type.
    pub fields: Option<Spanned<Vec<Field>>>,
}

/// A type in an attribute of another type, such as `of`.
#[derive(Debug, Clone)]
pub struct NestedType {
    /// The path of the attribute that contains the type: `of`, or `items.of` for the items of an array.
    pub attribute: String,
    /// The name of the type, if the attribute is an object: the value of the tag for which a union has this type.
    pub name: Option<String>,
    /// The type with its attributes; `None` if it has been reported and omitted.
    pub r#type: Option<TypeSpec>,
    /// The span of the type in the attribute.
    pub span: Span,
    /// `true` if an erroneous value of the type was omitted.
    pub is_incomplete: bool,
}

/// A schema: a type with a name.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The name of the schema, which is its key in the definition.
    pub name: Spanned<String>,
    /// The description of the schema.
    pub info: Option<Spanned<String>>,
    /// The value of the key `type`, and the attributes next to this key. Without this key, the type is `object`.
    pub r#type: TypeSpec,
    /// The value of the key `extends`: the names of the schemas whose fields the schema has, too.
    pub extends: Vec<Spanned<String>>,
    /// The value of the key `without`: the names of inherited fields that the schema does not have.
    pub without: Vec<Spanned<String>>,
    /// The value of the key `example`: an example of the values.
    pub example: Option<Spanned<Json>>,
    /// The whole object that declares the schema. Two files of a module can contain the same schema.
    pub source: Json,
    /// `true` if an erroneous value of the schema was omitted.
    pub is_incomplete: bool,
}

/// An error that the handler of a method may return, as the definition declares it.
#[derive(Debug, Clone)]
pub struct DeclaredError {
    /// The name of the error, which is its key in the definition.
    pub name: Spanned<String>,
    /// The value of the key `status`: the HTTP status of the error response.
    pub status: Option<Spanned<u64>>,
    /// The description of the error.
    pub info: Option<Spanned<String>>,
    /// The value of the key `number`: the number of the error in the envelope `aicra`.
    pub number: Option<Spanned<u64>>,
    /// `true` if an erroneous value of the declaration was omitted.
    pub is_incomplete: bool,
}
