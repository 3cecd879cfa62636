//! Tests of each kind of change, with the definitions before and after it.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use rulebook_diff::{ChangeKind, Level, compare};
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

fn read(app: &Json, module: &Json, service: &Json) -> Api {
    let mut module = module.clone();
    module["/"] = json!({ "a": service });
    let files =
        vec![("app.json".into(), app.to_string().into_bytes()), ("a.json".into(), module.to_string().into_bytes())];
    rulebook_model::read(files).unwrap_or_else(|report| panic!("{report}"))
}

/// `tests/data/changes.json` of this crate has a row for each change: the paths below `/a` before and after, and the
/// kinds of changes with their witnesses.
#[test]
fn changes_have_a_kind_and_a_witness() {
    let rows: Vec<Json> = serde_json::from_str(include_str!("data/changes.json")).unwrap();
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for row in &rows {
        let part = |keys: &[&str]| keys.iter().find_map(|key| row.get(*key)).cloned().unwrap_or_else(|| json!({}));
        let read = |app: &str, module: &str, service: &str| read(&part(&[app, "app"]), &part(&[module]), &row[service]);
        let changes = compare(&read("old_app", "old_module", "old"), &read("new_app", "new_module", "new"));
        seen.extend(changes.iter().map(|change| change.kind));
        let found: BTreeMap<String, Json> =
            changes.iter().map(|change| (change.kind.to_string(), json!(change.witness))).collect();
        if json!(found) != row["changes"] {
            wrong.push(format!("{}: {}, and not {}", row["about"], json!(found), row["changes"]));
        }
        for change in &changes {
            assert!(change.kind.level() != Level::Breaking || change.witness.is_some(), "{change:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<_> = ChangeKind::all().iter().filter(|kind| !seen.contains(kind)).collect();
    assert!(missing.is_empty(), "no row has these kinds: {missing:?}");
}

#[test]
fn a_new_version_takes_the_requests_of_captures_that_accept_its_name() {
    let read = |app: Json| {
        let method = json!({ "GET": { "info": "I", "in": { "{x}": { "info": "X", "type": "int" } } } });
        let module = json!({ "/": { "{x}": { "/": { "b": method } } } });
        let files = [("app.json", app), ("a.json", module)];
        let files = files.map(|(path, json)| (path.into(), json.to_string().into_bytes()));
        rulebook_model::read(files.into()).unwrap_or_else(|report| panic!("{report}"))
    };
    let old = read(json!({}));
    let changes = compare(&old, &read(json!({ "versions": { "names": ["v1", "2"] } })));
    let found: Vec<_> = changes.iter().map(|change| (change.kind, change.witness.clone())).collect();
    let taken = (ChangeKind::MethodRemoved, Some(json!({ "request": "GET /2/b" })));
    assert_eq!(found, [(ChangeKind::VersionAdded, None), (ChangeKind::VersionAdded, None), taken]);
    // With a base path, no capture is at the place of the version.
    let based = |versions: Json| read(json!({ "base": "/api", "versions": versions }));
    let (one, two) = (json!({ "names": ["1"] }), json!({ "names": ["1", "2"] }));
    let changes = compare(&based(one), &based(two));
    assert!(changes.iter().all(|change| change.kind == ChangeKind::VersionAdded), "{changes:?}");
}
