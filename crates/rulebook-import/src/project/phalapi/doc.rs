//! Converts the doc comments of PhalApi's methods to keys of the dialect `rules`, also `@return` annotations, which
//! people write in many notations.
//!
//! What PHP returns is not known before it runs, so that every output is optional.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::Context;
use super::export::{Class, Doc, Method, Rejection};
use crate::definition::HTTP_METHODS;
use crate::project::Import;

/// The name of the error for all exceptions that no method declares itself.
pub(super) const REFUSED: &str = "refused";

/// Returns the description of a class or a method: the keys `@info` and `@desc`.
pub(super) fn description(doc: &Doc) -> Map<String, Json> {
    let tags = doc.tags.iter().filter(|(name, ..)| name == "desc").map(|(_, text, _)| text.as_str());
    let rest: Vec<&str> = std::iter::once(doc.text.as_str()).chain(tags).filter(|text| !text.is_empty()).collect();
    let rest = rest.join(" ");
    let (info, desc) = if doc.info.is_empty() { (rest.as_str(), "") } else { (doc.info.as_str(), rest.as_str()) };
    let keys = [("@info", info.trim()), ("@desc", desc.trim())].into_iter().filter(|(_, text)| !text.is_empty());
    keys.map(|(key, text)| (key.to_owned(), text.into())).collect()
}

/// Returns the keys of a method that its annotations and its exceptions define: `@method`, `@return`, `@errors` and
/// `@deprecated`.
pub(super) fn annotations(
    class: &Class,
    method: &Method,
    context: &Context<'_>,
    import: &mut Import,
) -> Map<String, Json> {
    let mut keys = Map::new();
    let (mut returned, mut errors) = (Vec::new(), Map::new());
    let mut warn = |line: usize, message: String| {
        import.warn(&method.file, line, format!("`{}.{}`: {message}", class.name, method.name));
    };
    for (tag, text, line) in &method.doc.tags {
        let message = match tag.as_str() {
            "method" if !context.version.checks_method() => {
                let version = context.version;
                format!("`@method {text}` has no effect in PhalApi {version}: the method takes GET and POST")
            }
            "method" => {
                let (read, others) = http_methods(text);
                let names = read.join(" and ");
                if read.is_empty() {
                    format!("`@method {text}` names no HTTP methods; the method takes GET and POST")
                } else {
                    keys.insert("@method".to_owned(), read.into());
                    if others.is_empty() {
                        continue;
                    }
                    format!("`@method {text}` allows only {names}: PhalApi separates the names by blanks")
                }
            }
            "return" => {
                returned.push((text.as_str(), *line));
                continue;
            }
            "exception" => match add_error(text, &mut errors) {
                Ok(()) => continue,
                Err(message) => message,
            },
            "deprecated" => {
                keys.insert("@deprecated".to_owned(), true.into());
                continue;
            }
            "ignore" => {
                "`@ignore` hides the method from PhalApi's documents; rulebook documents every method".to_owned()
            }
            // Other functions read these annotations, or they describe the code and not the API.
            "desc" | "author" | "version" | "link" | "license" | "since" | "see" | "param" | "throws" | "package"
            | "copyright" | "example" | "todo" | "var" | "property" => continue,
            other => format!("the annotation `@{other}` is not read"),
        };
        warn(*line, message);
    }
    let returned = outputs(&returned, &method.names, &mut warn);
    for Rejection { ret, message } in &method.rejections {
        let is_declared = |error: &Json| error["status"] == *ret;
        if !errors.values().any(is_declared) {
            insert_error(*ret, message, &mut errors);
        }
    }
    if context.has_other_rejections {
        errors.insert(REFUSED.to_owned(), json!({ "status": 400, "info": "the request is refused" }));
    }
    if !returned.is_empty() {
        keys.insert("@return".to_owned(), returned.into());
    }
    if !errors.is_empty() {
        keys.insert("@errors".to_owned(), errors.into());
    }
    keys
}

/// Returns the HTTP methods that PhalApi reads in the text after `@method`, and those that it does not find. It
/// searches each name after a blank.
fn http_methods(text: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    let text = text.to_ascii_uppercase();
    let named = HTTP_METHODS.into_iter().filter(|name| text.contains(name));
    named.partition(|name| text.split_whitespace().any(|word| word.starts_with(name)))
}

