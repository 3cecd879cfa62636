//! `rulebook explain`: explains a diagnostic code, which names a kind of error in definitions.

use clap::Args;

use super::{Command, Exit, output};
use rulebook_model::diagnostic::{DiagnosticCode, closest_word};

pub(super) const COMMAND: Command = Command {
    name: "explain",
    add_options: Options::augment_args,
    shown_settings: Some(&[]),
    run: |matches, _, _| Ok(run(&super::parse_options(matches)?)),
};

/// Explain a diagnostic code, with examples.
#[derive(Debug, Args)]
struct Options {
    /// The code in the brackets of the diagnostic, such as `unknown-key`; if omitted, all codes are listed.
    code: Option<String>,
}

fn run(options: &Options) -> Exit {
    let names = || DiagnosticCode::ALL.iter().map(|code| code.name());
    let Some(code) = &options.code else {
        return output::print_to_stdout(&names().fold(String::new(), |list, name| list + name + "\n"));
    };
    if let Ok(code) = code.parse::<DiagnosticCode>() {
        return output::print_to_stdout(&format!("{}\n", code.explanation()));
    }
    let help = closest_word(code, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    output::print_to_stderr(&format!("error: there is no diagnostic code `{code}`{help}\n"));
    Exit::InvalidUsage
}
