//! Tests the URIs that OPTIONS lists in `$below`: a client that follows them from the base path reaches every service.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

use proptest::prelude::*;
use rulebook::{Engine, Rulebook};
use rulebook_model::describe;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{definition_folders, echo_engine, http_methods, target_of_template};
use crate::client::{Request, TestServer, case};
use support::generate;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UriGroup {
    title: String,
    #[serde(default, rename = "app")]
    settings: Map<String, Value>,
    /// Paths of services that have the method GET. `0` or `0 1` after a path are the numbers of the method's positional
    /// parameters.
    #[serde(default, rename = "exact")]
    case_sensitive_paths: Vec<String>,
    /// Paths in the same form, of services whose paths are compared without regard to case.
    #[serde(default, rename = "folded")]
    case_insensitive_paths: Vec<String>,
    /// The expected `$below` for each request target. Null means that the response is 404.
    below: BTreeMap<String, Value>,
}

#[test]
fn each_uri_lists_the_uris_directly_below_it() {
    let groups: Vec<UriGroup> = case::read(include_str!("../data/describe/below.json"));
    let mut mismatches = String::new();
    for UriGroup { title, settings, case_sensitive_paths, case_insensitive_paths, below } in groups {
        let files = [
            ("app.json", Value::Object(settings)),
            ("exact.json", module_with_paths(&case_sensitive_paths, false)),
            ("folded.json", module_with_paths(&case_insensitive_paths, true)),
        ];
        let server = TestServer::echo(&files);
        for (target, below) in below {
            let response = server.send(&Request::new("OPTIONS", &target));
            let got = if response.status == 404 { Value::Null } else { response.json()["$below"].clone() };
            if got != below {
                let _ = writeln!(mismatches, "{title}: {target}: expected {below}, got {got}");
            }
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
}

fn module_with_paths(paths: &[String], ignore_case: bool) -> Value {
    let mut below = Map::new();
    for line in paths {
        let mut words = line.split(' ');
        let path = words.next().unwrap();
        let segment = json!({ "info": "A segment", "type": "string" });
        let captures = path.split('/').filter(|segment| segment.starts_with('{')).map(str::to_owned);
        let input = captures.chain(words.map(|n| format!("URL#{n}"))).map(|key| (key, segment.clone()));
        let input: Map<_, _> = input.collect();
        below.insert(path[1..].to_owned(), json!({ "GET": { "info": "Something", "in": input } }));
    }
    json!({ "ignore_case": ignore_case, "/": below })
}

/// HTTP methods, each with the full path of its service.
type HttpMethods = BTreeSet<(String, String)>;

/// Checks that `OPTIONS *` lists every method, and that a client which follows `$below` from the base path reaches
/// every method.
#[track_caller]
pub fn assert_every_service_is_linked(engine: &Engine) {
    let api = engine.api();
    let full = |uri: &str| match (api.base.as_str(), uri) {
        ("/", uri) => uri.to_owned(),
        (base, "/") => base.to_owned(),
        (base, uri) => format!("{base}{uri}"),
    };
    let services = api.modules.iter().flat_map(|module| &module.services);
    let model: HttpMethods = services
        .flat_map(|service| service.methods.iter().map(|own| (own.http.as_str().to_owned(), full(&service.uri()))))
        .collect();
    let server = TestServer::start(engine);
    let mut connection = server.connect().reset_on_drop();
    let mut fetch = |target: &str| {
        let response = connection.send(&Request::new("OPTIONS", target));
        assert_eq!(response.status, 200, "{target}: {response:?}");
        response.json()
    };

    let all = fetch("*");
    let mut listed = HttpMethods::new();
    for module in all["modules"].as_object().into_iter().flat_map(Map::values) {
        listed.extend(methods_of(module, full));
    }
    assert_eq!(listed, model, "OPTIONS * lists every method");

    let base = target_of_template(&describe::uris(api).base);
    assert_eq!(fetch(&base), all);
    let mut walked: HttpMethods = listed.into_iter().filter(|(_, path)| *path == full("/")).collect();
    let mut known = BTreeSet::new();
    let mut open = VecDeque::from([all]);
    while let Some(document) = open.pop_front() {
        for uri in document["$below"].as_array().unwrap() {
            let uri = uri.as_str().unwrap();
            if known.insert(uri.to_owned()) {
                let document = fetch(&target_of_template(uri));
                let found = methods_of(&document, full);
                let decoded = percent_encoding::percent_decode_str(uri).decode_utf8().unwrap();
                assert!(found.iter().all(|(_, path)| *path == decoded), "{uri}: {document:#}");
                walked.extend(found);
                open.push_back(document);
            }
        }
    }
    assert_eq!(walked, model, "following $below reaches every method");
}

/// Returns the HTTP methods that a module or a definition file contains.
fn methods_of(module: &Value, full: impl Fn(&str) -> String) -> HttpMethods {
    let of = |uri: &Value, path: &str| http_methods(uri).map(|own| (own.to_owned(), full(path))).collect::<Vec<_>>();
    let below = module["/"].as_object().into_iter().flatten();
    of(module, "/").into_iter().chain(below.flat_map(|(path, uri)| of(uri, &format!("/{path}")))).collect()
}

#[test]
fn every_service_of_a_definition_is_linked() {
    for folder in definition_folders() {
        assert_every_service_is_linked(&echo_engine(Rulebook::load(folder)));
    }
}

proptest! {
    #![proptest_config(support::random::cases(25))]

    #[test]
    fn every_service_of_generated_definitions_is_linked(generated in generate::definitions()) {
        assert_every_service_is_linked(&echo_engine(Rulebook::read(generated.public().bytes())));
    }

    /// Paths that are made of few words and captures overlap in every way that a valid definition allows.
    #[test]
    fn every_service_of_definitions_with_overlapping_paths_is_linked(
        exact in overlapping_paths(), folded in overlapping_paths(), base in prop_oneof![Just("/"), Just("/b"), Just("/é/b")],
    ) {
        let files = vec![
            ("app.json".into(), json!({ "base": base }).to_string().into()),
            ("exact.json".into(), module_with_paths(&exact, false).to_string().into()),
            ("folded.json".into(), module_with_paths(&folded, true).to_string().into()),
        ];
        let judged = Rulebook::read(files).unbound(rulebook::Unbound::Echo).build();
        prop_assume!(judged.is_ok());
        assert_every_service_is_linked(&judged.unwrap());
    }
}

fn overlapping_paths() -> impl Strategy<Value = Vec<String>> {
    let segment = prop_oneof![Just("a"), Just("B"), Just("b"), Just("{"), Just("%41")];
    let path = (proptest::collection::vec(segment, 1..5), 0..3_usize);
    let path = path.prop_map(|(segments, positions)| {
        let mut path = String::new();
        for (index, segment) in segments.into_iter().enumerate() {
            match segment {
                "{" => path.push_str(&format!("/{{c{index}}}")),
                _ => path.extend(["/", segment]),
            }
        }
        path.push_str(["", " 0", " 0 1"][positions]);
        path
    });
    proptest::collection::btree_map(
        path.clone().prop_map(|path| path.split(' ').next().unwrap().to_owned()),
        path,
        0..5,
    )
    .prop_map(|paths| paths.into_values().collect())
}
