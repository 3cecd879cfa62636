//! Converts `@return` annotations, which people write in many notations, to the key `@return` of the dialect `rules`.
//!
//! What PHP returns is not known before it runs, so that every output is optional.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

/// The names of types that PHP and its documents use, each with the type in the dialect `rules`.
const TYPES: [(&str, &str); 44] = [
    ("string", "string"),
    ("int", "int"),
    ("integer", "int"),
    ("float", "float"),
    ("double", "float"),
    ("boolean", "boolean"),
    ("bool", "boolean"),
    ("array", "array"),
    ("object", "object"),
    ("mixed", "fixed"),
    ("fixed", "fixed"),
    ("enum", "enum"),
    // The words from here are also names of outputs: before one of the words above, they are no types.
    ("date", "date"),
    ("datetime", "date"),
    ("timestamp", "int"),
    ("str", "string"),
    ("text", "string"),
    ("varchar", "string"),
    ("char", "string"),
    ("url", "string"),
    ("uri", "string"),
    ("email", "string"),
    ("html", "string"),
    ("long", "int"),
    ("short", "int"),
    ("bigint", "int"),
    ("smallint", "int"),
    ("tinyint", "int"),
    ("uint", "int"),
    ("int32", "int"),
    ("int64", "int"),
    ("number", "float"),
    ("numeric", "float"),
    ("decimal", "float"),
    ("real", "float"),
    ("list", "array"),
    ("arr", "array"),
    ("obj", "object"),
    ("map", "object"),
    ("hash", "object"),
    ("json", "fixed"),
    ("any", "fixed"),
    ("true", "boolean"),
    ("false", "boolean"),
];

/// The number of types in `TYPES` that cannot be the name of an output before another type.
const CERTAIN_TYPES: usize = 12;

/// The words that stand for no value.
const NO_VALUE: [&str; 5] = ["null", "void", "none", "nil", "never"];

/// The name of an output that is all that the method returns.
const WHOLE: &str = "*";

/// The members of a response around what a method returns.
const DATA: &str = "data";
const ENVELOPE: [&str; 3] = ["ret", DATA, "msg"];

/// A step in the path of an output.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    /// The items of an array: `[]`.
    Items,
}

/// An annotation that was understood.
#[derive(Debug)]
struct Output {
    /// The steps to the output; empty if the annotation describes all that the method returns.
    path: Vec<Step>,
    type_name: &'static str,
    description: String,
}

/// An output, or a member or the items of one.
#[derive(Debug, Default)]
struct Node {
    /// The type and the description; `None` if there are only annotations of parts.
    entry: Option<(&'static str, String)>,
    items: Option<Box<Node>>,
    fields: IndexMap<String, Node>,
}

/// Returns the key `@return` for the annotations of a method, each the text after `@return` and its line. `names` are
/// the names of the response around the outputs that are in the code of the method. `warn` gets a line and a message.
pub(super) fn outputs(
    annotations: &[(&str, usize)],
    names: &[String],
    warn: &mut dyn FnMut(usize, String),
) -> Map<String, Json> {
    let mut root = Node::default();
    let mut whole = None;
    let mut read: Vec<(usize, Output)> = Vec::new();
    for (text, line) in annotations {
        let mut warn = |message: &str| warn(*line, format!("`@return {}`: {message}", text.trim()));
        read.extend(read_annotation(text, &mut warn).map(|output| (*line, output)));
    }
    let is_own = |name: &str| names.iter().any(|known| known == name);
    let begins_with =
        |output: &Output, name: &str| matches!(output.path.first(), Some(Step::Field(first)) if first == name);
    let has_envelope = !is_own(DATA) && read.iter().any(|(_, output)| begins_with(output, DATA));
    for (line, mut output) in read {
        if has_envelope && ENVELOPE.iter().any(|name| !is_own(name) && begins_with(&output, name)) {
            if !begins_with(&output, DATA) {
                continue;
            }
            output.path.remove(0);
        }
        if output.path.is_empty() {
            whole = Some((output.type_name, output.description));
            continue;
        }
        let node = output.path.iter().fold(&mut root, |node, step| match step {
            Step::Field(name) => node.fields.entry(name.clone()).or_default(),
            Step::Items => node.items.get_or_insert_default(),
        });
        if node.entry.replace((output.type_name, output.description)).is_some() {
            let path = path_text(&output.path);
            warn(line, format!("there are several `@return` of `{path}`: only the last one was carried over"));
        }
    }
    let mut returned = Map::new();
    if root.fields.is_empty() && root.items.is_some() {
        root.write(WHOLE, false, &mut returned);
    } else if root.fields.is_empty() {
        if let Some((type_name, description)) = whole {
            // An array of PHP can be a list or an object.
            let type_name = if type_name == "array" { "fixed" } else { type_name };
            insert(&mut returned, WHOLE, &format!("?{type_name}"), &description);
        }
    } else {
        root.fields.into_iter().for_each(|(name, node)| node.write(&name, false, &mut returned));
    }
    returned
}

impl Node {
    /// Adds the entries of a node and of its parts. The items of an array are not optional.
    fn write(mut self, path: &str, is_item: bool, returned: &mut Map<String, Json>) {
        let is_declared = self.entry.is_some();
        let (type_name, description) = self.entry.take().unwrap_or_default();
        // `list.id` means the items of a list, too.
        if !self.fields.is_empty() && (self.items.is_some() || type_name == "array") {
            let items = self.items.get_or_insert_default();
            for (name, node) in self.fields.drain(..) {
                items.fields.entry(name).or_insert(node);
            }
        }
        let (has_parts, type_name) = match (&self.items, self.fields.is_empty()) {
            (Some(_), _) => (true, "array"),
            (None, false) => (true, "object"),
            (None, true) => (false, if is_declared { type_name } else { "fixed" }),
        };
        // The type of items follows from their parts.
        if !is_item || is_declared || !has_parts {
            let mark = if is_item { "" } else { "?" };
            insert(returned, path, &format!("{mark}{type_name}"), &description);
        }
        if let Some(items) = self.items {
            items.write(&format!("{path}[]"), true, returned);
        }
        for (name, node) in self.fields {
            node.write(&format!("{path}.{name}"), false, returned);
        }
    }
}

fn insert(returned: &mut Map<String, Json>, path: &str, type_name: &str, description: &str) {
    let mut entry = json!({ "type": type_name });
    if !description.is_empty() {
        entry["desc"] = description.into();
    }
    returned.insert(path.to_owned(), entry);
}

fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => text.extend([".", name]),
            Step::Items => text.push_str("[]"),
        }
    }
    text
}

