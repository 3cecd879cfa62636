//! The hashes of passwords: argon2 and bcrypt.

use argon2::{Argon2, Params, PasswordHash, PasswordVerifier};

/// The maximum cost of a bcrypt hash. Each further step doubles the time; this one needs a few seconds.
const MAX_BCRYPT_COST: u32 = 16;
/// The maximum memory of an argon2 hash in KiB.
const MAX_ARGON2_MEMORY: u32 = 256 << 10;
/// The maximum number of passes of an argon2 hash over its memory.
const MAX_ARGON2_PASSES: u32 = 16;

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
