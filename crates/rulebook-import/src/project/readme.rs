//! Generates the README of an imported project: what was carried over, and what needs work by a programmer.

use std::fmt::Write;

use rulebook_model::model::Api;

use super::{Framework, Warning};
use crate::ImportedFile;

/// Returns the README. `imported` are the imported files, each with a description of what was imported.
pub(super) fn generate(
    framework: Framework,
    name: &str,
    api: &Api,
    imported: &[(String, String)],
    warnings: &[Warning],
) -> ImportedFile {
    let title = framework.title();
    let handlers = if framework == Framework::InternalApi {
        "The handlers are those of the crate `rulebook_iapi`."
    } else {
        "Each handler responds with the status 501 until you write it."
    };
    let mut text = format!(
        "# {}\n\nAn HTTP API built with rulebook: `api/` contains its definition, `src/` its handlers. It was imported from a \
         project for {title}. {handlers} It needs Rust {} or newer.\n\n```console\n$ cargo run\n$ cargo test\n```\n\n\
         - <http://127.0.0.1:8080/docs/> is the documentation of the API, with a form to call each method.\n\
         - `cargo run -- --unbound echo` serves the API without handlers: each method responds with its checked arguments. \
         Compare them with what your clients send.\n\
         - `cargo run -- check` checks the definition and reports every error; `cargo run -- --help` lists all commands.\n",
        name,
        env!("CARGO_PKG_RUST_VERSION"),
    );
    text += "\n## Carried over\n\n| file | content |\n| --- | --- |\n";
    for (file, what) in imported {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "| `{file}` | {} |", what.replace('|', "\\|"));
    }
    text += "\n## To do\n";
    if framework != Framework::InternalApi {
        let methods = api.modules.iter().flat_map(|module| &module.services).map(|service| service.methods.len());
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
