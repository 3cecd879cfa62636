//! `rulebook explain`: what a diagnostic code means.

use clap::Args;

use super::{Exit, output};
use crate::diagnostic::{codes, nearest};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The code, as diagnostics show it; without it, all codes are listed.
    code: Option<String>,
}

pub(super) fn run(options: &Options) -> Exit {
    let names = || codes::TABLE.iter().map(|row| row.name);
    let Some(code) = &options.code else {
        return output::print(&names().fold(String::new(), |list, name| list + name + "\n"));
    };
    if let Some(row) = codes::TABLE.iter().find(|row| row.name == code) {
        return output::print(&format!("{}\n", row.explanation.trim_end()));
    }
    let help = nearest(code, names()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    output::complain(&format!("error: no diagnostic has the code `{code}`{help}\n"));
    Exit::Usage
}
