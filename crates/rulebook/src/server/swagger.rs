//! Serves Swagger UI, which is built into the program and loads nothing from other hosts.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use url::form_urlencoded;
use utoipa_swagger_ui::{Config, Url, serve};

use super::browser_policy::Keep;
use crate::call::{ApiError, Head};
use crate::pipeline::{MODULE_FIELD, PART_FIELD, find_audience_documents};
use crate::plan::{Document, Documents, Plan};

/// The files that the page loads. Other files of the package are omitted: sources, source maps, and the redirect page
/// of OAuth logins.
const FILES: [FileEntry; 8] = [
    ("", "text/html; charset=utf-8", Keep::Revalidate),
    INITIALIZER,
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", Keep::Hour),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8", Keep::Hour),
    ("swagger-ui.css", "text/css; charset=utf-8", Keep::Hour),
    ("index.css", "text/css; charset=utf-8", Keep::Hour),
    ("favicon-16x16.png", "image/png", Keep::Hour),
    ("favicon-32x32.png", "image/png", Keep::Hour),
];

/// The script that decides which documents are shown, and how.
const INITIALIZER: FileEntry = ("swagger-initializer.js", "text/javascript; charset=utf-8", Keep::Revalidate);

/// The name, media type and caching of a file.
type FileEntry = (&'static str, &'static str, Keep);

/// The maximum number of operations in one document: a browser needs milliseconds to display each of them.
const MAX_OPERATIONS: usize = 200;

/// The URL of the whole OpenAPI document, as a relative reference, so that it is correct behind any path prefix.
const OPENAPI: &str = "../../openapi.json";

/// A prepared file.
type PreparedFile = (&'static str, Document, Keep);

/// The files as documents, which are created when the first of them is requested.
static PREPARED: LazyLock<Vec<PreparedFile>> = LazyLock::new(|| {
    let config = Arc::new(config(whole_document(), "list"));
    let prepared = FILES.into_iter().filter_map(|(name, media_type, keep)| {
        let bytes = match packaged_file(name, &config)? {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((name, Document::new(media_type, bytes), keep))
    });
    prepared.collect()
});

/// Returns a file of the package, or `None` if the package does not have it. A test requests each file, and thereby
/// checks that all of them exist.
fn packaged_file<'a>(name: &str, config: &Arc<Config<'a>>) -> Option<Cow<'a, [u8]>> {
    serve(name, Arc::clone(config)).ok()?.map(|file| file.bytes)
}

/// Returns the settings for the whole document, in which modules are filtered by their names.
fn whole_document() -> Config<'static> {
    Config::new([OPENAPI]).use_base_layout().filter(true)
}

/// Adds the settings for how documents are shown.
fn config<'a>(config: Config<'a>, expansion: &str) -> Config<'a> {
    config
        .validator_url("none")
        .deep_linking(true)
        // A list of all schemas is not shown, because large APIs have thousands. Each operation shows the schemas that
        // it uses.
        .default_models_expand_depth(-1)
        .doc_expansion(expansion)
        .display_operation_id(true)
        .display_request_duration(true)
        .persist_authorization(true)
        .try_it_out_enabled(true)
}

/// Returns the file with this name; the page itself has an empty name.
///
/// # Errors
/// Fails if the documents cannot be rendered.
pub(super) async fn find(name: &str, plan: &Plan, head: &Head) -> Result<Option<(Document, Keep)>, ApiError> {
    let (initializer, media_type, keep) = INITIALIZER;
    if name == initializer && plan.methods.len() > MAX_OPERATIONS {
        let bytes = initializer_by_module(plan, head).await?;
        return Ok(bytes.map(|bytes| (Document::new(media_type, bytes), keep)));
    }
    Ok(PREPARED.iter().find(|(file, ..)| *file == name).map(|(_, document, keep)| (document.clone(), *keep)))
}

/// Returns the initializer for an API with many methods, which shows one module at a time, and large modules in parts.
/// Swagger UI processes the whole document at each step, which takes seconds with thousands of operations. Returns
/// `None` for a small API.
async fn initializer_by_module(plan: &Plan, head: &Head) -> Result<Option<Vec<u8>>, ApiError> {
    // The list must not contain the names of modules that are hidden from the caller.
    let parts = if plan.documents.is_limited_to_caller {
        Vec::new()
    } else {
        parts(plan, find_audience_documents(plan, head).await?.documents())
    };
    let shown = if parts.len() < 2 {
        config(whole_document(), "none")
    } else {
        config(Config::new(parts.iter().map(|(name, url)| Url::new(name, url))), "list")
    };
    Ok(packaged_file(INITIALIZER.0, &Arc::new(shown)).map(Cow::into_owned))
}

/// Returns the name and the URL of the document of each module, or of each part of a large module.
fn parts(plan: &Plan, documents: &Documents) -> Vec<(String, String)> {
    let used: HashSet<_> = plan.methods.iter().map(|method| method.module_index).collect();
    let mut parts = Vec::new();
    for (_, module) in plan.modules.iter().enumerate().filter(|(index, _)| used.contains(index)) {
        let query = |number: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair(MODULE_FIELD, &module.name).extend_pairs(number.map(|number| (PART_FIELD, number)));
            format!("{OPENAPI}?{}", query.finish())
        };
        let numbers = (1..).map(|number| u32::to_string(&number));
        let name = |number: &str| Documents::module_part_name(&module.name, number);
        let all: Vec<_> =
            numbers.take_while(|number| documents.published.parts.find_index(&name(number)).is_some()).collect();
        if all.len() > 1 {
            parts.extend(all.iter().map(|number| (name(number), query(Some(number)))));
        } else {
            parts.push((module.name.to_string(), query(None)));
        }
    }
    parts
}
