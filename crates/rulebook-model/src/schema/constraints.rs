//! Constraints on the values of keys in definition files, as members of JSON Schemas: allowed words, ranges and
//! patterns.
//!
//! The parser's tables of keys contain only the kind of each value, such as a string. This Rust module generates
//! further constraints from the types and constants that the compiler uses.

use std::ops::RangeInclusive;

use serde_json::{Value as Json, json};
use strum::VariantArray;

use super::pattern;
use super::table_schemas::Schema;
use crate::call::HttpMethod;
use crate::constraint::{CONSTRAINTS_KEY, ConstraintKind};
use crate::definition::dialect_spec::{DialectSpec, METHODS, RULES, TREE};
use crate::definition::keys::{self, KeyTable, methods, rules};
use crate::error::ErrorStatus;
use crate::limits;
use crate::model::{
    EnvelopeName, Idempotency, MethodOptions, RateLimit, RateLimitBy, RatePeriod, Repeated, SharedLimits,
    WhenUnavailable,
};
use crate::settings;
use crate::types::{Type, Types};

/// What the schema in [`constraints_schema`] describes, from which its name is derived.
pub(super) const CONSTRAINTS_SUBJECT: &str = "the constraints";

/// The constraint on the value of one key.
struct Constraint {
    /// The table of keys that contains the key.
    key_table: &'static KeyTable,
    key: &'static str,
    /// Returns the members that the constraint adds to the JSON Schema of the key's value.
    schema_members: fn() -> Json,
}

const fn constraint(key_table: &'static KeyTable, key: &'static str, schema_members: fn() -> Json) -> Constraint {
    Constraint { key_table, key, schema_members }
}

