//! The table of texts: each with its key in the catalogues and the data that it can tell.

/// A text for clients, whatever the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Text {
    /// No service has this URI.
    UnknownService,
    /// The same, where there are services of a similar one.
    SimilarServices,
    /// A name that no service has.
    UnknownName,
    /// A name that no service can have.
    IllegalName,
    /// A name without a method.
    IncompleteName,
    /// A name of one part, written out.
    NameOfOne,
    /// A name of two parts, written out.
    NameOfTwo,
    /// The service has other methods.
    UnknownMethod,
    /// Nobody was identified.
    NoCredential,
    /// A credential is not valid.
    InvalidCredential,
    /// Permissions are missing.
    Forbidden,
    /// Parameters are at fault, and none is told.
    Parameters,
    /// A required parameter is missing.
    Missing,
    /// A parameter stands more than once.
    Repeated,
    /// A parameter that the method does not have.
    Unknown,
    /// A value does not pass.
    Invalid,
    /// A value does not pass and is not told back.
    InvalidSecret,
    /// What came of a parameter that stands more than once.
    SeveralValues,
    /// What came instead of a text.
    NoText,
    /// What was expected instead of a parameter that the method does not have.
    NoParameter,
    /// What was expected of a JavaScript function's name.
    Callback,
    /// What was expected of `as`.
    AsMe,
    /// What was expected of `module`.
    OneModule,
    /// What was expected of `part`.
    OnePart,
    /// What was expected of a credential that came with one.
    NoCredentialTaken,
    /// A path with a broken escape.
    PathEscape,
    /// A path that is not UTF-8.
    PathEncoding,
    /// A body that does not arrive whole.
    BodyBroken,
    /// A JSON body that is not UTF-8.
    JsonEncoding,
    /// A JSON body that is no object.
    JsonKind,
    /// A body that is no JSON.
    JsonSyntax,
    /// A JSON body that ends too early.
    JsonEnd,
    /// A multipart body whose type has no boundary.
    MultipartBoundary,
    /// A multipart body without a first part.
    MultipartStart,
    /// A part that does not begin as it should.
    MultipartPart,
    /// A part with broken header fields.
    MultipartHead,
    /// A part without a name.
    MultipartName,
    /// A part with too long a name.
    MultipartLongName,
    /// A multipart body that ends within a part.
    MultipartEnd,
    /// Something is over a limit.
    TooLarge,
    /// A parameter or part is over a limit.
    ParameterTooLarge,
    /// A media type that is not read.
    UnsupportedMediaType,
    /// A link whose time is over.
    Gone,
    /// A link that was not made so.
    InvalidLink,
    /// An upload that could not be stored.
    Upload,
    /// An upload that there is no room for.
    NoRoom,
    /// Too many requests.
    TooManyRequests,
    /// A body that did not arrive in time.
    Timeout,
    /// An expectation that is not met.
    ExpectationFailed,
    /// A method without a handler.
    NotImplemented,
    /// Not ready to answer.
    Unavailable,
    /// The program failed.
    Internal,
    /// The same, where the log has the reason.
    InternalLogged,
    /// Where a parameter stands: the path.
    Path,
    /// The query.
    Query,
    /// The body.
    Body,
    /// The query or the body.
    QueryOrBody,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
    /// What a limit counts: bytes.
    Bytes,
    /// Fields.
    Fields,
    /// Parts.
    Parts,
    /// Items.
    Items,
    /// Levels.
    Levels,
    /// Between two of which both are meant.
    And,
    /// Between two of which either is meant.
    Or,
    /// Between two groups of which either is meant.
    OrGroups,
    /// A value is less than it may be.
    LeastValue,
    /// A value is more than it may be.
    MostValue,
    /// A text is shorter than it may be.
    LeastLength,
    /// A text is longer than it may be.
    MostLength,
    /// There are fewer items than there may be.
    LeastCount,
    /// There are more items than there may be.
    MostCount,
    /// A file is smaller than it may be.
    LeastSize,
    /// A file is larger than it may be.
    MostSize,
    /// A value is none of some words.
    Words,
    /// The name of a file does not end as it may.
    Extensions,
    /// A text is no JSON of the kind that is wanted.
    IllegalJson,
    /// A text does not match its pattern.
    Pattern,
    /// Around the words of a parameter at fault.
    OfParameters,
    /// Around the place that a client is sent to.
    OfRedirect,
    /// Around the words of any other refusal that the client can help.
    OfRequest,
    /// Around the words of a refusal that the client cannot help.
    OfServer,
}

/// A row of [`TABLE`].
#[derive(Debug)]
pub struct Row {
    /// The text.
    pub text: Text,
    /// Its key in the catalogues.
    pub key: &'static str,
    /// The names of the data that it can tell.
    pub places: &'static [&'static str],
    /// Whether a catalogue may be without it: a more general text is said then, or only what would stand in it.
    pub optional: bool,
}

