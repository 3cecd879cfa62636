//! The keys, type names and formats that people write from other frameworks, from OpenAPI and from JSON Schema, and
//! what to write instead. The diagnostics for unknown keys, unknown types and attributes use these tables.

use crate::definition::{JsonData, JsonMember, JsonMembers, JsonNode};

/// Names of other frameworks and specifications, each with a name of this dialect and the help text of the diagnostic.
/// A help text is shown only where the name of this dialect exists. Case and underscores in a foreign name are ignored.
pub type ForeignNames = &'static [(&'static str, &'static str, &'static str)];

const NOT_REQUIRED: &str = "remove it: a value is required unless its type begins with `?` or it has a `default`";
const LOWER_BOUND: &str = "write `min`, which is the smallest allowed value, length or number of items";
const UPPER_BOUND: &str = "write `max`, which is the largest allowed value, length or number of items";
const TYPE_ONLY: &str = "write the type itself: `\"type\": \"string(1,20)\"`";
const UNION: &str = "write `\"type\": \"union\"`, with the types in `of`";
const NO_KEYWORD: &str = "remove it: the handler checks what no type can say, or a type of the program";
const OUTPUTS: &str =
    "write `out` for the outputs, `errors` for the errors, and `\"options\": {\"status\": 201}` for another status";
const SCOPE: &str = "write `scope`, a list of groups of permissions: `[[\"editor\"]]`";
const SCHEMAS: &str = "write `schemas`, with the name of each schema";
const BY_MODULE: &str = "remove it: documents list methods by their module, which is a file of the definition";
const DOCUMENT: &str = "this is not a definition; `rulebook import` converts an OpenAPI description to one";
const BIND: &str = "write `\"bind\": \"127.0.0.1:8080\"`";

/// The keys of other frameworks, of OpenAPI and of JSON Schema.
pub static FOREIGN_KEYS: ForeignNames = &[
    ("apiCommonRules", "common", "write `common`: the rules in it apply to all methods"),
    (
        "service_whitelist",
        "common",
        "remove it: a method without `@scope` is public, and its rules replace common rules of the same name",
    ),
    ("description", "info", "write `info`"),
    ("desc", "info", "write `info`"),
    ("summary", "info", "write `info`"),
    ("summary", "description", "write `description`"),
    ("permissions", "scope", "write `scope`, a list of groups of permissions"),
    ("parameters", "in", "write `in`"),
    ("output", "out", "write `out`"),
    ("optional", "type", NOT_REQUIRED),
    ("require", "type", NOT_REQUIRED),
    ("required", "require", "write `require`"),
    ("required", "optional", "write `optional`: a parameter is required unless it is true"),
    ("required", "type", NOT_REQUIRED),
    ("nullable", "optional", "write `\"optional\": true`"),
    ("nullable", "type", NOT_REQUIRED),
    ("source", "type", "write the part of the request before the key: `GET@x`, `HEADER@x` or `COOKIE@x`"),
    ("on_after_parse", "after", "write `after`, a list of functions"),
    ("info", "description", "write `description`"),
    ("info", "desc", "write `desc`"),
    ("scope", "permissions", "write `permissions`"),
    ("in", "parameters", "write `parameters`"),
    ("out", "output", "write `output`"),
    // Keywords of JSON Schema, where a type is written.
    ("minimum", "min", LOWER_BOUND),
    ("minLength", "min", LOWER_BOUND),
    ("minItems", "min", LOWER_BOUND),
    ("minProperties", "min", LOWER_BOUND),
    ("exclusiveMinimum", "min", LOWER_BOUND),
    ("maximum", "max", UPPER_BOUND),
    ("maxLength", "max", UPPER_BOUND),
    ("maxItems", "max", UPPER_BOUND),
    ("maxProperties", "max", UPPER_BOUND),
    ("exclusiveMaximum", "max", UPPER_BOUND),
    ("pattern", "regex", "write `regex`"),
    ("enum", "range", "write `\"type\": \"enum\"` with the values in `range`"),
    ("const", "value", "write `\"type\": \"const\"` with `value`"),
    ("examples", "example", "write `example`, with one value"),
    ("properties", "fields", "write `fields`"),
    ("additionalProperties", "closed", "write `\"closed\": true` to allow no others, or the type `map<string>`"),
    ("oneOf", "of", UNION),
    ("anyOf", "of", UNION),
    ("allOf", "extends", "write `extends`, a list of names of schemas"),
    ("allOf", "type", "name a schema that has `extends` as the type"),
    ("discriminator", "tag", "write `tag`, the name of the member"),
    ("$ref", "type", "write the name of the schema as the type: `\"type\": \"Article\"`"),
    ("type", "items", "write the type of the items in the type of the array: `array<string>`"),
    ("schema", "type", TYPE_ONLY),
    ("content", "type", TYPE_ONLY),
    ("in", "type", "write the part of the request before the key: `GET@x`, `HEADER@x` or `COOKIE@x`"),
    ("multipleOf", "type", NO_KEYWORD),
    ("uniqueItems", "type", NO_KEYWORD),
    ("not", "type", NO_KEYWORD),
    ("title", "type", "remove it: the documents show `info`"),
    ("deprecated", "type", "remove it, and say so in `info`: only methods can be deprecated"),
    ("readOnly", "type", "remove it: a value that clients only get is in `out`, and not in `in`"),
    ("writeOnly", "type", "remove it: a value that clients only send is in `in`, and not in `out`"),
    ("style", "type", "remove it: the type determines how a value is written in a request"),
    ("explode", "type", "remove it: the type determines how a value is written in a request"),
    // Keywords of OpenAPI, in methods.
    ("operationId", "id", "write `id`"),
    ("requestBody", "in", "write `in`: a parameter whose key has no prefix is in the body"),
    ("requestBody", "parameters", "write `parameters`: a parameter whose key has no prefix is in the body"),
    ("body", "in", "write `in`: a parameter whose key has no prefix is in the body"),
    ("query", "in", "write `in`, with `GET@` before the name of a parameter"),
    ("responses", "out", OUTPUTS),
    ("responses", "output", "write `output` for the outputs, and `errors` for the errors"),
    ("returns", "out", "write `out`"),
    ("security", "permissions", "write `permissions`"),
    ("security", "auth", "write `auth` for the credentials, and `scope` in each method for the permissions"),
    ("security", "scope", SCOPE),
    ("roles", "scope", SCOPE),
    ("sql", "handler", "write it in `handler`: `\"handler\": {\"sql\": \"…\"}`"),
    ("tags", "handler", BY_MODULE),
    // Keywords of OpenAPI, at the top of a file.
    ("openapi", "module", DOCUMENT),
    ("openapi", "title", DOCUMENT),
    ("swagger", "module", DOCUMENT),
    ("swagger", "title", DOCUMENT),
    ("paths", "modules", "write a file for each module, with its paths under `\"/\"`"),
    ("components", "schemas", SCHEMAS),
    ("definitions", "schemas", SCHEMAS),
    ("$defs", "schemas", SCHEMAS),
    ("securitySchemes", "auth", "write `auth`"),
    ("securityDefinitions", "auth", "write `auth`"),
    ("tags", "title", BY_MODULE),
    ("basePath", "base", "write `base`"),
    ("host", "bind", BIND),
    ("port", "bind", BIND),
    ("listen", "bind", BIND),
    ("name", "title", "write `title`"),
    ("database", "handlers", "write `\"handlers\": {\"sql\": {\"url\": \"sqlite:data.db\"}}`"),
];

