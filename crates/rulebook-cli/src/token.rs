//! `rulebook token`: signs a token for development, with a key of this machine.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use jiff::SignedDuration;
use rulebook_auth::{LocalIssuer, LocalTokens};
use serde_json::{Map, Value as Json};

use crate::call::parse_json_object;
use crate::keys::parse_duration;
use crate::{AddHandlers, Exit, Settings, output, validate_with_data};

const EXAMPLES: &str = "\
Examples:
  rulebook serve --watch --accept-local-tokens
  curl -H \"Authorization: Bearer $(rulebook token --sub ada --scope customer)\" http://127.0.0.1:8080/orders
  rulebook token --sub ada --claims '{\"realm_access\": {\"roles\": [\"admin\"]}}'

The key is in the file local-issuer.json in the --data folder, which is created with the first token. Remove the file \
to revoke all tokens. The name and the permissions of the caller come from the claims, by the setting `jwt` in app.json; \
without it, they are those of --sub and --scope.";

/// Sign a token for development, which `rulebook serve --accept-local-tokens` accepts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TokenOptions {
    /// Name of the caller: the claim `sub`.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    sub: String,
    /// Permissions, separated by commas: the claim `scope`.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    scope: Vec<String>,
    /// Other claims.
    #[arg(long, value_name = "OBJECT", value_parser = parse_json_object)]
    claims: Option<Map<String, Json>>,
    /// Time after which the token expires: `30m`, `24h`, `7d`.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    expires: SignedDuration,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: TokenOptions) -> Result<Exit, Exit> {
    let validated = validate_with_data(app, settings).map_err(|report| output::print_report(&report))?;
    let issuer = validated.data_folder.create().and_then(|()| LocalIssuer::open(validated.data_folder.path()));
    let issuer = issuer.map_err(|error| output::print_system_error(format!("--data: {error}")))?;
    let TokenOptions { sub, scope, claims, expires } = options;
    let mut claims = claims.unwrap_or_default();
    claims.insert("sub".to_owned(), sub.into());
    if !scope.is_empty() {
        claims.insert("scope".to_owned(), scope.join(" ").into());
    }
    LocalTokens::check_claims(&validated.api, &claims)
        .map_err(|why| output::print_usage_error(format!("--claims: {why}")))?;
    Ok(output::print_to_stdout(&format!("{}\n", issuer.sign(claims, expires.unsigned_abs()))))
}
