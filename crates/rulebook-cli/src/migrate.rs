//! `rulebook migrate`: applies the migrations of the databases that handlers of the kind `sql` use, after the
//! statements of the definition were compared with the changed tables.

use clap::Args;
use rulebook::handler_kind::{ApplyMigrations, HandlerError, Migrations};

use crate::{AddHandlers, Exit, Settings, log, new_runtime, output, validate_with_data};

/// Apply the migrations of the databases that `handlers` in app.json describes.
///
/// The command shows what the migrations change. If a migration fails, or a statement of the definition does not fit to
/// the changed tables, nothing changes in SQLite and PostgreSQL; MySQL and MariaDB cannot undo a migration.
#[derive(Debug, Args)]
pub(super) struct MigrateOptions {
    /// Only show what the pending migrations change.
    #[arg(long)]
    plan: bool,
    /// Only show which migrations the databases have.
    #[arg(long, conflicts_with = "plan")]
    status: bool,
    /// Also apply migrations that remove tables, columns or rows.
    #[arg(long)]
    allow_loss: bool,
    /// Also apply migrations that break calls of servers that run.
    #[arg(long)]
    allow_breaking: bool,
    /// The migration with this number, which MySQL or MariaDB has run in part, has not run: you have undone its part.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["plan", "status", "allow_loss", "allow_breaking"])]
    as_pending: Option<i64>,
    /// The migration with this number, which MySQL or MariaDB has run in part, has run: you have run the rest of it.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["plan", "status", "allow_loss", "allow_breaking", "as_pending"])]
    as_applied: Option<i64>,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &MigrateOptions) -> Result<Exit, Exit> {
    let validated = validate_with_data(app, settings).map_err(|report| output::print_report(&report))?;
    let runtime = new_runtime().map_err(output::print_system_error)?;
    // The log says for what the command waits. A program that has set a logger keeps it.
    let filter = settings.log_filter.as_deref().unwrap_or(log::DEFAULT_FILTER);
    let _ = log::start_logging(filter, settings.log_format.unwrap_or_default());
    let data = validated.data_folder.path();
    validated.data_folder.create().map_err(|error| {
        output::print_system_error(format!("the data folder {} cannot be created: {error}", data.display()))
    })?;
    let print_lines = |lines: Result<Vec<String>, Vec<HandlerError>>| match lines {
        Ok(lines) => Ok(output::print_to_stdout(&format!("{}\n", lines.join("\n")))),
        Err(errors) => Err(output::print_report(&validated.report_of_handlers(errors))),
    };
    let api = &validated.api;
    if options.status {
        return print_lines(runtime.block_on(rulebook_sql::migration_status(api, data)));
    }
    let of = |number: Option<i64>, is_applied| number.map(|number| (number, is_applied));
    if let Some((number, is_applied)) = of(options.as_pending, false).or(of(options.as_applied, true)) {
        let ended = rulebook_sql::end_interrupted_migration(api, data, number, is_applied);
        let state = if is_applied { "applied" } else { "pending" };
        let line = |database: String| format!("{database}: the migration {number} is {state}");
        return print_lines(runtime.block_on(ended).map(|databases| databases.into_iter().map(line).collect()));
    }
    let data = data.to_owned();
    let validated = validated.check_defined_handlers().map_err(|report| output::print_report(&report))?;
    let migrations = Migrations {
        apply: ApplyMigrations::ToAllDatabases,
        allow_loss: options.allow_loss || options.plan,
        allow_breaking: options.allow_breaking || options.plan,
    };
    let mut lines = Vec::new();
    let migrated = runtime.block_on(validated.used_kinds().migrate(&data, migrations, |changes| {
        lines = changes.to_vec();
        !options.plan
    }));
    if let Err(error) = migrated {
        output::print_to_stderr(&format!("{}\n", error.text));
        return Ok(Exit::ErrorsReported);
    }
    if !options.plan {
        // No method uses the other databases.
        let others = runtime.block_on(rulebook_sql::migrate(&validated.api, &data, migrations));
        lines.extend(others.map_err(|errors| output::print_report(&validated.report_of_handlers(errors)))?);
    }
    let text = if lines.is_empty() { "no migrations are pending".to_owned() } else { lines.join("\n") };
    Ok(output::print_to_stdout(&format!("{text}\n")))
}
