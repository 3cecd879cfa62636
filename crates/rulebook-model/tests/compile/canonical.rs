//! If a model is printed as a definition, loading that definition returns the same model.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rulebook_model::definition::read;
use serde_json::Value as Json;

use super::{check, folders, model};
use support::canonical::assert_same;
use support::generate;

#[test]
fn valid_definitions_print_and_load() {
    for path in folders("good") {
        assert_same(&model(rulebook_model::definition::load(&path)));
    }
}

/// A definition in the dialect `rules`.
fn rules() -> generate::Generated {
    let text = include_str!("../definitions/good/rules/user.json");
    let rules = text.lines().filter(|line| !line.starts_with("//")).collect::<String>();
    generate::Generated { files: vec![("user.json".to_owned(), serde_json::from_str(&rules).expect("JSON"))] }
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn generated_definitions_print_and_load(generated in generate::definitions()) {
        assert_same(&model(read(generated.bytes())));
    }

    /// Mutated rules either have errors, or can be printed and loaded again with the same model. Nothing panics.
    #[test]
    fn valid_mutated_rules_print_and_load(mistaken in generate::mutations_of(rules())) {
        let (api, report) = check(read(mistaken.bytes()));
        if report.is_empty() {
            assert_same(&api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }

    /// Mutated definitions either have errors, or can be printed and loaded again with the same model. Nothing panics.
    #[test]
    fn valid_mutated_definitions_print_and_load(mistaken in generate::mutated_definitions()) {
        let (api, report) = check(read(mistaken.bytes()));
        if report.is_empty() {
            assert_same(&api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }
}

/// The properties above are meaningful only if every key is generated, and many methods are.
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

/// Returns every key of the dialect `tree`, without names that authors choose.
fn keys() -> impl Iterator<Item = &'static str> {
    use rulebook_model::definition::keys::{
        APP, ATTRIBUTES, CONTACT, CORS, ERROR, KeyTable, LICENSE, LIMITS, METHOD, MODULE, OPTIONS, PARAMETER, PHALAPI,
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
    tables.into_iter().flat_map(KeyTable::iter).map(|key| key.name)
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
