//! The program `rulebook`: serves any definition, with no handlers of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_cli::run(|rulebook| rulebook)
}
