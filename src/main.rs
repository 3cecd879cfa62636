//! The program of the demo: rulebook's command line with the handlers of the article site.

use std::process::ExitCode;

// After many connections have ended, this allocator returns their memory to the system.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    rulebook_cli::run(article_site::add)
}
