//! Fuzz targets of the parser of queries and urlencoded bodies.

use form_urlencoded::byte_serialize;
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::urlencoded::{decode_text, split_fields};

/// The fields are those that the crate `form_urlencoded` finds. It replaces invalid UTF-8, which is an error here.
fn check_fields(text: &[u8]) {
    let ours: Vec<_> = split_fields(text).map(|(name, value)| (decode_text(name), decode_text(value))).collect();
    let theirs: Vec<_> = form_urlencoded::parse(text).collect();
    assert_eq!(ours.len(), theirs.len());
    for ((name, value), (expected_name, expected_value)) in ours.iter().zip(&theirs) {
        for (decoded, expected) in [(name, expected_name), (value, expected_value)] {
            match decoded {
                Some(decoded) => assert_eq!(decoded, expected),
                None => assert!(expected.contains('\u{FFFD}'), "{expected:?} is valid"),
            }
        }
    }
    let encoded = format!("{}={}", byte_serialize(text).collect::<String>(), byte_serialize(text).collect::<String>());
    let fields: Vec<_> = split_fields(encoded.as_bytes()).collect();
    let [(name, value)] = fields[..] else { panic!("{encoded}") };
    let expected = std::str::from_utf8(text).ok();
    assert_eq!((decode_text(name).as_deref(), decode_text(value).as_deref()), (expected, expected));
}

#[test]
fn fuzz_urlencoded() {
    const TOKENS: &[&str] =
        &["a=b", "&", "=", "+", "%20", "%", "%2", "%zz", "%00", "%C3%A9", "%ff", "%26", "%3D", ";", "[]", "é", " "];
    let inputs = Inputs::check_corpus("urlencoded", TOKENS, check_fields);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_fields));
}
