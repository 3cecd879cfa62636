//! The messages of errors: each error selects a text of the catalogue and fills in its data.

use std::fmt::{self, Display};

use super::{
    ApiError, ErrorKind, MalformedRequest, Measure, Measured, ParameterError, ParameterErrorKind, ServiceNameError,
    Source, Unit, Violation,
};
use crate::error::texts::{Catalogue, MessageId};

/// The message of an error for the client, in one language.
#[derive(Debug, Clone, Copy)]
pub struct Message<'w> {
    error: &'w ApiError,
    catalogue: &'w Catalogue,
}

impl ApiError {
    /// Returns the message for the client, from this catalogue.
    #[doc(hidden)]
    #[must_use]
    pub fn message<'w>(&'w self, catalogue: &'w Catalogue) -> Message<'w> {
        Message { error: self, catalogue }
    }
}

/// Writes the message for the client, in English.
impl Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message(Catalogue::english()).fmt(f)
    }
}

/// Writes the message for the client, in English.
impl Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parameter_error(f, Catalogue::english(), self)
    }
}

impl Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrapper = match self.error.kind() {
            // In PhalApi, errors of functions of the program are exceptions, whose prefix is not that of invalid parameters.
            ErrorKind::Parameters { errors, .. }
                if errors.first().is_none_or(|first| first.custom_error().is_none()) =>
            {
                MessageId::ParameterErrorWrapper
            }
            _ if self.error.is_redirect() => MessageId::RedirectWrapper,
            _ if self.error.status().get() < 500 => MessageId::ClientErrorWrapper,
            _ => MessageId::ServerErrorWrapper,
        };
        let Self { error, catalogue } = *self;
        if catalogue.contains(wrapper) {
            catalogue.message(wrapper, &[("words", &InnerMessage { error, catalogue })]).fmt(f)
        } else {
            InnerMessage { error, catalogue }.fmt(f)
        }
    }
}

/// The message of an error without the text that some catalogues put around it.
struct InnerMessage<'w> {
    error: &'w ApiError,
    catalogue: &'w Catalogue,
}

impl Display for InnerMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, catalogue } = self;
        let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
        let list = |items: &[String], between| items.join(&catalogue.plain_message(between).to_string());
        match error.kind() {
            ErrorKind::UnknownService { similar } if similar.is_empty() => say(MessageId::UnknownService, &[]),
            ErrorKind::UnknownService { similar } => {
                say(MessageId::SimilarServices, &[("similar", &list(similar, MessageId::JoinOr))])
            }
            ErrorKind::InvalidServiceName { name, parts, error } => {
                write_service_name_error(f, catalogue, (name, *parts), *error)
            }
            ErrorKind::UnknownMethod { allowed } => say(MessageId::UnknownMethod, &[("allowed", allowed)]),
            ErrorKind::Unauthenticated { invalid: true, .. } => say(MessageId::InvalidCredential, &[]),
            ErrorKind::Unauthenticated { .. } => say(MessageId::NoCredential, &[]),
            ErrorKind::Forbidden { missing } => {
                let groups: Vec<_> = missing.iter().map(|group| list(group, MessageId::JoinAnd)).collect();
                say(MessageId::Forbidden, &[("missing", &list(&groups, MessageId::JoinOrGroups))])
            }
            ErrorKind::Parameters { errors, .. } => match errors.first() {
                Some(first) => write_parameter_error(f, catalogue, first),
                None => say(MessageId::InvalidParameters, &[]),
            },
            ErrorKind::MalformedRequest(what) => write_malformed_request(f, catalogue, *what),
            ErrorKind::TooLarge { limit, parameter } => {
                let unit = catalogue.plain_message(unit(limit.unit));
                match parameter {
                    None => say(MessageId::TooLarge, &[("limit", &limit.name), ("max", &limit.max), ("unit", &unit)]),
                    Some(name) => say(
                        MessageId::ParameterTooLarge,
                        &[("parameter", name), ("limit", &limit.name), ("max", &limit.max), ("unit", &unit)],
                    ),
                }
            }
            ErrorKind::UnsupportedMediaType { got, accepted } => {
                let accepted = accepted.join(&catalogue.plain_message(MessageId::JoinOr).to_string());
                say(MessageId::UnsupportedMediaType, &[("type", got), ("accepted", &accepted)])
            }
            ErrorKind::Plain(code) => f.write_str(catalogue.plain_error(*code)),
            ErrorKind::TooManyRequests { retry_after } => say(MessageId::TooManyRequests, &[("seconds", retry_after)]),
            ErrorKind::Declared { name, message, .. } => f.write_str(if message.is_empty() { name } else { message }),
            ErrorKind::NotImplemented { id } => say(MessageId::NotImplemented, &[("id", id)]),
            ErrorKind::Internal { request_id } if request_id.is_empty() => say(MessageId::Internal, &[]),
            ErrorKind::Internal { request_id } => say(MessageId::InternalLogged, &[("request_id", request_id)]),
        }
    }
}

/// Writes the error for a name without a service. A catalogue may complete the name as PhalApi does, such as `App.`
/// before it.
fn write_service_name_error(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    (name, parts): (&str, usize),
    error: ServiceNameError,
) -> fmt::Result {
    let text = match error {
        ServiceNameError::Illegal => MessageId::InvalidName,
        ServiceNameError::Incomplete if catalogue.contains(MessageId::NameWithoutMethod) => {
            MessageId::NameWithoutMethod
        }
        ServiceNameError::Incomplete | ServiceNameError::Unknown => MessageId::UnknownName,
    };
    let full_name = match parts {
        1 => Some(MessageId::OnePartName),
        2 => Some(MessageId::TwoPartName),
        _ => None,
    };
    let name = ("service", &name as &dyn Display);
    match full_name.filter(|full_name| catalogue.contains(*full_name)) {
        Some(full_name) => catalogue.message(text, &[("service", &catalogue.message(full_name, &[name]))]).fmt(f),
        None => catalogue.message(text, &[name]).fmt(f),
    }
}

