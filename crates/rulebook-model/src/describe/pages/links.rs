//! The paths of pages, and relative links from one page to another.

use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::Audience;

/// The characters that are percent-encoded in a path segment, after [`segment`] has escaped a name.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters that a URL cannot contain (RFC 3986 section 2), and parentheses, which would end a link in markdown.
const NOT_IN_LINKS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'(')
    .add(b')');

/// The extension of the paths of pages in markdown.
const MARKDOWN_EXTENSION: &str = ".md";

/// Returns a name as one path segment, before percent-encoding. Different names have different segments, and no browser
/// or proxy changes them: those resolve `.` and `..`, even if percent-encoded, and some decode `%2F` or `%25`. A `.md` at
/// the end is escaped too, since it would mean the markdown of another page.
pub(super) fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    let extension = name.len().checked_sub(MARKDOWN_EXTENSION.len()).filter(|_| name.ends_with(MARKDOWN_EXTENSION));
    for (at, character) in name.char_indices() {
        let is_kept = match character {
            '.' => at > 0 && Some(at) != extension,
            '~' | '/' | '\\' | '%' => false,
            _ => !character.is_control(),
        };
        if is_kept {
            segment.push(character);
        } else {
            // Writing to a String does not fail.
            let _ = write!(segment, "~{:02X}", u32::from(character));
        }
    }
    // An escape always has digits, so that `~` alone is free for the empty name.
    if segment.is_empty() { "~".to_owned() } else { segment }
}

/// The target of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LinkTarget {
    /// A page, by its path below `/docs/` before percent-encoding, and a fragment.
    Page(String, Option<&'static str>),
    /// A document of the API that depends on the caller, by its path on the server without a leading slash.
    Document(&'static str),
    /// A resource that is the same for every caller, by its path on the server without a leading slash.
    Server(&'static str),
    /// An absolute URL of another server.
    External(String),
}

/// The format of a page. Links lead to pages in the same format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageFormat {
    Html,
    Markdown,
}

/// What the links of a document depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkContext<'a> {
    /// The path of the page with the links, below `/docs/`; none for a document at the root of the server.
    pub(super) page: Option<&'a str>,
    pub(super) format: PageFormat,
    /// `true` if the document was requested for the caller (`?as=me`), so that its links request the same.
    pub(super) for_caller: bool,
}

impl LinkContext<'_> {
    /// The context of a markdown document at the root of the server.
    pub(super) const ROOT: Self = Self { page: None, format: PageFormat::Markdown, for_caller: false };

    /// Returns a relative reference to a path below `/docs/`, which works behind any prefix of a reverse proxy.
    pub(super) fn docs(self, path: &str) -> String {
        match self.page {
            Some(page) => "../".repeat(page.matches('/').count()) + path,
            None => format!("docs/{path}"),
        }
    }

    /// Returns a relative reference to a path of the server.
    fn server(self, path: &str) -> String {
        match self.page {
            Some(_) => self.docs("../") + path,
            None => path.to_owned(),
        }
    }

    /// Returns the query of a link, with the parameter that requests the document for the caller if needed.
    fn query(self, more: &str) -> String {
        let (name, value) = Audience::ASKED;
        let for_caller = if self.for_caller { format!("{name}={value}") } else { String::new() };
        match (for_caller.is_empty(), more.is_empty()) {
            (true, true) => String::new(),
            (false, false) => format!("?{for_caller}&{more}"),
            _ => format!("?{for_caller}{more}"),
        }
    }
}

impl LinkTarget {
    /// Returns a link to a URL of the definition; none if its scheme may do more than open a page or an email.
    pub(super) fn external(url: &str) -> Option<Self> {
        let is_safe = ["http://", "https://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        is_safe.then(|| Self::External(utf8_percent_encode(url, NOT_IN_LINKS).to_string()))
    }

    /// Returns the URL reference of the link, relative unless the target is external.
    pub(super) fn reference(&self, context: LinkContext<'_>) -> String {
        match self {
            Self::Page(path, fragment) => {
                let mut reference = page_reference(path, "", context);
                reference.extend(fragment.iter().flat_map(|fragment| ["#", fragment]));
                reference
            }
            Self::Document(path) => context.server(path) + &context.query(""),
            Self::Server(path) => context.server(path),
            Self::External(url) => url.clone(),
        }
    }
}

/// Returns a relative reference to a page with this query.
pub(super) fn page_reference(path: &str, query: &str, context: LinkContext<'_>) -> String {
    let reference = context.docs(&format_path(path, context.format));
    let reference = if reference.is_empty() { "./".to_owned() } else { reference };
    reference + &context.query(query)
}

/// Returns the path of the page of a method, below `/docs/` and before percent-encoding.
pub(super) fn method_path(id: &str) -> String {
    format!("methods/{}", segment(id))
}

/// Returns the percent-encoded path of a page below `/docs/` in this format.
fn format_path(path: &str, format: PageFormat) -> String {
    let segments: Vec<_> = path.split('/').map(|segment| utf8_percent_encode(segment, ENCODED).to_string()).collect();
    match format {
        PageFormat::Html => segments.join("/"),
        PageFormat::Markdown if path.is_empty() => format!("index{MARKDOWN_EXTENSION}"),
        PageFormat::Markdown => segments.join("/") + MARKDOWN_EXTENSION,
    }
}
