//! The program of the demo: rulebook's command line with the handlers of the article site, and all kinds of handlers
//! that a definition can choose. Each API module is a service of the actix `App` in every worker of the server.

use std::process::ExitCode;

// After many connections have ended, this allocator returns their memory to the system.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    rulebook_cli::run(|rulebook| {
        let rulebook = rulebook_cli::with_auth_kinds(rulebook_cli::with_handler_kinds(rulebook));
        article_site::add(rulebook).app(|api, app| {
            for module in api.modules() {
                app.service(module);
            }
            app.service(api.documents())
                .service(api.links())
                .service(api.health())
                .service(api.static_files())
                .default_service(api.fallback());
            Ok(())
        })
    })
}
