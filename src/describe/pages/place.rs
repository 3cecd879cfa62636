//! Where pages are: names as parts of a path, and the way from one page to another.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is encoded in a part of a path beside what is escaped.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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
    /// What is at a path of the server, without a slash in front.
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

impl To {
    /// A relative reference to it from a page at this path, so that it holds behind any prefix.
    pub(super) fn reference(&self, from: &str, form: Form) -> String {
        let up = "../".repeat(from.matches('/').count());
        match self {
            Self::Page(path, place) => {
                let mut reference = format!("{up}{}", page(path, form));
                if reference.is_empty() {
                    reference.push_str("./");
                }
                reference.extend(place.iter().flat_map(|place| ["#", place]));
                reference
            }
            Self::Server(path) => format!("{up}../{path}"),
            Self::Elsewhere(url) => url.clone(),
        }
    }

    /// The same from the top of the server.
    pub(super) fn top_reference(&self, form: Form) -> String {
        match self {
            Self::Page(path, _) => format!("docs/{}", page(path, form)),
            Self::Server(path) => (*path).to_owned(),
            Self::Elsewhere(url) => url.clone(),
        }
    }
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
