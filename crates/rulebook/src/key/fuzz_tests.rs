//! Fuzz target of the format of keys.

use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::token::{self, SECRET_BYTES};

/// An accepted text is exactly the key that is formatted from its parts. Each text determines a key that is accepted.
fn check_key(text: &[u8]) {
    if let Ok(text) = std::str::from_utf8(text)
        && let Ok(parts) = token::parse(text)
    {
        assert_eq!(token::format_key(parts.id, parts.secret), text);
    }
    let mut secret = [0; SECRET_BYTES];
    secret.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    let (id, secret) = (token::format_id(text.len() as u32), token::format_secret(&secret));
    let key = token::format_key(&id, &secret);
    let parts = token::parse(&key).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!((parts.id, parts.secret), (&*id, &*secret));
}

#[test]
fn fuzz_key() {
    const TOKENS: &[&str] = &["rb_", "_", "0", "f", "F", "z", "00000001", "é", " ", "-"];
    let inputs = Inputs::check_corpus("key", TOKENS, check_key);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_key));
}
