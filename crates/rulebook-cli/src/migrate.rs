//! `rulebook migrate`: applies the migrations of the databases that handlers of the kind `sql` use.

use super::{AddHandlers, Exit, Settings, log, output};

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings) -> Result<Exit, Exit> {
    let validated = settings.new_rulebook(app).validate().and_then(|validated| {
        let replaced = settings.replaced_settings();
        validated.check_variables(|setting| setting == "data" && !replaced.contains(&setting))
    });
    let validated = validated.map_err(|report| output::print_report(&report))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| output::print_system_error(&error.to_string()))?;
    // The log says for what the command waits. A program that has set a logger keeps it.
    let filter = settings.log_filter.as_deref().unwrap_or(log::DEFAULT_FILTER);
    let _ = log::start_logging(filter, settings.log_format.unwrap_or_default());
    let data = validated.data_folder.path();
    validated.data_folder.create().map_err(|error| {
        output::print_system_error(&format!("the data folder {} cannot be created: {error}", data.display()))
    })?;
    Ok(match runtime.block_on(rulebook_sql::migrate(&validated.api, data)) {
        Ok(databases) if databases.is_empty() => output::print_to_stdout("no database has migrations\n"),
        Ok(databases) => output::print_to_stdout(&format!("the migrations are applied: {}\n", databases.join(", "))),
        Err(errors) => {
            for error in errors {
                output::print_to_stderr(&format!("error: {}\n", error.message));
            }
            Exit::ErrorsReported
        }
    })
}
