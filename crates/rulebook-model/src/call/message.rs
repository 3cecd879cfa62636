//! Formats the message of an error for the client. The text comes from a catalogue, a file with the error messages of
//! one language, and the data of the error is inserted into it.

use std::fmt::{self, Display};

use super::{
    ApiError, ErrorKind, MalformedRequest, Measure, Measured, ParameterError, ParameterErrorKind, ServiceNameError,
    Source, Unit, Violation,
};
use crate::error::catalogue::{Catalogue, MessageId};

/// The message of an error for the client, in the language of a catalogue. `Display` writes it.
#[derive(Debug, Clone, Copy)]
pub struct Message<'e> {
    error: &'e ApiError,
    catalogue: &'e Catalogue,
}

impl ApiError {
    /// Returns the message of this error for the client, in the language of `catalogue`.
    #[doc(hidden)]
    #[must_use]
    pub fn message<'e>(&'e self, catalogue: &'e Catalogue) -> Message<'e> {
        Message { error: self, catalogue }
    }
}

/// Writes the error message for the client in English.
impl Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message(Catalogue::english()).fmt(f)
    }
}

/// Writes the error message for the client in English.
impl Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parameter_error(f, Catalogue::english(), self)
    }
}

impl Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, catalogue } = *self;
        let unwrapped = UnwrappedMessage { error, catalogue };
        let wrapper = match error.kind() {
            // PhalApi adds a text around its own messages, but not around the messages of a program's functions.
            ErrorKind::Parameters { errors, .. }
                if errors.first().is_none_or(|first| first.custom_error().is_none()) =>
            {
                MessageId::ParameterErrorWrapper
            }
            ErrorKind::TooLarge { limit, parameter: Some(_) } if limit.is_of_file() => MessageId::ParameterErrorWrapper,
            _ if error.is_redirect() => MessageId::RedirectWrapper,
            _ if error.status().get() < 500 => MessageId::ClientErrorWrapper,
            _ => MessageId::ServerErrorWrapper,
        };
        if catalogue.contains(wrapper) {
            catalogue.message(wrapper, &[("words", &unwrapped)]).fmt(f)
        } else {
            unwrapped.fmt(f)
        }
    }
}

/// The message of an error, without the wrapper: the text that some catalogues add around all messages of a kind.
struct UnwrappedMessage<'e> {
    error: &'e ApiError,
    catalogue: &'e Catalogue,
}

impl Display for UnwrappedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, catalogue } = self;
        let mut write = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
        let join = |items: &[String], separator| items.join(&catalogue.message_without_data(separator).to_string());
        match error.kind() {
            ErrorKind::UnknownService { similar } if similar.is_empty() => write(MessageId::UnknownService, &[]),
            ErrorKind::UnknownService { similar } => {
                write(MessageId::SimilarServices, &[("similar", &join(similar, MessageId::OrSeparator))])
            }
            ErrorKind::InvalidServiceName { name, parts, error } => {
                write_service_name_error(f, catalogue, (name, *parts), *error)
            }
            ErrorKind::UnknownMethod { allowed } => write(MessageId::UnknownMethod, &[("allowed", allowed)]),
            ErrorKind::Unauthenticated { invalid: true, .. } => write(MessageId::InvalidCredential, &[]),
            ErrorKind::Unauthenticated { .. } => write(MessageId::NoCredential, &[]),
            ErrorKind::Forbidden { missing } => {
                let groups: Vec<_> = missing.iter().map(|group| join(group, MessageId::AndSeparator)).collect();
                write(MessageId::Forbidden, &[("missing", &join(&groups, MessageId::OrGroupsSeparator))])
            }
            ErrorKind::Parameters { errors, .. } => match errors.first() {
                Some(first) => write_parameter_error(f, catalogue, first),
                None => write(MessageId::InvalidParameters, &[]),
            },
            ErrorKind::MalformedRequest(cause) => write_malformed_request(f, catalogue, *cause),
            ErrorKind::TooLarge { limit, parameter } => {
                let unit = catalogue.message_without_data(unit_message(limit.unit));
                match parameter {
                    Some(parameter) if limit.is_of_file() && catalogue.contains(MessageId::FileTooLarge) => {
                        write(MessageId::FileTooLarge, &[("parameter", parameter), ("max", &limit.max)])
                    }
                    None => write(MessageId::TooLarge, &[("limit", &limit.name), ("max", &limit.max), ("unit", &unit)]),
                    Some(parameter) => write(
                        MessageId::ParameterTooLarge,
                        &[("parameter", parameter), ("limit", &limit.name), ("max", &limit.max), ("unit", &unit)],
                    ),
                }
            }
            ErrorKind::UnsupportedMediaType { got, accepted } => {
                let accepted = accepted.join(&catalogue.message_without_data(MessageId::OrSeparator).to_string());
                write(MessageId::UnsupportedMediaType, &[("type", got), ("accepted", &accepted)])
            }
            ErrorKind::Plain(code) => f.write_str(catalogue.fixed_message(*code)),
            ErrorKind::TooManyRequests { retry_after } => {
                write(MessageId::TooManyRequests, &[("seconds", retry_after)])
            }
            ErrorKind::Declared { name, message, .. } => f.write_str(if message.is_empty() { name } else { message }),
            ErrorKind::NotImplemented { id } => write(MessageId::NotImplemented, &[("id", id)]),
            ErrorKind::Internal { request_id } if request_id.is_empty() => write(MessageId::Internal, &[]),
            ErrorKind::Internal { request_id } => write(MessageId::InternalLogged, &[("request_id", request_id)]),
        }
    }
}

