//! `llms.txt`: a title, a summary, and links to the pages in Markdown, as defined by <https://llmstxt.org>.

use super::contents::{documents, module_item};
use super::document::{Block, Inline, ListItem};
use super::links::LinkContext;
use super::markdown::{inline_text, write_block};
use super::phrases::{count, method_line};
use super::{PageId, Pages, parse_markdown};
use crate::describe::markdown::MarkdownWriter;
use crate::describe::markdown::escape::text;

pub(super) fn write(pages: &Pages) -> String {
    let context = LinkContext { for_caller: pages.for_caller, ..LinkContext::ROOT };
    let api = &*pages.api;
    let mut page = MarkdownWriter::default();
    page.line(&format!("# {} {}", text(&api.title), text(&api.version)));
    let methods = count(pages.methods.len(), "method", "methods");
    let modules = count(pages.modules.len(), "module", "modules");
    page.line(&format!("> An HTTP API with {methods} in {modules}. The links below lead to a markdown page for each."));
    for block in api.info.iter().flat_map(|info| parse_markdown::blocks(info)) {
        write_block(&block, context, &mut page);
    }
    page.line(
        "Send OPTIONS to any URI of the API for its definition, in JSON or as text (`Accept: text/markdown`). The \
         contents explain how to authenticate.",
    );
    page.line("## Documents");
    let contents = Inline::Link(pages.link(PageId::Contents { part: 0 }), vec![Inline::text("Contents")]);
    let mut items = vec![ListItem::new(vec![contents, Inline::text(": what the API is, and how to call it")])];
    items.extend(documents(pages).into_iter().take(2));
    write_block(&Block::List(items), context, &mut page);
    if pages.lists_methods() {
        for (module, range) in pages.modules.iter().enumerate() {
            page.line(&format!("## {}", text(&api.modules[module].name)));
            let lines = pages.entries(range.clone()).map(|(index, entry)| method_line(pages, index, entry)).collect();
            write_block(&Block::Methods(lines), context, &mut page);
        }
    } else {
        page.line("## Modules");
        let items = (0..pages.modules.len()).map(|module| module_item(pages, module));
        page.list(items.map(|item| inline_text(&item.inlines, context)));
    }
    page.line("## Optional");
    write_block(&Block::List(documents(pages).into_iter().skip(2).take(2).collect()), context, &mut page);
    page.finish()
}