/// The type names of other frameworks.
pub static FOREIGN_TYPES: ForeignNames = &[
    ("number", "int", "write `int` for integers, or `float` for all numbers"),
    ("decimal", "string", "write `decimal(10,2)`"),
    ("money", "string", "write `decimal(10,2)`"),
    ("boolean", "bool", "write `bool`"),
    ("integer", "int", "write `int`"),
    ("bigint", "int", "write `int`"),
    ("long", "int", "write `int`"),
    ("double", "float", "write `float`"),
    ("text", "string", "write `string`"),
    ("str", "string", "write `string`"),
    ("char", "string", "write `string`"),
    ("email", "mail", "write `mail`"),
    ("uri", "url", "write `url`"),
    ("timestamp", "datetime", "write `datetime`"),
    ("list", "array", "write `array<string>`"),
    ("dict", "map", "write `map<string>`, or `object` with `fields`"),
    ("json", "any", "write `any`"),
    ("binary", "file", "write `file`"),
    ("mixed", "any", "write `any`"),
    ("fixed", "any", "write `any`"),
];

/// The values of `format` in OpenAPI and JSON Schema, each with a type of this dialect.
static FOREIGN_FORMATS: &[(&str, &str)] = &[
    ("date", "date"),
    ("date-time", "datetime"),
    ("time", "time"),
    ("email", "mail"),
    ("uuid", "uuid"),
    ("uri", "url"),
    ("url", "url"),
    ("ipv4", "ip"),
    ("ipv6", "ip"),
    ("binary", "file"),
    ("int32", "int(-2147483648,2147483647)"),
    ("int64", "int"),
    ("uint64", "uint"),
    ("float", "float"),
    ("double", "float"),
    ("decimal", "decimal(10,2)"),
];

