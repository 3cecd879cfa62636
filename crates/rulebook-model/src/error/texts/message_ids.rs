//! The ids of messages to clients, and the key and placeholders of each in the catalogues.

/// A message to clients, independent of its language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// No service has the requested URI.
    UnknownService,
    /// No service has the requested URI, but some services have a similar one.
    SimilarServices,
    /// A service was called by name (dispatch), and no service has this name.
    UnknownName,
    /// A service was called by a name that cannot be the name of a service.
    InvalidName,
    /// A service was called by a name that has no method part.
    NameWithoutMethod,
    /// How a service name that has one part is quoted in other messages.
    OnePartName,
    /// How a service name that has two parts is quoted in other messages.
    TwoPartName,
    /// The service does not support the HTTP method of the request.
    UnknownMethod,
    /// The request has no credential, and the method requires one.
    NoCredential,
    /// The credential of the request is invalid.
    InvalidCredential,
    /// The caller lacks permissions.
    Forbidden,
    /// At least one parameter is invalid; used if no parameter error is listed.
    InvalidParameters,
    /// A required parameter is missing.
    MissingParameter,
    /// A parameter that takes one value occurs more than once.
    RepeatedParameter,
    /// The method does not have this parameter.
    UnknownParameter,
    /// A value is not of the parameter's type.
    InvalidValue,
    /// A value is not of the parameter's type, and must not be quoted because the parameter is secret.
    InvalidValueHidden,
    /// The received value of a parameter that occurs more than once; used as `got`.
    GotSeveralValues,
    /// The received value of a parameter that is not valid UTF-8; used as `got`.
    GotInvalidUtf8,
    /// The expected value of an unknown parameter; used as `expected`.
    ExpectedNoParameter,
    /// The expected value of the JSONP parameter `callback`.
    ExpectedCallback,
    /// The expected value of the parameter `as` of documents.
    ExpectedAs,
    /// The expected value of the parameter `module` of documents.
    ExpectedModule,
    /// The expected value of the parameter `part` of documents.
    ExpectedPart,
    /// The expected value of a credential in a JSONP request, which must have none.
    ExpectedNoCredential,
    /// The path contains an incomplete percent-encoding.
    PathEscape,
    /// The path is not valid UTF-8.
    PathEncoding,
    /// The body is incomplete, or not encoded as `Content-Encoding` or `Transfer-Encoding` declares.
    IncompleteBody,
    /// The JSON body is not valid UTF-8.
    JsonEncoding,
    /// The JSON body is not an object.
    JsonNotAnObject,
    /// The body is not valid JSON.
    JsonSyntax,
    /// The JSON body ends within a value.
    JsonIncomplete,
    /// The `Content-Type` of a multipart body has no boundary.
    MultipartBoundary,
    /// The multipart body has no first boundary.
    MultipartStart,
    /// A part of a multipart body is malformed.
    MultipartPart,
    /// A part has malformed header fields.
    MultipartHead,
    /// A part has no name.
    MultipartName,
    /// The name of a part is too long.
    MultipartLongName,
    /// The multipart body ends within a part.
    MultipartIncomplete,
    /// The request exceeds a limit.
    TooLarge,
    /// A parameter or part exceeds a limit.
    ParameterTooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The caller has exceeded its quota.
    TooManyRequests,
    /// The method has no handler.
    NotImplemented,
    /// The program failed.
    Internal,
    /// The program failed, and its log has the reason under a request id.
    InternalLogged,
    /// The name of the parameter source "path", used as `source`.
    SourcePath,
    /// The name of the parameter source "query".
    SourceQuery,
    /// The name of the parameter source "body".
    SourceBody,
    /// The name of the parameter source "query or body".
    SourceQueryOrBody,
    /// The name of the parameter source "header".
    SourceHeader,
    /// The name of the parameter source "cookie".
    SourceCookie,
    /// The unit of a limit in bytes, used as `unit`.
    UnitBytes,
    /// The unit of a limit in fields.
    UnitFields,
    /// The unit of a limit in parts.
    UnitParts,
    /// The unit of a limit in items.
    UnitItems,
    /// The unit of a limit in nesting levels.
    UnitLevels,
    /// The unit of a limit: seconds.
    UnitSeconds,
    /// The separator of a list of which all items apply.
    JoinAnd,
    /// The separator of a list of which one item applies.
    JoinOr,
    /// The separator of groups of which one applies.
    JoinOrGroups,
    /// A number or time is below the minimum.
    ValueBelowMin,
    /// A number or time is above the maximum.
    ValueAboveMax,
    /// A text is shorter than the minimum length.
    LengthBelowMin,
    /// A text is longer than the maximum length.
    LengthAboveMax,
    /// An array has fewer items than the minimum.
    CountBelowMin,
    /// An array has more items than the maximum.
    CountAboveMax,
    /// A file is smaller than the minimum size.
    SizeBelowMin,
    /// A file is larger than the maximum size.
    SizeAboveMax,
    /// A value is not one of a set of words.
    NotInSet,
    /// The name of a file does not have one of the allowed extensions.
    FileExtension,
    /// A text is not JSON of the required kind.
    InvalidJson,
    /// A text does not match its pattern.
    PatternMismatch,
    /// Text around the message of a parameter error.
    ParameterErrorWrapper,
    /// Text around the message of a redirect.
    RedirectWrapper,
    /// Text around the message of any other error with a status below 500.
    ClientErrorWrapper,
    /// Text around the message of an error with a status of 500 or above.
    ServerErrorWrapper,
}

