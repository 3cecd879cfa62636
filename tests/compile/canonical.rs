//! What is written down from a model loads to the same model.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rulebook::definition::read;
use rulebook::describe::{canonical, canonical_service};
use rulebook::model::{Api, EnvelopeName};
use serde_json::{Value as Json, json};

use super::{folders, judge, model};
use crate::generate;

/// The model of a document of one file.
fn reload(file: &str, document: &Json) -> Api {
    let text = format!("{document:#}");
    model(read(vec![(PathBuf::from(file), text.into_bytes())]))
}

pub fn assert_same(api: &Api) {
    let printed = canonical(api);
    let again = reload("api.json", &printed);
    assert_eq!(&again, api, "printed as {printed:#}");
    assert_eq!(canonical(&again).to_string(), printed.to_string(), "printed twice");
    for module in &api.modules {
        for service in &module.services {
            let printed = canonical_service(api, module, service);
            // Which paths are the server's depends on base, which is said beside a service and not by it.
            let settings = json!({ "base": api.base }).to_string().into_bytes();
            let service_alone = (PathBuf::from("service.json"), printed.to_string().into_bytes());
            let again = model(read(vec![(PathBuf::from("app.json"), settings), service_alone]));
            assert_eq!(again.modules.len(), 1, "printed as {printed:#}");
            let mut alone = module.clone();
            alone.services = vec![service.clone()];
            let inherited = (api.envelope != EnvelopeName::default()).then(|| api.envelope.clone());
            alone.envelope = module.envelope.clone().or(inherited);
            assert_eq!(again.modules[0], alone, "printed as {printed:#}");
        }
    }
}

#[test]
fn good_definitions_print_and_load() {
    for path in folders("good") {
        assert_same(&model(rulebook::definition::load(&path)));
    }
}

/// A definition that is written as rules.
fn rules() -> generate::Generated {
    let text = include_str!("../definitions/good/rules/user.json");
    let rules = text.lines().filter(|line| !line.starts_with("//")).collect::<String>();
    generate::Generated { files: vec![("user.json".to_owned(), serde_json::from_str(&rules).expect("JSON"))] }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_definitions_print_and_load(generated in generate::definitions()) {
        assert_same(&model(read(generated.bytes())));
    }

    /// The same of what is written as rules.
    #[test]
    fn rules_without_fault_print_and_load(mistaken in generate::mistaken_in(rules())) {
        let (api, report) = judge(read(mistaken.bytes()));
        if report.is_empty() {
            assert_same(&api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }

    /// Whatever is written, it is either told as faulty or means what its print means. Nothing panics.
    #[test]
    fn what_has_no_fault_prints_and_loads(mistaken in generate::mistaken()) {
        let (api, report) = judge(read(mistaken.bytes()));
        if report.is_empty() {
            assert_same(&api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }
}

/// The property above says nothing unless every key is generated; what is generated has to be much of it.
#[test]
fn generated_definitions_have_every_key() {
    let mut seen = BTreeSet::new();
    let mut runner = TestRunner::deterministic();
    let mut methods = 0;
    for _ in 0..200 {
        let generated = generate::definitions().new_tree(&mut runner).expect("a definition").current();
        for (_, json) in &generated.files {
            collect(json, &mut seen);
        }
        let api = model(read(generated.bytes()));
        methods += api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods).count();
    }
    let missing: BTreeSet<_> = keys().filter(|key| !seen.contains(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(methods > 1_000, "only {methods} methods");
}

/// Every key of the tree dialect that the author does not choose.
fn keys() -> impl Iterator<Item = &'static str> {
    use rulebook::definition::keys::{
        APP, ATTRIBUTES, CONTACT, CORS, ERROR, Keys, LICENSE, LIMITS, METHOD, MODULE, OPTIONS, PARAMETER, PHALAPI,
        SERVER, SERVICE,
    };
    let tables = [
        &APP,
        &CONTACT,
        &LICENSE,
        &SERVER,
        &LIMITS,
        &CORS,
        &PHALAPI,
        &SERVICE,
        &MODULE,
        &METHOD,
        &PARAMETER,
        &ATTRIBUTES,
        &ERROR,
        &OPTIONS,
    ];
    tables.into_iter().flat_map(Keys::iter).map(|key| key.name)
}

fn collect(json: &Json, seen: &mut BTreeSet<String>) {
    match json {
        Json::Object(members) => {
            seen.extend(members.keys().cloned());
            members.values().for_each(|value| collect(value, seen));
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, seen)),
        _ => {}
    }
}
