//! Renders the documents that need the feature `documents`: the OpenAPI documents, the documentation pages,
//! `/llms.txt`, the TypeScript declarations, and the descriptions in Markdown for OPTIONS. If the feature is disabled,
//! the Rust module of the same name at the end of `engine/mod.rs` is compiled instead of this file.

use std::sync::{Arc, OnceLock};

use rulebook_model::describe::{self, IntermediateUri, ModulePart, OpenapiDetail, PageForm, ServiceUri, Uris};
use rulebook_model::model::{Api, ApiDocument};

use super::documents::{catch_rendering_panic, json_document};
use crate::plan::{Document, Documents, PageRenderer, PublishedDocuments, RenderedOnDemand, RenderedPage};

/// Renders the documents of an API. `requested` is `true` if `api` contains only what one caller may call, and the
/// caller has requested this with `as=me`. `listening_url` is the URL of the address on which the server listens.
pub(super) fn render_published(
    api: &Arc<Api>,
    requested: bool,
    listening_url: &Arc<OnceLock<String>>,
) -> PublishedDocuments {
    let pages = describe::Pages::new(Arc::clone(api), requested)
        .with_swagger_ui(cfg!(feature = "swagger-ui"))
        .with_listening_url(Arc::clone(listening_url));
    let pages = Arc::new(pages);
    let (modules, parts) = module_documents(api);
    let (api, pages_of_llms) = (Arc::clone(api), Arc::clone(&pages));
    let render = move |document| {
        catch_rendering_panic(|| render_document(document, &api, &pages_of_llms))
            .unwrap_or_else(|| PublishedDocuments::empty_document(document))
    };
    let (pages, page_renderer) = pages_on_demand(&pages);
    PublishedDocuments {
        of_whole_api: Default::default(),
        render: Box::new(render),
        modules,
        parts,
        pages,
        page_renderer: Some(page_renderer),
    }
}

fn render_document(document: ApiDocument, api: &Api, pages: &describe::Pages) -> Document {
    let text = |text: String| Document::new("text/plain; charset=utf-8", text);
    match document {
        ApiDocument::OpenApi => openapi_document(api, None, OpenapiDetail::Full),
        ApiDocument::LeanOpenApi => openapi_document(api, None, OpenapiDetail::Lean),
        ApiDocument::LlmsTxt => text(pages.llms()),
        ApiDocument::LlmsFullTxt => text(pages.llms_full()),
        ApiDocument::ApiCatalog => Document::new(PublishedDocuments::CATALOG_MEDIA_TYPE, pages.api_catalog()),
        ApiDocument::TypeScript => text(describe::typescript(api)),
    }
}

pub(super) fn markdown_for_api(api: &Api, uris: &Uris<'_>) -> Option<Document> {
    Some(markdown_document(describe::markdown_for_api(api, uris)))
}

/// Returns the description of a parent path in Markdown. A parent path is not the path of a service, but the API has
/// services below it.
pub(super) fn markdown_parent(uri: &IntermediateUri<'_>) -> Option<Document> {
    Some(markdown_document(describe::markdown_for_intermediate_uri(uri)))
}

pub(super) fn markdown_for_service(api: &Api, uri: &ServiceUri<'_>) -> Option<Document> {
    Some(markdown_document(describe::markdown_for_service(api, uri)))
}

fn markdown_document(text: String) -> Document {
    Document::new("text/markdown; charset=utf-8", text)
}

fn openapi_document(api: &Api, part: Option<&ModulePart>, detail: OpenapiDetail) -> Document {
    json_document(|writer| describe::write_openapi(api, part, detail, writer))
}

/// Returns those of the modules, and those of the parts into which large modules are divided.
fn module_documents(api: &Arc<Api>) -> (RenderedOnDemand<Document>, RenderedOnDemand<Document>) {
    let modules =
        || api.modules.iter().enumerate().map(|(index, module)| (&module.name, ModulePart::whole_module(api, index)));
    let parts = modules().flat_map(|(name, part)| {
        let numbered = (1..).zip(part.split());
        numbered.map(|(number, part)| (Documents::module_part_name(name, &u32::to_string(&number)), part))
    });
    (openapi_documents(api, modules().map(|(name, part)| (name.clone(), part))), openapi_documents(api, parts))
}

/// Returns an OpenAPI document for each part of the API, by the name of the part, and a lean one.
fn openapi_documents(api: &Arc<Api>, parts: impl Iterator<Item = (String, ModulePart)>) -> RenderedOnDemand<Document> {
    let (names, parts): (Vec<_>, Vec<_>) = parts.unzip();
    let lean_names = names.iter().map(|name| Documents::lean_name(name));
    let names = names.iter().cloned().chain(lean_names).collect();
    let api = Arc::clone(api);
    RenderedOnDemand::new(names, Document::memory_size, move |index| match index.checked_sub(parts.len()) {
        None => openapi_document(&api, parts.get(index), OpenapiDetail::Full),
        Some(index) => openapi_document(&api, parts.get(index), OpenapiDetail::Lean),
    })
}

fn pages_on_demand(pages: &Arc<describe::Pages>) -> (RenderedOnDemand<RenderedPage>, PageRenderer) {
    let paths = pages.paths();
    let is_quick = pages.is_rendered_quickly();
    let [pages, search, results, missing] = [(); 4].map(|()| Arc::clone(pages));
    let rendered = RenderedOnDemand::new(paths, RenderedPage::memory_size, move |index| RenderedPage {
        html: Document::new("text/html; charset=utf-8", pages.html(index)),
        markdown: markdown_document(pages.markdown(index)),
    });
    let renderer = PageRenderer {
        search: Box::new(move |words, is_markdown| search.search(words, page_form(is_markdown))),
        results: Box::new(move |path, words| results.search_results(path, words)),
        missing: Box::new(move |path, is_markdown| missing.page_not_found(path, page_form(is_markdown))),
        is_quick,
    };
    (rendered, renderer)
}

fn page_form(is_markdown: bool) -> PageForm {
    if is_markdown { PageForm::Markdown } else { PageForm::Html }
}
