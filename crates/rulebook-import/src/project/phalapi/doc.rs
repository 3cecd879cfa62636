//! Converts the doc comments of PhalApi's methods to keys of the dialect `rules`.

use serde_json::{Map, Value as Json, json};

use super::Context;
use super::export::{Class, Doc, Method, Rejection};
use super::returns::outputs;
use crate::project::Import;
use crate::repair::HTTP_METHODS;

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
        match tag.as_str() {
            "method" if !context.version.checks_method() => {
                let version = context.version;
                warn(
                    *line,
                    format!("`@method {text}` has no effect in PhalApi {version}: the method takes GET and POST"),
                );
            }
            "method" => {
                let (read, others) = http_methods(text);
                if !others.is_empty() && !read.is_empty() {
                    warn(
                        *line,
                        format!(
                            "`@method {text}` allows only {}: PhalApi separates the names by blanks",
                            read.join(" and ")
                        ),
                    );
                }
                if read.is_empty() {
                    warn(*line, format!("`@method {text}` names no HTTP methods; the method takes GET and POST"));
                } else {
                    keys.insert("@method".to_owned(), read.into());
                }
            }
            "return" => returned.push((text.as_str(), *line)),
            "exception" => add_error(text, &mut errors, &mut |message| warn(*line, message)),
            "deprecated" => drop(keys.insert("@deprecated".to_owned(), true.into())),
            "ignore" => warn(
                *line,
                "`@ignore` hides the method from PhalApi's documents; rulebook documents every method".to_owned(),
            ),
            // Other functions read these annotations, or they describe the code and not the API.
            "desc" | "author" | "version" | "link" | "license" | "since" | "see" | "param" | "throws" | "package"
            | "copyright" | "example" | "todo" | "var" | "property" => {}
            other => warn(*line, format!("the annotation `@{other}` is not read")),
        }
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
