//! Converts the doc comments of PhalApi's methods to keys of the dialect `rules`.

use rulebook_model::definition::keys::rules::{RETURN_TYPE_ALIASES, tree_name_of_alias};
use serde_json::{Map, Value as Json, json};

use super::export::{Class, Doc, Method, Rejection};
use crate::project::Import;

/// The HTTP methods that `@method` can name.
const HTTP_METHODS: [&str; 5] = ["GET", "POST", "PUT", "DELETE", "PATCH"];

/// The name of the error for all exceptions that no method declares itself.
pub(super) const REFUSED: &str = "refused";

/// Returns the description of a class or a method: the keys `@info` and `@desc`.
pub(super) fn description(doc: &Doc) -> Map<String, Json> {
    let tags = doc.tags.iter().filter(|(name, _)| name == "desc").map(|(_, text)| text.as_str());
    let rest: Vec<&str> = std::iter::once(doc.text.as_str()).chain(tags).filter(|text| !text.is_empty()).collect();
    let mut keys = Map::new();
    let mut insert = |key: &str, text: &str| {
        if !text.trim().is_empty() {
            keys.insert(key.to_owned(), text.trim().into());
        }
    };
    match doc.info.as_str() {
        "" => insert("@info", &rest.join(" ")),
        info => {
            insert("@info", info);
            insert("@desc", &rest.join(" "));
        }
    }
    keys
}

/// Returns the keys of a method that its annotations and its exceptions define: `@method`, `@return` and `@errors`.
/// With `has_other_rejections`, code that the method may call rejects requests with an unknown `ret`.
pub(super) fn annotations(
    class: &Class,
    method: &Method,
    has_other_rejections: bool,
    import: &mut Import,
) -> Map<String, Json> {
    let mut keys = Map::new();
    let (mut returned, mut errors) = (Map::new(), Map::new());
    for (tag, text) in &method.doc.tags {
        let mut warn = |message: String| {
            let message = format!("`{}.{}`: {message}", class.name, method.name);
            import.warn(&method.file, method.line, message);
        };
        match tag.as_str() {
            "method" => {
                let names: Vec<&str> =
                    text.split(|char: char| !char.is_ascii_alphabetic()).filter(|name| !name.is_empty()).collect();
                let methods: Vec<String> = names.iter().map(|name| name.to_ascii_uppercase()).collect();
                if !methods.is_empty() && methods.iter().all(|name| HTTP_METHODS.contains(&name.as_str())) {
                    keys.insert("@method".to_owned(), methods.into());
                } else {
                    warn(format!("`@method {text}` names no HTTP methods; the method takes GET and POST"));
                }
            }
            "return" => add_output(text, &mut returned, &mut warn),
            "exception" => add_error(text, &mut errors, &mut warn),
            "deprecated" => warn("`@deprecated` has no equivalent in the dialect `rules`".to_owned()),
            "ignore" => {
                warn("`@ignore` hides the method from PhalApi's documents; rulebook documents every method".to_owned());
            }
            // Other functions read these annotations, or they describe the code and not the API.
            "desc" | "author" | "version" | "link" | "license" | "since" | "see" | "param" | "throws" | "package"
            | "copyright" | "example" | "todo" | "var" | "property" => {}
            other => warn(format!("the annotation `@{other}` is not read")),
        }
    }
    for Rejection { ret, message } in &method.rejections {
        let is_declared = |error: &Json| error["status"] == *ret;
        if !errors.values().any(is_declared) {
            insert_error(*ret, message, &mut errors);
        }
    }
    if has_other_rejections {
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

/// Adds the output that an annotation such as `@return int list[].id The id` describes.
fn add_output(text: &str, returned: &mut Map<String, Json>, warn: &mut dyn FnMut(String)) {
    let mut words = text.splitn(3, char::is_whitespace).map(str::trim);
    let (name, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let is_path = path.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    if !is_path {
        return warn(format!("`@return {text}` names no output: the outputs are not described"));
    }
    // The documentation of PhalApi does not list all names of PHP's types.
    let known = |name: &str| tree_name_of_alias(RETURN_TYPE_ALIASES, name).is_some();
    let type_name = match name.to_ascii_lowercase().as_str() {
        "integer" | "timestamp" => "int",
        "bool" => "boolean",
        "double" | "number" => "float",
        "mixed" => "fixed",
        _ if known(name) => name,
        _ => {
            warn(format!(
                "`@return {text}`: the type `{name}` is unknown; replaced by `fixed`, which accepts every value"
            ));
            "fixed"
        }
    };
    let mut output = json!({ "type": type_name });
    if let Some(description) = words.next().filter(|text| !text.is_empty()) {
        output["desc"] = description.into();
    }
    if returned.insert(path.to_owned(), output).is_some() {
        warn(format!("there are several `@return` of `{path}`: only the last one was carried over"));
    }
}

/// Adds the error that an annotation such as `@exception 406 The signature is wrong` describes.
fn add_error(text: &str, errors: &mut Map<String, Json>, warn: &mut dyn FnMut(String)) {
    let (code, description) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Some(status) = code.parse::<u16>().ok().filter(|status| (400..600).contains(status)) else {
        return warn(format!("`@exception {text}` has no `ret` from 400 to 599: the error is not declared"));
    };
    insert_error(status, description, errors);
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
