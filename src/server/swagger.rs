//! Swagger UI, out of the program itself: it works without any other host.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use utoipa_swagger_ui::{Config, serve};

use super::policy::Keep;
use crate::plan::Document;

/// What the page consists of. All else that the package has (sources, maps, the end of an OAuth login) is not
/// used by it.
const PARTS: [(&str, &str, Keep); 8] = [
    ("", "text/html; charset=utf-8", Keep::Asking),
    ("swagger-initializer.js", "text/javascript; charset=utf-8", Keep::Asking),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", Keep::Hour),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8", Keep::Hour),
    ("swagger-ui.css", "text/css; charset=utf-8", Keep::Hour),
    ("index.css", "text/css; charset=utf-8", Keep::Hour),
    ("favicon-16x16.png", "image/png", Keep::Hour),
    ("favicon-32x32.png", "image/png", Keep::Hour),
];

/// The most operations that are shown at once. To show one takes a browser milliseconds.
const MOST_SHOWN: usize = 200;

/// A part by its name.
type Part = (&'static str, Document, Keep);

/// The parts, made ready when the first of them is asked for.
static READY: LazyLock<Vec<Part>> = LazyLock::new(|| ready("list"));

/// Those for an API whose operations are shown tag by tag, when somebody opens it.
static READY_BY_TAGS: LazyLock<Vec<Part>> = LazyLock::new(|| ready("none"));

fn ready(expansion: &str) -> Vec<Part> {
    // Relative, so that it is found behind any prefix.
    let config = Config::new(["../../openapi.json"])
        .use_base_layout()
        .validator_url("none")
        .deep_linking(true)
        .filter(true)
        // Large APIs have thousands of schemas, which each operation shows where it needs them.
        .default_models_expand_depth(-1)
        .doc_expansion(expansion)
        .display_operation_id(true)
        .display_request_duration(true)
        .persist_authorization(true)
        .try_it_out_enabled(true);
    let config = Arc::new(config);
    let ready = PARTS.into_iter().filter_map(|(name, media_type, keep)| {
        // The package has every part, and the settings are plain JSON: a test asks for each.
        let file = serve(name, Arc::clone(&config)).ok()??;
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((name, Document::new(media_type, bytes), keep))
    });
    ready.collect()
}

/// The part of this name, for an API of so many methods; the page itself has none.
pub(super) fn find(name: &str, methods: usize) -> Option<(&'static Document, Keep)> {
    let parts = if methods <= MOST_SHOWN { &READY } else { &READY_BY_TAGS };
    parts.iter().find(|(own, ..)| *own == name).map(|(_, document, keep)| (document, *keep))
}
