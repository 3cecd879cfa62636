//! Whose a request's key is.

use rulebook::{Inspect, Inspection, Keys};
use tempfile::TempDir;

use super::{add, id, inspect, judge, secret};

#[test]
fn what_is_no_known_key_is_invalid_and_never_repeated() {
    let folder = TempDir::new().unwrap();
    let right = add(folder.path(), &["--name", "ada", "--scope", "a"]);
    let other = add(TempDir::new().unwrap().path(), &["--name", "bo"]);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    assert!(matches!(inspect(&keys, &[]), Inspection::Nobody));
    judge(&keys, &right).unwrap();
    judge(&keys, &format!("  {right} ")).unwrap();
    let shown = |text: &str| text.replace("RIGHT", &right).replace("OTHER", &other);
    let cases: &[&[&str]] = &[
        &["Bearer OTHER"],
        &["Bearer RIGHTx"],
        &["Bearer RIGHT RIGHT"],
        &["Bearer"],
        &["Bearer "],
        &[""],
        &["RIGHT"],
        &["Basic RIGHT"],
        &["Bearer \u{e9}"],
        &["Bearer RIGHT", "Bearer RIGHT"],
        &["Bearer RIGHT", "Basic x"],
    ];
    for fields in cases {
        let fields: Vec<_> = fields.iter().map(|field| shown(field).into_bytes()).collect();
        let fields: Vec<_> = fields.iter().map(Vec::as_slice).collect();
        let told = fields.iter().map(|field| field.escape_ascii().to_string()).collect::<Vec<_>>().join("; ");
        let Inspection::Invalid(why) = inspect(&keys, &fields) else { panic!("{told} is not refused") };
        for part in ["rb_", secret(&right).0, id(&right), secret(&other).0, id(&other)] {
            assert!(!why.contains(part), "{told}: {why}");
        }
    }
    assert_eq!(keys.challenge(), "Bearer");
}

#[test]
fn a_mistyped_key_is_told_from_an_unknown_one() {
    let folder = TempDir::new().unwrap();
    let key = add(folder.path(), &["--name", "ada"]);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    let checksum = "a key that is mistyped or cut off: its checksum is another one";
    for (place, old) in key.char_indices().skip(12) {
        let new = if old == '0' { "1" } else { "0" };
        let mut mistyped = key.clone();
        mistyped.replace_range(place..=place, new);
        assert_eq!(judge(&keys, &mistyped).as_ref().map_err(String::as_str), Err(checksum), "{mistyped}");
    }
    let id_of = if id(&key).starts_with('0') { "1" } else { "0" };
    let cases = [
        (format!("rb_{id_of}{}", &key[4..]), checksum),
        (key.to_lowercase(), checksum),
        (key[..71].to_owned(), "what is no key"),
        (format!("{key}0"), "what is no key"),
        (key.replace("rb_", "RB_"), "what is no key"),
        (key.replacen('_', "-", 1), "what is no key"),
        ("rb_".to_owned(), "what is no key"),
        ("x".repeat(72), "what is no key"),
        ("\u{1F600}".repeat(18), "an Authorization field without scheme and key"),
        (format!("rb_{}", "0a".repeat(32)), "a key of an earlier version, which has to be made anew"),
    ];
    for (key, expected) in cases {
        assert_eq!(judge(&keys, &key).as_ref().map_err(String::as_str), Err(expected), "{key}");
    }
}

#[test]
fn a_secret_is_good_for_its_own_id_alone() {
    let folder = TempDir::new().unwrap();
    let [first, second] = ["ada", "bo"].map(|name| add(folder.path(), &["--name", name]));
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    let crossed = format!("rb_{}_{}", id(&first), secret(&second).0);
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let sum = crc32fast::hash(crossed.as_bytes()) as usize;
    let sum: String = (0..6).rev().map(|place| char::from(digits[sum / 62_usize.pow(place) % 62])).collect();
    assert_eq!(judge(&keys, &(crossed + &sum)), Err("an unknown key".to_owned()));
}
