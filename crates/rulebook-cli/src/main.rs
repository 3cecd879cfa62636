//! The program `rulebook`: the command line without handlers in Rust. It checks, documents and serves any definition
//! whose methods have handlers in the definition.

use std::process::ExitCode;

// After many connections have ended, this allocator returns their memory to the system.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    rulebook_cli::run(|rulebook| rulebook_cli::with_auth_kinds(rulebook_cli::with_handler_kinds(rulebook)))
}
