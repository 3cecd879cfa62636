//! The responses to OPTIONS in Markdown, for people and for language models. They consist of the same blocks as the
//! documentation pages.

use super::contents::api_facts;
use super::document::{Block, Inline, Inlines, ListItem, MethodLine, parse_line};
use super::fields::{branches, schema_fields};
use super::links::{LinkContext, LinkOrigin, LinkTarget};
use super::markdown::write_block;
use super::method::{method_blocks, method_heading};
use super::phrases::method_line;
use super::{MethodEntry, PageForm, document};
use crate::describe::canonical::schemas_of_methods;
use crate::describe::markdown::MarkdownWriter;
use crate::describe::options::{IntermediateUri, ServiceUri, Uris};
use crate::model::Api;

/// Describes an API in Markdown: its settings, and each of its methods in one line.
#[must_use]
pub fn markdown_for_api(api: &Api, uris: &Uris<'_>) -> String {
    let mut blocks =
        vec![heading(1, vec![Inline::quoted(&api.title), Inline::text(" "), Inline::quoted(&api.version)])];
    blocks.extend(api.info.iter().flat_map(|info| document::parse_blocks(info)));
    blocks.push(Block::Paragraph(vec![
        Inline::text("Send OPTIONS to a URI for its definition, in JSON or as a text like this one ("),
        Inline::code("Accept: text/markdown"),
        Inline::text("). The whole API is described in "),
        Inline::Link(LinkTarget::Server("openapi.json"), vec![Inline::text("OpenAPI")]),
        Inline::text(" and in the "),
        Inline::Link(LinkTarget::Server("docs"), vec![Inline::text("documentation pages")]),
        Inline::text("."),
    ]));
    blocks.push(Block::Facts(api_facts(api)));
    let mut services = uris.services.iter().peekable();
    for module in &api.modules {
        blocks.push(heading(2, vec![Inline::quoted(&module.name)]));
        blocks.extend(module.info.iter().flat_map(|info| document::parse_blocks(info)));
        let mut lines = Vec::new();
        while let Some(ServiceUri { service, uri, .. }) = services.next_if(|uri| std::ptr::eq(uri.module, module)) {
            let entries = service.methods.iter().map(|method| MethodEntry { module, uri, method });
            lines
                .extend(entries.map(|entry| MethodLine { info: parse_line(&entry.method.info), ..method_line(entry) }));
        }
        blocks.push(Block::Methods(lines));
    }
    render(&blocks)
}

/// Describes a service of the API in Markdown, with all of its methods and the schemas to which they refer.
#[must_use]
pub fn markdown_for_service(api: &Api, uri: &ServiceUri<'_>) -> String {
    let ServiceUri { module, service, uri, uris_below } = uri;
    let mut inlines = vec![Inline::text("Module "), Inline::code(&module.name)];
    if let Some(info) = &module.info {
        inlines.push(Inline::text(": "));
        inlines.extend(parse_line(info));
    }
    let mut blocks = vec![heading(1, vec![Inline::code(uri)]), Block::Paragraph(inlines)];
    for method in &service.methods {
        let entry = MethodEntry { module, uri, method };
        blocks.push(heading(2, method_heading(entry)));
        blocks.extend(document::parse_blocks(&method.info));
        for mut block in method_blocks(api, entry) {
            match &mut block {
                Block::Heading { level, .. } => *level += 1,
                // The pages of the methods show examples of responses.
                Block::Code { .. } => continue,
                _ => {}
            }
            blocks.push(block);
        }
    }
    let mut schemas = schemas_of_methods(&service.methods);
    schemas.sort_by(|one, other| one.name.cmp(&other.name));
    if !schemas.is_empty() {
        blocks.push(Block::heading("", "Schemas"));
    }
    for schema in &schemas {
        blocks.push(heading(3, vec![Inline::code(&schema.name)]));
        if !schema.info.trim().is_empty() {
            blocks.extend(document::parse_blocks(&schema.info));
        }
        blocks.push(Block::Facts(vec![("Values", vec![Inline::quoted(schema.check.in_words())])]));
        let fields = schema_fields(&*schema.check, schema.example.as_ref());
        blocks.extend((!fields.is_empty()).then_some(Block::Fields(fields)));
        let branches = branches(&*schema.check, true);
        blocks.extend((!branches.is_empty()).then_some(Block::Branches(branches)));
    }
    if !uris_below.is_empty() {
        blocks.push(Block::heading("", "Below"));
        blocks.push(list_of_uris(uris_below));
    }
    render(&blocks)
}

/// Describes a URI in Markdown that has no service itself but has services below it.
#[must_use]
pub fn markdown_for_intermediate_uri(uri: &IntermediateUri<'_>) -> String {
    let below = Block::paragraph("There is no service at this URI, but there are services below it:");
    render(&[heading(1, vec![Inline::code(&uri.uri)]), below, list_of_uris(&uri.uris_below)])
}

fn heading(level: u8, inlines: Inlines<'_>) -> Block<'_> {
    Block::Heading { level, id: "", inlines }
}

fn list_of_uris(uris: &[String]) -> Block<'_> {
    Block::List(uris.iter().map(|uri| ListItem::new(vec![Inline::code(uri)])).collect())
}

fn render(blocks: &[Block<'_>]) -> String {
    let context = LinkContext { origin: LinkOrigin::AnyPath, form: PageForm::Markdown, is_for_caller: false };
    let mut page = MarkdownWriter::default();
    blocks.iter().for_each(|block| write_block(block, context, &mut page));
    page.finish()
}
