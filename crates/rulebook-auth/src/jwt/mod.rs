//! The kind of authenticator `jwt`: signed tokens (JSON Web Tokens, RFC 7519) of an issuer that publishes its keys as a
//! JSON Web Key Set (RFC 7517).
//!
//! The signatures are verified by the crate `ring`. The crate `jsonwebtoken` is not used: its implementation of the
//! algorithms would be a second one besides that of TLS, and it accepts repeated claims.

mod keys;
mod local;
mod verify;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth, ProtectedResource};
use rulebook::handler_kind::settings::{boolean, non_empty_text, path, seconds, texts, whole_number, wrong_value};
use rulebook::handler_kind::{HandlerError, JsonNode};
use rulebook::model::{DeclaredClaims, Spanned};
use rulebook::{AuthScheme, Authenticate, Authentication, Head};
use url::{Host, Url};

use crate::template::{Template, one_or_more};
use keys::{ALGORITHMS, Algorithm, ED25519, FetchTimes, KeySource, Origin, VerifiedToken, read_authorities};
pub use local::{LocalIssuer, LocalTokens};
use verify::{TokenError, verify_token};

/// The kind of authenticator `jwt`, which accepts signed tokens of an issuer as bearer tokens (RFC 6750, RFC 7519).
#[derive(Debug, Clone, Copy, Default)]
pub struct JwtKind;

/// The name of the kind in the setting `auth`.
pub const NAME: &str = "jwt";

impl AuthKind for JwtKind {
    fn name(&self) -> &str {
        NAME
    }

    fn settings(&self) -> &[&str] {
        &SETTINGS
    }

    fn compile(&self, settings: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
        let JwtSettings { rules, origin, times, resource, openid, jwks, ca } = JwtSettings::read(settings)?;
        let file = if let Origin::File(file) = &origin { Some(file.clone()) } else { None };
        let is_file = file.is_some();
        let source = Arc::new(KeySource::new(origin, times));
        let scheme = AuthScheme::Jwt {
            challenge: resource.as_deref().map_or_else(|| "Bearer".to_owned(), challenge),
            discovery: openid
                .then(|| format!("{}/.well-known/openid-configuration", rules.issuer.trim_end_matches('/'))),
        };
        let metadata =
            resource.map(|resource| ProtectedResource { resource, authorization_servers: vec![rules.issuer.clone()] });
        let authenticator = JwtAuthenticator { rules, source: Arc::clone(&source), scheme };
        let compiled = CompiledAuth::new(authenticator).on_start(move || async move {
            if let Some(ca) = ca {
                let read = read_authorities(&ca.value);
                read.map_err(|message| vec![HandlerError::new(message).at(ca.span)])?;
            }
            if let Err(message) = source.fetch().await {
                if is_file {
                    return Err(vec![HandlerError::new(format!("`jwks` cannot be used: {message}")).at(jwks.span)]);
                }
                log::error!("the keys of the issuer cannot be fetched yet: {message}");
            }
            tokio::spawn(source.keep_fresh());
            Ok(())
        });
        let compiled = file.into_iter().fold(compiled, CompiledAuth::private_file);
        Ok(match metadata {
            Some(metadata) => compiled.resource(metadata),
            None => compiled,
        })
    }
}

/// Returns the challenge with the address of the metadata (RFC 9728 section 5.1): the well-known path comes before the
/// path of the resource.
fn challenge(resource: &str) -> String {
    let address = Url::parse(resource).ok().map(|mut url| {
        let path = format!("/.well-known/oauth-protected-resource{}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url.to_string()
    });
    // An address contains neither quotes nor backslashes: they are percent-encoded.
    address.map_or_else(|| "Bearer".to_owned(), |address| format!("Bearer resource_metadata=\"{address}\""))
}

/// The names of the settings.
pub const SETTINGS: [&str; 16] = [
    "issuer",
    "audience",
    "jwks",
    "permissions",
    "claims",
    "algorithms",
    "name",
    "token_type",
    "leeway",
    "refresh",
    "cooldown",
    "keep",
    "timeout",
    "ca",
    "resource",
    "openid",
];

const MISSING_HELP: &str = "the OpenID Connect discovery document of the issuer contains it, as `issuer` or `jwks_uri`";
/// The algorithms that are accepted if the definition names none.
const DEFAULT_ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];
/// The default of `leeway`, in seconds.
const DEFAULT_LEEWAY: u64 = 30;
/// The maximum of `leeway`, in seconds.
const MAX_LEEWAY: u64 = 600;

