//! The whole API: its settings and its modules.

use std::sync::Arc;

use super::{Limits, Module};
use crate::call::AuthScheme;
use crate::envelope::{Envelope, EnvelopeName, EnvelopeSettings};
use crate::error::texts::CatalogueName;
use crate::format::FormatOffer;
use crate::span::{Span, Spanned};

/// The default title of an API.
pub const DEFAULT_TITLE: &str = "API";
/// The default version of an API.
pub const DEFAULT_VERSION: &str = "1.0.0";
/// The default time zone of dates and times that do not name one.
pub const DEFAULT_TIMEZONE: &str = "UTC";

/// An API: the meaning of all files of its definition together.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Api {
    /// The title.
    pub title: String,
    /// The version.
    pub version: String,
    /// The description, as Markdown.
    pub info: Option<String>,
    /// The contact for questions.
    pub contact: Option<Contact>,
    /// The license.
    pub license: Option<License>,
    /// The servers of the API, for documents.
    pub servers: Vec<Server>,
    /// The base path of all services: `/`, or `/a/b` without a trailing slash.
    pub base: String,
    /// The envelope of responses for modules that set none.
    pub envelope: EnvelopeName,
    /// The catalogue of error messages in the `phalapi` envelope. Other envelopes have English messages.
    pub catalogue: CatalogueName,
    /// The formats of responses besides JSON, in order of preference.
    pub formats: Vec<FormatOffer>,
    /// `true` if public GET methods allow JSONP by default.
    pub jsonp: bool,
    /// The settings for names of services in the query of requests to the base path.
    pub service: ServiceQuery,
    /// `true` if requests to the base path can name module and method in the body.
    pub dispatch: bool,
    /// If `true`, responses in the `phalapi` envelope have their real HTTP status; otherwise, they all have 200.
    pub real_status: bool,
    /// If `true`, responses in the `iapi` envelope have their real HTTP status; otherwise, they have 400 in the cases where
    /// its predecessor has 400.
    pub strict_status: bool,
    /// The handling of unknown parameters.
    pub unknown: UnknownParameters,
    /// The time zone of dates and times that do not name one: a name of the IANA database.
    pub timezone: String,
    /// `true` if definitions can use the built-in types.
    pub default_types: bool,
    /// The limits of requests.
    pub limits: Limits,
    /// The behavior of methods without a handler.
    pub unbound: Unbound,
    /// The address to listen on, as `address:port`.
    pub bind: Option<String>,
    /// The data folder, where the server keeps its own files.
    pub data: Option<String>,
    /// The folder of stored files.
    pub files: Option<String>,
    /// The number of worker threads.
    pub workers: Option<usize>,
    /// The filter of the log, in the syntax of env_logger.
    pub log: Option<String>,
    /// The format of the log.
    pub log_format: LogFormat,
    /// The part of the API that documents describe.
    pub options: Audience,
    /// The authentication schemes: those of the program's authenticators, or bearer tokens if it has none. Not part of the
    /// definition.
    pub auth_schemes: Vec<AuthScheme>,
    /// `true` if responses are compressed for clients that accept it.
    pub compress: bool,
    /// The settings of cross-origin resource sharing; `None` to disable it.
    pub cors: Option<Cors>,
    /// The modules, sorted by name.
    pub modules: Vec<Module>,
    /// The position of the settings in the definition.
    pub span: Span,
}

impl Default for Api {
    /// An API without modules, in which every setting has its default.
    fn default() -> Self {
        Self {
            title: DEFAULT_TITLE.to_owned(),
            version: DEFAULT_VERSION.to_owned(),
            info: None,
            contact: None,
            license: None,
            servers: Vec::new(),
            base: "/".to_owned(),
            envelope: EnvelopeName::default(),
            catalogue: CatalogueName::default(),
            formats: Vec::new(),
            jsonp: false,
            service: ServiceQuery::default(),
            dispatch: false,
            real_status: false,
            strict_status: false,
            unknown: UnknownParameters::default(),
            timezone: DEFAULT_TIMEZONE.to_owned(),
            default_types: true,
            limits: Limits::default(),
            unbound: Unbound::default(),
            bind: None,
            data: None,
            files: None,
            workers: None,
            log: None,
            log_format: LogFormat::default(),
            options: Audience::default(),
            auth_schemes: vec![AuthScheme::bearer()],
            compress: true,
            cors: None,
            modules: Vec::new(),
            span: Span::default(),
        }
    }
}

