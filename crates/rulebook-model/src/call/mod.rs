//! The arguments and outputs of a call, and the errors that can end a call. A call runs a method of the API, for an
//! HTTP request or from code. This Rust module contains data only and must not depend on HTTP requests.

mod api_error;
mod auth_scheme;
mod message;
mod parameter_error;
mod php_array;
mod upload;
mod value;

use std::borrow::Cow;
use std::fmt;

use http::header::{self, HeaderName};

pub use api_error::{AllowedMethods, ApiError, ErrorKind, Limit, MalformedRequest, ServiceNameError, Unit};
pub use auth_scheme::AuthScheme;
pub use parameter_error::{
    CustomError, Measure, Measured, ParameterError, ParameterErrorKind, Source, TypeMismatch, TypeMismatchDetails,
    Violation, shorten_text,
};
pub use php_array::{BracketKeys, PhpArray, PhpArrayError, PhpArrayLimits, PhpItem, PhpKey, split_array_name};
pub use upload::{TemporaryFiles, Upload, UploadContent};
pub use value::{Encode, JsonLimits, JsonValueSeed, MemberCollector, Value, collect_members, value_from_json};

/// An HTTP method that a service of an API can have (RFC 9110 section 9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpMethod {
    /// GET. The server responds to HEAD requests with the same method.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
    /// PATCH.
    Patch,
}

impl HttpMethod {
    /// All HTTP methods, in the order in which documents list them.
    pub const ALL: [Self; 5] = [Self::Get, Self::Post, Self::Put, Self::Delete, Self::Patch];

    /// Returns the HTTP method with this name, such as `GET`, or `None` for another name. Names are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|http| http.as_str() == name)
    }

    /// Returns the name of the HTTP method in upper case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

/// The words that cannot be the name of a variable in a script, in ECMAScript 2025 section 12.7.2.
const RESERVED_WORDS: &str = "await break case catch class const continue debugger default delete do else enum export \
                              extends false finally for function if import in instanceof new null return super switch \
                              this throw true try typeof var void while with yield";

/// The name of the JavaScript function that a JSONP response calls: identifiers of ASCII letters, digits, `_` and `$`,
/// joined by dots. The first one is no reserved word.
///
/// The name is the only part of a request that becomes code in a response, so any text that is not a valid function
/// name is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback<'h>(Cow<'h, str>);

impl<'h> Callback<'h> {
    /// The name of the query parameter that contains the function name.
    pub const PARAMETER: &'static str = "callback";
    /// The maximum length of a function name in bytes.
    pub const MAX_LEN: usize = 64;
    /// A regular expression that matches valid function names. It also matches the empty text, because a request with
    /// an empty `callback` gets a response without JSONP.
    pub const PATTERN: &'static str = r"^([A-Za-z_$][0-9A-Za-z_$]*(\.[A-Za-z_$][0-9A-Za-z_$]*)*)?$";

    /// Returns `None` if `name` is not a valid function name.
    #[must_use]
    pub fn new(name: Cow<'h, str>) -> Option<Self> {
        let first = name.split('.').next().unwrap_or_default();
        let is_reserved = RESERVED_WORDS.split(' ').any(|word| word == first);
        let is_valid = name.len() <= Self::MAX_LEN && !is_reserved && name.split('.').all(is_identifier);
        is_valid.then_some(Self(name))
    }

    /// Returns the function name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_identifier(part: &str) -> bool {
    let continues = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    part.bytes().all(continues) && part.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// The reserved header fields: they describe how the body is encoded and sent, or contain the id of the request.
const RESERVED_HEADERS: [HeaderName; 13] = [
    header::ALLOW,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::X_CONTENT_TYPE_OPTIONS,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("x-request-id"),
];

/// The prefixes of further reserved header fields, such as the header fields of CORS (`cors` in `app.json`).
const RESERVED_PREFIXES: [&str; 2] = ["access-control-", "proxy-"];

/// Returns `true` if only the engine sets the header field with this name, and neither handlers nor outputs do.
#[must_use]
pub fn is_reserved_header(name: &HeaderName) -> bool {
    RESERVED_HEADERS.contains(name) || RESERVED_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
}

/// The parts of names of secret values. Separators such as `_` are removed from a name before it is searched for them.
const SECRET_PARTS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "sessionid",
];

/// The words of names of secret values that are also parts of other words, such as `pin` of `shipping`. A word of a
/// name can have an `s` at its end.
const SECRET_WORDS: [&str; 15] = [
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "credential",
    "cvc",
    "cvv",
    "jwt",
    "otp",
    "pass",
    "passkey",
    "pin",
    "pwd",
    "session",
    "totp",
];

/// Returns `true` if a parameter or member with this name probably has a secret value, such as a password. Error
/// messages never quote secret values. The words of a name are separated by other characters than letters, or by a
/// change to an upper-case letter.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let letters: String = name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let is_secret = |word: &str| SECRET_WORDS.iter().any(|secret| is_word(word, secret));
    SECRET_PARTS.iter().any(|part| letters.contains(part)) || words(name).any(is_secret)
}

/// Returns the parts and the words of names of secret values, as two regular expressions, with which the form of a
/// method finds such names in the same way as [`is_secret_name`].
#[cfg(feature = "documents")]
pub(crate) fn secret_name_patterns() -> [String; 2] {
    [SECRET_PARTS.join("|"), SECRET_WORDS.join("|")]
}

fn is_word(word: &str, known: &str) -> bool {
    let singular = word.strip_suffix(['s', 'S']).unwrap_or(word);
    word.eq_ignore_ascii_case(known) || singular.eq_ignore_ascii_case(known)
}

/// Returns the words of a name: `user`, `PIN` and `Code` of `userPINCode_2`.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|char: char| !char.is_alphabetic()).flat_map(|run| {
        let mut rest = run;
        std::iter::from_fn(move || {
            let word = &rest[..word_end(rest)?];
            rest = &rest[word.len()..];
            Some(word)
        })
    })
}

/// Returns where the first word of a text of letters ends; `None` if the text is empty.
fn word_end(letters: &str) -> Option<usize> {
    let mut previous_is_lower = false;
    let mut chars = letters.char_indices().peekable();
    chars.peek()?;
    while let Some((at, char)) = chars.next() {
        // The last upper-case letter of several ones begins the word of the lower-case letters after it.
        let is_upper = char.is_uppercase();
        let begins_word = previous_is_lower || chars.peek().is_some_and(|(_, next)| next.is_lowercase());
        if at > 0 && is_upper && begins_word {
            return Some(at);
        }
        previous_is_lower = !is_upper;
    }
    Some(letters.len())
}
