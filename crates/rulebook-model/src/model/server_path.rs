//! The paths that the server keeps for itself.

/// A path that belongs to the server, so that no service of a definition can have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerPath {
    /// `/docs` and everything below it: the documentation pages and Swagger UI.
    Docs,
    /// `/openapi.json`: the OpenAPI document.
    OpenApi,
    /// `/static` and everything below it: the static files.
    Static,
    /// `/-` and everything below it: the signed links to files.
    Link,
    /// `/healthz`: `200` while the process responds.
    Health,
    /// `/readyz`: `200` while the program's readiness checks pass.
    Readiness,
    /// `/metrics`: the counters in OpenMetrics format.
    Metrics,
    /// `/llms.txt`: the API as plain text.
    LlmsTxt,
}

impl ServerPath {
    /// Every path of the server, and `true` where all paths below it belong to the server as well.
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

    /// Returns what the server has at the raw `path` of a request; `None` if the path is not the server's.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        let owns = |own: &str, below: bool| {
            path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || below && rest.starts_with('/'))
        };
        Self::ALL.into_iter().find(|(_, own, below)| owns(own, *below)).map(|(path, ..)| path)
    }
}
