//! A release prepares everything before it changes anything: the pending migrations of a database run in a transaction,
//! in which all statements of the definition are prepared, and which is committed when the rest of the API can be
//! served, too. Where a database has no such transactions, what could be lost is named before anything runs. Migrations
//! are also tried in temporary databases, which have the tables of all migrations and are removed afterwards.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rulebook::handler_kind::{ApplyMigrations, CheckContext, HandlerError, Migrations, PrepareContext};
use url::Url;

use crate::call::SqlMethod;
use crate::database::{
    Database, DeletedRows, Dialect, Lease, LeaseEnd, MigrationLock, PrepareError as StatementError, Violation,
};
use crate::migrations::{self, Edited, MigrationFile, MigrationStatus, read_files};
use crate::rules::{COLUMN, Rule, check_tables, rules};
use crate::running::Running;
use crate::settings::DatabaseSettings;

/// The savepoint after the migrations: an error in a statement must not end the transaction.
pub(crate) const SAVEPOINT: &str = "rulebook_statements";

/// The statements of the definition and the pending migrations, after everything about them is known that can be known
/// before a change. If this value is dropped, the connection is closed, and the database undoes the migrations.
pub(crate) struct Release {
    lease: Lease,
    lock: MigrationLock,
    database: Arc<Database>,
    /// The migrations that cannot run in one transaction with the others. The commit runs them.
    outside: Vec<MigrationFile>,
    copy: Option<Copy>,
    methods: Vec<Arc<SqlMethod>>,
    data_folder: PathBuf,
    /// What the migrations change, a line for each file and table.
    pub description: Vec<String>,
    /// `true` if the database had no tables.
    pub is_new: bool,
}

#[derive(Debug)]
pub(crate) struct ReleaseError {
    pub errors: Vec<HandlerError>,
    /// The SQLSTATE of a migration that the database rejects.
    pub code: Option<String>,
    /// The number of pending migrations, if the statements do not fit without them.
    pub pending: usize,
}

impl ReleaseError {
    fn map(self, change: impl Fn(HandlerError) -> HandlerError) -> Self {
        Self { errors: self.errors.into_iter().map(change).collect(), ..self }
    }
}

impl From<String> for ReleaseError {
    fn from(reason: String) -> Self {
        vec![HandlerError::new(format!("the migrations cannot be applied: {reason}"))].into()
    }
}

impl From<sqlx::Error> for ReleaseError {
    fn from(error: sqlx::Error) -> Self {
        error.to_string().into()
    }
}

impl From<Vec<HandlerError>> for ReleaseError {
    fn from(errors: Vec<HandlerError>) -> Self {
        Self { errors, code: None, pending: 0 }
    }
}

/// The columns of each table, and the numbers of its rows and of the values in its columns unless they were not
/// counted, by its name.
type Tables = BTreeMap<String, Table>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Table {
    columns: Vec<String>,
    rows: Option<u64>,
    values: Vec<u64>,
}

impl Release {
    /// Runs the pending migrations, if the caller allows it, and prepares the statements. Returns `None` if there is
    /// nothing to commit. After an error, nothing in the database has changed.
    pub(crate) async fn prepare(
        database: &Arc<Database>,
        methods: &[Arc<SqlMethod>],
        context: PrepareContext<'_>,
    ) -> Result<Option<Self>, ReleaseError> {
        let Some(folder) = &database.settings.migrations else {
            let mut lease = database.lease().await.map_err(|error| vec![database.unusable(&error)])?;
            prepare_statements(&mut lease, methods, context.data_folder, false).await?;
            lease.end(LeaseEnd::Reuse);
            return Ok(None);
        };
        let prepared = Self::prepare_migrations(database, methods, context, &folder.value).await;
        prepared.map_err(|error| error.map(|error| if error.span.is_none() { error.at(folder.span) } else { error }))
    }

