//! Checks canonical definitions: the canonical definition that is generated from a model must load as the same model.

use std::path::PathBuf;

use rulebook_model::describe::{canonical_definition, canonical_service_definition};
use rulebook_model::model::{Api, EnvelopeName, Module, Schema};
use rulebook_model::read;
use rulebook_model::types::all_referenced_schemas;
use serde_json::{Value as Json, json};

use crate::WithoutSpans;

/// Returns the model of a definition that consists of one file.
fn load_definition(file: &str, document: &Json) -> Api {
    let text = format!("{document:#}");
    read(vec![(PathBuf::from(file), text.into_bytes())]).expect("canonical text has no errors")
}

/// Returns the schemas to which the methods of an API module refer. A definition of the services alone contains only
/// these, as schemas of the module.
pub fn used_schemas(api: &Api, module: &Module) -> Vec<Schema> {
    let methods = || module.services.iter().flat_map(|service| &service.methods);
    let parameters = methods().flat_map(|method| &method.parameters).map(|parameter| &parameter.r#type);
    let outputs = methods().flat_map(|method| &method.outputs).map(|output| &output.r#type);
    let used: Vec<_> = parameters.chain(outputs).flat_map(|r#type| all_referenced_schemas(&*r#type.check)).collect();
    let declared = module.schemas.iter().chain(&api.schemas);
    let is_used = |schema: &&Schema| used.iter().any(|other| other.key() == schema.key);
    let mut schemas: Vec<_> = declared.filter(is_used).cloned().collect();
    // The modules have equal schemas, or only one of them has a schema with this name.
    schemas.iter_mut().for_each(|schema| schema.key.clone_from(&schema.name));
    schemas.sort_by(|one, other| one.name.cmp(&other.name));
    schemas
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
            // A definition without the service of the successor is not complete.
            let ids: Vec<_> = service.methods.iter().map(|method| &method.id).collect();
            let successors = service.methods.iter().filter_map(|method| method.options.deprecation.as_ref());
            if successors.filter_map(|it| it.successor.as_ref()).any(|successor| !ids.contains(&&successor.value)) {
                continue;
            }
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
            let inherited = (!api.rate_limits.is_empty()).then(|| api.rate_limits.clone());
            alone.rate_limits = module.rate_limits.clone().or(inherited);
            alone.schemas = used_schemas(api, &alone);
            assert_eq!(again.modules[0], alone, "printed as {printed:#}");
        }
    }
}
