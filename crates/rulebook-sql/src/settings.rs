//! The settings of the databases, which all handlers of the kind `sql` share: `"handlers": {"sql": {…}}` in `app.json`.

use std::path::PathBuf;
use std::time::Duration;

use rulebook::handler_kind::settings::{byte_size, object, path, seconds, text, unknown_setting, whole_number};
use rulebook::handler_kind::{HandlerError, JsonData, JsonMember, JsonNode, variable_errors};
use rulebook::model::Api;
use rulebook_model::span::{Span, Spanned};
use url::Url;

use crate::database::Dialect;
use crate::handler_settings::SQL;
use crate::page::Secret;

/// The name of the database of the settings outside of `databases`.
pub(crate) const MAIN: &str = "main";

/// The database without settings: a file in the data folder.
const DEFAULT_URL: &str = "sqlite:data.db";

const KEYS: [&str; 15] = [
    "url",
    "pool",
    "pool_timeout",
    "lock_timeout",
    "timeout",
    "download_timeout",
    "max_rows",
    "max_bytes",
    "max_file",
    "max_pattern",
    "max_failed_calls",
    "slow_call",
    "migrations",
    "migrations_url",
    "page_key",
];

/// The minimum length of the text of `page_key`.
const MIN_PAGE_KEY_BYTES: usize = 32;
/// The purpose of the key that is derived from this text.
const PAGE_KEY_CONTEXT: &str = "rulebook-sql 2026 cursors of pages";

/// The key of the object with further databases.
const DATABASES: &str = "databases";

#[derive(Debug, Clone, Copy)]
pub(crate) struct CallLimits {
    pub rows: u64,
    /// The maximum size of all values of the result in bytes.
    pub bytes: u64,
    /// The maximum size of an uploaded file that is bound, and of a file that is downloaded, in bytes.
    pub file: u64,
    /// The maximum size of a value in a pattern of SQLite in bytes.
    pub pattern: u64,
}

impl CallLimits {
    pub(crate) fn set(&mut self, key: &str, node: &JsonNode) -> Result<(), HandlerError> {
        match key {
            "max_rows" => self.rows = whole_number(node, key, 1..=1_000_000)?,
            "max_bytes" => self.bytes = byte_size(node, key, 1..=1 << 30)?,
            "max_pattern" => self.pattern = byte_size(node, key, 1..=50_000)?,
            _ => self.file = byte_size(node, key, 1..=1 << 30)?,
        }
        Ok(())
    }
}

/// The settings of a database. The address may contain a password, so that this type cannot be printed.
pub(crate) struct DatabaseSettings {
    pub name: String,
    pub dialect: Dialect,
    /// The address, with the values of environment variables.
    pub url: String,
    /// The span of the address; `None` if it is the default.
    pub url_span: Option<Span>,
    /// `true` if lines of the settings may contain a password, so that errors do not show them.
    pub hides_lines: bool,
    /// The maximum number of connections.
    pub pool: u32,
    /// The maximum time for which a call waits for a connection.
    pub pool_timeout: Duration,
    /// The maximum time for which a migration waits for a lock on a table. Calls that use the table wait behind it.
    pub lock_timeout: Duration,
    pub timeout: Duration,
    pub download_timeout: Duration,
    pub limits: CallLimits,
    /// The number of failed calls, one after the other, from which the database is not ready.
    pub max_failed_calls: u32,
    /// The duration from which calls are slow, which are counted and logged.
    pub slow_call: Duration,
    pub migrations: Option<Spanned<PathBuf>>,
    /// The address for migrations; `None` for `url`.
    pub migrations_url: Option<String>,
    /// The key that authenticates the cursors of pages; `None` for the key in the data folder.
    pub page_key: Option<Secret>,
}

