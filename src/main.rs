//! The program of the demo: rulebook's command line with the handlers of the article site.

use std::process::ExitCode;

fn main() -> ExitCode {
    rulebook_cli::run(article_site::add)
}
