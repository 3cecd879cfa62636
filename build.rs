//! Generates the Rust types and handlers of the API that `api/` defines.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_build::generate("api")
}
