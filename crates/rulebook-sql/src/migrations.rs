//! The migrations of a database: the files in a folder, which of them a database has, and how they are applied.
//!
//! The table `_sqlx_migrations` has the form that the crate sqlx gives it, so that databases that were migrated by sqlx
//! itself remain usable.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rulebook::handler_kind::{HandlerError, Migrations, PrepareContext};
use rulebook::model::Api;
use rulebook_model::diagnostic::Source;
use rulebook_model::span::Span;
use sqlx::error::DatabaseError;
use sqlx::migrate::{AppliedMigration, MigrateError, Migration, MigrationType};
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::database::{Connection, Database, Dialect, Lease, LeaseEnd};
use crate::release::{Copy, Release, ReleaseError};
use crate::settings::read_databases;
use crate::statement::{first_words, locate, unquoted_words, words};

/// The index of the file in the spans of a migration, which is not a file of the definition.
const MIGRATION_FILE: u32 = u32::MAX;
/// The first line of a migration whose statements do not run in a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";
/// The words that begin a statement about transactions, which a migration inside of a transaction cannot contain.
const TRANSACTION_WORDS: [&str; 6] = ["abort", "begin", "commit", "end", "rollback", "start"];
/// The words that undo a migration, which then nevertheless counts as applied.
const UNDOING_WORDS: [&str; 2] = ["abort", "rollback"];

/// What to do about errors of PostgreSQL, by their SQLSTATE.
const HELP: [(&str, &str); 3] = [
    ("25001", NEEDS_NO_TRANSACTION),
    (
        "55P03",
        "another transaction uses the table, and calls would wait for the migration: try again, or set `lock_timeout`",
    ),
    ("55P04", NEEDS_NO_TRANSACTION),
];
const NEEDS_NO_TRANSACTION: &str = "put the statement into a file of its own that begins with the line `-- no-transaction`, before the files that need it";

/// The words in statements that may remove rows, columns or tables, or run code that does so.
const REMOVING_WORDS: [&str; 10] =
    ["call", "delete", "do", "drop", "execute", "merge", "rename", "replace", "truncate", "using"];

/// The words that begin statements which remove rows, or run code that may do so.
const RUNNING_WORDS: [&str; 8] = ["call", "delete", "do", "execute", "merge", "replace", "select", "truncate"];

/// What can be dropped without a loss of data.
const HARMLESS_DROPS: [&str; 10] =
    ["check", "constraint", "default", "foreign", "function", "index", "key", "primary", "trigger", "view"];

/// A file `NUMBER_NAME.sql` with the statements of a migration.
#[derive(Debug, Clone)]
pub(crate) struct MigrationFile {
    source: Arc<Source>,
    migration: Migration,
    /// The checksums of the file with other line endings, which a version control system may have changed.
    other_checksums: Vec<Vec<u8>>,
}

impl MigrationFile {
    fn new(number: i64, source: Source) -> Self {
        let text = source.text.replace("\r\n", "\n");
        let is_outside = text.starts_with(NO_TRANSACTION);
        let name = source.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let description = name.split_once('_').map_or(&*name, |(_, name)| name).replace('_', " ");
        let migration = |text: String| {
            Migration::new(number, description.clone().into(), MigrationType::Simple, text.into(), is_outside)
        };
        let checksum = |text: String| migration(text).checksum.into_owned();
        let other_checksums = vec![checksum(source.text.clone()), checksum(text.replace('\n', "\r\n"))];
        Self { migration: migration(text), source: Arc::new(source), other_checksums }
    }

    pub(crate) fn number(&self) -> i64 {
        self.migration.version
    }

