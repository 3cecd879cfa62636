//! Names, literals and comments of Python code.

use serde_json::Value as Json;

use crate::invisible::is_invisible;

/// The keywords of Python, which cannot be names.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Returns `true` if a text is a name in Python code that has the same meaning in a class.
pub(super) fn is_plain_name(text: &str) -> bool {
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
    let without_escapes = r#type.replace("\\\\", "").replace("\\\"", "");
    let texts = without_escapes.split('"').step_by(2);
    let words = texts.flat_map(|text| text.split(|char: char| !(char.is_alphanumeric() || char == '_')));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Escapes characters that an editor does not show.
fn escape_invisible(text: &str) -> String {
    let escape = |char: char| match char {
        '\t' | '\u{200c}' | '\u{200d}' => char.to_string(),
        char if is_invisible(char) && u32::from(char) > 0xffff => format!("\\U{:08x}", u32::from(char)),
        char if is_invisible(char) => format!("\\u{:04x}", u32::from(char)),
        char => char.to_string(),
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
pub(super) fn comment(text: &str, indent: usize) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| format!("{:indent$}# {}\n", "", escape_invisible(line))).collect()
}
