//! JSON Schemas (2020-12) of definition files and test files, with which editors complete and validate these files.
//!
//! The schemas are generated from the parser's tables of keys and from the types of the settings, so that no key is
//! described twice. A schema accepts every file that the parser accepts. It rejects invalid files as far as JSON Schema
//! can describe their errors: it cannot describe duplicate keys and contradictions between parts of a file.

mod constraints;
mod known_names;
pub(crate) mod pattern;
mod table_schemas;

use serde_json::{Value as Json, json};

pub(crate) use constraints::{Word, envelope_examples, key_constraint, range_constraint, words_constraint};

pub use known_names::{KnownNames, schema_with_names};

use constraints::CONSTRAINTS_SUBJECT;
use table_schemas::{SchemaTables, named_members_schema, with_keywords};

use crate::call::HttpMethod;
use crate::definition::dialect_spec::{METHODS, RULES, TREE};
use crate::definition::keys::{APP, METHOD_LIST_ENTRY, MODULE, methods, rules};
use crate::definition::{HTTP_METHOD_NAMES, TREE_OBJECT_KEYS};
use crate::test_file::STEP;

/// The kinds of definition files that have a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaKind {
    /// Any file of a definition. The schema detects the dialect (the notation) of the file by the same rules as the
    /// parser.
    AnyFile,
    /// `app.json`, which may contain a whole API.
    Settings,
    /// A file in the dialect `tree`.
    Tree,
    /// A file in the dialect `methods`.
    Methods,
    /// A file in the dialect `rules`.
    Rules,
    /// A [test file](crate::test_file).
    Tests,
}

/// Returns the JSON Schema of a kind of definition file.
///
/// The schema is stricter than the parser in one case: the parser does not check the types and fields of common
/// parameters in the dialect `rules` if no method inherits them.
///
/// ```
/// use rulebook_model::schema::{SchemaKind, schema};
///
/// let schema = schema(SchemaKind::Settings);
/// assert_eq!(schema["title"], "The settings of an API");
/// ```
#[must_use]
pub fn schema(kind: SchemaKind) -> Json {
    let mut tables = SchemaTables::default();
    if kind != SchemaKind::Tests {
        tables.add_schema(CONSTRAINTS_SUBJECT, constraints::constraints_schema());
    }
    let (title, body) = match kind {
        SchemaKind::AnyFile => ("A definition file", any_file_schema(&mut tables)),
        SchemaKind::Settings => ("The settings of an API", settings_file_schema(&mut tables)),
        SchemaKind::Tree => ("A module in the dialect `tree`", tree_file_schema(&mut tables)),
        SchemaKind::Methods => ("Modules in the dialect `methods`", methods_file_schema(&mut tables)),
        SchemaKind::Rules => ("Classes in the dialect `rules`", rules_file_schema(&mut tables)),
        SchemaKind::Tests => ("Tests of an API", test_file_schema(&mut tables)),
    };
    let head = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title });
    let mut schema = with_keywords(head, body);
    schema["$defs"] = Json::Object(tables.schemas_by_name);
    schema
}

fn settings_file_schema(tables: &mut SchemaTables) -> Json {
    tables.reference_to_table(&APP)
}

/// Returns the schema of a file in the dialect `tree`: an API module, or a flat list of methods.
fn tree_file_schema(tables: &mut SchemaTables) -> Json {
    tables.dialect = TREE.name;
    json!({
        "if": { "type": "array" },
        "then": { "items": tables.reference_to_table(&METHOD_LIST_ENTRY) },
        "else": tables.reference_to_table(&MODULE)
    })
}

/// Returns the schema of a file in the dialect `methods`. The author of the file chooses all names at its
/// top level, so there is no table of keys for the top level.
fn methods_file_schema(tables: &mut SchemaTables) -> Json {
    tables.dialect = METHODS.name;
    let segment = pattern::PATH_SEGMENT;
    let http = pattern::alternatives(HttpMethod::ALL.map(HttpMethod::as_str));
    let method = tables.reference_to_table(&methods::METHOD);
    let module = json!({
        "type": "object",
        "patternProperties": {
            format!("^({http}){}{segment}$", methods::SEPARATOR): method,
            pattern::ignored_key(): { "not": { "type": "object" } }
        },
        "properties": tables.properties(&methods::MODULE),
        "additionalProperties": false
    });
    let module = tables.add_schema("a module of methods", module);
    let file = json!({
        "type": "object",
        "properties": { "dialect": { "enum": [METHODS.name], "description": "The dialect in which the file is written." } },
        "propertyNames": { "anyOf": [{ "pattern": format!("^{segment}$") }, { "pattern": pattern::ignored_key() }] }
    });
    tables.add_schema("a file of methods", with_keywords(file, named_members_schema(&module)))
}

/// Returns the schema of a test file: an object with the steps of each test.
fn test_file_schema(tables: &mut SchemaTables) -> Json {
    let step = tables.reference_to_table(&STEP);
    let steps = json!({ "anyOf": [step, { "type": "array", "items": step }] });
    let comments = json!({ pattern::ignored_key(): true });
    json!({ "type": "object", "patternProperties": comments, "additionalProperties": steps })
}

fn rules_file_schema(tables: &mut SchemaTables) -> Json {
    tables.dialect = RULES.name;
    tables.reference_to_table(&rules::RULES_FILE)
}

