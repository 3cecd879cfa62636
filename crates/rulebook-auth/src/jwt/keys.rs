//! The keys of an issuer in a JSON Web Key Set (RFC 7517), and the algorithms with which they verify signatures. The
//! keys are fetched again in the background, from the server of the issuer or from a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use rulebook::Identity;
use rulebook::auth_kind::VerifiedCredentials;
use rulebook_model::unique_json;
use rustls::RootCertStore;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::sync::{Notify, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use url::{Position, Url};

use super::verify::TokenError;

/// The maximum number of requests that wait for the keys at the same time.
const MAX_WAITING: usize = 1024;
const MAX_KEYS: usize = 100;
/// The maximum number of keys with which the signature of a token without a key id is compared.
const MAX_TRIED_KEYS: usize = 4;

/// When the keys of an issuer are fetched.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FetchTimes {
    /// The time between two fetches if no token needs a new key.
    pub refresh: Duration,
    /// The minimum time between two fetches.
    pub cooldown: Duration,
    /// The time for which keys are used while the issuer does not respond.
    pub keep: Duration,
    pub timeout: Duration,
}

/// The keys of an issuer. All requests share them; a task fetches them.
pub struct KeySource {
    origin: Origin,
    times: FetchTimes,
    current: ArcSwapOption<KeySet>,
    /// The last fetch that has ended.
    last: watch::Sender<LastFetch>,
    /// Wakes the task that fetches the keys.
    requested: Notify,
    /// The number of requests that wait for the keys.
    waiting: AtomicUsize,
}

#[derive(Debug, Clone, Copy, Default)]
struct LastFetch {
    count: u64,
    /// The time at which the last fetch ended; `None` before the first one.
    ended: Option<Instant>,
    succeeded: bool,
}

