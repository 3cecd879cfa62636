//! The HTTP methods of a service, with their outputs and errors.

use serde_json::Value as Json;

use super::{Location, Parameter, ParameterType, Scope};
use crate::call::HttpMethod;
use crate::error::ErrorStatus;
use crate::span::Span;

/// One HTTP method of a service.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Method {
    /// The id of the method, such as `article.line.get`. It is unique in the API.
    pub id: String,
    /// The HTTP method.
    pub http: HttpMethod,
    /// The description.
    pub info: String,
    /// The required permissions.
    pub scope: Scope,
    /// The parameters in the order of the definition, followed by common parameters.
    pub parameters: Vec<Parameter>,
    /// The outputs.
    pub outputs: Vec<Output>,
    /// The errors that handlers of the method can return.
    pub errors: Vec<DeclaredError>,
    /// Further options.
    pub options: MethodOptions,
    /// The span of the HTTP method (`GET`) in the definition.
    pub span: Span,
}

impl Method {
    /// Returns the positional parameters, which are the segments after the path of the service, in order.
    #[must_use]
    pub fn positions(&self) -> Vec<&Parameter> {
        let position = |parameter: &Parameter| match parameter.from {
            Location::Position(n) => Some(n),
            _ => None,
        };
        let positions = self.parameters.iter().filter_map(|parameter| Some((position(parameter)?, parameter)));
        let mut positions: Vec<_> = positions.collect();
        positions.sort_unstable_by_key(|(n, _)| *n);
        positions.into_iter().map(|(_, parameter)| parameter).collect()
    }

    /// Returns the output that is the whole body, or `None` if outputs are members of the body.
    #[must_use]
    pub fn whole(&self) -> Option<&Output> {
        self.outputs.iter().find(|output| output.is_whole())
    }

    /// Returns `true` if the method can respond with JSONP. This requires a public GET method that returns no file, and
    /// that the definition enables JSONP for the method or, by `api_default`, for the whole API.
    #[must_use]
    pub fn allows_jsonp(&self, api_default: bool) -> bool {
        let MethodOptions { download, jsonp, .. } = self.options;
        jsonp.unwrap_or(api_default) && self.http == HttpMethod::Get && self.scope.is_public() && !download
    }
}

/// The options of a method besides its parameters and outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodOptions {
    /// The HTTP status of a success, from 200 to 299.
    pub status: u16,
    /// `true` if the method returns a file instead of outputs.
    pub download: bool,
    /// `true` if the method can respond with JSONP, `false` if not, `None` for the default of the API.
    pub jsonp: Option<bool>,
    /// `true` if clients should no longer use the method.
    pub deprecated: bool,
}

impl MethodOptions {
    /// The allowed statuses of a success.
    pub const STATUSES: std::ops::RangeInclusive<u16> = 200..=299;
}

impl Default for MethodOptions {
    fn default() -> Self {
        Self { status: 200, download: false, jsonp: None, deprecated: false }
    }
}

/// An output of a method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// The name of the member in the response; [`Output::WHOLE`] if the output is the whole body.
    pub name: String,
    /// The description.
    pub info: String,
    /// The type.
    pub r#type: ParameterType,
    /// `true` if the output may be missing or null.
    pub optional: bool,
    /// An example value.
    pub example: Option<Json>,
    /// The span of the name in the definition.
    pub span: Span,
}

impl Output {
    /// The name of the output that is the whole body.
    pub const WHOLE: &str = "*";

    /// Returns `true` if the output is the whole body.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.name == Self::WHOLE
    }
}

/// An error that handlers of a method can return.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredError {
    /// The name of the error, which handlers return and clients compare.
    pub name: String,
    /// The HTTP status.
    pub status: ErrorStatus,
    /// The message for clients, which describes the cause of the error.
    pub info: String,
    /// The span of the name in the definition.
    pub span: Span,
}
