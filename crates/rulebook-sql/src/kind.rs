//! The kind of handler `sql`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rulebook::handler_kind::{
    CheckContext, CheckFuture, CompiledHandler, HandledMethod, HandlerError, HandlerKind, Measure, ReadinessCheck,
    StartFuture,
};

use crate::call::{SqlHandler, SqlMethod};
use crate::check::{self, OpenError};
use crate::database::{Database, PrepareError};
use crate::handler_settings::{SETTINGS, SQL, read_method};
use crate::migrate::open_and_migrate;
use crate::settings::read_databases;

/// The kind of handler `sql`, which a program adds with
/// [`Rulebook::handler_kind`](rulebook::Rulebook::handler_kind): statements in the definition handle the calls of its
/// methods.
///
/// When the API starts, the databases are opened and migrated, and all statements are prepared and compared with the
/// definition.
#[derive(Default)]
pub struct SqlKind {
    compiled: Mutex<Compiled>,
}

#[derive(Default)]
struct Compiled {
    /// The databases of the definition; `None` before the first handler is compiled, and an empty list if their
    /// settings are wrong.
    databases: Option<Vec<Arc<Database>>>,
    methods: Vec<Arc<SqlMethod>>,
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

    /// Returns the files with statements.
    fn statement_files(&self) -> Vec<PathBuf> {
        let compiled = self.lock();
        let statements =
            compiled.methods.iter().flat_map(|method| &method.steps).flat_map(|step| step.variants.first());
        statements.filter_map(|statement| Some(statement.source().file()?.path.clone())).collect()
    }

    async fn open(&self, data_folder: &Path) -> Result<(), Vec<HandlerError>> {
        let mut errors = Vec::new();
        for database in self.used_databases() {
            if let Err(error) = open_and_migrate(&database, data_folder).await {
                // The default address is not part of the definition.
                let method =
                    self.lock().methods.iter().find(|method| Arc::ptr_eq(&method.database, &database)).cloned();
                errors.push(match (error.span, method) {
                    (None, Some(method)) => error.at(method.span),
                    _ => error,
                });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let errors = self.prepare(&self.used_databases(), data_folder).await;
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Prepares the statements for these databases. Returns the errors in them.
    async fn prepare(&self, databases: &[Arc<Database>], data_folder: &Path) -> Vec<HandlerError> {
        let methods = self.lock().methods.clone();
        let mut errors = Vec::new();
        for method in methods {
            if databases.iter().all(|database| !Arc::ptr_eq(database, &method.database)) {
                continue;
            }
            match method.prepare(data_folder).await {
                Ok(()) => {}
                Err(PrepareError::Definition(found)) => errors.extend(found),
                Err(PrepareError::Database(error)) => {
                    errors
                        .push(HandlerError::new(format!("the statements cannot be prepared: {error}")).at(method.span));
                }
            }
        }
        errors
    }

    /// Prepares the statements with new databases, which have the tables of the migrations.
    async fn check_statements(&self, check: CheckContext<'_>) -> Result<Vec<HandlerError>, Vec<HandlerError>> {
        let (mut opened, mut created, mut unchecked, mut errors) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, database) in self.used_databases().into_iter().enumerate() {
            let (new, result) = check::open(&database, number, check).await;
            created.extend(new);
            match result {
                Ok(()) => opened.push(database),
                Err(OpenError::Unchecked(error)) => unchecked.push(error),
                Err(OpenError::Invalid(error)) => errors.push(error),
            }
        }
        errors.extend(self.prepare(&opened, check.folder).await);
        for database in self.used_databases() {
            database.close().await;
        }
        for database in created {
            database.remove().await;
        }
        if errors.is_empty() { Ok(unchecked) } else { Err(errors) }
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
        files.filter_map(|file| Some(file.ok()?.path())).chain(self.statement_files()).collect()
    }

    fn private_files(&self, data_folder: &Path) -> Vec<PathBuf> {
        let databases = self.used_databases();
        let files = databases.iter().filter_map(|database| database.file(data_folder));
        let migrations = databases.iter().filter_map(|database| database.settings.migrations.as_ref());
        files.chain(migrations.map(|folder| folder.value.clone())).chain(self.statement_files()).collect()
    }

    fn start<'a>(&'a self, data_folder: &'a Path) -> StartFuture<'a> {
        Box::pin(self.open(data_folder))
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
