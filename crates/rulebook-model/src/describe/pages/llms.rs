//! Writes `llms.txt`, which <https://llmstxt.org> defines: a Markdown document with a title, a summary, how to call the
//! API, and links to the documentation pages. Also writes `llms-full.txt`, which contains the pages themselves.

use super::contents::{how_to_call, links_to_documents, module_list_item};
use super::document::{Block, Inline, ListItem};
use super::links::{LinkContext, LinkOrigin};
use super::markdown::{inlines_to_markdown, write_block};
use super::phrases::{count_with_noun, method_line};
use super::{PageForm, PageId, Pages, markdown, parse_markdown};
use crate::describe::markdown::{MarkdownWriter, code_span, escape_text};
use crate::describe::snippet::{server_url, snippets};

pub(super) fn write_llms_txt(pages: &Pages) -> String {
    let (origin, form, is_for_caller) = (LinkOrigin::Root, PageForm::Markdown, pages.is_for_caller);
    let context = LinkContext { origin, form, is_for_caller };
    let api = &*pages.api;
    let mut page = MarkdownWriter::default();
    page.write_line(&format!("# {} {}", escape_text(&api.title), escape_text(&api.version)));
    let methods = count_with_noun(pages.methods.len(), "method", "methods");
    let modules = count_with_noun(pages.method_ranges.len(), "module", "modules");
    page.write_line(&format!(
        "> An HTTP API with {methods} in {modules}. The links below lead to a markdown page for each."
    ));
    for block in api.info.iter().flat_map(|info| parse_markdown::parse_blocks(info)) {
        write_block(&block, context, &mut page);
    }
    write_how_to_call(pages, context, &mut page);
    page.write_line("## Documents");
    let contents = Inline::Link(pages.page_link(PageId::Contents { part: 0 }), vec![Inline::text("Contents")]);
    let mut items = vec![ListItem::new(vec![contents, Inline::text(": what the API is, and how to call it")])];
    items.extend(links_to_documents(pages).into_iter().take(2));
    write_block(&Block::List(items), context, &mut page);
    if pages.lists_methods() {
        for (module, range) in pages.method_ranges.iter().enumerate() {
            page.write_line(&format!("## {}", escape_text(&api.modules[module].name)));
            let lines = pages.method_entries(range.clone()).map(|(_, entry)| method_line(entry)).collect();
            write_block(&Block::Methods(lines), context, &mut page);
        }
    } else {
        page.write_line("## Modules");
        let items = (0..pages.method_ranges.len()).map(|module| module_list_item(pages, module));
        page.write_list(items.map(|item| inlines_to_markdown(&item.inlines, context)));
    }
    page.write_line("## Optional");
    write_block(&Block::List(links_to_documents(pages).into_iter().skip(2).take(2).collect()), context, &mut page);
    page.finish()
}

/// Writes the address of the API, its credentials, and an example of a call.
fn write_how_to_call(pages: &Pages, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    let api = &*pages.api;
    page.write_line("## How to call it");
    let server = server_url(api, pages.listening_url.get().map(String::as_str));
    let base = format!("{server}{}", api.base.trim_end_matches('/'));
    page.write_line(&format!("The API is at {}.", code_span(&base)));
    how_to_call(pages).iter().for_each(|block| write_block(block, context, page));
    let entries = || pages.method_entries(0..pages.methods.len()).map(|(_, entry)| entry);
    // A call that needs a credential shows how it is sent.
    let Some(entry) = entries().find(|entry| !entry.method.scope.is_public()).or_else(|| entries().next()) else {
        return;
    };
    page.write_line(&format!("For example, this command calls {}:", code_span(&entry.method.id)));
    for curl in snippets(api, &server, entry.uri, entry.method).iter().take(1) {
        page.write_code_block(curl.language, &curl.text);
    }
}

/// Returns all pages in Markdown. A large API has only the pages of its modules, because the document would become too
/// large; they list the methods and link to their pages.
pub(super) fn write_llms_full_txt(pages: &Pages) -> String {
    let is_included = |page: &PageId| match page {
        PageId::Diagnostics => false,
        PageId::Method(_) | PageId::Schema(_) => pages.lists_methods(),
        PageId::Contents { .. } | PageId::Module { .. } | PageId::Schemas { .. } | PageId::Errors => true,
    };
    let included = pages.page_ids.iter().enumerate().filter(|(_, page)| is_included(page));
    let documents = included.filter_map(|(index, _)| pages.page_document(index));
    let texts = documents.map(|document| markdown::render_markdown(&document, LinkOrigin::Root, pages.is_for_caller));
    texts.collect::<Vec<_>>().join("\n---\n\n")
}
