//! JSON Schemas (2020-12) of definition files and test files, with which editors complete and validate these files.
//!
//! The schemas are generated from the parser's tables of keys and from the types of the settings, so that no key is
//! described twice. A schema accepts every file that the parser accepts. It rejects invalid files as far as JSON Schema
//! can describe their errors: it cannot describe duplicate keys and contradictions between parts of a file.

pub(crate) mod pattern;

use std::ops::RangeInclusive;

use serde_json::{Map, Value as Json, json};
use strum::VariantArray;

use crate::call::HttpMethod;
use crate::constraint::{CONSTRAINTS_KEY, ConstraintKind};
use crate::definition::dialect_spec::{DialectSpec, METHODS, RULES, TREE};
use crate::definition::keys::{APP, JsonKind, KeySpec, KeyTable, METHOD_LIST_ENTRY, MODULE, PARAMETER, methods, rules};
use crate::definition::{HTTP_METHOD_NAMES, TREE_OBJECT_KEYS, keys};
use crate::error::ErrorStatus;
use crate::method_options::OPTIONS_OF_RULES;
use crate::model::{
    DEFAULT_HANDLER, EnvelopeName, Idempotency, MethodOptions, RateLimit, RateLimitBy, RatePeriod, Repeated,
    SharedLimits, WhenUnavailable,
};
use crate::test_file::STEP;
use crate::types::{Type, Types, datetime_pattern};
use crate::{byte_size, limits, settings};

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
        tables.add_schema(CONSTRAINTS_SUBJECT, constraints_schema());
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

/// An API module, or a flat list of methods.
fn tree_file_schema(tables: &mut SchemaTables) -> Json {
    tables.dialect = TREE.name;
    json!({
        "if": { "type": "array" },
        "then": { "items": tables.reference_to_table(&METHOD_LIST_ENTRY) },
        "else": tables.reference_to_table(&MODULE)
    })
}

/// The author of the file chooses all names at its top level, so there is no table of keys for the top level.
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

/// The schema detects the dialect of the file.
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

/// The schemas in `$defs`, where each schema has a name.
#[derive(Default)]
struct SchemaTables {
    /// The tables of keys that already have a schema, with the name of each schema.
    names_by_table: Vec<(&'static KeyTable, String)>,
    /// The dialect of the schemas that are added next, which distinguishes schemas with the same name.
    dialect: &'static str,
    schemas_by_name: Map<String, Json>,
}

impl SchemaTables {
    /// Returns a reference to the schema of objects with these keys. If the table has no schema, adds its schema.
    fn reference_to_table(&mut self, keys: &'static KeyTable) -> Json {
        if let Some((_, name)) = self.names_by_table.iter().find(|(table, _)| std::ptr::eq(*table, keys)) {
            return schema_reference(name);
        }
        let name = self.unused_schema_name(keys.subject);
        self.names_by_table.push((keys, name.clone()));
        // Tables can refer to each other, so the name is reserved before the schema of this table is generated.
        self.schemas_by_name.insert(name.clone(), Json::Null);
        let schema = self.object_schema(keys);
        let reference = schema_reference(&name);
        self.schemas_by_name.insert(name, schema);
        reference
    }

    /// The name of the schema is made of `noun_phrase`.
    fn add_schema(&mut self, noun_phrase: &str, schema: Json) -> Json {
        let name = self.unused_schema_name(noun_phrase);
        let reference = schema_reference(&name);
        self.schemas_by_name.insert(name, schema);
        reference
    }

    /// Returns a name that no schema has. It consists of the words of `noun_phrase` without the article.
    fn unused_schema_name(&self, noun_phrase: &str) -> String {
        let noun = noun_phrase.split_once(' ').map_or(noun_phrase, |(_, noun)| noun);
        let words = noun.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let plain = words.collect::<Vec<_>>().join("_");
        let with_dialect = format!("{plain}_in_{}", self.dialect);
        let numbered = (2..).map(|n| format!("{with_dialect}_{n}"));
        let free = |name: &String| !self.schemas_by_name.contains_key(name);
        [plain.clone(), with_dialect.clone()].into_iter().chain(numbered).find(free).unwrap_or(plain)
    }

