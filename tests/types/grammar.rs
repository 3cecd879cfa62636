//! The grammar of terms, and where in a term its faults are.

use proptest::prelude::*;
use rulebook::types::{TermErrorKind, TermText, Types};
use serde_json::Map;

use super::compile;

/// A term's faults as "kind at the part at fault".
fn faults(term: &str) -> Vec<String> {
    let errors = match compile(term, &Map::new()) {
        Ok(check) => return vec![format!("compiles to {}", check.written().term)],
        Err(errors) => errors,
    };
    let kind = |kind: &TermErrorKind| match kind {
        TermErrorKind::Empty => "empty".to_owned(),
        TermErrorKind::Syntax(_) => "syntax".to_owned(),
        TermErrorKind::Unknown(name) => format!("unknown {name}"),
        TermErrorKind::Argument(_) => "argument".to_owned(),
    };
    errors.iter().map(|error| format!("{} at {:?}", kind(&error.kind), &term[error.span.clone()])).collect()
}

#[test]
fn faults_are_told_where_they_are() {
    for (term, expected) in [
        ("", vec!["empty at \"\""]),
        ("?", vec!["empty at \"\""]),
        ("[]", vec!["empty at \"\""]),
        ("array<?>", vec!["empty at \"\""]),
        ("??int", vec!["syntax at \"?\""]),
        ("array<??int>", vec!["syntax at \"?\""]),
        (" int", vec!["syntax at \" \""]),
        ("int ", vec!["syntax at \" \""]),
        ("int!", vec!["syntax at \"!\""]),
        ("ïnt", vec!["syntax at \"ï\""]),
        ("4", vec!["syntax at \"4\""]),
        ("int>", vec!["syntax at \">\""]),
        ("int()", vec!["syntax at \"()\""]),
        ("array<>", vec!["syntax at \"<>\""]),
        ("int(1,5", vec!["syntax at \"(\""]),
        ("array<int)", vec!["syntax at \")\""]),
        ("int(1,5)x", vec!["syntax at \"x\""]),
        ("int(1,,5)", vec!["syntax at \",\""]),
        ("int(1,)", vec!["syntax at \",\""]),
        ("int(,1)", vec!["syntax at \"(\""]),
        ("int(1,  5)", vec!["syntax at \" \""]),
        ("int( 1,5)", vec!["syntax at \" \""]),
        ("int(1 ,5)", vec!["syntax at \" \""]),
        ("int (1,5)", vec!["syntax at \" \""]),
        ("int(1, 5)", vec!["compiles to int(1,5)"]),
        ("enum(a|b(c))", vec!["syntax at \"(\""]),
        ("Int", vec!["unknown Int at \"Int\""]),
        ("array<strin>", vec!["unknown strin at \"strin\""]),
        ("[]?strin", vec!["unknown strin at \"strin\""]),
        ("varchar(1,5,leters)", vec!["unknown leters at \"leters\""]),
        ("list<strin>", vec!["unknown list at \"list\"", "unknown strin at \"strin\""]),
        ("varchar(a b,5,x)", vec!["syntax at \" \"", "unknown x at \"x\""]),
        ("array<int(5,1)>", vec!["argument at \"int(5,1)\""]),
        ("array(int)", vec!["argument at \"array(int)\""]),
        ("int<string>", vec!["argument at \"int<string>\""]),
        ("bool(1)", vec!["argument at \"bool(1)\""]),
    ] {
        assert_eq!(faults(term), expected, "{term:?}");
    }
}

#[test]
fn terms_nest_to_a_bound() {
    for wrap in ["[]", "?[]"] {
        let nest = |levels: usize| format!("{}int", wrap.repeat(levels));
        let most = if wrap == "[]" { 31 } else { 16 };
        assert!(compile(nest(most).trim_start_matches('?'), &Map::new()).is_ok());
        let too_deep = nest(most + 1);
        assert_eq!(faults(too_deep.trim_start_matches('?')).len(), 1);
    }
    // So deep that reading it by recursion would be felt.
    for hostile in ["[]".repeat(1_000_000), "array<".repeat(1_000_000), "?".repeat(1_000_000)] {
        assert!(compile(&hostile, &Map::new()).is_err());
    }
    let hostile = format!("{}int{}", "array<".repeat(100_000), ">".repeat(100_000));
    assert!(compile(&hostile, &Map::new()).is_err());
}

#[test]
fn the_question_mark_in_front_is_told_apart() {
    let none = Map::new();
    let timezone = jiff::tz::TimeZone::UTC;
    for (term, optional) in [("?int", true), ("int", false), ("array<?int>", false), ("?array<?int>", true)] {
        let text = TermText { term, attributes: &none, fields: None, words: &[], any_case: false, timezone: &timezone };
        let compiled = Types::builtin().compile(text).unwrap();
        assert_eq!(compiled.optional, optional, "{term}");
        assert_eq!(compiled.check.written().term, term.trim_start_matches('?'));
        assert!(!compiled.check.takes_null(), "{term}: what may be left out is no matter of the check");
    }
}

proptest! {
    /// Any text is a term or has faults that point into it.
    #[test]
    fn any_text_is_read_or_refused(term in "[a-z?<>()\\[\\],| 0-9é]{0,40}") {
        if let Err(errors) = compile(&term, &Map::new()) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(term.get(error.span.clone()).is_some(), "{:?} in {term:?}", error);
            }
        }
    }
}
