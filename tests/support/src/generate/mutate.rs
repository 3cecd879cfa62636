//! Changes valid definitions at random. Most of the changes cause errors.

use serde_json::{Map, Value as Json, json};

use super::{Choices, Generated};

/// Texts that are valid, or nearly valid, as keys or values somewhere in a definition.
const KEYS_AND_VALUES: &[&str] = &[
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

/// Makes one to three random changes in a definition.
pub fn mutate(mut generated: Generated, choices: &mut Choices) -> Generated {
    for _ in 0..=choices.below(3) {
        let files = generated.files.len();
        let Some((_, file)) = generated.files.get_mut(choices.below(files)) else { break };
        change_value(file, choices);
    }
    generated
}

/// Replaces a JSON value, or changes a member or an item in it.
fn change_value(json: &mut Json, choices: &mut Choices) {
    if choices.once_in(6) {
        *json = random_value(choices);
        return;
    }
    match json {
        Json::Object(members) if !members.is_empty() => {
            let at = choices.below(members.len());
            match choices.below(8) {
                0 => rename_member(members, at, choices.of(KEYS_AND_VALUES)),
                1 => {
                    let key = members.keys().nth(at).cloned().unwrap_or_default();
                    members.remove(&key);
                }
                2 => {
                    let copy = members.values().nth(at).cloned().unwrap_or_default();
                    members.insert((*choices.of(KEYS_AND_VALUES)).to_owned(), copy);
                }
                _ => members.values_mut().nth(at).into_iter().for_each(|member| change_value(member, choices)),
            }
        }
        Json::Array(items) if !items.is_empty() => {
            let at = choices.below(items.len());
            items.get_mut(at).into_iter().for_each(|item| change_value(item, choices));
        }
        _ => *json = random_value(choices),
    }
}

/// Renames the key of the member at index `at`. The order of the members does not change.
fn rename_member(members: &mut Map<String, Json>, at: usize, key: &str) {
    let old = std::mem::take(members);
    for (index, (name, value)) in old.into_iter().enumerate() {
        members.insert(if index == at { key.to_owned() } else { name }, value);
    }
}

/// Returns a random JSON value, which replaces another value.
fn random_value(choices: &mut Choices) -> Json {
    match choices.below(8) {
        0 => Json::Null,
        1 => json!(choices.once_in(2)),
        2 => json!([0.0, -1.0, 1.0, 299.0, 1e300, 0.5][choices.below(6)]),
        3 => [json!([]), json!([[]]), json!([["a"], []]), json!(["a"])][choices.below(4)].clone(),
        4 => json!({}),
        _ => json!(choices.of(KEYS_AND_VALUES)),
    }
}
