//! `rulebook check`: checks a definition and reports every error in it.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::api_version::ApiVersion;
use super::{AddHandlers, Exit, Settings, output};
use rulebook::handler_kind::CheckContext;
use rulebook::{Report, UsedKinds};
use rulebook_model::describe;

/// Check the definition and report every error.
#[derive(Debug, Args)]
pub(super) struct CheckOptions {
    /// Folder with the definition [default: the folder of --api].
    dir: Option<PathBuf>,
    /// Format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print the whole definition in canonical form.
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    api_version: ApiVersion,
    /// Also check the handlers of this program against the definition.
    #[arg(long)]
    bound: bool,
    /// Address of a PostgreSQL, MySQL or MariaDB server, such as postgres://me@localhost/postgres, on which the command
    /// creates a database, to prepare the SQL statements with the tables of the migrations. The database is removed
    /// again. Statements for SQLite are always prepared. May be repeated.
    #[arg(long, value_name = "URL")]
    database: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Messages with the source lines, for people.
    Text,
    /// One JSON object per line, with `code`, `message`, `file`, `line`, `column` and `help`.
    Json,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &CheckOptions) -> Result<Exit, Exit> {
    let folder = options.dir.clone().unwrap_or_else(|| settings.api.clone());
    let settings = Settings { api: folder, ..settings.clone() };
    let rulebook = settings.new_rulebook(app);
    let checked = rulebook.validate().and_then(|validated| {
        let replaced = settings.replaced_settings();
        let validated = validated.replaced_settings(&replaced).check_service_addresses(&replaced)?;
        let mut warnings = validated.warnings.clone();
        if !options.bound {
            // The deployment sets the variables.
            let unset = validated.unset_variable_warnings();
            let files = validated.missing_file_warnings();
            let handlers = if has_program(&settings.api) { Vec::new() } else { validated.missing_handler_warnings() };
            warnings = validated.report([warnings.diagnostics, unset, files, handlers].concat());
        }
        let kinds = validated.used_kinds();
        let api =
            if options.bound { validated.build()?.api().clone() } else { validated.check_defined_handlers()?.api };
        Ok((api, warnings, kinds))
    });
    let checked = match checked {
        Ok((api, warnings, kinds)) => check_handlers(&kinds, &options.database)?.map(|unchecked| {
            (api, Report::new(unchecked.sources, [warnings.diagnostics, unchecked.diagnostics].concat()))
        }),
        Err(report) => Err(report),
    };
    if let Ok((_, warnings)) = &checked
        && (options.print || options.format == Format::Text)
    {
        output::print_warnings(warnings);
    }
    let (text, exit) = match checked {
        Ok((api, _)) if options.print => {
            let api = options.api_version.of(&api)?;
            (output::format_json(&describe::canonical_definition(&api)), Exit::Success)
        }
        Ok((api, _)) if options.format == Format::Text => {
            (format!("no errors: {}\n", output::api_size(&api)), Exit::Success)
        }
        Ok((_, warnings)) => (warnings.json_lines(), Exit::Success),
        Err(report) if options.format == Format::Text => {
            let color = output::has_color(&io::stdout());
            (format!("{}\n{}\n", report.render(color), output::error_count(&report)), Exit::ErrorsReported)
        }
        Err(report) => (report.json_lines(), Exit::ErrorsReported),
    };
    let printed = output::print_to_stdout(&text);
    Ok(if printed == Exit::SystemError { printed } else { exit })
}

/// Returns `true` if the project with a definition has a program in Rust, whose handlers this program does not know.
fn has_program(folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.ancestors().any(|folder| folder.join("Cargo.toml").exists()))
}

/// Checks the compiled handlers as the start of the server does. Returns warnings about what cannot be checked.
fn check_handlers(kinds: &UsedKinds, databases: &[String]) -> Result<Result<Report, Report>, Exit> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|error| output::print_system_error(&format!("no temporary folder: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| output::print_system_error(&error.to_string()))?;
    Ok(runtime.block_on(kinds.check(CheckContext { folder: folder.path(), databases })))
}
