//! The catalogue of texts: complete, each text used, each with its data.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rulebook::Refusal;
use rulebook::call::{Allowed, Broken, Fault, FaultKind, Http, Limit, Measure, NameFlaw, Reason, Source, Unreadable};
use rulebook::error::codes;
use rulebook::error::texts::{Catalogue, CatalogueName, Flaw, TABLE};
use serde_json::{Map, Value, json};

fn file() -> Value {
    serde_json::from_str(Catalogue::ENGLISH).unwrap()
}

#[test]
fn the_english_catalogue_is_complete_and_tells_all_data() {
    Catalogue::read(Catalogue::ENGLISH).unwrap();
    let file = file();
    for row in TABLE {
        let words = match file["texts"].get(row.key) {
            None if row.optional => continue,
            words => words.unwrap().as_str().unwrap(),
        };
        for place in row.places {
            assert!(words.contains(&format!("{{{place}}}")), "`{}` does not tell {place}", row.key);
        }
    }
}

#[test]
fn the_catalogues_to_choose_from_are_complete() {
    for name in CatalogueName::ALL {
        let read = Catalogue::read(name.file()).unwrap_or_else(|flaws| panic!("{}: {flaws:?}", name.as_str()));
        for row in TABLE {
            assert!(read.has(row.text), "{} has no `{}`", name.as_str(), row.key);
            assert!(name.catalogue().has(row.text));
        }
        assert!(TABLE.iter().all(|row| row.optional != Catalogue::english().has(row.text)));
        // Words of a fault name the parameter, and no braces are left.
        for refusal in refusals() {
            let words = refusal.words(name.catalogue()).to_string();
            assert!(!words.is_empty() && !words.contains(['{', '}']), "{}: {words}", name.as_str());
            assert!(refusal.faults().is_empty() || words.contains('p'), "{}: {words}", name.as_str());
        }
    }
}

#[test]
fn the_table_is_in_order_and_its_keys_are_unique() {
    let mut keys = BTreeSet::new();
    for (index, row) in TABLE.iter().enumerate() {
        assert_eq!(row.text as usize, index, "{}", row.key);
        assert!(keys.insert(row.key), "{} stands twice", row.key);
        assert_eq!(row.places.iter().collect::<BTreeSet<_>>().len(), row.places.len(), "{}", row.key);
    }
    for row in codes::TABLE {
        assert_eq!(file()["titles"][row.name], row.code.title(), "{}", row.name);
    }
}

#[test]
fn what_is_wrong_with_a_catalogue_is_told() {
    let flaws = |from: &str, to: &str| {
        assert!(Catalogue::ENGLISH.contains(from), "{from}");
        Catalogue::read(&Catalogue::ENGLISH.replacen(from, to, 1)).unwrap_err()
    };
    let timeout = "\"timeout\": \"the body";
    let place = |name: &str| Flaw::Place { key: "timeout", name: name.to_owned() };
    let cases = [
        (timeout, "\"timeuot\": \"the body", vec![Flaw::Missing("timeout"), Flaw::Unknown("timeuot".to_owned())]),
        (timeout, "\"timeout\": \"\", \"timeout\": \"the body", vec![Flaw::Twice("timeout".to_owned())]),
        (timeout, "\"timeout\": \"{id} the body", vec![place("id")]),
        (timeout, "\"timeout\": \"{} the body", vec![place("")]),
        (timeout, "\"timeout\": \"{ the body", vec![Flaw::Brace("timeout")]),
        (timeout, "\"timeout\": \"} the body", vec![Flaw::Brace("timeout")]),
        ("\"failed\": \"it failed\",", "", vec![Flaw::Missing("failed")]),
        (
            "\"texts\": {",
            "\"texts\": { \"pattern\": \"{id}\",",
            vec![Flaw::Place { key: "pattern", name: "id".to_owned() }],
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(flaws(from, to), expected, "{to}");
        assert!(expected.iter().all(|flaw| flaw.to_string().contains('`')));
    }
    for broken in ["", "[]", "{}", r#"{"titles": {}, "texts": {}, "more": {}}"#, r#"{"titles": {}, "texts": {"a": 1}}"#]
    {
        let flaws = Catalogue::read(broken).unwrap_err();
        assert!(matches!(&flaws[..], [Flaw::Syntax(_)]), "{broken}: {flaws:?}");
    }
}

/// Refusals whose words together are made of every text.
fn refusals() -> Vec<Refusal> {
    let similar = vec!["/article".to_owned(), "/user".to_owned()];
    let fault = |kind, source, got: Option<&str>| Fault {
        kind,
        parameter: "p".to_owned(),
        source,
        expected: Cow::Borrowed("a number"),
        got: got.map(str::to_owned),
        message: None,
        broken: None,
    };
    let mut reasons = vec![
        Reason::UnknownService { similar: Vec::new() },
        Reason::UnknownService { similar },
        Reason::Misnamed { name: "a.b".to_owned(), parts: 2, flaw: NameFlaw::Unknown },
        Reason::Misnamed { name: "a".to_owned(), parts: 1, flaw: NameFlaw::Incomplete },
        Reason::Misnamed { name: ".".to_owned(), parts: 3, flaw: NameFlaw::Illegal },
        Reason::UnknownMethod { allowed: Allowed(vec![Http::Get]) },
        Reason::Unauthenticated { invalid: false, challenge: String::new() },
        Reason::Unauthenticated { invalid: true, challenge: String::new() },
        Reason::Forbidden { missing: vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]] },
        Reason::UnsupportedMediaType { got: "text/csv".to_owned(), accepted: &["a/b", "c/d"] },
        Reason::Gone,
        Reason::InvalidLink,
        Reason::Upload,
        Reason::NoRoom,
        Reason::TooManyRequests { retry_after: 3 },
        Reason::Timeout,
        Reason::ExpectationFailed,
        Reason::NotImplemented { id: "x.get".to_owned() },
        Reason::Unavailable,
        Reason::Internal { request_id: String::new() },
        Reason::Internal { request_id: "0".to_owned() },
        Reason::Parameters { faults: Vec::new(), truncated: false },
        Reason::TooLarge { limit: Limit::body(1), parameter: None },
        Reason::TooLarge { limit: Limit::part(1), parameter: Some("p".to_owned()) },
    ];
    let faults = [
        fault(FaultKind::Missing, Source::Path, None),
        fault(FaultKind::Repeated, Source::Query, None),
        fault(FaultKind::Unknown, Source::Body, None),
        fault(FaultKind::Invalid, Source::Any, Some("1")),
        fault(FaultKind::Invalid, Source::Header, None),
        fault(FaultKind::Missing, Source::Cookie, None),
    ];
    reasons.extend(faults.map(|fault| Reason::Parameters { faults: vec![fault], truncated: false }));
    let measures = [Measure::Value, Measure::Length, Measure::Count, Measure::Size];
    let bounds = |measure| [0, 9].map(|got| Broken::bounds(measure, Some(1), Some(5), got));
    let mut broken: Vec<_> = measures.into_iter().flat_map(bounds).collect();
    broken.extend([
        Some(Broken::Words { words: "a/b".to_owned(), got: "c".to_owned() }),
        Some(Broken::Extensions("png".to_owned())),
        Some(Broken::Json),
        Some(Broken::Pattern),
    ]);
    reasons.extend(broken.into_iter().map(|broken| {
        let fault = Fault { broken: broken.map(Box::new), ..fault(FaultKind::Invalid, Source::Query, Some("1")) };
        Reason::Parameters { faults: vec![fault], truncated: false }
    }));
    let limits = [Limit::fields(1), Limit::parts(1), Limit::items(1), Limit::nesting(1)];
    reasons.extend(limits.map(|limit| Reason::TooLarge { limit, parameter: None }));
    let part = 1;
    let unreadable = [
        Unreadable::PathEscape,
        Unreadable::PathEncoding,
        Unreadable::BodyBroken,
        Unreadable::JsonEncoding { byte: 0 },
        Unreadable::JsonKind,
        Unreadable::JsonSyntax { line: 1, column: 1 },
        Unreadable::JsonEnd { line: 1, column: 1 },
        Unreadable::MultipartBoundary,
        Unreadable::MultipartStart { most: 1 },
        Unreadable::MultipartPart { part },
        Unreadable::MultipartHead { part },
        Unreadable::MultipartName { part },
        Unreadable::MultipartLongName { part, most: 1 },
        Unreadable::MultipartEnd { part },
    ];
    reasons.extend(unreadable.map(Reason::Unreadable));
    let redirect = Refusal::redirect("moved", "/p");
    reasons.into_iter().map(Refusal::new).chain([redirect]).collect()
}

