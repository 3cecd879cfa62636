//! Tests of the catalogues of error messages: they are complete, every message is used, and every message contains its
//! data.

use std::collections::{BTreeMap, BTreeSet};

use rulebook::ApiError;
use rulebook::HttpMethod;
use rulebook::error::{
    AllowedMethods, CatalogueName, ErrorKind, MalformedRequest, ParameterError, ParameterErrorKind, ServiceNameError,
    Source,
};
use rulebook::types::{Measure, Violation};
use rulebook_model::error::codes;
use rulebook_model::limits;
use serde_json::Value;

use super::phalapi_texts::CATALOGUES;

type Translations = BTreeMap<String, String>;

/// Returns the file of all texts.
fn texts() -> Value {
    serde_json::from_str(include_str!("../../crates/rulebook-model/src/error/messages.json")).unwrap()
}

fn messages() -> BTreeMap<String, Translations> {
    serde_json::from_value(texts()["messages"].clone()).unwrap()
}

#[test]
fn every_text_exists_in_every_language() {
    let has_languages = |key: &str, texts: &Translations| {
        // Only messages in the style of PhalApi are missing in English.
        assert!(texts.contains_key("zh") && (texts.contains_key("en") || texts.contains_key("1.x")), "{key}");
        let languages = ["en", "1.x", "2.x", "zh", "zh-1.1", "aicra-status"];
        assert!(texts.keys().all(|language| languages.contains(&language.as_str())), "{key}");
    };
    for (key, texts) in messages() {
        has_languages(&key, &texts);
    }
    let errors = texts()["errors"].clone();
    for (name, error) in errors.as_object().unwrap() {
        for texts in error.as_object().unwrap().values() {
            has_languages(name, &serde_json::from_value(texts.clone()).unwrap());
        }
    }
    let names: BTreeSet<_> = errors.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, codes::ERROR_CODES.iter().map(|row| row.name).collect());
    for (index, row) in codes::ERROR_CODES.iter().enumerate() {
        assert_eq!(row.code as usize, index, "{}", row.name);
        assert_eq!(errors[row.name]["title"]["en"], row.code.title());
    }
}

#[test]
fn no_message_is_empty_or_contains_a_placeholder() {
    for error in errors_with_every_message() {
        for (name, _) in CATALOGUES {
            let message = error.message(name);
            assert!(!message.is_empty() && !message.contains(['{', '}']), "{name:?}: {message}");
            // The message of a parameter error contains the name of the parameter, `p`.
            assert!(error.parameter_errors().is_empty() || message.contains('p'), "{name:?}: {message}");
        }
        let english = error.to_string();
        assert!(!english.is_empty() && !english.contains(['{', '}']), "{english}");
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
        ErrorKind::InvalidServiceName { name: "a.b".to_owned(), error: ServiceNameError::Unknown },
        ErrorKind::InvalidServiceName { name: ".".to_owned(), error: ServiceNameError::Illegal },
        ErrorKind::MethodGone { sunset: "2001-01-01".to_owned(), successor: None },
        ErrorKind::MethodGone { sunset: "2001-01-01".to_owned(), successor: Some("GET /article".to_owned()) },
        ErrorKind::UnknownMethod { allowed: AllowedMethods(vec![HttpMethod::Get]) },
        ErrorKind::Unauthenticated { invalid: false, challenge: String::new() },
        ErrorKind::Unauthenticated { invalid: true, challenge: String::new() },
        ErrorKind::Forbidden { missing: vec![vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]] },
        ErrorKind::UnsupportedMediaType {
            got: "text/csv".to_owned(),
            accepted: ["a/b", "c/d"].map(str::to_owned).to_vec(),
        },
        ErrorKind::TooManyRequests { retry_after: 3 },
        ErrorKind::NotImplemented { id: "x.get".to_owned() },
        ErrorKind::Internal { request_id: String::new() },
        ErrorKind::Internal { request_id: "0".to_owned() },
        ErrorKind::Parameters { errors: Vec::new(), truncated: false },
        ErrorKind::TooLarge { limit: limits::BODY_SIZE.with_value(1), parameter: None },
        ErrorKind::TooLarge { limit: limits::PART_SIZE.with_value(1), parameter: Some("p".to_owned()) },
    ];
    kinds.extend(codes::ERROR_CODES.iter().map(|row| ErrorKind::Plain(row.code)));
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
        limits::LINK_SECONDS.with_value(1),
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
const MESSAGES_IN_PARAMETER_ERRORS: [&str; 9] = [
    "several-values",
    "not-utf-8",
    "no-parameter",
    "callback",
    "as-me",
    "one-module",
    "one-part",
    "lean",
    "no-credential-allowed",
];

#[test]
fn every_message_is_used() {
    let errors = errors_with_every_message();
    let english: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let chinese: Vec<_> = errors.iter().map(|error| error.message(CatalogueName::PhalApi2Chinese)).collect();
    for (key, texts) in messages() {
        let (text, all) = texts.get("en").map_or((&texts["zh"], &chinese), |text| (text, &english));
        let is_used = |message: &String| {
            let mut literals = text.split('{').map(|part| part.split_once('}').map_or(part, |(_, text)| text));
            literals.try_fold(message.as_str(), |rest, literal| Some(rest.split_once(literal)?.1)).is_some()
        };
        let is_known = MESSAGES_IN_PARAMETER_ERRORS.contains(&key.as_str());
        assert!(is_known || all.iter().any(is_used), "{key} is not used");
    }
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
    // Text in the data that looks like a placeholder is not replaced.
    let braces = ApiError::new(ErrorKind::UnknownService { similar: vec!["/{similar}".to_owned()] });
    assert_eq!(braces.to_string(), "no service has this URI; did you mean /{similar}?");
}