fn write_parameter_error(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, error: &ParameterError) -> fmt::Result {
    let ParameterError { kind, parameter, source, expected, got, message, violation } = error;
    if let Some(message) = message {
        return f.write_str(message);
    }
    if let Some(Violation::Custom(custom)) = violation.as_deref() {
        return custom.fmt(f);
    }
    let parameter = ("parameter", parameter as &dyn Display);
    if let Some(violation) = violation
        && catalogue.contains(rule(violation))
    {
        return self::violation(f, catalogue, parameter, violation);
    }
    let place = catalogue.plain_message(self::source(*source));
    let source = ("source", &place as &dyn Display);
    let expected = ("expected", expected as &dyn Display);
    let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
    match (kind, got) {
        (ParameterErrorKind::Missing, _) => say(MessageId::MissingParameter, &[parameter, source, expected]),
        (ParameterErrorKind::Repeated, _) => say(MessageId::RepeatedParameter, &[parameter, source, expected]),
        (ParameterErrorKind::Unknown, _) => say(MessageId::UnknownParameter, &[parameter, source]),
        (ParameterErrorKind::Invalid, Some(got)) => {
            say(MessageId::InvalidValue, &[parameter, source, expected, ("got", got)])
        }
        (ParameterErrorKind::Invalid, None) => say(MessageId::InvalidValueHidden, &[parameter, source, expected]),
    }
}

/// The text for the one rule that is violation.
fn rule(violation: &Violation) -> MessageId {
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
        Violation::FileExtension(_) => MessageId::FileExtension,
        Violation::Json => MessageId::InvalidJson,
        Violation::Pattern => MessageId::PatternMismatch,
        // Its words are its own, whatever the catalogue has.
        Violation::Custom(_) => MessageId::InvalidValue,
    }
}

fn violation(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    parameter: (&'static str, &dyn Display),
    violation: &Violation,
) -> fmt::Result {
    let mut say = |data: &[(&'static str, &dyn Display)]| catalogue.message(rule(violation), data).fmt(f);
    match violation {
        Violation::BelowMin(Measured { bound, got, .. }) | Violation::AboveMax(Measured { bound, got, .. }) => {
            say(&[parameter, ("bound", bound), ("got", got)])
        }
        Violation::NotAllowed { allowed, got } => say(&[parameter, ("words", allowed), ("got", got)]),
        Violation::FileExtension(words) => say(&[parameter, ("words", words)]),
        Violation::Json | Violation::Pattern => say(&[parameter]),
        Violation::Custom(custom) => custom.fmt(f),
    }
}

fn write_malformed_request(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, what: MalformedRequest) -> fmt::Result {
    let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
    match what {
        MalformedRequest::PathEscape => say(MessageId::PathEscape, &[]),
        MalformedRequest::PathEncoding => say(MessageId::PathEncoding, &[]),
        MalformedRequest::BodyBroken => say(MessageId::IncompleteBody, &[]),
        MalformedRequest::JsonEncoding { byte } => say(MessageId::JsonEncoding, &[("byte", &byte)]),
        MalformedRequest::JsonKind => say(MessageId::JsonNotAnObject, &[]),
        MalformedRequest::JsonSyntax { line, column } => {
            say(MessageId::JsonSyntax, &[("line", &line), ("column", &column)])
        }
        MalformedRequest::JsonEnd { line, column } => {
            say(MessageId::JsonIncomplete, &[("line", &line), ("column", &column)])
        }
        MalformedRequest::MultipartBoundary => say(MessageId::MultipartBoundary, &[]),
        MalformedRequest::MultipartStart { searched } => say(MessageId::MultipartStart, &[("most", &searched)]),
        MalformedRequest::MultipartPart { part } => say(MessageId::MultipartPart, &[("part", &part)]),
        MalformedRequest::MultipartHead { part } => say(MessageId::MultipartHead, &[("part", &part)]),
        MalformedRequest::MultipartName { part } => say(MessageId::MultipartName, &[("part", &part)]),
        MalformedRequest::MultipartLongName { part, max } => {
            say(MessageId::MultipartLongName, &[("part", &part), ("most", &max)])
        }
        MalformedRequest::MultipartEnd { part } => say(MessageId::MultipartIncomplete, &[("part", &part)]),
    }
}

fn source(source: Source) -> MessageId {
    match source {
        Source::Path => MessageId::SourcePath,
        Source::Query => MessageId::SourceQuery,
        Source::Body => MessageId::SourceBody,
        Source::Any => MessageId::SourceQueryOrBody,
        Source::Header => MessageId::SourceHeader,
        Source::Cookie => MessageId::SourceCookie,
    }
}

fn unit(unit: Unit) -> MessageId {
    match unit {
        Unit::Bytes => MessageId::UnitBytes,
        Unit::Fields => MessageId::UnitFields,
        Unit::Parts => MessageId::UnitParts,
        Unit::Items => MessageId::UnitItems,
        Unit::Levels => MessageId::UnitLevels,
        Unit::Seconds => MessageId::UnitSeconds,
    }
}