/// Writes the message for a service name that no service has. `parts` is the number of the name's parts, as in
/// [`ErrorKind::InvalidServiceName`]. Catalogues of PhalApi quote the name with the parts that PhalApi adds to it.
fn write_service_name_error(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    (name, parts): (&str, usize),
    error: ServiceNameError,
) -> fmt::Result {
    let text = match error {
        ServiceNameError::Illegal => MessageId::InvalidServiceName,
        ServiceNameError::Incomplete if catalogue.contains(MessageId::ServiceNameWithoutMethod) => {
            MessageId::ServiceNameWithoutMethod
        }
        ServiceNameError::Incomplete | ServiceNameError::Unknown => MessageId::UnknownServiceName,
    };
    let completed = match parts {
        1 => Some(MessageId::OnePartServiceName),
        2 => Some(MessageId::TwoPartServiceName),
        _ => None,
    };
    let name = ("service", &name as &dyn Display);
    match completed.filter(|completed| catalogue.contains(*completed)) {
        Some(completed) => catalogue.message(text, &[("service", &catalogue.message(completed, &[name]))]).fmt(f),
        None => catalogue.message(text, &[name]).fmt(f),
    }
}

/// Writes the message of a parameter error. The message that the definition or the program's function provides is
/// preferred to the catalogue's message for the violated constraint, and that message to the catalogue's general
/// message for invalid parameters.
fn write_parameter_error(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, error: &ParameterError) -> fmt::Result {
    let ParameterError { kind, parameter, source, expected, got, message, violation, similar } = error;
    if let Some(message) = message {
        return f.write_str(message);
    }
    if let Some(Violation::Custom(custom)) = violation.as_deref() {
        return custom.fmt(f);
    }
    let parameter = ("parameter", parameter as &dyn Display);
    if let Some(violation) = violation
        && catalogue.contains(violation_message(violation))
    {
        return write_violation(f, catalogue, parameter, violation);
    }
    let source = catalogue.message_without_data(source_message(*source));
    let source = ("source", &source as &dyn Display);
    let expected = ("expected", expected as &dyn Display);
    let mut write = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
    match (kind, got) {
        (ParameterErrorKind::Missing, _) => write(MessageId::MissingParameter, &[parameter, source, expected]),
        (ParameterErrorKind::Repeated, _) => write(MessageId::RepeatedParameter, &[parameter, source, expected]),
        (ParameterErrorKind::Unknown, _) => match similar {
            Some(similar) => write(MessageId::SimilarParameter, &[parameter, source, ("similar", similar)]),
            None => write(MessageId::UnknownParameter, &[parameter, source]),
        },
        (ParameterErrorKind::Invalid, Some(got)) => {
            write(MessageId::InvalidValue, &[parameter, source, expected, ("got", got)])
        }
        (ParameterErrorKind::Invalid, None) => write(MessageId::InvalidValueHidden, &[parameter, source, expected]),
    }
}

