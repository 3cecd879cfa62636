//! Databases in which migrations are tried, which have the tables of all migrations and are removed afterwards.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rulebook::handler_kind::{CheckContext, HandlerError};
use url::Url;

use crate::database::{Database, Dialect, LeaseEnd};
use crate::release::ReleaseError;
use crate::settings::DatabaseSettings;

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

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Removes the database.
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
    let DatabaseSettings { name, dialect, migrations, url_span, .. } = &database.settings;
    let at_address = |error: HandlerError| match url_span {
        // The line may contain a password.
        Some(span) => error.at(*span).hide_line(),
        None => error,
    };
    let unchecked = |reason: &str, help: &str| {
        let error = HandlerError::new(format!("the statements for the database `{name}` are not checked: {reason}"));
        OpenError::Unchecked(at_address(error).help(help))
    };
    if migrations.is_none() {
        let help = "`serve` checks them when it starts";
        return (None, Err(unchecked("without `migrations`, its tables are not known", help)));
    }
    let (created, url) = match dialect {
        Dialect::Sqlite => (None, format!("sqlite:check{number}.db")),
        Dialect::Postgres | Dialect::Mysql => {
            let Some(address) = check.databases.iter().find(|url| Dialect::from_url(url) == Some(*dialect)) else {
                let help = "name a server on which a database can be created: `rulebook check --database URL`";
                return (None, Err(unchecked("they need a database server", help)));
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
pub(crate) fn needs_other_server(error: &ReleaseError) -> bool {
    error.code.as_deref().is_some_and(|code| MISSING_FEATURES.contains(&code))
}

/// Returns the error of a new database as a warning, if the migrations need what only another database has.
pub(crate) fn unchecked(database: &Database, error: &ReleaseError) -> Option<HandlerError> {
    if !needs_other_server(error) {
        return None;
    }
    let reason = &error.errors.first()?.message;
    let name = &database.settings.name;
    let error = HandlerError::new(format!("the statements for the database `{name}` are not checked: {reason}"));
    let error = error.help("check them on a server that has what the migrations need");
    Some(match database.settings.url_span {
        // The line may contain a password.
        Some(span) => error.at(span).hide_line(),
        None => error,
    })
}
