//! `rulebook check`: checks a definition and reports every error in it. `rulebook explain`: explains a diagnostic code,
//! which names a kind of error in definitions.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rulebook::handler_kind::CheckContext;
use rulebook::{Report, UsedKinds, Validated};
use rulebook_model::compile::InheritedValue;
use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Sources};
use rulebook_model::model::Api;
use rulebook_model::types::Types;
use rulebook_model::{describe, test_file};

use crate::documents::ApiVersion;
use crate::{AddHandlers, Exit, Settings, new_runtime, output};

/// Check the definition, and the test files beside it, and report every error.
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
    /// With --print: add `$origins` to each method, with the file and line of each value that the method has from
    /// elsewhere, such as a default of its module. Readers of the definition ignore this key.
    #[arg(long, requires = "print")]
    origins: bool,
    /// Let warnings fail the command, too.
    #[arg(long)]
    strict: bool,
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
    /// One JSON object per line, with `code`, `message`, `file`, `line`, `column`, `label` and `help`.
    Json,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &CheckOptions) -> Result<Exit, Exit> {
    let folder = options.dir.clone().unwrap_or_else(|| settings.api.clone());
    let settings = Settings { api: folder, ..settings.clone() };
    let rulebook = settings.new_rulebook(app);
    let replaced = settings.replaced_settings();
    let validated = rulebook.validate_parts().replaced_settings(&replaced);
    let checked = check(validated, &replaced, &settings.api, options)?;
    if let Ok((.., warnings)) = &checked
        && (options.print || options.format == Format::Text)
    {
        output::print_warnings(warnings);
    }
    let warnings = checked.as_ref().map_or(0, |(.., warnings)| warnings.diagnostics.len());
    let is_refused = options.strict && warnings > 0;
    let (text, exit) = match checked {
        Ok((api, inherited, Report { sources, .. })) if options.print => {
            let api = options.api_version.of(&api)?;
            let definition = match options.origins {
                true => describe::canonical_definition_with_origins(&api, &inherited, &sources),
                false => describe::canonical_definition(&api),
            };
            (output::format_json(&definition), Exit::Success)
        }
        Ok((api, ..)) if options.format == Format::Text => {
            let count = output::count_with_noun(warnings, "warning");
            let refused = if is_refused { format!(", but --strict refuses {count}") } else { String::new() };
            (format!("no errors: {}{refused}\n", output::api_size(&api)), Exit::Success)
        }
        Ok((.., warnings)) => (warnings.json_lines(), Exit::Success),
        Err(report) if options.format == Format::Text => {
            let color = output::has_color(&io::stdout());
            (format!("{}\n{}\n", report.render(color), output::error_count(&report)), Exit::ErrorsReported)
        }
        Err(report) => (report.json_lines(), Exit::ErrorsReported),
    };
    let exit = if is_refused { Exit::ErrorsReported } else { exit };
    let printed = output::print_to_stdout(&text);
    Ok(if printed == Exit::SystemError { printed } else { exit })
}

/// Returns `true` if the project with a definition has a program in Rust, whose handlers this program does not know.
fn has_program(folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| folder.ancestors().any(|folder| folder.join("Cargo.toml").exists()))
}

/// The API, the values that its methods have from elsewhere, and the warnings; or all errors.
type Checked = Result<(Api, Vec<InheritedValue>, Report), Report>;

fn check(validated: Validated, replaced: &[&str], folder: &Path, options: &CheckOptions) -> Result<Checked, Exit> {
    let mut errors = [validated.errors.clone(), validated.service_address_errors(replaced)].concat();
    let mut warnings = validated.warnings.diagnostics.clone();
    if !options.bound {
        // The deployment sets the variables.
        warnings.extend(validated.unset_variable_warnings());
        warnings.extend(validated.missing_file_warnings());
        warnings.extend(if has_program(folder) { Vec::new() } else { validated.missing_handler_warnings() });
    }
    let (kinds, mut api, inherited) = (validated.used_kinds(), validated.api.clone(), validated.inherited.clone());
    if options.bound && errors.is_empty() {
        match validated.build() {
            Ok(engine) => api = engine.api().clone(),
            Err(report) => return Ok(Err(report)),
        }
    } else {
        errors.extend(validated.defined_handler_errors());
    }
    let Report { mut sources, diagnostics, .. } = check_handlers(&kinds, &options.database)?;
    if errors.is_empty() {
        errors.extend(test_file_errors(folder, &api, &mut sources));
    }
    let (found_warnings, found_errors): (Vec<_>, Vec<_>) = diagnostics.into_iter().partition(|found| found.is_warning);
    errors.extend(found_errors);
    warnings.extend(found_warnings);
    Ok(match errors.is_empty() {
        true => Ok((api, inherited, Report::new(sources, warnings))),
        false => Err(Report::new(sources, errors)),
    })
}

/// Returns the errors in the test files beside the folder of a definition. Files without a call are for other programs.
fn test_file_errors(folder: &Path, api: &Api, sources: &mut Sources) -> Vec<Diagnostic> {
    let entries = folder.with_file_name("tests").read_dir().into_iter().flatten().flatten();
    let is_json = |path: &PathBuf| path.extension().is_some_and(|it| it == "json" || it == "jsonc");
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(is_json).collect();
    paths.sort();
    let mut errors = Vec::new();
    for path in paths {
        let mut found = Vec::new();
        let tests = test_file::read(&path, sources, &mut found);
        if tests.iter().any(|test| !test.steps.is_empty()) {
            errors.extend(found.into_iter().chain(test_file::check(&tests, api)));
        }
    }
    errors
}

/// Checks the compiled handlers as the start of the server does. Returns the errors, or warnings about what cannot be
/// checked.
fn check_handlers(kinds: &UsedKinds, databases: &[String]) -> Result<Report, Exit> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|error| output::print_system_error(format!("no temporary folder: {error}")))?;
    let runtime = new_runtime().map_err(output::print_system_error)?;
    let (Ok(report) | Err(report)) = runtime.block_on(kinds.check(CheckContext { folder: folder.path(), databases }));
    Ok(report)
}

/// Explain a diagnostic code, with examples.
#[derive(Debug, Args)]
pub(super) struct ExplainOptions {
    /// The code in the brackets of the diagnostic, such as `unknown-key`; if omitted, all codes are listed.
    code: Option<String>,
}

pub(super) fn explain(options: &ExplainOptions) -> Result<Exit, Exit> {
    let names = || DiagnosticCode::ALL.iter().map(|code| code.name());
    let Some(code) = &options.code else {
        return Ok(output::print_to_stdout(&names().fold(String::new(), |list, name| list + name + "\n")));
    };
    match code.parse::<DiagnosticCode>() {
        Ok(DiagnosticCode::UnknownType) => {
            let text = format!("{}\n\n{}", DiagnosticCode::UnknownType.explanation(), list_of_types());
            Ok(output::print_to_stdout(&text))
        }
        Ok(code) => Ok(output::print_to_stdout(&format!("{}\n", code.explanation()))),
        Err(_) => {
            let help = output::did_you_mean(code, names());
            Err(output::print_usage_error(format!("there is no diagnostic code `{code}`{help}")))
        }
    }
}

fn list_of_types() -> String {
    let mut list = "The built-in types:\n\n".to_owned();
    for builtin in Types::builtin().iter() {
        let _ = writeln!(list, "{:<14} {}", builtin.name(), builtin.info());
    }
    list
}
