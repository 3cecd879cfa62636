//! Values at the borders of a schema, on either side.

use rulebook::Value;
use serde_json::{Map, Value as Json, json};

use crate::generate::Choices;

/// Texts that some type or other takes, or nearly.
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
    "a/../b",
    ".hidden",
    "public/a/b",
    "%41",
    "a+b",
    "a&b=c",
    "'\"<",
];

/// Numbers where kinds of numbers end.
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

/// How deep values are made.
const DEEPEST: usize = 5;

/// A value at a border of the schema, or one that has nothing to do with it. `extremes` are values that pass.
pub fn value(schema: &Json, extremes: &[Value<'static>], choices: &mut Choices) -> Json {
    let mut value = unjudged(schema, extremes, choices);
    told_apart(&mut value);
    value
}

/// The least whole number of 64 bits, as a float, is what lesser ones are read as: which one was written is lost, and
/// so it is none of `int`.
fn told_apart(value: &mut Json) {
    match value {
        Json::Number(number) if number.as_i64().is_none() && number.as_f64() == Some(i64::MIN as f64) => {
            *value = json!(i64::MIN);
        }
        Json::Array(items) => items.iter_mut().for_each(told_apart),
        Json::Object(members) => members.values_mut().for_each(told_apart),
        _ => {}
    }
}

fn unjudged(schema: &Json, extremes: &[Value<'static>], choices: &mut Choices) -> Json {
    match choices.below(6) {
        0 | 1 if !extremes.is_empty() => extremes[choices.below(extremes.len())].to_json(),
        2 if !extremes.is_empty() => {
            let mut value = extremes[choices.below(extremes.len())].to_json();
            exchange(&mut value, choices);
            value
        }
        5 => any(2, choices),
        _ => near(schema, DEEPEST, choices),
    }
}

/// Puts something else in one place of a value.
fn exchange(value: &mut Json, choices: &mut Choices) {
    match value {
        Json::Array(items) if !items.is_empty() => {
            let at = choices.below(items.len());
            exchange(&mut items[at], choices);
        }
        Json::Object(members) if !members.is_empty() && !choices.once_in(3) => {
            let at = choices.below(members.len());
            members.values_mut().nth(at).into_iter().for_each(|member| exchange(member, choices));
        }
        Json::Object(members) if choices.once_in(2) => {
            let first = members.keys().next().cloned();
            first.and_then(|first| members.remove(&first));
        }
        Json::Object(members) => drop(members.insert("other".to_owned(), any(1, choices))),
        Json::String(text) => match choices.below(4) {
            0 => text.push(' '),
            1 => text.insert(0, 'é'),
            2 => drop(text.pop()),
            _ => *value = any(1, choices),
        },
        Json::Number(number) => {
            let number = number.clone();
            *value = beside(&Json::Number(number), choices);
        }
        _ => *value = any(1, choices),
    }
}

/// Any value at all.
pub fn any(depth: usize, choices: &mut Choices) -> Json {
    match choices.below(if depth == 0 { 5 } else { 7 }) {
        0 => Json::Null,
        1 => choices.once_in(2).into(),
        2 => parsed(choices.of(NUMBERS)),
        3 | 4 => choices.of(TEXTS).into(),
        5 => (0..choices.below(4)).map(|_| any(depth - 1, choices)).collect(),
        _ => (0..choices.below(3))
            .map(|at| (format!("field{at}"), any(depth - 1, choices)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

fn parsed(number: &str) -> Json {
    serde_json::from_str(number).unwrap_or(Json::Null)
}

/// A number at a bound, or one to either side of it.
fn beside(bound: &Json, choices: &mut Choices) -> Json {
    let step = choices.below(5) as i64 - 2;
    match (bound.as_i64(), bound.as_f64()) {
        (Some(whole), _) if choices.below(4) > 0 => whole.saturating_add(step).into(),
        (_, Some(float)) => json!(float + step as f64 / 4.0),
        _ => parsed(choices.of(NUMBERS)),
    }
}

/// A length or count at a bound, or one to either side of it.
fn size(schema: &Json, least: &str, most: &str, choices: &mut Choices) -> usize {
    let bound = |key: &str| schema.get(key).and_then(Json::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let bound = if choices.once_in(2) { bound(least) } else { bound(most).or(bound(least)) };
    let size = (bound.unwrap_or(1) + choices.below(3)).saturating_sub(1);
    // Larger ones only take time.
    size.min(300)
}

fn near(schema: &Json, depth: usize, choices: &mut Choices) -> Json {
    for of_many in ["anyOf", "allOf", "enum"] {
        if let Some(Json::Array(all)) = schema.get(of_many).filter(|_| depth > 0 && choices.below(4) > 0) {
            let one = &all[choices.below(all.len())];
            return match (of_many, one) {
                ("enum", Json::String(text)) if choices.once_in(3) => match choices.below(3) {
                    0 => text.to_uppercase().into(),
                    1 => format!("{text} ").into(),
                    _ => text.chars().skip(1).collect::<String>().into(),
                },
                ("enum", _) => one.clone(),
                _ => near(one, depth - 1, choices),
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
                0 => parsed(choices.of(NUMBERS)),
                n => beside(bounds[n - 1], choices),
            }
        }
        Some("string") if schema.get("minLength").or(schema.get("maxLength")).is_some() && choices.below(4) > 0 => {
            let letters = choices.of(&["a", "é", "😀", "7", "f"]);
            letters.repeat(size(schema, "minLength", "maxLength", choices)).into()
        }
        Some("string") => choices.of(TEXTS).into(),
        Some("boolean") => choices.once_in(2).into(),
        Some("array") if depth > 0 => {
            let items = schema.get("items").cloned().unwrap_or_else(|| json!({}));
            let size = size(schema, "minItems", "maxItems", choices);
            (0..size.min(12)).map(|_| near(&items, depth - 1, choices)).collect()
        }
        Some("object") if depth > 0 => {
            let properties = schema.get("properties").and_then(Json::as_object);
            let mut members: Map<_, _> = properties
                .into_iter()
                .flatten()
                .filter(|_| choices.below(8) > 0)
                .collect::<Vec<_>>()
                .into_iter()
                .map(|(name, own)| (name.clone(), near(own, depth - 1, choices)))
                .collect();
            if choices.once_in(6) {
                members.insert("field9".to_owned(), any(1, choices));
            }
            Json::Object(members)
        }
        _ => any(depth.min(2), choices),
    }
}

/// A text that says this value, or says it in another way than JSON.
pub fn text(value: &Json, choices: &mut Choices) -> String {
    match value {
        _ if choices.once_in(10) => choices.of(TEXTS).to_owned(),
        Json::String(text) => text.clone(),
        Json::Number(number) => match choices.below(8) {
            0 => format!("+{number}"),
            1 => format!("0{number}"),
            2 => format!("{number}.0"),
            3 => format!("{number}e0"),
            4 => format!(" {number}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}
