//! Random changes of valid definitions, most of which are errors.

use serde_json::{Map, Value as Json, json};

use super::{Choices, Generated};

/// Keys and values that are valid, or nearly valid, somewhere in a definition.
const WORDS: &[&str] = &[
    "",
    " ",
    "?",
    "/",
    "//",
    "*",
    "{",
    "{}",
    "{x}",
    "a{x}",
    "{c0}",
    "URL#",
    "URL#0",
    "URL#1",
    "GET@",
    "GET@q1",
    "HEADER@",
    "HEADER@X-Head1",
    "HEADER@x-head1",
    "HEADER@ä",
    "COOKIE@=",
    "ANY@",
    "ANY@bare0",
    "GET",
    "PATCH",
    "HEAD",
    "get",
    "error",
    "name1",
    "article",
    "docs",
    "static/x",
    "$x",
    "x-y",
    "a/",
    "/a",
    "a//b",
    "\u{0}",
    "é\u{301}\u{10ffff}",
    "int",
    "?int",
    "int(5,1)",
    "int(1,",
    "array<",
    "array<?file>",
    "object",
    "enum",
    "enum()",
    "file",
    "??int",
    "varchar(1,2,int)",
    "user[",
    "user[name1]",
    "user[nobody]",
    "2024-02-30",
    "/(?=a)/",
    "plain",
    "Europe/Paris",
    "own.1",
];

/// Makes one to three changes anywhere in a definition.
pub fn mutate(mut generated: Generated, choices: &mut Choices) -> Generated {
    for _ in 0..=choices.below(3) {
        let files = generated.files.len();
        let Some((_, file)) = generated.files.get_mut(choices.below(files)) else { break };
        change(file, choices);
    }
    generated
}

/// Changes a value, or a value in it.
fn change(json: &mut Json, choices: &mut Choices) {
    if choices.once_in(6) {
        *json = replacement(choices);
        return;
    }
    match json {
        Json::Object(members) if !members.is_empty() => {
            let at = choices.below(members.len());
            match choices.below(8) {
                0 => rename(members, at, choices.of(WORDS)),
                1 => {
                    let key = members.keys().nth(at).cloned().unwrap_or_default();
                    members.remove(&key);
                }
                2 => {
                    let copy = members.values().nth(at).cloned().unwrap_or_default();
                    members.insert((*choices.of(WORDS)).to_owned(), copy);
                }
                _ => members.values_mut().nth(at).into_iter().for_each(|member| change(member, choices)),
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let at = choices.below(items.len());
            items.get_mut(at).into_iter().for_each(|item| change(item, choices));
        }
        _ => *json = replacement(choices),
    }
}

/// Renames the key of the member at index `at`; the order of members does not change.
fn rename(members: &mut Map<String, Json>, at: usize, key: &str) {
    let old = std::mem::take(members);
    for (index, (name, value)) in old.into_iter().enumerate() {
        members.insert(if index == at { key.to_owned() } else { name }, value);
    }
}

/// Returns a random value that replaces another one.
fn replacement(choices: &mut Choices) -> Json {
    match choices.below(8) {
        0 => Json::Null,
        1 => json!(choices.once_in(2)),
        2 => json!([0.0, -1.0, 1.0, 299.0, 1e300, 0.5][choices.below(6)]),
        3 => [json!([]), json!([[]]), json!([["a"], []]), json!(["a"])][choices.below(4)].clone(),
        4 => json!({}),
        _ => json!(choices.of(WORDS)),
    }
}
