//! The demo's program: the engine with the demo's modules.

use std::process::ExitCode;

#[cfg(feature = "demo")]
mod demo;

fn main() -> ExitCode {
    #[cfg(feature = "demo")]
    let app = demo::add;
    // Without the demo nothing is bound, as with `--unbound`.
    #[cfg(not(feature = "demo"))]
    let app = |rulebook| rulebook;
    rulebook::cli::run(app)
}
