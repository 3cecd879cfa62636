//! The definition that is generated from a model loads as the same model.

use std::path::PathBuf;

use rulebook_model::describe::{canonical, canonical_service};
use rulebook_model::model::{Api, EnvelopeName};
use rulebook_model::read;
use serde_json::{Value as Json, json};

/// Returns the model of a definition in one file.
fn reload(file: &str, document: &Json) -> Api {
    let text = format!("{document:#}");
    read(vec![(PathBuf::from(file), text.into_bytes())]).expect("canonical text has no errors")
}

/// Asserts that the canonical form of an API, and that of each of its services, load as the same models.
pub fn assert_same(api: &Api) {
    let api = &api.clone().without_spans();
    let printed = canonical(api);
    let again = reload("api.json", &printed);
    assert_eq!(&again.clone().without_spans(), api, "printed as {printed:#}");
    assert_eq!(canonical(&again).to_string(), printed.to_string(), "printed twice");
    for module in &api.modules {
        for service in &module.services {
            let printed = canonical_service(api, module, service);
            // The base path decides which paths belong to the server. It is a setting, and not part of a service's document.
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
