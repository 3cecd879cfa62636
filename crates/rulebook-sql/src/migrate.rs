//! Applies the migrations of databases.

use std::error::Error;
use std::path::{Component, Path, PathBuf};

use rulebook::handler_kind::HandlerError;
use rulebook::model::Api;
use sqlx::migrate::MigrateError;

use crate::database::{Database, LeaseEnd, MigrationError};
use crate::settings::read_databases;

/// Applies the migrations of all databases of a definition, as the start of the API does: the files `NUMBER_NAME.sql`
/// in the folder that the setting `migrations` of a database names. Migrations that were applied before are only
/// compared with their checksums. Waits while another program applies migrations to the database. Returns the names of
/// the databases that have migrations.
///
/// The path of an SQLite file is relative to `data_folder`, and the path of the migrations to the folder that contains
/// the folder of the definition. A program calls this function in a tokio runtime with timers and sockets.
///
/// # Errors
/// Fails if the settings are wrong, a database cannot be reached, a migration fails, or an applied migration was
/// changed or removed.
pub async fn migrate(api: &Api, data_folder: &Path) -> Result<Vec<String>, Vec<HandlerError>> {
    let mut migrated = Vec::new();
    for settings in read_databases(api)? {
        if settings.migrations.is_none() {
            continue;
        }
        let database = Database::new(settings);
        let result = open_and_migrate(&database, data_folder).await;
        database.close().await;
        result.map_err(|error| vec![error])?;
        migrated.push(database.settings.name.clone());
    }
    Ok(migrated)
}

/// Returns the names of the databases of a definition that are not files in the data folder, so that other programs can
/// use them, too. Errors in the settings are ignored.
#[must_use]
pub fn databases_outside_data_folder(api: &Api) -> Vec<String> {
    let folder = Path::new("data");
    let is_outside = |database: &Database| match database.file(folder) {
        Some(file) => !file.starts_with(folder) || file.components().any(|part| part == Component::ParentDir),
        None => true,
    };
    let databases = read_databases(api).unwrap_or_default().into_iter().map(Database::new);
    databases.filter(is_outside).map(|database| database.settings.name).collect()
}

/// Opens a database, and applies its migrations, if it has some.
///
/// # Errors
/// The error of a database that cannot be used is at its address, and that of a migration at the folder.
pub(crate) async fn open_and_migrate(database: &Database, data_folder: &Path) -> Result<(), HandlerError> {
    open(database, data_folder).await.map_err(|error| {
        let settings = &database.settings;
        let error = HandlerError::new(format!("the database `{}` cannot be used: {error}", settings.name));
        match settings.url_span {
            // The line may contain a password.
            Some(span) => error.at(span).hide_line(),
            None => error,
        }
    })?;
    let Some(folder) = &database.settings.migrations else { return Ok(()) };
    database.migrate(&folder.value).await.map_err(|error| migration_error(database, &error))
}

async fn open(database: &Database, data_folder: &Path) -> Result<(), sqlx::Error> {
    database.open(data_folder)?;
    database.lease().await?.end(LeaseEnd::Reuse);
    Ok(())
}

/// Returns the error of a migration at the setting that names the folder, with the file of the migration.
pub(crate) fn migration_error(database: &Database, error: &MigrationError) -> HandlerError {
    let settings = &database.settings;
    let mut message = format!("the migrations of the database `{}`: ", settings.name);
    let file = settings.migrations.as_ref().and_then(|folder| migration_file(&folder.value, error));
    if let Some(file) = file {
        message = format!("{message}{}: ", file.display());
    }
    message = format!("{message}{error}");
    // The cause names the statement or the file.
    if let Some(cause) = error.source().filter(|cause| !message.contains(&cause.to_string())) {
        message = format!("{message}: {cause}");
    }
    let error = HandlerError::new(message);
    let error = if settings.hides_lines { error.hide_line() } else { error };
    match &settings.migrations {
        Some(folder) => error.at(folder.span),
        None => error,
    }
}

fn migration_file(folder: &Path, error: &MigrationError) -> Option<PathBuf> {
    let MigrationError::Migrate(
        MigrateError::ExecuteMigration(_, version)
        | MigrateError::VersionMismatch(version)
        | MigrateError::Dirty(version),
    ) = error
    else {
        return None;
    };
    let is_migration = |file: &PathBuf| {
        let number = || file.file_name()?.to_str()?.split_once('_')?.0.parse::<i64>().ok();
        number() == Some(*version)
    };
    std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).find(is_migration)
}
