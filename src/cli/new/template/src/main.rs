//! The program: its API on rulebook's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook::cli::run(crate_name::app)
}
