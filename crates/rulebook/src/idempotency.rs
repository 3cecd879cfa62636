//! Responses that are kept for idempotency keys: a client that sends a request again with the same value of
//! `Idempotency-Key` gets the response to the first request, and the handler does not run again.
//!
//! `run_once`, which is a part of the stage `act`, uses this module. A storage ([`IdempotencyStorage`]), of which one
//! in memory is in this file, has a record for each key in use. It does not know what requests and responses are: it
//! has hashes of requests and the bytes of responses. This Rust module must not use sockets, and must not run handlers.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::future::ready;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use rulebook_model::error::codes::ERROR_CODES;
use rulebook_model::limits::IDEMPOTENCY_KEY_LENGTH;
use rulebook_model::model::{Idempotency, RateLimitBy};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::call::{ApiError, ArgumentSlot, ErrorKind, Head, Identity, MalformedRequest, Upload, Value};
use crate::error::ErrorCode;
use crate::pipeline::{Reply, ReplyBody, ReplyCode};
use crate::plan::PlannedMethod;
use crate::rate_limit::Caller;

/// Stores the idempotency keys that clients have used, with the responses to their requests.
///
/// A server claims a key before it runs the handler, renews the claim while the handler runs, and then stores the
/// response, or releases the key if the handler failed. The crate `rulebook-sql` has storages in SQLite, PostgreSQL,
/// MySQL and MariaDB. A program can store keys elsewhere: it implements this trait, and passes the storage to
/// [`Rulebook::idempotency_storage`](crate::Rulebook::idempotency_storage).
///
/// The futures run in a task of a worker. They may be dropped before they end.
pub trait IdempotencyStorage: Send + Sync + 'static {
    /// Claims a key for the time `lease`, unless another claim of the key is valid or a response is stored for it. If
    /// several servers claim a key at the same time, at most one of the claims may succeed.
    fn claim(&self, claim: KeyClaim) -> StorageFuture<IdempotencyKeyState>;

    /// Extends a claim, so that it ends after the time `lease` from now. Does nothing if the key was claimed again in
    /// the meantime.
    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()>;

    /// Stores the response for the time `lifetime`. Does nothing if the key was claimed again in the meantime.
    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()>;

    /// Ends a claim without a response, so that the key can be claimed again.
    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()>;

    /// Checks that the storage is available. `/readyz` reports the result.
    fn check(&self) -> StorageFuture<()>;

    /// Returns the files of the storage, which only the server may read: it does not start if they are in the folder of
    /// static files. By default, the storage has no files.
    fn private_files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The result of a function of an [`IdempotencyStorage`].
pub type StorageFuture<T> = Pin<Box<dyn Future<Output = Result<T, IdempotencyError>> + Send>>;

/// The claim of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyClaim {
    /// The key and the claim.
    pub key: ClaimedKey,
    /// The time after which the claim ends if it is not renewed.
    pub lease: Duration,
    /// The maximum number of keys for which the storage has records.
    pub max_records: u64,
}

/// An idempotency key that a server claims or has claimed. All values consist of hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedKey {
    /// A hash of the key, the method and the caller: 64 digits.
    pub id: Box<str>,
    /// A hash of the arguments of the request: 64 digits.
    pub payload: Box<str>,
    /// A random text that is different for each claim: 32 digits.
    pub token: Box<str>,
}

impl ClaimedKey {
    /// Creates a claimed key, for tests of storages.
    pub fn new(id: impl Into<Box<str>>, payload: impl Into<Box<str>>, token: impl Into<Box<str>>) -> Self {
        Self { id: id.into(), payload: payload.into(), token: token.into() }
    }
}

impl KeyClaim {
    /// Creates a claim, for tests of storages.
    #[must_use]
    pub fn new(key: ClaimedKey, lease: Duration, max_records: u64) -> Self {
        Self { key, lease, max_records }
    }
}