/// What a token must contain, and what its claims mean.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRules {
    /// The issuer in the claim `iss`.
    pub issuer: String,
    /// The claim `aud` contains one of these audiences.
    pub audiences: Vec<String>,
    /// The names of the algorithms that may have signed the token.
    pub algorithms: Vec<&'static str>,
    /// The type of the token in lower case; `None` for the usual types.
    pub token_type: Option<String>,
    /// How much the clocks of the issuer and of this server may differ, in seconds.
    pub leeway: u64,
    /// The claim with the name of the identity.
    pub name: String,
    pub permissions: Vec<Template>,
    /// The claims that a token must contain for handlers; `None` if it can have any.
    pub claims: Option<DeclaredClaims>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct JwtSettings {
    pub rules: TokenRules,
    pub origin: Origin,
    pub times: FetchTimes,
    /// The address of the API, under which the server publishes its metadata (RFC 9728).
    pub resource: Option<String>,
    /// `true` if the documents name the OpenID Connect discovery document of the issuer.
    pub openid: bool,
    /// The place of `jwks` in the definition.
    pub jwks: Spanned<String>,
    /// The file with the authorities that certify the issuer's server.
    pub ca: Option<Spanned<PathBuf>>,
}

impl JwtSettings {
    /// Reads the settings.
    /// Returns all errors in the settings.
    pub fn read(settings: &AuthSettings<'_>) -> Result<Self, Vec<HandlerError>> {
        let mut errors = Vec::new();
        let mut reader = Reader { settings, errors: &mut errors };
        let issuer = reader.required("issuer", non_empty_string);
        let audiences =
            reader.required_list("audience", "write the text in the claim `aud` of the tokens, such as `notes`");
        let jwks = reader.required("jwks", non_empty_string);
        let permissions = reader.required_list("permissions", "write an array of templates, such as `user[{sub}]`");
        let permissions = reader.templates(permissions);
        let algorithms = reader.algorithms();
        let name = reader.optional("name", non_empty_text).map_or_else(|| "sub".to_owned(), |name| name.value);
        let token_type = reader.optional("token_type", non_empty_text).map(|name| name.value.to_ascii_lowercase());
        let leeway = reader.optional("leeway", |node, name| whole_number(node, name, 0..=MAX_LEEWAY));
        let ca = reader.optional("ca", |node, name| path(node, name, settings.api));
        let resource = reader.optional("resource", resource);
        let openid = reader.optional("openid", boolean);
        let origin = jwks.as_ref().and_then(|(text, node)| reader.origin(text, node, ca.as_ref()));
        let is_file = matches!(origin, Some(Origin::File(_)));
        let times = reader.times(is_file);
        match (issuer, audiences, jwks, origin) {
            (Some((issuer, _)), Some(audiences), Some((jwks, node)), Some(origin)) if errors.is_empty() => Ok(Self {
                rules: TokenRules {
                    issuer,
                    audiences: audiences.into_iter().map(|(text, _)| text).collect(),
                    algorithms,
                    token_type,
                    leeway: leeway.unwrap_or(DEFAULT_LEEWAY),
                    name,
                    permissions,
                    claims: settings.api.claims_of(settings.node).cloned(),
                },
                origin,
                times,
                resource,
                openid: openid.unwrap_or(false),
                jwks: Spanned::new(jwks, node.span),
                ca,
            }),
            _ => Err(errors),
        }
    }
}

