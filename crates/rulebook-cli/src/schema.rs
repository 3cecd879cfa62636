//! `rulebook schema`: prints the JSON Schema of definition files.

use clap::Args;

use super::choices::{Choice, choice_parser};
use super::{Exit, output};
use rulebook_model::schema::{SchemaKind, schema};

/// Print the JSON Schema of definition files, for completion and checks in editors.
#[derive(Debug, Args)]
pub(super) struct SchemaOptions {
    /// The kind of file that the schema describes.
    #[arg(value_name = "KIND", value_parser = choice_parser(KINDS), default_value = "all")]
    kind: SchemaKind,
}

const KINDS: &[Choice<SchemaKind>] = &[
    ("tree", "A file with modules in the dialect `tree`", SchemaKind::Tree),
    ("methods", "A file with modules in the dialect `methods`", SchemaKind::Methods),
    ("rules", "A file with modules in the dialect `rules`", SchemaKind::Rules),
    ("app", "`app.json`, or a single document with a whole API", SchemaKind::Settings),
    ("all", "Any file of a definition", SchemaKind::AnyFile),
];

pub(super) fn run(options: &SchemaOptions) -> Exit {
    output::print_to_stdout(&schema_text(options.kind))
}

/// Returns the text of the JSON Schema for this kind of definition file.
pub(super) fn schema_text(kind: SchemaKind) -> String {
    format!("{:#}\n", schema(kind))
}
