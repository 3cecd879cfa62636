//! Writes the message of an error for the client. The text comes from a catalogue, and contains the data of the error.

use std::fmt::{self, Display};

use serde_json::Value as Json;

use super::{
    ApiError, ErrorKind, MalformedRequest, Measured, ParameterError, ParameterErrorKind, ServiceNameError, Violation,
};
use crate::error::catalogue::{Catalogue, CatalogueName};

/// The names of the placeholders in a message, and the data that replaces them.
type Data<'d> = [(&'d str, &'d dyn Display)];

impl ApiError {
    /// Returns the message for the client in the words of PhalApi. `to_string` returns the English message of all other
    /// envelopes.
    #[must_use]
    pub fn message(&self, catalogue: CatalogueName) -> String {
        wrapped_message(self, catalogue.catalogue())
    }
}

/// Writes the error message for the client in English.
impl Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&wrapped_message(self, Catalogue::ENGLISH))
    }
}

/// Writes the error message for the client in English.
impl Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&parameter_message(self, Catalogue::ENGLISH))
    }
}

/// Returns the message of an error, inside of the text that the language has around all messages of this kind.
fn wrapped_message(error: &ApiError, catalogue: Catalogue) -> String {
    let message = error_message(error.kind(), catalogue);
    let wrapper = match error.kind() {
        // PhalApi adds a text around its own messages, but not around the messages of a program's functions.
        ErrorKind::Parameters { errors, .. } if errors.first().is_none_or(|first| first.custom_error().is_none()) => {
            "around-parameter-error"
        }
        ErrorKind::TooLarge { limit, parameter: Some(_) } if limit.is_of_file() => "around-parameter-error",
        _ if error.is_redirect() => "around-redirect",
        _ if error.status().get() < 500 => "around-client-error",
        _ => "around-server-error",
    };
    match catalogue.find(wrapper) {
        Some(_) => catalogue.message(wrapper, &[("words", &message)]),
        None => message,
    }
}

fn error_message(kind: &ErrorKind, catalogue: Catalogue) -> String {
    let message = |key, data: &Data<'_>| catalogue.message(key, data);
    match kind {
        ErrorKind::UnknownService { similar } if similar.is_empty() => message("no-such-uri", &[]),
        ErrorKind::UnknownService { similar } => {
            message("similar-services", &[("similar", &similar.join(catalogue.text("or")))])
        }
        ErrorKind::InvalidServiceName { name, error: ServiceNameError::Illegal } => {
            message("invalid-service-name", &[("service", name)])
        }
        ErrorKind::InvalidServiceName { name, error: ServiceNameError::Unknown } => {
            message("unknown-service-name", &[("service", name)])
        }
        ErrorKind::UnknownMethod { allowed } => {
            message("allowed-methods", &[("allowed", allowed), ("defined", &allowed.defined())])
        }
        ErrorKind::MethodGone { sunset, successor: None } => message("method-ended", &[("sunset", sunset)]),
        ErrorKind::MethodGone { sunset, successor: Some(successor) } => {
            message("method-replaced", &[("sunset", sunset), ("successor", successor)])
        }
        ErrorKind::Unauthenticated { invalid: true, .. } => message("invalid-credential", &[]),
        ErrorKind::Unauthenticated { .. } => message("no-credential", &[]),
        ErrorKind::Forbidden { missing } => {
            let groups: Vec<_> = missing.iter().map(|group| group.join(catalogue.text("and"))).collect();
            message("missing-permissions", &[("missing", &groups.join(catalogue.text("or-groups")))])
        }
        ErrorKind::Parameters { errors, .. } => match errors.first() {
            Some(first) => parameter_message(first, catalogue),
            None => message("invalid-parameters", &[]),
        },
        ErrorKind::MalformedRequest(cause) => malformed_request_message(*cause, catalogue),
        ErrorKind::TooLarge { limit, parameter } => {
            let unit = catalogue.text(limit.unit.as_str());
            match parameter {
                Some(parameter) if limit.is_of_file() && catalogue.find("file-over-limit").is_some() => {
                    message("file-over-limit", &[("parameter", parameter), ("max", &limit.max)])
                }
                None => message("over-limit", &[("limit", &limit.name), ("max", &limit.max), ("unit", &unit)]),
                Some(parameter) => message(
                    "parameter-over-limit",
                    &[("parameter", parameter), ("limit", &limit.name), ("max", &limit.max), ("unit", &unit)],
                ),
            }
        }
        ErrorKind::UnsupportedMediaType { got, accepted } => {
            let accepted = accepted.join(catalogue.text("or"));
            message("accepted-media-types", &[("type", got), ("accepted", &accepted)])
        }
        ErrorKind::Plain(code) => catalogue.message_of_code(*code).to_owned(),
        ErrorKind::TooManyRequests { retry_after } => message("retry-after", &[("seconds", retry_after)]),
        ErrorKind::Declared { name, message, .. } if message.is_empty() => name.clone().into_owned(),
        ErrorKind::Declared { message, .. } => message.clone(),
        ErrorKind::NotImplemented { id } => message("no-handler", &[("id", id)]),
        ErrorKind::Internal { request_id } if request_id.is_empty() => message("program-failed", &[]),
        ErrorKind::Internal { request_id } => message("program-failed-with-id", &[("request_id", request_id)]),
    }
}

