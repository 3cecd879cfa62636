//! Generates Rust types and the list of handlers from the definition in `api/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_build::generate("api")
}