/// Returns the id of the message for a violated constraint. A catalogue may omit this message.
fn violation_message(violation: &Violation) -> MessageId {
    match violation {
        Violation::BelowMin(measured) => match measured.measure {
            Measure::Value => MessageId::ValueBelowMin,
            Measure::Length => MessageId::LengthBelowMin,
            Measure::Count => MessageId::CountBelowMin,
            Measure::Size => MessageId::SizeBelowMin,
        },
        Violation::AboveMax(measured) => match measured.measure {
            Measure::Value => MessageId::ValueAboveMax,
            Measure::Length => MessageId::LengthAboveMax,
            Measure::Count => MessageId::CountAboveMax,
            Measure::Size => MessageId::SizeAboveMax,
        },
        Violation::NotAllowed { .. } => MessageId::NotInSet,
        Violation::MissingFile => MessageId::MissingFile,
        Violation::FileExtension(_) => MessageId::FileExtension,
        Violation::Json => MessageId::InvalidJson,
        Violation::Pattern => MessageId::PatternMismatch,
        // The program's function provides the message of a custom error, so this id is never used.
        Violation::Custom(_) => MessageId::InvalidValue,
    }
}

fn write_violation(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    parameter: (&'static str, &dyn Display),
    violation: &Violation,
) -> fmt::Result {
    let mut write =
        |data: &[(&'static str, &dyn Display)]| catalogue.message(violation_message(violation), data).fmt(f);
    match violation {
        Violation::BelowMin(Measured { bound, got, .. }) | Violation::AboveMax(Measured { bound, got, .. }) => {
            write(&[parameter, ("bound", bound), ("got", got)])
        }
        Violation::NotAllowed { allowed, got } => write(&[parameter, ("words", allowed), ("got", got)]),
        Violation::FileExtension(words) => write(&[parameter, ("words", words)]),
        Violation::MissingFile | Violation::Json | Violation::Pattern => write(&[parameter]),
        Violation::Custom(custom) => custom.fmt(f),
    }
}

fn write_malformed_request(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, cause: MalformedRequest) -> fmt::Result {
    let mut write = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
    match cause {
        MalformedRequest::PathEscape => write(MessageId::PathEscape, &[]),
        MalformedRequest::PathEncoding => write(MessageId::PathEncoding, &[]),
        MalformedRequest::IdempotencyKey => write(MessageId::IdempotencyKey, &[]),
        MalformedRequest::BodyBroken => write(MessageId::IncompleteBody, &[]),
        MalformedRequest::JsonEncoding { byte } => write(MessageId::JsonEncoding, &[("byte", &byte)]),
        MalformedRequest::JsonKind => write(MessageId::JsonNotAnObject, &[]),
        MalformedRequest::JsonSyntax { line, column } => {
            write(MessageId::JsonSyntax, &[("line", &line), ("column", &column)])
        }
        MalformedRequest::JsonEnd { line, column } => {
            write(MessageId::JsonIncomplete, &[("line", &line), ("column", &column)])
        }
        MalformedRequest::MultipartBoundary => write(MessageId::MultipartBoundary, &[]),
        MalformedRequest::MultipartStart { searched } => write(MessageId::MultipartStart, &[("most", &searched)]),
        MalformedRequest::MultipartPart { part } => write(MessageId::MultipartPart, &[("part", &part)]),
        MalformedRequest::MultipartHead { part } => write(MessageId::MultipartHead, &[("part", &part)]),
        MalformedRequest::MultipartName { part } => write(MessageId::MultipartName, &[("part", &part)]),
        MalformedRequest::MultipartLongName { part, max } => {
            write(MessageId::MultipartLongName, &[("part", &part), ("most", &max)])
        }
        MalformedRequest::MultipartEnd { part } => write(MessageId::MultipartIncomplete, &[("part", &part)]),
    }
}

fn source_message(source: Source) -> MessageId {
    match source {
        Source::Path => MessageId::SourcePath,
        Source::Query => MessageId::SourceQuery,
        Source::Body => MessageId::SourceBody,
        Source::Any => MessageId::SourceQueryOrBody,
        Source::Header => MessageId::SourceHeader,
        Source::Cookie => MessageId::SourceCookie,
    }
}

fn unit_message(unit: Unit) -> MessageId {
    match unit {
        Unit::Bytes => MessageId::UnitBytes,
        Unit::Fields => MessageId::UnitFields,
        Unit::Parts => MessageId::UnitParts,
        Unit::Items => MessageId::UnitItems,
        Unit::Levels => MessageId::UnitLevels,
        Unit::Seconds => MessageId::UnitSeconds,
    }
}
