//! Bearer keys (RFC 6750), kept in a file by their hashes.
//!
//! In charge of the key file and of finding out whose key a request carries.
//! A key is 32 random bytes; the file keeps its SHA-256, which for a secret of
//! that length needs neither salt nor work factor, and a key is found by that
//! hash, so that nothing about a stored one can be learned from the time a look-up takes.
//! Must not know what scopes mean.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use http::header;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::call::{Head, Identity, Inspect, Inspection};

/// The key file's name in the server's folder.
pub const FILE: &str = "keys.json";

/// What keys begin with, so that leaked ones can be found.
const PREFIX: &str = "rb_";

/// The bearer keys of a server.
///
/// A key file lists each key's hash, whose it is and what it permits; `rulebook keys add` makes one:
///
/// ```
/// use rulebook::{Keys, Rulebook};
///
/// # fn main() -> Result<(), rulebook::KeyError> {
/// let keys = Keys::load("data/keys.json".as_ref())?;
/// let rulebook = Rulebook::load("api").inspect(keys);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Keys {
    by_hash: HashMap<[u8; 32], Identity>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("keys", &self.len()).finish()
    }
}

/// The key file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    keys: Vec<Entry>,
}

/// One key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// SHA-256 of the key in hexadecimal.
    hash: String,
    /// Whose it is.
    name: String,
    /// The permissions that it gives.
    #[serde(default)]
    scope: Vec<String>,
}

/// Why a key file cannot be used.
#[derive(Debug)]
pub enum KeyError {
    /// It cannot be read or written.
    Io(PathBuf, io::Error),
    /// It is not a key file.
    Format(PathBuf, String),
    /// No randomness is to be had.
    Random,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(f, "the key file {}: {error}", path.display()),
            Self::Format(path, why) => write!(f, "the key file {} is none: {why}", path.display()),
            Self::Random => f.write_str("the system gives no random bytes"),
        }
    }
}

impl std::error::Error for KeyError {}

impl Keys {
    /// The keys of a file; none where there is no such file.
    ///
    /// # Errors
    /// It cannot be read, or is not a key file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let mut by_hash = HashMap::new();
        for entry in read(path)?.keys {
            let faulty = |what| KeyError::Format(path.to_owned(), format!("the hash of {:?} {what}", entry.name));
            let hash = decode(&entry.hash).ok_or_else(|| faulty("is no SHA-256 in hexadecimal"))?;
            if by_hash.contains_key(&hash) {
                return Err(faulty("stands twice"));
            }
            by_hash.insert(hash, Identity::new(&entry.name, entry.scope));
        }
        Ok(Self { by_hash })
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.len()
    }
}

/// Makes a key, adds its hash to the file, and gives the key: it is kept nowhere else.
///
/// # Errors
/// The file cannot be read or replaced, or is not a key file.
pub fn add(path: &Path, name: &str, scope: Vec<String>) -> Result<String, KeyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |error| KeyError::Io(path.to_owned(), error);
    // Whoever else adds a key waits, so that neither is lost.
    let lock = fs::create_dir_all(folder).and_then(|()| fs::File::open(folder)).map_err(io)?;
    lock.lock().map_err(io)?;
    let mut file = read(path)?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| KeyError::Random)?;
    let key = format!("{PREFIX}{}", hex::encode(secret));
    file.keys.push(Entry { hash: hex::encode(Sha256::digest(&key)), name: name.to_owned(), scope });
    replace(path, folder, &file).and_then(|()| lock.sync_all()).map_err(io)?;
    Ok(key)
}

fn read(path: &Path) -> Result<File, KeyError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(KeyError::Io(path.to_owned(), error)),
    };
    serde_json::from_slice(&text).map_err(|error| {
        // serde_json's own words may quote a value, and somebody may have put a key where its hash belongs.
        let (line, column) = (error.line(), error.column());
        let why = format!("expected {SHAPE}, at line {line}, column {column}");
        KeyError::Format(path.to_owned(), why)
    })
}

/// What a key file looks like.
const SHAPE: &str = r#"{"keys": [{"hash": …, "name": …, "scope": […]}]}"#;

/// Replaces the file as a whole: a crash leaves the old one or the new one.
fn replace(path: &Path, folder: &Path, file: &File) -> io::Result<()> {
    // A temporary file can be read by its owner only, and so can what it becomes.
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut temporary, file)?;
    temporary.write_all(b"\n")?;
    temporary.as_file().sync_all()?;
    temporary.persist(path)?;
    Ok(())
}

fn decode(hash: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(hash, &mut bytes).ok()?;
    Some(bytes)
}

impl Inspect for Keys {
    fn inspect<'a>(&'a self, head: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        Box::pin(std::future::ready(self.look_up(head)))
    }
}

impl Keys {
    fn look_up(&self, head: &Head) -> Inspection {
        let mut fields = head.headers.iter().filter(|(name, _)| name == header::AUTHORIZATION);
        let Some((_, value)) = fields.next() else { return Inspection::Nobody };
        if fields.next().is_some() {
            return Inspection::Invalid("more than one Authorization field".to_owned());
        }
        let Some((scheme, key)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
            return Inspection::Invalid("an Authorization field without scheme and key".to_owned());
        };
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Inspection::Invalid("an Authorization field of another scheme than Bearer".to_owned());
        }
        match self.by_hash.get(&<[u8; 32]>::from(Sha256::digest(key.trim_ascii()))) {
            Some(identity) => Inspection::Identity(identity.clone()),
            None => Inspection::Invalid("an unknown key".to_owned()),
        }
    }
}
