//! Tests of the catalogues of error messages: they are complete, every message is used, and every message contains its
//! data.

use std::collections::BTreeSet;

use rulebook::ApiError;
use rulebook::HttpMethod;
use rulebook::error::{
    AllowedMethods, ErrorKind, MalformedRequest, ParameterError, ParameterErrorKind, ServiceNameError, Source,
};
use rulebook::types::{Measure, Violation};
use rulebook_model::error::catalogue::{Catalogue, CatalogueError, CatalogueName, MESSAGES};
use rulebook_model::error::codes;
use rulebook_model::limits;
use serde_json::{Map, Value, json};

fn english_catalogue() -> Value {
    serde_json::from_str(Catalogue::ENGLISH_JSON).unwrap()
}

#[test]
fn the_english_catalogue_is_complete_and_uses_every_placeholder() {
    Catalogue::parse(Catalogue::ENGLISH_JSON).unwrap();
    let catalogue = english_catalogue();
    for row in MESSAGES {
        let message = match catalogue["texts"].get(row.key) {
            None if row.is_optional => continue,
            message => message.unwrap().as_str().unwrap(),
        };
        for placeholder in row.placeholders {
            assert!(message.contains(&format!("{{{placeholder}}}")), "`{}` does not use {placeholder}", row.key);
        }
    }
}

#[test]
fn the_selectable_catalogues_are_complete() {
    for name in [CatalogueName::PhalApi1, CatalogueName::PhalApi2, CatalogueName::PhalApi2Chinese] {
        let read = Catalogue::parse(name.json_text()).unwrap_or_else(|errors| panic!("{name:?}: {errors:?}"));
        for row in MESSAGES {
            assert!(read.contains(row.id), "{name:?} has no `{}`", row.key);
            assert!(name.catalogue().contains(row.id));
        }
        assert!(MESSAGES.iter().all(|row| row.is_optional != Catalogue::english().contains(row.id)));
        // The message of a parameter error contains the name of the parameter, `p`. No message contains a placeholder.
        for error in errors_with_every_message() {
            let message = error.message(name.catalogue()).to_string();
            assert!(!message.is_empty() && !message.contains(['{', '}']), "{name:?}: {message}");
            assert!(error.parameter_errors().is_empty() || message.contains('p'), "{name:?}: {message}");
        }
    }
}

#[test]
fn the_table_of_messages_is_in_order_and_its_keys_are_unique() {
    let mut keys = BTreeSet::new();
    for (index, row) in MESSAGES.iter().enumerate() {
        assert_eq!(row.id as usize, index, "{}", row.key);
        assert!(keys.insert(row.key), "{} occurs twice", row.key);
        assert_eq!(row.placeholders.iter().collect::<BTreeSet<_>>().len(), row.placeholders.len(), "{}", row.key);
    }
    for row in codes::ERROR_CODES {
        assert_eq!(english_catalogue()["titles"][row.name], row.code.title(), "{}", row.name);
    }
}

