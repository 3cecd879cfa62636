//! The ids of error messages, and the key and the placeholders that each message has in the catalogues. A catalogue is
//! a file with the messages of one language.

/// The id of an error message, or of a part of one, that clients receive. It does not depend on the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageId {
    /// No service has the requested URI, and no URI is similar.
    UnknownService,
    /// No service has the requested URI, but the URIs of some services are similar.
    SimilarServices,
    /// The request selects a service by a name that no service has.
    UnknownServiceName,
    /// The request selects a service by a name with characters that are not allowed.
    InvalidServiceName,
    /// The request selects a service by a name that lacks the part for the method.
    ServiceNameWithoutMethod,
    /// The form in which other messages quote a service name that has one part.
    OnePartServiceName,
    /// The form in which other messages quote a service name that has two parts.
    TwoPartServiceName,
    /// The service does not support the HTTP method of the request.
    UnknownMethod,
    /// The request has no credential, and the method requires one.
    NoCredential,
    /// The credential of the request is invalid.
    InvalidCredential,
    /// The caller lacks permissions that the method requires.
    Forbidden,
    /// Parameters are missing or invalid, and the error has no list of parameter errors.
    InvalidParameters,
    /// A required parameter is missing.
    MissingParameter,
    /// The request contains a parameter more than once, but the parameter accepts only one value.
    RepeatedParameter,
    /// The method does not have this parameter.
    UnknownParameter,
    /// The method does not have this parameter, but one with a similar name.
    SimilarParameter,
    /// The type of a parameter rejects the value.
    InvalidValue,
    /// The type of a parameter rejects the value. The message does not quote the value, because it may be secret.
    InvalidValueHidden,
    /// Describes the received value of a parameter that occurs more than once, for the placeholder `got`.
    GotSeveralValues,
    /// Describes a received value that is not valid UTF-8, for the placeholder `got`.
    GotInvalidUtf8,
    /// Describes what was expected instead of an unknown parameter, for the placeholder `expected`.
    ExpectedNoParameter,
    /// Describes the expected value of the JSONP parameter `callback`.
    ExpectedCallback,
    /// Describes the expected value of `as`, a query parameter of documents.
    ExpectedAsParameter,
    /// Describes the expected value of `module`, a query parameter of documents.
    ExpectedModuleParameter,
    /// Describes the expected value of `part`, a query parameter of documents.
    ExpectedPartParameter,
    /// Says that a JSONP request must not have a credential, for the placeholder `expected`.
    ExpectedNoCredential,
    /// The path of the request contains an incomplete percent-encoding.
    PathEscape,
    /// The path of the request is not valid UTF-8.
    PathEncoding,
    /// The header field `Idempotency-Key` is malformed.
    IdempotencyKey,
    /// The body is incomplete, or its encoding is not the one that `Content-Encoding` or `Transfer-Encoding` names.
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
    /// A part of a multipart body has malformed header fields.
    MultipartHead,
    /// A part of a multipart body has no name.
    MultipartName,
    /// The name of a part of a multipart body is too long.
    MultipartLongName,
    /// The multipart body ends within one of its parts.
    MultipartIncomplete,
    /// The request exceeds a limit.
    TooLarge,
    /// A parameter, or a part of a multipart body, exceeds a limit.
    ParameterTooLarge,
    /// The media type of the body is not supported.
    UnsupportedMediaType,
    /// The caller has exceeded its rate limit.
    TooManyRequests,
    /// The method has no handler in this program.
    NotImplemented,
    /// The program failed, and the request has no id.
    Internal,
    /// The program failed. The message contains the request id with which the log has the reason.
    InternalLogged,
    /// The name of the path as the part of a request that contains a parameter, for the placeholder `source`.
    SourcePath,
    /// The name of the query, for the placeholder `source`.
    SourceQuery,
    /// The name of the body, for the placeholder `source`.
    SourceBody,
    /// The name of "the query or the body", for the placeholder `source`.
    SourceQueryOrBody,
    /// The name of the header fields, for the placeholder `source`.
    SourceHeader,
    /// The name of the cookies, for the placeholder `source`.
    SourceCookie,
    /// The unit of a limit in bytes, for the placeholder `unit`.
    UnitBytes,
    /// The unit of a limit on the number of fields, for the placeholder `unit`.
    UnitFields,
    /// The unit of a limit on the number of multipart parts, for the placeholder `unit`.
    UnitParts,
    /// The unit of a limit on the number of items, for the placeholder `unit`.
    UnitItems,
    /// The unit of a limit on the number of nesting levels, for the placeholder `unit`.
    UnitLevels,
    /// The unit of a limit in seconds, for the placeholder `unit`.
    UnitSeconds,
    /// The separator between items of which all are required: " and ".
    AndSeparator,
    /// The separator between items of which one is sufficient: " or ".
    OrSeparator,
    /// The separator between groups of items of which one group is sufficient.
    OrGroupsSeparator,
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
    /// A value is not one of the allowed words.
    NotInSet,
    /// A file is missing, or the request contains a text instead of it.
    MissingFile,
    /// A file is larger than the maximum of its parameter, and was not received completely.
    FileTooLarge,
    /// The name of a file does not have one of the allowed extensions.
    FileExtension,
    /// A text is not JSON, or is JSON of another kind than required.
    InvalidJson,
    /// A text does not match the regular expression of its type.
    PatternMismatch,
    /// The text around the message of a parameter error, which replaces the placeholder `words`.
    ParameterErrorWrapper,
    /// The text around the message of a redirect.
    RedirectWrapper,
    /// The text around the message of any other error with an HTTP status below 500.
    ClientErrorWrapper,
    /// The text around the message of an error with an HTTP status of 500 or above.
    ServerErrorWrapper,
}

