//! Converts JSON Schemas to TypeScript types.
//!
//! A TypeScript type accepts every value that the JSON Schema accepts. Rules that TypeScript cannot express, such as
//! bounds and patterns, are not part of the type.

use serde_json::{Map, Value as Json};

use crate::describe::escape::escape_like_json;
use crate::invisible::is_invisible;
use crate::types::SCHEMA_REFERENCE_PREFIX;

/// The role of a value in a function call of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueRole {
    /// The value is an argument, which the program passes to the client.
    Argument,
    /// The value is a part of the result, which the client returns to the program.
    Result,
}

/// Returns the TypeScript type of the values that a schema accepts. `level` is the indentation of the current line, in
/// steps of two spaces.
pub(super) fn typescript_type(schema: &Json, role: ValueRole, level: usize) -> String {
    let Json::Object(schema) = schema else { return "unknown".to_owned() };
    let reference = schema.get("$ref").and_then(Json::as_str);
    if let Some(key) = reference.and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        return schema_type_name(key, role);
    }
    if let Some(Json::Array(values)) = schema.get("enum") {
        return union_type(values.iter().map(literal_type));
    }
    if let Some(constant) = schema.get("const") {
        return literal_type(constant);
    }
    if let Some(Json::Array(branches)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
        return union_type(branches.iter().map(|schema| typescript_type(schema, role, level)));
    }
    if let Some(Json::Array(parts)) = schema.get("allOf").filter(|_| !schema.contains_key("type")) {
        let parts: Vec<_> = parts.iter().map(|schema| typescript_type(schema, role, level)).collect();
        return parts.join(" & ");
    }
    match schema.get("type") {
        Some(Json::String(kind)) => typescript_type_of_kind(kind, schema, role, level),
        Some(Json::Array(kinds)) => union_type(
            kinds.iter().filter_map(Json::as_str).map(|kind| typescript_type_of_kind(kind, schema, role, level)),
        ),
        _ => "unknown".to_owned(),
    }
}

/// The names that the declarations of every API contain.
const RESERVED_NAMES: [&str; 8] = ["Api", "Array", "Call", "Calls", "Download", "FileArgument", "Id", "Methods"];

/// Returns the name of the TypeScript type for a schema of the definition. Arguments have a type of their own, because
/// they can be read-only arrays and large integers.
pub(super) fn schema_type_name(key: &str, role: ValueRole) -> String {
    let name = key.replace(['.', '-'], "_");
    let mark = if RESERVED_NAMES.contains(&name.as_str()) { "_" } else { "" };
    match role {
        ValueRole::Argument => format!("{name}{mark}Argument"),
        ValueRole::Result => format!("{name}{mark}"),
    }
}

fn typescript_type_of_kind(kind: &str, schema: &Map<String, Json>, role: ValueRole, level: usize) -> String {
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
    let items = items.map_or_else(|| "unknown".to_owned(), |items| typescript_type(items, role, level));
    match role {
        ValueRole::Argument => format!("ReadonlyArray<{items}>"),
        ValueRole::Result => format!("Array<{items}>"),
    }
}

fn object_type(schema: &Map<String, Json>, role: ValueRole, level: usize) -> String {
    let Some(Json::Object(properties)) = schema.get("properties") else {
        let others = schema.get("additionalProperties").map(|others| typescript_type(others, role, level));
        return format!("{{ [name: string]: {} }}", others.as_deref().unwrap_or("unknown"));
    };
    let required: Vec<&Json> = schema.get("required").and_then(Json::as_array).into_iter().flatten().collect();
    let indent = "  ".repeat(level + 1);
    let members: String = properties
        .iter()
        .map(|(name, schema)| {
            let about = schema.get("description").and_then(Json::as_str);
            let about = about.map(|about| format_doc_comment(about, &[], level + 1)).unwrap_or_default();
            let mark = if required.iter().any(|required| *required == name) { "" } else { "?" };
            format!("{about}{indent}{}{mark}: {};\n", member_name(name), typescript_type(schema, role, level + 1))
        })
        .collect();
    format!("{{\n{members}{}}}", "  ".repeat(level))
}

/// Returns the union of several TypeScript types, without duplicates.
fn union_type(types: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for r#type in types {
        if !all.contains(&r#type) {
            all.push(r#type);
        }
    }
    match all.as_slice() {
        // A schema without alternatives accepts no value.
        [] => "never".to_owned(),
        // The type `unknown` includes all other types.
        all if all.iter().any(|r#type| r#type == "unknown") => "unknown".to_owned(),
        all => all.join(" | "),
    }
}

/// Returns the TypeScript type that only contains the value `json`. For an array or an object, this is `unknown`.
fn literal_type(json: &Json) -> String {
    match json {
        Json::String(text) => string_literal(text),
        Json::Bool(_) | Json::Number(_) | Json::Null => json.to_string(),
        Json::Array(_) | Json::Object(_) => "unknown".to_owned(),
    }
}

/// Formats a TypeScript string literal. Every JSON string is also a valid string literal in TypeScript.
pub(super) fn string_literal(text: &str) -> String {
    escape_invisible(&Json::from(text).to_string())
}

/// Escapes the [invisible](is_invisible) characters in a string literal or in a line of a comment. Otherwise an editor
/// could show a declaration differently from how the compiler reads it (Unicode Technical Report 36, section 2.10).
fn escape_invisible(text: &str) -> String {
    // The two joiners are kept, because words of some languages and many emoji contain them.
    let is_kept = |character| matches!(character, '\t' | '\u{200c}' | '\u{200d}');
    escape_like_json(text, |character| is_invisible(character) && !is_kept(character))
}

/// Formats the name of a member. The name is quoted, unless it is an identifier.
pub(super) fn member_name(name: &str) -> String {
    let mut characters = name.chars();
    let begins = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
    let is_identifier = begins && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if is_identifier { name.to_owned() } else { string_literal(name) }
}

/// Formats a doc comment with the indentation `level`. `tags`, such as `@deprecated`, follow the text. The text is
/// escaped, so that it cannot end the comment or add tags.
pub(super) fn format_doc_comment(text: &str, tags: &[String], level: usize) -> String {
    let indent = "  ".repeat(level);
    let text = text.replace("*/", "*\\/");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.map(|line| if line.starts_with('@') { format!("\\{line}") } else { line.to_owned() });
    let tags = tags.iter().map(|tag| tag.replace("*/", "*\\/"));
    let lines: Vec<_> = lines.chain(tags).map(|line| escape_invisible(&line)).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines: String = lines.iter().map(|line| format!("{indent} * {line}\n")).collect();
            format!("{indent}/**\n{lines}{indent} */\n")
        }
    }
}
