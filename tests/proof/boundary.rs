//! Generates values for a JSON Schema. Many values are at the boundaries of the schema, either just valid or just
//! invalid.

use rulebook::types::Value;
use serde_json::{Map, Value as Json, json};

use support::generate::Choices;

/// Texts that some type accepts, or nearly accepts.
const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "A1",
    "abc",
    "ab cd",
    "true",
    "false",
    "null",
    "yes",
    "No",
    "on",
    "0",
    "1",
    "-0",
    "+5",
    "007",
    "5.",
    ".5",
    "1e3",
    "1e400",
    "-1.5",
    "1e309",
    "-0012",
    "10.0",
    "9007199254740993",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "NaN",
    "ab12",
    "deadbeef",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "0612345678",
    "+33 612345678",
    "+33  612345678",
    "a@b.c",
    "a@b",
    "http://a",
    "https://example.org/?a=b",
    "http://256.1.1.1",
    "http://127.1",
    "http://a:99999",
    "http://@",
    "http://a@b@c",
    "Ada <ada@example.org>",
    "a@[1.2.3.4]",
    "::1",
    "1.2.3.4",
    "1.2.3.256",
    "123e4567-e89b-12d3-a456-426614174000",
    "123E4567-E89B-12D3-A456-42661417400",
    "2015-01-31",
    "2015-01-30",
    "2020-02-29",
    "2020-03-01",
    "2015-02-29",
    "2015-02-29 10:00:00",
    "2016-12-31T23:59:60Z",
    "2016-02-29 10:00:00",
    "2016-02-29 24:00:00",
    "2020-02-29T00:00:00Z",
    "2020-02-29T00:00:00.5+01:00",
    "12:30",
    "12:30:61",
    "24:00",
    "[1]",
    "[",
    "[]",
    "{}",
    "{\"a\":1}",
    "[\"a\",null]",
    " ",
    " a",
    "a ",
    "a;b",
    "a,b",
    "a|b",
    "é",
    "😀😀",
    "e\u{301}",
    "\u{202e}",
    "\u{0}",
    "a\nb",
    "a/b.txt",
    "../a",
    "/a",
    "a//b",
    "..",
    "a.",
    "a<b",
    "a:b",
    "CON",
    "a/../b",
    ".hidden",
    "public/a/b",
    "%41",
    "a+b",
    "a&b=c",
    "'\"<",
];

/// Numbers at or near the limits of number types.
const NUMBERS: &[&str] = &[
    "0",
    "-0.0",
    "-1",
    "0.5",
    "1e3",
    "10.0",
    "1e300",
    "9007199254740991",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "2147483647",
    "2147483648",
    "1e19",
    "5e-324",
];

/// The maximum depth of nested schemas that a generated value follows.
const MAX_DEPTH: usize = 5;

