//! The examples in the page of the documentation.

use rulebook::Rulebook;
use rulebook_http::HttpKind;
use serde_json::{Value as Json, json};

use super::note_method;

const PAGE: &str = include_str!("../../../../docs/http-handlers.md");

/// Returns the JSON blocks of the page.
fn examples() -> Vec<Json> {
    let blocks = PAGE.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| serde_json::from_str(block).unwrap()).collect()
}

fn check(app: &Json, module: &Json) {
    let files = vec![("app.json".into(), app.to_string().into()), ("note.json".into(), module.to_string().into())];
    Rulebook::read(files).handler_kind(HttpKind::new()).build().map(|_| ()).unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn the_examples_of_the_page_are_valid() {
    let [definition, shared, tls, default] = &examples()[..] else { panic!("the page has other examples") };
    check(&json!({}), definition);
    for shared in [shared, tls] {
        check(shared, &json!({ "/": { "a": { "GET": note_method(&json!({ "http": "/a" })) } } }));
    }
    check(default, &json!({ "/": { "a": { "GET": { "info": "A" } } } }));
}

#[test]
fn the_page_describes_every_setting() {
    let error = note_method(&json!({ "http": "/a", "no_such_setting": 1 }));
    let shared = json!({ "handlers": { "http": { "no_such_setting": 1 } } });
    let module = json!({ "/": { "a": { "GET": error } } });
    let files = vec![("app.json".into(), shared.to_string().into()), ("a.json".into(), module.to_string().into())];
    let report = Rulebook::read(files).handler_kind(HttpKind::new()).build().map(|_| ()).unwrap_err();
    let helps = report.diagnostics.iter().filter_map(|found| found.help.as_ref());
    let names: Vec<_> = helps
        .filter(|help| help.starts_with("the settings are"))
        .flat_map(|help| help.split('`').skip(1).step_by(2))
        .collect();
    assert!(names.contains(&"raw") && names.contains(&"idle_timeout"), "{names:?}");
    for name in names {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