/// Adds the error that an annotation such as `@exception 406 The signature is wrong` describes. The error is a warning.
fn add_error(text: &str, errors: &mut Map<String, Json>) -> Result<(), String> {
    let (code, description) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Some(status) = code.parse::<u16>().ok().filter(|status| (400..600).contains(status)) else {
        return Err(format!("`@exception {text}` has no `ret` from 400 to 599: the error is not declared"));
    };
    insert_error(status, description, errors);
    Ok(())
}

/// Adds an error with this status. If the description is empty, the name describes the error.
fn insert_error(status: u16, description: &str, errors: &mut Map<String, Json>) {
    let mut name = format!("error_{status}");
    let mut number = 2;
    while errors.contains_key(&name) {
        name = format!("error_{status}_{number}");
        number += 1;
    }
    let info = if description.trim().is_empty() { &name } else { description.trim() };
    let error = json!({ "status": status, "info": info });
    errors.insert(name, error);
}

/// The name of an output that is all that the method returns.
const WHOLE: &str = "*";

/// The members of a response around what a method returns.
const DATA: &str = "data";
const ENVELOPE: [&str; 3] = ["ret", DATA, "msg"];

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
    let mut found: Vec<(usize, Output)> = Vec::new();
    for (text, line) in annotations {
        let mut warn = |message: &str| warn(*line, format!("`@return {}`: {message}", text.trim()));
        found.extend(read(text, &mut warn).into_iter().map(|output| (*line, output)));
    }
    let is_in_code = |name: &str| names.iter().any(|known| known == name);
    let begins_with =
        |output: &Output, name: &str| matches!(output.path.first(), Some(Step::Field(first)) if first == name);
    let has_envelope = !is_in_code(DATA) && found.iter().any(|(_, output)| begins_with(output, DATA));
    for (line, mut output) in found {
        if has_envelope && ENVELOPE.iter().any(|name| !is_in_code(name) && begins_with(&output, name)) {
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

/// The types in the dialect `rules`, each with the names of it that PHP and its documents use. The last names are also
/// names of outputs: before one of the first names, they are no types.
const TYPES: [(&str, &str, &str); 9] = [
    ("string", "string", "str text varchar char url uri email html"),
    ("int", "int integer", "timestamp long short bigint smallint tinyint uint int32 int64"),
    ("float", "float double", "number numeric decimal real"),
    ("boolean", "boolean bool", "true false"),
    ("array", "array", "list arr"),
    ("object", "object", "obj map hash"),
    ("fixed", "mixed fixed", "json any"),
    ("enum", "enum", ""),
    ("date", "", "date datetime"),
];

const NO_VALUE: [&str; 5] = ["null", "void", "none", "nil", "never"];

/// The characters that can separate the name of an output from its description.
const SEPARATORS: [char; 9] = [',', ';', ':', '=', '，', '；', '：', '、', '。'];
/// The characters with which a description can begin without a blank.
const PARENTHESES: [char; 2] = ['(', '（'];

const MAX_STEPS: usize = 32;

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Items,
}

#[derive(Debug)]
struct Output {
    /// The steps to the output; empty if the annotation describes all that the method returns.
    pub path: Vec<Step>,
    pub type_name: &'static str,
    pub description: String,
}

/// Reads an annotation, the text after `@return`. `warn` gets a message if the text is not understood.
fn read(text: &str, warn: &mut dyn FnMut(&str)) -> Vec<Output> {
    members_of_array(text).unwrap_or_else(|| read_words(text, warn).into_iter().collect())
}

/// Reads an annotation such as `int list[].id The id`. Returns `None` for one that describes nothing.
fn read_words(text: &str, warn: &mut dyn FnMut(&str)) -> Option<Output> {
    let (first, rest) = split_word(text);
    let (second, after) = split_name(rest);
    let output = |path, type_name, description: &str| {
        Some(Output { path, type_name, description: description.trim_start_matches(SEPARATORS).trim().to_owned() })
    };
    let is_certain = |word: &str| TYPES.iter().any(|(_, certain, _)| is_in(certain, word));
    // `string The name` describes what is returned, and names nothing.
    let begins_sentence = ["The", "A", "An"].contains(&second) && !after.trim().is_empty();
    match (type_of(first), read_path(second).filter(|_| !begins_sentence)) {
        _ if first.is_empty() || NO_VALUE.iter().any(|name| name.eq_ignore_ascii_case(first)) => None,
        // The words are in the wrong order: `url string The address`.
        (known, _) if is_certain(second) && !is_certain(first) && (known.is_none() || read_path(first).is_some()) => {
            let path = read_path(first);
            if path.is_none() {
                warn("the name is not understood: the output is not described");
            }
            output(path?, type_of(second)?, after)
        }
        (Some(type_name), Some(path)) => {
            if after.trim_start().starts_with(['.', '[', '|', '/']) || after.trim_start().starts_with("->") {
                warn(&format!("the name ends at the blank after `{second}`"));
            }
            output(path, type_name, after)
        }
        // Only a type and a description: it describes all that the method returns.
        (Some(type_name), None) => {
            if resembles_name(second, after) {
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

/// Reads an array in PHP's notation, such as `array('id' => the id, 'name' => the name)`.
fn members_of_array(text: &str) -> Option<Vec<Output>> {
    let text = text.trim();
    let inner = ["array(", "["].iter().find_map(|start| text.strip_prefix(start))?;
    let mut members = Vec::new();
    for member in inner.trim_end_matches([')', ']', ';']).split(',').filter(|member| !member.trim().is_empty()) {
        let (name, description) = member.split_once("=>")?;
        let name = field_name(name.trim().trim_matches(['"', '\'']))?;
        let description = description.trim().to_owned();
        members.push(Output { path: vec![Step::Field(name)], type_name: "fixed", description });
    }
    Some(members)
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Splits a text after the name of an output: at a blank, or at a character that separates a description.
fn split_name(text: &str) -> (&str, &str) {
    let (word, rest) = split_word(text);
    let is_end = |char: char| SEPARATORS.contains(&char) || PARENTHESES.contains(&char);
    let end = word.find(is_end).filter(|end| read_path(&word[..*end]).is_some());
    end.map_or((word, rest), |end| text.trim_start().split_at(end))
}

/// Returns `true` for a word that is not a name, and probably not a word of a description either.
fn resembles_name(word: &str, after: &str) -> bool {
    let without_end = word.trim_end_matches(['.', '!', '?', ')', ',', ';', ':']);
    let is_start = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '$' | '[' | '\'' | '"' | '`');
    let is_letter = |char: char| char.is_ascii_alphabetic() || matches!(char, '_' | '-');
    // The name of `info. name` ends with a dot, and so does the last word of a sentence.
    let is_parent =
        word.ends_with('.') && word.starts_with(|char: char| char.is_ascii_lowercase()) && !after.is_empty();
    word.starts_with(is_start) && (is_parent || !without_end.chars().all(is_letter))
}

/// Returns the type that a word names, such as `int`, `int|null` or `User[]`. Returns `None` for other words.
fn type_of(word: &str) -> Option<&'static str> {
    let word = word.trim_start_matches('?');
    if word.ends_with("[]") && word.trim_end_matches("[]").chars().all(is_in_type_name) {
        return Some("array");
    }
    let word = word.split_once('<').map_or(word, |(name, _)| name);
    let alternatives: Vec<&str> =
        word.split(['|', '/']).filter(|name| !NO_VALUE.contains(&&*name.to_lowercase())).collect();
    let find = |name: &&str| TYPES.iter().find(|(_, certain, others)| is_in(certain, name) || is_in(others, name));
    let mut types = alternatives.iter().map(|name| find(name).map(|(found, ..)| *found));
    let first = types.next()??;
    types.try_fold(first, |first, next| next.map(|next| if next == first { first } else { "fixed" }))
}

fn is_in(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known.eq_ignore_ascii_case(word))
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
    (path.len() <= MAX_STEPS).then_some(path)
}

fn field_name(name: &str) -> Option<String> {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_';
    let is_name =
        name.starts_with(is_first) && name.chars().all(|char| is_first(char) || char.is_ascii_digit() || char == '-');
    is_name.then(|| name.to_owned())
}