#[test]
fn every_error_in_a_catalogue_is_reported() {
    let errors = |from: &str, to: &str| {
        assert!(Catalogue::ENGLISH_JSON.contains(from), "{from}");
        Catalogue::parse(&Catalogue::ENGLISH_JSON.replacen(from, to, 1)).unwrap_err()
    };
    let timeout = "\"timeout\": \"the body";
    let placeholder = |name: &str| CatalogueError::UnknownPlaceholder { key: "timeout", name: name.to_owned() };
    let cases = [
        (
            timeout,
            "\"timeuot\": \"the body",
            vec![CatalogueError::MissingKey("timeout"), CatalogueError::UnknownKey("timeuot".to_owned())],
        ),
        (
            timeout,
            "\"timeout\": \"\", \"timeout\": \"the body",
            vec![CatalogueError::DuplicateKey("timeout".to_owned())],
        ),
        (timeout, "\"timeout\": \"{id} the body", vec![placeholder("id")]),
        (timeout, "\"timeout\": \"{} the body", vec![placeholder("")]),
        (timeout, "\"timeout\": \"{ the body", vec![CatalogueError::UnpairedBrace("timeout")]),
        (timeout, "\"timeout\": \"} the body", vec![CatalogueError::UnpairedBrace("timeout")]),
        ("\"failed\": \"it failed\",", "", vec![CatalogueError::MissingKey("failed")]),
        (
            "\"texts\": {",
            "\"texts\": { \"pattern\": \"{id}\",",
            vec![CatalogueError::UnknownPlaceholder { key: "pattern", name: "id".to_owned() }],
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(errors(from, to), expected, "{to}");
        assert!(expected.iter().all(|error| error.to_string().contains('`')));
    }
    for invalid in
        ["", "[]", "{}", r#"{"titles": {}, "texts": {}, "more": {}}"#, r#"{"titles": {}, "texts": {"a": 1}}"#]
    {
        let errors = Catalogue::parse(invalid).unwrap_err();
        assert!(matches!(&errors[..], [CatalogueError::Syntax(_)]), "{invalid}: {errors:?}");
    }
}

/// Returns errors whose texts together use every message of a catalogue.
fn errors_with_every_message() -> Vec<ApiError> {
    let similar = vec!["/article".to_owned(), "/user".to_owned()];
    let parameter_error = |kind, source, got: Option<&str>| {
        ParameterError::new(kind, "p", source, "a number").with_got(got.map(str::to_owned))
    };
    let mut kinds = vec![
        ErrorKind::UnknownService { similar: Vec::new() },
        ErrorKind::UnknownService { similar },
        ErrorKind::InvalidServiceName { name: "a.b".to_owned(), parts: 2, error: ServiceNameError::Unknown },
        ErrorKind::InvalidServiceName { name: "a".to_owned(), parts: 1, error: ServiceNameError::Incomplete },
        ErrorKind::InvalidServiceName { name: ".".to_owned(), parts: 3, error: ServiceNameError::Illegal },
        ErrorKind::UnknownMethod { allowed: AllowedMethods(vec![HttpMethod::Get]) },
        ErrorKind::Unauthenticated { invalid: false, challenge: String::new() },
        ErrorKind::Unauthenticated { invalid: true, challenge: String::new() },
        ErrorKind::Forbidden { missing: vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]] },
        ErrorKind::UnsupportedMediaType { got: "text/csv".to_owned(), accepted: &["a/b", "c/d"] },
        ErrorKind::TooManyRequests { retry_after: 3 },
        ErrorKind::NotImplemented { id: "x.get".to_owned() },
        ErrorKind::Internal { request_id: String::new() },
        ErrorKind::Internal { request_id: "0".to_owned() },
        ErrorKind::Parameters { errors: Vec::new(), truncated: false },
        ErrorKind::TooLarge { limit: limits::BODY_SIZE.with_value(1), parameter: None },
        ErrorKind::TooLarge { limit: limits::PART_SIZE.with_value(1), parameter: Some("p".to_owned()) },
    ];
    let plain_codes = codes::ERROR_CODES.iter().filter(|row| row.has_fixed_message);
    kinds.extend(plain_codes.map(|row| ErrorKind::Plain(row.code)));
    let errors = [
        parameter_error(ParameterErrorKind::Missing, Source::Path, None),
        parameter_error(ParameterErrorKind::Repeated, Source::Query, None),
        parameter_error(ParameterErrorKind::Unknown, Source::Body, None),
        parameter_error(ParameterErrorKind::Unknown, Source::Query, None).with_similar(Some("q")),
        parameter_error(ParameterErrorKind::Invalid, Source::Any, Some("1")),
        parameter_error(ParameterErrorKind::Invalid, Source::Header, None),
        parameter_error(ParameterErrorKind::Missing, Source::Cookie, None),
    ];
    kinds.extend(errors.map(|error| ErrorKind::Parameters { errors: vec![error], truncated: false }));
    let measures = [Measure::Value, Measure::Length, Measure::Count, Measure::Size];
    let bounds = |measure| [0, 9].map(|got| Violation::of_bounds(measure, Some(1), Some(5), got));
    let mut violations: Vec<_> = measures.into_iter().flat_map(bounds).collect();
    violations.extend([
        Some(Violation::NotAllowed { allowed: "a/b".to_owned(), got: "c".to_owned() }),
        Some(Violation::FileExtension("png".to_owned())),
        Some(Violation::MissingFile),
        Some(Violation::Json),
        Some(Violation::Pattern),
    ]);
    kinds.extend(violations.into_iter().map(|violation| {
        let mut error = parameter_error(ParameterErrorKind::Invalid, Source::Query, Some("1"));
        error.violation = violation.map(Box::new);
        ErrorKind::Parameters { errors: vec![error], truncated: false }
    }));
    let limits = [
        limits::FIELD_COUNT.with_value(1),
        limits::PART_COUNT.with_value(1),
        limits::ITEM_COUNT.with_value(1),
        limits::NESTING_DEPTH.with_value(1),
        limits::BODY_SECONDS.with_value(1),
    ];
    kinds.extend(limits.map(|limit| ErrorKind::TooLarge { limit, parameter: None }));
    kinds.push(ErrorKind::TooLarge { limit: rulebook_model::call::Limit::file(1), parameter: Some("picture".into()) });
    let part = 1;
    let unreadable = [
        MalformedRequest::PathEscape,
        MalformedRequest::PathEncoding,
        MalformedRequest::IdempotencyKey,
        MalformedRequest::BodyBroken,
        MalformedRequest::JsonEncoding { byte: 0 },
        MalformedRequest::JsonKind,
        MalformedRequest::JsonSyntax { line: 1, column: 1 },
        MalformedRequest::JsonEnd { line: 1, column: 1 },
        MalformedRequest::MultipartBoundary,
        MalformedRequest::MultipartStart { searched: 1 },
        MalformedRequest::MultipartPart { part },
        MalformedRequest::MultipartHead { part },
        MalformedRequest::MultipartName { part },
        MalformedRequest::MultipartLongName { part, max: 1 },
        MalformedRequest::MultipartEnd { part },
    ];
    kinds.extend(unreadable.map(ErrorKind::MalformedRequest));
    let redirect = ApiError::redirect("moved", "/p");
    kinds.into_iter().map(ApiError::new).chain([redirect]).collect()
}

