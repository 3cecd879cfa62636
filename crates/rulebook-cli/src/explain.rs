//! `rulebook explain`: explains a diagnostic code, which names a kind of error in definitions.

use clap::Args;

use super::{Command, Exit, output};
use rulebook_model::diagnostic::{closest_word, codes};

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
    let names = || codes::TABLE.iter().map(|row| row.name);
    let Some(code) = &options.code else {
        return output::print_to_stdout(&names().fold(String::new(), |list, name| list + name + "\n"));
    };
    if let Some(row) = codes::TABLE.iter().find(|row| row.name == code) {
        return output::print_to_stdout(&format!("{}\n", row.explanation.trim_end()));
    }
    let help = closest_word(code, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    output::print_to_stderr(&format!("error: there is no diagnostic code `{code}`{help}\n"));
    Exit::InvalidUsage
}