    pub(crate) fn name(&self) -> String {
        self.source.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The words that begin statements about transactions. Statements in triggers and functions end with `end`, too.
    fn transaction_words(&self, dialect: Dialect) -> Vec<String> {
        let words = words(&self.migration.sql, dialect).unwrap_or_default();
        let has_body = dialect != Dialect::Postgres || words.windows(2).any(|pair| pair == ["begin", "atomic"]);
        let first = first_words(&self.migration.sql, dialect).into_iter();
        first.filter(|word| TRANSACTION_WORDS.contains(&word.as_str()) && (word != "end" || !has_body)).collect()
    }

    /// The file says so, or contains statements that begin or end a transaction.
    pub(crate) fn is_outside_of_transaction(&self, dialect: Dialect) -> bool {
        dialect != Dialect::Sqlite && (self.migration.no_tx || !self.transaction_words(dialect).is_empty())
    }

    /// Returns an error if the file contains a statement that would undo a part of it, or in SQLite one about
    /// transactions.
    pub(crate) fn refused_statement(&self, dialect: Dialect) -> Option<HandlerError> {
        let words = self.transaction_words(dialect);
        let is_refused = |word: &&String| match dialect {
            Dialect::Sqlite => true,
            Dialect::Postgres => UNDOING_WORDS.contains(&word.as_str()),
            Dialect::Mysql => false,
        };
        let word = words.iter().find(is_refused)?;
        let error = self.error(format!("the migration `{}` contains `{word}`", self.name()), None);
        Some(error.help("remove it: all pending migrations run in one transaction, which begins and ends without it"))
    }

    /// Returns `true` if a statement gives a table or a column with the name `old` the name `new`.
    pub(crate) fn renames(&self, old: &str, new: &str, dialect: Dialect) -> bool {
        let words = unquoted_words(&self.migration.sql, dialect);
        let [old, new] = [old, new].map(|name| name.rsplit('.').next().unwrap_or(name).to_lowercase());
        let is_pair = |words: &[String], between: &[&str]| {
            words.first() == Some(&old)
                && words.last() == Some(&new)
                && words[1..words.len() - 1].iter().eq(between.iter())
        };
        // `rename column OLD to NEW`, `alter table OLD rename to NEW`, and `change OLD NEW` in MySQL.
        [&["to"][..], &["rename", "to"], &["rename", "as"], &["rename"]]
            .iter()
            .any(|between| words.windows(between.len() + 2).any(|words| is_pair(words, between)))
            || words.windows(3).any(|three| three[0] == "change" && three[1] == old && three[2] == new)
    }

    pub(crate) fn drops_table(&self, dialect: Dialect) -> bool {
        words(&self.migration.sql, dialect).is_none_or(|words| words.windows(2).any(|pair| pair == ["drop", "table"]))
    }

    /// Returns `true` if a statement may remove rows, columns or tables, or give them another name.
    pub(crate) fn removes(&self, dialect: Dialect) -> bool {
        let is_removing = |word: &String| REMOVING_WORDS.contains(&word.as_str());
        // A function that a selection calls can remove anything.
        first_words(&self.migration.sql, dialect).iter().any(|word| word == "select")
            || words(&self.migration.sql, dialect).is_none_or(|words| words.iter().any(is_removing))
    }

    /// Returns the statements; in MySQL, also those in comments such as `/*!40000 … */`, which it runs.
    fn text_with_commented_statements(&self, dialect: Dialect) -> String {
        let mut parts = self.migration.sql.split("/*M!").flat_map(|part| part.split("/*!"));
        if dialect != Dialect::Mysql {
            return self.migration.sql.to_string();
        }
        let first = parts.next().unwrap_or_default().to_owned();
        parts
            .fold(first, |text, part| format!("{text} {}", part.trim_start_matches(|char: char| char.is_ascii_digit())))
    }

    /// Describes what the statements may lose, for a database that cannot undo them.
    pub(crate) fn possible_losses(&self, dialect: Dialect) -> Vec<String> {
        let text = self.text_with_commented_statements(dialect);
        let (first_words, words) = (first_words(&text, dialect), words(&text, dialect).unwrap_or_default());
        let removes =
            RUNNING_WORDS.into_iter().filter(|word| first_words.iter().any(|it| it == word)).map(str::to_owned);
        let pairs = words.windows(2).filter(|pair| match &*pair[0] {
            "drop" => !HARMLESS_DROPS.contains(&&*pair[1]),
            "delete" => pair[1] == "from",
            "alter" => pair[1] == "ignore",
            "truncate" => true,
            "replace" => pair[1] == "table",
            "discard" => pair[1] == "tablespace",
            "convert" => pair[1] == "partition",
            _ => pair[0] == "sql_mode",
        });
        let found = removes.chain(pairs.map(|pair| pair.join(" ")));
        found.map(|what| format!("`{}` contains `{what}`, which this database cannot undo", self.name())).collect()
    }

    /// `true` if a statement may change another database of MySQL, or what belongs to a whole server of PostgreSQL.
    pub(crate) fn may_leave_database(&self, schemas: &[String], dialect: Dialect) -> bool {
        let text = self.text_with_commented_statements(dialect).replace('`', "").to_lowercase();
        let words = words(&text, dialect).unwrap_or_default();
        let of_server = ["role", "user", "tablespace", "database", "system", "subscription", "group"];
        let is_of_server =
            |pair: &[String]| matches!(&*pair[0], "alter" | "create" | "drop") && of_server.contains(&&*pair[1]);
        words.windows(2).any(is_of_server)
            || (dialect == Dialect::Mysql
                && (words.iter().any(|word| matches!(&**word, "use" | "execute" | "call" | "grant" | "revoke"))
                    || schemas.iter().any(|schema| text.contains(&format!("{}.", schema.to_lowercase())))))
    }

    pub(crate) fn emptied_tables(&self, dialect: Dialect) -> Vec<String> {
        let words = unquoted_words(&self.migration.sql, dialect);
        let tables = words.windows(4).chain(words.windows(3).last()).filter_map(|words| match words {
            [delete, from, table, rest @ ..] if delete == "delete" && from == "from" => {
                rest.first().is_none_or(|next| next != "where" && next != "using" && next != "as").then_some(table)
            }
            [truncate, table, ..] if truncate == "truncate" && table != "table" => Some(table),
            [truncate, _, table, ..] if truncate == "truncate" => Some(table),
            _ => None,
        });
        tables.cloned().collect()
    }

    fn has_checksum(&self, checksum: &[u8]) -> bool {
        *self.migration.checksum == *checksum || self.other_checksums.iter().any(|other| **other == *checksum)
    }

    /// Runs the statements, and records the migration in the database. In a transaction, both are a part of it.
    pub(crate) async fn apply(&self, connection: &mut Connection) -> Result<(), ReleaseError> {
        let failed = |error: &dyn Display, at| {
            ReleaseError::from(vec![self.error(format!("the migration `{}` fails: {error}", self.name()), at)])
        };
        let migrate = connection.as_migrate();
        let result = match migrate.ensure_migrations_table().await {
            Ok(()) => migrate.apply(&self.migration).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(_) => Ok(()),
            Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
                let of_database = error.as_database_error();
                let code = of_database.and_then(DatabaseError::code).map(Cow::into_owned);
                let mut failed = failed(&error, of_database.and_then(|error| self.position(error)));
                if let Some((_, help)) = HELP.into_iter().find(|(known, _)| code.as_deref() == Some(*known)) {
                    failed.errors = failed.errors.into_iter().map(|error| error.help(help)).collect();
                }
                Err(ReleaseError { code, ..failed })
            }
            Err(error) => Err(failed(&error, None)),
        }
    }

