//! The header fields that limit what pages and static files of the server may do in a browser.
//!
//! With one exception, pages use only this server: they load no code from other servers, send no data to them, and
//! cannot be framed. Inline scripts do not run, so that text which gets into a page by mistake is not executed.

use http::{HeaderName, HeaderValue, header};

/// The policy of the page of the API, and of all static files except one (Content Security Policy Level 3).
const DEFAULT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; manifest-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the page that runs JSONP of other servers. The page has no origin, so that the scripts that it runs
/// have no access to this server.
const JSONP: &str = "default-src 'none'; script-src 'self' http: https:; style-src 'self'; img-src 'self' data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts";

/// The policy of Swagger UI. It allows one inline style, that of the logo, by its hash.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the documentation pages. It allows a form, because the search is one.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The kind of a page, which decides its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    /// The page of the API, or a file of the static folder.
    Default,
    /// The file of the static folder that loads JSONP from other servers.
    Jsonp,
    /// A documentation page.
    Docs,
    /// Swagger UI.
    Swagger,
}

/// The time for which a browser may use a page from its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The browser revalidates the page for each use; the server replies with 304 if the page has not changed.
    Revalidate,
    /// Up to one hour, for files that change only with the program.
    #[cfg_attr(not(feature = "swagger-ui"), expect(dead_code, reason = "only Swagger UI has such files"))]
    Hour,
}

/// Returns the header fields for a page.
pub(super) fn fields(kind: PageKind, keep: Keep) -> [(HeaderName, HeaderValue); 3] {
    let policy = match kind {
        PageKind::Default => DEFAULT,
        PageKind::Jsonp => JSONP,
        PageKind::Docs => DOCS,
        PageKind::Swagger => SWAGGER,
    };
    let cache = match keep {
        Keep::Revalidate => "no-cache",
        Keep::Hour => "max-age=3600",
    };
    [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ]
}