    fn properties(&mut self, keys: &'static KeyTable) -> Json {
        keys.iter().map(|key| (key.name.to_owned(), self.value_schema(keys, key))).collect()
    }

    fn object_schema(&mut self, keys: &'static KeyTable) -> Json {
        let mut schema = json!({ "type": "object" });
        if keys.allows_empty_array {
            schema = json!({ "type": ["object", "array"], "maxItems": 0 });
        }
        schema["properties"] = self.properties(keys);
        let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        let Some(names) = keys.named_member_table else {
            schema["patternProperties"] = json!({ pattern::ignored_key(): true });
            schema["additionalProperties"] = json!(false);
            return schema;
        };
        let known: Vec<_> = keys.iter().map(|key| key.name).filter(|name| name.starts_with('@')).collect();
        let name = json!({ "not": { "pattern": "^@" } });
        // Some JSON Schema validators reject an empty `enum`.
        let either = if known.is_empty() { name } else { json!({ "anyOf": [name, { "enum": known }] }) };
        schema["propertyNames"] = either;
        with_keywords(schema, named_members_schema(&self.reference_to_table(names)))
    }

    /// Returns the schema of a type: a term, or an object with these keys.
    fn type_schema(&mut self, keys: &'static KeyTable) -> Json {
        let object = self.reference_to_table(keys);
        let term = format!("{}/properties/type", object["$ref"].as_str().unwrap_or_default());
        json!({ "if": { "type": "string" }, "then": { "$ref": term }, "else": object })
    }