/// The state of an idempotency key after an attempt to claim it.
#[derive(Clone, PartialEq, Eq)]
pub enum IdempotencyKeyState {
    /// The key is claimed for this request.
    Claimed,
    /// Another request with the key is being handled.
    InUse {
        /// The hash of the arguments of the other request.
        payload: Box<str>,
    },
    /// A request with the key was handled.
    Stored {
        /// The hash of the arguments of the request.
        payload: Box<str>,
        /// The response, as it was passed to [`IdempotencyStorage::store`].
        response: Vec<u8>,
    },
    /// The key is not claimed, because the storage has the maximum number of records.
    Full,
}

impl fmt::Debug for IdempotencyKeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claimed => "Claimed",
            Self::InUse { .. } => "InUse",
            Self::Stored { .. } => "Stored",
            Self::Full => "Full",
        })
    }
}

/// Why an [`IdempotencyStorage`] is unavailable, for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct IdempotencyError {
    reason: String,
    is_invalid_address: bool,
}

impl IdempotencyError {
    /// Creates an error. `reason` must not contain secrets, such as a password in a URL.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_invalid_address: false }
    }

    /// Creates the error that the address of a storage is not valid, so that the storage will never be available.
    /// `reason` must not contain the address.
    pub fn invalid_address(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_invalid_address: true }
    }

    /// Returns `true` if the address of the storage is not valid.
    #[must_use]
    pub fn is_invalid_address(&self) -> bool {
        self.is_invalid_address
    }
}

/// The minimum time between two searches for expired records.
const CLEAN_INTERVAL: Duration = Duration::from_secs(10);
/// The minimum time between two searches while no further key can be stored.
const CLEAN_INTERVAL_WHEN_FULL: Duration = Duration::from_secs(1);
const MAX_BYTES: usize = 64 << 20;

/// Stores idempotency keys in memory. They are lost when the program ends, and other servers do not know them. If the
/// responses have more than 64 MiB together, further keys are refused until some of them expire.
#[derive(Debug, Default)]
pub struct MemoryStorage(Mutex<Records>);

#[derive(Debug, Default)]
struct Records {
    by_id: HashMap<Box<str>, Record>,
    bytes: usize,
    cleaned: Option<Instant>,
}

#[derive(Debug)]
struct Record {
    payload: Box<str>,
    token: Box<str>,
    expires: Instant,
    /// `None` while the request is being handled.
    response: Option<Vec<u8>>,
}

impl Record {
    fn size(&self) -> usize {
        self.response.as_ref().map_or(0, Vec::len)
    }
}

impl MemoryStorage {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the record of a key that was not claimed again.
    fn change(&self, claimed: &ClaimedKey, lifetime: Duration, response: Option<Vec<u8>>) -> StorageFuture<()> {
        let Records { by_id, bytes, .. } = &mut *self.lock();
        let record = by_id.get_mut(&claimed.id).filter(|record| record.token == claimed.token);
        // A renewal that comes late leaves the stored response as it is.
        if let Some(record) = record.filter(|record| record.response.is_none()) {
            record.expires = Instant::now() + lifetime;
            *bytes += response.as_ref().map_or(0, Vec::len);
            record.response = response;
        }
        Box::pin(ready(Ok(())))
    }
}

impl Records {
    fn claim(&mut self, claim: KeyClaim) -> IdempotencyKeyState {
        let now = Instant::now();
        match self.by_id.get(&claim.key.id).filter(|record| record.expires > now) {
            Some(Record { payload, response: Some(response), .. }) => {
                return IdempotencyKeyState::Stored { payload: payload.clone(), response: response.clone() };
            }
            Some(Record { payload, response: None, .. }) => {
                return IdempotencyKeyState::InUse { payload: payload.clone() };
            }
            None => {}
        }
        let is_full = |records: &Self| records.by_id.len() as u64 >= claim.max_records || records.bytes > MAX_BYTES;
        let interval = if is_full(self) { CLEAN_INTERVAL_WHEN_FULL } else { CLEAN_INTERVAL };
        if self.cleaned.is_none_or(|cleaned| cleaned + interval < now) {
            self.by_id.retain(|_, record| record.expires > now);
            self.bytes = self.by_id.values().map(Record::size).sum();
            self.cleaned = Some(now);
        }
        if is_full(self) {
            return IdempotencyKeyState::Full;
        }
        let ClaimedKey { id, payload, token } = claim.key;
        let record = Record { payload, token, expires: now + claim.lease, response: None };
        let expired = self.by_id.insert(id, record);
        self.bytes -= expired.as_ref().map_or(0, Record::size);
        IdempotencyKeyState::Claimed
    }
}

