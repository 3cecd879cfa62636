//! Generates the README of an imported project: what was carried over, and what needs work by a programmer.

use std::fmt::Write;

use rulebook_model::model::Api;

use super::{Framework, HandlerChoice, Warning};
use crate::ImportedFile;

/// Returns the README. `imported` are the imported files, each with a description of what was imported.
pub(super) fn generate(
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
