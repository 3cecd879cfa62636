//! The header fields that limit what the server's own pages may do in a browser.
//!
//! Every page but one uses this server only: it loads no code of other servers, sends nothing to them, and cannot be
//! framed. Inline scripts do not run, so text that gets into a page by mistake stays text.

use http::{HeaderName, HeaderValue, header};

/// The policy of the page of the API and all static files (Content Security Policy Level 3).
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; manifest-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the page that runs JSONP of other servers. It has no origin, so the scripts that it runs cannot use
/// this server as its own pages do.
const JSONP: &str = "default-src 'none'; script-src 'self' http: https:; style-src 'self'; img-src 'self' data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts";

/// The policy of Swagger UI. The hash is that of the only inline style, which its logo has.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the documentation pages, whose search is a form.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The kind of a page, which decides its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    /// The page of the API, or a file of the static folder.
    Own,
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
    /// Not without asking: the server replies with 304 if nothing has changed.
    Revalidate,
    /// Up to one hour, for files that change only with the program.
    #[cfg_attr(not(feature = "swagger-ui"), expect(dead_code, reason = "only Swagger UI has such files"))]
    Hour,
}

/// Returns the header fields for a page.
pub(super) fn fields(kind: PageKind, keep: Keep) -> [(HeaderName, HeaderValue); 3] {
    let policy = match kind {
        PageKind::Own => OWN,
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
