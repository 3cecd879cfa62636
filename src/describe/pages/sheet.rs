//! A page before it is written as HTML or markdown: what is said, in which order. Both are made from this alone, so
//! they cannot disagree.

use std::borrow::Cow;

use super::place::To;
use crate::call::Http;

/// A page.
#[derive(Debug)]
pub(super) struct Sheet<'a> {
    /// Where it is, below `/docs/`.
    pub(super) path: String,
    /// What it is called where it is one of many.
    pub(super) name: Cow<'a, str>,
    /// Its heading.
    pub(super) heading: Words<'a>,
    /// The pages above it.
    pub(super) trail: Vec<(To, Words<'a>)>,
    /// What was searched for.
    pub(super) query: &'a str,
    pub(super) blocks: Vec<Block<'a>>,
}

/// A line of words.
pub(super) type Words<'a> = Vec<Span<'a>>;

/// A part of a line.
#[derive(Debug, Clone)]
pub(super) enum Span<'a> {
    /// Words of the program.
    Own(Cow<'static, str>),
    /// Words of the definition.
    Said(Cow<'a, str>),
    /// The same, with weight.
    Strong(Cow<'a, str>),
    /// A name, a term or a value.
    Code(Cow<'a, str>),
    /// A method of HTTP.
    Http(Http),
    /// What is to be noticed.
    Mark(&'static str),
    /// A way to elsewhere.
    Link(To, Words<'a>),
}

/// A part of a page.
#[derive(Debug)]
pub(super) enum Block<'a> {
    /// A heading, of the second or third level, and what it is called in links.
    Heading { level: u8, id: &'static str, words: Words<'a> },
    /// A paragraph.
    Paragraph(Words<'a>),
    /// The first words on a page, which say what it is about.
    Lead(Words<'a>),
    /// What holds, by what it is about.
    Facts(Vec<(&'static str, Words<'a>)>),
    /// A list.
    List(Vec<Item<'a>>),
    /// A table. Each cell has parts, the first of which matters most.
    Table { head: &'static [&'static str], rows: Vec<Row<'a>> },
    /// Methods, a line each.
    Methods(Vec<Line<'a>>),
    /// A text to be read or copied as it is.
    Code { title: Option<&'static str>, language: Cow<'a, str>, text: Cow<'a, str>, server: Option<String> },
    /// A place for the form that calls the method of this id, whose service has this URI, with its heading.
    Form { id: &'a str, uri: &'a str },
}

/// A row of a table, and what it is called in links.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) id: Option<&'static str>,
    pub(super) cells: Vec<Vec<Words<'a>>>,
}

/// An item of a list, and the items below it.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Its number, in a list that has them.
    pub(super) number: Option<u64>,
    pub(super) words: Words<'a>,
    pub(super) below: Vec<Item<'a>>,
}

/// A method in one line.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) to: To,
    pub(super) http: Http,
    pub(super) uri: &'a str,
    pub(super) info: &'a str,
    pub(super) id: &'a str,
    pub(super) scope: Words<'a>,
    pub(super) deprecated: bool,
}

impl<'a> Span<'a> {
    pub(super) fn own(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Own(text.into())
    }

    pub(super) fn said(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Said(text.into())
    }

    pub(super) fn code(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Code(text.into())
    }
}

impl<'a> Item<'a> {
    /// An item with nothing below it.
    pub(super) fn new(words: Words<'a>) -> Self {
        Self { number: None, words, below: Vec::new() }
    }
}

impl<'a> Block<'a> {
    /// A heading of the second level in words of the program.
    pub(super) fn heading(id: &'static str, words: &'static str) -> Self {
        Self::Heading { level: 2, id, words: vec![Span::own(words)] }
    }

    /// A paragraph in words of the program.
    pub(super) fn own(words: impl Into<Cow<'static, str>>) -> Self {
        Self::Paragraph(vec![Span::own(words)])
    }
}
