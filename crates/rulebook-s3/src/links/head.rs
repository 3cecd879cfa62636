//! The object that makes a link valid.

use serde::{Deserialize, Serialize};

/// The head of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The time at which the link expires, in seconds since the Unix epoch. It is in the key of the object too.
    pub(crate) expires: u64,
    /// The length of the content in bytes.
    pub(crate) length: u64,
    /// The number of downloads that are left; `None` if it is not limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) uses: Option<u32>,
    /// A random text that the server has chosen that has counted the last download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<String>,
    /// The header fields of the response. Each character is a byte.
    fields: String,
}

impl Head {
    pub(crate) fn new(expires: u64, length: u64, uses: Option<u32>, fields: &[u8]) -> Self {
        let fields = fields.iter().copied().map(char::from).collect();
        Self { expires, length, uses, claim: None, fields }
    }

    /// Returns the head after a download has been counted.
    pub(crate) fn claimed(&self, left: u32, claim: &str) -> Self {
        Self { uses: Some(left), claim: Some(claim.to_owned()), ..self.clone() }
    }

    /// Returns the header fields of the response.
    pub(crate) fn fields(&self) -> Vec<u8> {
        // Another program may have written other characters, which the server rejects.
        self.fields.chars().map(|character| u8::try_from(character).unwrap_or_default()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn all_bytes_of_header_fields_are_stored() {
        let fields: Vec<u8> = (0..=255).collect();
        let text = serde_json::to_string(&Head::new(1, 2, None, &fields)).unwrap_or_default();
        let head: Head = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(head.fields(), fields);
    }
}
