//! The words of refusals and faults: which text of a catalogue says what, with which data.

use std::fmt::{self, Display};

use super::{Broken, Fault, FaultKind, Measure, Measured, NameFlaw, Reason, Refusal, Source, Unit, Unreadable};
use crate::error::texts::{Catalogue, Text};

/// The words of a refusal for the client, in one language.
#[derive(Debug, Clone, Copy)]
pub struct Words<'w> {
    refusal: &'w Refusal,
    catalogue: &'w Catalogue,
}

impl Refusal {
    /// Its words for the client, from this catalogue.
    #[must_use]
    pub fn words<'w>(&'w self, catalogue: &'w Catalogue) -> Words<'w> {
        Words { refusal: self, catalogue }
    }
}

/// The words for the client, in English.
impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words(Catalogue::english()).fmt(f)
    }
}

/// The words for the client, in English.
impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fault(f, Catalogue::english(), self)
    }
}

impl Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let around = match self.refusal.reason() {
            // What a function of the program says is thrown, in PhalApi's words.
            Reason::Parameters { faults, .. } if faults.first().is_none_or(|first| first.objection().is_none()) => {
                Text::OfParameters
            }
            _ if self.refusal.redirects() => Text::OfRedirect,
            _ if self.refusal.status().get() < 500 => Text::OfRequest,
            _ => Text::OfServer,
        };
        let Self { refusal, catalogue } = *self;
        if catalogue.has(around) {
            catalogue.fill(around, &[("words", &Bare { refusal, catalogue })]).fmt(f)
        } else {
            Bare { refusal, catalogue }.fmt(f)
        }
    }
}

/// The words of a refusal without those that a catalogue puts around them.
struct Bare<'w> {
    refusal: &'w Refusal,
    catalogue: &'w Catalogue,
}

impl Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { refusal, catalogue } = self;
        let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.fill(text, data).fmt(f);
        let list = |items: &[String], between| items.join(&catalogue.plain(between).to_string());
        match refusal.reason() {
            Reason::UnknownService { similar } if similar.is_empty() => say(Text::UnknownService, &[]),
            Reason::UnknownService { similar } => say(Text::SimilarServices, &[("similar", &list(similar, Text::Or))]),
            Reason::Misnamed { name, parts, flaw } => misnamed(f, catalogue, (name, *parts), *flaw),
            Reason::UnknownMethod { allowed } => say(Text::UnknownMethod, &[("allowed", allowed)]),
            Reason::Unauthenticated { invalid: true, .. } => say(Text::InvalidCredential, &[]),
            Reason::Unauthenticated { .. } => say(Text::NoCredential, &[]),
            Reason::Forbidden { missing } => {
                let groups: Vec<_> = missing.iter().map(|group| list(group, Text::And)).collect();
                say(Text::Forbidden, &[("missing", &list(&groups, Text::OrGroups))])
            }
            Reason::Parameters { faults, .. } => match faults.first() {
                Some(first) => fault(f, catalogue, first),
                None => say(Text::Parameters, &[]),
            },
            Reason::Unreadable(what) => unreadable(f, catalogue, *what),
            Reason::TooLarge { limit, parameter } => {
                let unit = catalogue.plain(unit(limit.unit));
                match parameter {
                    None => say(Text::TooLarge, &[("limit", &limit.name), ("max", &limit.max), ("unit", &unit)]),
                    Some(own) => say(
                        Text::ParameterTooLarge,
                        &[("parameter", own), ("limit", &limit.name), ("max", &limit.max), ("unit", &unit)],
                    ),
                }
            }
            Reason::UnsupportedMediaType { got, accepted } => {
                let accepted = accepted.join(&catalogue.plain(Text::Or).to_string());
                say(Text::UnsupportedMediaType, &[("type", got), ("accepted", &accepted)])
            }
            Reason::Gone => say(Text::Gone, &[]),
            Reason::InvalidLink => say(Text::InvalidLink, &[]),
            Reason::Upload => say(Text::Upload, &[]),
            Reason::NoRoom => say(Text::NoRoom, &[]),
            Reason::TooManyRequests { retry_after } => say(Text::TooManyRequests, &[("seconds", retry_after)]),
            Reason::Timeout => say(Text::Timeout, &[]),
            Reason::ExpectationFailed => say(Text::ExpectationFailed, &[]),
            Reason::Declared { name, message, .. } => f.write_str(if message.is_empty() { name } else { message }),
            Reason::NotImplemented { id } => say(Text::NotImplemented, &[("id", id)]),
            Reason::Unavailable => say(Text::Unavailable, &[]),
            Reason::Internal { request_id } if request_id.is_empty() => say(Text::Internal, &[]),
            Reason::Internal { request_id } => say(Text::InternalLogged, &[("request_id", request_id)]),
        }
    }
}

/// A name that is that of no service. Catalogues may write names out, with what PhalApi adds to them.
fn misnamed(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    (name, parts): (&str, usize),
    flaw: NameFlaw,
) -> fmt::Result {
    let text = match flaw {
        NameFlaw::Illegal => Text::IllegalName,
        NameFlaw::Incomplete if catalogue.has(Text::IncompleteName) => Text::IncompleteName,
        NameFlaw::Incomplete | NameFlaw::Unknown => Text::UnknownName,
    };
    let whole = match parts {
        1 => Some(Text::NameOfOne),
        2 => Some(Text::NameOfTwo),
        _ => None,
    };
    let name = ("service", &name as &dyn Display);
    match whole.filter(|whole| catalogue.has(*whole)) {
        Some(whole) => catalogue.fill(text, &[("service", &catalogue.fill(whole, &[name]))]).fmt(f),
        None => catalogue.fill(text, &[name]).fmt(f),
    }
}