impl IdempotencyStorage for MemoryStorage {
    fn claim(&self, claim: KeyClaim) -> StorageFuture<IdempotencyKeyState> {
        let state = self.lock().claim(claim);
        Box::pin(ready(Ok(state)))
    }

    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()> {
        self.change(claimed, lease, None)
    }

    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()> {
        self.change(claimed, lifetime, Some(response))
    }

    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()> {
        let mut records = self.lock();
        if records.by_id.get(&claimed.id).is_some_and(|record| record.token == claimed.token) {
            let removed = records.by_id.remove(&claimed.id);
            records.bytes -= removed.as_ref().map_or(0, Record::size);
        }
        Box::pin(ready(Ok(())))
    }

    fn check(&self) -> StorageFuture<()> {
        Box::pin(ready(Ok(())))
    }
}

/// The name of the header field, in lower case as in [`Head::headers`].
static NAME: HeaderName = HeaderName::from_static("idempotency-key");

/// Returns the idempotency key of a request, without quotes; `None` if the request has none. `max` is the maximum
/// length of the header field.
///
/// # Errors
/// Fails if the key is missing but required, if it is too long, or if it is not a string of structured fields (RFC 8941
/// section 3.3.3) or its characters without the quotes, which many clients send.
pub(crate) fn read_key(head: &Head, required: Idempotency, max: u64) -> Result<Option<String>, ApiError> {
    let mut values = head.get_all(&NAME);
    let Some(value) = values.next() else {
        return match required {
            Idempotency::Optional => Ok(None),
            Idempotency::Required => Err(ApiError::new(ErrorKind::Plain(ErrorCode::IdempotencyKeyRequired))),
        };
    };
    let malformed = || ApiError::malformed(MalformedRequest::IdempotencyKey);
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.as_bytes().trim_ascii();
    if text.len() as u64 > max {
        return Err(ApiError::too_large(IDEMPOTENCY_KEY_LENGTH.with_value(max), Some(Idempotency::HEADER)));
    }
    parse_key(text).map(Some).ok_or_else(malformed)
}

/// Parses a string of structured fields, or the characters of a key without quotes. Returns `None` if the text is
/// neither, or if the key is empty.
fn parse_key(text: &[u8]) -> Option<String> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let is_allowed = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\,;".contains(byte);
        let key = Some(text).filter(|text| !text.is_empty() && text.iter().all(is_allowed))?;
        return String::from_utf8(key.to_vec()).ok();
    };
    let quoted = quoted.strip_suffix(b"\"")?;
    let mut key = String::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\\' => bytes.next().filter(|escaped| b"\"\\".contains(escaped))?,
            b'"' => return None,
            byte => Some(byte).filter(|byte| (b' '..=b'~').contains(byte))?,
        };
        key.push(char::from(*byte));
    }
    (!key.is_empty()).then_some(key)
}

#[derive(Debug)]
pub(crate) struct Fingerprint {
    /// The hash of the method, the caller and the key.
    id: String,
    hasher: RequestHasher,
}

const MAX_HASHED_AT_ONCE: usize = 64 << 10;

/// Collects the arguments of a request for its hash. Each value is preceded by its kind and its length, so that two
/// different lists of arguments never have the same bytes.
#[derive(Debug)]
pub(crate) struct RequestHasher {
    arguments: Vec<u8>,
    /// Uploaded files without a known hash, in the order of the arguments.
    unhashed: Vec<Upload>,
}

impl RequestHasher {
    /// Begins with the key itself. So a reader of the storage who does not know the key cannot find out arguments by
    /// trying.
    pub(crate) fn new(key: &str) -> Self {
        let mut hasher = Self { arguments: Vec::new(), unhashed: Vec::new() };
        hasher.add_bytes(b'k', key.as_bytes());
        hasher
    }

