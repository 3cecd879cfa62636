//! The start page (the contents): it describes the API, explains how to call it, and links to other documents; the page
//! of each API module with its methods; and the list of the documents for programs. The contents of a large API and the
//! methods of a large API module are split into several pages, which are called parts.

use serde_json::json;

use super::document::{Block, Inline, Inlines, ListItem, PageDocument, parse_blocks};
use super::links::{LinkContext, LinkOrigin, LinkTarget, version_root};
use super::phrases::{count_with_noun, first_line, links_to_parts, method_line};
use super::{MODULES_PER_PAGE, PageForm, PageId, Pages, document};
use crate::call::AuthScheme;
use crate::describe::in_words::{CredentialKind, credential_kind};
use crate::describe::openapi::split_method_range;
use crate::describe::options::encode_base_path;
use crate::model::{Api, Contact, DEFAULT_TIMEZONE, License, Origins, Versions};

pub(super) fn contents_page(pages: &Pages, part: usize) -> PageDocument<'_> {
    let api = &*pages.api;
    let mut blocks = Vec::new();
    if part == 0 {
        blocks.extend(api.info.iter().flat_map(|info| document::parse_blocks(info)));
        blocks.push(Block::heading("settings", "Settings"));
        blocks.push(Block::Facts(contents_facts(pages)));
        blocks.push(Block::heading("call", "How to call it"));
        blocks.extend(how_to_call(pages));
    }
    if pages.lists_methods() {
        blocks.extend(methods_by_module(pages));
    } else {
        blocks.push(Block::heading("modules", "Modules"));
        blocks.push(Block::List(module_items(pages, part)));
        blocks.extend(links_to_parts(pages, part, pages.count_contents_parts(), |part| PageId::Contents { part }));
    }
    if part == 0 {
        blocks.push(Block::heading("documents", "Documents"));
        blocks.push(Block::List(links_to_documents(pages)));
    }
    let page = PageDocument::new(pages, pages.page_path(PageId::Contents { part }), "Contents", blocks);
    let heading = vec![Inline::quoted(&api.title), Inline::text(" "), Inline::quoted(&api.version)];
    let breadcrumbs = if part == 0 { Vec::new() } else { page.breadcrumbs };
    PageDocument { heading, breadcrumbs, ..page }
}

pub(super) fn contents_link(pages: &Pages) -> (LinkTarget, Inlines<'_>) {
    (pages.page_link(PageId::Contents { part: 0 }), vec![Inline::text("Contents")])
}

/// Returns facts, each with a label: the version, the size, the facts of [`api_facts`], and what restricts callers.
pub(super) fn contents_facts(pages: &Pages) -> Vec<(&'static str, Inlines<'_>)> {
    let api = &*pages.api;
    let mut facts = vec![("Version", vec![Inline::quoted(&api.version)])];
    facts.extend(api.versions.iter().map(|versions| ("Versions", links_to_versions(versions))));
    let services = count_with_noun(pages.uris.len(), "service", "services");
    let methods = count_with_noun(pages.methods.len(), "method", "methods");
    let modules = count_with_noun(pages.method_ranges.len(), "module", "modules");
    facts.push(("Size", vec![Inline::text(format!("{modules}, {services}, {methods}"))]));
    facts.extend(api_facts(api));
    let limits: Vec<_> = api.rate_limits.iter().map(|limit| format!("At most {}.", limit.in_words())).collect();
    if !limits.is_empty() {
        facts.push(("Rate limit", vec![Inline::text(limits.join(" "))]));
    }
    facts.push(("CORS", allowed_origins(api.cors.as_ref().map(|cors| &cors.origins))));
    facts
}

/// Returns the names of the versions, with links to the pages of the other versions. The paths of the pages of the
/// default version do not contain its name.
fn links_to_versions(versions: &Versions) -> Inlines<'_> {
    let current = versions.current.as_deref().unwrap_or(&versions.default);
    let name = |name: &str| match name == current {
        true => Inline::text(format!("{name} (this one)")),
        false => {
            let target = LinkTarget::Version(version_root(versions, name) + "docs/");
            Inline::Link(target, vec![Inline::text(name.to_owned())])
        }
    };
    versions.names().flat_map(|version| [Inline::text(", "), name(version)]).skip(1).collect()
}

fn allowed_origins(origins: Option<&Origins>) -> Inlines<'_> {
    let origins = match origins {
        None => return vec![Inline::text("web pages of other origins may not call the API")],
        Some(Origins::Any) => return vec![Inline::text("web pages of all origins may call the API")],
        Some(Origins::These(origins)) => origins,
    };
    let with_comma = |origin| [Inline::text(", "), Inline::code(origin)];
    let mut inlines = vec![Inline::text("web pages of these origins may call the API: ")];
    inlines.extend(origins.iter().flat_map(with_comma).skip(1));
    inlines
}

