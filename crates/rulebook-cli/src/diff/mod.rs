//! `rulebook diff`: lists the changes between two definitions that clients can notice.

mod source;

use clap::{Args, ValueEnum};
use rulebook_diff::{Level, Report, compare};

#[cfg(feature = "client")]
use super::client_options::ClientOptions;
use super::{AddHandlers, Exit, Settings, output};
use source::{ComparedApi, Sources};

const AFTER_HELP: &str = "\
OLD and NEW are each a folder with a definition, a file with a definition or an OpenAPI description, git:REVISION (the \
folder of --api as it is in a revision), git:REVISION:FOLDER, or the URL of a server.

Examples:
  rulebook diff git:main
  rulebook diff git:v1.2:api api --fail-on breaking
  rulebook diff https://api.example.org api --format markdown

Exit codes: 0 success; 1 --fail-on found such a change, or a definition has errors; 2 invalid usage; 3 a definition \
cannot be read.";

/// List the changes between two definitions that clients can notice, and whether they break clients.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct DiffOptions {
    /// The old definition.
    old: String,
    /// The new definition [default: the folder of --api].
    new: Option<String>,
    /// Format of the list.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Exit with 1 if there is a change of this level or a worse one.
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_on: Option<FailOn>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One paragraph for each change, for people.
    Text,
    /// One JSON object with all changes.
    Json,
    /// A table for a comment on a pull request.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Changes that break clients.
    Breaking,
    /// Also changes that may break clients.
    Risky,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &DiffOptions) -> Result<Exit, Exit> {
    let sources = Sources {
        app,
        settings,
        #[cfg(feature = "client")]
        client: &options.client,
    };
    let mut old = sources.read(&options.old)?;
    let mut new = match &options.new {
        Some(new) => sources.read(new)?,
        None => sources.read_folder(&settings.api)?,
    };
    old.take_unknown_settings(&new);
    new.take_unknown_settings(&old);
    old.limit_to_version_of(&new);
    new.limit_to_version_of(&old);
    let ComparedApi { api: old_api, sources: old_sources, .. } = &old;
    let ComparedApi { api: new_api, sources: new_sources, .. } = &new;
    let changes = compare(old_api, new_api);
    let report = Report { changes: &changes, old: old_sources, new: new_sources };
    let text = match options.format {
        Format::Text => report.to_text(),
        Format::Json => output::format_json(&report.to_json()),
        Format::Markdown => report.to_markdown(),
    };
    let printed = output::print_to_stdout(&text);
    let worst = changes.iter().map(|change| change.kind.level()).max().unwrap_or(Level::Compatible);
    let fails = match options.fail_on {
        Some(FailOn::Breaking) => worst >= Level::Breaking,
        Some(FailOn::Risky) => worst >= Level::Risky,
        None => false,
    };
    Ok(if printed == Exit::Success && fails { Exit::ErrorsReported } else { printed })
}