    /// Returns an error at a character of the file; `None` stands for the beginning.
    fn error(&self, message: String, at: Option<usize>) -> HandlerError {
        let start = u32::try_from(at.unwrap_or(0)).unwrap_or(u32::MAX);
        HandlerError::new(message)
            .at(Span { file: MIGRATION_FILE, start, end: start + u32::from(at.is_some()) })
            .in_file(Arc::clone(&self.source))
    }

    /// Returns the offset of the error that a database reports, as far as the database says where it is.
    fn position(&self, error: &dyn DatabaseError) -> Option<usize> {
        let sql = &*self.migration.sql;
        let offset = if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
            match error.position()? {
                PgErrorPosition::Original(character) => sql.char_indices().nth(character.checked_sub(1)?)?.0,
                PgErrorPosition::Internal { .. } => return None,
            }
        } else {
            let message = error.message();
            match message.rsplit_once("at line ").and_then(|(_, line)| line.trim().parse::<usize>().ok()) {
                // MariaDB and MySQL name the line.
                Some(line) => sql.match_indices('\n').nth(line.checked_sub(2)?).map_or(0, |(newline, _)| newline + 1),
                // SQLite names the word.
                None => locate(message, sql)?.start,
            }
        };
        let removed = self.source.text.match_indices("\r\n").enumerate();
        let removed = removed.take_while(|(index, (at, _))| at - index < offset).count();
        Some(offset + removed)
    }
}