/// A row of [`MESSAGES`]: the key and the placeholders of one message.
#[derive(Debug)]
pub struct MessageRow {
    /// The id of the message that the row describes.
    pub id: MessageId,
    /// The key of the message in the catalogue files.
    pub key: &'static str,
    /// The names of the placeholders that the message may contain, in the order in which [`Catalogue::message`] expects
    /// the data.
    ///
    /// [`Catalogue::message`]: super::Catalogue::message
    pub placeholders: &'static [&'static str],
    /// If `true`, a catalogue may omit the message. A more general message is then used, or no text around the message.
    pub is_optional: bool,
}

/// Returns the row of a message that every catalogue must have.
const fn required_message(id: MessageId, key: &'static str, placeholders: &'static [&'static str]) -> MessageRow {
    MessageRow { id, key, placeholders, is_optional: false }
}

/// Returns the row of a message that a catalogue may omit.
const fn optional_message(id: MessageId, key: &'static str, placeholders: &'static [&'static str]) -> MessageRow {
    MessageRow { is_optional: true, ..required_message(id, key, placeholders) }
}

/// The keys and placeholders of all messages, in the order of [`MessageId`].
pub const MESSAGES: &[MessageRow] = &[
    required_message(MessageId::UnknownService, "unknown-service", &[]),
    required_message(MessageId::SimilarServices, "similar-services", &["similar"]),
    required_message(MessageId::UnknownServiceName, "unknown-name", &["service"]),
    required_message(MessageId::InvalidServiceName, "illegal-name", &["service"]),
    optional_message(MessageId::ServiceNameWithoutMethod, "incomplete-name", &["service"]),
    optional_message(MessageId::OnePartServiceName, "name-of-one", &["service"]),
    optional_message(MessageId::TwoPartServiceName, "name-of-two", &["service"]),
    required_message(MessageId::UnknownMethod, "unknown-method", &["allowed"]),
    required_message(MessageId::NoCredential, "no-credential", &[]),
    required_message(MessageId::InvalidCredential, "invalid-credential", &[]),
    required_message(MessageId::Forbidden, "forbidden", &["missing"]),
    required_message(MessageId::InvalidParameters, "parameters", &[]),
    required_message(MessageId::MissingParameter, "missing", &["parameter", "source", "expected"]),
    required_message(MessageId::RepeatedParameter, "repeated", &["parameter", "source", "expected"]),
    required_message(MessageId::UnknownParameter, "unknown", &["parameter", "source"]),
    required_message(MessageId::SimilarParameter, "similar-parameter", &["parameter", "source", "similar"]),
    required_message(MessageId::InvalidValue, "invalid", &["parameter", "source", "expected", "got"]),
    required_message(MessageId::InvalidValueHidden, "invalid-secret", &["parameter", "source", "expected"]),
    required_message(MessageId::GotSeveralValues, "several-values", &[]),
    required_message(MessageId::GotInvalidUtf8, "no-text", &[]),
    required_message(MessageId::ExpectedNoParameter, "no-parameter", &[]),
    required_message(MessageId::ExpectedCallback, "callback", &[]),
    required_message(MessageId::ExpectedAsParameter, "as-me", &[]),
    required_message(MessageId::ExpectedModuleParameter, "one-module", &[]),
    required_message(MessageId::ExpectedPartParameter, "one-part", &[]),
    required_message(MessageId::ExpectedNoCredential, "no-credential-taken", &[]),
    required_message(MessageId::PathEscape, "path-escape", &[]),
    required_message(MessageId::PathEncoding, "path-encoding", &[]),
    required_message(MessageId::IdempotencyKey, "idempotency-key", &[]),
    required_message(MessageId::IncompleteBody, "body-broken", &[]),
    required_message(MessageId::JsonEncoding, "json-encoding", &["byte"]),
    required_message(MessageId::JsonNotAnObject, "json-kind", &[]),
    required_message(MessageId::JsonSyntax, "json-syntax", &["line", "column"]),
    required_message(MessageId::JsonIncomplete, "json-end", &["line", "column"]),
    required_message(MessageId::MultipartBoundary, "multipart-boundary", &[]),
    required_message(MessageId::MultipartStart, "multipart-start", &["most"]),
    required_message(MessageId::MultipartPart, "multipart-part", &["part"]),
    required_message(MessageId::MultipartHead, "multipart-head", &["part"]),
    required_message(MessageId::MultipartName, "multipart-name", &["part"]),
    required_message(MessageId::MultipartLongName, "multipart-long-name", &["part", "most"]),
    required_message(MessageId::MultipartIncomplete, "multipart-end", &["part"]),
    required_message(MessageId::TooLarge, "too-large", &["limit", "max", "unit"]),
    required_message(MessageId::ParameterTooLarge, "parameter-too-large", &["parameter", "limit", "max", "unit"]),
    required_message(MessageId::UnsupportedMediaType, "unsupported-media-type", &["type", "accepted"]),
    required_message(MessageId::TooManyRequests, "too-many-requests", &["seconds"]),
    required_message(MessageId::NotImplemented, "not-implemented", &["id"]),
    required_message(MessageId::Internal, "internal", &[]),
    required_message(MessageId::InternalLogged, "internal-logged", &["request_id"]),
    required_message(MessageId::SourcePath, "path", &[]),
    required_message(MessageId::SourceQuery, "query", &[]),
    required_message(MessageId::SourceBody, "body", &[]),
    required_message(MessageId::SourceQueryOrBody, "query-or-body", &[]),
    required_message(MessageId::SourceHeader, "header", &[]),
    required_message(MessageId::SourceCookie, "cookie", &[]),
    required_message(MessageId::UnitBytes, "bytes", &[]),
    required_message(MessageId::UnitFields, "fields", &[]),
    required_message(MessageId::UnitParts, "parts", &[]),
    required_message(MessageId::UnitItems, "items", &[]),
    required_message(MessageId::UnitLevels, "levels", &[]),
    required_message(MessageId::UnitSeconds, "seconds", &[]),
    required_message(MessageId::AndSeparator, "and", &[]),
    required_message(MessageId::OrSeparator, "or", &[]),
    required_message(MessageId::OrGroupsSeparator, "or-groups", &[]),
    optional_message(MessageId::ValueBelowMin, "at-least", &["parameter", "bound", "got"]),
    optional_message(MessageId::ValueAboveMax, "at-most", &["parameter", "bound", "got"]),
    optional_message(MessageId::LengthBelowMin, "length-at-least", &["parameter", "bound", "got"]),
    optional_message(MessageId::LengthAboveMax, "length-at-most", &["parameter", "bound", "got"]),
    optional_message(MessageId::CountBelowMin, "count-at-least", &["parameter", "bound", "got"]),
    optional_message(MessageId::CountAboveMax, "count-at-most", &["parameter", "bound", "got"]),
    optional_message(MessageId::SizeBelowMin, "size-at-least", &["parameter", "bound", "got"]),
    optional_message(MessageId::SizeAboveMax, "size-at-most", &["parameter", "bound", "got"]),
    optional_message(MessageId::NotInSet, "one-of", &["parameter", "words", "got"]),
    optional_message(MessageId::MissingFile, "missing-file", &["parameter"]),
    optional_message(MessageId::FileTooLarge, "file-too-large", &["parameter", "max"]),
    optional_message(MessageId::FileExtension, "extensions", &["parameter", "words"]),
    optional_message(MessageId::InvalidJson, "illegal-json", &["parameter"]),
    optional_message(MessageId::PatternMismatch, "pattern", &["parameter"]),
    optional_message(MessageId::ParameterErrorWrapper, "of-parameters", &["words"]),
    optional_message(MessageId::RedirectWrapper, "of-redirect", &["words"]),
    optional_message(MessageId::ClientErrorWrapper, "of-request", &["words"]),
    optional_message(MessageId::ServerErrorWrapper, "of-server", &["words"]),
];

impl MessageId {
    /// Returns the key and the placeholders of the message, from [`MESSAGES`].
    #[must_use]
    pub fn row(self) -> &'static MessageRow {
        &MESSAGES[self as usize]
    }
}
