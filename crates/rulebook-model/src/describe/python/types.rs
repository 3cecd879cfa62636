//! Converts JSON Schemas to Python types, and writes names and literals of Python.
//!
//! A Python type accepts every value that the JSON Schema accepts. Rules that Python cannot express, such as bounds and
//! patterns, are not part of the type. An object with known members is a `TypedDict`, which needs a name.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::TOP_NAMES;
use crate::describe::client::is_invisible_in_code;
use crate::describe::method_schemas::PYTHON_TYPE;
use crate::distinct_names::{PlaceName, ScopeNames, candidates, is_one_of, texts_of_union};
use crate::types::{Check, NamedSchema, branches, constants, kinds, reference_key};

/// The names that types can contain, besides those of the declared types.
pub(super) const TYPE_NAMES: &str =
    "Any Download FileArgument Literal NotRequired bool bytes dict float int list object str";

#[derive(Clone, Copy)]
pub(super) struct Values {
    pub(super) schema: fn(&dyn Check) -> Json,
    /// The type of values that the library converts, from the type in [`PYTHON_TYPE`] and the type in JSON.
    pub(super) converted: fn(&str, &str) -> String,
    pub(super) file: &'static str,
    /// The end of the names of schemas.
    pub(super) suffix: &'static str,
}

pub(super) const OF_CLIENTS: Values =
    Values { schema: |check| check.schema(), converted: |_, json| json.to_owned(), file: "FileArgument", suffix: "" };

pub(super) struct TypeWriter<'s> {
    values: Values,
    schemas: &'s BTreeMap<String, Arc<NamedSchema>>,
    names: ScopeNames,
    declarations: Vec<String>,
    /// The places of the objects whose types are declared. Equal types of a union have the same place.
    declared: HashSet<String>,
}

impl<'s> TypeWriter<'s> {
    /// Creates the types of these schemas. `names` are the names at the top of the file.
    pub(super) fn new(schemas: &'s BTreeMap<String, Arc<NamedSchema>>, names: ScopeNames, values: Values) -> Self {
        let mut writer = Self { values, schemas, names, declarations: Vec::new(), declared: HashSet::new() };
        for (key, schema) in schemas {
            let name = writer.schema_name(key);
            let content = (values.schema)(&*schema.check);
            let described = schema.schema();
            let about = described.get("description").and_then(Json::as_str).unwrap_or(&schema.info);
            match writer.object_members(&content) {
                Some(members) => _ = writer.declare_typed_dict(&name, about, &members),
                None => {
                    let content = writer.type_of(&content, &name);
                    writer.declare_alias(&name, about, &content);
                }
            }
        }
        writer
    }

    /// Returns the name of a class or a type at the top of the file.
    pub(super) fn name(&mut self, PlaceName { short, place }: &PlaceName) -> String {
        self.names.name(place, candidates(vec![unreserved(short)], "_", place))
    }

    pub(super) fn finish(self) -> (Vec<String>, ScopeNames) {
        (self.declarations, self.names)
    }

    /// `hint` names the types that are declared for objects in it.
    pub(super) fn type_of(&mut self, schema: &Json, hint: &PlaceName) -> String {
        let Json::Object(keywords) = schema else { return "Any".to_owned() };
        if let Some(key) = reference_key(schema) {
            return if self.schemas.contains_key(key) { self.name(&self.schema_name(key)) } else { "Any".to_owned() };
        }
        if let Some(values) = constants(schema) {
            return literal_type(values);
        }
        if let Some(branches) = branches(schema) {
            let tag =
                keywords.get("discriminator").and_then(|discriminator| discriminator.get("propertyName")?.as_str());
            // Only its content distinguishes a type from others in a union without a tag.
            let texts = texts_of_union(branches.iter().map(|branch| (branch.clone(), branch.to_string())));
            let key = hint.place.strip_suffix(self.values.suffix).map(str::trim_end);
            let end = if key.is_some_and(|key| self.schemas.contains_key(key)) { "_" } else { "" };
            return union_type(branches.iter().zip(texts).map(|(branch, text)| {
                let value = tag
                    .and_then(|tag| Some(self.object_members(branch)?["properties"].get(tag)?.get("const")?.clone()));
                let hint = match value.as_ref().and_then(Json::as_str) {
                    Some(value) => hint.part(&to_class_name(value), value),
                    None => hint.part(end, &text),
                };
                self.type_of(branch, &hint)
            }));
        }
        if let Some(members) = self.object_members(schema) {
            let about = keywords.get("description").and_then(Json::as_str).unwrap_or_default();
            let name = self.declare_typed_dict(hint, about, &members);
            let is_nullable = keywords.get("type").and_then(Json::as_array).is_some();
            return if is_nullable { format!("{name} | None") } else { name };
        }
        let kinds = kinds(keywords.get("type")).into_iter();
        union_type(kinds.map(|kind| self.type_of_kind(kind, keywords, hint)))
    }

