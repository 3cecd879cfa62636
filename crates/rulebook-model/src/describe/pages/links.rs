//! The paths of documentation pages, and relative links between these pages.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::form_urlencoded;

use super::PageForm;
use crate::model::{Audience, Versions};
use crate::uri::percent_encode;

/// Characters that a URL cannot contain (RFC 3986 section 2), and parentheses, which would end a link in Markdown.
const ENCODED_IN_LINKS: &AsciiSet = &CONTROLS
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

const MARKDOWN_EXTENSION: &str = ".md";

/// The path of the search page, below `/docs/`.
pub(super) const SEARCH_PATH: &str = "search";
pub(super) const SEARCH_QUERY_PARAMETER: &str = "q";

/// The path of the page with the errors of the server, below `/docs/`.
pub(super) const ERRORS_PATH: &str = "errors";

/// Converts a name to one path segment, before percent-encoding. Different names are converted to different segments.
/// Browsers and proxies resolve the segments `.` and `..`, even if they are percent-encoded, and some proxies decode
/// `%2F` or `%25`. Therefore the characters of these sequences are escaped. The dot of `.md` at the end is also
/// escaped, because a path with this extension refers to the Markdown of a page.
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
            // Writing to a `String` cannot fail.
            let _ = write!(segment, "~{:02X}", u32::from(character));
        }
    }
    // In an escaped character, `~` is followed by digits. A `~` without digits therefore represents the empty name.
    if segment.is_empty() { "~".to_owned() } else { segment }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LinkTarget {
    /// The path below `/docs/`, before percent-encoding, and the URL fragment.
    Page(String, Option<Cow<'static, str>>),
    Search(String),
    /// The path on the server, without the leading slash, of a document whose content depends on the caller.
    Document(&'static str),
    /// A resource that is the same for every caller: the path of the resource on the server, without the leading slash.
    Server(&'static str),
    /// A documentation page of another version of the API: its percent-encoded path from the root of this version.
    Version(String),
    /// An absolute URL of another server.
    External(String),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum LinkOrigin<'a> {
    /// The page with this path below `/docs/`.
    Page(&'a str),
    /// A document at the root of the server, such as `llms.txt`.
    Root,
    /// A document in the folder `.well-known` of the server.
    WellKnown,
    /// A response to OPTIONS, at any path. Its links are absolute paths.
    AnyPath,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LinkContext<'a> {
    pub(super) origin: LinkOrigin<'a>,
    /// The form of the document. The links of a page refer to pages in the same form.
    pub(super) form: PageForm,
    /// `true` if the document and those to which it links are for the caller (`?as=me`).
    pub(super) is_for_caller: bool,
}

impl LinkContext<'_> {
    /// The URLs in pages are relative, so that they are valid behind every reverse proxy.
    pub(super) fn docs_reference(self, path: &str) -> String {
        match self.origin {
            LinkOrigin::Page(page) => "../".repeat(page.matches('/').count()) + path,
            LinkOrigin::Root => format!("docs/{path}"),
            LinkOrigin::WellKnown => format!("../docs/{path}"),
            LinkOrigin::AnyPath => format!("/docs/{path}"),
        }
    }

    fn server_reference(self, path: &str) -> String {
        match self.origin {
            LinkOrigin::Page(_) => self.docs_reference("../") + path,
            LinkOrigin::Root => path.to_owned(),
            LinkOrigin::WellKnown => format!("../{path}"),
            LinkOrigin::AnyPath => format!("/{path}"),
        }
    }

    /// Returns the query of a link, with a leading `?` unless the query is empty. The query consists of `more`, and of
    /// `as=me` if the document is for the caller.
    fn link_query(self, more: &str) -> String {
        let (name, value) = Audience::ASKED;
        let for_caller = if self.is_for_caller { format!("{name}={value}") } else { String::new() };
        match (for_caller.is_empty(), more.is_empty()) {
            (true, true) => String::new(),
            (false, false) => format!("?{for_caller}&{more}"),
            _ => format!("?{for_caller}{more}"),
        }
    }
}

impl LinkTarget {
    /// `None` if the scheme of the URL is not `http`, `https` or `mailto`.
    pub(super) fn external_url(url: &str) -> Option<Self> {
        let is_safe = ["http://", "https://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        is_safe.then(|| Self::External(utf8_percent_encode(url, ENCODED_IN_LINKS).to_string()))
    }

    /// Returns the URL of the link. The URL is relative, unless the target is on another server.
    pub(super) fn to_url(&self, context: LinkContext<'_>) -> String {
        match self {
            Self::Page(path, fragment) => {
                let mut reference = page_url(path, "", context);
                reference.extend(fragment.iter().flat_map(|fragment| ["#", fragment]));
                reference
            }
            Self::Search(words) => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                page_url(SEARCH_PATH, &query.append_pair(SEARCH_QUERY_PARAMETER, words).finish(), context)
            }
            Self::Document(path) => context.server_reference(path) + &context.link_query(""),
            Self::Server(path) => context.server_reference(path),
            Self::Version(path) => context.server_reference(path),
            Self::External(url) => url.clone(),
        }
    }
}

pub(super) fn page_url(path: &str, query: &str, context: LinkContext<'_>) -> String {
    let reference = context.docs_reference(&encoded_page_path(path, context.form));
    let reference = if reference.is_empty() { "./".to_owned() } else { reference };
    reference + &context.link_query(query)
}

pub(super) fn errors_link(error: Option<&'static str>) -> LinkTarget {
    LinkTarget::Page(ERRORS_PATH.to_owned(), error.map(Cow::Borrowed))
}

/// Returns the path below `/docs/`, before percent-encoding.
pub(super) fn method_page_path(id: &str) -> String {
    format!("methods/{}", escape_segment(id))
}

/// Returns the absolute path, percent-encoded, of a method's documentation page. `id` is the id of the method.
#[must_use]
pub fn method_page_url(id: &str) -> String {
    let context = LinkContext { origin: LinkOrigin::AnyPath, form: PageForm::Html, is_for_caller: false };
    page_url(&method_page_path(id), "", context)
}

/// Returns the relative reference to the root of a version from that of the version that the pages describe.
pub(super) fn version_root(versions: &Versions, name: &str) -> String {
    let is_below = versions.current.as_ref().is_some_and(|current| *current != versions.default);
    let folder = if name == versions.default { String::new() } else { format!("{name}/") };
    format!("{}{folder}", if is_below { "../" } else { "" })
}

/// Returns the path below `/docs/`, before percent-encoding.
pub(super) fn schema_page_path(key: &str) -> String {
    format!("schemas/{}", escape_segment(key))
}

fn encoded_page_path(path: &str, form: PageForm) -> String {
    let segments: Vec<_> = path.split('/').map(|segment| percent_encode(segment).to_string()).collect();
    match form {
        PageForm::Html => segments.join("/"),
        PageForm::Markdown if path.is_empty() => format!("index{MARKDOWN_EXTENSION}"),
        PageForm::Markdown => segments.join("/") + MARKDOWN_EXTENSION,
    }
}
