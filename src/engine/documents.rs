//! The documents of an API, made ready to be sent.

use serde_json::Value as Json;

use crate::describe;
use crate::model::Api;
use crate::plan::{Above, Description, Document, Documents, Routes};

/// Everything that describes an API.
pub(super) fn documents(api: &Api) -> Documents {
    let mut routes = Routes::default();
    let mut above = Vec::new();
    for uri in describe::uris_above(api) {
        // A path that is there twice is described once.
        if routes.insert(&uri.path, above.len(), uri.ignore_case).is_ok() {
            let json = describe::options_above(api, &uri);
            let markdown = describe::markdown_above(api, &uri);
            above.push(Above { length: uri.path.len(), description: description(&json, markdown) });
        }
    }
    Documents {
        all: description(&describe::options_all(api), describe::markdown_all(api)),
        routes,
        above: above.into(),
        openapi: json(&describe::openapi(api)),
        llms: Document::new("text/plain; charset=utf-8", describe::markdown_all(api)),
    }
}

/// What OPTIONS answers for each service, in order.
pub(super) fn services(api: &Api) -> Vec<Description> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |own| (module, own)));
    services
        .map(|(module, own)| {
            let json = describe::options_service(api, module, own);
            description(&json, describe::markdown_service(api, module, own))
        })
        .collect()
}

fn description(options: &Json, markdown: String) -> Description {
    Description { json: json(options), markdown: Document::new("text/markdown; charset=utf-8", markdown) }
}

fn json(value: &Json) -> Document {
    // A JSON value always serialises.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    Document::new("application/json", text)
}