impl KeySource {
    pub fn new(origin: Origin, times: FetchTimes) -> Self {
        Self {
            origin,
            times,
            current: ArcSwapOption::empty(),
            last: watch::Sender::default(),
            requested: Notify::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Returns the keys; `None` if they have never been fetched, or the issuer has not responded for too long.
    pub fn keys(&self) -> Guard<Option<Arc<KeySet>>> {
        self.current.load()
    }

    /// Fetches the keys unless the last fetch has ended just now, and waits until they are there. However many requests
    /// call this function, the keys are fetched once. Returns `true` if the keys are those that the issuer has
    /// published, or were so a short time ago, and `false` if the issuer does not respond, or too many requests wait.
    pub async fn renew(&self) -> bool {
        let mut fetches = self.last.subscribe();
        let last = *fetches.borrow_and_update();
        if last.ended.is_some_and(|ended| ended.elapsed() < self.times.cooldown) {
            return last.succeeded;
        }
        let others = self.waiting.fetch_add(1, Ordering::Relaxed);
        // Decreases the number, even if the request ends before the fetch.
        let _waiting = Waiting(&self.waiting);
        if others >= MAX_WAITING {
            return false;
        }
        self.requested.notify_one();
        // The task may have to wait for a moment before and after the fetch.
        let max_wait = self.times.timeout + Duration::from_secs(1);
        let next = timeout(max_wait, fetches.wait_for(|fetch| fetch.count > last.count)).await;
        matches!(next, Ok(Ok(fetch)) if fetch.succeeded)
    }

    /// Fetches the keys again whenever they are old or requests need them, until the future is dropped.
    pub async fn keep_fresh(self: Arc<Self>) {
        let mut last_success = self.last.borrow().succeeded.then(Instant::now);
        let mut is_error_logged = last_success.is_none();
        loop {
            sleep(self.times.cooldown).await;
            // After an error, the next fetch begins at once.
            if self.last.borrow().succeeded {
                let wait = self.times.refresh.saturating_sub(self.times.cooldown);
                // A timeout means that the keys are old.
                let _ = timeout(wait, self.requested.notified()).await;
            }
            match self.fetch().await {
                Ok(()) => {
                    if is_error_logged {
                        log::info!("{}: the keys of the issuer have been fetched again", self.origin);
                    }
                    is_error_logged = false;
                    last_success = Some(Instant::now());
                }
                Err(error) => {
                    if !is_error_logged {
                        log::error!("the keys of the issuer stay as they were: {error}");
                    }
                    is_error_logged = true;
                    let is_kept = last_success.is_some_and(|at| at.elapsed() < self.times.keep);
                    if !is_kept && self.current.swap(None).is_some() {
                        log::error!("{}: the keys of the issuer are too old and no longer used", self.origin);
                    }
                }
            }
        }
    }

    /// Fetches the keys. If they are the same as before, the key set stays, and with it the tokens that it has
    /// verified.
    /// Fails if the keys cannot be fetched. The error is a message.
    pub async fn fetch(&self) -> Result<(), String> {
        let fetched = self.origin.fetch(self.times.timeout).await;
        let result = fetched.map(|keys| self.replace(keys));
        self.last.send_modify(|last| {
            *last = LastFetch { count: last.count + 1, ended: Some(Instant::now()), succeeded: result.is_ok() };
        });
        result
    }

    /// Replaces the keys by those that have been fetched, if they differ. An issuer that has removed all of its keys
    /// accepts no token any more.
    fn replace(&self, mut keys: Vec<VerificationKey>) {
        let count = keys.len();
        keys.truncate(MAX_KEYS);
        if self.current.load().as_ref().is_some_and(|current| current.keys == keys) {
            return;
        }
        let origin = &self.origin;
        match count {
            0 => log::warn!("{origin}: the issuer has no public key for signatures, so that no token is valid"),
            1..=MAX_KEYS => log::info!("{origin}: keys of the issuer: {count}"),
            _ => log::warn!("{origin}: the issuer has {count} keys, of which only the first {MAX_KEYS} are used"),
        }
        self.current.store(Some(Arc::new(KeySet::new(keys))));
    }
}

/// A request that waits for the keys.
struct Waiting<'w>(&'w AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub struct KeySet {
    pub keys: Vec<VerificationKey>,
    /// The tokens that these keys have verified. Another key set does not know them.
    pub verified: VerifiedCredentials<VerifiedToken>,
    warning: Once,
}

/// A token whose signature and claims have been verified.
pub struct VerifiedToken {
    pub identity: Identity,
    /// The Unix time in seconds from which the token has to be verified again.
    pub expires: u64,
    /// About how many bytes of memory the identity occupies.
    pub heap_size: usize,
}

impl KeySet {
    pub fn new(keys: Vec<VerificationKey>) -> Self {
        Self { keys, verified: VerifiedCredentials::new(), warning: Once::new() }
    }

    /// Returns the keys that may have signed a token with this algorithm and key id, at least one.
    pub fn candidates(&self, algorithm: &Algorithm, id: Option<&str>) -> Result<Vec<&VerificationKey>, TokenError> {
        let with_id = || self.keys.iter().filter(|key| id.is_none() || key.id.as_deref() == id);
        let fitting: Vec<_> = with_id().filter(|key| key.accepts(algorithm)).take(MAX_TRIED_KEYS).collect();
        if !fitting.is_empty() {
            Ok(fitting)
        } else if id.is_some() && with_id().next().is_some() {
            Err("the key is not for the algorithm of the token".into())
        } else {
            Err(TokenError::UnknownKey)
        }
    }

    /// Logs that a token without a key id has not been compared with all keys for its algorithm, if that is so. Clients
    /// can send any number of such tokens, so that only the first one is logged.
    pub fn warn_of_untried_keys(&self, algorithm: &Algorithm, issuer: &str) {
        let count = self.keys.iter().filter(|key| key.accepts(algorithm)).count();
        if count > MAX_TRIED_KEYS {
            self.warning.call_once(|| {
                log::warn!(
                    "{issuer}: a token without `kid` is refused, because only the first {MAX_TRIED_KEYS} of {count} keys \
                     for its algorithm are tried"
                );
            });
        }
    }
}

/// The maximum size of a key set in bytes.
const MAX_SIZE: u64 = 256 << 10;

/// Where a key set comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// The key set at this address; with the file of the authorities that certify its server, if they are not those of
    /// the system.
    Url(Url, Option<PathBuf>),
    /// The key set in this file.
    File(PathBuf),
}

/// The place for the log. The query of an address can contain a secret, so it is omitted.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, _) => f.write_str(&url[..Position::AfterPath]),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Origin {
    /// Fetches the keys, within this time.
    /// Fails if the key set cannot be read. The error is a message.
    pub async fn fetch(&self, timeout: Duration) -> Result<Vec<VerificationKey>, String> {
        let origin = self.clone();
        let read = spawn_blocking(move || {
            let text = match &origin {
                Self::Url(url, authorities) => download(url, authorities.as_ref(), timeout),
                Self::File(path) => read_file(path),
            };
            text.and_then(|text| parse_key_set(&text))
        });
        read.await.map_err(|error| error.to_string()).flatten().map_err(|error| format!("{self}: {error}"))
    }
}