/// Returns the files in the order of their numbers. Returns an error for each file that cannot be read, has no number,
/// or has the number of another file.
pub(crate) fn read_files(folder: &Path) -> Result<Vec<MigrationFile>, Vec<HandlerError>> {
    let unreadable = |path: &Path, error: &dyn Display| {
        HandlerError::new(format!("the migrations cannot be read: {}: {error}", path.display()))
    };
    let entries = folder.read_dir().map_err(|error| vec![unreadable(folder, &error)])?;
    let (mut files, mut errors): (Vec<MigrationFile>, _) = (Vec::new(), Vec::new());
    for entry in entries {
        let path = match entry {
            Ok(entry) => entry.path(),
            Err(error) => {
                errors.push(unreadable(folder, &error));
                continue;
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_sql = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
        if !is_sql || name.ends_with(".down.sql") || !path.is_file() {
            continue;
        }
        let Some(number) = number_of(&name) else {
            let error = HandlerError::new(format!("`{}` is not the name of a migration", path.display()));
            errors.push(error.help("name it NUMBER_NAME.sql, such as `2_author.sql`"));
            continue;
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
                files.push(MigrationFile::new(number, Source::new(path, text)));
            }
            Err(error) => errors.push(unreadable(&path, &error)),
        }
    }
    files.sort_by_key(|file| (file.number(), file.name()));
    for pair in files.windows(2) {
        let [first, second] = pair else { continue };
        if first.number() == second.number() {
            let (name, number) = (first.name(), first.number());
            let error = second.error(format!("`{}` has the number {number}, as `{name}` has", second.name()), None);
            errors.push(error.help("give the newer one a number above all others"));
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

/// Returns a warning for each file of a folder that is named as a migration, and is not read.
pub(crate) fn unread_files(folder: &Path) -> Vec<HandlerError> {
    let names = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.file_name());
    let warning = |name: std::ffi::OsString| {
        let name = name.to_string_lossy().into_owned();
        let is_read = name.to_lowercase().ends_with(".sql") || name.ends_with('~');
        let is_numbered = name.split_once('_').is_some_and(|(number, _)| number.parse::<i64>().is_ok());
        let path = folder.join(&name);
        let error = HandlerError::new(format!("`{name}` is not read: the names of migrations end with `.sql`"))
            .in_file(Arc::new(Source::new(path, String::new())));
        (is_numbered && !is_read).then(|| error.help("rename the file, or move it out of the folder"))
    };
    let mut warnings: Vec<_> = names.filter_map(warning).collect();
    warnings.sort_by(|one, other| one.message.cmp(&other.message));
    warnings
}

/// Returns the number in the name of a migration: 2 in `2_author.sql`.
fn number_of(name: &str) -> Option<i64> {
    let (number, rest) = name.split_once('_')?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && rest.len() > ".sql".len() && rest.ends_with(".sql")).then(|| number.parse().ok())?
}

/// What a database lacks of the migrations of a definition.
#[derive(Debug, Default)]
pub(crate) struct MigrationStatus {
    pub pending: Vec<MigrationFile>,
    /// The numbers of migrations above those of all files: a newer release has applied them.
    pub newer: Vec<i64>,
    pub applied: usize,
    /// Why no migration can be applied: one was interrupted.
    pub interrupted: Option<HandlerError>,
}

impl MigrationStatus {
    /// Compares the migrations of a database with the files. Those from `first_edited` count as not applied.
    pub(crate) async fn read(
        connection: &mut Connection,
        files: Vec<MigrationFile>,
        first_edited: Option<i64>,
    ) -> Result<Self, Vec<HandlerError>> {
        let migrate = connection.as_migrate();
        let mut applied = match migrate.list_applied_migrations().await {
            Ok(applied) => applied,
            Err(error) if is_missing_table(&error) => Vec::new(),
            Err(error) => {
                let message = format!("the migrations that the database has cannot be read: {error}");
                return Err(vec![HandlerError::new(message)]);
            }
        };
        applied.retain(|applied| first_edited.is_none_or(|first| applied.version < first));
        let interrupted = if applied.is_empty() { None } else { migrate.dirty_version().await.ok().flatten() };
        compare(files, &applied, interrupted)
    }

    pub(crate) fn pending_message(&self, database: &str) -> String {
        let names: Vec<_> = self.pending.iter().map(|file| format!("`{}`", file.name())).collect();
        if let [name] = &names[..] {
            return format!("the migration {name} of the database `{database}` is pending");
        }
        format!("{} migrations of the database `{database}` are pending: {}", names.len(), names.join(", "))
    }

    /// Writes to the log what the database lacks or has besides the files, although the statements fit.
    pub(crate) fn warn(&self, database: &str) {
        if let Some(error) = &self.interrupted {
            log::warn!("the database `{database}`: {}; the statements fit to its tables", error.message);
        }
        if !self.pending.is_empty() {
            log::warn!("{}: apply them with `rulebook migrate`", self.pending_message(database));
        }
        if let (Some(first), count) = (self.newer.first(), self.newer.len()) {
            log::warn!(
                "the database `{database}` has {count} migrations of a newer release, from {first}; the statements fit to \
                 its tables"
            );
        }
    }
}

/// Returns `true` if no migration was applied to the database, which has no table for them.
fn is_missing_table(error: &MigrateError) -> bool {
    let MigrateError::Execute(sqlx::Error::Database(error)) = error else { return false };
    matches!(error.code().as_deref(), Some("42P01" | "42S02")) || error.message().starts_with("no such table")
}

fn compare(
    files: Vec<MigrationFile>,
    applied: &[AppliedMigration],
    interrupted: Option<i64>,
) -> Result<MigrationStatus, Vec<HandlerError>> {
    let highest_file = files.last().map_or(0, MigrationFile::number);
    let highest_applied = applied.last().map_or(0, |applied| applied.version);
    let mut errors = Vec::new();
    let mut status = MigrationStatus { applied: applied.len(), ..MigrationStatus::default() };
    for AppliedMigration { version, .. } in applied {
        if *version > highest_file {
            status.newer.push(*version);
        } else if files.iter().all(|file| file.number() != *version) {
            let error = HandlerError::new(format!("the database has the migration {version}, whose file is missing"));
            errors.push(error.help(format!("restore the file `{version}_….sql`: migrations that were applied remain")));
        }
    }
    for file in files {
        let number = file.number();
        match applied.iter().find(|applied| applied.version == number) {
            Some(_) if interrupted == Some(number) => {
                let message = format!("the migration `{}` was interrupted: it may have run in part", file.name());
                status.interrupted = Some(file.error(message, None).help(format!(
                    "bring the tables to the state before it or after it, and run `rulebook migrate --as-pending \
                     {number}` or `rulebook migrate --as-applied {number}`"
                )));
            }
            Some(applied) if !file.has_checksum(&applied.checksum) => {
                let message = format!("the migration `{}` has changed since it was applied", file.name());
                let error = file.error(message, None);
                errors.push(error.help("restore its text, and put the change into a new migration"));
            }
            Some(_) => {}
            None if number < highest_applied => {
                let message = format!(
                    "the migration `{}` is new, but the database has the later number {highest_applied}",
                    file.name()
                );
                let error = file.error(message, None);
                errors.push(error.help(format!("give it a number above {}", highest_applied.max(highest_file))));
            }
            None => status.pending.push(file),
        }
    }
    if errors.is_empty() { Ok(status) } else { Err(errors) }
}

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

/// The copy from before an applied migration whose text has changed.
pub(crate) struct Edited {
    /// The number of the first migration that the copy does not have.
    pub number: i64,
    copy: PathBuf,
    file: PathBuf,
}

/// Finds the copy from before the first applied migration whose text has changed, if there is one.
pub(crate) async fn find(connection: &mut Connection, files: &[MigrationFile], file: PathBuf) -> Option<Edited> {
    let applied = connection.as_migrate().list_applied_migrations().await.ok()?;
    let has_changed = |file: &&MigrationFile| {
        applied.iter().any(|applied| applied.version == file.number() && !file.has_checksum(&applied.checksum))
    };
    let changed = files.iter().find(has_changed)?.number();
    let begin = format!("{}.before-", file.file_name()?.to_string_lossy());
    let copies = file.parent()?.read_dir().ok()?.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number: i64 = name.strip_prefix(&begin)?.split('.').next()?.parse().ok()?;
        let modified = entry.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        (number <= changed).then(|| (number, modified, entry.path()))
    });
    let (number, _, copy) = copies.max_by_key(|(number, modified, _)| (*number, *modified))?;
    Some(Edited { number, copy, file })
}