fn fault(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, fault: &Fault) -> fmt::Result {
    let Fault { kind, parameter, source, expected, got, message, broken } = fault;
    if let Some(message) = message {
        return f.write_str(message);
    }
    if let Some(Broken::Own(objection)) = broken.as_deref() {
        return objection.fmt(f);
    }
    let parameter = ("parameter", parameter as &dyn Display);
    if let Some(broken) = broken
        && catalogue.has(rule(broken))
    {
        return self::broken(f, catalogue, parameter, broken);
    }
    let place = catalogue.plain(self::source(*source));
    let source = ("source", &place as &dyn Display);
    let expected = ("expected", expected as &dyn Display);
    let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.fill(text, data).fmt(f);
    match (kind, got) {
        (FaultKind::Missing, _) => say(Text::Missing, &[parameter, source, expected]),
        (FaultKind::Repeated, _) => say(Text::Repeated, &[parameter, source, expected]),
        (FaultKind::Unknown, _) => say(Text::Unknown, &[parameter, source]),
        (FaultKind::Invalid, Some(got)) => say(Text::Invalid, &[parameter, source, expected, ("got", got)]),
        (FaultKind::Invalid, None) => say(Text::InvalidSecret, &[parameter, source, expected]),
    }
}

/// The text for the one rule that is broken.
fn rule(broken: &Broken) -> Text {
    match broken {
        Broken::Least(measured) => match measured.of {
            Measure::Value => Text::LeastValue,
            Measure::Length => Text::LeastLength,
            Measure::Count => Text::LeastCount,
            Measure::Size => Text::LeastSize,
        },
        Broken::Most(measured) => match measured.of {
            Measure::Value => Text::MostValue,
            Measure::Length => Text::MostLength,
            Measure::Count => Text::MostCount,
            Measure::Size => Text::MostSize,
        },
        Broken::Words { .. } => Text::Words,
        Broken::Extensions(_) => Text::Extensions,
        Broken::Json => Text::IllegalJson,
        Broken::Pattern => Text::Pattern,
        // Its words are its own, whatever the catalogue has.
        Broken::Own(_) => Text::Invalid,
    }
}

fn broken(
    f: &mut fmt::Formatter<'_>,
    catalogue: &Catalogue,
    parameter: (&'static str, &dyn Display),
    broken: &Broken,
) -> fmt::Result {
    let mut say = |data: &[(&'static str, &dyn Display)]| catalogue.fill(rule(broken), data).fmt(f);
    match broken {
        Broken::Least(Measured { bound, got, .. }) | Broken::Most(Measured { bound, got, .. }) => {
            say(&[parameter, ("bound", bound), ("got", got)])
        }
        Broken::Words { words, got } => say(&[parameter, ("words", words), ("got", got)]),
        Broken::Extensions(words) => say(&[parameter, ("words", words)]),
        Broken::Json | Broken::Pattern => say(&[parameter]),
        Broken::Own(objection) => objection.fmt(f),
    }
}

fn unreadable(f: &mut fmt::Formatter<'_>, catalogue: &Catalogue, what: Unreadable) -> fmt::Result {
    let mut say = |text, data: &[(&'static str, &dyn Display)]| catalogue.fill(text, data).fmt(f);
    match what {
        Unreadable::PathEscape => say(Text::PathEscape, &[]),
        Unreadable::PathEncoding => say(Text::PathEncoding, &[]),
        Unreadable::BodyBroken => say(Text::BodyBroken, &[]),
        Unreadable::JsonEncoding { byte } => say(Text::JsonEncoding, &[("byte", &byte)]),
        Unreadable::JsonKind => say(Text::JsonKind, &[]),
        Unreadable::JsonSyntax { line, column } => say(Text::JsonSyntax, &[("line", &line), ("column", &column)]),
        Unreadable::JsonEnd { line, column } => say(Text::JsonEnd, &[("line", &line), ("column", &column)]),
        Unreadable::MultipartBoundary => say(Text::MultipartBoundary, &[]),
        Unreadable::MultipartStart { most } => say(Text::MultipartStart, &[("most", &most)]),
        Unreadable::MultipartPart { part } => say(Text::MultipartPart, &[("part", &part)]),
        Unreadable::MultipartHead { part } => say(Text::MultipartHead, &[("part", &part)]),
        Unreadable::MultipartName { part } => say(Text::MultipartName, &[("part", &part)]),
        Unreadable::MultipartLongName { part, most } => {
            say(Text::MultipartLongName, &[("part", &part), ("most", &most)])
        }
        Unreadable::MultipartEnd { part } => say(Text::MultipartEnd, &[("part", &part)]),
    }
}

fn source(source: Source) -> Text {
    match source {
        Source::Path => Text::Path,
        Source::Query => Text::Query,
        Source::Body => Text::Body,
        Source::Any => Text::QueryOrBody,
        Source::Header => Text::Header,
        Source::Cookie => Text::Cookie,
    }
}

fn unit(unit: Unit) -> Text {
    match unit {
        Unit::Bytes => Text::Bytes,
        Unit::Fields => Text::Fields,
        Unit::Parts => Text::Parts,
        Unit::Items => Text::Items,
        Unit::Levels => Text::Levels,
    }
}
