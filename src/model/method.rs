//! What one HTTP method does at a service.

use serde_json::Value as Json;

use super::{From, Parameter, ParameterType, Scope};
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
    /// Its parameters that are segments behind the service's path, in their order there.
    #[must_use]
    pub fn positions(&self) -> Vec<&Parameter> {
        let position = |own: &Parameter| match own.from {
            From::Position(n) => Some(n),
            _ => None,
        };
        let mut positions: Vec<_> = self.parameters.iter().filter_map(|own| Some((position(own)?, own))).collect();
        positions.sort_unstable_by_key(|(n, _)| *n);
        positions.into_iter().map(|(_, own)| own).collect()
    }

    /// The output that is the whole body; none where outputs are members of it.
    #[must_use]
    pub fn whole(&self) -> Option<&Output> {
        self.outputs.iter().find(|output| output.is_whole())
    }

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
    /// Its name in the answer; [`Output::WHOLE`] where it is the whole body.
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

impl Output {
    /// The name of the output that is the whole body.
    pub const WHOLE: &str = "*";

    /// Whether it is the whole body.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.name == Self::WHOLE
    }
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
