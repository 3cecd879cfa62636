//! The demo's program: the engine with the demo's modules.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook::cli::run(|rulebook| rulebook)
}
