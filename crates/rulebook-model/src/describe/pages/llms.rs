//! Writes `llms.txt`, which <https://llmstxt.org> defines: a Markdown document with a title, a summary, and links to
//! the documentation pages.

use super::contents::{links_to_documents, module_list_item};
use super::document::{Block, Inline, ListItem};
use super::links::{LinkContext, LinkOrigin};
use super::markdown::{inlines_to_markdown, write_block};
use super::phrases::{count_with_noun, method_line};
use super::{PageForm, PageId, Pages, parse_markdown};
use crate::describe::markdown::{MarkdownWriter, escape_text};

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
    page.write_line(
        "Send OPTIONS to any URI of the API for its definition, in JSON or as text (`Accept: text/markdown`). The \
         contents explain how to authenticate.",
    );
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