/// A row of [`TABLE`].
#[derive(Debug)]
pub struct MessageRow {
    /// The id of the message.
    pub id: MessageId,
    /// The key of the message in the catalogue files.
    pub key: &'static str,
    /// The names of the placeholders that the message may contain, in the order of [`Catalogue::message`]'s data.
    ///
    /// [`Catalogue::message`]: super::Catalogue::message
    pub placeholders: &'static [&'static str],
    /// If `true`, a catalogue may omit the message. Callers then use a more general message, or no wrapper.
    pub optional: bool,
}

const fn row(id: MessageId, key: &'static str, placeholders: &'static [&'static str]) -> MessageRow {
    MessageRow { id, key, placeholders, optional: false }
}

const fn optional(id: MessageId, key: &'static str, placeholders: &'static [&'static str]) -> MessageRow {
    MessageRow { optional: true, ..row(id, key, placeholders) }
}

/// Every message once, in the order of [`MessageId`].
pub const TABLE: &[MessageRow] = &[
    row(MessageId::UnknownService, "unknown-service", &[]),
    row(MessageId::SimilarServices, "similar-services", &["similar"]),
    row(MessageId::UnknownName, "unknown-name", &["service"]),
    row(MessageId::InvalidName, "illegal-name", &["service"]),
    optional(MessageId::NameWithoutMethod, "incomplete-name", &["service"]),
    optional(MessageId::OnePartName, "name-of-one", &["service"]),
    optional(MessageId::TwoPartName, "name-of-two", &["service"]),
    row(MessageId::UnknownMethod, "unknown-method", &["allowed"]),
    row(MessageId::NoCredential, "no-credential", &[]),
    row(MessageId::InvalidCredential, "invalid-credential", &[]),
    row(MessageId::Forbidden, "forbidden", &["missing"]),
    row(MessageId::InvalidParameters, "parameters", &[]),
    row(MessageId::MissingParameter, "missing", &["parameter", "source", "expected"]),
    row(MessageId::RepeatedParameter, "repeated", &["parameter", "source", "expected"]),
    row(MessageId::UnknownParameter, "unknown", &["parameter", "source"]),
    row(MessageId::InvalidValue, "invalid", &["parameter", "source", "expected", "got"]),
    row(MessageId::InvalidValueHidden, "invalid-secret", &["parameter", "source", "expected"]),
    row(MessageId::GotSeveralValues, "several-values", &[]),
    row(MessageId::GotInvalidUtf8, "no-text", &[]),
    row(MessageId::ExpectedNoParameter, "no-parameter", &[]),
    row(MessageId::ExpectedCallback, "callback", &[]),
    row(MessageId::ExpectedAs, "as-me", &[]),
    row(MessageId::ExpectedModule, "one-module", &[]),
    row(MessageId::ExpectedPart, "one-part", &[]),
    row(MessageId::ExpectedNoCredential, "no-credential-taken", &[]),
    row(MessageId::PathEscape, "path-escape", &[]),
    row(MessageId::PathEncoding, "path-encoding", &[]),
    row(MessageId::IncompleteBody, "body-broken", &[]),
    row(MessageId::JsonEncoding, "json-encoding", &["byte"]),
    row(MessageId::JsonNotAnObject, "json-kind", &[]),
    row(MessageId::JsonSyntax, "json-syntax", &["line", "column"]),
    row(MessageId::JsonIncomplete, "json-end", &["line", "column"]),
    row(MessageId::MultipartBoundary, "multipart-boundary", &[]),
    row(MessageId::MultipartStart, "multipart-start", &["most"]),
    row(MessageId::MultipartPart, "multipart-part", &["part"]),
    row(MessageId::MultipartHead, "multipart-head", &["part"]),
    row(MessageId::MultipartName, "multipart-name", &["part"]),
    row(MessageId::MultipartLongName, "multipart-long-name", &["part", "most"]),
    row(MessageId::MultipartIncomplete, "multipart-end", &["part"]),
    row(MessageId::TooLarge, "too-large", &["limit", "max", "unit"]),
    row(MessageId::ParameterTooLarge, "parameter-too-large", &["parameter", "limit", "max", "unit"]),
    row(MessageId::UnsupportedMediaType, "unsupported-media-type", &["type", "accepted"]),
    row(MessageId::TooManyRequests, "too-many-requests", &["seconds"]),
    row(MessageId::NotImplemented, "not-implemented", &["id"]),
    row(MessageId::Internal, "internal", &[]),
    row(MessageId::InternalLogged, "internal-logged", &["request_id"]),
    row(MessageId::SourcePath, "path", &[]),
    row(MessageId::SourceQuery, "query", &[]),
    row(MessageId::SourceBody, "body", &[]),
    row(MessageId::SourceQueryOrBody, "query-or-body", &[]),
    row(MessageId::SourceHeader, "header", &[]),
    row(MessageId::SourceCookie, "cookie", &[]),
    row(MessageId::UnitBytes, "bytes", &[]),
    row(MessageId::UnitFields, "fields", &[]),
    row(MessageId::UnitParts, "parts", &[]),
    row(MessageId::UnitItems, "items", &[]),
    row(MessageId::UnitLevels, "levels", &[]),
    row(MessageId::UnitSeconds, "seconds", &[]),
    row(MessageId::JoinAnd, "and", &[]),
    row(MessageId::JoinOr, "or", &[]),
    row(MessageId::JoinOrGroups, "or-groups", &[]),
    optional(MessageId::ValueBelowMin, "at-least", &["parameter", "bound", "got"]),
    optional(MessageId::ValueAboveMax, "at-most", &["parameter", "bound", "got"]),
    optional(MessageId::LengthBelowMin, "length-at-least", &["parameter", "bound", "got"]),
    optional(MessageId::LengthAboveMax, "length-at-most", &["parameter", "bound", "got"]),
    optional(MessageId::CountBelowMin, "count-at-least", &["parameter", "bound", "got"]),
    optional(MessageId::CountAboveMax, "count-at-most", &["parameter", "bound", "got"]),
    optional(MessageId::SizeBelowMin, "size-at-least", &["parameter", "bound", "got"]),
    optional(MessageId::SizeAboveMax, "size-at-most", &["parameter", "bound", "got"]),
    optional(MessageId::NotInSet, "one-of", &["parameter", "words", "got"]),
    optional(MessageId::FileExtension, "extensions", &["parameter", "words"]),
    optional(MessageId::InvalidJson, "illegal-json", &["parameter"]),
    optional(MessageId::PatternMismatch, "pattern", &["parameter"]),
    optional(MessageId::ParameterErrorWrapper, "of-parameters", &["words"]),
    optional(MessageId::RedirectWrapper, "of-redirect", &["words"]),
    optional(MessageId::ClientErrorWrapper, "of-request", &["words"]),
    optional(MessageId::ServerErrorWrapper, "of-server", &["words"]),
];

impl MessageId {
    /// Returns the row of the message in [`TABLE`].
    #[must_use]
    pub fn row(self) -> &'static MessageRow {
        &TABLE[self as usize]
    }
}
