//! Serves Swagger UI, a web page that shows OpenAPI documents. It is built into the program and loads nothing from
//! other servers.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use url::form_urlencoded;
use utoipa_swagger_ui::{Config, Url, serve};

use super::BrowserCaching;
use crate::call::{ApiError, Head};
use crate::pipeline::{MODULE_FIELD, PART_FIELD, find_audience_documents};
use crate::plan::{Document, Documents, Plan};

/// The files that the page of Swagger UI consists of. Other files of the package are omitted: sources, source maps, and
/// the page to which OAuth logins redirect.
const SWAGGER_FILES: [FileEntry; 8] = [
    (PAGE_NAME, "text/html; charset=utf-8", BrowserCaching::Revalidate),
    INITIALIZER_FILE,
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", BrowserCaching::Hour),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8", BrowserCaching::Hour),
    ("swagger-ui.css", "text/css; charset=utf-8", BrowserCaching::Hour),
    ("index.css", "text/css; charset=utf-8", BrowserCaching::Hour),
    ("favicon-16x16.png", "image/png", BrowserCaching::Hour),
    ("favicon-32x32.png", "image/png", BrowserCaching::Hour),
];

const PAGE_NAME: &str = "";

/// Added to the head of the page: the width of phones, and the color scheme of the documentation pages.
const ADDED_HEAD: &str = "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n    \
    <link rel=\"stylesheet\" href=\"../theme.css\">\n    <link rel=\"stylesheet\" href=\"../swagger.css\">\n    \
    <script src=\"../theme.js\"></script>\n    <script src=\"../swagger.js\"></script>\n  ";

/// Added to the beginning of the body of the page: a link to the documentation pages.
const ADDED_BODY: &str =
    "<nav class=\"docs-bar\" aria-label=\"Documents\"><a href=\"../\">Documentation</a></nav>\n    ";

/// The script that decides which OpenAPI documents are shown, and in which form.
const INITIALIZER_FILE: FileEntry =
    ("swagger-initializer.js", "text/javascript; charset=utf-8", BrowserCaching::Revalidate);

/// The name of a file, its media type, and how long a browser may cache it.
type FileEntry = (&'static str, &'static str, BrowserCaching);

/// The maximum number of operations in one OpenAPI document. A browser needs some milliseconds to display each
/// operation.
const MAX_OPERATIONS_PER_DOCUMENT: usize = 200;

/// The URL of the whole OpenAPI document. It is a relative reference, so that it is correct behind a proxy that adds a
/// prefix to all paths.
const OPENAPI_URL: &str = "../../openapi.json";

/// A file that can be sent: its name, its content, and how long a browser may cache it.
type PreparedFile = (&'static str, Document, BrowserCaching);

/// The files as documents, which can be sent. They are created when the first of them is requested.
static PREPARED_FILES: LazyLock<Vec<PreparedFile>> = LazyLock::new(|| {
    let config = Arc::new(with_display_settings(whole_document_config(), "list"));
    let prepared = SWAGGER_FILES.into_iter().filter_map(|(name, media_type, caching)| {
        let bytes = match packaged_file(name, &config)? {
            bytes if name == PAGE_NAME => Bytes::from(adapted_page(&String::from_utf8_lossy(&bytes))),
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((name, Document::new(media_type, bytes), caching))
    });
    prepared.collect()
});

/// Returns a file of the package; `None` if the package does not contain it. A test requests every file of
/// [`SWAGGER_FILES`], and so checks that all of them exist.
fn packaged_file<'a>(name: &str, config: &Arc<Config<'a>>) -> Option<Cow<'a, [u8]>> {
    serve(name, Arc::clone(config)).ok()?.map(|file| file.bytes)
}

fn adapted_page(page: &str) -> String {
    let with_head = page.replacen("</head>", &format!("  {ADDED_HEAD}</head>"), 1);
    with_head.replacen("<div id=\"swagger-ui\">", &format!("{ADDED_BODY}<div id=\"swagger-ui\">"), 1)
}

/// Returns the settings with which Swagger UI shows the whole OpenAPI document, and a field to filter it by API module.
fn whole_document_config() -> Config<'static> {
    Config::new([OPENAPI_URL]).use_base_layout().filter(true)
}

/// Adds the settings that do not depend on the document. `expansion` sets which parts of it are shown unfolded.
fn with_display_settings<'a>(config: Config<'a>, expansion: &str) -> Config<'a> {
    config
        .validator_url("none")
        .deep_linking(true)
        // The list of all schemas is hidden, because a large API has thousands. Each operation shows the schemas that
        // it uses.
        .default_models_expand_depth(-1)
        .doc_expansion(expansion)
        .display_operation_id(true)
        .display_request_duration(true)
        .persist_authorization(true)
        .try_it_out_enabled(true)
}

/// Returns the file with this name, and how long a browser may cache it. The name of the page itself is empty. Fails
/// if the documents of the API cannot be generated.
pub(crate) async fn find_file(
    name: &str,
    plan: &Plan,
    head: &Head,
) -> Result<Option<(Document, BrowserCaching)>, ApiError> {
    let (initializer, media_type, caching) = INITIALIZER_FILE;
    if name == initializer && plan.methods.len() > MAX_OPERATIONS_PER_DOCUMENT {
        let bytes = initializer_by_module(plan, head).await?;
        return Ok(bytes.map(|bytes| (Document::new(media_type, bytes), caching)));
    }
    Ok(PREPARED_FILES
        .iter()
        .find(|(file, ..)| *file == name)
        .map(|(_, document, caching)| (document.clone(), *caching)))
}

/// Returns the initializer script for an API with many methods. It lets Swagger UI show one API module at a time, and a
/// large API module in parts. Swagger UI processes all operations of a document at each step, which takes seconds if
/// there are thousands.
async fn initializer_by_module(plan: &Plan, head: &Head) -> Result<Option<Vec<u8>>, ApiError> {
    // If documents depend on the caller, the modules are not listed, because some may be hidden from the caller.
    let parts = if plan.documents.is_limited_to_caller {
        Vec::new()
    } else {
        documents_to_show(plan, find_audience_documents(plan, head).await?.documents())
    };
    let shown = if parts.len() < 2 {
        with_display_settings(whole_document_config(), "none")
    } else {
        with_display_settings(Config::new(parts.iter().map(|(name, url)| Url::new(name, url))), "list")
    };
    Ok(packaged_file(INITIALIZER_FILE.0, &Arc::new(shown)).map(Cow::into_owned))
}

/// Returns one document for each API module, or several for a large one.
fn documents_to_show(plan: &Plan, documents: &Documents) -> Vec<(String, String)> {
    let used: HashSet<_> = plan.methods.iter().map(|method| method.module_index).collect();
    let mut parts = Vec::new();
    for (_, module) in plan.modules.iter().enumerate().filter(|(index, _)| used.contains(index)) {
        let query = |number: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair(MODULE_FIELD, &module.name).extend_pairs(number.map(|number| (PART_FIELD, number)));
            format!("{OPENAPI_URL}?{}", query.finish())
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
