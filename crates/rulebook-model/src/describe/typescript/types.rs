//! Converts JSON Schemas to TypeScript types.
//!
//! A TypeScript type accepts every value that the JSON Schema accepts. Rules that TypeScript cannot express, such as
//! bounds and patterns, are not part of the type.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::schemas::SchemaTypeNames;
use crate::invisible::{escape_like_json, is_invisible};
use crate::types::{SCHEMA_REFERENCE_PREFIX, info_with_type_description, is_moment};

/// The role of a value in a function call of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueRole {
    /// The value is an argument, which the program passes to the client.
    Argument,
    /// The value is a part of the result, which the client returns to the program, or of a call that a handler handles.
    Result,
}

/// Writes the types of values with one role.
#[derive(Clone, Copy)]
pub(super) struct TypeWriter<'n> {
    pub(super) names: &'n SchemaTypeNames,
    pub(super) role: ValueRole,
}

impl TypeWriter<'_> {
    /// Returns the TypeScript type of the values that a schema accepts. `level` is the indentation of the current line,
    /// in steps of two spaces.
    pub(super) fn write_type(self, schema: &Json, level: usize) -> String {
        let Json::Object(schema) = schema else { return "unknown".to_owned() };
        let reference = schema.get("$ref").and_then(Json::as_str);
        if let Some(key) = reference.and_then(|text| text.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
            return self.names.get(key, self.role).to_owned();
        }
        if let Some(Json::Array(values)) = schema.get("enum") {
            return union_type(values.iter().map(literal_type));
        }
        if let Some(constant) = schema.get("const") {
            return literal_type(constant);
        }
        if let Some(Json::Array(branches)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            return union_type(branches.iter().map(|schema| self.write_type(schema, level)));
        }
        if let Some(Json::Array(parts)) = schema.get("allOf").filter(|_| !schema.contains_key("type")) {
            let parts: Vec<_> = parts.iter().map(|schema| self.write_type(schema, level)).collect();
            return parts.join(" & ");
        }
        match schema.get("type") {
            Some(Json::String(kind)) => self.type_of_kind(kind, schema, level),
            Some(Json::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Json::as_str);
                union_type(kinds.map(|kind| self.type_of_kind(kind, schema, level)))
            }
            _ => "unknown".to_owned(),
        }
    }

    fn type_of_kind(self, kind: &str, schema: &Map<String, Json>, level: usize) -> String {
        let name = match (kind, self.role) {
            ("string", ValueRole::Argument) if schema.get("format").is_some_and(|format| format == "binary") => {
                "FileArgument"
            }
            ("string", ValueRole::Result) if schema.get("format").is_some_and(|format| format == "binary") => "Upload",
            ("string", ValueRole::Argument) if is_moment(schema) => "string | Date",
            ("integer", ValueRole::Argument) => "number | bigint",
            ("integer" | "number", _) => "number",
            ("string" | "boolean" | "null", _) => kind,
            ("array", _) => return self.array_type(schema.get("items"), level),
            ("object", _) => return self.object_type(schema, level),
            _ => "unknown",
        };
        name.to_owned()
    }

    fn array_type(self, items: Option<&Json>, level: usize) -> String {
        let items = items.map_or_else(|| "unknown".to_owned(), |items| self.write_type(items, level));
        match self.role {
            ValueRole::Argument => format!("ReadonlyArray<{items}>"),
            ValueRole::Result => format!("Array<{items}>"),
        }
    }

    fn object_type(self, schema: &Map<String, Json>, level: usize) -> String {
        let Some(Json::Object(properties)) = schema.get("properties") else {
            let others = schema.get("additionalProperties").map(|others| self.write_type(others, level));
            return format!("{{ [name: string]: {} }}", others.as_deref().unwrap_or("unknown"));
        };
        let required = schema.get("required").and_then(Json::as_array).into_iter().flatten();
        let required: HashSet<&str> = required.filter_map(Json::as_str).collect();
        let indent = "  ".repeat(level + 1);
        let members: String = properties
            .iter()
            .map(|(name, schema)| {
                let about = schema.get("description").and_then(Json::as_str);
                let about = about.map(|about| format_doc_comment(about, &[], level + 1)).unwrap_or_default();
                let mark = if required.contains(name.as_str()) { "" } else { "?" };
                format!("{about}{indent}{}{mark}: {};\n", member_name(name), self.write_type(schema, level + 1))
            })
            .collect();
        format!("{{\n{members}{}}}", "  ".repeat(level))
    }
}

/// Returns the union of several TypeScript types, without duplicates.
fn union_type(types: impl Iterator<Item = String>) -> String {
    let mut seen = HashSet::new();
    let all: Vec<String> = types.filter(|r#type| seen.insert(r#type.clone())).collect();
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

/// Returns the description that the definition gives for a value, and that of the value's type.
pub(super) fn describe_value(info: &str, schema: &Json) -> String {
    schema.as_object().map_or_else(|| info.to_owned(), |schema| info_with_type_description(info, schema))
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
