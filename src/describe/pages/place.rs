//! Where pages are: names as parts of a path, and the way from one page to another.

use std::fmt::Write;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::Audience;

/// What is encoded in a part of a path beside what is escaped.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in no URL as it is (RFC 3986 section 2), and parentheses: in markdown they would end the link.
const OUTSIDE: &AsciiSet = &CONTROLS
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

/// What ends the path of a page's markdown.
const MARKDOWN: &str = ".md";

/// A name as one segment of a path, decoded: another for each name, and one that nothing on the way to the server
/// takes for more than a name. Proxies and browsers resolve `.` and `..`, however they are encoded, and some decode
/// `%2F` or `%25`; what ends in `.md` is the markdown of another page.
pub(super) fn segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    let markdown = name.len().checked_sub(MARKDOWN.len()).filter(|_| name.ends_with(MARKDOWN));
    for (at, character) in name.char_indices() {
        let is_kept = match character {
            '.' => at > 0 && Some(at) != markdown,
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
    // No escape is without digits.
    if segment.is_empty() { "~".to_owned() } else { segment }
}

/// Where something is that a page leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    /// A page, by its path below `/docs/`, decoded; and a place on it.
    Page(String, Option<&'static str>),
    /// A document of the API, by its path on the server without a slash in front.
    Document(&'static str),
    /// What is the same for whoever asks, by such a path.
    Server(&'static str),
    /// Elsewhere: an absolute URL.
    Elsewhere(String),
}

/// In which form pages are read, so that links stay in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Markdown,
}

/// Where links begin, and what they keep to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Here<'a> {
    /// The page that they stand on, by its path below `/docs/`; none at the top of the server.
    pub(super) page: Option<&'a str>,
    pub(super) form: Form,
    /// Whether this was asked for as what the asker may call: then so is what it leads to.
    pub(super) own: bool,
}

impl Here<'_> {
    /// At the top of the server, in markdown.
    pub(super) const TOP: Self = Self { page: None, form: Form::Markdown, own: false };

    /// A relative reference to what is at a path below `/docs/`, so that it holds behind any prefix.
    pub(super) fn docs(self, path: &str) -> String {
        match self.page {
            Some(page) => "../".repeat(page.matches('/').count()) + path,
            None => format!("docs/{path}"),
        }
    }

    /// The same to what is at a path of the server.
    fn server(self, path: &str) -> String {
        match self.page {
            Some(_) => self.docs("../") + path,
            None => path.to_owned(),
        }
    }

    /// The query that asks for what the asker may call, where that is asked for; `more` stands behind it.
    fn query(self, more: &str) -> String {
        let (name, value) = Audience::ASKED;
        let own = if self.own { format!("{name}={value}") } else { String::new() };
        match (own.is_empty(), more.is_empty()) {
            (true, true) => String::new(),
            (false, false) => format!("?{own}&{more}"),
            _ => format!("?{own}{more}"),
        }
    }
}

impl To {
    /// The way to a URL that a definition names; none where it may do more than lead somewhere.
    pub(super) fn elsewhere(url: &str) -> Option<Self> {
        let is_safe = ["http://", "https://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        is_safe.then(|| Self::Elsewhere(utf8_percent_encode(url, OUTSIDE).to_string()))
    }

    /// A relative reference to it.
    pub(super) fn reference(&self, here: Here<'_>) -> String {
        match self {
            Self::Page(path, place) => {
                let mut reference = page_reference(path, "", here);
                reference.extend(place.iter().flat_map(|place| ["#", place]));
                reference
            }
            Self::Document(path) => here.server(path) + &here.query(""),
            Self::Server(path) => here.server(path),
            Self::Elsewhere(url) => url.clone(),
        }
    }
}

/// A relative reference to a page that is asked for with this query.
pub(super) fn page_reference(path: &str, query: &str, here: Here<'_>) -> String {
    let reference = here.docs(&page(path, here.form));
    let reference = if reference.is_empty() { "./".to_owned() } else { reference };
    reference + &here.query(query)
}

/// The path below `/docs/` of the page of a method, decoded.
pub(super) fn of_method(id: &str) -> String {
    format!("methods/{}", segment(id))
}

/// A page below `/docs/`.
fn page(path: &str, form: Form) -> String {
    let segments: Vec<_> = path.split('/').map(|segment| utf8_percent_encode(segment, ENCODED).to_string()).collect();
    match form {
        Form::Html => segments.join("/"),
        Form::Markdown if path.is_empty() => format!("index{MARKDOWN}"),
        Form::Markdown => segments.join("/") + MARKDOWN,
    }
}