struct Reader<'s, 'a> {
    settings: &'s AuthSettings<'a>,
    errors: &'s mut Vec<HandlerError>,
}

impl<'a> Reader<'_, 'a> {
    fn optional<T>(&mut self, name: &str, read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>) -> Option<T> {
        read(self.settings.optional(name)?, name).map_err(|error| self.errors.push(error)).ok()
    }

    fn required<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&JsonNode, &str) -> Result<T, HandlerError>,
    ) -> Option<(T, &'a JsonNode)> {
        let node = self.settings.required(name).map_err(|error| error.help(MISSING_HELP));
        let read = node.and_then(|node| Ok((read(node, name)?, node)));
        read.map_err(|error| self.errors.push(error)).ok()
    }

    /// Reads a string or an array of strings, which is not empty.
    fn required_list(&mut self, name: &str, help: &str) -> Option<Vec<(String, &'a JsonNode)>> {
        let node = self.settings.required(name).map_err(|error| self.errors.push(error.help(help))).ok()?;
        let items = one_or_more(node, name).map_err(|errors| self.errors.extend(errors)).ok()?;
        if items.is_empty() {
            self.errors.push(HandlerError::new(format!("`{name}` must not be empty")).at(node.span).help(help));
            return None;
        }
        let mut read = |item| non_empty_string(item, name).map_err(|error| self.errors.push(error)).ok();
        Some(items.iter().filter_map(|item| Some((read(item)?, item))).collect())
    }

    fn templates(&mut self, texts: Option<Vec<(String, &JsonNode)>>) -> Vec<Template> {
        let parsed = texts.into_iter().flatten().map(|(text, node)| Template::parse(&text, node));
        parsed.filter_map(|template| template.map_err(|error| self.errors.push(error)).ok()).collect()
    }

    fn algorithms(&mut self) -> Vec<&'static str> {
        let Some(node) = self.settings.optional("algorithms") else { return DEFAULT_ALGORITHMS.to_vec() };
        let names = texts(node, "algorithms").map_err(|errors| self.errors.extend(errors));
        let Ok(names) = names else { return Vec::new() };
        if names.is_empty() {
            self.errors.push(HandlerError::new("`algorithms` must not be empty").at(node.span));
        }
        let named = names.iter().filter_map(|name| {
            let algorithm = Algorithm::named(&name.value);
            if algorithm.is_none() {
                self.errors.push(algorithm_error(name));
            }
            Some(algorithm?.name)
        });
        named.collect()
    }

    fn origin(&mut self, text: &str, node: &JsonNode, ca: Option<&Spanned<PathBuf>>) -> Option<Origin> {
        if !text.contains("://") {
            return Some(Origin::File(self.settings.api.path(text)));
        }
        let url = web_url(text, "jwks", node, "without TLS, others on the network could replace the keys");
        let url = url.map_err(|error| self.errors.push(error)).ok()?;
        Some(Origin::Url(url, ca.map(|path| path.value.clone())))
    }

    /// Reads the times of fetches. By default, a file is read again every second, so that a change
    /// takes effect.
    fn times(&mut self, is_file: bool) -> FetchTimes {
        let (refresh, cooldown) = if is_file { (1, 1) } else { (300, 10) };
        let mut time = |name, default| self.optional(name, seconds).unwrap_or(Duration::from_secs(default));
        FetchTimes {
            refresh: time("refresh", refresh),
            cooldown: time("cooldown", cooldown),
            keep: time("keep", 86_400),
            timeout: time("timeout", 5),
        }
    }
}

fn non_empty_string(node: &JsonNode, name: &str) -> Result<String, HandlerError> {
    non_empty_text(node, name).map(|text| text.value)
}

