//! The content of a documentation page. The HTML and the Markdown of a page are generated from the same content, so
//! that they do not differ.
//!
//! As in CommonMark, a page consists of blocks (such as paragraphs and lists), and blocks contain inlines (such as text
//! and links).

use std::borrow::Cow;

use super::Pages;
use super::contents::contents_link;
use super::links::LinkTarget;
use crate::call::HttpMethod;

#[derive(Debug)]
pub(super) struct PageDocument<'a> {
    /// The path of the page below `/docs/`, before percent-encoding.
    pub(super) path: String,
    /// The title of the page, which browsers show on the tab of the page.
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
    /// The HTTP method and the path of the method.
    pub(super) heading: Inlines<'a>,
    /// The URI of the method's service.
    pub(super) uri: &'a str,
    /// The header field in which calls send the credential: `Authorization: Bearer YOUR_KEY`. `None` if the API has no
    /// authentication schemes.
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

/// The content of a heading, a paragraph or a table cell.
pub(super) type Inlines<'a> = Vec<Inline<'a>>;

/// A part of a line of text, such as a word in bold type or a link.
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
    /// The HTTP method and the longest path of a method.
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
    /// A code block. `server` is the server URL in `text`. In a browser, a script replaces this URL by the URL of the
    /// server that sent the page.
    Code {
        title: Option<&'static str>,
        language: Cow<'a, str>,
        text: Cow<'a, str>,
        server: Option<String>,
    },
    /// A list of parameters, outputs or members of objects.
    Fields(Vec<Field<'a>>),
    /// The types of a union, of which a browser shows one at a time.
    Branches(Vec<Branch<'a>>),
    /// Blocks that a browser shows only when the reader unfolds them. `id` is the URL fragment by which links refer to
    /// them.
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
    /// The lines of the description.
    pub(super) info: Vec<Inlines<'static>>,
    /// The values of the field, in words.
    pub(super) words: Cow<'static, str>,
    /// Values of the field, such as its default, each with a label.
    pub(super) values: Vec<(&'static str, Cow<'a, str>)>,
    /// Links to the pages of the schemas that occur in the type of the field, each with its text.
    pub(super) schemas: Vec<(LinkTarget, String)>,
    /// The members of the field, if it is an object or an array of objects. The members of a schema are omitted inside
    /// another schema, whose page contains a link to them.
    pub(super) members: Vec<Field<'a>>,
    /// The types of which the value is, if it is a union with objects.
    pub(super) branches: Vec<Branch<'a>>,
}

/// A type of a union.
#[derive(Debug)]
pub(super) struct Branch<'a> {
    /// The value of the tag, the name of the schema, or the values in words.
    pub(super) name: Inline<'a>,
    pub(super) words: Cow<'static, str>,
    /// Links to the pages of the schemas that occur in the type, each with its text.
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

/// An item of a list. The item can have nested items.
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
    /// `true` if a caller needs permissions.
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