const fn row(text: Text, key: &'static str, places: &'static [&'static str]) -> Row {
    Row { text, key, places, optional: false }
}

const fn optional(text: Text, key: &'static str, places: &'static [&'static str]) -> Row {
    Row { optional: true, ..row(text, key, places) }
}

/// Every text once, in the order of [`Text`].
pub const TABLE: &[Row] = &[
    row(Text::UnknownService, "unknown-service", &[]),
    row(Text::SimilarServices, "similar-services", &["similar"]),
    row(Text::UnknownName, "unknown-name", &["service"]),
    row(Text::IllegalName, "illegal-name", &["service"]),
    optional(Text::IncompleteName, "incomplete-name", &["service"]),
    optional(Text::NameOfOne, "name-of-one", &["service"]),
    optional(Text::NameOfTwo, "name-of-two", &["service"]),
    row(Text::UnknownMethod, "unknown-method", &["allowed"]),
    row(Text::NoCredential, "no-credential", &[]),
    row(Text::InvalidCredential, "invalid-credential", &[]),
    row(Text::Forbidden, "forbidden", &["missing"]),
    row(Text::Parameters, "parameters", &[]),
    row(Text::Missing, "missing", &["parameter", "source", "expected"]),
    row(Text::Repeated, "repeated", &["parameter", "source", "expected"]),
    row(Text::Unknown, "unknown", &["parameter", "source"]),
    row(Text::Invalid, "invalid", &["parameter", "source", "expected", "got"]),
    row(Text::InvalidSecret, "invalid-secret", &["parameter", "source", "expected"]),
    row(Text::SeveralValues, "several-values", &[]),
    row(Text::NoText, "no-text", &[]),
    row(Text::NoParameter, "no-parameter", &[]),
    row(Text::Callback, "callback", &[]),
    row(Text::AsMe, "as-me", &[]),
    row(Text::OneModule, "one-module", &[]),
    row(Text::OnePart, "one-part", &[]),
    row(Text::NoCredentialTaken, "no-credential-taken", &[]),
    row(Text::PathEscape, "path-escape", &[]),
    row(Text::PathEncoding, "path-encoding", &[]),
    row(Text::BodyBroken, "body-broken", &[]),
    row(Text::JsonEncoding, "json-encoding", &["byte"]),
    row(Text::JsonKind, "json-kind", &[]),
    row(Text::JsonSyntax, "json-syntax", &["line", "column"]),
    row(Text::JsonEnd, "json-end", &["line", "column"]),
    row(Text::MultipartBoundary, "multipart-boundary", &[]),
    row(Text::MultipartStart, "multipart-start", &["most"]),
    row(Text::MultipartPart, "multipart-part", &["part"]),
    row(Text::MultipartHead, "multipart-head", &["part"]),
    row(Text::MultipartName, "multipart-name", &["part"]),
    row(Text::MultipartLongName, "multipart-long-name", &["part", "most"]),
    row(Text::MultipartEnd, "multipart-end", &["part"]),
    row(Text::TooLarge, "too-large", &["limit", "max", "unit"]),
    row(Text::ParameterTooLarge, "parameter-too-large", &["parameter", "limit", "max", "unit"]),
    row(Text::UnsupportedMediaType, "unsupported-media-type", &["type", "accepted"]),
    row(Text::Gone, "gone", &[]),
    row(Text::InvalidLink, "invalid-link", &[]),
    row(Text::Upload, "upload", &[]),
    row(Text::NoRoom, "no-room", &[]),
    row(Text::TooManyRequests, "too-many-requests", &["seconds"]),
    row(Text::Timeout, "timeout", &[]),
    row(Text::ExpectationFailed, "expectation-failed", &[]),
    row(Text::NotImplemented, "not-implemented", &["id"]),
    row(Text::Unavailable, "unavailable", &[]),
    row(Text::Internal, "internal", &[]),
    row(Text::InternalLogged, "internal-logged", &["request_id"]),
    row(Text::Path, "path", &[]),
    row(Text::Query, "query", &[]),
    row(Text::Body, "body", &[]),
    row(Text::QueryOrBody, "query-or-body", &[]),
    row(Text::Header, "header", &[]),
    row(Text::Cookie, "cookie", &[]),
    row(Text::Bytes, "bytes", &[]),
    row(Text::Fields, "fields", &[]),
    row(Text::Parts, "parts", &[]),
    row(Text::Items, "items", &[]),
    row(Text::Levels, "levels", &[]),
    row(Text::And, "and", &[]),
    row(Text::Or, "or", &[]),
    row(Text::OrGroups, "or-groups", &[]),
    optional(Text::LeastValue, "at-least", &["parameter", "bound", "got"]),
    optional(Text::MostValue, "at-most", &["parameter", "bound", "got"]),
    optional(Text::LeastLength, "length-at-least", &["parameter", "bound", "got"]),
    optional(Text::MostLength, "length-at-most", &["parameter", "bound", "got"]),
    optional(Text::LeastCount, "count-at-least", &["parameter", "bound", "got"]),
    optional(Text::MostCount, "count-at-most", &["parameter", "bound", "got"]),
    optional(Text::LeastSize, "size-at-least", &["parameter", "bound", "got"]),
    optional(Text::MostSize, "size-at-most", &["parameter", "bound", "got"]),
    optional(Text::Words, "one-of", &["parameter", "words", "got"]),
    optional(Text::Extensions, "extensions", &["parameter", "words"]),
    optional(Text::IllegalJson, "illegal-json", &["parameter"]),
    optional(Text::Pattern, "pattern", &["parameter"]),
    optional(Text::OfParameters, "of-parameters", &["words"]),
    optional(Text::OfRedirect, "of-redirect", &["words"]),
    optional(Text::OfRequest, "of-request", &["words"]),
    optional(Text::OfServer, "of-server", &["words"]),
];

impl Text {
    /// The text's row in [`TABLE`].
    #[must_use]
    pub fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}
