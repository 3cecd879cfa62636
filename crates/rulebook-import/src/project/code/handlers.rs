//! Generates the Rust file with the handlers of an API module.

use rulebook_build::Signature;
use rulebook_model::model::Module;

/// The maximum length of a line in the format of `cargo fmt`.
const MAX_LINE: usize = 100;
/// The maximum length of the fields of a struct in one line.
const MAX_FIELDS: usize = 18;

/// Returns the text of the Rust file for an API module. `path` is the name of the Rust module with its generated types,
/// and `signatures` are those of its handlers.
pub(super) fn module_file(module: &Module, path: &str, signatures: &[Signature]) -> String {
    let types = signatures.iter().flat_map(|signature| [&signature.arguments, &signature.outputs, &signature.error]);
    let (external, generated): (Vec<&str>, Vec<&str>) = types
        .map(String::as_str)
        .chain(["::rulebook::Context", "::rulebook::Module", "Handlers"])
        .filter(|name| *name != "()")
        .partition(|name| name.starts_with("::rulebook::"));
    let external = external.iter().map(|name| short_name(name)).collect();
    let mut text = format!(
        "//! The handlers of the API module `{}`.\n//!\n//! TODO: write the handlers. Until then, each of them responds \
         with the status 501.\n\n{}\n{}{}\n",
        module.name,
        import("rulebook", external),
        import(&format!("super::api::{path}"), generated),
        "use super::not_implemented;\n"
    );
    text += &binding_function(signatures);
    for signature in signatures {
        text += &handler_code(signature);
    }
    text
}

/// Returns the name of a type without its path.
fn short_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

/// Returns the line that imports these names, each once.
fn import(path: &str, mut names: Vec<&str>) -> String {
    names.sort_unstable();
    names.dedup();
    if let [name] = names.as_slice() {
        return format!("use {path}::{name};\n");
    }
    let line = format!("use {path}::{{{}}};\n", names.join(", "));
    if line.trim_end().len() <= MAX_LINE {
        return line;
    }
    let mut lines = vec![String::new()];
    for name in names {
        let last = lines.last_mut().filter(|line| line.len() + name.len() + 6 <= MAX_LINE);
        match last {
            Some(line) if line.is_empty() => line.push_str(&format!("{name},")),
            Some(line) => line.push_str(&format!(" {name},")),
            None => lines.push(format!("{name},")),
        }
    }
    format!("use {path}::{{\n    {}\n}};\n", lines.join("\n    "))
}

/// Returns the function that binds the handlers to the methods.
fn binding_function(signatures: &[Signature]) -> String {
    let names: Vec<&str> = signatures.iter().map(|signature| signature.name.as_str()).collect();
    let line = names.join(", ");
    let handlers = if line.len() <= MAX_FIELDS {
        format!("Handlers {{ {line} }}.into_module()")
    } else {
        let fields: String = names.iter().map(|name| format!("        {name},\n")).collect();
        format!("Handlers {{\n{fields}    }}\n    .into_module()")
    };
    format!("/// Returns the handlers of the API module.\npub fn module() -> Module {{\n    {handlers}\n}}\n")
}

/// Returns the function of a handler.
fn handler_code(signature: &Signature) -> String {
    let Signature { name, id, arguments, outputs, error, info } = signature;
    let (outputs, error) = (short_name(outputs), short_name(error));
    let result = format!("Result<{outputs}, {error}>");
    let mut head = format!("async fn {name}(_: {arguments}, _: Context) -> {result} {{");
    if head.len() > MAX_LINE {
        head = format!("async fn {name}(\n    _: {arguments},\n    _: Context,\n) -> {result} {{");
    }
    let into = if error == "ApiError" { "" } else { ".into()" };
    format!("\n/// {info}\n{head}\n    Err(not_implemented({id:?}){into})\n}}\n")
}
