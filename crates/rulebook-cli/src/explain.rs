//! `rulebook explain`: explains a diagnostic code, which names a kind of error in definitions.

use clap::Args;

use super::{Exit, output};
use rulebook_model::diagnostic::codes;

/// Explain a diagnostic code, with examples.
#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The code in the brackets of the diagnostic, such as `unknown-key`; if omitted, all codes are listed.
    code: Option<String>,
}

pub(super) fn run(options: &ExplainOptions) -> Result<Exit, Exit> {
    let names = || codes::TABLE.iter().map(|row| row.name);
    let Some(code) = &options.code else {
        return Ok(output::print_to_stdout(&names().fold(String::new(), |list, name| list + name + "\n")));
    };
    match codes::TABLE.iter().find(|row| row.name == code) {
        Some(row) => Ok(output::print_to_stdout(&format!("{}\n", row.explanation.trim_end()))),
        None => {
            let help = output::did_you_mean(code, names());
            Err(output::print_usage_error(&format!("there is no diagnostic code `{code}`{help}")))
        }
    }
}