    async fn prepare_migrations(
        database: &Arc<Database>,
        methods: &[Arc<SqlMethod>],
        context: PrepareContext<'_>,
        folder: &Path,
    ) -> Result<Option<Self>, ReleaseError> {
        let DatabaseSettings { name, dialect, .. } = &database.settings;
        let (dialect, is_sqlite) = (*dialect, *dialect == Dialect::Sqlite);
        let mut lease = database.lease_for_migrations().await.map_err(|error| vec![database.unusable(&error)])?;
        let files = read_files(folder)?;
        let lock = database.lock_migrations(&mut lease).await?;
        let edits = is_sqlite && context.migrations.apply == ApplyMigrations::ToEditedFiles;
        let edited = match database.file(context.data_folder).filter(|_| edits) {
            Some(file) => migrations::find(lease.connection(), &files, file).await,
            None => None,
        };
        let first_edited = edited.as_ref().map(|edited| edited.number);
        let status = MigrationStatus::read(lease.connection(), files.clone(), first_edited).await?;
        let before = tables(&mut lease).await?;
        let is_new = status.applied == 0 && before.is_empty();
        let applies = match context.migrations.apply {
            ApplyMigrations::ToAllDatabases => true,
            ApplyMigrations::ToEditedFiles => is_new || edits,
            ApplyMigrations::ToNewDatabases => is_new,
            ApplyMigrations::ToNewFiles => is_new && is_sqlite,
        };
        if applies && let Some(error) = status.interrupted {
            return Err(vec![error].into());
        }
        if status.pending.is_empty() || !applies {
            lock.release(lease.connection()).await;
            let prepared = prepare_statements(&mut lease, methods, context.data_folder, !status.newer.is_empty()).await;
            return match prepared {
                Err(errors) if status.interrupted.is_some() => {
                    Err(status.interrupted.into_iter().chain(errors).collect::<Vec<_>>().into())
                }
                Err(errors) if !status.pending.is_empty() => {
                    let error = HandlerError::new(status.pending_message(name)).help("apply them: `rulebook migrate`");
                    let errors = [&[error], &errors[..]].concat();
                    Err(ReleaseError { pending: status.pending.len(), ..errors.into() })
                }
                Err(errors) => Err(errors.into()),
                Ok(()) => {
                    status.warn(name);
                    lease.end(LeaseEnd::Reuse);
                    Ok(None)
                }
            };
        }
        let pending = status.pending;
        let refused: Vec<_> = pending.iter().filter_map(|file| file.refused_statement(dialect)).collect();
        if !refused.is_empty() {
            return Err(refused.into());
        }
        let running = Running::read(&mut lease).await?;
        let new = is_new.then(|| format!("{name}: new, at {}", database.location()));
        let mut release = Self {
            lease,
            lock,
            database: Arc::clone(database),
            outside: Vec::new(),
            copy: None,
            methods: methods.to_vec(),
            data_folder: context.data_folder.to_owned(),
            description: new.into_iter().chain(pending.iter().map(|file| format!("{name}: {}", file.name()))).collect(),
            is_new,
        };
        let drops = |file: &MigrationFile| file.drops_table(dialect);
        // In a new database of SQLite, a migration has foreign keys as it had them where it was applied alone.
        let is_mixed = is_new && is_sqlite && pending.iter().any(drops) && !pending.iter().all(drops);
        let is_outside = |file: &MigrationFile| file.is_outside_of_transaction(dialect);
        if dialect == Dialect::Mysql || is_mixed || pending.iter().any(is_outside) {
            release.try_outside(&files, pending, &running, context.migrations).await?;
        } else {
            release.try_inside(&pending, before, edited, &running, context.migrations).await?;
        }
        Ok(Some(release))
    }