/// Returns facts about the API, each with a label.
pub(super) fn api_facts(api: &Api) -> Vec<(&'static str, Inlines<'_>)> {
    let mut facts = Vec::new();
    if api.base != "/" {
        facts.push(("Base path", vec![Inline::code(&api.base)]));
    }
    for server in &api.servers {
        facts.push(("Server", join_with_commas([Some(&server.url), server.info.as_ref()], Inline::quoted)));
    }
    if api.timezone != DEFAULT_TIMEZONE {
        let zone = vec![Inline::code(&api.timezone), Inline::text(", for dates and times without a time zone")];
        facts.push(("Time zone", zone));
    }
    if let Some(Contact { name, url, email }) = &api.contact {
        let contact = join_with_commas([name.as_ref(), url.as_ref(), email.as_ref()], link_if_url);
        if !contact.is_empty() {
            facts.push(("Contact", contact));
        }
    }
    if let Some(License { name, identifier, url }) = &api.license {
        facts.push(("License", join_with_commas([Some(name), identifier.as_ref(), url.as_ref()], link_if_url)));
    }
    facts
}

/// Joins texts of the definition with commas. A text that is equal to the preceding text is omitted.
fn join_with_commas<'a, const N: usize>(
    texts: [Option<&'a String>; N],
    format: fn(&'a str) -> Inline<'a>,
) -> Inlines<'a> {
    let mut texts: Vec<_> = texts.into_iter().flatten().collect();
    texts.dedup();
    let mut inlines = Vec::new();
    for text in texts {
        if !inlines.is_empty() {
            inlines.push(Inline::text(", "));
        }
        inlines.push(format(text));
    }
    inlines
}

/// Returns a text as a link if the text is an HTTP URL or an email address, and otherwise as text.
fn link_if_url(text: &str) -> Inline<'_> {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".+-_".contains(c));
    let is_address = text.split_once('@').is_some_and(|(user, host)| is_part(user) && is_part(host));
    let target =
        if is_address { LinkTarget::external_url(&format!("mailto:{text}")) } else { LinkTarget::external_url(text) };
    let quoted = Inline::quoted(text);
    target.map_or(quoted.clone(), |target| Inline::Link(target, vec![quoted]))
}

pub(super) fn how_to_call(pages: &Pages) -> [Block<'_>; 2] {
    let is_public = pages.method_entries(0..pages.methods.len()).all(|(_, entry)| entry.method.scope.is_public());
    let authentication = if is_public {
        vec![Inline::text("All methods are public: a client needs no key.")]
    } else {
        let mut text = vec![Inline::text("A method that requires permissions needs ")];
        text.extend(accepted_credentials(&pages.api.auth_schemes));
        text.push(Inline::text(
            ". The page of each method lists the permissions that it requires. The status is 401 without a valid \
             credential, and 403 with a credential that lacks a permission.",
        ));
        text
    };
    let definition = vec![
        Inline::text("Send "),
        Inline::code("OPTIONS"),
        Inline::text(" to any URI of the API for its definition, in JSON, or as text with "),
        Inline::code("Accept: text/markdown"),
        Inline::text(". Every page of this documentation is also available in markdown, at the same path with "),
        Inline::code(".md"),
        Inline::text(" appended."),
    ];
    [Block::Paragraph(authentication), Block::Paragraph(definition)]
}

/// Describes the credentials of these schemes. A client needs one of them.
fn accepted_credentials<'a>(schemes: &[AuthScheme]) -> Inlines<'a> {
    let bearer = AuthScheme::bearer();
    let mut described = Vec::new();
    for scheme in schemes {
        // "A key or a token" includes the tokens of issuers, which are sent in the same header field.
        let is_included = matches!(scheme, AuthScheme::Jwt { .. }) && schemes.contains(&bearer);
        let credential = (credential_kind(scheme), scheme.header_field("…"));
        if !is_included && !described.contains(&credential) {
            described.push(credential);
        }
    }
    let mut inlines = Vec::new();
    for (CredentialKind { noun, standard }, field) in described {
        inlines.push(Inline::text(format!("{}a {noun}", if inlines.is_empty() { "" } else { ", or " })));
        if let Some((name, value)) = field {
            inlines.extend([Inline::text(" in the header field "), Inline::code(format!("{name}: {value}"))]);
        }
        inlines.extend(standard.map(|standard| Inline::text(format!(" ({standard})"))));
    }
    inlines
}

pub(super) fn links_to_documents(pages: &Pages) -> Vec<ListItem<'_>> {
    documents(pages).into_iter().map(document_item).collect()
}

pub(super) fn document_item<'a>((target, name, info): (LinkTarget, &'static str, &'static str)) -> ListItem<'a> {
    ListItem::new(vec![Inline::Link(target, vec![Inline::text(name)]), Inline::text(": "), Inline::text(info)])
}