/// Returns the help text for a name of another framework, or `None` if `names` does not contain the name. `exists`
/// returns `true` if a name can be written at this place.
pub fn help_for_foreign_name(
    names: ForeignNames,
    name: &str,
    mut exists: impl FnMut(&str) -> bool,
) -> Option<&'static str> {
    let letters = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let name = letters(name);
    let mut entries = names.iter().filter(|(foreign, ..)| letters(foreign) == name);
    entries.find(|(_, replacement, _)| exists(replacement)).map(|(.., help)| *help)
}

/// Returns the help text for an unknown key of an object: for a name in [`FOREIGN_KEYS`], what to write instead, with
/// the type and the values that are written beside it. `exists` returns `true` if the object can have a key.
pub(crate) fn help_for_foreign_key(
    member: &JsonMember,
    object: &JsonMembers,
    exists: impl Fn(&str) -> bool,
) -> Option<String> {
    let help = help_for_foreign_name(FOREIGN_KEYS, &member.key.value, &exists)?;
    let text = |key: &str| object.list.iter().find(|member| member.key.value == key)?.value.string();
    let term = text("type").map_or_else(|| "string".to_owned(), |text| text.value);
    let value = &member.value;
    let key = member.key.value.to_ascii_lowercase();
    let means_optional = match key.as_str() {
        "required" | "require" => value.bool().is_some_and(|required| !required.value),
        "optional" | "nullable" => value.bool().is_some_and(|optional| optional.value),
        _ => false,
    };
    let specific = match key.as_str() {
        _ if means_optional && exists("optional") => Some("write `\"optional\": true`".to_owned()),
        _ if means_optional && !exists("require") => Some(format!("write `\"type\": \"?{}\"`", written(&term))),
        "enum" => enum_term(value).map(|values| {
            let optional = if term.starts_with('?') { "?" } else { "" };
            format!("write `\"type\": \"{optional}{values}\"`")
        }),
        "type" => value.string().map(|item| {
            format!("write the type of the items in the type of the array: `array<{}>`", written(&item.value))
        }),
        "$ref" => value.string().and_then(|reference| {
            let name = reference.value.rsplit('/').next().filter(|name| !name.is_empty())?.to_owned();
            Some(format!("write the name of the schema as the type: `\"type\": \"{}\"`", written(&name)))
        }),
        _ => None,
    };
    Some(specific.unwrap_or_else(|| help.to_owned()))
}

/// Returns a term as part of a help text: without `?`, control characters, and what exceeds a line.
fn written(term: &str) -> String {
    term.trim_start_matches('?').chars().take(60).flat_map(char::escape_debug).collect()
}

/// Returns the type with these values; `None` if one of them cannot be written as a word.
fn enum_term(values: &JsonNode) -> Option<String> {
    const MAX_VALUES: usize = 12;
    let is_word =
        |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let JsonData::Array(items) = &values.data else { return None };
    let words: Option<Vec<String>> =
        items.iter().map(|item| item.string().map(|text| text.value).filter(is_word)).collect();
    let words = words.filter(|words| (1..=MAX_VALUES).contains(&words.len()))?;
    Some(format!("enum({})", words.join("|")))
}

/// Returns what to write instead of a `format` of OpenAPI or JSON Schema.
pub(crate) fn help_for_foreign_format(format: &str) -> Option<String> {
    let (_, name) = FOREIGN_FORMATS.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(format))?;
    Some(format!("write `\"type\": \"{name}\"`"))
}

/// Returns what to write instead of a value of the wrong kind, as OpenAPI and JSON Schema have it under this key.
pub(crate) fn help_for_foreign_value(key: &str, value: &JsonNode) -> Option<String> {
    let help = match (key, &value.data) {
        ("type", JsonData::Array(items)) => {
            let names: Vec<_> = items.iter().filter_map(JsonNode::string).map(|name| name.value).collect();
            let others: Vec<_> = names.iter().filter(|name| *name != "null").collect();
            match others[..] {
                [name] if names.len() > 1 => return Some(format!("write `\"?{}\"`", written(name))),
                [name] => return Some(format!("write `\"{}\"`", written(name))),
                _ => "write `\"union\"`, with the types in `of`",
            }
        }
        ("info", JsonData::Object(_)) => "write `title`, `version` and `info` side by side, without an object",
        ("license", JsonData::String(_)) => "write `{\"name\": \"…\"}`",
        ("cors", JsonData::Bool(true)) => "write `{\"origins\": [\"*\"]}`",
        ("scope", JsonData::String(_)) => "write a list of groups of permissions: `[[\"editor\"]]`",
        ("in" | "parameters", JsonData::Array(_)) => "write an object, with the name of each parameter as its key",
        ("out" | "output", JsonData::Array(_)) => "write an object, with the name of each output as its key",
        ("errors", JsonData::Array(_)) => "write an object, with the name of each error as its key",
        _ => return None,
    };
    Some(help.to_owned())
}
