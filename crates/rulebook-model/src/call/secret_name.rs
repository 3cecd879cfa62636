//! The names of parameters, members and header fields whose values are probably secret.

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
