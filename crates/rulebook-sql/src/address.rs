//! Checks the addresses of databases.

use url::Url;

use crate::database::Dialect;

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
