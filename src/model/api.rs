//! The whole API: what it is called, its limits and its modules.

use std::sync::Arc;

use super::Module;
use crate::envelope::{Envelope, EnvelopeName, EnvelopeSettings};
use crate::error::texts::CatalogueName;
use crate::format::Offered;
use crate::place::{Place, Placed};

/// What an API is called where its definition does not say.
pub const DEFAULT_TITLE: &str = "API";
/// The version of an API where its definition does not say.
pub const DEFAULT_VERSION: &str = "1.0.0";
/// The zone of dates and times that name none, where the definition does not say.
pub const DEFAULT_TIMEZONE: &str = "UTC";

/// An API, as all files of its definition together tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct Api {
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it is for, in markdown.
    pub info: Option<String>,
    /// Whom to ask.
    pub contact: Option<Contact>,
    /// Under which licence it may be used.
    pub license: Option<License>,
    /// Where it is served, for documents.
    pub servers: Vec<Server>,
    /// The path that all services stand below: `/`, or `/a/b` without a slash at its end.
    pub base: String,
    /// The shape of answers where a module does not say.
    pub envelope: EnvelopeName,
    /// The words of refusals in the `phalapi` envelope; all others speak English.
    pub catalogue: CatalogueName,
    /// The formats of answers beside JSON, in the order in which they are offered.
    pub formats: Vec<Offered>,
    /// Whether public methods of GET that do not say so themselves answer JSONP.
    pub jsonp: bool,
    /// Whether base takes the names of services in its query.
    pub service: ServiceQuery,
    /// Whether base takes module and method in a body.
    pub dispatch: bool,
    /// Whether answers in the `phalapi` envelope have their real HTTP status, and not 200 whatever they say.
    pub real_status: bool,
    /// Whether answers in the `iapi` envelope have their real HTTP status, and not 400 where its ancestor has that.
    pub strict_status: bool,
    /// What happens to parameters that a method does not have.
    pub unknown: UnknownParameters,
    /// The zone of dates and times that name none, a name of the IANA database.
    pub timezone: String,
    /// Whether the built-in types are in the table of types.
    pub default_types: bool,
    /// The most that a request may be.
    pub limits: Limits,
    /// What methods without a handler do.
    pub unbound: Unbound,
    /// Where to listen, as `address:port`.
    pub bind: Option<String>,
    /// The folder of the server's own files.
    pub data: Option<String>,
    /// The folder of stored files.
    pub files: Option<String>,
    /// How many workers serve.
    pub workers: Option<usize>,
    /// What is logged, in env_logger's words.
    pub log: Option<String>,
    /// How it is logged.
    pub log_format: LogFormat,
    /// What of it documents tell, and whom.
    pub options: Audience,
    /// Whether answers go out compressed to clients that take them so.
    pub compress: bool,
    /// What pages of other origins may do; none: what any page may without being asked.
    pub cors: Option<Cors>,
    /// Its modules, by name.
    pub modules: Vec<Module>,
    /// Where its settings are written.
    pub place: Place,
}

impl Api {
    /// The name of the envelope that a module answers in: its own, else that of the API.
    #[must_use]
    pub fn envelope_of<'a>(&'a self, module: &'a Module) -> &'a EnvelopeName {
        module.envelope.as_ref().unwrap_or(&self.envelope)
    }

    /// The envelope of this name, as the API has set it up.
    #[must_use]
    pub fn shape(&self, name: &EnvelopeName) -> Arc<dyn Envelope> {
        let Self { catalogue, real_status, strict_status, .. } = *self;
        name.envelope(EnvelopeSettings { catalogue, real_status, strict_status })
    }
}

/// The names of services in the query of base, as PhalApi has them: `?service=Class.method`, or `s` for short.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceQuery {
    /// Whether they are looked at.
    pub on: bool,
    /// The service that answers where none is named, as `Class.method`.
    pub default: Option<Placed<String>>,
}

/// Whom to ask about an API (OpenAPI's Contact Object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// A name.
    pub name: Option<String>,
    /// A page.
    pub url: Option<String>,
    /// An address.
    pub email: Option<String>,
}

/// The licence of an API (OpenAPI's License Object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct License {
    /// Its name.
    pub name: String,
    /// Its SPDX expression.
    pub identifier: Option<String>,
    /// Its text.
    pub url: Option<String>,
}

/// Where an API is served (OpenAPI's Server Object).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Server {
    /// The address that paths are appended to.
    pub url: String,
    /// Which one it is.
    pub info: Option<String>,
}

