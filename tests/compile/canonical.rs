//! What is written down from a model loads to the same model.

use std::path::PathBuf;

use proptest::prelude::*;
use rulebook::definition::read;
use rulebook::describe::{canonical, canonical_services};
use rulebook::model::Api;

use super::{folders, model};
use crate::generate;

/// The model of a document of one file.
fn reload(file: &str, document: &serde_json::Value) -> Api {
    let text = format!("{document:#}");
    model(read(vec![(PathBuf::from(file), text.into_bytes())]))
}

fn assert_same(api: &Api) {
    let printed = canonical(api);
    let again = reload("api.json", &printed);
    assert_eq!(&again, api, "printed as {printed:#}");
    assert_eq!(canonical(&again).to_string(), printed.to_string(), "printed twice");
    for module in &api.modules {
        for service in &module.services {
            let printed = canonical_services(module, &[service]);
            // The settings are the API's, not the service's; only the zone and types take part in reading it.
            let again = reload("service.json", &printed);
            assert_eq!(again.modules.len(), 1, "printed as {printed:#}");
            let mut alone = module.clone();
            alone.services = vec![service.clone()];
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_definitions_print_and_load(generated in generate::definitions()) {
        assert_same(&model(read(generated.bytes())));
    }
}