/// The keys of messages that are used only in the member `got` or `expected` of a parameter error.
const MESSAGES_IN_PARAMETER_ERRORS: [&str; 8] =
    ["several-values", "no-text", "no-parameter", "callback", "as-me", "one-module", "one-part", "no-credential-taken"];

#[test]
fn every_message_is_used_and_all_text_comes_from_the_catalogue() {
    // In this catalogue, each message consists of its key and its placeholders.
    let marked = |row: &rulebook_model::error::catalogue::MessageRow| {
        let data: String = row.placeholders.iter().map(|name| format!("[{{{name}}}]")).collect();
        (row.key.to_owned(), Value::from(format!("<{}>{data}", row.key)))
    };
    let plain_codes = || codes::ERROR_CODES.iter().filter(|row| row.has_fixed_message).map(|row| row.name);
    let plain_texts = plain_codes().map(|name| (name.to_owned(), format!("<{name}>").into()));
    let texts: Map<_, _> = MESSAGES.iter().map(marked).chain(plain_texts).collect();
    let catalogue =
        Catalogue::parse(&json!({ "titles": english_catalogue()["titles"], "texts": texts }).to_string()).unwrap();
    let mut used = BTreeSet::new();
    for error in errors_with_every_message() {
        let message = error.message(&catalogue).to_string();
        assert!(message.starts_with('<'), "{message} is not from the catalogue");
        used.extend(message.split('<').filter_map(|part| Some(part.split_once('>')?.0.to_owned())));
        let english = error.to_string();
        assert!(!english.is_empty() && !english.contains(['{', '}']), "{english}");
    }
    used.extend(MESSAGES_IN_PARAMETER_ERRORS.map(str::to_owned));
    let all: BTreeSet<_> = MESSAGES.iter().map(|row| row.key).chain(plain_codes()).map(str::to_owned).collect();
    assert_eq!(used, all);
}

#[test]
fn messages_contain_data_in_place_of_placeholders() {
    let forbidden = ApiError::new(ErrorKind::Forbidden {
        missing: vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]],
    });
    assert_eq!(forbidden.to_string(), "missing permission: a and b, or c");
    let unknown = ApiError::new(ErrorKind::UnknownService { similar: vec!["/a".to_owned(), "/b".to_owned()] });
    assert_eq!(unknown.to_string(), "no service has this URI; did you mean /a or /b?");
    let large = ApiError::new(ErrorKind::TooLarge {
        limit: limits::ITEM_COUNT.with_value(9),
        parameter: Some("tags".to_owned()),
    });
    assert_eq!(large.to_string(), "tags: over the limit `items` of 9 items");
    let german = Catalogue::ENGLISH_JSON.replace("\" and \"", "\" und \"").replace("missing permission", "es fehlt");
    let german = Catalogue::parse(&german).unwrap();
    assert_eq!(forbidden.message(&german).to_string(), "es fehlt: a und b, or c");
    // Text in the data that looks like a placeholder is not replaced.
    let braces = ApiError::new(ErrorKind::UnknownService { similar: vec!["/{similar}".to_owned()] });
    assert_eq!(braces.to_string(), "no service has this URI; did you mean /{similar}?");
}
