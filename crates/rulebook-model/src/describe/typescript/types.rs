//! Converts JSON Schemas to TypeScript types.
//!
//! A type accepts every value that its schema accepts. The client checks the rules that TypeScript cannot express, such
//! as bounds and patterns.

use serde_json::{Map, Value as Json};

/// The role of a value in a call of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueRole {
    /// An argument, which the program passes to the client.
    Argument,
    /// A part of the result, which the client returns to the program.
    Result,
}

/// Returns the type of the values that a schema accepts. `level` is the indentation of the line, in steps of two
/// spaces.
pub(super) fn type_of(schema: &Json, role: ValueRole, level: usize) -> String {
    let Json::Object(schema) = schema else { return "unknown".to_owned() };
    if let Some(Json::Array(values)) = schema.get("enum") {
        return union_type(values.iter().map(literal_type));
    }
    if let Some(constant) = schema.get("const") {
        return literal_type(constant);
    }
    if let Some(Json::Array(any)) = schema.get("anyOf") {
        return union_type(any.iter().map(|schema| type_of(schema, role, level)));
    }
    match schema.get("type") {
        Some(Json::String(kind)) => type_of_kind(kind, schema, role, level),
        Some(Json::Array(kinds)) => {
            union_type(kinds.iter().filter_map(Json::as_str).map(|kind| type_of_kind(kind, schema, role, level)))
        }
        _ => "unknown".to_owned(),
    }
}

fn type_of_kind(kind: &str, schema: &Map<String, Json>, role: ValueRole, level: usize) -> String {
    let name = match (kind, role) {
        ("string", ValueRole::Argument) if schema.get("format").is_some_and(|format| format == "binary") => {
            "FileArgument"
        }
        ("integer", ValueRole::Argument) => "number | bigint",
        ("integer" | "number", _) => "number",
        ("string" | "boolean" | "null", _) => kind,
        ("array", _) => return array_type(schema.get("items"), role, level),
        ("object", _) => return object_type(schema, role, level),
        _ => "unknown",
    };
    name.to_owned()
}

fn array_type(items: Option<&Json>, role: ValueRole, level: usize) -> String {
    let items = items.map_or_else(|| "unknown".to_owned(), |items| type_of(items, role, level));
    match role {
        ValueRole::Argument => format!("ReadonlyArray<{items}>"),
        ValueRole::Result => format!("Array<{items}>"),
    }
}

fn object_type(schema: &Map<String, Json>, role: ValueRole, level: usize) -> String {
    let Some(Json::Object(properties)) = schema.get("properties") else {
        let others = schema.get("additionalProperties").map(|others| type_of(others, role, level));
        return format!("{{ [name: string]: {} }}", others.as_deref().unwrap_or("unknown"));
    };
    let required: Vec<&Json> = schema.get("required").and_then(Json::as_array).into_iter().flatten().collect();
    let indent = "  ".repeat(level + 1);
    let members: String = properties
        .iter()
        .map(|(name, schema)| {
            let about = schema.get("description").and_then(Json::as_str);
            let about = about.map(|about| comment(about, &[], level + 1)).unwrap_or_default();
            let mark = if required.iter().any(|required| *required == name) { "" } else { "?" };
            format!("{about}{indent}{}{mark}: {};\n", member(name), type_of(schema, role, level + 1))
        })
        .collect();
    format!("{{\n{members}{}}}", "  ".repeat(level))
}

/// Returns the union of these types, without duplicates.
fn union_type(types: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for r#type in types {
        if !all.contains(&r#type) {
            all.push(r#type);
        }
    }
    match all.as_slice() {
        // The schema accepts no value.
        [] => "never".to_owned(),
        // `unknown` includes all other types.
        all if all.iter().any(|r#type| r#type == "unknown") => "unknown".to_owned(),
        all => all.join(" | "),
    }
}

/// Returns the literal type of a value.
fn literal_type(json: &Json) -> String {
    match json {
        Json::String(text) => literal(text),
        Json::Bool(_) | Json::Number(_) | Json::Null => json.to_string(),
        Json::Array(_) | Json::Object(_) => "unknown".to_owned(),
    }
}

/// Formats a string literal. Every JSON string is also a TypeScript string.
pub(super) fn literal(text: &str) -> String {
    escape_controls(&Json::from(text).to_string())
}

/// Escapes characters that end lines or change the direction of the text around them, so that a declaration looks as
/// the compiler reads it (Unicode Technical Report 36, section 2.10).
fn escape_controls(text: &str) -> String {
    let escaped = |c: char| match c {
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            format!("\\u{:04x}", u32::from(c))
        }
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// Formats the name of a member. It is quoted unless it is an identifier.
pub(super) fn member(name: &str) -> String {
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
    let is_identifier = begins && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if is_identifier { name.to_owned() } else { literal(name) }
}

/// Formats a doc comment at this indentation, with tags such as `@deprecated` after the text. The text is escaped, so
/// that it cannot end the comment or add tags.
pub(super) fn comment(text: &str, tags: &[String], level: usize) -> String {
    let indent = "  ".repeat(level);
    let text = escape_controls(&text.replace("*/", "*\\/"));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.map(|line| if line.starts_with('@') { format!("\\{line}") } else { line.to_owned() });
    let lines: Vec<_> = lines.chain(tags.iter().map(|tag| escape_controls(&tag.replace("*/", "*\\/")))).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines: String = lines.iter().map(|line| format!("{indent} * {line}\n")).collect();
            format!("{indent}/**\n{lines}{indent} */\n")
        }
    }
}