/// Returns a value at a boundary of the schema, or sometimes an unrelated value. `boundary_values` are valid values at
/// the boundaries of the type.
pub fn random_value(schema: &Json, boundary_values: &[Value<'static>], choices: &mut Choices) -> Json {
    let mut value = near_boundary_or_any(schema, boundary_values, choices);
    replace_inexact_integers(&mut value);
    value
}

/// Returns a value that has nothing to do with a schema.
pub fn unrelated_value(choices: &mut Choices) -> Json {
    let mut value = arbitrary_value(2, choices);
    replace_inexact_integers(&mut value);
    value
}

/// Replaces floats from 2^53 by the equal integers of 64 bits. Different integers are parsed as the same float, so that
/// the types of whole numbers reject these floats, although they are integers for a JSON Schema.
fn replace_inexact_integers(value: &mut Json) {
    match value {
        Json::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            let is_inexact = float.abs() >= 2_f64.powi(53);
            if is_inexact && float < 0.0 && float >= i64::MIN as f64 {
                *value = json!(float as i64);
            } else if is_inexact && float > 0.0 && float < u64::MAX as f64 {
                *value = json!(float as u64);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(replace_inexact_integers),
        Json::Object(members) => members.values_mut().for_each(replace_inexact_integers),
        _ => {}
    }
}

fn near_boundary_or_any(schema: &Json, boundary_values: &[Value<'static>], choices: &mut Choices) -> Json {
    match choices.below(6) {
        0 | 1 if !boundary_values.is_empty() => boundary_values[choices.below(boundary_values.len())].to_json(),
        2 if !boundary_values.is_empty() => {
            let mut value = boundary_values[choices.below(boundary_values.len())].to_json();
            mutate_value(&mut value, choices);
            value
        }
        5 if choices.once_in(2) => arbitrary_value(2, choices),
        5 => match boundary_values.get(choices.below(boundary_values.len().max(1))).map(Value::to_json) {
            // Outside of JSON bodies, a list can be sent as its only item.
            Some(Json::Array(items)) if !items.is_empty() => items[choices.below(items.len())].clone(),
            _ => value_near(schema, MAX_DEPTH, choices),
        },
        _ => value_near(schema, MAX_DEPTH, choices),
    }
}

/// Replaces one part of a value by another value, often by a similar one.
fn mutate_value(value: &mut Json, choices: &mut Choices) {
    match value {
        Json::Array(items) if !items.is_empty() => {
            let at = choices.below(items.len());
            mutate_value(&mut items[at], choices);
        }
        Json::Object(members) if !members.is_empty() && !choices.once_in(3) => {
            let at = choices.below(members.len());
            members.values_mut().nth(at).into_iter().for_each(|member| mutate_value(member, choices));
        }
        Json::Object(members) if choices.once_in(2) => {
            let first = members.keys().next().cloned();
            first.and_then(|first| members.remove(&first));
        }
        Json::Object(members) => drop(members.insert("other".to_owned(), arbitrary_value(1, choices))),
        Json::String(text) => match choices.below(4) {
            0 => text.push(' '),
            1 => text.insert(0, 'é'),
            2 => drop(text.pop()),
            _ => *value = arbitrary_value(1, choices),
        },
        Json::Number(number) => {
            let number = number.clone();
            *value = number_near(&Json::Number(number), choices);
        }
        _ => *value = arbitrary_value(1, choices),
    }
}

/// Returns an arbitrary value, with this maximum depth.
pub fn arbitrary_value(depth: usize, choices: &mut Choices) -> Json {
    match choices.below(if depth == 0 { 5 } else { 7 }) {
        0 => Json::Null,
        1 => choices.once_in(2).into(),
        2 => parse_number(choices.of(NUMBERS)),
        3 | 4 => choices.of(TEXTS).into(),
        5 => (0..choices.below(4)).map(|_| arbitrary_value(depth - 1, choices)).collect(),
        _ => (0..choices.below(3))
            .map(|at| (format!("field{at}"), arbitrary_value(depth - 1, choices)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn parse_number(number: &str) -> Json {
    serde_json::from_str(number).unwrap_or(Json::Null)
}

/// Returns a number that equals a bound, or is slightly below or above it.
fn number_near(bound: &Json, choices: &mut Choices) -> Json {
    let step = choices.below(5) as i64 - 2;
    match (bound.as_i64(), bound.as_f64()) {
        (Some(whole), _) if choices.below(4) > 0 => whole.saturating_add(step).into(),
        (_, Some(float)) => json!(float + step as f64 / 4.0),
        _ => parse_number(choices.of(NUMBERS)),
    }
}

/// Returns a length that equals a bound of the schema, or is slightly below or above it. `min` and `max` are the
/// schema's keywords for the bounds.
fn length_near(schema: &Json, min: &str, max: &str, choices: &mut Choices) -> usize {
    let bound = |key: &str| schema.get(key).and_then(Json::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let bound = if choices.once_in(2) { bound(min) } else { bound(max).or(bound(min)) };
    let size = (bound.unwrap_or(1) + choices.below(3)).saturating_sub(1);
    // Greater lengths would take more time and test nothing more.
    size.min(300)
}

fn value_near(schema: &Json, depth: usize, choices: &mut Choices) -> Json {
    for keyword in ["anyOf", "allOf", "oneOf", "enum"] {
        if let Some(Json::Array(all)) = schema.get(keyword).filter(|_| depth > 0 && choices.below(4) > 0) {
            let one = &all[choices.below(all.len())];
            return match (keyword, one) {
                ("enum", Json::String(text)) if choices.once_in(3) => match choices.below(3) {
                    0 => text.to_uppercase().into(),
                    1 => format!("{text} ").into(),
                    _ => text.chars().skip(1).collect::<String>().into(),
                },
                ("enum", _) => one.clone(),
                _ => value_near(one, depth - 1, choices),
            };
        }
    }
    let kind = match schema.get("type") {
        Some(Json::Array(kinds)) => kinds[choices.below(kinds.len())].as_str(),
        Some(kind) => kind.as_str(),
        None => None,
    };
    match kind {
        Some("integer" | "number") => {
            let bounds: Vec<_> = ["minimum", "maximum"].iter().filter_map(|key| schema.get(*key)).collect();
            match choices.below(bounds.len() + 1) {
                0 => parse_number(choices.of(NUMBERS)),
                n => number_near(bounds[n - 1], choices),
            }
        }
        Some("string") if schema.get("minLength").or(schema.get("maxLength")).is_some() && choices.below(4) > 0 => {
            let letters = choices.of(&["a", "é", "😀", "7", "f"]);
            letters.repeat(length_near(schema, "minLength", "maxLength", choices)).into()
        }
        Some("string") => choices.of(TEXTS).into(),
        Some("boolean") => choices.once_in(2).into(),
        Some("array") if depth > 0 => {
            let items = schema.get("items").cloned().unwrap_or_else(|| json!({}));
            let size = length_near(schema, "minItems", "maxItems", choices);
            (0..size.min(12)).map(|_| value_near(&items, depth - 1, choices)).collect()
        }
        Some("object") if depth > 0 => {
            let properties = schema.get("properties").and_then(Json::as_object);
            let mut members: Map<_, _> = properties
                .into_iter()
                .flatten()
                .filter(|_| choices.below(8) > 0)
                .collect::<Vec<_>>()
                .into_iter()
                .map(|(name, schema)| (name.clone(), value_near(schema, depth - 1, choices)))
                .collect();
            if choices.once_in(6) {
                members.insert("field9".to_owned(), arbitrary_value(1, choices));
            }
            Json::Object(members)
        }
        _ => arbitrary_value(depth.min(2), choices),
    }
}

/// Serializes a value as text, sometimes in another notation than JSON.
pub fn random_notation(value: &Json, choices: &mut Choices) -> String {
    match value {
        _ if choices.once_in(10) => choices.of(TEXTS).to_owned(),
        Json::String(text) => text.clone(),
        Json::Number(number) => match choices.below(10) {
            0 => format!("+{number}"),
            1 => format!("0{number}"),
            2 => format!("{number}.0"),
            3 => format!("{number}e0"),
            4 => format!(" {number}"),
            5 => format!("{}{number}", "0".repeat(201)),
            6 => format!("{number}e+100"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}
