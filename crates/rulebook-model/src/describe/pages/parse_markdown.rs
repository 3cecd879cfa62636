//! Parses Markdown in the descriptions of a definition into blocks: paragraphs, lists and code. HTML in the Markdown is
//! shown as text, and images are replaced by their descriptions. Only URLs with the schemes `http`, `https` and
//! `mailto` become links.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::document::{Block, Inline, Inlines, ListItem};
use super::links::LinkTarget;

/// Parses a Markdown text into blocks. Headings become paragraphs in bold type, so that they do not interfere with the
/// headings of the documentation page.
pub(super) fn parse_blocks(text: &str) -> Vec<Block<'static>> {
    let mut parser = MarkdownParser::default();
    for event in Parser::new_ext(text, Options::empty()) {
        parser.handle_event(event);
    }
    parser.end_block();
    parser.blocks
}

/// Returns the content of blocks for a place that has only lines, such as a cell of a table: each paragraph, each item
/// of a list and each code block is a line.
pub(super) fn to_lines(blocks: Vec<Block<'static>>) -> Vec<Inlines<'static>> {
    fn add_items(items: Vec<ListItem<'static>>, lines: &mut Vec<Inlines<'static>>) {
        for item in items {
            let marker = item.number.map_or_else(|| "• ".to_owned(), |number| format!("{number}. "));
            lines.push([vec![Inline::text(marker)], item.inlines].concat());
            add_items(item.nested_items, lines);
        }
    }
    let mut lines = Vec::new();
    for block in blocks {
        match block {
            Block::Paragraph(inlines) => lines.push(inlines),
            Block::List(items) => add_items(items, &mut lines),
            Block::Code { text, .. } => lines.push(vec![Inline::Code(text)]),
            _ => {}
        }
    }
    lines
}

/// Parses a Markdown text for a single line.
pub(super) fn parse_line(text: &str) -> Inlines<'static> {
    let lines = to_lines(parse_blocks(text)).into_iter();
    lines.reduce(|line, next| [line, vec![Inline::text(" ")], next].concat()).unwrap_or_default()
}