    pub(crate) fn add_arguments(&mut self, names: &[Box<str>], arguments: &[ArgumentSlot<'_>]) {
        for (name, argument) in names.iter().zip(arguments) {
            self.add_bytes(b'p', name.as_bytes());
            match argument {
                ArgumentSlot::Absent => self.add_bytes(b'-', &[]),
                ArgumentSlot::Null => self.add_bytes(b'0', &[]),
                ArgumentSlot::Value(value) => self.add_value(value),
            }
        }
    }

    pub(crate) fn add_raw(&mut self, bytes: &[u8]) {
        self.add_bytes(b'r', bytes);
    }

    pub(crate) fn add_value(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.add_bytes(b'0', &[]),
            Value::Bool(bool) => self.add_bytes(b'b', &[u8::from(*bool)]),
            Value::Int(int) => self.add_bytes(b'i', &int.to_le_bytes()),
            Value::Uint(uint) => self.add_bytes(b'u', &uint.to_le_bytes()),
            Value::Float(float) => self.add_bytes(b'f', &float.to_le_bytes()),
            Value::Text(text) => self.add_bytes(b't', text.as_bytes()),
            Value::List(items) => {
                self.add_bytes(b'l', &items.len().to_le_bytes());
                items.iter().for_each(|item| self.add_value(item));
            }
            Value::Map(members) => {
                self.add_bytes(b'm', &members.len().to_le_bytes());
                // The order of members has no meaning.
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                for (name, value) in members {
                    self.add_bytes(b'n', name.as_bytes());
                    self.add_value(value);
                }
            }
            Value::File(upload) => {
                self.add_bytes(b'F', upload.filename().as_bytes());
                self.add_bytes(b's', &upload.size().to_le_bytes());
                match (upload.hash(), upload.bytes()) {
                    (Some(hash), _) => self.add_bytes(b'h', hash),
                    (None, Some(bytes)) => self.add_bytes(b'c', bytes),
                    (None, None) => self.unhashed.push(upload.clone()),
                }
            }
        }
    }

    fn add_bytes(&mut self, kind: u8, bytes: &[u8]) {
        self.arguments.push(kind);
        self.arguments.extend((bytes.len() as u64).to_le_bytes());
        self.arguments.extend_from_slice(bytes);
    }

    /// Returns the hashes of a request of this caller to the method with the id `method`.
    pub(crate) fn finish(
        self,
        method: &str,
        identity: Option<&Identity>,
        client: Option<IpAddr>,
        key: &str,
    ) -> Fingerprint {
        let caller = Caller::new(RateLimitBy::Caller, identity, client).shared_name();
        // With the same first credential and other further ones, the caller may be another one: an example is a gateway
        // with a certificate, which passes on the tokens of users.
        let others = identity.map_or(&[][..], Identity::combined_names);
        let others = others.iter().flat_map(|other| [&*other.namespace, &*other.name]);
        let mut id = Sha256::new();
        for part in [method, &caller, key].into_iter().chain(others) {
            id.update((part.len() as u64).to_le_bytes());
            id.update(part);
        }
        Fingerprint { id: hex::encode(id.finalize()), hasher: self }
    }
}

impl Fingerprint {
    /// Returns the key to claim, with a random token. Large arguments are hashed, and uploaded files read, on another
    /// thread.
    pub(crate) async fn into_claimed_key(self) -> io::Result<ClaimedKey> {
        let Self { id, hasher: RequestHasher { arguments, unhashed } } = self;
        let is_small = unhashed.is_empty() && arguments.len() <= MAX_HASHED_AT_ONCE;
        let hash = move || {
            let mut payload = Sha256::new();
            payload.update(&arguments);
            for upload in unhashed {
                payload.update(hash_of_file(upload.path()?)?);
            }
            io::Result::Ok(payload)
        };
        let payload =
            if is_small { hash()? } else { tokio::task::spawn_blocking(hash).await.map_err(io::Error::other)?? };
        let mut token = [0; 16];
        getrandom::fill(&mut token).map_err(io::Error::other)?;
        Ok(ClaimedKey::new(id, hex::encode(payload.finalize()), hex::encode(token)))
    }
}