    /// Tries migrations in another database that cannot be undone, and leaves them to the commit. In a new database,
    /// nothing can be lost.
    async fn try_outside(
        &mut self,
        files: &[MigrationFile],
        pending: Vec<MigrationFile>,
        running: &Running,
        migrations: Migrations,
    ) -> Result<(), ReleaseError> {
        if !self.is_new {
            let dialect = self.database.settings.dialect;
            let losses: Vec<_> = pending.iter().flat_map(|file| file.possible_losses(dialect)).collect();
            refuse_losses(&losses, migrations)?;
            self.description.extend(losses.iter().map(|loss| format!("  {loss}")));
            match self.try_in_new_database(files, &pending, running).await? {
                Trial::Done { changes, broken } => {
                    refuse_breaking(&broken, migrations, &pending)?;
                    self.description.extend(changes.iter().map(|change| format!("  {change}")));
                    self.description.push(CANNOT_BE_UNDONE.to_owned());
                    self.description.extend(broken.iter().map(|line| format!("  breaks {line}")));
                }
                Trial::Impossible(why) => {
                    self.description.push(format!("  cannot be undone, and was not tried in another database: {why}"));
                }
            }
        }
        self.outside = pending;
        Ok(())
    }

    /// Applies all migrations to a new database on the same server, and prepares the statements there.
    async fn try_in_new_database(
        &mut self,
        files: &[MigrationFile],
        pending: &[MigrationFile],
        running: &Running,
    ) -> Result<Trial, ReleaseError> {
        let DatabaseSettings { name, url, migrations_url, dialect, .. } = &self.database.settings;
        // The other databases of the server must stay as they are.
        let schemas = self.lease.text_rows(dialect.list_schemas(), &[]).await?;
        let schemas: Vec<_> = schemas.into_iter().filter_map(|row| row.into_iter().next()?).collect();
        if let Some(file) = files.iter().find(|file| file.may_leave_database(&schemas, *dialect)) {
            return Ok(Trial::Impossible(format!("`{}` may change other databases of the server", file.name())));
        }
        let address = migrations_url.as_ref().unwrap_or(url);
        let (created, url) = match TemporaryDatabase::create(address, *dialect, &self.data_folder).await {
            Ok(created) => created,
            Err(why) => return Ok(Trial::Impossible(why)),
        };
        let temporary = Database::new(DatabaseSettings::at(name, &url, *dialect));
        let trial = async {
            temporary.open(&self.data_folder)?;
            let mut lease = temporary.lease().await?;
            let mut before = Tables::new();
            for file in files {
                if pending.first().is_some_and(|first| first.number() == file.number()) {
                    before = tables(&mut lease).await?;
                }
                match file.apply(lease.connection()).await {
                    // A database that existed before its first migration has other tables and rows.
                    Err(error)
                        if needs_other_server(&error)
                            || pending.iter().all(|pending| pending.number() != file.number())
                            || error.code.as_deref().is_some_and(|code| OF_ROWS.contains(&code)) =>
                    {
                        let reason = error.errors.first().map_or_else(String::new, |error| error.message.clone());
                        return Ok(Trial::Impossible(reason));
                    }
                    applied => applied?,
                }
            }
            prepare_statements(&mut lease, &self.methods, &self.data_folder, false).await?;
            let is_renamed = |old: &str, new: &str| pending.iter().any(|file| file.renames(old, new, *dialect));
            let (changes, _) = differences(&before, &tables(&mut lease).await?, is_renamed);
            let broken = running.broken(&mut lease).await?;
            lease.end(LeaseEnd::Reuse);
            Ok(Trial::Done { changes, broken })
        };
        let mut result: Result<_, ReleaseError> = trial.await;
        // The messages of the database name the temporary one.
        let prefix = format!("{}.", created.name);
        let texts = match &mut result {
            Ok(Trial::Done { broken, .. }) => broken.iter_mut().collect(),
            Ok(Trial::Impossible(_)) => Vec::new(),
            Err(error) => error.errors.iter_mut().map(|error| &mut error.message).collect(),
        };
        texts.into_iter().for_each(|text| *text = text.replace(&prefix, ""));
        temporary.close().await;
        created.remove().await;
        result
    }

