//! The kind of handler `sql`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use rulebook::handler_kind::{
    ApplyMigrations, CheckContext, CheckFuture, CompiledHandler, DataChanges, HandledMethod, HandlerError, HandlerKind,
    Measure, Migrations, PrepareContext, PrepareError, PrepareFuture, ReadinessCheck, StartFuture,
};
use rulebook_model::diagnostic::Source;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::call::{SqlHandler, SqlMethod};
use crate::database::Database;
use crate::handler_settings::{SETTINGS, SQL, read_method};
use crate::migrations::unread_files;
use crate::release::{self, OpenError, Release};
use crate::running::{announce, new_server};
use crate::settings::read_databases;

/// A part of the errors of prepared statements behind a pooler that does not know them.
const UNKNOWN_TO_POOLER: &str = "prepared statement \"sqlx_s_";
const POOLED: &str = "a pooler gives each transaction another connection, which does not have the prepared statements: \
                      use PgBouncer from version 1.21 with `max_prepared_statements`, or `pool_mode = session`";

/// The maximum time for the end of the record that the API is served.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// The kind of handler `sql`, which a program adds with
/// [`Rulebook::handler_kind`](rulebook::Rulebook::handler_kind): statements in the definition handle the calls of its
/// methods.
///
/// When the API starts, the databases are opened and migrated, and all statements are prepared and compared with the
/// definition.
#[derive(Default)]
pub struct SqlKind {
    compiled: Mutex<Compiled>,
    /// The changes of databases that are prepared, and not committed.
    releases: Mutex<Vec<Release>>,
    /// Says that the API is served from now on; `None` before the start, and for commands that serve nothing.
    served: Mutex<Option<oneshot::Sender<()>>>,
    /// The task that records in the databases that the API is served, until the sender is dropped.
    announced: Mutex<Option<(watch::Sender<()>, JoinHandle<()>)>>,
}

#[derive(Default)]
struct Compiled {
    /// `None` before the first handler is compiled; empty if the settings of the databases are wrong.
    databases: Option<Vec<Arc<Database>>>,
    methods: Vec<Arc<SqlMethod>>,
    /// The title and the version of the API.
    release: String,
}

impl SqlKind {
    /// Creates the kind of handler. Its databases are those of the definition: `"handlers": {"sql": {…}}` in
    /// `app.json`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Compiled> {
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the databases, and the errors in their settings if this call is the first one.
    fn databases(&self, method: &HandledMethod<'_>) -> Result<Vec<Arc<Database>>, Vec<HandlerError>> {
        let mut compiled = self.lock();
        if let Some(databases) = &compiled.databases {
            return if databases.is_empty() { Err(Vec::new()) } else { Ok(databases.clone()) };
        }
        compiled.release = format!("{} {}", method.api.title, method.api.version);
        let read = read_databases(method.api);
        let read =
            read.map(|all| all.into_iter().map(|settings| Arc::new(Database::new(settings))).collect::<Vec<_>>());
        compiled.databases = Some(read.clone().unwrap_or_default());
        read
    }

    /// Returns the databases that methods use, without duplicates.
    fn used_databases(&self) -> Vec<Arc<Database>> {
        let compiled = self.lock();
        let databases = compiled.databases.iter().flatten();
        let is_used =
            |database: &&Arc<Database>| compiled.methods.iter().any(|method| Arc::ptr_eq(&method.database, database));
        databases.filter(is_used).map(Arc::clone).collect()
    }

    /// Returns the files with statements, by a function of their path and their text.
    fn statement_files<T>(&self, of: impl Fn(&Source) -> T) -> Vec<T> {
        let compiled = self.lock();
        let statements =
            compiled.methods.iter().flat_map(|method| &method.steps).flat_map(|step| step.variants.first());
        statements.filter_map(|statement| statement.source().file().map(&of)).collect()
    }

    fn methods_of(&self, database: &Arc<Database>) -> Vec<Arc<SqlMethod>> {
        let compiled = self.lock();
        compiled.methods.iter().filter(|method| Arc::ptr_eq(&method.database, database)).cloned().collect()
    }

