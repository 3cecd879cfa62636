//! Applies the migrations of databases.

use std::path::Path;

use rulebook::handler_kind::HandlerError;
use rulebook::model::Api;

use crate::database::Database;
use crate::handler_settings::SQL;
use crate::settings::read_databases;

/// Applies the migrations of all databases of a definition, as the start of the API does: the files `NUMBER_NAME.sql`
/// in the folder that the setting `migrations` of a database names. Migrations that were applied before are only
/// compared with their checksums. Returns the names of the databases that have migrations.
///
/// The path of an SQLite file is relative to `data_folder`, and the path of the migrations to the current directory. A
/// program calls this function in a tokio runtime with timers and sockets.
///
/// # Errors
/// Fails if the settings are wrong, a database cannot be reached, a migration fails, or an applied migration was
/// changed or removed.
pub async fn migrate(api: &Api, data_folder: &Path) -> Result<Vec<String>, Vec<HandlerError>> {
    let shared = api.handlers.as_ref().and_then(|handlers| handlers.kind(SQL));
    let mut migrated = Vec::new();
    for settings in read_databases(shared)? {
        if settings.migrations.is_none() {
            continue;
        }
        let database = Database::new(settings);
        let opened = database.open(data_folder);
        opened.map_err(|error| vec![migration_error(&database, &error)])?;
        let result = migrate_database(&database).await;
        database.close().await;
        result.map_err(|error| vec![error])?;
        migrated.push(database.settings.name.clone());
    }
    Ok(migrated)
}

/// Applies the migrations of an open database, if it has some.
pub(crate) async fn migrate_database(database: &Database) -> Result<(), HandlerError> {
    let Some(folder) = &database.settings.migrations else { return Ok(()) };
    database.migrate(Path::new(&folder.value)).await.map_err(|error| migration_error(database, &error))
}

fn migration_error(database: &Database, error: &dyn std::error::Error) -> HandlerError {
    let mut message = format!("the migrations of the database `{}`: {error}", database.settings.name);
    // The cause names the statement or the file.
    if let Some(cause) = error.source().filter(|cause| !message.contains(&cause.to_string())) {
        message = format!("{message}: {cause}");
    }
    let error = HandlerError::new(message);
    match &database.settings.migrations {
        Some(folder) => error.at(folder.span),
        None => error,
    }
}
