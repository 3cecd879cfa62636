//! Markdown as parts of a page: paragraphs, lists, headings and code. HTML in it is text, pictures are their words,
//! and links lead to `http`, `https` and `mailto` alone.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::place::To;
use super::sheet::{Block, Item, Span, Words};

/// The parts of a text. Its headings are paragraphs with weight: the page has headings of its own.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut read = Read::default();
    for event in Parser::new_ext(text, Options::empty()) {
        read.event(event);
    }
    read.end();
    read.blocks
}

/// A text while it is read.
#[derive(Default)]
struct Read<'a> {
    blocks: Vec<Block<'a>>,
    words: Words<'a>,
    /// The lists that are open, each in an item of the one before.
    lists: Vec<List<'a>>,
    /// The code that is open: its language and text.
    code: Option<(String, String)>,
    /// The link that is open, and where in the words it begins.
    link: Option<(To, usize)>,
    /// How many reasons there are for weight.
    strong: usize,
}

/// A list while it is read.
struct List<'a> {
    /// The number of its next item, where it has them.
    number: Option<u64>,
    items: Vec<Item<'a>>,
}

impl<'a> Read<'a> {
    fn event(&mut self, event: Event<'a>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.finish(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
            Event::Code(text) => self.words.push(Span::code(text.into_string())),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            Event::Rule => self.end(),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        match tag {
            Tag::Heading { .. } => {
                self.end();
                self.strong += 1;
            }
            Tag::Strong => self.strong += 1,
            Tag::CodeBlock(kind) => {
                self.end();
                self.show_lists();
                let language = match kind {
                    CodeBlockKind::Fenced(name) => name.split_whitespace().next().unwrap_or_default().to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::List(number) => {
                self.item();
                self.lists.push(List { number, items: Vec::new() });
            }
            Tag::Link { dest_url, .. } => {
                self.link = To::elsewhere(&dest_url).map(|to| (to, self.words.len()));
            }
            // What is said in them is said on the page.
            _ => {}
        }
    }

    fn finish(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => {
                self.end();
                self.strong = self.strong.saturating_sub(1);
            }
            TagEnd::Strong => self.strong = self.strong.saturating_sub(1),
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
            TagEnd::Paragraph if self.lists.is_empty() => self.end(),
            TagEnd::HtmlBlock => self.end(),
            TagEnd::Item => self.item(),
            TagEnd::List(_) => {
                let Some(List { items, .. }) = self.lists.pop() else { return };
                self.below(self.lists.len(), items);
            }
            TagEnd::Link => {
                let Some((to, begin)) = self.link.take() else { return };
                let inside = self.words.split_off(begin.min(self.words.len()));
                if !inside.is_empty() {
                    self.words.push(Span::Link(to, inside));
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if let Some((_, code)) = &mut self.code {
            code.push_str(text);
        } else if self.strong > 0 {
            self.words.push(Span::Strong(text.to_owned().into()));
        } else if self.link.as_ref().is_none_or(|(_, begin)| *begin < self.words.len())
            && let Some(Span::Said(last)) = self.words.last_mut()
        {
            // Texts come in pieces.
            last.to_mut().push_str(text);
        } else {
            self.words.push(Span::said(text.to_owned()));
        }
    }

    /// Ends an item of the list that is open, if anything was said in it.
    fn item(&mut self) {
        let Some(list) = self.lists.last_mut() else { return self.end() };
        if !self.words.is_empty() {
            self.link = None;
            let number = list.number;
            list.number = number.map(|number| number + 1);
            list.items.push(Item { number, ..Item::new(std::mem::take(&mut self.words)) });
        }
    }

    /// Puts items below the last one of the list at this depth; they are a list of the page where there is none.
    fn below(&mut self, depth: usize, items: Vec<Item<'a>>) {
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

    /// Puts what the open lists have so far on the page, for what stands in an item and is none. They go on behind it.
    fn show_lists(&mut self) {
        for depth in (0..self.lists.len()).rev() {
            let items = std::mem::take(&mut self.lists[depth].items);
            self.below(depth, items);
        }
    }

    /// Ends what is being said.
    fn end(&mut self) {
        if !self.lists.is_empty() {
            return self.item();
        }
        if !self.words.is_empty() {
            self.link = None;
            self.blocks.push(Block::Paragraph(std::mem::take(&mut self.words)));
        }
    }
}