/// The message that the definition or the program's function provides is preferred to the message for the violated
/// constraint, and that message to the message for any invalid value.
fn parameter_message(error: &ParameterError, catalogue: Catalogue) -> String {
    let ParameterError { kind, parameter, source, expected, got, message, violation, similar, .. } = error;
    if let Some(message) = message {
        return message.to_string();
    }
    let parameter = ("parameter", parameter as &dyn Display);
    match violation.as_deref() {
        Some(Violation::Custom(custom)) => return custom.to_string(),
        Some(violation) => {
            let (key, data) = violation_message(violation);
            if catalogue.find(&key).is_some() {
                return catalogue.message(&key, &[&[parameter], &data[..]].concat());
            }
        }
        None => {}
    }
    let source = catalogue.text(source.as_str());
    let source = ("source", &source as &dyn Display);
    let expected = ("expected", expected as &dyn Display);
    let message = |key, data: &Data<'_>| catalogue.message(key, data);
    match (kind, got) {
        (ParameterErrorKind::Missing, _) => message("missing-parameter", &[parameter, source, expected]),
        (ParameterErrorKind::Repeated, _) => message("repeated-parameter", &[parameter, source, expected]),
        (ParameterErrorKind::Unknown, _) => match similar {
            Some(similar) => message("similar-parameter", &[parameter, source, ("similar", similar)]),
            None => message("unknown-parameter", &[parameter, source]),
        },
        (ParameterErrorKind::Invalid, Some(got)) => {
            message("invalid-value", &[parameter, source, expected, ("got", got)])
        }
        (ParameterErrorKind::Invalid, None) => message("invalid-secret-value", &[parameter, source, expected]),
    }
}

/// Returns the key and the data of the message for a violated constraint, which a language may lack.
fn violation_message(violation: &Violation) -> (String, Vec<(&str, &dyn Display)>) {
    match violation {
        Violation::BelowMin(Measured { measure, bound, got }) => {
            (format!("{}-below-min", measure.as_str()), vec![("bound", bound), ("got", got)])
        }
        Violation::AboveMax(Measured { measure, bound, got }) => {
            (format!("{}-above-max", measure.as_str()), vec![("bound", bound), ("got", got)])
        }
        Violation::NotAllowed { allowed, got } => ("not-allowed".to_owned(), vec![("words", allowed), ("got", got)]),
        Violation::FileExtension(words) => ("file-extension".to_owned(), vec![("words", words)]),
        Violation::MissingFile => ("missing-file".to_owned(), Vec::new()),
        Violation::Json => ("json".to_owned(), Vec::new()),
        Violation::Pattern => ("pattern".to_owned(), Vec::new()),
        // The program's function provides the message itself.
        Violation::Custom(_) => (String::new(), Vec::new()),
    }
}

/// The key of the message is the name of the cause, and its data are the fields.
fn malformed_request_message(cause: MalformedRequest, catalogue: Catalogue) -> String {
    match serde_json::to_value(cause) {
        Ok(Json::Object(cause)) => cause
            .iter()
            .map(|(key, data)| {
                let data = data.as_object().into_iter().flatten();
                let data: Vec<_> = data.map(|(name, value)| (name.as_str(), value as &dyn Display)).collect();
                catalogue.message(key, &data)
            })
            .collect(),
        Ok(Json::String(key)) => catalogue.message(&key, &[]),
        _ => String::new(),
    }
}
