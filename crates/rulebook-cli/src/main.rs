//! The program `rulebook`: the command line without handlers in Rust. It checks, documents and serves any definition
//! whose methods have handlers in the definition.

use std::process::ExitCode;

// After many connections have ended, this allocator returns their memory to the system.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rulebook_cli::run(|rulebook| rulebook_cli::with_auth_kinds(rulebook_cli::with_handler_kinds(rulebook)))
}
