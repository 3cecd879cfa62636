//! Swagger UI, out of the program itself: it works without any other host.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use url::form_urlencoded;
use utoipa_swagger_ui::{Config, Url, serve};

use super::policy::Keep;
use crate::call::{Head, Refusal};
use crate::pipeline::{MODULE, PART, told};
use crate::plan::{Document, Documents, Plan};

/// What the page consists of. All else that the package has (sources, maps, the end of an OAuth login) is not
/// used by it.
const PARTS: [Listed; 8] = [
    ("", "text/html; charset=utf-8", Keep::Asking),
    INITIALIZER,
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", Keep::Hour),
    ("swagger-ui-standalone-preset.js", "text/javascript; charset=utf-8", Keep::Hour),
    ("swagger-ui.css", "text/css; charset=utf-8", Keep::Hour),
    ("index.css", "text/css; charset=utf-8", Keep::Hour),
    ("favicon-16x16.png", "image/png", Keep::Hour),
    ("favicon-32x32.png", "image/png", Keep::Hour),
];

/// The part that says which documents are shown, and how.
const INITIALIZER: Listed = ("swagger-initializer.js", "text/javascript; charset=utf-8", Keep::Asking);

/// A part as the package has it: its name, its media type.
type Listed = (&'static str, &'static str, Keep);

/// The most operations that are shown at once. To show one takes a browser milliseconds.
const MOST_SHOWN: usize = 200;

/// The whole document. Relative, so that it is found behind any prefix.
const OPENAPI: &str = "../../openapi.json";

/// A part by its name.
type Part = (&'static str, Document, Keep);

/// The parts, made ready when the first of them is asked for.
static READY: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let config = Arc::new(config(whole(), "list"));
    let ready = PARTS.into_iter().filter_map(|(name, media_type, keep)| {
        let bytes = match served(name, &config)? {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => Bytes::from(bytes),
        };
        Some((name, Document::new(media_type, bytes), keep))
    });
    ready.collect()
});

/// What the package has by a name. It has every part, and the settings are plain JSON: a test asks for each.
fn served<'a>(name: &str, config: &Arc<Config<'a>>) -> Option<Cow<'a, [u8]>> {
    serve(name, Arc::clone(config)).ok()?.map(|file| file.bytes)
}

/// The whole document, whose modules are found by their names.
fn whole() -> Config<'static> {
    Config::new([OPENAPI]).use_base_layout().filter(true)
}

/// How documents are shown.
fn config<'a>(config: Config<'a>, expansion: &str) -> Config<'a> {
    config
        .validator_url("none")
        .deep_linking(true)
        // Large APIs have thousands of schemas, which each operation shows where it needs them.
        .default_models_expand_depth(-1)
        .doc_expansion(expansion)
        .display_operation_id(true)
        .display_request_duration(true)
        .persist_authorization(true)
        .try_it_out_enabled(true)
}

/// The part of this name, for the page of an API; the page itself has none.
///
/// # Errors
/// The documents cannot be made.
pub(super) async fn find(name: &str, plan: &Plan, head: &Head) -> Result<Option<(Document, Keep)>, Refusal> {
    let (own, media_type, keep) = INITIALIZER;
    if name == own && plan.methods.len() > MOST_SHOWN {
        let bytes = of_many(plan, head).await?;
        return Ok(bytes.map(|bytes| (Document::new(media_type, bytes), keep)));
    }
    Ok(READY.iter().find(|(own, ..)| *own == name).map(|(_, document, keep)| (document.clone(), *keep)))
}

/// The initializer for an API of many methods. In a document of thousands of operations Swagger UI takes seconds for
/// each step, since it goes through all of it again: such an API is shown module by module, and large modules part by
/// part.
async fn of_many(plan: &Plan, head: &Head) -> Result<Option<Vec<u8>>, Refusal> {
    // Who is only told of what that one may call is not told the names of modules here.
    let parts = if plan.documents.own { Vec::new() } else { parts(plan, told(plan, head).await?.documents()) };
    let shown = if parts.len() < 2 {
        config(whole(), "none")
    } else {
        config(Config::new(parts.iter().map(|(name, url)| Url::new(name, url))), "list")
    };
    Ok(served(INITIALIZER.0, &Arc::new(shown)).map(Cow::into_owned))
}

/// What an API is shown in: what each part is called, and where its document is.
fn parts(plan: &Plan, documents: &Documents) -> Vec<(String, String)> {
    let used: HashSet<_> = plan.methods.iter().map(|method| method.module).collect();
    let mut parts = Vec::new();
    for (_, module) in plan.modules.iter().enumerate().filter(|(index, _)| used.contains(index)) {
        let query = |number: Option<&str>| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair(MODULE, &module.name).extend_pairs(number.map(|number| (PART, number)));
            format!("{OPENAPI}?{}", query.finish())
        };
        let numbers = (1..).map(|number| u32::to_string(&number));
        let name = |number: &str| Documents::part_name(&module.name, number);
        let all: Vec<_> = numbers.take_while(|number| documents.parts.find(&name(number)).is_some()).collect();
        if all.len() > 1 {
            parts.extend(all.iter().map(|number| (name(number), query(Some(number)))));
        } else {
            parts.push((module.name.to_string(), query(None)));
        }
    }
    parts
}
