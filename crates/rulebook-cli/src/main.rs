//! The program `rulebook`: the command line without any handlers. It checks, documents and serves any definition.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_cli::run(|rulebook| rulebook)
}