/// What came and what was expected are words of values, which the check of a parameter makes.
const OF_VALUES: [&str; 8] =
    ["several-values", "no-text", "no-parameter", "callback", "as-me", "one-module", "one-part", "no-credential-taken"];

#[test]
fn every_text_is_said_and_none_but_by_the_catalogue() {
    // A catalogue that says nothing but which texts were used, and their data.
    let marked = |row: &rulebook::error::texts::Row| {
        let places: String = row.places.iter().map(|place| format!("[{{{place}}}]")).collect();
        (row.key.to_owned(), Value::from(format!("<{}>{places}", row.key)))
    };
    let texts: Map<_, _> = TABLE.iter().map(marked).collect();
    let catalogue = Catalogue::read(&json!({ "titles": file()["titles"], "texts": texts }).to_string()).unwrap();
    let mut said = BTreeSet::new();
    for refusal in refusals() {
        let words = refusal.words(&catalogue).to_string();
        assert!(words.starts_with('<'), "{words} is not of the catalogue");
        said.extend(words.split('<').filter_map(|part| Some(part.split_once('>')?.0.to_owned())));
        // Without marks: what anybody reads.
        let english = refusal.to_string();
        assert!(!english.is_empty() && !english.contains(['{', '}']), "{english}");
    }
    said.extend(OF_VALUES.map(str::to_owned));
    let all: BTreeSet<_> = TABLE.iter().map(|row| row.key.to_owned()).collect();
    assert_eq!(said, all);
}

#[test]
fn words_have_their_data_in_place() {
    let forbidden =
        Refusal::new(Reason::Forbidden { missing: vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]] });
    assert_eq!(forbidden.to_string(), "missing permission: a and b, or c");
    let unknown = Refusal::new(Reason::UnknownService { similar: vec!["/a".to_owned(), "/b".to_owned()] });
    assert_eq!(unknown.to_string(), "no service has this URI; did you mean /a or /b?");
    let large = Refusal::new(Reason::TooLarge { limit: Limit::items(9), parameter: Some("tags".to_owned()) });
    assert_eq!(large.to_string(), "tags: over the limit `items` of 9 items");
    let german = Catalogue::ENGLISH.replace("\" and \"", "\" und \"").replace("missing permission", "es fehlt");
    let german = Catalogue::read(&german).unwrap();
    assert_eq!(forbidden.words(&german).to_string(), "es fehlt: a und b, or c");
    // What a client sends is data, not a text.
    let braces = Refusal::new(Reason::UnknownService { similar: vec!["/{similar}".to_owned()] });
    assert_eq!(braces.to_string(), "no service has this URI; did you mean /{similar}?");
}
