//! What a browser may do with the server's own pages.
//!
//! A page but one may use what comes from this server and nothing else: it loads no code of others, sends nothing
//! elsewhere, and stands in nobody's frame. What is inline in a page does not run, so that text which found its
//! way into one stays text.

use http::{HeaderName, HeaderValue, header};

/// For the page of the API and all static files (Content Security Policy Level 3).
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; manifest-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// For the one page that is made to run what other servers answer, JSONP. Whatever it runs is of no origin: it
/// can neither read nor ask anything of this server's as its own pages do.
const JSONP: &str = "default-src 'none'; script-src 'self' http: https:; style-src 'self'; img-src 'self' data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts";

/// For Swagger UI. The one style in its markup is that of its logo.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// For the pages for people, whose search is a form of theirs.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Whose page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The page of the API, or a file of the static folder.
    Own,
    /// The file of the static folder that asks other servers by JSONP.
    Jsonp,
    /// A page for people, or a part of all of them.
    Docs,
    /// Swagger UI.
    Swagger,
}

/// How long a browser may use what it has without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// It asks each time, and learns by 304 that nothing is new.
    Asking,
    /// An hour: for what changes only with the program.
    Hour,
}

/// The header fields that say so.
pub(super) fn fields(of: Of, keep: Keep) -> [(HeaderName, HeaderValue); 3] {
    let policy = match of {
        Of::Own => OWN,
        Of::Jsonp => JSONP,
        Of::Docs => DOCS,
        Of::Swagger => SWAGGER,
    };
    let cache = match keep {
        Keep::Asking => "no-cache",
        Keep::Hour => "max-age=3600",
    };
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ]
}
