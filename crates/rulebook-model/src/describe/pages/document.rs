//! The content of a page. The HTML and the Markdown of the page are both generated from it, so they cannot differ.
//!
//! As in CommonMark, a page consists of blocks, and blocks contain inlines.

use std::borrow::Cow;

use super::links::LinkTarget;
use crate::call::HttpMethod;

/// A page.
#[derive(Debug)]
pub(super) struct PageDocument<'a> {
    /// The path below `/docs/`.
    pub(super) path: String,
    /// The title of the page, which browsers show on its tab.
    pub(super) title: Cow<'a, str>,
    pub(super) heading: Inlines<'a>,
    /// Links to the pages above this page, beginning with the start page.
    pub(super) breadcrumbs: Vec<(LinkTarget, Inlines<'a>)>,
    /// The text in the search field of the page.
    pub(super) query: &'a str,
    pub(super) blocks: Vec<Block<'a>>,
}

/// The content of a heading, a paragraph or a table cell.
pub(super) type Inlines<'a> = Vec<Inline<'a>>;

/// A part of a line of text.
#[derive(Debug, Clone)]
pub(super) enum Inline<'a> {
    /// Text that is the same for every API.
    Text(Cow<'static, str>),
    /// Text of the definition.
    Quoted(Cow<'a, str>),
    /// Text of the definition in bold type.
    Strong(Cow<'a, str>),
    /// A name, a type or a value of the definition.
    Code(Cow<'a, str>),
    /// The name of an HTTP method.
    HttpMethod(HttpMethod),
    /// Text that is highlighted.
    Mark(&'static str),
    /// A link.
    Link(LinkTarget, Inlines<'a>),
}

/// A block of a page.
#[derive(Debug)]
pub(super) enum Block<'a> {
    /// A heading of level 2 or 3, with the fragment that links refer to, which may be empty.
    Heading { level: u8, id: &'static str, inlines: Inlines<'a> },
    /// A paragraph.
    Paragraph(Inlines<'a>),
    /// The first paragraph of a page, which summarizes it.
    Lead(Inlines<'a>),
    /// Pairs of a label and a text.
    Facts(Vec<(&'static str, Inlines<'a>)>),
    /// A list.
    List(Vec<ListItem<'a>>),
    /// A table. Each cell has one or more lines; the first line is emphasized.
    Table { head: &'static [&'static str], rows: Vec<TableRow<'a>> },
    /// Methods, each in one line.
    Methods(Vec<MethodLine<'a>>),
    /// A code block. `server` is the server URL in the text, which a script replaces by the actual one.
    Code { title: Option<&'static str>, language: Cow<'a, str>, text: Cow<'a, str>, server: Option<String> },
    /// The form that calls a method, with a heading. It contains the id of the method and the URI of its service.
    Form { id: &'a str, uri: &'a str },
}

/// A row of a table, with the fragment that links refer to.
#[derive(Debug)]
pub(super) struct TableRow<'a> {
    pub(super) id: Option<&'static str>,
    pub(super) cells: Vec<Vec<Inlines<'a>>>,
}

/// An item of a list, with its nested items.
#[derive(Debug)]
pub(super) struct ListItem<'a> {
    /// The number of the item if the list is ordered.
    pub(super) number: Option<u64>,
    pub(super) inlines: Inlines<'a>,
    pub(super) below: Vec<ListItem<'a>>,
}

/// A method in one line.
#[derive(Debug)]
pub(super) struct MethodLine<'a> {
    pub(super) page: LinkTarget,
    pub(super) http: HttpMethod,
    pub(super) uri: &'a str,
    pub(super) info: &'a str,
    pub(super) id: &'a str,
    pub(super) scope: Inlines<'a>,
    pub(super) deprecated: bool,
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
        Self { number: None, inlines, below: Vec::new() }
    }
}

impl<'a> Block<'a> {
    /// Creates a heading of level 2.
    pub(super) fn heading(id: &'static str, text: &'static str) -> Self {
        Self::Heading { level: 2, id, inlines: vec![Inline::text(text)] }
    }

    /// Creates a paragraph of text that is the same for every API.
    pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Paragraph(vec![Inline::text(text)])
    }
}
