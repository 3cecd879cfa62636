//! Applies the migrations of databases.

use std::fmt::Display;
use std::path::{Component, Path};
use std::sync::Arc;

use rulebook::handler_kind::{HandlerError, Migrations, PrepareContext};
use rulebook::model::Api;

use crate::database::{Database, LeaseEnd};
use crate::migrations::{MigrationStatus, read_files};
use crate::release::Release;
use crate::settings::read_databases;

/// Applies the migrations of all databases of a definition, as `migrations` allows it: the files `NUMBER_NAME.sql` in
/// the folder that the setting `migrations` of a database names. Migrations that were applied before are only compared
/// with their checksums. Waits while another program applies migrations to the database. Returns what has changed, a
/// line for each file and table.
///
/// The path of an SQLite file is relative to `data_folder`, and the path of the migrations to the folder that contains
/// the folder of the definition. A program calls this function in a tokio runtime with timers and sockets.
///
/// # Errors
/// Fails if the settings are wrong, a database cannot be reached, a migration fails, or an applied migration was
/// changed or removed.
pub async fn migrate(api: &Api, data_folder: &Path, migrations: Migrations) -> Result<Vec<String>, Vec<HandlerError>> {
    let mut changes = Vec::new();
    for database in open_databases(api, data_folder)? {
        let prepared = Release::prepare(&database, &[], PrepareContext { data_folder, migrations }).await;
        if let Some(release) = prepared.map_err(|error| error.errors)? {
            changes.extend(release.description.clone());
            release.commit().await.map_err(|error| error.errors)?;
        }
        database.close().await;
    }
    Ok(changes)
}

/// Says which migrations the databases of a definition have, a line for each database.
///
/// # Errors
/// Fails if the settings are wrong, a database cannot be reached, or the files do not fit to what the database has.
pub async fn migration_status(api: &Api, data_folder: &Path) -> Result<Vec<String>, Vec<HandlerError>> {
    let mut lines = Vec::new();
    for database in open_databases(api, data_folder)? {
        let name = &database.settings.name;
        let folder = database.settings.migrations.as_ref().map(|folder| folder.value.clone()).unwrap_or_default();
        let mut lease = database.lease_for_migrations().await.map_err(|error| vec![database.unusable(&error)])?;
        let MigrationStatus { pending, newer, applied, interrupted } =
            MigrationStatus::read(lease.connection(), read_files(&folder)?, None).await?;
        let mut line = format!("{name}: {applied} applied, {} pending", pending.len());
        let names: Vec<_> = pending.iter().map(|file| format!("`{}`", file.name())).collect();
        if !names.is_empty() {
            line = format!("{line}: {}", names.join(", "));
        }
        if !newer.is_empty() {
            line = format!("{line}; {} of a newer release", newer.len());
        }
        if let Some(error) = interrupted {
            line = format!("{line}; {}", error.message);
        }
        lines.push(line);
        lease.end(LeaseEnd::Reuse);
        database.close().await;
    }
    Ok(lines)
}

/// Ends a migration that MySQL or MariaDB has run only in part, after its tables were corrected: with `is_applied` as
/// if it had run, and otherwise as if it had never begun. Returns the names of the databases.
///
/// # Errors
/// Fails if the settings are wrong, a database cannot be reached, or none has a migration with this number that was
/// interrupted.
pub async fn end_interrupted_migration(
    api: &Api,
    data_folder: &Path,
    number: i64,
    is_applied: bool,
) -> Result<Vec<String>, Vec<HandlerError>> {
    let mut ended = Vec::new();
    for database in open_databases(api, data_folder)? {
        let unusable = |error: &dyn Display| vec![database.unusable(error)];
        let mut lease = database.lease_for_migrations().await.map_err(|error| unusable(&error))?;
        let interrupted = lease.connection().as_migrate().dirty_version().await;
        // A database without the table of migrations has none.
        if interrupted.ok().flatten() == Some(number) {
            let condition = format!("where version = {number} and not success");
            let statement = match is_applied {
                true => format!("update _sqlx_migrations set success = true {condition}"),
                false => format!("delete from _sqlx_migrations {condition}"),
            };
            lease.run(&statement).await.map_err(|error| unusable(&error))?;
            ended.push(database.settings.name.clone());
        }
        lease.end(LeaseEnd::Reuse);
        database.close().await;
    }
    if ended.is_empty() {
        let error = HandlerError::new(format!("no database has a migration {number} that was interrupted"));
        return Err(vec![error.help("`rulebook migrate --status` says which migrations the databases have")]);
    }
    Ok(ended)
}

/// Opens the databases of a definition that have migrations.
fn open_databases(api: &Api, data_folder: &Path) -> Result<Vec<Arc<Database>>, Vec<HandlerError>> {
    let all = read_databases(api)?.into_iter().filter(|settings| settings.migrations.is_some());
    all.map(|settings| {
        let database = Arc::new(Database::new(settings));
        database.open(data_folder).map_err(|error| vec![database.unusable(&error)])?;
        Ok(database)
    })
    .collect()
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
