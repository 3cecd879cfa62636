//! Constraints on the values of keys in definition files, as members of JSON Schemas: allowed words, ranges and
//! patterns.
//!
//! The parser's tables of keys contain only the kind of each value, such as a string. This Rust module generates
//! further constraints from the types and constants that the compiler uses.

use std::ops::RangeInclusive;

use serde_json::{Map, Value as Json, json};
use strum::VariantArray;

use super::pattern;
use super::table_schemas::with_keywords;
use crate::call::HttpMethod;
use crate::constraint::{CONSTRAINTS_KEY, ConstraintKind};
use crate::definition::dialect_spec::{DialectSpec, METHODS, RULES, TREE};
use crate::definition::keys::{self, KeyTable, methods, rules};
use crate::error::ErrorStatus;
use crate::limits;
use crate::method_options::OPTIONS_OF_RULES;
use crate::model::{
    EnvelopeName, Idempotency, MethodOptions, RateLimit, RateLimitBy, RatePeriod, Repeated, SharedLimits,
    WhenUnavailable,
};
use crate::settings;
use crate::types::{Type, Types};

/// What the schema in [`constraints_schema`] describes, from which its name is derived.
pub(super) const CONSTRAINTS_SUBJECT: &str = "the constraints";

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
    let is_option = |table: &KeyTable| {
        [&keys::OPTIONS, &methods::OPTIONS, &OPTIONS_OF_RULES].iter().any(|it| std::ptr::eq::<KeyTable>(*it, table))
    };
    if tables().any(|table| is_option(table))
        && let Some(constraint) = option_constraint(key.trim_start_matches('@'))
    {
        return constraint;
    }
    let is_of_key =
        |(table, name, _): &&KeyConstraint| *name == key && tables().any(|known| std::ptr::eq(known, *table));
    CONSTRAINTS.iter().find(is_of_key).map_or(Json::Null, |(_, _, schema_members)| schema_members())
}

/// Lets a text of a setting contain environment variables instead of what its constraint requires.
pub(super) fn allow_variables(keys: &'static KeyTable, schema: &mut Json) {
    let settings = [&keys::APP, &keys::CORS, &keys::LIMITS, &keys::RATE_LIMIT, &keys::SHARED_LIMITS, &keys::SERVICE];
    if settings.iter().any(|table| std::ptr::eq(*table, keys)) {
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
pub(super) fn member_name_constraint(keys: &'static KeyTable) -> Json {
    let is_one_of = |tables: &[&'static KeyTable]| tables.iter().any(|table| std::ptr::eq(*table, keys));
    let name = if is_one_of(&[&keys::SCHEMA, &methods::SCHEMA]) {
        pattern::SCHEMA_NAME
    } else if is_one_of(&[
        &keys::OUTPUT,
        &keys::FIELD,
        &keys::ERROR,
        &methods::OUTPUT,
        &methods::FIELD,
        &methods::ERROR,
    ]) {
        pattern::NAME_IN_CODE
    } else {
        return Json::Null;
    };
    json!({ "propertyNames": { "anyOf": [{ "pattern": name }, { "pattern": pattern::ignored_key() }] } })
}

/// A type whose values are words in definitions.
pub(crate) trait Word: Copy + Into<&'static str> + VariantArray {}

impl<W: Copy + Into<&'static str> + VariantArray> Word for W {}

/// Returns the constraint that a string is one of the words of `W`.
pub(crate) fn words_constraint<W: Word>() -> Json {
    json!({ "enum": W::VARIANTS.iter().map(|word| (*word).into()).collect::<Vec<&str>>() })
}

pub(super) fn one_of_constraint<const N: usize>(words: [&str; N]) -> Json {
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

/// Returns the names of the built-in envelopes as examples. They are not the only valid names, because a program can
/// add envelopes.
pub(crate) fn envelope_examples() -> Json {
    json!({ "examples": EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) })
}

/// Returns the schema of the key `constraints`: a list of objects, each with the key of one kind of constraint.
pub(super) fn constraints_schema() -> Json {
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
    json!({ "$ref": "#/$defs/constraints" })
}

/// Returns the range and the default of a request limit. A limit of 0 is invalid, because it would reject every
/// request.
/// Returns the constraint on an option of a method, which is the same in all dialects.
fn option_constraint(key: &str) -> Option<Json> {
    match key {
        "status" => Some(statuses_constraint()),
        "cost" => Some(cost_constraint()),
        "idempotent" => Some(words_constraint::<Idempotency>()),
        _ => None,
    }
}

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

fn cost_constraint() -> Json {
    json!({ "minimum": 1, "maximum": RateLimit::MAX_COST })
}
