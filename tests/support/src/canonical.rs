//! Checks canonical definitions: the canonical definition that is generated from a model must load as the same model.

use std::path::PathBuf;

use rulebook_model::describe::{canonical_definition, canonical_service_definition};
use rulebook_model::model::{Api, EnvelopeName};
use rulebook_model::read;
use serde_json::{Value as Json, json};

/// Returns the model of a definition that consists of one file.
fn load_definition(file: &str, document: &Json) -> Api {
    let text = format!("{document:#}");
    read(vec![(PathBuf::from(file), text.into_bytes())]).expect("canonical text has no errors")
}

/// Asserts that the canonical form of an API loads as the same API, and the canonical form of each service as the same
/// service.
pub fn assert_same(api: &Api) {
    let api = &api.clone().without_spans();
    let printed = canonical_definition(api);
    let again = load_definition("api.json", &printed);
    assert_eq!(&again.clone().without_spans(), api, "printed as {printed:#}");
    assert_eq!(canonical_definition(&again).to_string(), printed.to_string(), "printed twice");
    for module in &api.modules {
        for service in &module.services {
            let printed = canonical_service_definition(api, module, service);
            // The base path is a setting, so that the canonical form of a service does not contain it.
            let settings = json!({ "base": api.base }).to_string().into_bytes();
            let service_alone = (PathBuf::from("service.json"), printed.to_string().into_bytes());
            let files = vec![(PathBuf::from("app.json"), settings), service_alone];
            let again = read(files).expect("the canonical text of a service has no errors").without_spans();
            assert_eq!(again.modules.len(), 1, "printed as {printed:#}");
            let mut alone = module.clone();
            alone.services = vec![service.clone()];
            let inherited = (api.envelope != EnvelopeName::default()).then(|| api.envelope.clone());
            alone.envelope = module.envelope.clone().or(inherited);
            assert_eq!(again.modules[0], alone, "printed as {printed:#}");
        }
    }
}
