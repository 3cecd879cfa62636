//! The program of this API: the command line of rulebook, with the handlers of this project.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_cli::run(crate_name::app)
}