/// What pages of other origins may do (Fetch standard, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// Whose pages may call.
    pub origins: Origins,
    /// Whether browsers may send what they have stored for the API, such as cookies.
    pub credentials: bool,
    /// Further header fields that pages may send.
    pub headers: Vec<String>,
    /// Further header fields that pages may read.
    pub expose: Vec<String>,
    /// Seconds for which browsers may keep what they were allowed.
    pub max_age: u64,
}

impl Cors {
    /// Seconds for which browsers may keep what they were allowed, where the definition does not say.
    pub const DEFAULT_MAX_AGE: u64 = 600;
}

/// Origins (RFC 6454).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All of them.
    Any,
    /// These: `scheme://host`, `scheme://host:port` or `null`, as browsers write them.
    These(Vec<String>),
}

/// The most workers that one server can have.
pub const MOST_WORKERS: u16 = 512;

/// What happens to query and body parameters that a method does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownParameters {
    /// They are passed over.
    #[default]
    Ignore,
    /// They are passed over and logged.
    Warn,
    /// The request is refused.
    Refuse,
}

impl UnknownParameters {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ignore, Self::Warn, Self::Refuse];

    /// Its name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

/// What methods without a handler do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unbound {
    /// The server does not start.
    #[default]
    Refuse,
    /// They answer 501.
    NotImplemented,
    /// Every method answers with its checked arguments; no handler is bound.
    Echo,
}

impl Unbound {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::NotImplemented, Self::Echo];

    /// Its name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::NotImplemented => "501",
            Self::Echo => "echo",
        }
    }
}

/// What of an API its documents tell, where nothing is asked for in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// All of it, to everybody.
    #[default]
    Public,
    /// What the asker may call.
    Own,
}

impl Audience {
    /// How the query of a request asks for what the asker may call: `?as=me`.
    pub const ASKED: (&'static str, &'static str) = ("as", "me");
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Public, Self::Own];

    /// Its name in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Own => "own",
        }
    }
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// As text for people.
    #[default]
    Text,
    /// As one JSON object a line.
    Json,
}

impl LogFormat {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// Its name in definitions and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// The most that a request may be. Each is refused by name as soon as it is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all header fields together: names, values and four for each.
    pub head: u64,
    /// Bytes of the request target.
    pub uri: u64,
    /// Bytes of a body that is no multipart one.
    pub body: u64,
    /// Bytes of a multipart body, where the files that its method takes do not need more.
    pub multipart: u64,
    /// Bytes of one part of a multipart body, but of a file whose parameter says how long it may be.
    pub part: u64,
    /// Parts of a multipart body, where the parameters of its method do not need more.
    pub parts: u64,
    /// Fields of a query or an urlencoded body, and members of a JSON body.
    pub fields: u64,
    /// Levels of arrays and objects in JSON, the outermost included; at most [`JsonLimits::MOST_NESTING`](crate::call::JsonLimits::MOST_NESTING).
    pub nesting: u64,
    /// Items of one array and members of one object in JSON, and values of one repeated field.
    pub items: u64,
    /// Seconds until a body must have arrived. A multipart one has one more for each 16 KiB of it that came.
    pub seconds: u64,
    /// Bytes of a body that are read to find module and method in it.
    pub dispatch: u64,
    /// Seconds for which a link to a file is good.
    pub link: u64,
    /// Bytes of all files together that links lead to, header fields included.
    pub links: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 32 << 10,
            uri: 8 << 10,
            body: 1 << 20,
            multipart: 64 << 20,
            part: 32 << 20,
            parts: 100,
            fields: 1_000,
            nesting: 32,
            items: 10_000,
            seconds: 60,
            dispatch: 64 << 10,
            link: 600,
            links: 1 << 30,
        }
    }
}

impl Limits {
    /// The most that `link` can be, in seconds: a year.
    pub const LONGEST_LINK: u64 = 365 * 24 * 60 * 60;

    /// Every limit with its key in definitions, in the order in which they are written.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, u64); 13] {
        let mut copy = self.clone();
        copy.entries_mut().map(|(key, limit)| (key, *limit))
    }

    /// The same, to be set.
    pub fn entries_mut(&mut self) -> [(&'static str, &mut u64); 13] {
        let Self { head, uri, body, multipart, part, parts, fields, nesting, items, seconds, dispatch, link, links } =
            self;
        [
            ("head", head),
            ("uri", uri),
            ("body", body),
            ("multipart", multipart),
            ("part", part),
            ("parts", parts),
            ("fields", fields),
            ("nesting", nesting),
            ("items", items),
            ("seconds", seconds),
            ("dispatch", dispatch),
            ("link", link),
            ("links", links),
        ]
    }
}
