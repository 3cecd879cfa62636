//! Converts `@return` annotations, which people write in many notations, to the key `@return` of the dialect `rules`.
//!
//! What PHP returns is not known before it runs, so that every output is optional.

mod annotation;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use annotation::{Output, Step, read};

/// The name of an output that is all that the method returns.
const WHOLE: &str = "*";

/// The members of a response around what a method returns.
const DATA: &str = "data";
const ENVELOPE: [&str; 3] = ["ret", DATA, "msg"];

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
