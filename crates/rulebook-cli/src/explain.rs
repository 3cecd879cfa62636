//! `rulebook explain`: explains a diagnostic code, which names a kind of error in definitions.

use std::fmt::Write;

use clap::Args;

use super::{Exit, output};
use rulebook_model::diagnostic::DiagnosticCode;
use rulebook_model::types::Types;

/// Explain a diagnostic code, with examples.
#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The code in the brackets of the diagnostic, such as `unknown-key`; if omitted, all codes are listed.
    code: Option<String>,
}

pub(super) fn run(options: &ExplainOptions) -> Result<Exit, Exit> {
    let names = || DiagnosticCode::ALL.iter().map(|code| code.name());
    let Some(code) = &options.code else {
        return Ok(output::print_to_stdout(&names().fold(String::new(), |list, name| list + name + "\n")));
    };
    match code.parse::<DiagnosticCode>() {
        Ok(DiagnosticCode::UnknownType) => {
            let text = format!("{}\n\n{}", DiagnosticCode::UnknownType.explanation(), list_of_types());
            Ok(output::print_to_stdout(&text))
        }
        Ok(code) => Ok(output::print_to_stdout(&format!("{}\n", code.explanation()))),
        Err(_) => {
            let help = output::did_you_mean(code, names());
            Err(output::print_usage_error(&format!("there is no diagnostic code `{code}`{help}")))
        }
    }
}

/// Returns a line for each built-in type.
fn list_of_types() -> String {
    let mut list = "The built-in types:\n\n".to_owned();
    for builtin in Types::builtin().iter() {
        let _ = writeln!(list, "{:<14} {}", builtin.name(), builtin.info());
    }
    list
}
