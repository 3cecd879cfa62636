//! The HTTP methods of a service, with their outputs and errors.

use serde_json::Value as Json;

use super::{DefinedHandler, Location, MethodOptions, OutputPlace, Parameter, ParameterType, Scope};
use crate::call::HttpMethod;
use crate::constraint::Constraint;
use crate::error::ErrorStatus;
use crate::span::Span;

/// One HTTP method of a service.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Method {
    /// The id of the method, such as `article.line.get`. It is unique in the API.
    pub id: String,
    /// The HTTP method by which requests select this method.
    pub http: HttpMethod,
    /// `true` if the method follows the semantics of its HTTP method, so that a request with GET, PUT or DELETE can be
    /// repeated (RFC 9110 section 9.2.2). Methods in the dialects `methods` and `rules` do not: the programs for which
    /// these dialects were made also write in methods for GET.
    pub follows_http_semantics: bool,
    /// The description of the method for documents.
    pub info: String,
    /// The permissions that a caller needs.
    pub scope: Scope,
    /// The parameters in the order of the definition. The common parameters of the API come last, or first if the
    /// dialect of the definition requires it.
    pub parameters: Vec<Parameter>,
    /// The outputs, which are the results of a successful call: in the body, in header fields and the status.
    pub outputs: Vec<Output>,
    /// The errors that handlers of the method can return.
    pub errors: Vec<DeclaredError>,
    /// What must hold between the parameters, which the constraints name by their names in code.
    pub constraints: Vec<Constraint>,
    /// What handles calls of the method instead of code of the program. Documents for clients do not show it.
    pub handler: Option<DefinedHandler>,
    /// The options, such as the HTTP status of a success.
    pub options: MethodOptions,
    /// The position of the HTTP method's name (`GET`) in the definition.
    pub span: Span,
}

impl Method {
    /// Returns the positional parameters in the order of their numbers. Their values are the segments of a request path
    /// after the path of the service.
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

    /// Returns the name of a parameter in requests. `name` is its name in code.
    #[must_use]
    pub fn request_name(&self, name: &str) -> String {
        let parameter = self.parameters.iter().find(|parameter| parameter.name == name);
        parameter.map_or(name, |parameter| parameter.request_name()).to_owned()
    }

    /// Describes the constraints between the parameters, one sentence each, with their names in requests.
    #[must_use]
    pub fn constraints_in_words(&self) -> Vec<String> {
        let display = |name: &str| self.request_name(name);
        self.constraints.iter().map(|constraint| constraint.in_words(&display)).collect()
    }

    /// Returns the output that is the whole response body, or `None` if the outputs are members of the body.
    #[must_use]
    pub fn whole(&self) -> Option<&Output> {
        self.outputs.iter().find(|output| output.is_whole())
    }

    /// Returns the errors that a call of the method can end in: the errors that the method declares, and those of the
    /// program's authenticators, which are `auth_errors` of the API. An authenticator's error is omitted if the method
    /// declares an error with the same name.
    pub fn errors_of_call<'a>(&'a self, auth_errors: &'a [DeclaredError]) -> impl Iterator<Item = &'a DeclaredError> {
        let others = auth_errors.iter().filter(|error| self.errors.iter().all(|declared| declared.name != error.name));
        self.errors.iter().chain(others)
    }

    /// Returns `true` if the method can respond with JSONP. Only public GET and POST methods that return no file can.
    /// The definition enables JSONP for the method or, if it is a GET method, for the whole API. `api_default` is the
    /// setting of the API.
    #[must_use]
    pub fn allows_jsonp(&self, api_default: bool) -> bool {
        let MethodOptions { download, jsonp, .. } = &self.options;
        let is_enabled = match self.http {
            HttpMethod::Get => jsonp.unwrap_or(api_default),
            HttpMethod::Post => *jsonp == Some(true),
            HttpMethod::Put | HttpMethod::Delete | HttpMethod::Patch => false,
        };
        is_enabled && self.scope.is_public() && !download
    }
}

/// An output of a method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// The name of the output, which is its member in the body; [`Output::WHOLE`] if the output is the whole body.
    pub name: String,
    /// The part of a response that contains the output.
    pub place: OutputPlace,
    /// The description of the output for documents.
    pub info: String,
    /// The type of the output's values.
    pub r#type: ParameterType,
    /// `true` if the output may be missing or null.
    pub optional: bool,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The position of the name in the definition.
    pub span: Span,
}

impl Output {
    /// The name of an output that is the whole response body.
    pub const WHOLE: &str = "*";

    /// The name of the output with which the handler of a method with several statuses chooses one of them.
    pub const STATUS: &str = "status";

    /// Returns `true` if the output is the whole response body.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.name == Self::WHOLE
    }
}

/// An error that handlers of a method can return, or with which an authenticator rejects requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeclaredError {
    /// The name of the error. Handlers return the error by this name, and clients recognize it by this name.
    pub name: String,
    /// The HTTP status of responses with this error.
    pub status: ErrorStatus,
    /// The message for clients, which describes the cause of the error.
    pub info: String,
    /// The number of the error in the envelope `aicra`, from 1; `None` if the definition contains no number. Then the
    /// handler can set one with `ApiError::with_number`.
    pub number: Option<u32>,
    /// The position of the name in the definition.
    pub span: Span,
}

impl DeclaredError {
    /// Creates an error that no definition file contains.
    #[doc(hidden)]
    #[must_use]
    pub fn new(name: String, status: ErrorStatus, info: String, number: Option<u32>) -> Self {
        Self { name, status, info, number, span: Span::default() }
    }
}
