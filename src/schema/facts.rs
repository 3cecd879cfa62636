//! What is known of the values of keys beside their kind.
//!
//! In charge of finding words and ranges where they are kept; the tables of
//! keys know no more than kinds.

use std::ops::RangeInclusive;

use serde_json::{Value as Json, json};

use super::pattern;
use super::tables::Schema;
use crate::call::{Http, JsonLimits};
use crate::definition::keys::{self, Keys, methods, rules};
use crate::definition::manner::{METHODS, Manner, RULES, TREE};
use crate::error::ErrorStatus;
use crate::error::texts::CatalogueName;
use crate::model::{
    Audience, EnvelopeName, Limits, LogFormat, MOST_WORKERS, MethodOptions, Repeated, Unbound, UnknownParameters,
};
use crate::types::{Type, Types};

/// Something that is known of a key.
struct Fact {
    keys: &'static Keys,
    key: &'static str,
    says: fn() -> Json,
}

const fn fact(keys: &'static Keys, key: &'static str, says: fn() -> Json) -> Fact {
    Fact { keys, key, says }
}

static FACTS: &[Fact] = &[
    fact(&keys::APP, "envelope", envelopes),
    fact(&keys::APP, "catalogue", || words(CatalogueName::ALL.map(CatalogueName::as_str))),
    fact(&keys::APP, "unknown", || words(UnknownParameters::ALL.map(UnknownParameters::as_str))),
    fact(&keys::APP, "unbound", || words(Unbound::ALL.map(Unbound::as_str))),
    fact(&keys::APP, "options", || words(Audience::ALL.map(Audience::as_str))),
    fact(&keys::APP, "log_format", || words(LogFormat::ALL.map(LogFormat::as_str))),
    fact(&keys::APP, "base", || json!({ "pattern": pattern::base() })),
    fact(&keys::APP, "bind", || json!({ "pattern": pattern::ADDRESS })),
    fact(&keys::APP, "data", || json!({ "pattern": pattern::NOT_BLANK })),
    fact(&keys::APP, "files", || json!({ "pattern": pattern::NOT_BLANK })),
    fact(&keys::APP, "workers", || range(&(1..=MOST_WORKERS))),
    fact(&keys::CORS, "origins", || json!({ "minItems": 1 })),
    fact(&keys::CORS, "headers", fields),
    fact(&keys::CORS, "expose", fields),
    fact(&keys::MODULE, "dialect", || words([TREE.dialect])),
    fact(&keys::MODULE, "module", || json!({ "pattern": pattern::NAME })),
    fact(&keys::MODULE, "envelope", envelopes),
    fact(&keys::MODULE, "repeated", || words(Repeated::ALL.map(Repeated::as_str))),
    fact(&keys::METHOD, "id", || json!({ "pattern": pattern::NAME })),
    fact(&methods::METHOD, "id", || json!({ "pattern": pattern::NAME })),
    fact(&keys::PARAMETER, "name", || json!({ "pattern": pattern::NAME })),
    fact(&methods::PARAMETER, "name", || json!({ "pattern": pattern::NAME })),
    fact(&keys::FLAT, "path", || json!({ "pattern": pattern::path() })),
    fact(&keys::FLAT, "method", || words(Http::ALL.map(Http::as_str))),
    fact(&keys::OPTIONS, "status", || range(&MethodOptions::STATUSES)),
    fact(&methods::METHOD, "description", || json!({ "pattern": pattern::NOT_BLANK })),
    fact(&methods::OPTIONS, "status", || range(&MethodOptions::STATUSES)),
    fact(&keys::ERROR, "status", || range(&ErrorStatus::RANGE)),
    fact(&methods::ERROR, "status", || range(&ErrorStatus::RANGE)),
    fact(&keys::PARAMETER, "type", || terms(&TREE)),
    fact(&keys::OUTPUT, "type", || terms(&TREE)),
    fact(&keys::ATTRIBUTES, "callback", function),
    fact(&methods::PARAMETER, "type", || terms(&METHODS)),
    fact(&methods::OUTPUT, "type", || terms(&METHODS)),
    fact(&rules::FILE, "dialect", || words([RULES.dialect])),
    fact(&rules::CLASS, "@envelope", envelopes),
    fact(&rules::METHOD, "@method", http_in_any_case),
    fact(&rules::RULE, "type", || rule_types(rules::TYPES)),
    fact(&rules::RULE, "source", || {
        let names = || rules::SOURCES.iter().map(|word| word.name);
        json!({ "pattern": pattern::one_of_in_any_case(names()), "examples": names().collect::<Vec<_>>() })
    }),
    fact(&rules::RULE, "callable", function),
    fact(&rules::RULE, "on_after_parse", || json!({ "minItems": 2, "maxItems": 2 })),
    fact(&rules::RETURN, "type", || rule_types(rules::RETURN_TYPES)),
];