static CONSTRAINTS: &[Constraint] = &[
    constraint(&keys::CORS, "origins", || json!({ "minItems": 1 })),
    constraint(&keys::CORS, "headers", header_names_constraint),
    constraint(&keys::CORS, "expose", header_names_constraint),
    constraint(&keys::MODULE, "dialect", || one_of_constraint([TREE.name])),
    constraint(&keys::MODULE, "module", || json!({ "pattern": pattern::NAME_IN_CODE })),
    constraint(&keys::MODULE, "envelope", envelope_examples),
    constraint(&keys::MODULE, "repeated", words_constraint::<Repeated>),
    constraint(&keys::METHOD, "id", || json!({ "pattern": pattern::NAME_IN_CODE })),
    constraint(&keys::OPTIONS, "cost", cost_constraint),
    constraint(&methods::OPTIONS, "cost", cost_constraint),
    constraint(&rules::METHOD, "@cost", cost_constraint),
    constraint(&keys::OPTIONS, "idempotent", words_constraint::<Idempotency>),
    constraint(&methods::OPTIONS, "idempotent", words_constraint::<Idempotency>),
    constraint(&rules::METHOD, "@idempotent", words_constraint::<Idempotency>),
    constraint(&keys::RATE_LIMIT, "requests", || json!({ "minimum": 1, "maximum": RateLimit::MAX_REQUESTS })),
    constraint(&keys::RATE_LIMIT, "per", words_constraint::<RatePeriod>),
    constraint(&keys::RATE_LIMIT, "by", words_constraint::<RateLimitBy>),
    constraint(&keys::SHARED_LIMITS, "when_unavailable", words_constraint::<WhenUnavailable>),
    constraint(&keys::SHARED_LIMITS, "timeout_ms", || json!({ "minimum": 1, "maximum": SharedLimits::MAX_TIMEOUT_MS })),
    constraint(&methods::METHOD, "id", || json!({ "pattern": pattern::NAME_IN_CODE })),
    constraint(&keys::PARAMETER, "name", || json!({ "pattern": pattern::NAME_IN_CODE })),
    constraint(&methods::PARAMETER, "name", || json!({ "pattern": pattern::NAME_IN_CODE })),
    constraint(&keys::METHOD_LIST_ENTRY, "path", || json!({ "pattern": pattern::service_path() })),
    constraint(&keys::METHOD_LIST_ENTRY, "method", || one_of_constraint(HttpMethod::ALL.map(HttpMethod::as_str))),
    constraint(&keys::OPTIONS, "status", || range_constraint(&MethodOptions::STATUSES)),
    constraint(&methods::METHOD, "description", || json!({ "pattern": pattern::NOT_BLANK })),
    constraint(&methods::OPTIONS, "status", || range_constraint(&MethodOptions::STATUSES)),
    constraint(&keys::ERROR, "status", || range_constraint(&ErrorStatus::RANGE)),
    constraint(&methods::ERROR, "status", || range_constraint(&ErrorStatus::RANGE)),
    constraint(&keys::PARAMETER, "type", || type_constraint(&TREE)),
    constraint(&keys::OUTPUT, "type", || type_constraint(&TREE)),
    constraint(&keys::NESTED_TYPE, "type", || type_constraint(&TREE)),
    constraint(&methods::NESTED_TYPE, "type", || type_constraint(&METHODS)),
    constraint(&keys::SCHEMA, "type", || schema_type_constraint(&TREE)),
    constraint(&methods::SCHEMA, "type", || schema_type_constraint(&METHODS)),
    constraint(&keys::TYPE_ATTRIBUTES, CONSTRAINTS_KEY, constraints_reference),
    constraint(&keys::METHOD, CONSTRAINTS_KEY, constraints_reference),
    constraint(&methods::METHOD, CONSTRAINTS_KEY, constraints_reference),
    constraint(&rules::METHOD, "@constraints", constraints_reference),
    constraint(&keys::TYPE_ATTRIBUTES, "closed", || json!({ "type": "boolean" })),
    constraint(&keys::TYPE_ATTRIBUTES, "callback", function_name_constraint),
    constraint(&methods::PARAMETER, "type", || type_constraint(&METHODS)),
    constraint(&methods::OUTPUT, "type", || type_constraint(&METHODS)),
    constraint(&rules::RULES_FILE, "dialect", || one_of_constraint([RULES.name])),
    constraint(&rules::CLASS, "@envelope", envelope_examples),
    constraint(&rules::METHOD, "@method", http_methods_constraint),
    constraint(&rules::RULE, "type", || rule_type_constraint(rules::PARAMETER_TYPE_ALIASES)),
    constraint(&rules::RULE, "source", || {
        let names = || rules::SOURCE_PREFIXES.iter().map(|(word, _)| *word);
        json!({ "pattern": pattern::one_of_ignoring_case(names()), "examples": names().collect::<Vec<_>>() })
    }),
    constraint(&rules::RULE, "callable", function_name_constraint),
    constraint(&rules::RULE, "on_after_parse", || json!({ "minItems": 2, "maxItems": 2 })),
    constraint(&rules::RETURN_FIELD, "type", || rule_type_constraint(rules::RETURN_TYPE_ALIASES)),
];

/// Returns the members that the constraint of a key adds to the JSON Schema of the key's value, or null if the key has
/// no constraint.
pub(super) fn key_constraint(keys: &'static KeyTable, key: &str) -> Json {
    let tables = || std::iter::once(keys).chain(keys.included_tables.iter().copied());
    if std::ptr::eq(keys, &keys::APP) {
        return settings::setting_constraint(key);
    }
    if tables().any(|table| std::ptr::eq(table, &keys::LIMITS)) {
        return limit_constraint(key);
    }
    let is_of_key = |constraint: &&Constraint| {
        constraint.key == key && tables().any(|table| std::ptr::eq(table, constraint.key_table))
    };
    CONSTRAINTS.iter().find(is_of_key).map_or(Json::Null, |constraint| (constraint.schema_members)())
}

