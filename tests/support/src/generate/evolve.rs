//! Changes valid definitions as the authors of an API do: bounds, types, marks of optional values, members, words.

use serde_json::{Map, Value as Json, json};

use super::{Choices, Generated, type_case};

/// Makes one to three changes in a definition. Some of them cause errors.
pub fn evolve(mut generated: Generated, choices: &mut Choices) -> Generated {
    for _ in 0..=choices.below(3) {
        let count: usize = generated.files.iter_mut().map(|(_, file)| visit(file, &mut |_| {})).sum();
        let mut left = choices.below(count.max(1));
        for (_, file) in &mut generated.files {
            visit(file, &mut |object| {
                if left == 0 {
                    change(object, choices);
                }
                left = left.wrapping_sub(1);
            });
        }
    }
    generated
}

/// Calls a function with each object that can be changed: types with their attributes, and lists of named values.
/// Returns the number of these objects.
fn visit(json: &mut Json, changeable: &mut dyn FnMut(&mut Map<String, Json>)) -> usize {
    match json {
        Json::Object(members) => {
            let mut count = 0;
            if ["type", "in", "out", "fields", "scope"].iter().any(|key| members.contains_key(*key)) {
                changeable(members);
                count += 1;
            }
            count + members.values_mut().map(|member| visit(member, changeable)).sum::<usize>()
        }
        Json::Array(items) => items.iter_mut().map(|item| visit(item, changeable)).sum(),
        _ => 0,
    }
}

fn change(object: &mut Map<String, Json>, choices: &mut Choices) {
    if let Some(Json::String(term)) = object.get("type").cloned() {
        change_type(object, &term, choices);
        return;
    }
    let lists: Vec<String> = ["in", "out", "fields"]
        .into_iter()
        .filter(|key| object.get(*key).is_some_and(Json::is_object))
        .map(str::to_owned)
        .collect();
    if lists.is_empty() || choices.once_in(4) {
        let scope = choices.of(&["[]", r#"[["reader"]]"#, r#"[["reader", "writer"]]"#, r#"[["reader"], ["admin"]]"#]);
        object.insert("scope".to_owned(), serde_json::from_str(scope).unwrap());
        return;
    }
    let Some(Json::Object(named)) = object.get_mut(&lists[choices.below(lists.len())]) else { return };
    if choices.once_in(2) {
        let name = named.keys().nth(choices.below(named.len())).cloned().unwrap_or_default();
        named.remove(&name);
    } else {
        let case = type_case(1, false, choices);
        let mark = if choices.once_in(2) { "?" } else { "" };
        let mut added = Map::new();
        added.insert("info".to_owned(), json!("Added"));
        added.insert("type".to_owned(), json!(format!("{mark}{}", case.term)));
        added.extend(case.attributes);
        named.insert("added".to_owned(), Json::Object(added));
    }
}

fn change_type(object: &mut Map<String, Json>, term: &str, choices: &mut Choices) {
    match choices.below(7) {
        0 => {
            let toggled = term.strip_prefix('?').map_or_else(|| format!("?{term}"), str::to_owned);
            object.insert("type".to_owned(), json!(toggled));
        }
        1 => {
            let case = type_case(1, false, choices);
            for attribute in ["min", "max", "regex", "format", "range", "fields", "items", "keys", "of", "tag", "value"]
            {
                object.remove(attribute);
            }
            for key in ["closed", "constraints", "ext", "default", "example", "separator", "callback", "params"] {
                object.remove(key);
            }
            object.insert("type".to_owned(), json!(case.term));
            object.extend(case.attributes);
        }
        2 => {
            let bound = choices.of(&["min", "max"]);
            match object.get(bound).and_then(Json::as_i64) {
                Some(_) if choices.once_in(3) => drop(object.remove(bound)),
                Some(number) => drop(object.insert(bound.to_owned(), json!(number + choices.below(5) as i64 - 2))),
                None => drop(object.insert(bound.to_owned(), json!(choices.below(4)))),
            }
        }
        3 if object.contains_key("closed") => drop(object.remove("closed")),
        3 if object.contains_key("fields") => drop(object.insert("closed".to_owned(), json!(true))),
        4 if object.contains_key("constraints") => drop(object.remove("constraints")),
        4 if object.contains_key("regex") => {
            let regex = choices.of(&["/^[a-z]+$/", "/^[a-z]{1,3}$/", "/^[a-z0-9]*$/", "/a/"]);
            object.insert("regex".to_owned(), json!(regex));
        }
        _ => {
            object.insert("type".to_owned(), json!(with_other_arguments(term, choices)));
        }
    }
}

/// Changes the numbers in the arguments of a term, and adds or removes words of an `enum`.
fn with_other_arguments(term: &str, choices: &mut Choices) -> String {
    if let Some((before, words)) = term.split_once("enum(") {
        return match words.split_once('|') {
            Some((_, rest)) if choices.once_in(2) => format!("{before}enum({rest}"),
            _ => format!("{before}enum(added|{words}"),
        };
    }
    let is_digit = |char: &char| char.is_ascii_digit();
    if !term.contains(|char: char| char.is_ascii_digit()) {
        // A type with bounds instead of one without.
        return match term.trim_start_matches('?') {
            "string" => term.replace("string", "string(1,9)"),
            "int" => term.replace("int", "int(-3,9)"),
            "id" => term.replace("id", "int"),
            "date" => term.replace("date", "datetime"),
            _ => term.to_owned(),
        };
    }
    let mut changed = String::new();
    let mut chars = term.chars().peekable();
    while let Some(char) = chars.next() {
        if !char.is_ascii_digit() {
            changed.push(char);
            continue;
        }
        let mut digits = char.to_string();
        while let Some(digit) = chars.next_if(is_digit) {
            digits.push(digit);
        }
        let number: u64 = digits.parse().unwrap_or(0);
        let other = number.saturating_add(choices.below(5) as u64).saturating_sub(2);
        changed.push_str(&if choices.once_in(2) { other.to_string() } else { digits });
    }
    changed
}
