//! The paths that are reserved for the server.

/// A path that the server reserves, so that no service of a definition can have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerPath {
    /// `/docs` and all paths below it: the documentation pages and Swagger UI.
    Docs,
    /// `/openapi.json`: the OpenAPI document.
    OpenApi,
    /// `/static` and all paths below it: the static files.
    Static,
    /// `/-` and all paths below it: the signed links to files.
    Link,
    /// `/healthz`: responds with 200 as long as the process runs.
    Health,
    /// `/readyz`: responds with 200 if the readiness checks of the program pass.
    Readiness,
    /// `/metrics`: the counters in the OpenMetrics format.
    Metrics,
    /// `/llms.txt`: the documentation of the API as plain text.
    LlmsTxt,
}

impl ServerPath {
    /// The reserved paths. The third item is `true` if all paths below the path are reserved too.
    pub const ALL: [(Self, &'static str, bool); 8] = [
        (Self::Docs, "/docs", true),
        (Self::OpenApi, "/openapi.json", false),
        (Self::Static, "/static", true),
        (Self::Link, "/-", true),
        (Self::Health, "/healthz", false),
        (Self::Readiness, "/readyz", false),
        (Self::Metrics, "/metrics", false),
        (Self::LlmsTxt, "/llms.txt", false),
    ];

    /// Returns `true` for the paths of the documents that describe the API.
    #[must_use]
    pub fn is_document(self) -> bool {
        matches!(self, Self::Docs | Self::OpenApi | Self::LlmsTxt)
    }

    /// Returns the reserved path that `path`, the raw path of a request, is equal to or below, or `None` if the path is
    /// not reserved.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        let includes = |reserved: &str, below: bool| {
            path.strip_prefix(reserved).is_some_and(|rest| rest.is_empty() || below && rest.starts_with('/'))
        };
        Self::ALL.into_iter().find(|(_, reserved, below)| includes(reserved, *below)).map(|(path, ..)| path)
    }
}