impl DatabaseSettings {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            dialect: Dialect::Sqlite,
            url: DEFAULT_URL.to_owned(),
            url_span: None,
            hides_lines: false,
            pool: 10,
            pool_timeout: Duration::from_secs(3),
            lock_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            download_timeout: Duration::from_secs(600),
            limits: CallLimits { rows: 10_000, bytes: 16 << 20, file: 16 << 20, pattern: 256 },
            max_failed_calls: 10,
            slow_call: Duration::from_secs(1),
            migrations: None,
            migrations_url: None,
            page_key: None,
        }
    }

    pub(crate) fn at(name: &str, url: &str, dialect: Dialect) -> Self {
        Self { dialect, url: url.to_owned(), ..Self::new(name) }
    }

    fn read(&mut self, member: &JsonMember, api: &Api) -> Result<(), HandlerError> {
        let node = &member.value;
        let key = member.key.value.as_str();
        match key {
            // The line may contain a password.
            "url" => {
                (self.url, self.dialect) = address(node, key).map_err(HandlerError::hide_line)?;
                self.url_span = Some(node.span);
            }
            "pool" => self.pool = whole_number(node, key, 1..=1000)?,
            "pool_timeout" => self.pool_timeout = seconds(node, key)?,
            "lock_timeout" => self.lock_timeout = seconds(node, key)?,
            "timeout" => self.timeout = seconds(node, key)?,
            "download_timeout" => self.download_timeout = seconds(node, key)?,
            "max_rows" | "max_bytes" | "max_file" | "max_pattern" => self.limits.set(key, node)?,
            "max_failed_calls" => self.max_failed_calls = whole_number(node, key, 1..=1_000_000)?,
            "slow_call" => self.slow_call = seconds(node, key)?,
            "migrations" => self.migrations = Some(path(node, key, api)?),
            // An empty address is that of a variable that is not set.
            "migrations_url" if text(node, key)?.value.is_empty() => {}
            "migrations_url" => self.migrations_url = Some(address(node, key).map_err(HandlerError::hide_line)?.0),
            "page_key" => self.page_key = Some(page_key(node).map_err(HandlerError::hide_line)?),
            _ => return Err(unknown_setting(&member.key, "a database", &KEYS)),
        }
        Ok(())
    }
}

fn address(node: &JsonNode, key: &str) -> Result<(String, Dialect), HandlerError> {
    let url = text(node, key)?.value;
    // The address is not part of any message, because it may contain a password.
    let Some(dialect) = Dialect::from_url(&url) else {
        let error = HandlerError::new("the address of a database begins with its kind").at(node.span);
        return Err(error.help("write `sqlite:FILE`, `postgres://USER@HOST/DATABASE` or `mysql://USER@HOST/DATABASE`"));
    };
    if has_unencoded_credentials(dialect, &url) {
        let error = HandlerError::new(format!("the database: {UNENCODED}")).at(node.span);
        return Err(error.help("write `%2F` for `/` and `%40` for `@`; `${NAME}` is percent-encoded where it is used"));
    }
    if dialect == Dialect::Sqlite && (url.contains(":memory:") || url.contains("mode=memory")) {
        let error = HandlerError::new("a database in memory has no content for a second connection").at(node.span);
        return Err(error.help("name a file: `sqlite:data.db`"));
    }
    Ok((url, dialect))
}

/// Reads the text from which the key of cursors is derived.
fn page_key(node: &JsonNode) -> Result<Secret, HandlerError> {
    let text = text(node, "page_key")?.value;
    if text.len() < MIN_PAGE_KEY_BYTES {
        let error = HandlerError::new(format!("`page_key` has less than {MIN_PAGE_KEY_BYTES} characters"));
        return Err(error.at(node.span).help("use a random text, such as that of `openssl rand -hex 32`"));
    }
    Ok(blake3::derive_key(PAGE_KEY_CONTEXT, text.as_bytes()))
}

