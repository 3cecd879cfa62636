//! The documents of an API, made ready to be sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::describe::{self, Uris};
use crate::model::Api;
use crate::plan::{Above, Description, Document, Documents, Make, Page, Pages, Routes};

/// Everything that describes an API.
///
/// The schemas are partly the program's own code: where that panics there are no documents, and calls still work.
pub(super) fn documents(api: &Arc<Api>) -> Documents {
    catch_unwind(AssertUnwindSafe(|| all(api))).unwrap_or_else(|_| {
        log::error!("the documents cannot be made: the schema of a type panics");
        none(api)
    })
}

fn all(api: &Arc<Api>) -> Documents {
    let uris = describe::uris(api);
    let all = description(&describe::options_all(api, &uris), describe::markdown_all(api, &uris));
    let (routes, above) = above(&uris);
    let service = |uri| description(&describe::options_service(api, uri), describe::markdown_service(uri));
    let people = describe::Pages::new(Arc::clone(api));
    Documents {
        openapi: json(&describe::openapi(api)),
        llms: Document::new("text/plain; charset=utf-8", people.llms()),
        all,
        services: uris.services.iter().map(service).collect(),
        routes,
        above,
        pages: pages(people),
    }
}

/// The pages for people.
fn pages(pages: describe::Pages) -> Pages {
    let html = |text: String| Document::new("text/html; charset=utf-8", text);
    let page = move |(text, other): (String, String)| Page { html: html(text), markdown: markdown(other) };
    let paths = pages.paths();
    let pages = Arc::new(pages);
    let found = Arc::clone(&pages);
    Pages::new(
        paths,
        Make {
            page: Box::new(move |index| page((pages.html(index), pages.markdown(index)))),
            search: Box::new(move |words| page(found.search(words))),
        },
    )
}

fn none(api: &Api) -> Documents {
    let empty = description(&Json::Object(Map::new()), String::new());
    let services = api.modules.iter().map(|module| module.services.len()).sum();
    Documents {
        openapi: empty.json.clone(),
        llms: empty.markdown.clone(),
        services: vec![empty.clone(); services].into(),
        all: empty,
        routes: Routes::default(),
        above: Box::default(),
        pages: Pages::default(),
    }
}

/// What OPTIONS answers above services, and the way there.
fn above(uris: &Uris<'_>) -> (Routes, Box<[Above]>) {
    let mut routes = Routes::default();
    let mut above = Vec::with_capacity(uris.above.len());
    for uri in &uris.above {
        // No URI is there twice.
        if routes.insert(uri.path, above.len(), uri.ignore_case).is_ok() {
            let description = description(&describe::options_above(uri), describe::markdown_above(uri));
            above.push(Above { length: uri.path.len(), description });
        }
    }
    (routes, above.into())
}

fn description(options: &Json, markdown: String) -> Description {
    Description { json: json(options), markdown: self::markdown(markdown) }
}

fn markdown(text: String) -> Document {
    Document::new("text/markdown; charset=utf-8", text)
}

fn json(value: &Json) -> Document {
    // A JSON value always serialises.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    Document::new("application/json", text)
}