    fn type_of_kind(&mut self, kind: &str, keywords: &Map<String, Json>, hint: &PlaceName) -> String {
        let inner = |writer: &mut Self, keyword: &str, name: &str| {
            let schema = keywords.get(keyword).filter(|schema| schema.is_object());
            schema.map_or_else(|| "Any".to_owned(), |schema| writer.type_of(schema, &hint.part(name, name)))
        };
        let python_type = keywords.get(PYTHON_TYPE).and_then(Json::as_str).filter(|_| kind != "null");
        if let Some(python_type) = python_type {
            return (self.values.converted)(python_type, if kind == "integer" { "int" } else { "str" });
        }
        match kind {
            "string" if keywords.get("format").is_some_and(|format| format == "binary") => self.values.file.to_owned(),
            "string" => "str".to_owned(),
            "integer" => "int".to_owned(),
            "number" => "float".to_owned(),
            "boolean" => "bool".to_owned(),
            "null" => "None".to_owned(),
            "array" => format!("list[{}]", inner(self, "items", "Item")),
            "object" => format!("dict[str, {}]", inner(self, "additionalProperties", "Value")),
            _ => "Any".to_owned(),
        }
    }

    /// Returns the known members of the objects that a schema accepts, in the form of a schema with `properties` and
    /// `required`. Returns `None` if the schema accepts other values than objects and null, or has no known members.
    fn object_members(&self, schema: &Json) -> Option<Json> {
        if let Some(properties) = schema.get("properties") {
            let is_object = match schema.get("type")? {
                Json::Array(kinds) => kinds.iter().all(|kind| kind == "object" || kind == "null"),
                kind => kind == "object",
            };
            return is_object.then(|| json!({ "properties": properties, "required": schema.get("required") }));
        }
        // The branch of a union with a tag has the members of a schema and the tag.
        let parts = schema.get("allOf").filter(|_| schema.get("type").is_none())?.as_array()?;
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts {
            let named = reference_key(part).and_then(|key| self.schemas.get(key));
            let named = named.map(|named| (self.values.schema)(&*named.check));
            let part = self.object_members(named.as_ref().unwrap_or(part))?;
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        Some(json!({ "properties": properties, "required": required }))
    }

    fn schema_name(&self, key: &str) -> PlaceName {
        let suffix = self.values.suffix;
        let place = if suffix.is_empty() { key.to_owned() } else { format!("{key}\n{suffix}") };
        PlaceName::new(unreserved(&(to_name(key) + suffix)), place)
    }

    /// Declares that a name means a type. Python evaluates the type, which can contain names that are declared later.
    pub(super) fn declare_alias(&mut self, place: &PlaceName, about: &str, content: &str) -> String {
        let content = if is_defined_before(content) { content.to_owned() } else { string_literal(content) };
        let name = self.name(place);
        self.declarations.push(format!("{}{name}: TypeAlias = {content}\n", comment(about, 0)));
        name
    }

    /// Declares the type of an object, and returns its name.
    pub(super) fn declare_typed_dict(&mut self, place: &PlaceName, about: &str, members: &Json) -> String {
        let name = self.name(place);
        if !self.declared.insert(place.place.clone()) {
            return name;
        }
        // The types of members are declared after the type that contains them.
        let index = self.declarations.len();
        self.declarations.push(String::new());
        let properties = members["properties"].as_object().into_iter().flatten();
        let required: Vec<&str> =
            members["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let members: Vec<(&String, String, String)> = properties
            .map(|(member, schema)| {
                let value_type = self.type_of(schema, &place.part(&to_class_name(member), member));
                let is_required = required.contains(&member.as_str());
                let value_type = if is_required { value_type } else { format!("NotRequired[{value_type}]") };
                let about = schema.get("description").and_then(Json::as_str).unwrap_or_default();
                (member, value_type, comment(about, 4))
            })
            .collect();
        // A field hides a type of the same name in its class.
        let words: Vec<String> = members.iter().flat_map(|(_, value_type, _)| words_of_type(value_type)).collect();
        let is_field = |name: &String| is_plain_name(name) && !words.contains(name);
        self.declarations[index] = if members.iter().all(|(name, ..)| is_field(name)) {
            let fields =
                members.iter().map(|(member, value_type, about)| format!("{about}    {member}: {value_type}\n"));
            let about = docstring(about, 4);
            let fields: String = fields.collect();
            let space = if about.is_empty() || fields.is_empty() { "" } else { "\n" };
            let content = if about.is_empty() && fields.is_empty() { "    pass\n" } else { "" };
            format!("class {name}(TypedDict):\n{about}{space}{fields}{content}")
        } else {
            // Other names can only be keys of a dictionary.
            let fields = members.iter().map(|(member, value_type, about)| {
                let value_type = match value_type.strip_prefix("NotRequired[").and_then(|rest| rest.strip_suffix(']')) {
                    Some(inner) => format!("NotRequired[{}]", string_literal(inner)),
                    None => string_literal(value_type),
                };
                format!("{about}    {}: {},\n", string_literal(member), value_type)
            });
            let fields: String = fields.collect();
            format!("{}{name} = TypedDict({}, {{\n{fields}}})\n", comment(about, 0), string_literal(&name))
        };
        name
    }
}

fn unreserved(name: &str) -> String {
    let is_reserved = is_one_of(TOP_NAMES, name) || is_one_of(TYPE_NAMES, name);
    format!("{name}{}", if is_reserved { "_" } else { "" })
}

/// Names that are declared after a type must be in quotes in it, because Python evaluates them.
fn is_defined_before(value_type: &str) -> bool {
    let is_known = |word: &str| {
        let is_builtin = is_one_of(TYPE_NAMES, word) && !matches!(word, "FileArgument" | "Download");
        is_builtin || word == "None" || word.starts_with(|char: char| char.is_ascii_digit())
    };
    words_of_type(value_type).iter().all(|word| is_known(word))
}

fn literal_type(values: &[Json]) -> String {
    let is_literal = |value: &&Json| value.is_string() || value.is_boolean() || value.is_i64() || value.is_u64();
    let literals: Vec<String> = values.iter().filter(is_literal).map(literal).collect();
    let literals = (!literals.is_empty()).then(|| format!("Literal[{}]", literals.join(", ")));
    let others = values.iter().filter(|value| !is_literal(value)).map(|value| match value {
        Json::Null => "None".to_owned(),
        Json::Number(_) => "float".to_owned(),
        _ => "Any".to_owned(),
    });
    union_type(literals.into_iter().chain(others))
}

/// Returns the union of several types, without duplicates.
fn union_type(types: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for value_type in types.flat_map(|value_type| split_union(&value_type)) {
        if !all.contains(&value_type) {
            all.push(value_type);
        }
    }
    if all.is_empty() || all.iter().any(|value_type| value_type == "Any") {
        return "Any".to_owned();
    }
    // By convention, `None` is the last type.
    all.sort_by_key(|value_type| value_type == "None");
    all.join(" | ")
}

/// Splits a type at the outermost `|`.
fn split_union(value_type: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for token in tokens_of_type(value_type) {
        match token {
            "[" => depth += 1,
            "]" => depth = depth.saturating_sub(1),
            "|" if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push_str(token);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

// Names, literals and comments of Python code.

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Returns `true` if a text is a name in Python code that has the same meaning in a class.
fn is_plain_name(text: &str) -> bool {
    let is_ascii_name = text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
    let begins = text.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    is_ascii_name && begins && !text.starts_with("__") && !KEYWORDS.contains(&text)
}

/// Returns `true` for letters of common scripts that names can contain. Python changes some other letters.
fn is_letter(char: char) -> bool {
    let is_of_script = matches!(char,
        '\u{c0}'..='\u{24f}' | '\u{391}'..='\u{3c9}' | '\u{400}'..='\u{52f}' | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
    is_of_script && char.is_alphabetic()
}

/// Converts a text to a name. Other characters become `_`, and a keyword gets a trailing underscore. Names do not begin
/// with an underscore, because names that begin with two have another meaning in a class.
pub(super) fn to_name(text: &str) -> String {
    let is_valid = |char: char| char.is_ascii_alphanumeric() || char == '_' || is_letter(char);
    let name: String = text.chars().map(|char| if is_valid(char) { char } else { '_' }).collect();
    let name = name.trim_start_matches('_');
    match name.chars().next() {
        None => "value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        _ if KEYWORDS.contains(&name) => format!("{name}_"),
        _ => name.to_owned(),
    }
}

/// Converts a text to the name of a class: `article.line.get` becomes `ArticleLineGet`.
pub(super) fn to_class_name(text: &str) -> String {
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || is_letter(char)));
    let capitalized = words.map(|word| {
        let mut chars = word.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
    });
    to_name(&capitalized.collect::<String>())
}

/// Returns the words in a type, except those in quotes.
pub(super) fn words_of_type(r#type: &str) -> Vec<String> {
    let words = tokens_of_type(r#type).into_iter().filter(|token| token.starts_with(is_in_word));
    words.map(str::to_owned).collect()
}

/// Splits a type into words, texts in quotes and single other characters.
pub(super) fn tokens_of_type(mut rest: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let mut is_escaped = false;
        let is_last = |char: char| {
            let is_quote = char == '"' && !is_escaped;
            is_escaped = char == '\\' && !is_escaped;
            is_quote
        };
        let length = match first {
            '"' => rest[1..].find(is_last).map_or(rest.len(), |index| index + 2),
            first if is_in_word(first) => rest.find(|char| !is_in_word(char)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn is_in_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn escape_invisible(text: &str) -> String {
    let escape = |char: char| match u32::from(char) {
        _ if !is_invisible_in_code(char) => char.to_string(),
        code @ 0x1_0000.. => format!("\\U{code:08x}"),
        code => format!("\\u{code:04x}"),
    };
    text.chars().map(escape).collect()
}

/// Formats a string literal. A JSON string is also one in Python.
pub(super) fn string_literal(text: &str) -> String {
    escape_invisible(&Json::from(text).to_string())
}

pub(super) fn literal(json: &Json) -> String {
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => string_literal(text),
        Json::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let member = |(name, value): (&String, &Json)| format!("{}: {}", string_literal(name), literal(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Formats a docstring with an indentation. Returns an empty text for an empty text.
pub(super) fn docstring(text: &str, indent: usize) -> String {
    let escape = |line: &str| escape_invisible(line.trim_end()).replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let lines: Vec<String> = text.trim().lines().map(escape).collect();
    let spaces = " ".repeat(indent);
    match lines.as_slice() {
        [] => String::new(),
        // A quote before the quotes at the end would be one of them.
        [line] if !line.ends_with('"') => format!("{spaces}\"\"\"{line}\"\"\"\n"),
        lines => {
            let lines = lines.iter().map(|line| if line.is_empty() { line.clone() } else { format!("{spaces}{line}") });
            let text = lines.collect::<Vec<_>>().join("\n");
            format!("{spaces}\"\"\"{}\n{spaces}\"\"\"\n", text.trim_start())
        }
    }
}

/// Formats a comment with an indentation, in one line for each line of the text.
fn comment(text: &str, indent: usize) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{:indent$}# {}\n", "", escape_invisible(line))).collect()
}
