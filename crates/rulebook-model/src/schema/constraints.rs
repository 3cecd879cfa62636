//! Constraints on the values of keys: allowed words, ranges and patterns.
//!
//! The tables of keys contain only the kind of each value. This module derives further constraints from the types that
//! the compiler uses.

use std::ops::RangeInclusive;

use serde_json::{Value as Json, json};

use super::pattern;
use super::tables::Schema;
use crate::call::HttpMethod;
use crate::definition::dialect_spec::{DialectSpec, METHODS, RULES, TREE};
use crate::definition::keys::{self, KeyTable, methods, rules};
use crate::error::ErrorStatus;
use crate::limits;
use crate::model::{EnvelopeName, MethodOptions, Repeated};
use crate::settings;
use crate::types::{Type, Types};

/// The constraint of one key.
struct Constraint {
    /// The table that the key is in.
    keys: &'static KeyTable,
    key: &'static str,
    /// Returns the members that the constraint adds to the schema of the key.
    schema: fn() -> Json,
}

const fn constraint(keys: &'static KeyTable, key: &'static str, schema: fn() -> Json) -> Constraint {
    Constraint { keys, key, schema }
}

static CONSTRAINTS: &[Constraint] = &[
    constraint(&keys::CORS, "origins", || json!({ "minItems": 1 })),
    constraint(&keys::CORS, "headers", header_names),
    constraint(&keys::CORS, "expose", header_names),
    constraint(&keys::MODULE, "dialect", || one_of([TREE.name])),
    constraint(&keys::MODULE, "module", || json!({ "pattern": pattern::NAME })),
    constraint(&keys::MODULE, "envelope", envelope_examples),
    constraint(&keys::MODULE, "repeated", || one_of(Repeated::ALL.map(Repeated::as_str))),
    constraint(&keys::METHOD, "id", || json!({ "pattern": pattern::NAME })),
    constraint(&methods::METHOD, "id", || json!({ "pattern": pattern::NAME })),
    constraint(&keys::PARAMETER, "name", || json!({ "pattern": pattern::NAME })),
    constraint(&methods::PARAMETER, "name", || json!({ "pattern": pattern::NAME })),
    constraint(&keys::METHOD_LIST_ENTRY, "path", || json!({ "pattern": pattern::path() })),
    constraint(&keys::METHOD_LIST_ENTRY, "method", || one_of(HttpMethod::ALL.map(HttpMethod::as_str))),
    constraint(&keys::OPTIONS, "status", || range_constraint(&MethodOptions::STATUSES)),
    constraint(&methods::METHOD, "description", || json!({ "pattern": pattern::NOT_BLANK })),
    constraint(&methods::OPTIONS, "status", || range_constraint(&MethodOptions::STATUSES)),
    constraint(&keys::ERROR, "status", || range_constraint(&ErrorStatus::RANGE)),
    constraint(&methods::ERROR, "status", || range_constraint(&ErrorStatus::RANGE)),
    constraint(&keys::PARAMETER, "type", || type_syntax(&TREE)),
    constraint(&keys::OUTPUT, "type", || type_syntax(&TREE)),
    constraint(&keys::TYPE_ATTRIBUTES, "callback", function_name),
    constraint(&methods::PARAMETER, "type", || type_syntax(&METHODS)),
    constraint(&methods::OUTPUT, "type", || type_syntax(&METHODS)),
    constraint(&rules::RULES_FILE, "dialect", || one_of([RULES.name])),
    constraint(&rules::CLASS, "@envelope", envelope_examples),
    constraint(&rules::METHOD, "@method", http_methods_ignoring_case),
    constraint(&rules::RULE, "type", || rule_type_syntax(rules::PARAMETER_TYPE_ALIASES)),
    constraint(&rules::RULE, "source", || {
        let names = || rules::SOURCE_PREFIXES.iter().map(|word| word.name);
        json!({ "pattern": pattern::one_of_ignoring_case(names()), "examples": names().collect::<Vec<_>>() })
    }),
    constraint(&rules::RULE, "callable", function_name),
    constraint(&rules::RULE, "on_after_parse", || json!({ "minItems": 2, "maxItems": 2 })),
    constraint(&rules::RETURN_FIELD, "type", || rule_type_syntax(rules::RETURN_TYPE_ALIASES)),
];

