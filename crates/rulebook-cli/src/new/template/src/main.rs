//! The program: rulebook's command line with the handlers of this API.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_cli::run(crate_name::app)
}
