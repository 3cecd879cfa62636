//! What there is, for programs that read text: the form of <https://llmstxt.org>, a title, a summary, and lists of
//! links to the pages in markdown.

use super::contents::{documents, module_item};
use super::markdown::{block, item};
use super::place::Here;
use super::sheet::{Block, Item, Span};
use super::words::{count, line};
use super::{Page, Pages, prose};
use crate::describe::markdown::Page as Text;
use crate::describe::markdown::text::text;

pub(super) fn write(pages: &Pages) -> String {
    let here = Here { own: pages.own, ..Here::TOP };
    let api = &*pages.api;
    let mut page = Text::default();
    page.line(&format!("# {} {}", text(&api.title), text(&api.version)));
    let methods = count(pages.methods.len(), "method", "methods");
    let modules = count(pages.modules.len(), "module", "modules");
    page.line(&format!(
        "> An HTTP API of {methods} in {modules}. Each of them has a page in markdown, as linked here."
    ));
    for part in api.info.iter().flat_map(|info| prose::blocks(info)) {
        block(&part, here, &mut page);
    }
    page.line(
        "Each URI answers OPTIONS with its definition, in JSON or as a text (`Accept: text/markdown`). How to \
         authenticate stands in the contents.",
    );
    page.line("## Documents");
    let contents = Span::Link(pages.to(Page::Contents { part: 0 }), vec![Span::own("Contents")]);
    let mut items = vec![Item::new(vec![contents, Span::own(": what the API is, and how to call it")])];
    items.extend(documents(pages).into_iter().take(2));
    block(&Block::List(items), here, &mut page);
    if pages.lists_methods() {
        for (module, range) in pages.modules.iter().enumerate() {
            page.line(&format!("## {}", text(&api.modules[module].name)));
            let lines = pages.entries(range.clone()).map(|(index, entry)| line(pages, index, entry)).collect();
            block(&Block::Methods(lines), here, &mut page);
        }
    } else {
        page.line("## Modules");
        let items = (0..pages.modules.len()).map(|module| module_item(pages, module));
        page.list(items.map(|own| item(&own.words, here)));
    }
    page.line("## Optional");
    block(&Block::List(documents(pages).into_iter().skip(2).take(2).collect()), here, &mut page);
    page.text()
}
