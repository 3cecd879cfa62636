//! Tests of the options `deprecated`, `sunset` and `successor`: what they mean, which errors they can have, and the
//! warning about methods that have ended.

use rulebook_model::compile::{CheckedDefinition, check_definition};
use rulebook_model::definition::read;
use rulebook_model::describe::canonical_definition;
use rulebook_model::diagnostic::Report;
use serde_json::{Value as Json, json};

/// Checks a definition in which the method `old.get` has these options. Others are `new.get`, and `secret.get`, which
/// requires a permission.
fn check(options: &Json) -> Result<CheckedDefinition, Report> {
    let definition = json!({ "/": {
        "old": { "GET": { "info": "The old one", "options": options } },
        "new": { "GET": { "info": "The new one" } },
        "secret": { "GET": { "info": "For a few", "scope": [["reader"]] } }
    } });
    check_definition(read(vec![("api/site.json".into(), definition.to_string().into_bytes())]), Default::default())
}

fn printed_options(api: &rulebook_model::model::Api) -> Json {
    canonical_definition(api)["modules"]["site"]["/"]["old"]["GET"]["options"].clone()
}

#[test]
fn dates_are_printed_as_dates_if_they_are_midnight_in_utc() {
    let cases = [
        (json!({ "deprecated": true }), json!({ "deprecated": true })),
        (json!({ "deprecated": "true" }), json!({ "deprecated": true })),
        (json!({ "deprecated": false }), Json::Null),
        (json!({ "deprecated": "1970-01-01" }), json!({ "deprecated": "1970-01-01" })),
        (
            json!({ "deprecated": "2026-12-01T01:00:00+01:00", "sunset": "2999-01-01 00:00:00" }),
            json!({ "deprecated": "2026-12-01", "sunset": "2999-01-01" }),
        ),
        (
            json!({ "deprecated": "2026-12-01T12:00:00.5+01:00", "sunset": "2999-01-01T12:00:00Z" }),
            json!({ "deprecated": "2026-12-01T11:00:00Z", "sunset": "2999-01-01T12:00:00Z" }),
        ),
        (
            json!({ "deprecated": true, "sunset": "9999-12-30", "successor": "new.get" }),
            json!({ "deprecated": true, "sunset": "9999-12-30", "successor": "new.get" }),
        ),
    ];
    for (options, printed) in cases {
        let checked = check(&options).unwrap_or_else(|report| panic!("{options}: {report}"));
        assert_eq!(printed_options(&checked.api), printed, "{options}");
        assert!(checked.warnings.is_empty(), "{options}");
    }
}

#[test]
fn options_that_contradict_each_other_are_reported() {
    let without = "add `\"deprecated\": true`, or the date since when";
    let unknown = "write the id of the method that clients should call instead";
    let cases = [
        (json!({ "sunset": "2999-01-01" }), "only a deprecated method has a `sunset`", without),
        (json!({ "deprecated": false, "successor": "new.get" }), "only a deprecated method has a `successor`", without),
        (
            json!({ "deprecated": "2999-01-02", "sunset": "2999-01-01" }),
            "the method ends before it is deprecated",
            "clients need the time between both dates",
        ),
        (json!({ "deprecated": true, "successor": "other" }), "unknown method `other`", unknown),
        (
            json!({ "deprecated": true, "successor": "new.gett" }),
            "unknown method `new.gett`",
            "did you mean `new.get`?",
        ),
        (json!({ "deprecated": true, "successor": "old.get" }), "the method `old.get` is its own successor", unknown),
    ];
    for (options, message, help) in cases {
        let report = check(&options).expect_err(message);
        let [error] = report.diagnostics.as_slice() else { panic!("{options}: {report}") };
        assert_eq!((error.code.name(), error.message.as_str()), ("bad-option", message), "{options}");
        let given = error.help.as_deref().unwrap_or_default();
        assert!(given.starts_with(help), "{options}: {given}");
    }
}

#[test]
fn values_that_are_no_dates_are_reported_without_consequences() {
    for date in ["yes", "2026-02-30", "2026-1-1", "01.12.2026", "1969-12-31", "2026-12-01T10:00:00", ""] {
        for (options, expected) in [
            (json!({ "deprecated": date, "sunset": "2999-01-01" }), "true, false, or a date such as `2026-12-01`"),
            (json!({ "deprecated": true, "sunset": date }), "a date such as `2027-06-01`"),
        ] {
            let report = check(&options).expect_err(date);
            let [error] = report.diagnostics.as_slice() else { panic!("{options}: {report}") };
            assert_eq!(error.code.name(), "wrong-kind", "{options}");
            assert!(error.message.contains(&format!("must be {expected}")), "{}", error.message);
        }
    }
}

#[test]
fn a_warning_names_what_to_delete_after_the_sunset() {
    let checked =
        check(&json!({ "deprecated": true, "sunset": "2001-01-01" })).unwrap_or_else(|report| panic!("{report}"));
    let [warning] = checked.warnings.as_slice() else { panic!("not one warning") };
    assert_eq!((warning.is_warning, warning.code.name()), (true, "past-sunset"));
    assert_eq!(warning.message, "the method `old.get` ended on 2001-01-01: it responds with 410");
    let help = "delete `GET` of `/old` and its handler, or choose a later `sunset`";
    assert_eq!(warning.help.as_deref(), Some(help));
}

#[test]
fn documents_for_a_caller_do_not_name_a_successor_that_is_hidden_from_the_caller() {
    let options = json!({ "deprecated": true, "successor": "secret.get" });
    let api = check(&options).unwrap_or_else(|report| panic!("{report}")).api;
    assert_eq!(printed_options(&api.for_permissions(&["reader".into()])), options);
    assert_eq!(printed_options(&api.for_permissions(&[])), json!({ "deprecated": true }));
}
