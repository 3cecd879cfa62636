//! Generates the Rust file with the handlers of an API module.

use std::collections::HashSet;
use std::fmt::Write;

use rulebook_model::model::{Method, Module, Segment, Service};

use super::identifier::{camel_case, snake_case, unique};
use super::rust_type::{type_of_output, type_of_parameter};

/// The maximum length of a line in the format of `cargo fmt`.
const MAX_LINE: usize = 100;
/// The maximum length of a chain of calls in one line.
const MAX_CHAIN: usize = 60;

/// Types that the generated code imports if it uses them: the path of each, and its name.
const IMPORTS: [(&str, &[&str]); 3] = [
    ("rulebook", &["ApiError", "Args", "Context", "Download", "Module", "Upload"]),
    ("serde", &["Deserialize", "Serialize"]),
    ("serde_json", &["Map", "Value"]),
];

/// A handler of one or two methods of a service.
struct Handler<'a> {
    method: &'a Method,
    uri: String,
    /// The function of `Module` that binds the handler: `get`, or `any` for GET and POST.
    binding: String,
    /// The name of the function.
    name: String,
}

/// Returns the text of the Rust file for an API module.
pub(super) fn module_file(module: &Module) -> String {
    let mut used = HashSet::from(["module".to_owned(), "not_implemented".to_owned()]);
    let handlers: Vec<Handler<'_>> =
        module.services.iter().flat_map(|service| handlers_of_service(module, service, &mut used)).collect();
    let mut body = binding_function(module, &handlers);
    for handler in &handlers {
        body += &handler_code(handler);
    }
    let mut text = format!(
        "//! The handlers of the API module `{}`.\n//!\n//! TODO: write the handlers. Until then, each of them responds \
         with the status 501.\n#![allow(dead_code)] // Remove this line when the handlers use their arguments.\n\n",
        module.name
    );
    for (path, names) in IMPORTS {
        let names: Vec<&str> = names.iter().copied().filter(|name| contains_word(&body, name)).collect();
        match names.as_slice() {
            [] => {}
            [name] => text += &format!("use {path}::{name};\n"),
            names => text += &format!("use {path}::{{{}}};\n", names.join(", ")),
        }
    }
    text + "\nuse super::not_implemented;\n\n" + &body
}

/// Returns `true` if the code contains an identifier.
fn contains_word(code: &str, word: &str) -> bool {
    let is_part = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("///"));
    lines.flat_map(|line| line.split(|char| !is_part(char))).any(|part| part == word)
}

fn handlers_of_service<'a>(module: &Module, service: &'a Service, used: &mut HashSet<String>) -> Vec<Handler<'a>> {
    let find = |http: &str| service.methods.iter().find(|method| method.http.as_str() == http);
    let shared = match (find("GET"), find("POST")) {
        (Some(get), Some(post)) if is_same(get, post) => Some(get),
        _ => None,
    };
    let count = service.methods.len() - usize::from(shared.is_some());
    let name_of = |prefix: &str, used: &mut HashSet<String>| {
        let names = service.path.iter().filter_map(|segment| match segment {
            Segment::Static(text) => Some(text.as_str()),
            Segment::Capture(_) => None,
        });
        // The name of the module is the name of the file, and is not repeated.
        let names: Vec<&str> = names.collect();
        let names = names.strip_prefix(&[module.name.as_str()][..]).filter(|rest| !rest.is_empty()).unwrap_or(&names);
        let last = names.last().copied().unwrap_or_default();
        let prefixed = |name: &str| if count > 1 { format!("{prefix}_{name}") } else { name.to_owned() };
        let short = snake_case(&prefixed(last), prefix);
        let long = snake_case(&prefixed(&names.join("_")), prefix);
        unique(if used.contains(&short) { long } else { short }, used)
    };
    let mut handlers = Vec::new();
    for method in &service.methods {
        let is_shared = shared.is_some_and(|_| ["GET", "POST"].contains(&method.http.as_str()));
        if is_shared && method.http.as_str() == "POST" {
            continue;
        }
        let http = method.http.as_str().to_ascii_lowercase();
        let binding = if is_shared { "any".to_owned() } else { http.clone() };
        handlers.push(Handler { method, uri: service.uri(), binding, name: name_of(&http, used) });
    }
    handlers
}

