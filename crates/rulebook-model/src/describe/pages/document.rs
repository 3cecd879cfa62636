//! The content of a documentation page. The HTML and the Markdown of a page are generated from the same content, so
//! that they do not differ.
//!
//! As in CommonMark, a page consists of blocks (such as paragraphs and lists), and blocks contain inlines (such as text
//! and links). The descriptions of a definition, which are Markdown, are parsed into them.

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::Pages;
use super::contents::contents_link;
use super::links::LinkTarget;
use crate::call::HttpMethod;

#[derive(Debug)]
pub(super) struct PageDocument<'a> {
    /// The path of the page below `/docs/`, before percent-encoding.
    pub(super) path: String,
    pub(super) title: Cow<'a, str>,
    pub(super) heading: Inlines<'a>,
    /// Links to the pages above this page, beginning with the start page.
    pub(super) breadcrumbs: Vec<(LinkTarget, Inlines<'a>)>,
    /// The search words in the search field of the page.
    pub(super) query: &'a str,
    pub(super) blocks: Vec<Block<'a>>,
    /// The panel beside the content, on the page of a method.
    pub(super) panel: Option<Panel<'a>>,
}

impl<'a> PageDocument<'a> {
    /// Creates a page with a title, which is also its heading. The page is directly below the start page.
    pub(super) fn new(pages: &'a Pages, path: String, title: &'static str, blocks: Vec<Block<'a>>) -> Self {
        let heading = vec![Inline::text(title)];
        Self {
            path,
            title: title.into(),
            heading,
            breadcrumbs: vec![contents_link(pages)],
            query: "",
            blocks,
            panel: None,
        }
    }
}

/// The panel beside the description of a method, with the form that calls the method, and with code that calls it.
#[derive(Debug)]
pub(super) struct Panel<'a> {
    pub(super) id: &'a str,
    pub(super) heading: Inlines<'a>,
    pub(super) uri: &'a str,
    /// `Authorization: Bearer YOUR_KEY`; `None` if the API has no authentication schemes.
    pub(super) credential: Option<String>,
    /// `true` if the method requires no permissions, so that the code sends no credential.
    pub(super) is_public: bool,
    /// `true` if a call of the method changes nothing on the server (RFC 9110 section 9.2.1).
    pub(super) is_safe: bool,
    /// The values with which the form begins: JSON with the examples of the parameters that a request needs, by the
    /// keys of the parameters in the definition.
    pub(super) values: String,
    /// The examples of the other parameters, in the same form.
    pub(super) examples: String,
    /// The parts and the words of names of secret values, as regular expressions. The form masks these values.
    pub(super) secret_names: [String; 2],
    /// Code blocks that call the method, each with the name of its language or tool.
    pub(super) samples: Vec<(&'static str, Block<'a>)>,
}

pub(super) type Inlines<'a> = Vec<Inline<'a>>;

