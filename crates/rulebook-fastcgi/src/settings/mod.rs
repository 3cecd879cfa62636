//! The settings of handlers.

mod api3;
mod headers;
mod read;
mod style;

use std::time::Duration;

use rulebook::HttpMethod;
use rulebook::error::{ErrorCode, Limit, Unit};
use rulebook::handler_kind::{MethodReturns, SettingNames};
use rulebook::model::DeclaredError;

pub use headers::variable;
pub use read::{ReadSettings, pool_limits, read};

/// The name of the kind, and of the setting with the address.
pub const KIND: &str = "fastcgi";

/// The names of the settings besides the address.
pub const NAMES: SettingNames = SettingNames {
    handler: &[
        "script",
        "root",
        "local_files",
        "style",
        "arguments",
        "strict",
        "timeout",
        "max_response",
        "form_fields",
        "environment",
        "request_headers",
        "response_headers",
        "errors",
        "service",
        "uri_match",
        "class",
        "function",
        "folder",
        "namespace",
        "bootstrap",
        "delegates",
    ],
    unshared: &["service", "class", "function"],
    only_shared: &["connections", "wait", "idle", "calls_per_connection"],
};
/// The name that the setting `errors` has for all errors that nothing else matches.
pub const OTHER_ERRORS: &str = "*";

/// The settings of a handler, after all checks.
#[derive(Debug)]
pub struct HandlerSettings {
    /// The HTTP method of the API method.
    pub http: HttpMethod,
    /// `true` if PHP may handle a request twice.
    pub is_idempotent: bool,
    /// What the method returns.
    pub returns: MethodReturns,
    pub style: PhpStyle,
    pub arguments: ArgumentNotation,
    /// What clients get of PHP's responses.
    pub responses: Responses,
    /// `true` if errors are written as api 3.0 wrote them.
    pub has_api3_envelope: bool,
    /// The parameters in the order of the definition.
    pub parameters: Vec<ParameterSettings>,
    /// The folder of the project.
    pub root: Option<String>,
    /// The path of the script on the machine of the server; `None` for the bridge in the data folder.
    pub script: Option<String>,
    /// The maximum time from the connection to the complete response; for a file, to each of its parts.
    pub timeout: Duration,
    /// The maximum length of a response with outputs in bytes.
    pub max_response: usize,
    /// The maximum number of fields of a form.
    pub form_fields: usize,
    /// Further FastCGI parameters.
    pub environment: Vec<(String, String)>,
    /// The FastCGI parameters by which the bridge finds the class.
    pub style_parameters: Vec<(String, String)>,
    /// The header fields of the request that the script gets.
    pub request_headers: Vec<RequestHeader>,
    /// The header fields and cookies with credentials for this server.
    pub credentials: Credentials,
    /// The names of further header fields of PHP's response that clients get.
    pub response_headers: Vec<String>,
    /// The errors that the method declares.
    pub declared_errors: Vec<DeclaredError>,
    /// The names of declared errors, by what PHP returns for them.
    pub error_names: Vec<(String, String)>,
}

impl HandlerSettings {
    /// Returns the limit of the number of fields.
    pub fn field_limit(&self) -> Limit {
        Limit {
            name: "fields",
            max: u64::try_from(self.form_fields).unwrap_or(u64::MAX),
            unit: Unit::Fields,
            code: ErrorCode::TooLarge,
        }
    }
}

/// How the PHP code is called, and how its output is read.
#[derive(Debug)]
pub enum PhpStyle {
    /// A script that prints the outputs as JSON.
    Plain,
    /// The entry script of a PhalApi project.
    PhalApi {
        /// The value of `service`, such as `User.Login`.
        service: String,
        /// The `REQUEST_URI` with which PhalApi finds the service if a request does not name it; `None` if it would
        /// find another one.
        unnamed_uri: Option<String>,
        /// `true` for PhalApi 2.
        is_second: bool,
    },
    /// A class of api 3.0, called by the bridge.
    Api3 {
        /// The path of the file with the class.
        file: String,
    },
}

/// What clients get of PHP's responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Responses {
    /// The outputs and errors of the definition.
    Strict,
    /// All outputs, and errors that are not declared, in the envelope of the definition.
    Described,
    /// The responses of PhalApi as they are, if the call comes from a request.
    Unchanged,
}

/// The names of the header fields and cookies with which clients prove their identity to this server.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The header fields, in lower case.
    pub header_fields: Vec<String>,
    pub cookies: Vec<String>,
}

/// How PHP gets the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentNotation {
    /// The request of the client, as it was sent.
    Request,
    /// The query for GET and DELETE, otherwise a form.
    Form,
    /// The body, as JSON.
    Json,
}

/// How the value of a parameter is sent.
#[derive(Debug)]
pub struct ParameterSettings {
    /// The name of its field.
    pub name: String,
    pub sent_in: SentIn,
    /// `true` if the value is the number of seconds since 1970, and the script expects a date.
    pub is_timestamp: bool,
}

/// The part of a request that contains a parameter.
#[derive(Debug)]
pub enum SentIn {
    /// The query or the form.
    Form,
    /// A header field: the FastCGI parameter with this name.
    HeaderField(String),
    Cookie,
    /// The parameter names the service, which the handler adds itself.
    Nowhere,
}

/// A header field of the request that the script gets.
#[derive(Debug)]
pub struct RequestHeader {
    /// The name of the header field.
    pub name: String,
    /// The name of the FastCGI parameter.
    pub variable: String,
}
