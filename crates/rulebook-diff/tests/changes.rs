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

/// Reads a definition with a method whose body is a value of the schema `S0`.
fn read_schemas(schemas: &Json) -> Api {
    let method = json!({ "POST": { "info": "I", "in": { "x": { "info": "X", "type": "S0" } } } });
    read(&json!({ "schemas": schemas }), &json!({}), &method)
}

fn object(fields: impl IntoIterator<Item = (String, Json)>) -> Json {
    let fields: Json =
        fields.into_iter().map(|(name, r#type)| (name, json!({ "info": "F", "type": r#type }))).collect();
    json!({ "info": "S", "fields": fields })
}

#[test]
fn random_schemas_that_contain_each_other_are_compared_in_both_directions() {
    let forms = ["array<{}S>", "map<{}S>", "array<map<{}S>>", "?array<{}S>", "array<array<{}S>>", "?map<{}array<{}S>>"];
    for seed in 0..150u64 {
        let mut state = seed;
        let mut below = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let count = 1 + below(5);
        let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
        let mut is_changed = false;
        for index in 0..count {
            let types: Vec<[String; 2]> = (0..=below(3))
                .map(|_| {
                    let form = forms[usize::try_from(below(6)).unwrap()].replace('S', &format!("S{}", below(count)));
                    // Each schema of the new definition accepts null at more places, the first one in any case.
                    let marks = if index == 0 || below(2) == 0 { ["", "?"] } else { ["", ""] };
                    marks.map(|mark| form.replace("{}", mark))
                })
                .collect();
            is_changed |= types.iter().any(|[before, after]| before != after);
            for (all, at) in [(&mut old, 0), (&mut new, 1)] {
                let fields = types.iter().enumerate().map(|(n, types)| (format!("f{n}"), json!(types[at])));
                all.insert(format!("S{index}"), object(fields));
            }
        }
        assert!(is_changed);
        let (before, after) = (read_schemas(&json!(old)), read_schemas(&json!(new)));
        let kinds = |old: &Api, new: &Api| compare(old, new).iter().map(|change| change.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&before, &after), [ChangeKind::ParameterWidened], "seed {seed}: {old:?} {new:?}");
        assert_eq!(kinds(&after, &before), [ChangeKind::ParameterNarrowed], "seed {seed}: {old:?} {new:?}");
    }
}

#[test]
fn comparisons_of_large_definitions_end_and_never_call_a_breaking_change_compatible() {
    // Each schema leads to all others, or to the next one in two ways, or to the next one at the end of a deep type.
    let all = |leaf: &str| -> Json {
        let fields = || (0..40).map(|n| (format!("f{n}"), json!(format!("?array<S{n}>"))));
        (0..40).map(|n| (format!("S{n}"), object(fields().chain([("v".to_owned(), json!(leaf))])))).collect()
    };
    let ladder = |leaf: &str| -> Json {
        let next = |n: usize| {
            let types = [("a", format!("array<S{n}>")), ("b", format!("map<S{n}>"))];
            object(types.map(|(name, term)| (name.to_owned(), json!(term))))
        };
        let last = ("S40".to_owned(), object([("v".to_owned(), json!(leaf))]));
        (0..40).map(|n| (format!("S{n}"), next(n + 1))).chain([last]).collect()
    };
    let chain = |leaf: &str| -> Json {
        let next = |n: usize| {
            let inner = json!({ "info": "F", "type": format!("array<array<S{n}>>") });
            let inline = |inner: Json| json!({ "info": "F", "type": "object", "fields": { "k": inner } });
            json!({ "info": "S", "fields": { "k": (0..30).fold(inner, |inner, _| inline(inner)) } })
        };
        let last = ("S80".to_owned(), object([("v".to_owned(), json!(leaf))]));
        (0..80).map(|n| (format!("S{n}"), next(n + 1))).chain([last]).collect()
    };
    for schemas in [&all as &dyn Fn(&str) -> Json, &ladder, &chain] {
        let (few, many) = (read_schemas(&schemas("int(1,5)")), read_schemas(&schemas("int(1,9)")));
        let levels = |old: &Api, new: &Api| -> Vec<Level> {
            compare(old, new).iter().map(|change| change.kind.level()).collect()
        };
        assert_eq!(levels(&few, &many), [Level::Compatible]);
        assert!(levels(&many, &few)[0] > Level::Compatible);
    }
}