/// Reads the shared settings. Without them, there is one database: a file in the data folder.
pub(crate) fn read_databases(api: &Api) -> Result<Vec<DatabaseSettings>, Vec<HandlerError>> {
    let mut main = DatabaseSettings::new(MAIN);
    let Some(shared) = api.handlers.as_ref().and_then(|handlers| handlers.kind(SQL)) else { return Ok(vec![main]) };
    let unset = variable_errors(shared);
    if !unset.is_empty() {
        return Err(unset);
    }
    let hides_lines = contains_password(shared);
    let members = object(shared, "handlers.sql").map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut named = Vec::new();
    let mut has_main = false;
    for member in members {
        if member.key.value == DATABASES {
            read_named(&member.value, api, &mut named, &mut errors);
        } else {
            has_main = true;
            errors.extend(main.read(member, api).err());
        }
    }
    if let Some(duplicate) = named.iter().find(|database| database.name == MAIN)
        && has_main
    {
        let error = HandlerError::new("the database `main` has settings inside and outside of `databases`");
        errors.push(error.at(duplicate.url_span.unwrap_or(shared.span)).help("move all of them into `databases`"));
    }
    for database in named.iter().chain(has_main.then_some(&main)) {
        let kind = database.migrations_url.as_deref().map(Dialect::from_url);
        if kind.is_some_and(|kind| kind != Some(database.dialect) || kind == Some(Dialect::Sqlite)) {
            let message =
                format!("the database `{}`: `migrations_url` is not the address of such a server", database.name);
            let error = HandlerError::new(message).at(database.url_span.unwrap_or(shared.span));
            errors.push(error.help("write the address of the same PostgreSQL, MySQL or MariaDB"));
        }
    }
    if !errors.is_empty() {
        let hide = |error: HandlerError| if hides_lines { error.hide_line() } else { error };
        return Err(errors.into_iter().map(hide).collect());
    }
    if has_main || named.is_empty() {
        named.insert(0, main);
    }
    for database in &mut named {
        database.hides_lines = hides_lines;
    }
    Ok(named)
}

/// Returns `true` if an address in the settings may contain a password. Another setting may be on the same line.
fn contains_password(node: &JsonNode) -> bool {
    match &node.data {
        JsonData::String(text) => text.contains('@') || text.to_lowercase().contains("password"),
        JsonData::Object(members) => members.list.iter().any(|member| contains_password(&member.value)),
        _ => false,
    }
}

fn read_named(node: &JsonNode, api: &Api, named: &mut Vec<DatabaseSettings>, errors: &mut Vec<HandlerError>) {
    let databases = object(node, DATABASES).map_err(|error| errors.push(error)).unwrap_or_default();
    for JsonMember { key, value } in databases {
        let mut database = DatabaseSettings::new(&key.value);
        match object(value, &key.value) {
            Ok(members) => {
                errors.extend(members.into_iter().filter_map(|member| database.read(member, api).err()));
                if value.member("url").is_none() {
                    let error = HandlerError::new(format!("the database `{}` has no `url`", key.value.escape_debug()));
                    errors.push(error.at(key.span).help("add its address: \"url\": \"sqlite:FILE\""));
                }
            }
            Err(error) => errors.push(error),
        }
        named.push(database);
    }
}

/// The parameters of an address of PostgreSQL that sqlx reads.
const POSTGRES_PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// What is wrong with an address in which a password is not percent-encoded. The host would be a part of the password.
pub(crate) const UNENCODED: &str =
    "its address contains an `@` after a `/`, `?` or `#`: percent-encode the user name and the password";

/// Returns `true` if the user name or the password in an address contains a character that ends the host.
pub(crate) fn has_unencoded_credentials(dialect: Dialect, url: &str) -> bool {
    let Some((_, rest)) = url.split_once(':').filter(|_| dialect != Dialect::Sqlite) else { return false };
    let authority = rest.trim_start_matches('/');
    authority.find(['/', '?', '#']).is_some_and(|end| authority[end..].contains('@'))
}

/// Removes the parameters from an address of PostgreSQL that sqlx ignores. It would log their names and values, which
/// are parts of a password if that contains a `&`.
pub(crate) fn without_unknown_parameters(mut url: Url) -> Url {
    let is_known = |name: &str| POSTGRES_PARAMETERS.contains(&name) || name.starts_with("options[");
    let known = url.query_pairs().into_owned().filter(|(name, _)| is_known(name)).collect::<Vec<_>>();
    if known.len() < url.query_pairs().count() {
        log::warn!("the address of a database has parameters that are not known, which are ignored");
        url.query_pairs_mut().clear().extend_pairs(known);
    }
    url
}
