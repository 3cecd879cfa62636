//! Tokens that this machine signs itself, for development: a key pair in a file, and the authenticator that accepts its
//! tokens. `rulebook token` makes tokens, and `rulebook serve --accept-local-tokens` accepts them.
//!
//! The file is a JSON Web Key Set with one private key (RFC 7517, RFC 8037), which only its owner can read. The server
//! reads it again for each token, so that a replaced key takes effect at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rulebook::auth_kind::{AuthSettings, DefinedAuth};
use rulebook::{AuthScheme, Authenticate, Authentication, Head};
use rulebook_model::model::Api;
use rulebook_model::unique_json;
use serde_json::{Map, Value as Json, json};

use super::keys::{KeySet, decode, encode, parse_key_set};
use super::verify::{TokenError, unverified_issuer, verify_token};
use super::{JwtSettings, TokenRules};
use crate::template::Template;

/// The issuer and the audience of local tokens.
pub const LOCAL_ISSUER: &str = "urn:rulebook:local";
const FILE: &str = "local-issuer.json";
const ALGORITHM: &str = "EdDSA";
/// The length of the private key in bytes.
const SEED_LEN: usize = 32;

/// The key with which this machine signs tokens for development.
pub struct LocalIssuer {
    pair: Ed25519KeyPair,
    file: PathBuf,
}

impl LocalIssuer {
    /// Reads the key in a data folder, or makes one.
    ///
    /// # Errors
    /// Fails if the file cannot be read or written, or other users can read it, or it contains no such key.
    pub fn open(data_folder: &Path) -> io::Result<Self> {
        let file = data_folder.join(FILE);
        let at = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        if !file.exists() {
            create(&file).map_err(at)?;
        }
        check_mode(&file).map_err(at)?;
        let pair = fs::read(&file).map_err(at)?;
        let pair = parse(&pair).ok_or_else(|| {
            let why = "it contains no key of `rulebook token`; remove the file, so that a new key is made";
            at(io::Error::new(io::ErrorKind::InvalidData, why))
        })?;
        Ok(Self { pair, file })
    }

    /// Returns the file with the key.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns a token with these claims, which expires after a time.
    #[must_use]
    pub fn sign(&self, mut claims: Map<String, Json>, lifetime: Duration) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let standard = [
            ("iss", LOCAL_ISSUER.into()),
            ("aud", LOCAL_ISSUER.into()),
            ("iat", now.as_secs().into()),
            ("exp", now.saturating_add(lifetime).as_secs().into()),
        ];
        claims.extend(standard.map(|(name, value): (&str, Json)| (name.to_owned(), value)));
        let header = json!({ "alg": ALGORITHM, "typ": "JWT", "kid": key_id(&self.pair) });
        let message = format!("{}.{}", encode(header.to_string()), encode(Json::Object(claims).to_string()));
        let signature = self.pair.sign(message.as_bytes());
        format!("{message}.{}", encode(signature))
    }
}

fn key_id(pair: &Ed25519KeyPair) -> String {
    encode(&pair.public_key().as_ref()[..8])
}

/// Creates the file with a new key, unless another process creates it meanwhile.
fn create(file: &Path) -> io::Result<()> {
    let mut seed = [0; SEED_LEN];
    SystemRandom::new().fill(&mut seed).map_err(|_| io::Error::other("the system provides no random bytes"))?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(io::Error::other)?;
    let set = json!({ "keys": [{
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": ALGORITHM, "kid": key_id(&pair),
        "x": encode(pair.public_key()), "d": encode(seed)
    }] });
    // Another process never reads a part of the file.
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&new).and_then(|mut created| writeln!(created, "{set:#}"));
    let linked = written.and_then(|()| match fs::hard_link(&new, file) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    // The file has its final name now, or is not needed.
    let _ = fs::remove_file(&new);
    linked
}

/// Fails if others than the owner can read the file.
fn check_mode(file: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file)?.permissions()) & 0o077 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "other users can read this key; set its mode to 0600",
        ));
    }
    let _ = file;
    Ok(())
}

fn parse(text: &[u8]) -> Option<Ed25519KeyPair> {
    let set = unique_json::parse(text).ok()?;
    let key = set.get("keys")?.get(0)?;
    let bytes = |name: &str| decode(key.get(name)?.as_str()?);
    Ed25519KeyPair::from_seed_and_public_key(&bytes("d")?, &bytes("x")?).ok()
}

/// The authenticator that accepts the tokens of a [`LocalIssuer`]. A caller has the name and the permissions that the
/// first issuer in the setting `auth` would give it; without an issuer, the permissions in the claim `scope`.
pub struct LocalTokens {
    file: PathBuf,
    rules: TokenRules,
}

impl LocalTokens {
    /// Creates the authenticator for the issuer in a data folder.
    #[must_use]
    pub fn new(issuer: &LocalIssuer, api: &Api) -> Self {
        let defined = first_settings(api).and_then(|settings| JwtSettings::read(&settings).ok());
        let rules = defined.map(|settings| settings.rules);
        let (name, permissions, claims) = match rules {
            Some(rules) => (rules.name, rules.permissions, rules.claims),
            None => ("sub".to_owned(), vec![Template::claim("scope")], None),
        };
        let rules = TokenRules {
            issuer: LOCAL_ISSUER.to_owned(),
            audiences: vec![LOCAL_ISSUER.to_owned()],
            algorithms: vec![ALGORITHM],
            token_type: None,
            leeway: 0,
            name,
            permissions,
            claims,
        };
        Self { file: issuer.file.clone(), rules }
    }

    /// Checks the claims for a token as the first issuer in the setting `auth` declares them.
    ///
    /// # Errors
    /// Fails if a claim is missing or has another type. The error is a message with its name.
    pub fn check_claims(api: &Api, claims: &Map<String, Json>) -> Result<(), String> {
        let declared = first_settings(api).and_then(|settings| api.claims_of(settings.node));
        declared.map_or(Ok(()), |declared| declared.convert(&mut claims.clone()))
    }

    fn check(&self, head: &Head) -> Authentication {
        let Some(token) = head.bearer().filter(|token| unverified_issuer(token).as_deref() == Some(LOCAL_ISSUER))
        else {
            return Authentication::Anonymous;
        };
        let keys = fs::read(&self.file).map_err(|error| error.to_string()).and_then(|text| parse_key_set(&text));
        let keys = match keys {
            Ok(keys) => KeySet::new(keys),
            Err(why) => return Authentication::Unavailable(format!("{}: {why}", self.file.display())),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match verify_token(token, &self.rules, Some(&keys), now.as_secs()) {
            Ok(verified) => Authentication::Identity(verified.identity),
            Err(TokenError::Invalid(reason)) => Authentication::Invalid(reason.into_owned()),
            Err(TokenError::UnknownKey) => {
                Authentication::Invalid("the key of `rulebook token` has changed".to_owned())
            }
        }
    }
}

fn first_settings(api: &Api) -> Option<AuthSettings<'_>> {
    let auth = api.auth.as_ref()?;
    let member = auth.kinds.iter().find(|member| member.key.value == super::NAME)?;
    let node = DefinedAuth::settings_of(member).first()?;
    Some(AuthSettings { node, api, combine: auth.combine })
}

impl Authenticate for LocalTokens {
    async fn authenticate(&self, head: &Head) -> Authentication {
        self.check(head)
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::Jwt { challenge: "Bearer".to_owned(), discovery: None }]
    }
}
