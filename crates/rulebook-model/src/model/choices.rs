//! The settings whose values are words. The name of a variant in kebab case is the word, unless it has another name for
//! `strum` and `clap` in definitions.

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

/// The handling of parameters that the query or the body of a request contains but its method does not define.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
pub enum UnknownParameters {
    /// The unknown parameters are ignored.
    #[default]
    Ignore,
    /// The unknown parameters are ignored, and their names are logged.
    Warn,
    /// The request is rejected.
    Refuse,
}

/// The behavior of methods for which the program has no handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[cfg_attr(feature = "command-line", derive(clap::ValueEnum))]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
pub enum Unbound {
    /// Do not start.
    #[default]
    Refuse,
    /// Respond with status 501 (Not Implemented).
    #[cfg_attr(feature = "command-line", value(name = "501"))]
    #[strum(serialize = "501")]
    NotImplemented,
    /// Respond with an example of the outputs.
    Mock,
    /// Call no handler; every method responds with its checked arguments.
    Echo,
}

/// The part of an API that documents describe, unless the request selects another part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
pub enum Audience {
    /// The whole API.
    #[default]
    Public,
    /// The methods that the caller may call.
    Own,
}

impl Audience {
    /// The query field and its value (`?as=me`) with which a request for a document selects the methods that the caller
    /// may call.
    pub const ASKED: (&'static str, &'static str) = ("as", "me");
}

/// The format of log messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[cfg_attr(feature = "command-line", derive(clap::ValueEnum))]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum LogFormat {
    /// Lines of text, for people.
    #[default]
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// How clients get the files of download links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[cfg_attr(feature = "command-line", derive(clap::ValueEnum))]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum LinkTarget {
    /// The server sends them.
    #[default]
    Proxied,
    /// The server redirects clients to the bucket.
    // The URLs are signed for a short time. If the files are in a folder, the server sends them.
    Presigned,
}

/// The header field in which a trusted proxy sends the address of its client.
///
/// The server reads only this field: a proxy replaces or extends the field that it knows, and forwards the other one as
/// the client has sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[cfg_attr(feature = "command-line", derive(clap::ValueEnum))]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ForwardedField {
    /// `X-Forwarded-For`, a list of addresses.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whether the clients of a server with TLS must have a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[cfg_attr(feature = "command-line", derive(clap::ValueEnum))]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
#[non_exhaustive]
pub enum ClientCertificateMode {
    /// Clients without a valid certificate cannot connect.
    #[default]
    Required,
    /// Clients can connect without a certificate.
    Optional,
}

/// What happens to requests with a limit while the shared counter is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, Serialize, VariantArray)]
#[serde(into = "&'static str")]
#[strum(serialize_all = "kebab-case")]
pub enum WhenUnavailable {
    /// Each server counts the requests itself, and allows as many as the limit.
    #[default]
    Open,
    /// The requests are refused with the status 503.
    Closed,
}

/// The handling of requests that contain a parameter more than once, although it accepts only one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Repeated {
    /// The request is rejected.
    #[default]
    Refuse,
    /// The last value of the parameter in the request is used.
    Last,
}

/// Whether requests to a method must have the header field `Idempotency-Key`, with which a client can send a request
/// again without running the handler again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Idempotency {
    /// Requests may have the header field.
    Optional,
    /// Requests must have the header field.
    Required,
}

impl Idempotency {
    /// The name of the header field with the key (draft-ietf-httpapi-idempotency-key-header).
    pub const HEADER: &'static str = "Idempotency-Key";
    /// The name of the header field of a response that repeats an earlier response.
    pub const REPLAYED_HEADER: &'static str = "Idempotent-Replayed";
}
