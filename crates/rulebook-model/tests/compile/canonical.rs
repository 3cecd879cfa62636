//! Tests of printed models: if a model is printed as a definition, loading this definition must return the same model.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rulebook_model::definition::read;
use serde_json::Value as Json;

use super::{compile_definition, compile_valid_definition, definition_folders};
use support::canonical::assert_same;
use support::generate;

#[test]
fn printed_definitions_load_to_the_same_model() {
    for path in definition_folders("good") {
        assert_same(&compile_valid_definition(rulebook_model::definition::load(&path)));
    }
}

/// Returns a definition in the dialect `rules`.
fn rules_definition() -> generate::Generated {
    let text = include_str!("../definitions/good/rules/user.json");
    let rules = text.lines().filter(|line| !line.starts_with("//")).collect::<String>();
    generate::Generated { files: vec![("user.json".to_owned(), serde_json::from_str(&rules).expect("JSON"))] }
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn printed_generated_definitions_load_to_the_same_model(generated in generate::definitions()) {
        assert_same(&compile_valid_definition(read(generated.bytes())));
    }

    /// A definition in the dialect `rules` with random changes either has errors, or can be printed and loaded again
    /// with the same model. No step panics.
    #[test]
    fn mutated_rules_are_rejected_or_printed_and_reloaded(mistaken in generate::mutations_of(rules_definition())) {
        let (api, report) = compile_definition(read(mistaken.bytes()));
        if report.is_empty() {
            assert_same(&api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }

    /// A definition with random changes either has errors, or can be printed and loaded again with the same model. No
    /// step panics.
    #[test]
    fn mutated_definitions_are_rejected_or_load_unchanged_after_printing(mistaken in generate::mutated_definitions()) {
        let (api, report) = compile_definition(read(mistaken.bytes()));
        if report.is_empty() {
            assert_same(&api);
        } else {
            prop_assert!(!report.render(false).is_empty());
        }
    }
}

/// The property tests in this file are only meaningful if the generated definitions contain every key and many methods.
#[test]
fn generated_definitions_contain_every_key() {
    let mut seen = BTreeSet::new();
    let mut runner = TestRunner::deterministic();
    let mut methods = 0;
    for _ in 0..200 {
        let generated = generate::definitions().new_tree(&mut runner).expect("a definition").current();
        for (_, json) in &generated.files {
            collect_keys(json, &mut seen);
        }
        let api = compile_valid_definition(read(generated.bytes()));
        methods += api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods).count();
    }
    // Only a program knows which handlers and authenticators are valid, and only the whole API which methods exist; the
    // definitions in `good/handlers` and `good/everything` have these keys. The canonical form describes one version.
    let others = ["handler", "handlers", "auth", "successor", "versions", "since", "until"];
    let is_generated = |key: &&str| !others.contains(key);
    let missing: BTreeSet<_> = tree_dialect_keys().filter(is_generated).filter(|key| !seen.contains(*key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(methods > 1_000, "only {methods} methods");
}

/// Returns every key of the dialect `tree` that has a fixed name. Names that authors of definitions choose are not
/// included.
fn tree_dialect_keys() -> impl Iterator<Item = &'static str> {
    use rulebook_model::definition::keys::{
        APP, CONTACT, CORS, ERROR, KeyTable, LICENSE, LIMITS, METHOD, MODULE, OPTIONS, PARAMETER, PHALAPI, SERVER,
        SERVICE, TYPE_ATTRIBUTES,
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
        &TYPE_ATTRIBUTES,
        &ERROR,
        &OPTIONS,
    ];
    tables.into_iter().flat_map(KeyTable::iter).map(|key| key.name)
}

fn collect_keys(json: &Json, seen: &mut BTreeSet<String>) {
    match json {
        Json::Object(members) => {
            seen.extend(members.keys().cloned());
            members.values().for_each(|value| collect_keys(value, seen));
        }
        Json::Array(items) => items.iter().for_each(|item| collect_keys(item, seen)),
        _ => {}
    }
}