/// Returns the other documents of the API, each with its name and its description.
pub(super) fn documents(pages: &Pages) -> Vec<(LinkTarget, &'static str, &'static str)> {
    let swagger_ui = (LinkTarget::Server("docs/swagger/"), "Swagger UI", "a form for every method");
    let errors = pages.page_link(PageId::Errors);
    let mut documents = vec![(errors, "Errors", "the errors of the server, with their codes and statuses")];
    let schemas = pages.page_link(PageId::Schemas { part: 0 });
    documents.extend((!pages.schemas.is_empty()).then_some((schemas, "Schemas", "types that several methods use")));
    documents.extend(pages.has_swagger_ui.then_some(swagger_ui));
    let (openapi, types) = (LinkTarget::Document("openapi.json"), LinkTarget::Document("docs/api.d.ts"));
    let (client, llms) = (LinkTarget::Server("docs/rulebook.js"), LinkTarget::Document("llms.txt"));
    let diagnostics = pages.page_link(PageId::Diagnostics);
    documents.extend([
        (openapi, "OpenAPI", "the API for programs, as an OpenAPI 3.1 document"),
        (client, "rulebook.js", "a JavaScript client of the API"),
        (types, "api.d.ts", "the types of this API for TypeScript"),
        (llms, "llms.txt", "a summary of this documentation for language models"),
        (LinkTarget::Document("llms-full.txt"), "llms-full.txt", "all pages of this documentation in one text"),
        (diagnostics, "Definition errors", "for the authors of the API: what can be wrong with a definition"),
    ]);
    documents
}

fn methods_by_module(pages: &Pages) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for (index, range) in pages.method_ranges.iter().enumerate() {
        let module = &pages.api.modules[index];
        let target = pages.page_link(PageId::Module { module: index, part: 0 });
        let link = Inline::Link(target, vec![Inline::quoted(&module.name)]);
        blocks.push(Block::Heading { level: 2, id: "", inlines: vec![link] });
        blocks.extend(module.info.iter().flat_map(|info| document::parse_blocks(info)));
        let lines = pages.method_entries(range.clone()).map(|(_, entry)| method_line(entry));
        blocks.push(Block::Methods(lines.collect()));
    }
    blocks
}

fn module_items(pages: &Pages, part: usize) -> Vec<ListItem<'_>> {
    let start = part * MODULES_PER_PAGE;
    let end = (start + MODULES_PER_PAGE).min(pages.method_ranges.len());
    (start..end).map(|module| module_list_item(pages, module)).collect()
}

pub(super) fn module_list_item(pages: &Pages, index: usize) -> ListItem<'_> {
    let module = &pages.api.modules[index];
    let target = pages.page_link(PageId::Module { module: index, part: 0 });
    let link = Inline::Link(target, vec![Inline::quoted(&module.name)]);
    let methods = count_with_noun(pages.method_ranges[index].len(), "method", "methods");
    let mut inlines = vec![link, Inline::text(format!(", {methods}"))];
    if let Some(info) = &module.info {
        inlines.push(Inline::text(": "));
        inlines.extend(document::parse_line(first_line(info)));
    }
    ListItem::new(inlines)
}

pub(super) fn module_page(pages: &Pages, index: usize, part: usize) -> PageDocument<'_> {
    let module = &pages.api.modules[index];
    let range = pages.method_ranges[index].clone();
    let mut blocks: Vec<_> = module.info.iter().flat_map(|info| parse_blocks(info)).collect();
    let services = count_with_noun(module.services.len(), "service", "services");
    let methods = count_with_noun(range.len(), "method", "methods");
    let mut facts = vec![("Size", vec![Inline::text(format!("{services}, {methods}"))])];
    if module.ignore_case {
        facts.push(("Paths", vec![Inline::text("not case-sensitive")]));
    }
    blocks.push(Block::Facts(facts));
    blocks.push(Block::heading("methods", "Methods"));
    let entries = pages.method_entries(split_method_range(range).nth(part).unwrap_or_default());
    blocks.push(Block::Methods(entries.map(|(_, entry)| method_line(entry)).collect()));
    let part_id = |part| PageId::Module { module: index, part };
    blocks.extend(links_to_parts(pages, part, pages.count_module_parts(index), part_id));
    let mut page = PageDocument::new(pages, pages.page_path(part_id(part)), "", blocks);
    page.title = module.name.as_str().into();
    page.heading = vec![Inline::quoted(&module.name)];
    if part > 0 {
        page.breadcrumbs.push((pages.page_link(part_id(0)), vec![Inline::quoted(&module.name)]));
    }
    page
}

/// The list of the documents of the API (RFC 9727), with which programs find them if they know only the address of the
/// server. The URLs are relative to the path of the list, so that they are correct behind every reverse proxy.
pub(super) fn write_api_catalog(pages: &Pages) -> String {
    let context =
        LinkContext { origin: LinkOrigin::WellKnown, form: PageForm::Html, is_for_caller: pages.is_for_caller };
    let link = |target: LinkTarget, media_type: &str| json!({ "href": target.to_url(context), "type": media_type });
    let base = encode_base_path(&pages.api.base);
    let catalog = json!({
        "linkset": [{
            "anchor": format!("..{}", if base.is_empty() { "/" } else { &*base }),
            "service-desc": [link(LinkTarget::Document("openapi.json"), "application/json")],
            "service-doc": [
                link(pages.page_link(PageId::Contents { part: 0 }), "text/html"),
                link(LinkTarget::Document("llms.txt"), "text/plain"),
                link(LinkTarget::Document("llms-full.txt"), "text/plain"),
            ],
            "status": [link(LinkTarget::Server("healthz"), "text/plain")],
        }]
    });
    format!("{catalog:#}\n")
}