    /// Runs the migrations in a transaction, and compares the tables before and after them.
    async fn try_inside(
        &mut self,
        pending: &[MigrationFile],
        mut before: Tables,
        edited: Option<Edited>,
        running: &Running,
        migrations: Migrations,
    ) -> Result<(), ReleaseError> {
        let DatabaseSettings { dialect, lock_timeout, .. } = self.database.settings;
        let is_sqlite = dialect == Dialect::Sqlite;
        let lease = &mut self.lease;
        if let Some(edited) = &edited {
            self.copy = Some(edited.attach(lease).await?);
        } else if is_sqlite {
            count_rows(lease, &mut before).await?;
            let has_rows = before.values().any(|table| table.rows != Some(0));
            if let Some(file) = self.database.file(&self.data_folder).filter(|_| has_rows) {
                let end = format!("before-{}", pending.first().map_or(0, MigrationFile::number));
                self.copy = Some(Copy::new(lease, &file, &end).await?);
            }
        }
        let drops_tables = edited.is_some() || pending.iter().any(|file| file.drops_table(dialect));
        let deleted = DeletedRows::default();
        lease.connection().begin_migrations(lock_timeout, drops_tables, &deleted).await?;
        if edited.is_some() {
            migrations::restore(lease).await?;
            before = tables(lease).await?;
            // What goes back to the copy is no loss of the migrations.
            std::mem::take(&mut *deleted.lock().unwrap_or_else(PoisonError::into_inner));
        }
        // Counting takes long for large tables, on which other migrations hold a lock meanwhile.
        let counts_rows = is_sqlite || pending.iter().any(|file| file.removes(dialect));
        if counts_rows {
            count_rows(lease, &mut before).await?;
        }
        apply(lease, pending, &self.database).await?;
        let mut after = tables(lease).await?;
        if counts_rows {
            count_rows(lease, &mut after).await?;
        }
        let is_renamed = |old: &str, new: &str| pending.iter().any(|file| file.renames(old, new, dialect));
        let (mut changes, mut losses) = differences(&before, &after, is_renamed);
        let mut deleted = std::mem::take(&mut *deleted.lock().unwrap_or_else(PoisonError::into_inner));
        for row in lease.deleted_rows().await? {
            if let [Some(table), Some(rows)] = &row[..] {
                deleted.insert(table.clone(), rows.parse().unwrap_or_default());
            }
        }
        for table in pending.iter().flat_map(|file| file.emptied_tables(dialect)) {
            let rows = before.get(&table).and_then(|table| table.rows).filter(|rows| *rows > 0);
            deleted.extend(rows.map(|rows| (table, rows)));
        }
        // Other rows can have been inserted instead of them.
        for (name, rows) in deleted {
            let [old, new] = [&before, &after].map(|tables| tables.get(&name).and_then(|table| table.rows));
            if old.is_some() && new >= old {
                let message = format!("{rows} of the rows of the table `{name}` are deleted, and others are inserted");
                changes.push(message.clone());
                losses.push(message);
            }
        }
        refuse_losses(&losses, migrations)?;
        self.description.extend(changes.into_iter().map(|change| format!("  {change}")));
        lease.run(&format!("SAVEPOINT {SAVEPOINT}")).await?;
        prepare_statements(lease, &self.methods, &self.data_folder, false).await?;
        let broken = running.broken(lease).await?;
        refuse_breaking(&broken, migrations, pending)?;
        self.description.extend(broken.iter().map(|line| format!("  breaks {line}")));
        Ok(())
    }

