//! Parses Markdown in a definition into blocks: paragraphs, lists and code. HTML in it is shown as text, images are
//! replaced by their descriptions, and only URLs with the schemes `http`, `https` and `mailto` become links.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::document::{Block, Inline, Inlines, ListItem};
use super::links::LinkTarget;

/// Parses a text into blocks. Headings become paragraphs in bold type, because the page has its own headings.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut parser = MarkdownParser::default();
    for event in Parser::new_ext(text, Options::empty()) {
        parser.handle_event(event);
    }
    parser.end_block();
    parser.blocks
}

/// Collects blocks while a text is parsed.
#[derive(Default)]
struct MarkdownParser<'a> {
    blocks: Vec<Block<'a>>,
    inlines: Inlines<'a>,
    /// The open lists. Each list is nested in an item of the list before it.
    lists: Vec<OpenList<'a>>,
    /// The language and the text of the open code block.
    code: Option<(String, String)>,
    /// The target of the open link, and the index in `inlines` at which the link begins.
    link: Option<(LinkTarget, usize)>,
    /// The number of open elements whose text is bold.
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
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => self.inlines.push(Inline::code(text.into_string())),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
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
                self.code = Some((language, String::new()));
            }
            Tag::List(number) => {
                self.end_item();
                self.lists.push(OpenList { number, items: Vec::new() });
            }
            Tag::Link { dest_url, .. } => {
                self.link = LinkTarget::external_url(&dest_url).map(|to| (to, self.inlines.len()));
            }
            // The text of other elements is shown without their markup.
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
                let Some((language, mut text)) = self.code.take() else { return };
                text.truncate(text.trim_end().len());
                self.blocks.push(Block::Code {
                    title: None,
                    language: language.into(),
                    text: text.into(),
                    server: None,
                });
            }
            TagEnd::Paragraph if self.lists.is_empty() => self.end_block(),
            TagEnd::HtmlBlock => self.end_block(),
            TagEnd::Item => self.end_item(),
            TagEnd::List(_) => {
                let Some(OpenList { items, .. }) = self.lists.pop() else { return };
                self.add_below(self.lists.len(), items);
            }
            TagEnd::Link => {
                let Some((to, begin)) = self.link.take() else { return };
                let inside = self.inlines.split_off(begin.min(self.inlines.len()));
                if !inside.is_empty() {
                    self.inlines.push(Inline::Link(to, inside));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
        } else if self.bold_depth > 0 {
            self.inlines.push(Inline::Strong(text.to_owned().into()));
        } else if self.link.as_ref().is_none_or(|(_, begin)| *begin < self.inlines.len())
            && let Some(Inline::Quoted(last)) = self.inlines.last_mut()
        {
            // The parser can split a text into several events.
            last.to_mut().push_str(text);
        } else {
            self.inlines.push(Inline::quoted(text.to_owned()));
        }
    }

    /// Ends the current item of the innermost list, unless the item is empty.
    fn end_item(&mut self) {
        let Some(list) = self.lists.last_mut() else { return self.end_block() };
        if !self.inlines.is_empty() {
            self.link = None;
            let number = list.number;
            list.number = number.map(|number| number + 1);
            list.items.push(ListItem { number, ..ListItem::new(std::mem::take(&mut self.inlines)) });
        }
    }

    /// Adds items to the last item of the open list above this depth, or as a list of the page if no such list is open.
    fn add_below(&mut self, depth: usize, items: Vec<ListItem<'a>>) {
        let above = depth.checked_sub(1).and_then(|above| self.lists.get_mut(above));
        match above.map(|list| &mut list.items) {
            Some(list) => match list.last_mut() {
                Some(item) => item.below.extend(items),
                None => list.extend(items),
            },
            None if items.is_empty() => {}
            None => self.blocks.push(Block::List(items)),
        }
    }

    /// Writes the items of the open lists as a list of the page, so that a code block in an item can follow. The lists
    /// continue after the code block.
    fn flush_lists(&mut self) {
        for depth in (0..self.lists.len()).rev() {
            let items = std::mem::take(&mut self.lists[depth].items);
            self.add_below(depth, items);
        }
    }

    /// Ends the current item or paragraph.
    fn end_block(&mut self) {
        if !self.lists.is_empty() {
            return self.end_item();
        }
        if !self.inlines.is_empty() {
            self.link = None;
            self.blocks.push(Block::Paragraph(std::mem::take(&mut self.inlines)));
        }
    }
}
