//! What one HTTP method does at a service.

use serde_json::Value as Json;

use super::{Parameter, ParameterType, Scope};
use crate::call::Http;
use crate::error::ErrorStatus;
use crate::place::Place;

/// One HTTP method of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its name, unique in the API: `article.line.get`.
    pub id: String,
    /// The HTTP method.
    pub http: Http,
    /// What it does.
    pub info: String,
    /// Who may call it.
    pub scope: Scope,
    /// What it takes, in the order of the text, common parameters behind.
    pub parameters: Vec<Parameter>,
    /// What it returns.
    pub outputs: Vec<Output>,
    /// The errors of its own.
    pub errors: Vec<DeclaredError>,
    /// The rest.
    pub options: MethodOptions,
    /// Where its name (`GET`) is written.
    pub place: Place,
}

impl Method {
    /// Whether it answers JSONP, in an API of this setting: what is read, by anybody, and is no file.
    #[must_use]
    pub fn answers_jsonp(&self, api: bool) -> bool {
        let MethodOptions { download, jsonp, .. } = self.options;
        jsonp.unwrap_or(api) && self.http == Http::Get && self.scope.is_public() && !download
    }
}

/// What a method can be told beside what it takes and returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodOptions {
    /// HTTP status of a success, from 200 to 299.
    pub status: u16,
    /// Whether it returns a file instead of outputs.
    pub download: bool,
    /// Whether it answers JSONP; none: as the API says.
    pub jsonp: Option<bool>,
    /// Whether clients should turn away from it.
    pub deprecated: bool,
}

impl MethodOptions {
    /// The HTTP statuses of a success.
    pub const STATUSES: std::ops::RangeInclusive<u16> = 200..=299;
}

impl Default for MethodOptions {
    fn default() -> Self {
        Self { status: 200, download: false, jsonp: None, deprecated: false }
    }
}

/// One value that a method returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name in the answer; `*` where it is the whole body.
    pub name: String,
    /// What it is.
    pub info: String,
    /// What values it takes.
    pub r#type: ParameterType,
    /// Whether it may be missing or null.
    pub optional: bool,
    /// A value that shows it.
    pub example: Option<Json>,
    /// Where its name is written.
    pub place: Place,
}

/// An error that a handler may refuse with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredError {
    /// Its name for handlers and clients.
    pub name: String,
    /// The HTTP status.
    pub status: ErrorStatus,
    /// When it happens, in words for the client.
    pub info: String,
    /// Where its name is written.
    pub place: Place,
}