fn algorithm_error(name: &Spanned<String>) -> HandlerError {
    let known: Vec<_> = ALGORITHMS.iter().map(|algorithm| algorithm.name).chain([ED25519]).collect();
    let text = name.value.as_str();
    if text.starts_with("HS") {
        let error = HandlerError::new(format!("`{}` signs with a shared secret", text.escape_debug())).at(name.span);
        return error.help("choose an algorithm with a public key, such as `RS256` or `EdDSA`");
    }
    if text.eq_ignore_ascii_case("none") {
        return HandlerError::new("tokens without a signature are never accepted").at(name.span).help("remove `none`");
    }
    let message = format!("`{}` is not a known algorithm", text.escape_debug());
    HandlerError::new(message).at(name.span).suggest(text, "algorithms", &known)
}

/// Reads the address of the API as a protected resource (RFC 9728 section 1.2).
fn resource(node: &JsonNode, name: &str) -> Result<String, HandlerError> {
    let text = non_empty_string(node, name)?;
    let url = web_url(&text, name, node, "clients that send tokens to this address need TLS")?;
    if url.query().is_some() {
        return Err(HandlerError::new(format!("`{name}` must not contain a query")).at(node.span));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Parses the address of a server. Only the same machine may be reached without TLS, for the reason in `why_tls`.
fn web_url(text: &str, name: &str, node: &JsonNode, why_tls: &str) -> Result<Url, HandlerError> {
    let error = |message: String| HandlerError::new(message).at(node.span);
    let Ok(url) = Url::parse(text) else {
        return Err(
            wrong_value(node, name, "an address").help("write it with `https://` and the host: `https://id.example`")
        );
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(error(format!("`{name}` must not contain a password")).hide_line());
    }
    if url.fragment().is_some() {
        return Err(error(format!("`{name}` must not contain `#`")));
    }
    let is_loopback = match url.host() {
        Some(Host::Domain(host)) => host == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback => Ok(url),
        "http" => Err(error(format!("`{name}` must begin with `https://`"))
            .help(format!("{why_tls}; `http://` is for this machine only"))),
        _ => Err(error(format!("`{name}` must begin with `https://`"))),
    }
}

/// The authenticator that accepts the tokens of an issuer.
pub struct JwtAuthenticator {
    pub rules: TokenRules,
    pub source: Arc<KeySource>,
    pub scheme: AuthScheme,
}

impl JwtAuthenticator {
    /// Checks the token in the head of a request with the keys that are known. Returns `None` if the token may be
    /// signed with another key of the issuer.
    fn check(&self, head: &Head) -> Option<Authentication> {
        let Some(token) = head.bearer() else {
            return Some(match head.has_bearer_scheme() {
                true => Authentication::Invalid("the header field Authorization is malformed or repeated".to_owned()),
                false => Authentication::Anonymous,
            });
        };
        let keys = self.source.keys();
        let keys = keys.as_deref();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let unexpired = |token: &VerifiedToken| (now < token.expires).then(|| token.identity.clone());
        if let Some(identity) = keys.and_then(|keys| keys.verified.recall(token, unexpired)).flatten() {
            return Some(Authentication::Identity(identity));
        }
        match verify_token(token, &self.rules, keys, now) {
            Ok(verified) => {
                let identity = verified.identity.clone();
                if let Some(keys) = keys {
                    let heap_size = verified.heap_size;
                    keys.verified.remember(token, verified, heap_size);
                }
                Some(Authentication::Identity(identity))
            }
            Err(TokenError::Invalid(reason)) => Some(Authentication::Invalid(reason.into_owned())),
            Err(TokenError::UnknownKey) => None,
        }
    }
}

impl Authenticate for JwtAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        if let Some(authentication) = self.check(head) {
            return authentication;
        }
        let is_up_to_date = self.source.renew().await;
        self.check(head).unwrap_or_else(|| match is_up_to_date {
            true => Authentication::Invalid("the issuer has no key with which the token can be verified".to_owned()),
            false => Authentication::Unavailable("the keys of the issuer cannot be fetched".to_owned()),
        })
    }

    fn authenticate_at_once(&self, head: &Head) -> Option<Authentication> {
        self.check(head)
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.scheme.clone()]
    }
}
