//! Tests of the grammar of terms (the texts of types, such as `array<int(1,5)>`), and of the spans of errors in terms.

use proptest::prelude::*;
use rulebook_model::types::{TermErrorKind, Types, UncompiledTerm};
use serde_json::Map;

use super::compile;

/// Returns each error in a term as a text of the form `<kind of error> at "<invalid part>"`.
fn describe_errors(term: &str) -> Vec<String> {
    let term_errors = match compile(term, &Map::new()) {
        Ok(check) => return vec![format!("compiles to {}", check.type_expr().term)],
        Err(term_errors) => term_errors,
    };
    let kind = |kind: &TermErrorKind| match kind {
        TermErrorKind::Empty => "empty".to_owned(),
        TermErrorKind::Syntax(_) => "syntax".to_owned(),
        TermErrorKind::UnknownType(name) => format!("unknown {name}"),
        TermErrorKind::Argument(_) => "argument".to_owned(),
    };
    term_errors.iter().map(|error| format!("{} at {:?}", kind(&error.kind), &term[error.span.clone()])).collect()
}

#[test]
fn each_error_in_a_term_has_the_span_of_the_invalid_part() {
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
        assert_eq!(describe_errors(term), expected, "{term:?}");
    }
}

#[test]
fn too_deeply_nested_terms_are_rejected() {
    for wrap in ["[]", "?[]"] {
        let nest = |levels: usize| format!("{}int", wrap.repeat(levels));
        let max = if wrap == "[]" { 31 } else { 16 };
        assert!(compile(nest(max).trim_start_matches('?'), &Map::new()).is_ok());
        let too_deep = nest(max + 1);
        assert_eq!(describe_errors(too_deep.trim_start_matches('?')).len(), 1);
    }
    // These terms would overflow the stack if the nesting depth were not limited.
    for hostile in ["[]".repeat(1_000_000), "array<".repeat(1_000_000), "?".repeat(1_000_000)] {
        assert!(compile(&hostile, &Map::new()).is_err());
    }
    let hostile = format!("{}int{}", "array<".repeat(100_000), ">".repeat(100_000));
    assert!(compile(&hostile, &Map::new()).is_err());
}

#[test]
fn a_leading_question_mark_makes_the_term_optional_but_not_nullable() {
    let none = Map::new();
    let timezone = jiff::tz::TimeZone::UTC;
    for (term, optional) in [("?int", true), ("int", false), ("array<?int>", false), ("?array<?int>", true)] {
        let text = UncompiledTerm {
            term,
            attributes: &none,
            fields: None,
            aliases: &[],
            ignores_type_case: false,
            timezone: &timezone,
            schemas: &|_| None,
            inherited_constraints: &[],
            has_missing_fields: false,
            nested_types: &[],
        };
        let compiled = Types::builtin().compile(text).unwrap();
        assert_eq!(compiled.is_optional, optional, "{term}");
        assert_eq!(compiled.check.type_expr().term, term.trim_start_matches('?'));
        assert!(!compiled.check.accepts_null(), "{term}: the check does not depend on the leading `?`");
    }
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn random_texts_are_valid_terms_or_have_errors_with_valid_spans(term in "[a-z?<>()\\[\\],| 0-9é]{0,40}") {
        if let Err(errors) = compile(&term, &Map::new()) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(term.get(error.span.clone()).is_some(), "{:?} in {term:?}", error);
            }
        }
    }
}