/// Returns the schema of any definition file. The schema distinguishes settings from API modules by their keys.
///
/// The parser recognizes `app.json` by its file name, which a schema cannot check. An object that could be an API
/// module or settings is therefore valid if it is valid as one of the two.
fn any_file_schema(tables: &mut SchemaTables) -> Json {
    let settings = tables.reference_to_table(&APP);
    let modules = modules_file_schema(tables);
    let modules = tables.add_schema("a file of modules", modules);
    let names: Vec<&str> = APP.iter().map(|key| key.name).collect();
    let settings_only = names.iter().copied().filter(|name| MODULE.keys.iter().all(|key| key.name != *name));
    let is_settings = json!({
        "type": "object",
        "not": { "required": ["dialect"] },
        "anyOf": [
            { "required": ["modules"] },
            schema_with_member(&pattern::one_of(settings_only), &json!({ "not": { "type": "object" } }))
        ]
    });
    let settings_names = json!({ "anyOf": [{ "enum": names }, { "pattern": pattern::ignored_key() }] });
    let is_modules = json!({ "anyOf": [{ "type": "array" }, { "not": { "propertyNames": settings_names } }] });
    let either = json!({ "anyOf": [modules, settings] });
    if_then_else(&is_settings, &settings, &if_then_else(&is_modules, &modules, &either))
}

/// Returns the schema of a file of API modules. The schema detects the dialect of the file.
fn modules_file_schema(tables: &mut SchemaTables) -> Json {
    let tree = tree_file_schema(tables);
    let tree = tables.add_schema("a tree", tree);
    let methods = methods_file_schema(tables);
    let rules = rules_file_schema(tables);
    let has_dialect = |name: &str| json!({ "properties": { "dialect": { "const": name } } });
    let dialects = [(TREE.name, &tree), (METHODS.name, &methods), (RULES.name, &rules)];
    let names_dialect = json!({ "type": "object", "required": ["dialect"] });
    let by_name = json!({
        "properties": { "dialect": { "enum": dialects.map(|(name, _)| name) } },
        "allOf": dialects.map(|(name, schema)| json!({ "if": has_dialect(name), "then": schema }))
    });
    let is_certainly_tree = json!({ "anyOf": [{ "type": "array" }, schema_with_tree_keys()] });
    let is_methods = schema_with_named_member(
        &json!({ "allOf": [{ "type": "object" }, schema_with_member(methods::SEPARATOR, &json!(true))] }),
    );
    // If the author of a `tree` file forgot the enclosing "/", a URI is at the top level. It must not be mistaken for a
    // class of the dialect `rules`.
    let uri = pattern::one_of(HTTP_METHOD_NAMES.into_iter().chain(["/"]));
    let is_uri_without_slash =
        schema_with_named_member(&json!({ "allOf": [{ "type": "object" }, schema_with_member(&uri, &json!(true))] }));
    let has_no_class = json!({ "not": schema_with_named_member(&object_or_empty_array()) });
    let is_tree = json!({ "anyOf": [is_uri_without_slash, has_no_class, schema_with_tree_method()] });
    let other = if_then_else(&is_methods, &methods, &if_then_else(&is_tree, &tree, &rules));
    if_then_else(&names_dialect, &by_name, &if_then_else(&is_certainly_tree, &tree, &other))
}

/// Returns the schema of objects that have a key which only files in the dialect `tree` have.
fn schema_with_tree_keys() -> Json {
    let module_keys: Vec<&str> = MODULE.keys.iter().map(|key| key.name).collect();
    let text_info = json!({ "type": "object", "required": ["info"], "properties": { "info": { "type": "string" } } });
    let limit =
        json!({ "type": "object", "required": ["requests"], "properties": { "requests": { "type": "number" } } });
    json!({ "anyOf": [
        schema_with_member("^/$", &json!(true)),
        schema_with_member("^rate_limit$", &limit),
        schema_with_member(&pattern::one_of_ignoring_case(HTTP_METHOD_NAMES), &text_info),
        schema_with_member("^[A-Z]*$", &text_info),
        schema_with_member("^schemas$", &json!({ "type": "object", "not": { "additionalProperties": { "not": text_info } } })),
        schema_with_member(&pattern::one_of(module_keys), &json!({ "not": { "type": "object" } }))
    ] })
}

/// Returns the schema of objects in which the value of an HTTP method, in any case, is no class of the dialect `rules`.
fn schema_with_tree_method() -> Json {
    let class = json!({ "anyOf": [
        { "type": "array" },
        {
            "patternProperties": { pattern::ignored_key(): true, "^@": true },
            "additionalProperties": object_or_empty_array(),
            "allOf": [
                schema_with_named_member(&json!(true)),
                { "not": schema_with_member(&pattern::one_of(TREE_OBJECT_KEYS), &json!(true)) }
            ]
        }
    ] });
    let is_class = json!({ "allOf": [object_or_empty_array(), class] });
    schema_with_member(&pattern::one_of_ignoring_case(HTTP_METHOD_NAMES), &json!({ "not": is_class }))
}

/// Returns the schema of the values of classes and of their methods. PHP writes an empty array as `[]`.
fn object_or_empty_array() -> Json {
    json!({ "type": ["object", "array"], "maxItems": 0 })
}

/// Returns the schema of objects with a member whose name matches `pattern` and whose value matches `value`.
fn schema_with_member(pattern: &str, value: &Json) -> Json {
    json!({ "not": { "patternProperties": { pattern: { "not": value } } } })
}

/// Returns the schema of objects with a member whose key is not ignored and whose value matches `value`.
fn schema_with_named_member(value: &Json) -> Json {
    json!({ "not": { "patternProperties": { pattern::ignored_key(): true }, "additionalProperties": { "not": value } } })
}

fn if_then_else(condition: &Json, then: &Json, otherwise: &Json) -> Json {
    json!({ "if": condition, "then": then, "else": otherwise })
}