    fn value_schema(&mut self, keys: &'static KeyTable, key: &KeySpec) -> Json {
        let text = || json!({ "type": "string" });
        let texts = || json!({ "type": "array", "items": text() });
        let moment = || json!({ "type": "string", "pattern": datetime_pattern() });
        let mut schema = match key.kind {
            JsonKind::String if key.is_required => json!({ "type": "string", "pattern": pattern::NOT_BLANK }),
            JsonKind::String => text(),
            JsonKind::Bool => json!({ "type": "boolean" }),
            JsonKind::BoolOrString => json!({ "enum": [true, false, "true", "false"] }),
            JsonKind::Integer => json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
            JsonKind::IntegerOrIntegers => json!({ "type": ["integer", "array"], "items": { "type": "integer" } }),
            JsonKind::ByteSize => json!({
                "type": ["integer", "string"], "minimum": 0, "maximum": u64::MAX, "pattern": byte_size::PATTERN
            }),
            JsonKind::Moment => moment(),
            JsonKind::BoolOrMoment => json!({ "anyOf": [{ "enum": [true, false, "true", "false"] }, moment()] }),
            JsonKind::Any => json!({}),
            JsonKind::AnyObject => json!({ "type": "object" }),
            JsonKind::Strings => texts(),
            JsonKind::StringOrStrings => json!({ "type": ["string", "array"], "items": text() }),
            JsonKind::Scope => permission_groups_schema(false),
            JsonKind::Permissions => permission_groups_schema(true),
            JsonKind::Object(inner) => self.reference_to_table(inner),
            JsonKind::Objects(inner) => json!({ "type": "array", "items": self.reference_to_table(inner) }),
            JsonKind::ObjectOrObjects(inner) => {
                let object = self.reference_to_table(inner);
                json!({ "anyOf": [object, { "type": "array", "items": object }] })
            }
            JsonKind::ObjectsByName(inner) => {
                let members = named_members_schema(&self.reference_to_table(inner));
                let members = with_keywords(json!({ "type": "object" }), members);
                with_keywords(members, member_name_constraint(inner))
            }
            JsonKind::ObjectsByNameOrStrings(inner) => {
                let mut schema = named_members_schema(&self.reference_to_table(inner));
                schema["type"] = json!(["object", "array"]);
                schema["items"] = json!({ "type": "string", "pattern": pattern::TWO_WORDS });
                schema
            }
            JsonKind::Type(inner) => self.type_schema(inner),
            JsonKind::Types(inner) => {
                let r#type = self.type_schema(inner);
                let mut schema = named_members_schema(&r#type);
                schema["type"] = json!(["array", "object"]);
                schema["items"] = r#type;
                schema
            }
            JsonKind::CommonParameters => {
                let rules = self.reference_to_table(&rules::COMMON_RULES);
                json!({
                    "type": ["object", "array"],
                    "maxItems": 0,
                    "if": { "anyOf": [
                        { "not": { "additionalProperties": { "not": { "type": "object", "required": ["info"] } } } },
                        { "not": { "propertyNames": { "not": { "pattern": pattern::prefixed_parameter_key() } } } }
                    ] },
                    "then": named_members_schema(&self.reference_to_table(&PARAMETER)),
                    "else": rules
                })
            }
        };
        schema["description"] = json!(key.description);
        let mut schema = with_keywords(schema, key_constraint(keys, key.name));
        allow_variables(keys, &mut schema);
        schema
    }
}

/// If `allows_strings` is `true`, an item of the list can also be a string, which means a group of one permission. An
/// empty group, which requires no permission, must be the only group.
fn permission_groups_schema(allows_strings: bool) -> Json {
    let mut group = json!({ "type": "array", "items": permission_schema() });
    if allows_strings {
        group = json!({ "if": { "type": "string" }, "then": permission_schema(), "else": group });
    }
    json!({ "type": "array", "items": group, "anyOf": [{ "maxItems": 1 }, { "items": { "minItems": 1 } }] })
}

fn permission_schema() -> Json {
    json!({ "type": "string", "pattern": pattern::PERMISSION, "allOf": [{ "pattern": pattern::NOT_BLANK }] })
}

fn schema_reference(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// Returns the schema of objects whose author chooses the names of the members. A member whose name begins like a
/// comment must match `value` only if its value is an object; otherwise the parser ignores it.
fn named_members_schema(value: &Json) -> Json {
    let ignored_or_value = json!({ "if": { "type": "object" }, "then": value });
    json!({ "patternProperties": { pattern::ignored_key(): ignored_or_value }, "additionalProperties": value })
}

fn with_keywords(mut schema: Json, other: Json) -> Json {
    if let (Json::Object(keywords), Json::Object(others)) = (&mut schema, other) {
        keywords.extend(others);
    }
    schema
}

// Constraints on the values of keys: allowed words, ranges and patterns. The parser's tables of keys contain only the
// kind of each value, such as a string. The constraints come from the types and constants that the compiler uses.

/// What the schema in [`constraints_schema`] describes, from which its name is derived.
const CONSTRAINTS_SUBJECT: &str = "the constraints";

/// A table of keys, a key in it, and a function that returns the keywords for the schema of the key's value.
type KeyConstraint = (&'static KeyTable, &'static str, fn() -> Json);

static CONSTRAINTS: &[KeyConstraint] = &[
    (&keys::CORS, "origins", || json!({ "minItems": 1 })),
    (&keys::CORS, "headers", header_names_constraint),
    (&keys::CORS, "expose", header_names_constraint),
    (&keys::MODULE, "dialect", || one_of_constraint([TREE.name])),
    (&keys::MODULE, "module", || json!({ "pattern": pattern::NAME_IN_CODE })),
    (&keys::MODULE, "envelope", envelope_examples),
    (&keys::MODULE, "repeated", words_constraint::<Repeated>),
    (&keys::METHOD, "id", || json!({ "pattern": pattern::NAME_IN_CODE })),
    (&keys::RATE_LIMIT, "requests", || json!({ "minimum": 1, "maximum": RateLimit::MAX_REQUESTS })),
    (&keys::RATE_LIMIT, "per", words_constraint::<RatePeriod>),
    (&keys::RATE_LIMIT, "by", words_constraint::<RateLimitBy>),
    (&keys::SHARED_LIMITS, "when_unavailable", words_constraint::<WhenUnavailable>),
    (&keys::SHARED_LIMITS, "timeout_ms", || json!({ "minimum": 1, "maximum": SharedLimits::MAX_TIMEOUT_MS })),
    (&methods::METHOD, "id", || json!({ "pattern": pattern::NAME_IN_CODE })),
    (&keys::PARAMETER, "name", || json!({ "pattern": pattern::NAME_IN_CODE })),
    (&methods::PARAMETER, "name", || json!({ "pattern": pattern::NAME_IN_CODE })),
    (&keys::METHOD_LIST_ENTRY, "path", || json!({ "pattern": pattern::service_path() })),
    (&keys::METHOD_LIST_ENTRY, "method", || one_of_constraint(HttpMethod::ALL.map(HttpMethod::as_str))),
    (&methods::METHOD, "description", || json!({ "pattern": pattern::NOT_BLANK })),
    (&keys::ERROR, "status", || range_constraint(&ErrorStatus::RANGE)),
    (&methods::ERROR, "status", || range_constraint(&ErrorStatus::RANGE)),
    (&keys::PARAMETER, "type", || type_constraint(&TREE)),
    (&keys::OUTPUT, "type", || type_constraint(&TREE)),
    (&keys::FIELD, "type", || type_constraint(&TREE)),
    (&keys::HEADER_KEY, "header", || json!({ "pattern": pattern::HTTP_TOKEN })),
    (&keys::NESTED_TYPE, "type", || type_constraint(&TREE)),
    (&methods::NESTED_TYPE, "type", || type_constraint(&METHODS)),
    (&keys::SCHEMA, "type", || schema_type_constraint(&TREE)),
    (&methods::SCHEMA, "type", || schema_type_constraint(&METHODS)),
    (&keys::TYPE_ATTRIBUTES, CONSTRAINTS_KEY, constraints_reference),
    (&keys::METHOD, CONSTRAINTS_KEY, constraints_reference),
    (&methods::METHOD, CONSTRAINTS_KEY, constraints_reference),
    (&rules::METHOD, "@constraints", constraints_reference),
    (&keys::TYPE_ATTRIBUTES, "closed", || json!({ "type": "boolean" })),
    (&keys::TYPE_ATTRIBUTES, "callback", function_name_constraint),
    (&methods::PARAMETER, "type", || type_constraint(&METHODS)),
    (&methods::OUTPUT, "type", || type_constraint(&METHODS)),
    (&methods::FIELD, "type", || type_constraint(&METHODS)),
    (&rules::RULES_FILE, "dialect", || one_of_constraint([RULES.name])),
    (&rules::CLASS, "@envelope", envelope_examples),
    (&methods::MODULE, "envelope", envelope_examples),
    (&rules::METHOD, "@method", http_methods_constraint),
    (&rules::RULE, "type", || rule_type_constraint(rules::PARAMETER_TYPE_ALIASES)),
    (&rules::RULE, "source", || {
        let names = || rules::SOURCE_PREFIXES.iter().map(|(word, _)| *word);
        json!({ "pattern": pattern::one_of_ignoring_case(names()), "examples": names().collect::<Vec<_>>() })
    }),
    (&rules::RULE, "callable", function_name_constraint),
    (&rules::RULE, "on_after_parse", || json!({ "minItems": 2, "maxItems": 2 })),
    (&rules::RETURN_FIELD, "type", || rule_type_constraint(rules::RETURN_TYPE_ALIASES)),
];

/// Returns the keywords that the constraint of a key adds to the schema of its value; null if it has no constraint.
pub(crate) fn key_constraint(keys: &'static KeyTable, key: &str) -> Json {
    let tables = || std::iter::once(keys).chain(keys.included_tables.iter().copied());
    if std::ptr::eq(keys, &keys::APP) {
        return settings::setting_constraint(key);
    }
    if tables().any(|table| std::ptr::eq(table, &keys::LIMITS)) {
        return limit_constraint(key);
    }
    let options: [&KeyTable; 3] = [&keys::OPTIONS, &methods::OPTIONS, &OPTIONS_OF_RULES];
    if tables().any(|table| is_one_of(table, &options))
        && let Some(constraint) = option_constraint(key.trim_start_matches('@'))
    {
        return constraint;
    }
    let is_of_key =
        |(table, name, _): &&KeyConstraint| *name == key && tables().any(|known| std::ptr::eq(known, *table));
    CONSTRAINTS.iter().find(is_of_key).map_or(Json::Null, |(_, _, schema_members)| schema_members())
}

fn is_one_of(keys: &KeyTable, tables: &[&KeyTable]) -> bool {
    tables.iter().any(|table| std::ptr::eq(*table, keys))
}

/// Lets a text of a setting contain environment variables instead of what its constraint requires.
fn allow_variables(keys: &'static KeyTable, schema: &mut Json) {
    let settings: [&KeyTable; 6] =
        [&keys::APP, &keys::CORS, &keys::LIMITS, &keys::RATE_LIMIT, &keys::SHARED_LIMITS, &keys::SERVICE];
    if is_one_of(keys, &settings) {
        allow_variables_in(schema);
    }
}

fn allow_variables_in(schema: &mut Json) {
    let Json::Object(members) = schema else { return };
    if let Some(items) = members.get_mut("items") {
        allow_variables_in(items);
    }
    let names = ["enum", "pattern"];
    let constraint: Map<String, Json> = names.iter().filter_map(|name| members.remove_entry(*name)).collect();
    if !constraint.is_empty() {
        members.insert("anyOf".to_owned(), json!([constraint, { "type": "string", "pattern": pattern::VARIABLE }]));
    }
}

/// Returns the constraint on the names of members that the author chooses. `keys` is the table of keys of their values.
fn member_name_constraint(keys: &'static KeyTable) -> Json {
    let named_in_code: [&KeyTable; 6] =
        [&keys::OUTPUT, &keys::FIELD, &keys::ERROR, &methods::OUTPUT, &methods::FIELD, &methods::ERROR];
    let name = if is_one_of(keys, &[&keys::SCHEMA, &methods::SCHEMA]) {
        pattern::SCHEMA_NAME
    } else if is_one_of(keys, &named_in_code) {
        pattern::NAME_IN_CODE
    } else {
        return Json::Null;
    };
    json!({ "propertyNames": { "anyOf": [{ "pattern": name }, { "pattern": pattern::ignored_key() }] } })
}

/// A type whose values are words in definitions.
pub(crate) trait Word: Copy + Into<&'static str> + VariantArray {}

impl<W: Copy + Into<&'static str> + VariantArray> Word for W {}

pub(crate) fn words_constraint<W: Word>() -> Json {
    json!({ "enum": W::VARIANTS.iter().map(|word| (*word).into()).collect::<Vec<&str>>() })
}

fn one_of_constraint<const N: usize>(words: [&str; N]) -> Json {
    json!({ "enum": words.as_slice() })
}

pub(crate) fn range_constraint(range: &RangeInclusive<u16>) -> Json {
    json!({ "minimum": range.start(), "maximum": range.end() })
}

/// Returns the constraint on the status of a success, or on the list of those among which the handler chooses.
fn statuses_constraint() -> Json {
    let range = range_constraint(&MethodOptions::STATUSES);
    let mut schema = json!({ "items": range, "minItems": 1, "uniqueItems": true });
    schema["items"]["type"] = json!("integer");
    with_keywords(schema, range)
}

/// The names are only examples, because a program can add envelopes.
pub(crate) fn envelope_examples() -> Json {
    json!({ "examples": EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) })
}

/// Returns the schema of the key `constraints`: a list of objects, each with the key of one kind of constraint.
fn constraints_schema() -> Json {
    let names =
        |min: u32| json!({ "type": "array", "items": { "type": "string" }, "minItems": min, "uniqueItems": true });
    let mut properties = json!({});
    for (kind, key) in ConstraintKind::KEYS {
        let mut value = names(2);
        match kind {
            ConstraintKind::Requires => {
                let comment_or_names = json!({ "if": { "type": "array" }, "then": names(1) });
                value = json!({
                    "type": "object",
                    "minProperties": 1,
                    "patternProperties": { pattern::ignored_key(): comment_or_names },
                    "additionalProperties": names(1)
                });
            }
            ConstraintKind::Less | ConstraintKind::LessOrEqual => value["maxItems"] = json!(2),
            _ => {}
        }
        properties[key] = value;
    }
    properties["message"] = json!({ "type": "string", "pattern": pattern::NOT_BLANK });
    let kinds: Vec<_> = ConstraintKind::KEYS.iter().map(|(_, key)| json!({ "required": [key] })).collect();
    json!({
        "type": "array",
        "items": {
            "type": "object",
            "properties": properties,
            "patternProperties": { pattern::ignored_key(): true },
            "additionalProperties": false,
            "oneOf": kinds
        }
    })
}

fn constraints_reference() -> Json {
    schema_reference("constraints")
}

/// Returns the constraint on an option of a method, which is the same in all dialects.
fn option_constraint(key: &str) -> Option<Json> {
    match key {
        "status" => Some(statuses_constraint()),
        "cost" => Some(json!({ "minimum": 1, "maximum": RateLimit::MAX_COST })),
        "idempotent" => Some(words_constraint::<Idempotency>()),
        _ => None,
    }
}

/// Returns the range and the default of a request limit. A limit of 0 is invalid, because it would reject every
/// request.
fn limit_constraint(name: &str) -> Json {
    match limits::ALL_LIMITS.iter().find(|limit| limit.key.name == name) {
        Some(limit) if limit.max == u64::MAX => json!({ "minimum": 1, "default": limit.default }),
        Some(limit) => json!({ "minimum": 1, "maximum": limit.max, "default": limit.default }),
        None => Json::Null,
    }
}

/// Returns the constraint on a list of names of header fields (RFC 9110 section 5.1).
fn header_names_constraint() -> Json {
    json!({ "items": { "type": "string", "pattern": pattern::HTTP_TOKEN } })
}

/// Returns the constraint on types in a dialect: their syntax. The names of the built-in types are only examples,
/// because a program can add types.
fn type_constraint(dialect: &DialectSpec) -> Json {
    let types = Types::builtin();
    let mut names: Vec<&str> = dialect.type_aliases.iter().map(|(word, _)| *word).collect();
    for name in types.iter().map(Type::name) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    json!({ "pattern": pattern::TYPE_TERM, "examples": names })
}

fn schema_type_constraint(dialect: &DialectSpec) -> Json {
    let mut constraint = type_constraint(dialect);
    constraint["pattern"] = json!(pattern::SCHEMA_TERM);
    constraint
}

/// Returns the constraint on types in the dialect `rules`: their syntax. `words` are examples of type names.
fn rule_type_constraint(words: rules::Aliases) -> Json {
    json!({ "pattern": pattern::RULE_TERM, "examples": words.iter().map(|(word, _)| word).collect::<Vec<_>>() })
}

/// Returns the constraint on the name of a function: a string, or an array of a class name and a method name.
fn function_name_constraint() -> Json {
    json!({ "pattern": pattern::NOT_BLANK, "minItems": 2, "maxItems": 2 })
}

/// Returns the constraint on the name of an HTTP method or an array of such names, in upper or lower case.
fn http_methods_constraint() -> Json {
    let names = HttpMethod::ALL.map(HttpMethod::as_str);
    let pattern = pattern::one_of_ignoring_case(names);
    let item = json!({ "type": "string", "pattern": pattern, "examples": names });
    json!({ "pattern": pattern, "examples": names, "items": item })
}

// Adds to a JSON Schema what only a program knows: the names of its types, and its kinds of handlers with their
// settings. With these names, an editor marks a misspelt type or setting.

/// The name of the schema of a handler in `$defs`.
const HANDLER: &str = "handler";
const HANDLER_REFERENCE: &str = "#/$defs/handler";

/// The names that definitions of a program can contain, besides the built-in ones.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    /// The types that the program adds, and the schemas of the definition.
    pub types: Vec<String>,
    /// The kinds of handlers, each with the names of its other settings.
    pub handler_kinds: Vec<(String, Vec<String>)>,
}

/// Returns the JSON Schema of a kind of definition file for a program with these names.
///
/// Unlike [`schema`], it rejects other types, unless their names begin with an uppercase letter, as those of schemas
/// do; other kinds of handlers; and settings that no kind has.
///
/// ```
/// use rulebook_model::schema::{KnownNames, SchemaKind, schema_with_names};
///
/// let names = KnownNames { types: vec!["colour".to_owned()], ..KnownNames::default() };
/// assert!(schema_with_names(SchemaKind::Tree, &names).to_string().contains("|colour|"));
/// ```
#[must_use]
pub fn schema_with_names(kind: SchemaKind, names: &KnownNames) -> Json {
    let mut schema = schema(kind);
    restrict(&mut schema, names);
    let keys = names.handler_kinds.iter().flat_map(|(kind, settings)| std::iter::once(kind).chain(settings));
    let mut handler = json!({ "type": "object" });
    add_members(&mut handler, keys.map(|key| (key.clone(), json!(true))).collect());
    schema["$defs"][HANDLER] = handler;
    schema
}

fn restrict(schema: &mut Json, names: &KnownNames) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(|item| restrict(item, names)),
        Json::Object(members) => {
            restrict_type(members, names);
            if let Some(Json::Object(properties)) = members.get_mut("properties") {
                for (key, value) in properties {
                    match key.as_str() {
                        "handler" | "@handler" => {
                            *value = json!({ "$ref": HANDLER_REFERENCE, "description": value["description"] });
                        }
                        "handlers" => add_members(value, shared_members(names)),
                        _ => {}
                    }
                }
            }
            members.values_mut().for_each(|member| restrict(member, names));
        }
        _ => {}
    }
}

/// Lists the names of types in the pattern of a type.
fn restrict_type(members: &mut Map<String, Json>, names: &KnownNames) {
    let Some(prefix) = members.get("pattern").and_then(Json::as_str).and_then(pattern::term_prefix) else { return };
    let examples = members.get("examples").and_then(Json::as_array).into_iter().flatten();
    let builtin = examples.filter_map(Json::as_str);
    let known = pattern::alternatives(builtin.chain(names.types.iter().map(String::as_str)));
    members.insert("pattern".to_owned(), json!(pattern::known_term(prefix, &known)));
}

fn add_members(schema: &mut Json, properties: Map<String, Json>) {
    if schema["type"] == "object" && schema.get("properties").is_none() {
        schema["properties"] = properties.into();
        schema["patternProperties"] = json!({ pattern::ignored_key(): true });
        schema["additionalProperties"] = json!(false);
    }
}

fn shared_members(names: &KnownNames) -> Map<String, Json> {
    let mut members: Map<String, Json> =
        names.handler_kinds.iter().map(|(kind, _)| (kind.clone(), json!({ "type": "object" }))).collect();
    members.insert(DEFAULT_HANDLER.to_owned(), json!({ "$ref": HANDLER_REFERENCE }));
    members
}
