//! Generates the Rust code of an imported project: a file of handlers for each API module, `src/lib.rs`, and a test.
//! Generates its README: what was carried over, and what needs work by a programmer.

use std::collections::BTreeSet;
use std::fmt::Write;

use rulebook_build::Signature;
use rulebook_model::model::{Api, Module, Parameter};
use rulebook_model::types::Functions;
use serde_json::Value as Json;

use super::iapi::{CacheDatabase, IapiCode};
use super::{Framework, HandlerChoice, Warning};
use crate::ImportedFile;

/// The name of the API module whose handlers are in the crate `rulebook_iapi`.
const IAPI_MODULE: &str = "iapi";

/// The Rust module in `src/lib.rs` with the code that the build script generates.
const GENERATED_CODE: &str = "
/// The types and handlers that `api/` defines. `build.rs` generates them.
pub mod api {
    include!(concat!(env!(\"OUT_DIR\"), \"/api.rs\"));
}
";

pub(super) fn generate(api: &Api, name: &str, iapi: Option<&IapiCode>) -> Vec<ImportedFile> {
    let mut files = Vec::new();
    let mut modules = rulebook_build::module_names(api, &["api", "lib", "main"]);
    let signatures = rulebook_build::signatures(api);
    for ((module, identifier), (path, signatures)) in api.modules.iter().zip(&modules).zip(signatures) {
        let text = match iapi {
            Some(iapi) if module.name == IAPI_MODULE => iapi_file(iapi),
            _ => module_file(module, &path, &signatures),
        };
        files.push(ImportedFile { path: format!("src/{identifier}.rs"), text });
    }
    modules.sort();
    let functions = functions_of_parameters(api).into_iter().flat_map(|(_, names)| names).collect();
    files.push(ImportedFile { path: "src/lib.rs".to_owned(), text: library_file(&modules, &functions, iapi) });
    files.push(ImportedFile { path: "tests/definition.rs".to_owned(), text: test_file(name) });
    files
}

/// Returns the text of `src/lib.rs`. `modules` are the names of the Rust modules.
fn library_file(modules: &[String], functions: &BTreeSet<String>, iapi: Option<&IapiCode>) -> String {
    let declarations: String = modules.iter().map(|module| format!("pub mod {module};\n")).collect();
    let has_handlers = iapi.is_none();
    let imports = if has_handlers {
        "use rulebook::error::ErrorKind;\nuse rulebook::{ApiError, Rulebook};\n"
    } else {
        "use rulebook::Rulebook;\n"
    };
    let generated = if has_handlers { GENERATED_CODE } else { "" };
    let mut calls: Vec<String> = Vec::new();
    if let Some(iapi) = iapi {
        calls.push(".keep_files()".to_owned());
        if iapi.cache_path.is_some() {
            calls.push(".state(iapi::caches())".to_owned());
        }
    }
    let function = |name: &String| {
        format!(
            ".callable({name:?}, |_, _| {{\n            // TODO: write this function. Until then, it rejects every \
             value.\n            Err(\"this function is not written yet\".into())\n        }})"
        )
    };
    calls.extend(functions.iter().map(function));
    calls.extend(modules.iter().map(|module| format!(".module({module}::module())")));
    let line = format!("rulebook{}", calls.concat());
    let chain = if line.len() <= 60 { line } else { format!("rulebook\n        {}", calls.join("\n        ")) };
    let mut text = format!(
        "//! The handlers of the API that `api/` defines. There is a file for each API module.\n\n{declarations}\n{imports}{generated}\n\
         /// Adds the handlers of each API module to the definition. Add a line here for each new API module.\n\
         pub fn app(rulebook: Rulebook) -> Rulebook {{\n    {chain}\n}}\n"
    );
    if has_handlers {
        text += "\n/// Returns the error of a method whose handler is not written yet: the status 501.\n\
                 fn not_implemented(id: &str) -> ApiError {\n    \
                 ApiError::new(ErrorKind::NotImplemented { id: id.to_owned() })\n}\n";
    }
    text
}

/// Returns the parameters that name functions of the program, each with the names of those functions that rulebook does
/// not have.
pub(super) fn functions_of_parameters(api: &Api) -> Vec<(&Parameter, Vec<String>)> {
    let methods = api.services().flat_map(|service| &service.methods);
    let parameters = methods.flat_map(|method| &method.parameters);
    parameters.map(|parameter| (parameter, function_names(parameter))).filter(|(_, names)| !names.is_empty()).collect()
}

fn function_names(parameter: &Parameter) -> Vec<String> {
    let attributes = &parameter.r#type.written.attributes;
    let texts = |key: &str| -> Vec<String> {
        match attributes.get(key) {
            Some(Json::String(text)) => vec![text.clone()],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    };
    let is_builtin =
        |name: &String| Functions::builtin_names_and_descriptions().any(|(known, _)| known.eq_ignore_ascii_case(name));
    texts("callback").into_iter().chain(texts("after").into_iter().filter(|name| !is_builtin(name))).collect()
}

/// Returns the text of the file for the API module `iapi`, whose handlers exist.
fn iapi_file(code: &IapiCode) -> String {
    let mut calls = Vec::new();
    if code.has_files {
        calls.push(format!(".get({:?}, rulebook_iapi::download)", code.file_path));
        calls.push(format!(".post({:?}, rulebook_iapi::upload)", code.file_path));
    }
    if let Some(path) = &code.cache_path {
        calls.push(format!(".post({path:?}, rulebook_iapi::cache)"));
    }
    let module = format!(
        "/// Returns the handlers of the API module.\npub fn module() -> Module {{\n    Module::new(\"iapi\")\n        {}\n}}\n",
        calls.join("\n        ")
    );
    let about = "//! The handlers of the API module `iapi`, through which servers exchange files.\n\n";
    if code.cache_path.is_none() {
        return format!("{about}use rulebook::Module;\n\n{module}");
    }
    let (env, caches) = match &code.database {
        CacheDatabase::Sqlite(file) => {
            ("", format!("    Caches::new(|| async {{ Ok(Database::Sqlite({file:?}.into())) }})\n"))
        }
        CacheDatabase::Server(variant) => (
            "use std::env;\n\n",
            format!(
                "    Caches::new(|| async {{\n        let url = env::var(\"DATABASE_URL\");\n        \
                 url.map(Database::{variant})\n            .map_err(|error| format!(\"DATABASE_URL: {{error}}\"))\n    }})\n"
            ),
        ),
    };
    format!(
        "{about}{env}use rulebook::Module;\nuse rulebook_iapi::{{Caches, Database}};\n\n{module}\n\
         /// Returns the database from which caches are written.\npub fn caches() -> Caches {{\n{caches}}}\n"
    )
}

/// Returns the text of the test that compares the handlers with the definition.
fn test_file(name: &str) -> String {
    // `cargo fmt` sorts imports.
    let mut imports = [
        format!("use {}::app;\n", name.replace('-', "_")),
        "use rulebook::Rulebook;\n".into(),
        "use rulebook_test::Client;\n".into(),
    ];
    imports.sort();
    format!(
        "//! Tests that the program has a handler for each method of the definition.\n\nuse std::error::Error;\n\n{}\n#[test]\n\
         fn the_handlers_match_the_definition() -> Result<(), Box<dyn Error>> {{\n    \
         Client::new(app(Rulebook::load(\"api\")))?;\n    Ok(())\n}}\n",
        imports.concat()
    )
}

/// The maximum length of a line in the format of `cargo fmt`.
const MAX_LINE: usize = 100;
/// The maximum length of the fields of a struct in one line.
const MAX_FIELDS: usize = 18;

/// Returns the text of the Rust file for an API module. `path` is the name of the Rust module with its generated types,
/// and `signatures` are those of its handlers.
fn module_file(module: &Module, path: &str, signatures: &[Signature]) -> String {
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

fn short_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

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

/// Returns the README. `imported` are the imported files, each with a description of what was imported.
pub(super) fn generate_readme(
    framework: Framework,
    handlers: HandlerChoice,
    name: &str,
    api: &Api,
    imported: &[(String, String)],
    warnings: &[Warning],
) -> ImportedFile {
    let title = framework.title();
    let has_php = handlers == HandlerChoice::FastCgi;
    let (contents, run, command) = if has_php {
        let contents = format!(
            "`api/` contains its definition, and php-fpm runs its handlers, the PHP code of a project for {title}, as \
             `handlers` in `api/app.json` says. It needs the program `rulebook`."
        );
        (contents, "rulebook serve", "rulebook")
    } else {
        let state = match framework {
            Framework::InternalApi => "The handlers are those of the crate `rulebook_iapi`.",
            _ => "Each handler responds with the status 501 until you write it.",
        };
        let rust = env!("CARGO_PKG_RUST_VERSION");
        let contents = format!(
            "`api/` contains its definition, `src/` its handlers. It was imported from a project for {title}. {state} It needs \
             Rust {rust} or newer."
        );
        (contents, "cargo run\n$ cargo test", "cargo run --")
    };
    let echo = if has_php {
        ""
    } else {
        "- `cargo run -- --unbound echo` serves the API without handlers: each method responds with its checked arguments. \
         Compare them with what your clients send.\n"
    };
    let mut text = format!(
        "# {name}\n\nAn HTTP API built with rulebook: {contents}\n\n```console\n$ {run}\n```\n\n\
         - <http://127.0.0.1:8080/docs/> is the documentation of the API, with a form to call each method.\n{echo}\
         - `{command} check` checks the definition and reports every error; `{command} --help` lists all commands.\n",
    );
    text += "\n## Carried over\n\n| file | content |\n| --- | --- |\n";
    for (file, what) in imported {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "| `{file}` | {} |", what.replace('|', "\\|"));
    }
    text += if has_php && warnings.is_empty() { "" } else { "\n## To do\n" };
    if framework != Framework::InternalApi && !has_php {
        let methods = api.services().map(|service| service.methods.len());
        let count: usize = methods.sum();
        let _ = writeln!(text, "\n- [ ] Write the handlers in `src/` ({count} methods).");
    }
    let mut last_file = "";
    for warning in warnings {
        if warning.file != last_file {
            last_file = &warning.file;
            let _ = writeln!(text, "\n`{last_file}`:\n");
        }
        let line = warning.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let _ = writeln!(text, "- [ ] {line}{}", warning.message);
    }
    ImportedFile { path: "README.md".to_owned(), text }
}