/// Returns the text of inlines, without markup.
pub(super) fn plain_text(inlines: &[Inline<'_>]) -> String {
    inlines.iter().fold(String::new(), |text, inline| {
        text + &match inline {
            Inline::Text(text) | Inline::Quoted(text) | Inline::Strong(text) | Inline::Code(text) => text.to_string(),
            Inline::HttpMethod(http) => http.as_str().to_owned(),
            Inline::Link(_, inlines) => plain_text(inlines),
        }
    })
}

/// Collects the blocks while a Markdown text is parsed.
#[derive(Default)]
struct MarkdownParser {
    blocks: Vec<Block<'static>>,
    inlines: Inlines<'static>,
    /// The lists whose end has not been parsed. Each list is nested in an item of the preceding list.
    open_lists: Vec<OpenList>,
    /// The language and the text of the code block whose end has not been parsed.
    open_code_block: Option<(String, String)>,
    /// The target of the link whose end has not been parsed, and the index in `inlines` at which the link begins.
    open_link: Option<(LinkTarget, usize)>,
    /// The number of elements with bold text whose end has not been parsed.
    bold_depth: usize,
}

/// A list whose end has not been parsed.
struct OpenList {
    /// The number of the next item if the list is ordered.
    number: Option<u64>,
    items: Vec<ListItem<'static>>,
}

impl MarkdownParser {
    fn handle_event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start_tag(tag),
            Event::End(tag) => self.end_tag(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.add_text(&text),
            Event::Code(text) => self.inlines.push(Inline::code(text.into_string())),
            // Lines stay lines, as authors without Markdown expect.
            Event::SoftBreak | Event::HardBreak => self.add_text("\n"),
            Event::Rule => self.end_block(),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start_tag(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.end_block();
                self.bold_depth += 1;
            }
            Tag::Strong => self.bold_depth += 1,
            Tag::CodeBlock(kind) => {
                self.end_block();
                self.flush_lists();
                let language = match kind {
                    CodeBlockKind::Fenced(name) => name.split_whitespace().next().unwrap_or_default().to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.open_code_block = Some((language, String::new()));
            }
            Tag::List(number) => {
                self.end_item();
                self.open_lists.push(OpenList { number, items: Vec::new() });
            }
            Tag::Link { dest_url, .. } => {
                self.open_link = LinkTarget::external_url(&dest_url).map(|to| (to, self.inlines.len()));
            }
            // Of other elements, only the text is shown.
            _ => {}
        }
    }

    fn end_tag(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.end_block();
                self.bold_depth = self.bold_depth.saturating_sub(1);
            }
            TagEnd::Strong => self.bold_depth = self.bold_depth.saturating_sub(1),
            TagEnd::CodeBlock => {
                let Some((language, mut text)) = self.open_code_block.take() else { return };
                text.truncate(text.trim_end().len());
                self.blocks.push(Block::Code {
                    title: None,
                    language: language.into(),
                    text: text.into(),
                    server: None,
                });
            }
            TagEnd::Paragraph if self.open_lists.is_empty() => self.end_block(),
            TagEnd::HtmlBlock => self.end_block(),
            TagEnd::Item => self.end_item(),
            TagEnd::List(_) => {
                let Some(OpenList { items, .. }) = self.open_lists.pop() else { return };
                self.add_nested_items(self.open_lists.len(), items);
            }
            TagEnd::Link => {
                let Some((to, begin)) = self.open_link.take() else { return };
                let inside = self.inlines.split_off(begin.min(self.inlines.len()));
                if !inside.is_empty() {
                    self.inlines.push(Inline::Link(to, inside));
                }
            }
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.open_code_block {
            code.push_str(text);
        } else if self.bold_depth > 0 {
            self.inlines.push(Inline::Strong(text.to_owned().into()));
        } else if self.open_link.as_ref().is_none_or(|(_, begin)| *begin < self.inlines.len())
            && let Some(Inline::Quoted(last)) = self.inlines.last_mut()
        {
            // The Markdown parser can split a text into several events.
            last.to_mut().push_str(text);
        } else {
            self.inlines.push(Inline::quoted(text.to_owned()));
        }
    }

    /// Ends the current item of the innermost list. An item without content is omitted.
    fn end_item(&mut self) {
        self.trim_end();
        let Some(list) = self.open_lists.last_mut() else { return self.end_block() };
        if !self.inlines.is_empty() {
            self.open_link = None;
            let number = list.number;
            list.number = number.map(|number| number + 1);
            list.items.push(ListItem { number, ..ListItem::new(std::mem::take(&mut self.inlines)) });
        }
    }

    /// Removes the line break at the end of HTML.
    fn trim_end(&mut self) {
        if let Some(Inline::Quoted(text)) = self.inlines.last_mut() {
            let length = text.trim_end().len();
            text.to_mut().truncate(length);
        }
    }

    /// Adds `items` as nested items to the last item of the open list above `depth`. If no such list is open, adds a
    /// block with a list of these items.
    fn add_nested_items(&mut self, depth: usize, items: Vec<ListItem<'static>>) {
        let above = depth.checked_sub(1).and_then(|above| self.open_lists.get_mut(above));
        match above.map(|list| &mut list.items) {
            Some(list) => match list.last_mut() {
                Some(item) => item.nested_items.extend(items),
                None => list.extend(items),
            },
            None if items.is_empty() => {}
            None => self.blocks.push(Block::List(items)),
        }
    }

    /// Adds a block with the items of the open lists, so that a code block inside a list item can follow. The lists
    /// continue after the code block.
    fn flush_lists(&mut self) {
        for depth in (0..self.open_lists.len()).rev() {
            let items = std::mem::take(&mut self.open_lists[depth].items);
            self.add_nested_items(depth, items);
        }
    }

    /// Ends the current list item or paragraph.
    fn end_block(&mut self) {
        if !self.open_lists.is_empty() {
            return self.end_item();
        }
        self.trim_end();
        if !self.inlines.is_empty() {
            self.open_link = None;
            self.blocks.push(Block::Paragraph(std::mem::take(&mut self.inlines)));
        }
    }
}
