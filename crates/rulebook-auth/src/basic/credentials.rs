//! The name and the password in the header field `Authorization`.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rulebook::Head;
use rulebook::http::HeaderValue;

/// Decodes base64 with or without padding: some clients omit it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// The maximum length of a credential in bytes, before it is decoded.
const MAX_LEN: usize = 2048;

/// A name and a password.
pub struct Credentials {
    pub name: String,
    pub password: String,
}

/// Returns the credential of the scheme Basic as it was sent; `None` if the request has none.
///
/// # Errors
/// Fails if the header field is malformed or repeated. The error is a message for the log.
pub fn basic_credential(head: &Head) -> Result<Option<&str>, &'static str> {
    let mut fields = head.header_values("authorization");
    let Some(first) = fields.next() else { return Ok(None) };
    if let Some(second) = fields.next() {
        let is_any_basic = [first, second].into_iter().chain(fields).any(is_basic);
        return if is_any_basic { Err("the header field Authorization is repeated") } else { Ok(None) };
    }
    if !is_basic(first) {
        return Ok(None);
    }
    let credential = first.to_str().ok().and_then(|text| Some(text.trim().split_once(' ')?.1.trim_start()));
    credential
        .filter(|credential| credential.len() <= MAX_LEN)
        .map(Some)
        .ok_or("the header field Authorization is malformed")
}

/// Returns `true` if the value of `Authorization` has the scheme Basic. Names of schemes are case-insensitive.
fn is_basic(value: &HeaderValue) -> bool {
    let scheme = value.as_bytes().trim_ascii().split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Basic"))
}

impl Credentials {
    /// Decodes a credential: the name and the password, separated by a colon (RFC 7617 section 2).
    pub fn decode(credential: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64.decode(credential).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        let is_valid = !name.is_empty() && !text.contains(char::is_control);
        is_valid.then(|| Self { name: name.to_owned(), password: password.to_owned() })
    }
}
