//! The paths of pages, and relative links between pages.

use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::Audience;

/// The characters that are percent-encoded in a path segment, after [`escape_segment`] has escaped a name.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The characters that a URL cannot contain (RFC 3986 section 2), and parentheses, which would end a link in Markdown.
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

/// The extension in the paths of pages in Markdown.
const MARKDOWN_EXTENSION: &str = ".md";

/// Returns a name as one path segment, before percent-encoding. Different names have different segments. The segment
/// contains no characters that browsers or proxies change: they resolve `.` and `..`, even if percent-encoded, and some
/// decode `%2F` or `%25`. A `.md` at the end is escaped too, because it would refer to the Markdown of a page.
pub(super) fn escape_segment(name: &str) -> String {
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
            // Writing to a String cannot fail.
            let _ = write!(segment, "~{:02X}", u32::from(character));
        }
    }
    // `~` is followed by digits in an escaped character, so `~` without digits can stand for the empty name.
    if segment.is_empty() { "~".to_owned() } else { segment }
}

/// The target of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LinkTarget {
    /// A page: its path below `/docs/`, before percent-encoding, and a fragment.
    Page(String, Option<&'static str>),
    /// A document that depends on the caller: its path on the server, without the leading slash.
    Document(&'static str),
    /// A resource that is the same for every caller: its path on the server, without the leading slash.
    Server(&'static str),
    /// An absolute URL of another server.
    External(String),
}

/// The format of a page. Links on it refer to pages in the same format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageFormat {
    Html,
    Markdown,
}

/// The properties of a document that its links depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinkContext<'a> {
    /// The path of the page that contains the links, below `/docs/`; `None` for a document at the root of the server.
    pub(super) page: Option<&'a str>,
    pub(super) format: PageFormat,
    /// `true` if the document was requested for the caller (`?as=me`), so that its links refer to documents for the
    /// caller.
    pub(super) for_caller: bool,
}

impl LinkContext<'_> {
    /// The context of a Markdown document at the root of the server.
    pub(super) const ROOT: Self = Self { page: None, format: PageFormat::Markdown, for_caller: false };

    /// Returns a relative reference to a path below `/docs/`, which is valid behind every reverse proxy.
    pub(super) fn docs(self, path: &str) -> String {
        match self.page {
            Some(page) => "../".repeat(page.matches('/').count()) + path,
            None => format!("docs/{path}"),
        }
    }

    /// Returns a relative reference to a path on the server.
    fn server(self, path: &str) -> String {
        match self.page {
            Some(_) => self.docs("../") + path,
            None => path.to_owned(),
        }
    }

    /// Returns the query of a link. It contains `as=me` if the document is for the caller.
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
    /// Returns a link to a URL of the definition, or `None` if the scheme is not `http`, `https` or `mailto`.
    pub(super) fn external_url(url: &str) -> Option<Self> {
        let is_safe = ["http://", "https://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        is_safe.then(|| Self::External(utf8_percent_encode(url, NOT_IN_LINKS).to_string()))
    }

    /// Returns the URL of the link, which is relative unless the target is on another server.
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

/// Returns a relative reference to a page, with a query.
pub(super) fn page_reference(path: &str, query: &str, context: LinkContext<'_>) -> String {
    let reference = context.docs(&format_path(path, context.format));
    let reference = if reference.is_empty() { "./".to_owned() } else { reference };
    reference + &context.query(query)
}

/// Returns the path of a method's page, below `/docs/` and before percent-encoding.
pub(super) fn method_path(id: &str) -> String {
    format!("methods/{}", escape_segment(id))
}

/// Returns the percent-encoded path of a page in this format, below `/docs/`.
fn format_path(path: &str, format: PageFormat) -> String {
    let segments: Vec<_> = path.split('/').map(|segment| utf8_percent_encode(segment, ENCODED).to_string()).collect();
    match format {
        PageFormat::Html => segments.join("/"),
        PageFormat::Markdown if path.is_empty() => format!("index{MARKDOWN_EXTENSION}"),
        PageFormat::Markdown => segments.join("/") + MARKDOWN_EXTENSION,
    }
}