/// Reads an annotation such as `int list[].id The id`. Returns `None` for one that describes nothing.
fn read_annotation(text: &str, warn: &mut dyn FnMut(&str)) -> Option<Output> {
    let (first, rest) = split_word(text);
    let (second, after) = split_word(rest);
    let output = |path, type_name, description: &str| {
        Some(Output { path, type_name, description: description.trim().to_owned() })
    };
    let is_certain = |word: &str| TYPES[..CERTAIN_TYPES].iter().any(|(name, _)| name.eq_ignore_ascii_case(word));
    match (type_of(first), read_path(second)) {
        _ if first.is_empty() || NO_VALUE.iter().any(|name| name.eq_ignore_ascii_case(first)) => None,
        // The words are in the wrong order: `url string The address`.
        (known, _) if is_certain(second) && !is_certain(first) && (known.is_none() || read_path(first).is_some()) => {
            let path = read_path(first);
            if path.is_none() {
                warn("the name is not understood: the output is not described");
            }
            output(path?, type_of(second)?, after)
        }
        (Some(type_name), Some(path)) => output(path, type_name, after),
        // Only a type and a description: it describes all that the method returns.
        (Some(type_name), None) => {
            if second.contains(['[', '$', '\'', '"']) {
                warn("the name is not understood: the annotation describes all that the method returns");
            }
            output(Vec::new(), type_name, rest)
        }
        (None, Some(path)) => {
            warn(&format!("the type `{first}` is unknown; replaced by `fixed`, which accepts every value"));
            output(path, "fixed", after)
        }
        (None, None) if is_class(first) => output(Vec::new(), "fixed", rest),
        // Only a name and a description.
        (None, None) => {
            let path = read_path(first).filter(|_| !rest.trim().is_empty());
            match &path {
                Some(_) => warn("the type is missing; it is `fixed`, which accepts every value"),
                None => warn("names no output: the output is not described"),
            }
            output(path?, "fixed", rest)
        }
    }
}

/// Returns `true` for the name of a class, such as `User` or `\Shop\User`.
fn is_class(word: &str) -> bool {
    let last = word.rsplit('\\').next().unwrap_or_default();
    last.starts_with(|char: char| char.is_ascii_uppercase()) && word.chars().all(is_in_type_name)
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Returns the type that a word names, such as `int`, `int|null` or `User[]`. Returns `None` for other words.
fn type_of(word: &str) -> Option<&'static str> {
    let word = word.trim_start_matches('?');
    if word.ends_with("[]") && word.trim_end_matches("[]").chars().all(is_in_type_name) {
        return Some("array");
    }
    let word = word.split_once('<').map_or(word, |(name, _)| name);
    let alternatives: Vec<&str> = word.split(['|', '/']).filter(|name| !NO_VALUE.contains(&&*name.to_lowercase())).collect();
    let find = |name: &str| TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, found)| *found);
    let mut types = alternatives.iter().map(|name| find(name));
    let first = types.next()??;
    types.try_fold(first, |first, next| next.map(|next| if next == first { first } else { "fixed" }))
}

fn is_in_type_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '\\'
}

/// Reads the path of an output: `list[].id`, `info[0].msg`, `info['id']`, `$info->id`.
fn read_path(word: &str) -> Option<Vec<Step>> {
    let word = word.trim_start_matches('$').trim_end_matches([',', ';', ':', '：', '，']);
    let word = word.trim_matches(['"', '\'', '`']).replace("->", ".");
    let mut path = Vec::new();
    for part in word.split('.') {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        match name {
            // A number in place of a name, and a missing name before brackets, are items.
            "*" => path.push(Step::Items),
            "" if !rest.is_empty() => {}
            _ if !path.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => {
                path.push(Step::Items);
            }
            _ => path.push(Step::Field(field_name(name)?)),
        }
        while !rest.is_empty() {
            let (key, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = key.trim_matches(['"', '\'']);
            let is_index = key == quoted && (key.len() <= 1 || key.bytes().all(|byte| byte.is_ascii_digit()));
            path.push(if is_index { Step::Items } else { Step::Field(field_name(quoted)?) });
            rest = after;
        }
    }
    Some(path)
}

fn field_name(name: &str) -> Option<String> {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_';
    let is_name = name.starts_with(is_first) && name.chars().all(|char| is_first(char) || char.is_ascii_digit() || char == '-');
    is_name.then(|| name.to_owned())
}