    /// Returns the databases that methods use, and all others with migrations if those are applied, too.
    fn prepared_databases(&self, apply: ApplyMigrations) -> Vec<Arc<Database>> {
        let mut databases = self.used_databases();
        if apply == ApplyMigrations::ToAllDatabases {
            let others = self.lock().databases.iter().flatten().map(Arc::clone).collect::<Vec<_>>();
            let is_other = |other: &Arc<Database>| !databases.iter().any(|used| Arc::ptr_eq(used, other));
            let others: Vec<_> =
                others.into_iter().filter(|other| other.settings.migrations.is_some() && is_other(other)).collect();
            databases.extend(others);
        }
        databases
    }

    /// Opening creates missing files of SQLite. An error without a place is at a method, as for the default address.
    fn open(&self, databases: &[Arc<Database>], data_folder: &Path) -> Result<(), Vec<HandlerError>> {
        let open = |database: &Arc<Database>| {
            let error = database.unusable(&database.open(data_folder).err()?);
            let method = self.methods_of(database).into_iter().next();
            Some(match (error.span, method) {
                (None, Some(method)) => error.at(method.span),
                _ => error,
            })
        };
        let errors: Vec<_> = databases.iter().filter_map(open).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    async fn prepare_releases(&self, context: PrepareContext<'_>) -> Result<DataChanges, PrepareError> {
        let databases = self.prepared_databases(context.migrations.apply);
        self.open(&databases, context.data_folder)?;
        if context.migrations.apply == ApplyMigrations::ToNewFiles {
            self.served.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        let (mut releases, mut failed) = (Vec::new(), PrepareError { errors: Vec::new(), pending: 0 });
        for database in databases {
            match Release::prepare(&database, &self.methods_of(&database), context).await {
                Ok(release) => releases.extend(release),
                Err(error) if error.errors.iter().any(|error| error.message.contains(UNKNOWN_TO_POOLER)) => {
                    failed.errors.push(database.unusable(&POOLED));
                }
                Err(error) => {
                    failed.errors.extend(error.errors);
                    failed.pending += error.pending;
                }
            }
        }
        if !failed.errors.is_empty() {
            return Err(failed);
        }
        let description: Vec<_> = releases.iter().flat_map(|release| release.description.clone()).collect();
        let is_new = releases.iter().all(|release| release.is_new);
        *self.releases.lock().unwrap_or_else(PoisonError::into_inner) = releases;
        Ok(match description.is_empty() {
            true => DataChanges::None,
            false if is_new => DataChanges::New(description),
            false => DataChanges::Prepared(description),
        })
    }

    async fn commit_releases(&self) -> Result<(), Vec<HandlerError>> {
        let releases = std::mem::take(&mut *self.releases.lock().unwrap_or_else(PoisonError::into_inner));
        for release in releases {
            release.commit().await.map_err(|error| error.errors)?;
        }
        if let Some(served) = self.served.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // The receiver is gone only if the start was interrupted.
            let _ = served.send(());
        }
        Ok(())
    }

    /// Records what the API needs of databases with migrations, as soon as it is served.
    async fn announce(&self) {
        let (sender, served) = oneshot::channel();
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        let (sender, until) = watch::channel(());
        let (server, release) = (new_server(), self.lock().release.clone());
        let databases = self.used_databases().into_iter().filter(|database| database.settings.migrations.is_some());
        let announced = databases.map(|database| {
            let methods = self.methods_of(&database);
            announce(database, server.clone(), release.clone(), methods, until.clone())
        });
        let announced = join_all(announced.collect::<Vec<_>>());
        let task = tokio::spawn(async move {
            if served.await.is_ok() {
                announced.await;
            }
        });
        *self.announced.lock().unwrap_or_else(PoisonError::into_inner) = Some((sender, task));
    }

    /// Prepares the statements with new databases, which have the tables of the migrations.
    async fn check_statements(&self, check: CheckContext<'_>) -> Result<Vec<HandlerError>, Vec<HandlerError>> {
        let (mut created, mut unchecked, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        let migrations = Migrations { apply: ApplyMigrations::ToAllDatabases, allow_loss: true, allow_breaking: true };
        let context = PrepareContext { data_folder: check.folder, migrations };
        for (number, database) in self.used_databases().into_iter().enumerate() {
            let (new, opened) = release::open(&database, number, check).await;
            created.extend(new);
            let opened = match opened {
                Ok(()) => release::check(&database, &self.methods_of(&database), context).await,
                Err(error) => Err(error),
            };
            match opened {
                Ok(()) => {}
                Err(OpenError::Unchecked(error)) => unchecked.push(error),
                Err(OpenError::Invalid(found)) => errors.extend(found),
            }
        }
        for database in self.used_databases() {
            unchecked.extend(database.settings.migrations.iter().flat_map(|folder| unread_files(&folder.value)));
            database.close().await;
        }
        for database in created {
            database.remove().await;
        }
        let warnings =
            self.lock().methods.iter().filter_map(|method| method.warnings.get()).flatten().cloned().collect();
        if errors.is_empty() { Ok([unchecked, warnings].concat()) } else { Err(errors) }
    }
}

impl HandlerKind for SqlKind {
    fn name(&self) -> &str {
        SQL
    }

    fn settings(&self) -> &[&str] {
        &SETTINGS
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let databases = self.databases(method)?;
        let method = Arc::new(read_method(method, &databases)?);
        self.lock().methods.push(Arc::clone(&method));
        Ok(Arc::new(SqlHandler(method)))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        let check = |database: Arc<Database>| {
            let name = format!("sql:{}", database.settings.name);
            ReadinessCheck::new(name, move || {
                let database = Arc::clone(&database);
                async move { database.check_readiness().await }
            })
        };
        self.used_databases().into_iter().map(check).collect()
    }

    fn measure(&self) -> Option<Measure> {
        let databases = self.used_databases();
        Some(Box::new(move || databases.iter().flat_map(|database| database.measure()).collect()))
    }

    fn source_files(&self) -> Vec<PathBuf> {
        let folders = self.used_databases().into_iter().filter_map(|database| database.settings.migrations.clone());
        let files = folders.filter_map(|folder| folder.value.read_dir().ok()).flatten();
        files.filter_map(|file| Some(file.ok()?.path())).chain(self.statement_files(|file| file.path.clone())).collect()
    }

    /// Returns the texts of the statements, whose files may have changed since they were read.
    fn inputs(&self) -> Vec<Vec<u8>> {
        self.statement_files(|file| file.text.clone().into_bytes())
    }

    fn private_files(&self, data_folder: &Path) -> Vec<PathBuf> {
        let databases = self.used_databases();
        let files = databases.iter().filter_map(|database| database.file(data_folder));
        let migrations = databases.iter().filter_map(|database| database.settings.migrations.as_ref());
        files
            .chain(migrations.map(|folder| folder.value.clone()))
            .chain(self.statement_files(|file| file.path.clone()))
            .collect()
    }

    fn start<'a>(&'a self, _data_folder: &'a Path) -> StartFuture<'a> {
        Box::pin(self.announce().map(Ok))
    }

    fn prepare<'a>(&'a self, context: PrepareContext<'a>) -> PrepareFuture<'a> {
        Box::pin(self.prepare_releases(context))
    }

    fn commit(&self) -> StartFuture<'_> {
        Box::pin(self.commit_releases())
    }

    /// Ends the task, which removes its record. What it does not end in time expires.
    fn stop(&self) -> BoxFuture<'static, ()> {
        let announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            if let Some((sender, task)) = announced {
                drop(sender);
                let _ = timeout(STOP_TIMEOUT, task).await;
            }
        })
    }

    fn check<'a>(&'a self, check: CheckContext<'a>) -> CheckFuture<'a> {
        Box::pin(self.check_statements(check))
    }
}

impl std::fmt::Debug for SqlKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlKind").finish_non_exhaustive()
    }
}
