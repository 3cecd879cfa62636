//! JSON Schemas as types of TypeScript.
//!
//! A type takes whatever its schema lets pass: what TypeScript cannot say,
//! such as bounds and patterns, the client checks.

use serde_json::{Map, Value as Json};

/// Who has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// A program, which gives it.
    Argument,
    /// The API, which answers it.
    Answer,
}

/// The type of what passes a schema. `level`: how far the line is indented that it stands on.
pub(super) fn type_of(schema: &Json, side: Side, level: usize) -> String {
    let Json::Object(schema) = schema else { return "unknown".to_owned() };
    if let Some(Json::Array(values)) = schema.get("enum") {
        return union(values.iter().map(value));
    }
    if let Some(constant) = schema.get("const") {
        return value(constant);
    }
    if let Some(Json::Array(any)) = schema.get("anyOf") {
        return union(any.iter().map(|schema| type_of(schema, side, level)));
    }
    match schema.get("type") {
        Some(Json::String(kind)) => of_kind(kind, schema, side, level),
        Some(Json::Array(kinds)) => {
            union(kinds.iter().filter_map(Json::as_str).map(|kind| of_kind(kind, schema, side, level)))
        }
        _ => "unknown".to_owned(),
    }
}

fn of_kind(kind: &str, schema: &Map<String, Json>, side: Side, level: usize) -> String {
    let name = match (kind, side) {
        ("string", Side::Argument) if schema.get("format").is_some_and(|format| format == "binary") => "FileArgument",
        ("integer", Side::Argument) => "number | bigint",
        ("integer" | "number", _) => "number",
        ("string" | "boolean" | "null", _) => kind,
        ("array", _) => return array(schema.get("items"), side, level),
        ("object", _) => return object(schema, side, level),
        _ => "unknown",
    };
    name.to_owned()
}

fn array(items: Option<&Json>, side: Side, level: usize) -> String {
    let items = items.map_or_else(|| "unknown".to_owned(), |items| type_of(items, side, level));
    match side {
        Side::Argument => format!("ReadonlyArray<{items}>"),
        Side::Answer => format!("Array<{items}>"),
    }
}

fn object(schema: &Map<String, Json>, side: Side, level: usize) -> String {
    let Some(Json::Object(properties)) = schema.get("properties") else {
        let others = schema.get("additionalProperties").map(|others| type_of(others, side, level));
        return format!("{{ [name: string]: {} }}", others.as_deref().unwrap_or("unknown"));
    };
    let required: Vec<&Json> = schema.get("required").and_then(Json::as_array).into_iter().flatten().collect();
    let indent = "  ".repeat(level + 1);
    let members: String = properties
        .iter()
        .map(|(name, schema)| {
            let about = schema.get("description").and_then(Json::as_str);
            let about = about.map(|about| comment(about, &[], level + 1)).unwrap_or_default();
            let mark = if required.iter().any(|own| *own == name) { "" } else { "?" };
            format!("{about}{indent}{}{mark}: {};\n", member(name), type_of(schema, side, level + 1))
        })
        .collect();
    format!("{{\n{members}{}}}", "  ".repeat(level))
}

/// One of these types, each once.
fn union(types: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for one in types {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    match all.as_slice() {
        // Nothing passes.
        [] => "never".to_owned(),
        // What takes all takes these.
        all if all.iter().any(|one| one == "unknown") => "unknown".to_owned(),
        all => all.join(" | "),
    }
}

/// The type of one value.
fn value(json: &Json) -> String {
    match json {
        Json::String(text) => literal(text),
        Json::Bool(_) | Json::Number(_) | Json::Null => json.to_string(),
        Json::Array(_) | Json::Object(_) => "unknown".to_owned(),
    }
}

/// A text as a literal: JSON's are TypeScript's too.
pub(super) fn literal(text: &str) -> String {
    visible(&Json::from(text).to_string())
}

/// A text whose characters that end lines or turn the direction of what is around them are escaped, so that a
/// declaration is read as it is compiled (Unicode Technical Report 36, section 2.10).
fn visible(text: &str) -> String {
    let escaped = |c: char| match c {
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// The name of a member, quoted where it is no identifier.
pub(super) fn member(name: &str) -> String {
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
    let is_identifier = begins && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if is_identifier { name.to_owned() } else { literal(name) }
}

/// A text as a comment of this level, with tags such as `@deprecated` behind it. The text neither ends the comment nor
/// has tags of its own.
pub(super) fn comment(text: &str, tags: &[String], level: usize) -> String {
    let indent = "  ".repeat(level);
    let own = visible(&text.replace("*/", "*\\/"));
    let own = own.lines().map(str::trim).filter(|line| !line.is_empty());
    let own = own.map(|line| if line.starts_with('@') { format!("\\{line}") } else { line.to_owned() });
    let lines: Vec<_> = own.chain(tags.iter().map(|tag| visible(&tag.replace("*/", "*\\/")))).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines: String = lines.iter().map(|line| format!("{indent} * {line}\n")).collect();
            format!("{indent}/**\n{lines}{indent} */\n")
        }
    }
}