impl Edited {
    /// Copies the present state of the database, and opens the copy from before the migration.
    pub(crate) async fn attach(&self, lease: &mut Lease) -> Result<Copy, sqlx::Error> {
        let present = Copy::new(lease, &self.file, &format!("edited-{}", self.number)).await?;
        lease.text_rows("attach ? as rulebook_before", &[&self.copy.to_string_lossy()]).await?;
        Ok(present)
    }
}

/// Replaces the tables of the database by those of the copy, in the transaction that has begun. Tables of rulebook
/// itself stay as they are.
pub(crate) async fn restore(lease: &mut Lease) -> Result<(), sqlx::Error> {
    let objects = |schema: &str| {
        format!(
            "select type, name, sql from {schema}.sqlite_master where sql is not null \
             and name not like 'sqlite\\_%' escape '\\' and tbl_name not like 'rulebook\\_%' escape '\\' \
             and name not in (select name from pragma_table_list where schema = '{schema}' and type = 'shadow') \
             order by type = 'view' desc, rowid"
        )
    };
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    for row in lease.text_rows(&objects("main"), &[]).await? {
        if let [Some(kind), Some(name), _] = &row[..]
            && matches!(kind.as_str(), "table" | "view")
        {
            lease.run(&format!("drop {kind} if exists main.{}", quoted(name))).await?;
        }
    }
    let objects = lease.text_rows(&objects("rulebook_before"), &[]).await?;
    let (tables, others): (Vec<_>, Vec<_>) = objects.iter().partition(|row| row[0].as_deref() == Some("table"));
    for row in tables {
        let [_, Some(name), Some(sql)] = &row[..] else { continue };
        lease.run(sql).await?;
        let columns = "select name from pragma_table_xinfo(?, 'rulebook_before') where hidden = 0";
        let columns = lease.text_rows(columns, &[name]).await?;
        let columns: Vec<_> = columns.iter().filter_map(|row| Some(quoted(row.first()?.as_deref()?))).collect();
        let (name, columns) = (quoted(name), columns.join(", "));
        let copy = format!("insert into main.{name} ({columns}) select {columns} from rulebook_before.{name}");
        lease.run(&copy).await?;
    }
    let sequences = "select name from rulebook_before.sqlite_master where name = 'sqlite_sequence'";
    if !lease.text_rows(sequences, &[]).await?.is_empty() {
        lease.run("delete from main.sqlite_sequence").await?;
        lease.run("insert into main.sqlite_sequence select * from rulebook_before.sqlite_sequence").await?;
    }
    // The triggers must not see the rows that are copied.
    for row in others {
        if let [_, _, Some(sql)] = &row[..] {
            lease.run(sql).await?;
        }
    }
    Ok(())
}