#[derive(Debug, Clone)]
pub(super) enum Inline<'a> {
    /// A text that is the same for every API.
    Text(Cow<'static, str>),
    /// A text of the definition.
    Quoted(Cow<'a, str>),
    /// A text of the definition in bold type.
    Strong(Cow<'a, str>),
    /// A name, a type or a value in the definition, which is shown as code.
    Code(Cow<'a, str>),
    HttpMethod(HttpMethod),
    Link(LinkTarget, Inlines<'a>),
}

#[derive(Debug)]
pub(super) enum Block<'a> {
    /// A heading of level 2 or 3. `id` is the URL fragment by which links refer to the heading; it may be empty.
    Heading {
        level: u8,
        id: &'static str,
        inlines: Inlines<'a>,
    },
    Paragraph(Inlines<'a>),
    Address(HttpMethod, Cow<'a, str>),
    /// A list of facts, each with a label and a text.
    Facts(Vec<(&'static str, Inlines<'a>)>),
    List(Vec<ListItem<'a>>),
    /// A table. Each cell has one or more lines, the first of which is emphasized.
    Table {
        head: Vec<&'static str>,
        rows: Vec<TableRow<'a>>,
    },
    Methods(Vec<MethodLine<'a>>),
    /// In a browser, a script replaces `server`, the server URL in `text`, by the URL of the server that sent the page.
    Code {
        title: Option<&'static str>,
        language: Cow<'a, str>,
        text: Cow<'a, str>,
        server: Option<String>,
    },
    Fields(Vec<Field<'a>>),
    /// The types of a union. A browser shows one of them at a time.
    Branches(Vec<Branch<'a>>),
    /// A browser shows the blocks only when the reader unfolds them. `id` is the URL fragment of links to them.
    Folded {
        id: &'static str,
        summary: Cow<'static, str>,
        blocks: Vec<Block<'a>>,
    },
}

/// A parameter, an output, or a member of an object.
#[derive(Debug)]
pub(super) struct Field<'a> {
    /// The URL fragment by which links refer to the field. Empty for members of objects.
    pub(super) id: String,
    /// The key of a parameter in the definition, by which the form finds the description. Empty for other fields.
    pub(super) key: String,
    pub(super) name: Inline<'a>,
    /// The part of the request that contains a parameter. Empty for other fields.
    pub(super) location: &'static str,
    /// `true` if a request must contain the parameter or the member, or if each response contains the output.
    pub(super) is_required: bool,
    pub(super) info: Vec<Inlines<'static>>,
    pub(super) words: Cow<'static, str>,
    /// Values of the field, such as its default, each with a label.
    pub(super) values: Vec<(&'static str, Cow<'a, str>)>,
    /// Links to the pages of the schemas that occur in the type of the field, each with its text.
    pub(super) schemas: Vec<(LinkTarget, String)>,
    /// The members of the field, if it is an object or an array of objects. The members of a schema are omitted inside
    /// another schema, whose page contains a link to them.
    pub(super) members: Vec<Field<'a>>,
    pub(super) branches: Vec<Branch<'a>>,
}

#[derive(Debug)]
pub(super) struct Branch<'a> {
    /// The value of the tag, the name of the schema, or the values in words.
    pub(super) name: Inline<'a>,
    pub(super) words: Cow<'static, str>,
    pub(super) schemas: Vec<(LinkTarget, String)>,
    pub(super) fields: Vec<Field<'a>>,
    /// An example in JSON.
    pub(super) example: Option<String>,
}

/// A row of a table. `id` is the URL fragment by which links refer to the row.
#[derive(Debug)]
pub(super) struct TableRow<'a> {
    pub(super) id: Option<Cow<'static, str>>,
    pub(super) cells: Vec<Vec<Inlines<'a>>>,
}

#[derive(Debug, Clone)]
pub(super) struct ListItem<'a> {
    /// The number of the item, or `None` if the list is unordered.
    pub(super) number: Option<u64>,
    pub(super) inlines: Inlines<'a>,
    pub(super) nested_items: Vec<ListItem<'a>>,
}

#[derive(Debug)]
pub(super) struct MethodLine<'a> {
    pub(super) page_link: LinkTarget,
    pub(super) http: HttpMethod,
    pub(super) uri: &'a str,
    /// The first sentence of the description, without markup.
    pub(super) title: String,
    pub(super) info: Inlines<'a>,
    pub(super) id: &'a str,
    pub(super) scope: Inlines<'a>,
    pub(super) is_restricted: bool,
    /// What marks a deprecated method, such as "deprecated since 2026-12-01".
    pub(super) deprecated: Option<String>,
}

impl<'a> Inline<'a> {
    pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn quoted(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Quoted(text.into())
    }

    pub(super) fn code(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Code(text.into())
    }
}

impl<'a> ListItem<'a> {
    /// Creates an item of an unordered list, without nested items.
    pub(super) fn new(inlines: Inlines<'a>) -> Self {
        Self { number: None, inlines, nested_items: Vec::new() }
    }
}

impl<'a> Block<'a> {
    pub(super) fn heading(id: &'static str, text: &'static str) -> Self {
        Self::Heading { level: 2, id, inlines: vec![Inline::text(text)] }
    }

    /// Creates a table. Columns without content are omitted, except the first.
    pub(super) fn table(head: &[&'static str], mut rows: Vec<TableRow<'a>>) -> Self {
        let is_shown = |column: &usize| *column == 0 || rows.iter().any(|row| !row.cells[*column].is_empty());
        let shown: Vec<_> = (0..head.len()).filter(is_shown).collect();
        for row in &mut rows {
            let mut index = 0..;
            row.cells.retain(|_| index.next().is_some_and(|index| shown.contains(&index)));
        }
        Self::Table { head: shown.into_iter().map(|index| head[index]).collect(), rows }
    }

    /// Creates a paragraph of text that is the same for every API.
    pub(super) fn paragraph(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Paragraph(vec![Inline::text(text)])
    }
}

// Markdown in the descriptions of a definition is parsed into blocks: paragraphs, lists and code. HTML in the Markdown
// is shown as text, and images are replaced by their descriptions. Only URLs with the schemes `http`, `https` and
// `mailto` become links.

/// Headings become paragraphs in bold type, so that they do not interfere with the headings of the page.
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

    /// Adds to the last item of the open list above `depth` or, if no such list is open, a block with a list.
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

    /// Adds the items of the open lists before a code block inside a list item, after which the lists continue.
    fn flush_lists(&mut self) {
        for depth in (0..self.open_lists.len()).rev() {
            let items = std::mem::take(&mut self.open_lists[depth].items);
            self.add_nested_items(depth, items);
        }
    }

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
