//! `rulebook schema`: the JSON Schema of definition files.

use clap::{Args, ValueEnum};

use super::{Exit, output};
use crate::schema::{Of, schema};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// What the schema is of.
    #[arg(value_name = "WHICH", value_enum, default_value_t = Which::All)]
    which: Which,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// A file of modules in the dialect `tree`.
    Tree,
    /// A file of modules in the dialect `methods`.
    Methods,
    /// A file of modules in the dialect `rules`.
    Rules,
    /// `app.json`, or a document that holds a whole API.
    App,
    /// Any file of a definition.
    All,
}

impl From<Which> for Of {
    fn from(which: Which) -> Self {
        match which {
            Which::Tree => Self::Tree,
            Which::Methods => Self::Methods,
            Which::Rules => Self::Rules,
            Which::App => Self::Settings,
            Which::All => Self::AnyFile,
        }
    }
}

pub(super) fn run(options: &Options) -> Exit {
    output::print(&text(options.which.into()))
}

/// A schema as a file holds it.
pub(super) fn text(of: Of) -> String {
    format!("{:#}\n", schema(of))
}
