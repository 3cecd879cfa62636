//! Parses Markdown in a definition into blocks: paragraphs, lists and code. HTML in the Markdown is shown as text, and
//! images are replaced by their descriptions. Only URLs with the schemes `http`, `https` and `mailto` become links.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::document::{Block, Inline, Inlines, ListItem};
use super::links::LinkTarget;

/// Parses a Markdown text into blocks. Headings become paragraphs in bold type, so that they do not interfere with the
/// headings of the documentation page.
pub(super) fn parse_blocks(text: &str) -> Vec<Block<'_>> {
    let mut parser = MarkdownParser::default();
    for event in Parser::new_ext(text, Options::empty()) {
        parser.handle_event(event);
    }
    parser.end_block();
    parser.blocks
}

/// Collects the blocks while a Markdown text is parsed.
#[derive(Default)]
struct MarkdownParser<'a> {
    blocks: Vec<Block<'a>>,
    inlines: Inlines<'a>,
    /// The lists whose end has not been parsed. Each list is nested in an item of the preceding list.
    open_lists: Vec<OpenList<'a>>,
    /// The language and the text of the code block whose end has not been parsed.
    open_code_block: Option<(String, String)>,
    /// The target of the link whose end has not been parsed, and the index in `inlines` at which the link begins.
    open_link: Option<(LinkTarget, usize)>,
    /// The number of elements with bold text whose end has not been parsed.
    bold_depth: usize,
}

/// A list whose end has not been parsed.
struct OpenList<'a> {
    /// The number of the next item if the list is ordered.
    number: Option<u64>,
    items: Vec<ListItem<'a>>,
}

impl<'a> MarkdownParser<'a> {
    fn handle_event(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start_tag(tag),
            Event::End(tag) => self.end_tag(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.add_text(&text),
            Event::Code(text) => self.inlines.push(Inline::code(text.into_string())),
            Event::SoftBreak | Event::HardBreak => self.add_text(" "),
            Event::Rule => self.end_block(),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start_tag(&mut self, tag: Tag<'a>) {
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
        let Some(list) = self.open_lists.last_mut() else { return self.end_block() };
        if !self.inlines.is_empty() {
            self.open_link = None;
            let number = list.number;
            list.number = number.map(|number| number + 1);
            list.items.push(ListItem { number, ..ListItem::new(std::mem::take(&mut self.inlines)) });
        }
    }

    /// Adds `items` as nested items to the last item of the open list above `depth`. If no such list is open, adds a
    /// block with a list of these items.
    fn add_nested_items(&mut self, depth: usize, items: Vec<ListItem<'a>>) {
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
        if !self.inlines.is_empty() {
            self.open_link = None;
            self.blocks.push(Block::Paragraph(std::mem::take(&mut self.inlines)));
        }
    }
}