fn read_file(path: &PathBuf) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_SIZE {
        return Err(format!("the file is larger than {MAX_SIZE} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

fn download(url: &Url, authorities: Option<&PathBuf>, timeout: Duration) -> Result<Vec<u8>, String> {
    let roots = match authorities {
        Some(path) => RootCerts::Specific(Arc::new(read_authorities(path)?)),
        None => RootCerts::PlatformVerifier,
    };
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        // The keys come from the address in the definition, and from nowhere else.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("rulebook/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(timeout));
    let response = config.build().new_agent().get(url.as_str()).header("Accept", "application/json").call();
    let mut response = response.map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("the response has the status {}", response.status().as_u16()));
    }
    response.body_mut().with_config().limit(MAX_SIZE).read_to_vec().map_err(|error| error.to_string())
}

/// Reads the certificates of authorities in a PEM file.
/// Fails if the file cannot be read, or contains no certificate or one that is not valid. The error is a message.
pub fn read_authorities(path: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let error = |error: &dyn fmt::Display| format!("`ca` cannot be used: {}: {error}", path.display());
    let text = std::fs::read(path).map_err(|reason| error(&reason))?;
    let items = parse_pem(&text).collect::<Result<Vec<_>, _>>().map_err(|reason| error(&reason))?;
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    let mut roots = RootCertStore::empty();
    for certificate in &certificates {
        roots.add(certificate.der().into()).map_err(|reason| error(&reason))?;
    }
    if certificates.is_empty() { Err(error(&"it contains no certificate in the PEM format")) } else { Ok(certificates) }
}

/// The lengths of RSA moduli in bytes: from 2048 to 8192 bits, which `ring` supports.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// An algorithm of signatures (RFC 7518 section 3.1, RFC 8037 section 3.1). Those with a shared secret (`HS256`) and
/// `none` do not exist here, so that no setting can enable them.
pub struct Algorithm {
    pub name: &'static str,
    verification: Verification,
}

enum Verification {
    Rsa(&'static RsaParameters),
    Elliptic(Curve, &'static dyn VerificationAlgorithm),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    Ed25519,
}

pub static ALGORITHMS: [Algorithm; 9] = [
    Algorithm::rsa("RS256", &signature::RSA_PKCS1_2048_8192_SHA256),
    Algorithm::rsa("RS384", &signature::RSA_PKCS1_2048_8192_SHA384),
    Algorithm::rsa("RS512", &signature::RSA_PKCS1_2048_8192_SHA512),
    Algorithm::rsa("PS256", &signature::RSA_PSS_2048_8192_SHA256),
    Algorithm::rsa("PS384", &signature::RSA_PSS_2048_8192_SHA384),
    Algorithm::rsa("PS512", &signature::RSA_PSS_2048_8192_SHA512),
    Algorithm::elliptic("ES256", Curve::P256, &signature::ECDSA_P256_SHA256_FIXED),
    Algorithm::elliptic("ES384", Curve::P384, &signature::ECDSA_P384_SHA384_FIXED),
    Algorithm::elliptic("EdDSA", Curve::Ed25519, &signature::ED25519),
];
/// The name that RFC 9864 gives to `EdDSA` with the curve Ed25519.
pub const ED25519: &str = "Ed25519";

#[derive(Clone, PartialEq, Eq)]
enum PublicKey {
    /// The modulus and the exponent of an RSA key.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point on a curve, uncompressed (SEC 1 section 2.3.3) unless the curve is Ed25519.
    Elliptic(Curve, Vec<u8>),
}

/// A key that can verify signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// The id by which tokens name the key.
    pub id: Option<String>,
    /// The name of the only algorithm for which the key may be used; `None` for all algorithms of its type.
    algorithm: Option<&'static str>,
    key: PublicKey,
}

/// A member of a key set. A member of another form is ignored.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Algorithm {
    const fn rsa(name: &'static str, parameters: &'static RsaParameters) -> Self {
        Self { name, verification: Verification::Rsa(parameters) }
    }

    const fn elliptic(name: &'static str, curve: Curve, algorithm: &'static dyn VerificationAlgorithm) -> Self {
        Self { name, verification: Verification::Elliptic(curve, algorithm) }
    }

    /// Returns the algorithm with this name, which is case-sensitive.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = if name == ED25519 { "EdDSA" } else { name };
        ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
    }

    fn accepts(&self, key: &PublicKey) -> bool {
        match (&self.verification, key) {
            (Verification::Rsa(_), PublicKey::Rsa { .. }) => true,
            (Verification::Elliptic(curve, _), PublicKey::Elliptic(other, _)) => curve == other,
            _ => false,
        }
    }
}

