//! A file with users: the format of `htpasswd` with hashes of argon2 and bcrypt, and with permissions as third field.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use argon2::{Argon2, Params, PasswordHash, PasswordVerifier};

use crate::template::{Template, name_claims};

/// The maximum size of the file in bytes.
const MAX_SIZE: u64 = 16 << 20;
/// The maximum cost of a bcrypt hash. Each further step doubles the time; this one needs a few seconds.
const MAX_BCRYPT_COST: u32 = 16;
/// The maximum memory of an argon2 hash in KiB.
const MAX_ARGON2_MEMORY: u32 = 256 << 10;
/// The maximum number of passes of an argon2 hash over its memory.
const MAX_ARGON2_PASSES: u32 = 16;
/// The maximum number of different costs of the hashes in a file, because a hash of each cost is computed for every
/// password.
const MAX_COSTS: usize = 8;

/// A file with users, as a definition names it.
pub struct UserFile {
    pub path: PathBuf,
    /// The templates of the permissions that every user of the file gets.
    pub templates: Vec<Template>,
    /// The namespace of the names of users.
    pub namespace: String,
}

/// A user in the file.
pub struct User {
    pub hash: StoredHash,
    pub permissions: Vec<String>,
}

/// The users in a file.
pub struct Users {
    pub by_name: HashMap<String, User>,
    /// A hash of each [cost](StoredHash::cost) in the file.
    pub hash_of_each_cost: Vec<StoredHash>,
    /// The namespace of the names of users.
    pub namespace: String,
    pub stamp: UserFileStamp,
}

/// What changes if a file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserFileStamp(Option<(SystemTime, u64)>);

impl UserFileStamp {
    pub fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).and_then(|data| Ok((data.modified()?, data.len()))).ok())
    }
}

impl UserFile {
    /// Reads the file.
    /// Fails if the file cannot be read or has an invalid line. The error is a message, which contains no hash.
    pub fn read(&self) -> Result<Users, String> {
        let error = |reason: &dyn std::fmt::Display| format!("{}: {reason}", self.path.display());
        let stamp = UserFileStamp::of(&self.path);
        if stamp.0.is_some_and(|(_, size)| size > MAX_SIZE) {
            return Err(error(&format_args!("the file is larger than {MAX_SIZE} bytes")));
        }
        let text = std::fs::read_to_string(&self.path).map_err(|reason| error(&reason))?;
        let mut by_name = HashMap::new();
        let mut hash_of_each_cost: Vec<StoredHash> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let in_line = |reason: &str| error(&format_args!("line {}: {reason}", index + 1));
            let (name, user) = parse_line(line, &self.templates).map_err(|reason| in_line(&reason))?;
            if hash_of_each_cost.iter().all(|known| known.cost() != user.hash.cost()) {
                if hash_of_each_cost.len() == MAX_COSTS {
                    return Err(in_line(&format!("the hashes have more than {MAX_COSTS} different costs")));
                }
                hash_of_each_cost.push(user.hash.clone());
            }
            if by_name.insert(name, user).is_some() {
                return Err(in_line("a user of this name is in the file already"));
            }
        }
        Ok(Users { by_name, hash_of_each_cost, namespace: self.namespace.clone(), stamp })
    }
}

/// Parses a line: a name, a hash, and optionally permissions, separated by colons.
fn parse_line(line: &str, templates: &[Template]) -> Result<(String, User), String> {
    let (name, rest) = line.split_once(':').ok_or("a line has the form `name:hash` or `name:hash:permissions`")?;
    let (hash, permissions) = rest.split_once(':').unwrap_or((rest, ""));
    if name.is_empty() || name.contains(char::is_control) {
        return Err("the name is not valid".to_owned());
    }
    let hash = StoredHash::parse(hash)?;
    let claims = name_claims(name);
    let listed = permissions.split([',', ' ']).filter(|permission| !permission.is_empty()).map(str::to_owned);
    let permissions = listed.chain(templates.iter().flat_map(|template| template.permissions(&claims))).collect();
    Ok((name.to_owned(), User { hash, permissions }))
}

/// The hash of a password, whose format has been checked.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredHash {
    Argon2(String),
    Bcrypt(String),
}

impl StoredHash {
    /// Checks the format of a hash.
    /// Fails if the hash has an unknown type, is malformed, or costs too much. The error is a message, which does not
    /// contain the hash.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("$argon2") {
            let hash = PasswordHash::new(text).map_err(|_| "the argon2 hash is malformed".to_owned())?;
            let params = Params::try_from(&hash).map_err(|_| "the argon2 hash is malformed".to_owned())?;
            if hash.hash.is_none() || hash.salt.is_none() {
                return Err("the argon2 hash is malformed".to_owned());
            }
            if params.m_cost() > MAX_ARGON2_MEMORY || params.t_cost() > MAX_ARGON2_PASSES {
                return Err(format!(
                    "the argon2 hash costs more than {MAX_ARGON2_MEMORY} KiB or {MAX_ARGON2_PASSES} passes"
                ));
            }
            return Ok(Self::Argon2(text.to_owned()));
        }
        if ["$2a$", "$2b$", "$2y$"].iter().any(|start| text.starts_with(start)) {
            let parts: bcrypt::HashParts = text.parse().map_err(|_| "the bcrypt hash is malformed".to_owned())?;
            if parts.get_cost() > MAX_BCRYPT_COST {
                return Err(format!("the cost of the bcrypt hash is more than {MAX_BCRYPT_COST}"));
            }
            return Ok(Self::Bcrypt(text.to_owned()));
        }
        Err("the hash is neither argon2 nor bcrypt".to_owned())
    }

    /// Returns the part of the hash that determines how long its computation takes: the parameters of argon2, or the
    /// cost of bcrypt.
    pub fn cost(&self) -> &str {
        match self {
            // The parts after these parameters are the salt and the hash.
            Self::Argon2(text) => text.rsplitn(3, '$').last().unwrap_or(text),
            // The versions of bcrypt, such as `$2y$`, take the same time.
            Self::Bcrypt(text) => text.get(4..6).unwrap_or(text),
        }
    }

    /// Returns `true` if a password has this hash. The hashes are compared in constant time. The call takes a long
    /// time.
    pub fn verify(&self, password: &str) -> bool {
        match self {
            Self::Argon2(text) => PasswordHash::new(text)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
            Self::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
        }
    }
}