/// Returns `true` if the same handler can implement both methods.
fn is_same(a: &Method, b: &Method) -> bool {
    let parameters = |method: &Method| -> Vec<_> {
        method.parameters.iter().map(|parameter| (parameter.name.clone(), type_of_parameter(parameter))).collect()
    };
    let outputs = |method: &Method| -> Vec<_> {
        method.outputs.iter().map(|output| (output.name.clone(), type_of_output(output))).collect()
    };
    a.info == b.info
        && a.options.download == b.options.download
        && parameters(a) == parameters(b)
        && outputs(a) == outputs(b)
}

/// Returns the function that binds the handlers to the methods.
fn binding_function(module: &Module, handlers: &[Handler<'_>]) -> String {
    let new = format!("Module::new({:?})", module.name);
    let calls: Vec<String> =
        handlers.iter().map(|handler| format!(".{}({:?}, {})", handler.binding, handler.uri, handler.name)).collect();
    let line = format!("{new}{}", calls.concat());
    let chain = if line.len() <= MAX_CHAIN { line } else { format!("{new}\n        {}", calls.join("\n        ")) };
    format!("/// Returns the handlers of the API module.\npub fn module() -> Module {{\n    {chain}\n}}\n")
}

/// Returns the function of a handler, and the types of its arguments and outputs.
fn handler_code(handler: &Handler<'_>) -> String {
    let method = handler.method;
    let mut code = String::new();
    let type_name = camel_case(&handler.name);
    let argument = if method.parameters.is_empty() {
        "_: Args<()>".to_owned()
    } else {
        let fields = method.parameters.iter();
        let fields = fields.map(|parameter| (&*parameter.name, &*parameter.info, type_of_parameter(parameter)));
        code += &struct_code(&format!("{type_name}Args"), "arguments", "Deserialize", handler, fields);
        format!("Args(_): Args<{type_name}Args>")
    };
    let output = if method.options.download {
        "Download".to_owned()
    } else if let Some(whole) = method.whole() {
        type_of_output(whole)
    } else if method.outputs.is_empty() {
        "()".to_owned()
    } else {
        let fields = method.outputs.iter().map(|output| (&*output.name, &*output.info, type_of_output(output)));
        code += &struct_code(&format!("{type_name}Output"), "outputs", "Serialize", handler, fields);
        format!("{type_name}Output")
    };
    let name = &handler.name;
    let mut signature = format!("async fn {name}({argument}, _: Context) -> Result<{output}, ApiError> {{");
    if signature.len() > MAX_LINE {
        signature = format!("async fn {name}(\n    {argument},\n    _: Context,\n) -> Result<{output}, ApiError> {{");
    }
    let info = one_line(method.info.split("\n\n").next().unwrap_or_default());
    code + &format!("\n/// {info}\n{signature}\n    Err(not_implemented({:?}))\n}}\n", method.id)
}

/// Returns a struct with a field for each of the named values.
fn struct_code<'a>(
    name: &str,
    content: &str,
    derived: &str,
    handler: &Handler<'_>,
    fields: impl Iterator<Item = (&'a str, &'a str, String)>,
) -> String {
    let uri = &handler.uri;
    let mut code = format!("\n/// The {content} of `{uri}`.\n#[derive({derived})]\nstruct {name} {{\n");
    let mut used = HashSet::new();
    for (field, info, type_name) in fields {
        let identifier = unique(snake_case(field, "value"), &mut used);
        let info = one_line(info);
        // The description of an undescribed parameter is its name. Writing to a `String` cannot fail.
        if info != field {
            let _ = writeln!(code, "    /// {info}");
        }
        if identifier != field {
            let _ = writeln!(code, "    #[serde(rename = {field:?})]");
        }
        let _ = writeln!(code, "    {identifier}: {type_name},");
    }
    code + "}\n"
}

/// Returns a description as one line of a doc comment.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
