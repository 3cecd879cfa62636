//! Reads the header field `Idempotency-Key`.

use http::HeaderName;
use rulebook_model::limits::IDEMPOTENCY_KEY_LENGTH;
use rulebook_model::model::Idempotency;

use crate::call::{ApiError, ErrorKind, Head, MalformedRequest};
use crate::error::ErrorCode;

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
