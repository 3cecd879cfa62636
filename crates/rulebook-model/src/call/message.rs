//! The words of refusals and errors: which text of a catalogue says what, with which data.

use std::fmt::{self, Display};

use super::{
    ApiError, ErrorKind, MalformedRequest, Measure, Measured, ParameterError, ParameterErrorKind, ServiceNameError,
    Source, Unit, Violation,
};
use crate::error::texts::{Catalogue, MessageId};

/// The words of a refusal for the client, in one language.
#[derive(Debug, Clone, Copy)]
pub struct Message<'w> {
    refusal: &'w ApiError,
    catalogue: &'w Catalogue,
}

impl ApiError {
    /// Its words for the client, from this catalogue.
    #[doc(hidden)]
    #[must_use]
    pub fn message<'w>(&'w self, catalogue: &'w Catalogue) -> Message<'w> {
        Message { refusal: self, catalogue }
    }
}

/// The words for the client, in English.
impl Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message(Catalogue::english()).fmt(f)
    }
}

/// The words for the client, in English.
impl Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fault(f, Catalogue::english(), self)
    }
}

impl Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let around = match self.refusal.kind() {
            // What a function of the program says is thrown, in PhalApi's words.
            ErrorKind::Parameters { errors, .. }
                if errors.first().is_none_or(|first| first.custom_error().is_none()) =>
            {
                MessageId::ParameterErrorWrapper
            }
            _ if self.refusal.is_redirect() => MessageId::RedirectWrapper,
            _ if self.refusal.status().get() < 500 => MessageId::ClientErrorWrapper,
            _ => MessageId::ServerErrorWrapper,
        };
        let Self { refusal, catalogue } = *self;
        if catalogue.contains(around) {
            catalogue.message(around, &[("words", &Bare { refusal, catalogue })]).fmt(f)
        } else {
            Bare { refusal, catalogue }.fmt(f)
        }
    }
}

/// The words of a refusal without those that a catalogue puts around them.
struct Bare<'w> {
    refusal: &'w ApiError,
    catalogue: &'w Catalogue,
}

impl Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refusal, catalogue } = self;
        let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.message(text, data).fmt(f);
        let list = |items: &[String], between| items.join(&catalogue.plain_message(between).to_string());
        match refusal.kind() {
            ErrorKind::UnknownService { similar } if similar.is_empty() => say(MessageId::UnknownService, &[]),
            ErrorKind::UnknownService { similar } => {
                say(MessageId::SimilarServices, &[("similar", &list(similar, MessageId::JoinOr))])
            }
            ErrorKind::InvalidServiceName { name, parts, error } => misnamed(f, catalogue, (name, *parts), *error),
            ErrorKind::UnknownMethod { allowed } => say(MessageId::UnknownMethod, &[("allowed", allowed)]),
            ErrorKind::Unauthenticated { invalid: true, .. } => say(MessageId::InvalidCredential, &[]),
            ErrorKind::Unauthenticated { .. } => say(MessageId::NoCredential, &[]),
            ErrorKind::Forbidden { missing } => {
                let groups: Vec<_> = missing.iter().map(|group| list(group, MessageId::JoinAnd)).collect();
                say(MessageId::Forbidden, &[("missing", &list(&groups, MessageId::JoinOrGroups))])
            }
            ErrorKind::Parameters { errors, .. } => match errors.first() {
                Some(first) => fault(f, catalogue, first),
                None => say(MessageId::InvalidParameters, &[]),
            },
            ErrorKind::MalformedRequest(what) => unreadable(f, catalogue, *what),
            ErrorKind::TooLarge { limit, parameter } => {
                let unit = catalogue.plain_message(unit(limit.unit));
                match parameter {
                    None => say(MessageId::TooLarge, &[("limit", &limit.name), ("max", &limit.max), ("unit", &unit)]),
                    Some(own) => say(
                        MessageId::ParameterTooLarge,
                        &[("parameter", own), ("limit", &limit.name), ("max", &limit.max), ("unit", &unit)],
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

/// A name that is that of no service. Catalogues may write names out, with what PhalApi adds to them.
fn misnamed(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    (name, parts): (&str, usize),
    flaw: ServiceNameError,
) -> fmt::Result {
    let text = match flaw {
        ServiceNameError::Illegal => MessageId::InvalidName,
        ServiceNameError::Incomplete if catalogue.contains(MessageId::NameWithoutMethod) => {
            MessageId::NameWithoutMethod
        }
        ServiceNameError::Incomplete | ServiceNameError::Unknown => MessageId::UnknownName,
    };
    let whole = match parts {
        1 => Some(MessageId::OnePartName),
        2 => Some(MessageId::TwoPartName),
        _ => None,
    };
    let name = ("service", &name as &dyn Display);
    match whole.filter(|whole| catalogue.contains(*whole)) {
        Some(whole) => catalogue.message(text, &[("service", &catalogue.message(whole, &[name]))]).fmt(f),
        None => catalogue.message(text, &[name]).fmt(f),
    }
}

fn fault(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, fault: &ParameterError) -> fmt::Result {
    let ParameterError { kind, parameter, source, expected, got, message, violation } = fault;
    if let Some(message) = message {
        return f.write_str(message);
    }
    if let Some(Violation::Custom(objection)) = violation.as_deref() {
        return objection.fmt(f);
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
        Violation::Custom(objection) => objection.fmt(f),
    }
}

fn unreadable(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, what: MalformedRequest) -> fmt::Result {
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
