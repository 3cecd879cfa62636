//! The content of a page, from which both its HTML and its markdown are written, so that they cannot differ.
//!
//! As in CommonMark, a page is a sequence of blocks, and blocks contain inlines.

use std::borrow::Cow;

use super::links::LinkTarget;
use crate::call::HttpMethod;

/// A page.
#[derive(Debug)]
pub(super) struct PageDocument<'a> {
    /// The path below `/docs/`.
    pub(super) path: String,
    /// The title, as the tab of a browser shows it.
    pub(super) title: Cow<'a, str>,
    pub(super) heading: Inlines<'a>,
    /// Links to the pages above this one, the topmost first.
    pub(super) breadcrumbs: Vec<(LinkTarget, Inlines<'a>)>,
    /// The text in the search field.
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
    /// A heading of level 2 or 3, and the fragment that links to it; empty without one.
    Heading { level: u8, id: &'static str, inlines: Inlines<'a> },
    /// A paragraph.
    Paragraph(Inlines<'a>),
    /// The paragraph at the top of a page that says what the page is about.
    Lead(Inlines<'a>),
    /// Pairs of a label and a text.
    Facts(Vec<(&'static str, Inlines<'a>)>),
    /// A list.
    List(Vec<ListItem<'a>>),
    /// A table. Each cell has one or more lines; all but the first are less prominent.
    Table { head: &'static [&'static str], rows: Vec<TableRow<'a>> },
    /// Methods, one line each.
    Methods(Vec<MethodLine<'a>>),
    /// A code block. `server` is the server URL in `text`, which a script replaces by that of the page.
    Code { title: Option<&'static str>, language: Cow<'a, str>, text: Cow<'a, str>, server: Option<String> },
    /// The form that calls the method with this id, whose service has this URI, with a heading.
    Form { id: &'a str, uri: &'a str },
}

/// A row of a table, and the fragment that links to it.
#[derive(Debug)]
pub(super) struct TableRow<'a> {
    pub(super) id: Option<&'static str>,
    pub(super) cells: Vec<Vec<Inlines<'a>>>,
}

/// An item of a list, and the items below it.
#[derive(Debug)]
pub(super) struct ListItem<'a> {
    /// The number of the item in an ordered list.
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
    /// Returns an item of an unordered list, without items below it.
    pub(super) fn new(inlines: Inlines<'a>) -> Self {
        Self { number: None, inlines, below: Vec::new() }
    }
}

impl<'a> Block<'a> {
    /// Returns a heading of level 2.
    pub(super) fn heading(id: &'static str, text: &'static str) -> Self {
        Self::Heading { level: 2, id, inlines: vec![Inline::text(text)] }
    }

    /// Returns a paragraph of text that is the same for every API.
    pub(super) fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Paragraph(vec![Inline::text(text)])
    }
}