fn hash_of_file(path: &Path) -> io::Result<[u8; 32]> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            count => hasher.update(&buffer[..count]),
        }
    }
}

// The form in which responses are stored: a line of JSON with the status and the header fields, and then the bytes of
// the body. A response that was not kept is stored as no bytes.

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredResponse {
    status: u16,
    /// The bytes of this and other header fields in hexadecimal digits, because they need not be UTF-8.
    content_type: Option<String>,
    headers: Vec<(String, String)>,
    is_written_for_request: bool,
    code: Option<String>,
    declared_error: Option<String>,
}

/// `None` if the text is not valid.
fn parse_value(hex: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&hex::decode(hex).ok()?).ok()
}

impl StoredResponse {
    pub(crate) const NOT_KEPT: Vec<u8> = Vec::new();

    /// `None` if the body is not in memory, or the stored form has more than `max` bytes.
    pub(crate) fn encode(method: &PlannedMethod, reply: &Reply, max: u64) -> Option<Vec<u8>> {
        let body = reply.body.bytes()?;
        if body.len() as u64 > max {
            return None;
        }
        let declared = reply.code.and_then(|code| method.declared_errors.get(code.declared_error?));
        let head = Self {
            status: reply.status,
            content_type: reply.content_type.as_ref().map(hex::encode),
            headers: reply.headers.iter().map(|(name, value)| (name.to_string(), hex::encode(value))).collect(),
            is_written_for_request: reply.is_written_for_request,
            code: reply.code.map(|code| code.code.to_string()),
            declared_error: declared.map(|error| error.name.to_string()),
        };
        let mut bytes = serde_json::to_vec(&head).ok()?;
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        (bytes.len() as u64 <= max).then_some(bytes)
    }

    /// Returns the stored reply with the header field that marks it; `None` if the bytes are not valid.
    pub(crate) fn decode(method: &PlannedMethod, bytes: Vec<u8>) -> Option<Reply> {
        let end = memchr::memchr(b'\n', &bytes)?;
        let head: Self = serde_json::from_slice(&bytes[..end]).ok()?;
        let mut headers = head
            .headers
            .iter()
            .map(|(name, value)| Some((HeaderName::try_from(name.as_str()).ok()?, parse_value(value)?)))
            .collect::<Option<Vec<_>>>()?;
        headers.push((replayed_header(), HeaderValue::from_static("true")));
        let content_type = match &head.content_type {
            Some(value) => Some(parse_value(value)?),
            None => None,
        };
        let code = head.code.and_then(|name| ERROR_CODES.iter().find(|row| row.name == name)).map(|row| {
            let declared = head.declared_error.as_deref();
            let position = |name: &str| method.declared_errors.iter().position(|error| *error.name == *name);
            ReplyCode { code: row.code, declared_error: declared.and_then(position) }
        });
        let body = ReplyBody::Whole(Bytes::from(bytes).slice(end + 1..));
        let is_written_for_request = head.is_written_for_request;
        Some(Reply { status: head.status, content_type, headers, body, is_written_for_request, code })
    }
}

fn replayed_header() -> HeaderName {
    HeaderName::from_bytes(Idempotency::REPLAYED_HEADER.as_bytes()).unwrap_or(http::header::WARNING)
}

#[cfg(test)]
mod tests {
    use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

    use super::*;

    /// A key that is written with quotes is read again.
    fn check_key(text: &[u8]) {
        let Some(key) = parse_key(text) else { return };
        let quoted = format!("\"{}\"", key.replace('\\', r"\\").replace('"', "\\\""));
        assert_eq!(parse_key(quoted.as_bytes()), Some(key));
    }

    #[test]
    fn fuzz_idempotency_key() {
        const TOKENS: &[&str] = &["\"", "\\", "a", "-", "8e03", " ", ",", ";a=1", "é", "\u{7f}"];
        let inputs = Inputs::check_corpus("idempotency_key", TOKENS, check_key);
        check!()
            .with_iterations(TEXTS)
            .with_max_len(MAX_SCRIPT_LEN)
            .for_each(|script| inputs.check_script(script, check_key));
    }
}
