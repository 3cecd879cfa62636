//! The paths that are reserved for the server.

/// A document that describes the whole API, at a path of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiDocument {
    /// The OpenAPI document.
    OpenApi,
    /// The OpenAPI document with less detail, which a query at the path of [`ApiDocument::OpenApi`] selects.
    LeanOpenApi,
    /// The documentation of the API for language models (<https://llmstxt.org>).
    LlmsTxt,
    /// All documentation pages in one document, for language models.
    LlmsFullTxt,
    /// The list of the documents, for programs that find them by the address of the server (RFC 9727).
    ApiCatalog,
    /// The types of the API for TypeScript.
    TypeScript,
}

impl ApiDocument {
    /// The number of documents.
    pub const COUNT: usize = 6;
}

/// A path that the server itself handles, so that no service of an API can have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerPath {
    /// `/docs` and all paths below it: the documentation pages and Swagger UI.
    Docs,
    /// A document that describes the whole API.
    Document(ApiDocument),
    /// `/static` and all paths below it: the static files.
    Static,
    /// `/-` and all paths below it: signed links to stored files.
    Link,
    /// `/healthz`: responds with 200 as long as the process runs.
    Health,
    /// `/readyz`: responds with 200 if the readiness checks of the program pass.
    Readiness,
    /// `/metrics`: the counters in the OpenMetrics format.
    Metrics,
    /// `/.well-known/oauth-protected-resource`: the issuers whose tokens the server accepts (RFC 9728).
    ProtectedResource,
}

impl ServerPath {
    /// The reserved paths, each with its variant. The third item is `true` if all paths below the path are reserved
    /// too. The first path that includes a request path decides.
    pub const ALL: [(Self, &'static str, bool); 12] = [
        (Self::Document(ApiDocument::OpenApi), "/openapi.json", false),
        (Self::Document(ApiDocument::LlmsTxt), "/llms.txt", false),
        (Self::Document(ApiDocument::LlmsFullTxt), "/llms-full.txt", false),
        (Self::Document(ApiDocument::ApiCatalog), "/.well-known/api-catalog", false),
        (Self::Document(ApiDocument::TypeScript), "/docs/api.d.ts", false),
        (Self::Docs, "/docs", true),
        (Self::Static, "/static", true),
        (Self::Link, "/-", true),
        (Self::Health, "/healthz", false),
        (Self::Readiness, "/readyz", false),
        (Self::Metrics, "/metrics", false),
        (Self::ProtectedResource, "/.well-known/oauth-protected-resource", true),
    ];

    /// Returns `true` if the path belongs to a document that describes the API.
    #[must_use]
    pub fn is_document(self) -> bool {
        matches!(self, Self::Docs | Self::Document(_))
    }

    /// Returns `true` if the path is requested by programs that watch the server: whether it runs, whether it is ready,
    /// and its counters.
    #[must_use]
    pub fn is_server_state(self) -> bool {
        matches!(self, Self::Health | Self::Readiness | Self::Metrics)
    }

    /// Returns the reserved path to which a request path belongs, or `None` if the request path is not reserved. `path`
    /// is not percent-decoded.
    #[must_use]
    pub fn from_request_path(path: &str) -> Option<Self> {
        // Most paths differ in the byte after the first slash, which is compared faster than a text.
        let first = path.as_bytes().get(1);
        let includes = |reserved: &str, below: bool| {
            first == reserved.as_bytes().get(1)
                && path.strip_prefix(reserved).is_some_and(|rest| rest.is_empty() || below && rest.starts_with('/'))
        };
        // A constant would be copied for each call.
        static ALL: [(ServerPath, &str, bool); ServerPath::ALL.len()] = ServerPath::ALL;
        ALL.iter().find(|(_, reserved, below)| includes(reserved, *below)).map(|(path, ..)| *path)
    }
}