/// What is known of a key beside its kind, as members of its schema; null where that is nothing.
pub(super) fn of(keys: &'static Keys, key: &str) -> Json {
    let tables = || std::iter::once(keys).chain(keys.also.iter().copied());
    if tables().any(|table| std::ptr::eq(table, &keys::LIMITS)) {
        return limit(key);
    }
    let is_it = |fact: &&Fact| fact.key == key && tables().any(|table| std::ptr::eq(table, fact.keys));
    FACTS.iter().find(is_it).map_or(Json::Null, |fact| (fact.says)())
}

/// What is known of the author's own names of such objects: outputs, fields and errors are called so in code. What
/// parameters are called is said in another place too, and of paths only the reader knows what they mean.
pub(super) fn of_names(keys: &'static Keys) -> Schema {
    let mut schema = Schema::new();
    if [&keys::OUTPUT, &keys::ERROR, &methods::OUTPUT, &methods::ERROR].iter().any(|own| std::ptr::eq(*own, keys)) {
        let names = json!({ "anyOf": [{ "pattern": pattern::NAME }, { "pattern": pattern::remark() }] });
        schema.insert("propertyNames".to_owned(), names);
    }
    schema
}

fn words<const N: usize>(words: [&str; N]) -> Json {
    json!({ "enum": words.as_slice() })
}

fn range(range: &RangeInclusive<u16>) -> Json {
    json!({ "minimum": range.start(), "maximum": range.end() })
}

/// A program may have envelopes of its own.
fn envelopes() -> Json {
    json!({ "examples": EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) })
}

/// No limit may refuse every request.
fn limit(key: &str) -> Json {
    let default = Limits::default().entries().into_iter().find(|(name, _)| *name == key).map(|(_, limit)| limit);
    let most = match key {
        "nesting" => JsonLimits::MOST_NESTING,
        "link" => Limits::LONGEST_LINK,
        _ => return json!({ "minimum": 1, "default": default }),
    };
    json!({ "minimum": 1, "maximum": most, "default": default })
}

/// Names of header fields (RFC 9110 section 5.1).
fn fields() -> Json {
    json!({ "items": { "type": "string", "pattern": pattern::TOKEN } })
}

/// The terms of a dialect. A program may have types of its own.
fn terms(manner: &Manner) -> Json {
    let types = Types::builtin();
    let canonical = types.iter().map(Type::name);
    let mut names: Vec<&str> = manner.types.iter().map(|(word, _)| *word).collect();
    for name in canonical {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    json!({ "pattern": pattern::TERM, "examples": names })
}

fn rule_types(words: &[rules::Word]) -> Json {
    json!({ "pattern": pattern::TERM, "examples": words.iter().map(|word| word.name).collect::<Vec<_>>() })
}

/// The name of a function: a text, or a class and a method.
fn function() -> Json {
    json!({ "pattern": pattern::NOT_BLANK, "minItems": 2, "maxItems": 2 })
}

/// The names of HTTP methods, one or a list of them.
fn http_in_any_case() -> Json {
    let names = Http::ALL.map(Http::as_str);
    let pattern = pattern::one_of_in_any_case(names);
    let item = json!({ "type": "string", "pattern": pattern, "examples": names });
    json!({ "pattern": pattern, "examples": names, "items": item })
}
