//! The object that makes a link valid.

use serde::{Deserialize, Serialize};

/// A server that has not received the response to its write finds its claim unless more downloads have been counted
/// since.
const MAX_CLAIMS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The time at which the link expires, in seconds since the Unix epoch. It is in the key of the object too.
    pub(crate) expires: u64,
    /// The length of the content in bytes.
    pub(crate) length: u64,
    /// The number of downloads that are left; `None` if it is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uses: Option<u32>,
    /// Random texts, which the servers have chosen that have counted the last downloads; the last one is at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) claims: Vec<String>,
    /// The header fields of the response. Each character is a byte.
    fields: String,
}

impl Head {
    pub(crate) fn new(expires: u64, length: u64, uses: Option<u32>, fields: &[u8]) -> Self {
        let fields = fields.iter().copied().map(char::from).collect();
        Self { expires, length, uses, claims: Vec::new(), fields }
    }

    /// Returns the head after a download has been counted.
    pub(crate) fn claimed(&self, left: u32, claim: &str) -> Self {
        let forgotten = (self.claims.len() + 1).saturating_sub(MAX_CLAIMS);
        let claims = self.claims[forgotten..].iter().cloned().chain([claim.to_owned()]).collect();
        Self { uses: Some(left), claims, ..self.clone() }
    }

    /// Returns the header fields of the response.
    pub(crate) fn fields(&self) -> Vec<u8> {
        // Another program may have written other characters, which the server rejects.
        self.fields.chars().map(|character| u8::try_from(character).unwrap_or_default()).collect()
    }
}
