//! `rulebook schema`: prints the JSON Schema of definition files.

use clap::Args;

use rulebook::Rulebook;
use rulebook_model::definition;
use rulebook_model::schema::{KnownNames, SchemaKind, schema, schema_with_names};

use super::choices::{Choice, choice_parser};
#[cfg(feature = "new")]
use super::kinds::with_handler_kinds;
use super::{AddHandlers, Exit, Settings, output};

/// Print the JSON Schema of definition files, for completion and checks in editors. It knows the types and the kinds of
/// handlers of this program, and the schemas of the definition.
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
    ("tests", "A file with tests, which `rulebook test` runs", SchemaKind::Tests),
];

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &SchemaOptions) -> Exit {
    let mut names = app(Rulebook::read(Vec::new())).known_names();
    // The definition may have errors, or not exist yet.
    let definition = definition::load(&settings.api).definition;
    let modules = definition.modules.iter().flat_map(|module| &module.schemas);
    let schemas = definition.app.schemas.iter().chain(modules);
    names.types.extend(schemas.map(|schema| schema.name.value.clone()));
    names.types.sort();
    names.types.dedup();
    output::print_to_stdout(&schema_text(options.kind, &names))
}

/// Returns the text of the JSON Schema for files of a new project.
#[cfg(feature = "new")]
pub(super) fn new_project_schema(kind: SchemaKind) -> String {
    let names = with_handler_kinds(Rulebook::read(Vec::new())).known_names();
    schema_text(kind, &names)
}

fn schema_text(kind: SchemaKind, names: &KnownNames) -> String {
    let schema = match kind {
        SchemaKind::Tests => schema(kind),
        _ => schema_with_names(kind, names),
    };
    format!("{schema:#}\n")
}