impl Api {
    /// The name of a module's envelope: its own, else that of the API.
    #[must_use]
    pub fn envelope_name<'a>(&'a self, module: &'a Module) -> &'a EnvelopeName {
        module.envelope.as_ref().unwrap_or(&self.envelope)
    }

    /// Creates the envelope with this name, with the settings of the API.
    #[must_use]
    pub fn make_envelope(&self, name: &EnvelopeName) -> Arc<dyn Envelope> {
        let Self { catalogue, real_status, strict_status, .. } = *self;
        name.envelope(EnvelopeSettings { catalogue, real_status, strict_status })
    }
}

/// The names of services in the query, as in PhalApi: `?service=Class.method`, or `s` for short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServiceQuery {
    /// `true` to read them.
    pub on: bool,
    /// The service for requests without a name, as `Class.method`.
    pub default: Option<Spanned<String>>,
}

/// The contact for questions about an API (OpenAPI's Contact Object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Contact {
    /// The name of a person or an organization.
    pub name: Option<String>,
    /// The URL of a page.
    pub url: Option<String>,
    /// The email address.
    pub email: Option<String>,
}

/// The license of an API (OpenAPI's License Object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct License {
    /// The name.
    pub name: String,
    /// The SPDX expression.
    pub identifier: Option<String>,
    /// The URL of the text.
    pub url: Option<String>,
}

/// A server of an API (OpenAPI's Server Object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Server {
    /// The URL to which paths are appended.
    pub url: String,
    /// The description.
    pub info: Option<String>,
}

/// The settings of cross-origin resource sharing (Fetch standard, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cors {
    /// The origins whose pages may send requests.
    pub origins: Origins,
    /// `true` if browsers may send cookies and other stored credentials.
    pub credentials: bool,
    /// Additional header fields that pages may send.
    pub headers: Vec<String>,
    /// Additional header fields of responses that pages may read.
    pub expose: Vec<String>,
    /// The number of seconds for which browsers may cache the permissions.
    pub max_age: u64,
}

impl Cors {
    /// The default of `max_age`, in seconds.
    pub const DEFAULT_MAX_AGE: u64 = 600;
}

/// Origins (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All origins.
    Any,
    /// These origins, as browsers write them: `scheme://host`, `scheme://host:port` or `null`.
    These(Vec<String>),
}

/// The maximum number of workers of a server.
pub const MAX_WORKERS: u16 = 512;

/// The handling of unknown parameters in the query and the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownParameters {
    /// They are ignored.
    #[default]
    Ignore,
    /// They are ignored and logged.
    Warn,
    /// The request fails.
    Refuse,
}

impl UnknownParameters {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Ignore, Self::Warn, Self::Refuse];

    /// The name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

/// The behavior of methods without a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unbound {
    /// The server does not start.
    #[default]
    Refuse,
    /// The response is the error 501.
    NotImplemented,
    /// The outputs of every method are its checked arguments. No handler is bound, even if there is one.
    Echo,
}

impl Unbound {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::NotImplemented, Self::Echo];

    /// The name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::NotImplemented => "501",
            Self::Echo => "echo",
        }
    }
}

/// The part of an API that documents describe, unless the request asks for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// The whole API.
    #[default]
    Public,
    /// The part that the caller may use.
    Own,
}

impl Audience {
    /// The field of the query, and its value, by which a request asks for the part that the caller may use: `?as=me`.
    pub const ASKED: (&'static str, &'static str) = ("as", "me");
    /// All values.
    pub const ALL: [Self; 2] = [Self::Public, Self::Own];

    /// The name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Own => "own",
        }
    }
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Text for people.
    #[default]
    Text,
    /// A JSON object in each line.
    Json,
}

impl LogFormat {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// The name in definitions and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