    /// Makes the migrations effective. If one fails that cannot run in a transaction, those before it have run.
    pub(crate) async fn commit(mut self) -> Result<(), ReleaseError> {
        let settings = &self.database.settings;
        let has_transactions = settings.dialect == Dialect::Sqlite;
        if self.outside.is_empty() {
            self.lease.connection().commit_migrations().await?;
        } else {
            // A migration may take longer than a call.
            self.lease.limit_time(settings.dialect, Duration::ZERO).await?;
        }
        let drops = |file: &MigrationFile| file.drops_table(settings.dialect);
        for group in self.outside.chunk_by(|one, other| has_transactions && drops(one) == drops(other)) {
            if has_transactions {
                let drops_tables = group.iter().any(drops);
                let deleted = DeletedRows::default();
                self.lease.connection().begin_migrations(settings.lock_timeout, drops_tables, &deleted).await?;
                apply(&mut self.lease, group, &self.database).await?;
                self.lease.connection().commit_migrations().await?;
            } else {
                for file in group {
                    let applied = file.apply(self.lease.connection()).await;
                    applied.map_err(|error| match settings.dialect {
                        Dialect::Mysql => {
                            let help = format!(
                                "the statements before it have run, and so have the migrations before this one: bring \
                                 the tables to the state before this file or after it, and run `rulebook migrate \
                                 --as-pending {0}` or `rulebook migrate --as-applied {0}`",
                                file.number()
                            );
                            error.map(|error| error.help(&help))
                        }
                        _ => error,
                    })?;
                }
            }
        }
        for line in &self.description {
            log::info!("{line}");
        }
        if let Some(copy) = &mut self.copy {
            copy.is_kept = true;
            log::info!("the database `{}` as it was before: {}", settings.name, copy.path.display());
        }
        self.lock.release(self.lease.connection()).await;
        if !self.outside.is_empty() {
            prepare_statements(&mut self.lease, &self.methods, &self.data_folder, false).await?;
        }
        // The connection has other time limits than those of calls, so that it is closed.
        Ok(())
    }
}

async fn apply(lease: &mut Lease, files: &[MigrationFile], database: &Database) -> Result<(), ReleaseError> {
    let drops_tables = files.iter().any(|file| file.drops_table(database.settings.dialect));
    let before = lease.broken_references().await?;
    for file in files {
        file.apply(lease.connection()).await?;
    }
    if drops_tables {
        let after = lease.broken_references().await?;
        check_references(&database.settings.name, &before, &after).map_err(|error| vec![error])?;
    }
    Ok(())
}

fn refuse_losses(losses: &[String], migrations: Migrations) -> Result<(), Vec<HandlerError>> {
    if losses.is_empty() || migrations.allow_loss {
        return Ok(());
    }
    let error = HandlerError::new(format!("the migrations lose data: {}", losses.join("; ")));
    Err(vec![error.help("if this is meant, run `rulebook migrate --allow-loss`")])
}

/// Fails if the migrations break statements of servers that run, unless this is allowed.
fn refuse_breaking(broken: &[String], migrations: Migrations, pending: &[MigrationFile]) -> Result<(), ReleaseError> {
    if broken.is_empty() || migrations.allow_breaking {
        return Ok(());
    }
    let files: Vec<_> = pending.iter().map(|file| format!("`{}`", file.name())).collect();
    let message = format!("{} would break statements of servers that run: {}", files.join(", "), broken.join("; "));
    let error = HandlerError::new(message);
    let error = error.help(
        "first let the servers serve a release that does not need what the migrations change; or run `rulebook migrate \
         --allow-breaking`",
    );
    Err(ReleaseError { pending: pending.len(), ..vec![error].into() })
}

/// The SQLSTATEs of violated constraints. A new database may not have the rows that violate them.
const OF_ROWS: [&str; 2] = ["23000", "23503"];

const CANNOT_BE_UNDONE: &str =
    "  cannot be undone: if a row that a new database does not have stops them, those before it have run";

/// The result of running migrations in another database.
enum Trial {
    /// They and the statements have succeeded. The lines describe what they change, and break of servers that run.
    Done { changes: Vec<String>, broken: Vec<String> },
    /// They cannot be tried, for this reason.
    Impossible(String),
}

