//! Tests of the authenticator for bearer keys.

use std::panic::AssertUnwindSafe;

use http::HeaderValue;
use rulebook::key::Keys;
use rulebook::{AuthScheme, Authenticate, Authentication};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};
use tempfile::TempDir;

use super::{add_key, authenticate, authenticate_key, key_id, key_secret};

#[test]
fn tokens_that_are_not_valid_keys_are_rejected_with_a_reason_without_secrets() {
    let folder = TempDir::new().unwrap();
    let valid = add_key(folder.path(), &["--name", "ada", "--scope", "a"]);
    let other = add_key(TempDir::new().unwrap().path(), &["--name", "bo"]);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    authenticate_key(&keys, &valid).unwrap();
    authenticate_key(&keys, &format!("  {valid} ")).unwrap();
    let cases: &[&[&str]] = &[
        &["Bearer OTHER"],
        &["Bearer VALIDx"],
        &["Bearer VALID VALID"],
        &["Bearer"],
        &["Bearer "],
        &["bearer x"],
        &["Bearer \u{e9}"],
        &["Bearer VALID", "Bearer VALID"],
        &["Bearer VALID", "Basic x"],
        &["Basic x", "Bearer VALID"],
    ];
    for fields in cases {
        let fields = fields.iter().map(|field| field.replace("VALID", &valid).replace("OTHER", &other).into_bytes());
        let fields: Vec<_> = fields.collect();
        let fields: Vec<_> = fields.iter().map(Vec::as_slice).collect();
        let shown = fields.iter().map(|field| field.escape_ascii().to_string()).collect::<Vec<_>>().join("; ");
        let Authentication::Invalid(why) = authenticate(&keys, &fields) else { panic!("{shown} is not refused") };
        for part in ["rb_", key_secret(&valid).0, key_id(&valid), key_secret(&other).0, key_id(&other)] {
            assert!(!why.contains(part), "{shown}: {why}");
        }
    }
    assert_eq!(keys.schemes(), [AuthScheme::bearer()]);
}

#[test]
fn credentials_of_other_schemes_are_left_to_other_authenticators() {
    let folder = TempDir::new().unwrap();
    let key = add_key(folder.path(), &["--name", "ada"]);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    let basic = format!("Basic {key}");
    for fields in [&[][..], &[""], &[&key], &["Basic YTpi"], &[&basic], &["Bearerx y"], &["Basic a", "Basic b"]] {
        let fields: Vec<_> = fields.iter().map(|field| field.as_bytes()).collect();
        assert!(matches!(authenticate(&keys, &fields), Authentication::Anonymous), "{fields:?}");
    }
}

#[test]
fn mistyped_keys_and_unknown_keys_are_rejected_for_different_reasons() {
    let folder = TempDir::new().unwrap();
    let key = add_key(folder.path(), &["--name", "ada"]);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    let checksum = "the key is mistyped or truncated: its checksum is wrong";
    for (place, old) in key.char_indices().skip(12) {
        let new = if old == '0' { "1" } else { "0" };
        let mut mistyped = key.clone();
        mistyped.replace_range(place..=place, new);
        assert_eq!(authenticate_key(&keys, &mistyped).as_ref().map_err(String::as_str), Err(checksum), "{mistyped}");
    }
    let id_of = if key_id(&key).starts_with('0') { "1" } else { "0" };
    let cases = [
        (format!("rb_{id_of}{}", &key[4..]), checksum),
        (key.to_lowercase(), checksum),
        (key[..71].to_owned(), "the token is not a key"),
        (format!("{key}0"), "the token is not a key"),
        (key.replace("rb_", "RB_"), "the token is not a key"),
        (key.replacen('_', "-", 1), "the token is not a key"),
        ("rb_".to_owned(), "the token is not a key"),
        ("x".repeat(72), "the token is not a key"),
        ("\u{1F600}".repeat(18), "the header field Authorization is malformed or repeated"),
        (format!("rb_{}", "0a".repeat(32)), "the key has the format of an earlier version and has to be replaced"),
    ];
    for (key, expected) in cases {
        assert_eq!(authenticate_key(&keys, &key).as_ref().map_err(String::as_str), Err(expected), "{key}");
    }
}

#[test]
fn a_secret_is_valid_only_with_its_own_id() {
    let folder = TempDir::new().unwrap();
    let [first, second] = ["ada", "bo"].map(|name| add_key(folder.path(), &["--name", name]));
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    let crossed = format!("rb_{}_{}", key_id(&first), key_secret(&second).0);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let sum = crc32fast::hash(crossed.as_bytes()) as usize;
    let sum: String = (0..6).rev().map(|place| char::from(digits[sum / 62_usize.pow(place) % 62])).collect();
    assert_eq!(authenticate_key(&keys, &(crossed + &sum)), Err("the key is unknown".to_owned()));
}

/// A text that has the format of a key has another checksum if its last character is another one.
fn check_key(keys: &Keys, text: &[u8]) {
    let Some(text) = std::str::from_utf8(text).ok().filter(|text| HeaderValue::from_str(text).is_ok()) else { return };
    if authenticate_key_or_none(keys, text).as_deref() == Some("the key is unknown") {
        let (rest, last) = text.trim_end().split_at(text.trim_end().len() - 1);
        let changed = format!("{rest}{}", if last == "0" { "1" } else { "0" });
        let why = authenticate_key_or_none(keys, &changed);
        assert!(why.is_some_and(|why| why.contains("checksum")), "{changed}");
    }
}

/// Returns the reason why a token is not accepted; `None` if there is no token.
fn authenticate_key_or_none(keys: &Keys, token: &str) -> Option<String> {
    match authenticate(keys, &[format!("Bearer {token}").as_bytes()]) {
        Authentication::Invalid(why) => Some(why),
        Authentication::Anonymous => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fuzz_key() {
    const TOKENS: &[&str] = &["rb_", "_", "0", "f", "F", "z", "00000001", "é", " ", "-"];
    let folder = TempDir::new().unwrap();
    let keys = Keys::load(&folder.path().join("keys.json")).unwrap();
    let property = |text: &[u8]| check_key(&keys, text);
    let inputs = Inputs::check_corpus("key", TOKENS, property);
    let property = AssertUnwindSafe(property);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, *property));
}
