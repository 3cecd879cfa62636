//! The head of a response in the format of CGI (RFC 3875 section 6): header fields, and an empty line.

use crate::call_error::CallError;

/// The maximum length of the head in bytes.
const MAX_LEN: usize = 32 << 10;
/// The maximum number of header fields.
const MAX_FIELDS: usize = 100;

/// The head of a response.
#[derive(Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The HTTP status; 200 if the script sets none.
    pub status: u16,
    /// The header fields, with names in lower case.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl ResponseHead {
    /// Parses the head at the beginning of a response. Returns it with its length, or `None` if it is incomplete.
    /// Fails if the response has no valid head, or a head that is too long.
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, CallError> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let invalid = |reason: &str| CallError::Response(format!("the head of the response is not valid: {reason}"));
        match httparse::parse_headers(bytes, &mut fields) {
            Ok(httparse::Status::Partial) if bytes.len() > MAX_LEN => Err(invalid("it is too long")),
            Ok(httparse::Status::Partial) => Ok(None),
            Ok(httparse::Status::Complete((len, fields))) => {
                let fields = fields.iter().map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()));
                let mut head = Self { status: 200, fields: fields.collect() };
                if let Some(status) = head.field("status") {
                    let number = status.split(' ').next().and_then(|number| number.parse().ok());
                    let number = number.filter(|number| (100..=599).contains(number));
                    head.status = number.ok_or_else(|| invalid("its status is not a number from 100 to 599"))?;
                }
                Ok(Some((head, len)))
            }
            Err(error) => Err(invalid(&error.to_string())),
        }
    }

    /// Returns the value of the first header field with this name in lower case, if the value is a text.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        std::str::from_utf8(value).ok()
    }

    /// Returns `true` if the status means success.
    pub fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }

    /// Returns `true` if the media type of the body is JSON.
    pub fn is_json(&self) -> bool {
        let media_type = self.field("content-type").and_then(|value| value.split(';').next());
        media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
    }
}