/// If `is_older` is `true`, the tables belong to a newer release.
async fn prepare_statements(
    lease: &mut Lease,
    methods: &[Arc<SqlMethod>],
    data_folder: &Path,
    is_older: bool,
) -> Result<(), Vec<HandlerError>> {
    let mut errors = Vec::new();
    for method in methods {
        match method.prepare(lease, data_folder, is_older).await {
            Ok(()) => {}
            Err(StatementError::Definition(found)) => errors.extend(found),
            Err(StatementError::Database(error)) => {
                let error = HandlerError::new(format!("the statements cannot be prepared: {error}"));
                errors.push(error.at(method.span));
            }
        }
    }
    // Without the rights to read them, the tables say nothing. Those of a newer release are no mistake of this one.
    let is_checked = errors.is_empty() && !is_older;
    let rules = if is_checked { rules(lease).await.unwrap_or_default() } else { Vec::new() };
    if !rules.is_empty() {
        for method in methods {
            let (found, warnings) = check_tables(method, &rules);
            errors.extend(found);
            // A method is checked once.
            let _ = method.warnings.set(warnings);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Returns the tables of a database, except those of rulebook itself, of extensions, and the list of migrations.
async fn tables(lease: &mut Lease) -> Result<Tables, sqlx::Error> {
    let mut tables = Tables::new();
    for Rule { table, columns, .. } in rules(lease).await?.into_iter().filter(|rule| rule.kind == COLUMN) {
        let is_of_rulebook = table.split('.').next_back().is_some_and(|name| name.starts_with("rulebook_"));
        if !is_of_rulebook && !table.ends_with("_sqlx_migrations") {
            tables.entry(table).or_default().columns.extend(columns);
        }
    }
    Ok(tables)
}

async fn count_rows(lease: &mut Lease, tables: &mut Tables) -> Result<(), sqlx::Error> {
    let dialect = lease.dialect();
    for (name, table) in tables {
        let counted = lease.text_rows(&dialect.count_rows(name, &table.columns), &[]).await?;
        let mut counts = counted.into_iter().flatten().filter_map(|count| count?.parse().ok());
        table.rows = counts.next();
        table.values = counts.collect();
    }
    Ok(())
}

/// Returns the differences, and those of them that are losses. `is_renamed` returns whether a migration renames a table
/// or a column.
fn differences(before: &Tables, after: &Tables, is_renamed: impl Fn(&str, &str) -> bool) -> (Vec<String>, Vec<String>) {
    let (mut changes, mut losses) = (Vec::new(), Vec::new());
    let mut added: Vec<_> = after.iter().filter(|(name, _)| !before.contains_key(*name)).collect();
    for (name, old) in before {
        let new = match after.get(name) {
            Some(new) => new,
            None => match added.iter().position(|(new, _)| is_renamed(name, new)) {
                Some(index) => {
                    let (new_name, new) = added.remove(index);
                    changes.push(format!("the table `{name}` is renamed to `{new_name}`"));
                    new
                }
                None => {
                    losses.push(format!("the table `{name}` is dropped{}", with_rows(old)));
                    continue;
                }
            },
        };
        let mut added: Vec<_> = new.columns.iter().filter(|column| !old.columns.contains(column)).collect();
        for column in old.columns.iter().filter(|column| !new.columns.contains(column)) {
            let message = format!("the column `{name}.{column}` is dropped{}", with_rows(old));
            match added.iter().position(|new| is_renamed(column, new)) {
                Some(index) => {
                    changes.push(format!("the column `{name}.{column}` is renamed to `{}`", added.remove(index)));
                }
                None if old.rows == Some(0) => changes.push(message),
                None => losses.push(message),
            }
        }
        changes.extend(added.iter().map(|column| format!("the table `{name}` gets the column `{column}`")));
        if let (Some(old), Some(new)) = (old.rows, new.rows)
            && old != new
        {
            let difference = format!("the table `{name}` has {new} rows instead of {old}");
            if new < old { losses.push(difference) } else { changes.push(difference) }
        }
        if new.rows >= old.rows {
            let values = |table: &Table, column: &str| {
                table.columns.iter().position(|name| name == column).and_then(|index| table.values.get(index).copied())
            };
            losses.extend(old.columns.iter().filter_map(|column| {
                let (old, new) = (values(old, column)?, values(new, column)?);
                (new < old).then(|| format!("the column `{name}.{column}` has {new} values instead of {old}"))
            }));
        }
    }
    changes.extend(added.iter().map(|(name, table)| format!("the table `{name}` is added{}", with_rows(table))));
    changes.extend(losses.iter().cloned());
    (changes, losses)
}

fn with_rows(table: &Table) -> String {
    table.rows.filter(|rows| *rows > 0).map_or(String::new(), |rows| format!(", with {rows} rows"))
}

/// Fails if more rows of a table refer to missing ones since the migrations. Rows that did so before are logged.
fn check_references(database: &str, before: &[Violation], after: &[Violation]) -> Result<(), HandlerError> {
    // The rows of a table that was replaced can have other numbers.
    let count = |rows: &[Violation], (table, _, parent, _): &Violation| {
        rows.iter().filter(|row| row.0 == *table && row.2 == *parent).count()
    };
    let mut added = after.iter().filter(|row| count(after, row) > count(before, row));
    let first = added.clone().find(|row| !before.contains(row)).or_else(|| added.next());
    if let Some((table, None, reason, _)) = first.filter(|(_, _, reason, _)| reason.starts_with("foreign key mismatch"))
    {
        let error = HandlerError::new(format!("the foreign keys of the table `{table}` would not be valid: {reason}"));
        return Err(error.help("the columns to which a foreign key refers need a primary key or a unique index"));
    }
    if let Some((table, row, parent, _)) = first {
        let row = row.map_or("a row".to_owned(), |row| format!("row {row}"));
        let message =
            format!("{row} of the table `{table}` would refer to a row of `{parent}` that does not exist any more");
        let help = "change or delete the rows that refer to a row before the migration deletes it: while migrations \
                    run of which one drops a table, `on delete` has no effect";
        return Err(HandlerError::new(message).help(help));
    }
    if let Some((table, _, parent, _)) = after.first() {
        log::warn!(
            "the database `{database}`: rows of `{table}` refer to rows of `{parent}` that did not exist before the \
             migrations either; `PRAGMA foreign_key_check` lists all such rows"
        );
    }
    Ok(())
}

/// A copy of an SQLite database from before a change. It is removed again unless the change is made.
pub(crate) struct Copy {
    path: PathBuf,
    is_kept: bool,
}

impl Copy {
    /// Copies a database to a new file beside its own: `data.db.before-2`, and then `data.db.before-2.1`.
    pub(crate) async fn new(lease: &mut Lease, file: &Path, end: &str) -> Result<Self, sqlx::Error> {
        let named = |suffix: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(format!(".{end}{suffix}"));
            PathBuf::from(name)
        };
        let mut names = std::iter::once(named("")).chain((1..).map(|copy: u32| named(&format!(".{copy}"))));
        let path = names.find(|name| !name.exists()).unwrap_or_else(|| named(""));
        lease.text_rows("vacuum into ?", &[&path.to_string_lossy()]).await?;
        Ok(Self { path, is_kept: false })
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if !self.is_kept {
            // Otherwise the file remains, which nothing needs.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The SQLSTATEs of a migration that needs what a new database does not have: an extension that is not installed
/// (58P01 and 0A000), or a right (42501).
const MISSING_FEATURES: [&str; 3] = ["58P01", "0A000", "42501"];

/// A new database on a server. The connections to it must be closed before it is removed.
pub(crate) struct TemporaryDatabase {
    /// The database of the server to which the command connects.
    server: Database,
    name: String,
}

/// Why the statements for a database cannot be prepared.
pub(crate) enum OpenError {
    /// They cannot be checked; this is a warning.
    Unchecked(HandlerError),
    Invalid(Vec<HandlerError>),
}

impl TemporaryDatabase {
    /// Creates a database on a server. Returns it with its address.
    pub(crate) async fn create(address: &str, dialect: Dialect, folder: &Path) -> Result<(Self, String), String> {
        let mut url = Url::parse(address).map_err(|error| error.to_string())?;
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let name = format!("rulebook_check_{}_{nanos}", std::process::id());
        let server = Database::new(DatabaseSettings::at("check", address, dialect));
        server.open(folder).map_err(|error| error.to_string())?;
        let created = Self { server, name };
        created.run(&format!("CREATE DATABASE {}", created.name)).await?;
        url.set_path(&created.name);
        Ok((created, url.into()))
    }

    async fn run(&self, sql: &str) -> Result<(), String> {
        let mut lease = self.server.lease().await.map_err(|error| error.to_string())?;
        lease.run(sql).await.map_err(|error| error.to_string())?;
        lease.end(LeaseEnd::Reuse);
        Ok(())
    }

    pub(crate) async fn remove(self) {
        // A connection that was closed can be open at the server for a moment.
        let force = if self.server.settings.dialect == Dialect::Postgres { " WITH (FORCE)" } else { "" };
        if let Err(error) = self.run(&format!("DROP DATABASE {}{force}", self.name)).await {
            log::warn!("the database {} cannot be removed: {error}", self.name);
        }
        self.server.close().await;
    }
}

/// Opens a new database instead of that of the definition. The number distinguishes the databases of a definition. The
/// new database of a server must be removed, also after an error.
pub(crate) async fn open(
    database: &Database,
    number: usize,
    check: CheckContext<'_>,
) -> (Option<TemporaryDatabase>, Result<(), OpenError>) {
    let DatabaseSettings { dialect, migrations, .. } = &database.settings;
    let unchecked = |reason: &str, help: &str| (None, Err(OpenError::Unchecked(unchecked(database, reason, help))));
    if migrations.is_none() {
        return unchecked("without `migrations`, its tables are not known", "`serve` checks them when it starts");
    }
    let (created, url) = match dialect {
        Dialect::Sqlite => (None, format!("sqlite:check{number}.db")),
        Dialect::Postgres | Dialect::Mysql => {
            let Some(address) = check.databases.iter().find(|url| Dialect::from_url(url) == Some(*dialect)) else {
                let help = "name a server on which a database can be created: `rulebook check --database URL`";
                return unchecked("they need a database server", help);
            };
            match TemporaryDatabase::create(address, *dialect, check.folder).await {
                Ok((created, url)) => (Some(created), url),
                Err(error) => {
                    let message = format!("no database can be created at the address of `--database`: {error}");
                    return (None, Err(OpenError::Invalid(vec![HandlerError::new(message)])));
                }
            }
        }
    };
    let opened =
        database.open_at(&url, check.folder).map_err(|error| OpenError::Invalid(vec![database.unusable(&error)]));
    (created, opened)
}

/// Returns `true` if a migration needs what only another server or user has.
fn needs_other_server(error: &ReleaseError) -> bool {
    error.code.as_deref().is_some_and(|code| MISSING_FEATURES.contains(&code))
}

/// Returns the warning that the statements for a database are not checked.
fn unchecked(database: &Database, reason: &str, help: &str) -> HandlerError {
    let name = &database.settings.name;
    database.at_address(format!("the statements for the database `{name}` are not checked: {reason}")).help(help)
}

/// Migrates a new database, and prepares the statements with it. What only another database has is no error.
pub(crate) async fn check(
    database: &Arc<Database>,
    methods: &[Arc<SqlMethod>],
    context: PrepareContext<'_>,
) -> Result<(), OpenError> {
    let checked = match Release::prepare(database, methods, context).await {
        Ok(Some(release)) => release.commit().await,
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    checked.map_err(|error| match error.errors.first().filter(|_| needs_other_server(&error)) {
        Some(first) => {
            let help = "check them on a server that has what the migrations need";
            OpenError::Unchecked(unchecked(database, &first.message, help))
        }
        None => OpenError::Invalid(error.errors),
    })
}
