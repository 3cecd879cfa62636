//! The header fields that restrict what pages and static files of the server may do in a browser.
//!
//! With one exception, a page uses only this server: it loads no code from other servers, sends no data to them, and
//! cannot be shown in a frame of another site. Inline scripts do not run, so that text which gets into a page by
//! mistake is not executed as a script.

use http::{HeaderName, HeaderValue, header};

/// The Content Security Policy (Level 3) of all files of the static folder except one.
const DEFAULT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; manifest-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the page that loads JSONP scripts from other servers. Its directive `sandbox` gives the page an origin
/// of its own, so that these scripts have no access to this server.
const JSONP_POLICY: &str = "default-src 'none'; script-src 'self' http: https:; style-src 'self'; img-src 'self' data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts";

/// The policy of Swagger UI. It allows a single inline style, that of Swagger UI's logo, by the hash of the style.
const SWAGGER_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The policy of the documentation pages. It allows forms, because the search is a form.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The kind of a page or file, by which its policy is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// A file of the static folder.
    Default,
    /// A script or a style sheet that is built into the program. Browsers ignore a policy of such a file.
    BuiltIn,
    /// The single file of the static folder that may load JSONP scripts from other servers.
    Jsonp,
    Docs,
    Swagger,
}

/// How long a browser may use a page from its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowserCaching {
    /// The browser asks the server before each use whether the page has changed; if not, the server responds with 304.
    Revalidate,
    /// The browser may use the file for one hour without asking. This is for files that change only with the program.
    #[cfg_attr(not(feature = "swagger-ui"), expect(dead_code, reason = "only Swagger UI has such files"))]
    Hour,
}

pub(crate) fn policy_fields(
    kind: PageKind,
    caching: BrowserCaching,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let policy = match kind {
        PageKind::Default => Some(DEFAULT_POLICY),
        PageKind::BuiltIn => None,
        PageKind::Jsonp => Some(JSONP_POLICY),
        PageKind::Docs => Some(DOCS_POLICY),
        PageKind::Swagger => Some(SWAGGER_POLICY),
    };
    let cache = match caching {
        BrowserCaching::Revalidate => "no-cache",
        BrowserCaching::Hour => "max-age=3600",
    };
    let of_pages =
        policy.map(|policy| [(header::CONTENT_SECURITY_POLICY, policy), (header::REFERRER_POLICY, "no-referrer")]);
    let fields = of_pages.into_iter().flatten().chain([(header::CACHE_CONTROL, cache)]);
    fields.map(|(name, value)| (name, HeaderValue::from_static(value)))
}
