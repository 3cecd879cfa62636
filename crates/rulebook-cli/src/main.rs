//! The program `rulebook`: serves any definition, without handlers.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_cli::run(|rulebook| rulebook)
}
