//! The settings whose values are words.

/// The handling of parameters that the query or the body of a request contains but its method does not define.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownParameters {
    /// The unknown parameters are ignored.
    #[default]
    Ignore,
    /// The unknown parameters are ignored, and their names are logged.
    Warn,
    /// The request is rejected.
    Refuse,
}

impl UnknownParameters {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Ignore, Self::Warn, Self::Refuse];

    /// Returns the name of the variant in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        }
    }
}

/// The behavior of methods for which the program has no handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unbound {
    /// The server does not start.
    #[default]
    Refuse,
    /// Requests to the method get an error response with the status 501.
    NotImplemented,
    /// Every method without a handler returns an example of its outputs.
    Mock,
    /// Every method returns its checked arguments as outputs. No handlers are called, even if the program has some.
    Echo,
}

impl Unbound {
    /// All variants.
    pub const ALL: [Self; 4] = [Self::Refuse, Self::NotImplemented, Self::Mock, Self::Echo];

    /// Returns the name of the variant in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::NotImplemented => "501",
            Self::Mock => "mock",
            Self::Echo => "echo",
        }
    }
}

/// The part of an API that documents describe, unless the request selects another part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Public, Self::Own];

    /// Returns the name of the variant in definitions.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Own => "own",
        }
    }
}

/// The format of log messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LogFormat {
    /// Lines of text for human readers.
    #[default]
    Text,
    /// Lines that each contain a JSON object.
    Json,
}

impl LogFormat {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Text, Self::Json];

    /// Returns the name of the variant in definitions and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// How clients get the files of download links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LinkTarget {
    /// The server sends them.
    #[default]
    Proxied,
    /// The server redirects clients to URLs of the bucket with the files, which are signed for a short time. If the
    /// files are in a folder, the server sends them.
    Presigned,
}

impl LinkTarget {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Proxied, Self::Presigned];

    /// Returns the name of the variant in definitions and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proxied => "proxied",
            Self::Presigned => "presigned",
        }
    }
}