impl VerificationKey {
    /// Returns `true` if the key may be used for this algorithm.
    pub fn accepts(&self, algorithm: &Algorithm) -> bool {
        algorithm.accepts(&self.key) && self.algorithm.is_none_or(|only| only == algorithm.name)
    }

    /// Returns `true` if the signature of the message is valid. A key that is not for the algorithm is never valid.
    pub fn verify(&self, algorithm: &Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.accepts(algorithm)
            && match (&algorithm.verification, &self.key) {
                (Verification::Rsa(parameters), PublicKey::Rsa { n, e }) => {
                    RsaPublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
                }
                (Verification::Elliptic(_, algorithm), PublicKey::Elliptic(_, point)) => {
                    UnparsedPublicKey::new(*algorithm, point).verify(message, signature).is_ok()
                }
                _ => false,
            }
    }
}

/// Reads a key set. Keys that cannot verify signatures of tokens are ignored (RFC 7517 section 5): keys for encryption,
/// shared secrets, keys of unknown types, and keys that are malformed or too short. So the result can be empty.
/// Fails if the text is not a key set. The error is a message.
pub fn parse_key_set(text: &[u8]) -> Result<Vec<VerificationKey>, String> {
    let mut set = unique_json::parse(text).map_err(|error| format!("it is not a JSON Web Key Set: {error}"))?;
    let Some(Json::Array(keys)) = set.get_mut("keys").map(Json::take) else {
        return Err("it is not a JSON Web Key Set: the array `keys` is missing".to_owned());
    };
    Ok(keys.into_iter().filter_map(|key| parse_key(serde_json::from_value(key).ok()?)).collect())
}

fn parse_key(jwk: Jwk) -> Option<VerificationKey> {
    let is_for_signatures = jwk.r#use.is_none_or(|usage| usage == "sig")
        && jwk.key_ops.is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
    if !is_for_signatures {
        return None;
    }
    let bytes = |text: &Option<String>| decode(text.as_deref()?);
    let coordinate = |text: &Option<String>, len: usize| bytes(text).filter(|bytes| bytes.len() == len);
    let point = |len| Some([vec![4], coordinate(&jwk.x, len)?, coordinate(&jwk.y, len)?].concat());
    let key = match (&*jwk.kty, jwk.crv.as_deref()) {
        ("RSA", _) => {
            // Some issuers write a zero in front of the modulus, although RFC 7518 section 6.3.1.1 forbids it.
            let n: Vec<u8> = bytes(&jwk.n)?.into_iter().skip_while(|byte| *byte == 0).collect();
            RSA_BYTES.contains(&n.len()).then_some(PublicKey::Rsa { n, e: bytes(&jwk.e)? })?
        }
        ("EC", Some("P-256")) => PublicKey::Elliptic(Curve::P256, point(32)?),
        ("EC", Some("P-384")) => PublicKey::Elliptic(Curve::P384, point(48)?),
        ("OKP", Some("Ed25519")) => PublicKey::Elliptic(Curve::Ed25519, coordinate(&jwk.x, 32)?),
        _ => return None,
    };
    let algorithm = match jwk.alg {
        None => None,
        Some(name) => Some(Algorithm::named(&name).filter(|algorithm| algorithm.accepts(&key))?.name),
    };
    Some(VerificationKey { id: jwk.kid, algorithm, key })
}

/// Encodes bytes as base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url without padding (RFC 7515 section 2).
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}
