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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_after_the_host_belongs_to_a_password_that_is_not_encoded() {
        for (url, is_unencoded) in [
            ("postgres://a:user1@secretpart/x@127.0.0.1:5432/b", true),
            ("postgres://a:12?x@host/b", true),
            ("mysql://a:12#x@host/b", true),
            ("postgres://a:b@c@host/b?password=d", false),
            ("postgres://a:b%2Fc@host/b%40d?user=e%40f", false),
            ("postgres://host/b", false),
        ] {
            let dialect = Dialect::from_url(url).unwrap();
            assert_eq!(has_unencoded_credentials(dialect, url), is_unencoded, "{url}");
        }
        assert!(!has_unencoded_credentials(Dialect::Sqlite, "sqlite:a/b@c.db"));
    }

    #[test]
    fn parameters_of_an_address_that_sqlx_would_log_are_removed() {
        let kept = |url: &str| without_unknown_parameters(Url::parse(url).unwrap()).to_string();
        let known = "postgres://ada@host/b?password=a%26b&options[search_path]=c&sslmode=require";
        assert_eq!(kept(known), known);
        assert_eq!(kept("postgres://ada@host/b?password=a&b"), "postgres://ada@host/b?password=a");
    }
}
