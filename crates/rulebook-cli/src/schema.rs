//! `rulebook schema`: prints the JSON Schema of definition files.

use clap::{Args, ValueEnum};

use super::{Command, Exit, output};
use rulebook_model::schema::{SchemaKind, schema};

pub(super) const COMMAND: Command = Command {
    name: "schema",
    add_options: Options::augment_args,
    shown_settings: Some(&[]),
    run: |matches, _, _| Ok(run(&super::parse_options(matches)?)),
};

/// Print the JSON Schema of definition files, for completion and checks in editors.
#[derive(Debug, Args)]
struct Options {
    /// The kind of file that the schema describes.
    #[arg(value_name = "KIND", value_enum, default_value_t = FileKind::All)]
    kind: FileKind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FileKind {
    /// A file with modules in the dialect `tree`.
    Tree,
    /// A file with modules in the dialect `methods`.
    Methods,
    /// A file with modules in the dialect `rules`.
    Rules,
    /// `app.json`, or a single document with a whole API.
    App,
    /// Any file of a definition.
    All,
}

impl From<FileKind> for SchemaKind {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::Tree => Self::Tree,
            FileKind::Methods => Self::Methods,
            FileKind::Rules => Self::Rules,
            FileKind::App => Self::Settings,
            FileKind::All => Self::AnyFile,
        }
    }
}

fn run(options: &Options) -> Exit {
    output::print_to_stdout(&schema_text(options.kind.into()))
}

/// Returns the text of the JSON Schema for this kind of definition file.
pub(super) fn schema_text(kind: SchemaKind) -> String {
    format!("{:#}\n", schema(kind))
}