/// Returns the constraint of a key, as members of its schema, or null if the key has no constraint.
pub(super) fn constraint_of_key(keys: &'static KeyTable, key: &str) -> Json {
    let tables = || std::iter::once(keys).chain(keys.included_tables.iter().copied());
    if std::ptr::eq(keys, &keys::APP) {
        return settings::schema(key);
    }
    if tables().any(|table| std::ptr::eq(table, &keys::LIMITS)) {
        return limit_constraint(key);
    }
    let is_of_key =
        |constraint: &&Constraint| constraint.key == key && tables().any(|table| std::ptr::eq(table, constraint.keys));
    CONSTRAINTS.iter().find(is_of_key).map_or(Json::Null, |constraint| (constraint.schema)())
}

/// Returns the constraint on member names that the author chooses. Outputs, fields and errors are named as in code; the
/// names of other objects have no constraint.
pub(super) fn constraint_of_names(keys: &'static KeyTable) -> Schema {
    let mut schema = Schema::new();
    if [&keys::OUTPUT, &keys::ERROR, &methods::OUTPUT, &methods::ERROR].iter().any(|table| std::ptr::eq(*table, keys)) {
        let names = json!({ "anyOf": [{ "pattern": pattern::NAME }, { "pattern": pattern::ignored_key() }] });
        schema.insert("propertyNames".to_owned(), names);
    }
    schema
}

pub(crate) fn one_of<const N: usize>(words: [&str; N]) -> Json {
    json!({ "enum": words.as_slice() })
}

pub(crate) fn range_constraint(range: &RangeInclusive<u16>) -> Json {
    json!({ "minimum": range.start(), "maximum": range.end() })
}

/// Returns the built-in envelopes as examples. They are not the only valid values, because a program can add others.
pub(crate) fn envelope_examples() -> Json {
    json!({ "examples": EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) })
}

/// Returns the range and the default of a limit. A limit of 0 is invalid, because it would reject every request.
fn limit_constraint(name: &str) -> Json {
    match limits::ALL_LIMITS.iter().find(|limit| limit.key.name == name) {
        Some(limit) if limit.max == u64::MAX => json!({ "minimum": 1, "default": limit.default }),
        Some(limit) => json!({ "minimum": 1, "maximum": limit.max, "default": limit.default }),
        None => Json::Null,
    }
}

/// Returns the constraint on names of header fields (RFC 9110 section 5.1).
fn header_names() -> Json {
    json!({ "items": { "type": "string", "pattern": pattern::TOKEN } })
}

/// Returns the syntax of types in a dialect. The names of the built-in types are examples only, because a program can
/// add others.
fn type_syntax(dialect: &DialectSpec) -> Json {
    let types = Types::builtin();
    let canonical = types.iter().map(Type::name);
    let mut names: Vec<&str> = dialect.type_aliases.iter().map(|(word, _)| *word).collect();
    for name in canonical {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    json!({ "pattern": pattern::TERM, "examples": names })
}

fn rule_type_syntax(words: &[rules::Alias]) -> Json {
    json!({ "pattern": pattern::TERM, "examples": words.iter().map(|word| word.name).collect::<Vec<_>>() })
}

/// Returns the constraint on the name of a function: a text, or a list of a class and a method.
fn function_name() -> Json {
    json!({ "pattern": pattern::NOT_BLANK, "minItems": 2, "maxItems": 2 })
}

/// Returns the constraint on one or several names of HTTP methods, in any case.
fn http_methods_ignoring_case() -> Json {
    let names = HttpMethod::ALL.map(HttpMethod::as_str);
    let pattern = pattern::one_of_ignoring_case(names);
    let item = json!({ "type": "string", "pattern": pattern, "examples": names });
    json!({ "pattern": pattern, "examples": names, "items": item })
}