/// Returns the constraint on the member names of an object whose author chooses these names. `keys` is the table of
/// keys of each member's value. The names of outputs, fields and errors must be valid names in code; other names have
/// no constraint.
pub(super) fn member_name_constraint(keys: &'static KeyTable) -> Schema {
    let mut schema = Schema::new();
    if [&keys::SCHEMA, &methods::SCHEMA].iter().any(|table| std::ptr::eq(*table, keys)) {
        let names = json!({ "anyOf": [{ "pattern": pattern::SCHEMA_NAME }, { "pattern": pattern::ignored_key() }] });
        schema.insert("propertyNames".to_owned(), names);
    }
    if [&keys::OUTPUT, &keys::ERROR, &methods::OUTPUT, &methods::ERROR].iter().any(|table| std::ptr::eq(*table, keys)) {
        let names = json!({ "anyOf": [{ "pattern": pattern::NAME_IN_CODE }, { "pattern": pattern::ignored_key() }] });
        schema.insert("propertyNames".to_owned(), names);
    }
    schema
}

/// A type whose values are words in definitions.
pub(crate) trait Word: Copy + Into<&'static str> + VariantArray {}

impl<W: Copy + Into<&'static str> + VariantArray> Word for W {}

/// Returns the constraint that a string is one of the words of `W`.
pub(crate) fn words_constraint<W: Word>() -> Json {
    json!({ "enum": W::VARIANTS.iter().map(|word| (*word).into()).collect::<Vec<&str>>() })
}

/// Returns the constraint on a value that must be one of `words`.
pub(super) fn one_of_constraint<const N: usize>(words: [&str; N]) -> Json {
    json!({ "enum": words.as_slice() })
}

/// Returns the constraint on a number that must be in `range`.
pub(crate) fn range_constraint(range: &RangeInclusive<u16>) -> Json {
    json!({ "minimum": range.start(), "maximum": range.end() })
}

/// Returns the names of the built-in envelopes as examples. They are not the only valid names, because a program can
/// add envelopes.
pub(crate) fn envelope_examples() -> Json {
    json!({ "examples": EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) })
}

/// Returns the schema of the key `constraints`: a list of objects, each with the key of one kind of constraint.
pub(super) fn constraints_schema() -> Schema {
    let comments = json!({ pattern::ignored_key(): true });
    let names =
        |min: u32| json!({ "type": "array", "items": { "type": "string" }, "minItems": min, "uniqueItems": true });
    let mut properties = Schema::new();
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
        properties.insert(key.to_owned(), value);
    }
    properties.insert("message".to_owned(), json!({ "type": "string", "pattern": pattern::NOT_BLANK }));
    let kinds: Vec<_> = ConstraintKind::KEYS.iter().map(|(_, key)| json!({ "required": [key] })).collect();
    let mut schema = Schema::new();
    schema.insert("type".to_owned(), json!("array"));
    schema.insert(
        "items".to_owned(),
        json!({
            "type": "object",
            "properties": properties,
            "patternProperties": comments,
            "additionalProperties": false,
            "oneOf": kinds
        }),
    );
    schema
}

/// Returns a reference to the schema of the key `constraints`.
fn constraints_reference() -> Json {
    json!({ "$ref": "#/$defs/constraints" })
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
    let canonical = types.iter().map(Type::name);
    let mut names: Vec<&str> = dialect.type_aliases.iter().map(|(word, _)| *word).collect();
    for name in canonical {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    json!({ "pattern": pattern::TYPE_TERM, "examples": names })
}

/// Returns the constraint on the type of a schema, which cannot be optional.
fn schema_type_constraint(dialect: &DialectSpec) -> Json {
    let mut constraint = type_constraint(dialect);
    constraint["pattern"] = json!(pattern::SCHEMA_TERM);
    constraint
}

/// Returns the constraint on types in the dialect `rules`: their syntax. `words` are examples of type names.
fn rule_type_constraint(words: rules::Aliases) -> Json {
    json!({ "pattern": pattern::TYPE_TERM, "examples": words.iter().map(|(word, _)| word).collect::<Vec<_>>() })
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

fn cost_constraint() -> Json {
    json!({ "minimum": 1, "maximum": RateLimit::MAX_COST })
}
