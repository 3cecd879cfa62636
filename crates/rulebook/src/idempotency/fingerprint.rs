//! The hashes by which requests with an idempotency key are recognized.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;

use rulebook_model::model::RateLimitBy;
use sha2::{Digest, Sha256};

use super::ClaimedKey;
use crate::call::{ArgumentSlot, Identity, Upload, Value};
use crate::rate_limit::Caller;

/// The hashes of a request with an idempotency key.
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

    /// Adds the arguments of a method.
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

    /// Adds bytes of the request that the handler reads besides its arguments.
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
