//! The words of refusals and faults; they are made here and nowhere else.

use std::fmt;

use super::{Fault, FaultKind, Reason, Refusal};

/// The words for the client.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Reason::UnknownService { similar } if similar.is_empty() => f.write_str("no service has this URI"),
            Reason::UnknownService { similar } => {
                write!(f, "no service has this URI; did you mean {}?", similar.join(" or "))
            }
            Reason::UnknownMethod { allowed } => write!(f, "the service does not have this method, it has {allowed}"),
            Reason::Unauthenticated { invalid: true, .. } => f.write_str("the credential is not valid"),
            Reason::Unauthenticated { .. } => f.write_str("a credential is needed"),
            Reason::Forbidden { missing } => {
                let groups: Vec<_> = missing.iter().map(|group| group.join(" and ")).collect();
                write!(f, "missing permission: {}", groups.join(", or "))
            }
            Reason::Parameters { faults, .. } => match faults.first() {
                Some(fault) => write!(f, "{fault}"),
                None => f.write_str("a parameter is at fault"),
            },
            Reason::Unreadable { what, why } => write!(f, "the {what} cannot be read: {why}"),
            Reason::TooLarge { limit, parameter } => {
                if let Some(parameter) = parameter {
                    write!(f, "{parameter}: ")?;
                }
                write!(f, "over the limit `{}` of {} {}", limit.name, limit.max, limit.unit)
            }
            Reason::UnsupportedMediaType { got, accepted } => {
                write!(f, "a body of type {got} is not read here, send {}", accepted.join(" or "))
            }
            Reason::Upload => f.write_str("the upload could not be stored"),
            Reason::TooManyRequests { retry_after } => write!(f, "try again in {retry_after} seconds"),
            Reason::Timeout => f.write_str("the body did not arrive in time"),
            Reason::ExpectationFailed => f.write_str("the only expectation that is met is 100-continue"),
            Reason::Declared { name, message, .. } if message.is_empty() => f.write_str(name),
            Reason::Declared { message, .. } => f.write_str(message),
            Reason::NotImplemented { id } => write!(f, "{id} has no handler"),
            Reason::Unavailable => f.write_str("try again later"),
            Reason::Internal { request_id } if request_id.is_empty() => f.write_str("the program failed"),
            Reason::Internal { request_id } => write!(f, "the log has the reason under {request_id}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.message {
            return f.write_str(message);
        }
        let Self { kind, parameter, source, expected, got, .. } = self;
        match (kind, got) {
            (FaultKind::Missing, _) => write!(f, "{parameter} is missing in the {source}, expected {expected}"),
            (FaultKind::Repeated, _) => {
                write!(f, "{parameter} stands more than once in the {source}, expected {expected}")
            }
            (FaultKind::Unknown, _) => write!(f, "{parameter} in the {source} is no parameter of this method"),
            (FaultKind::Invalid, Some(got)) => write!(f, "{parameter} in the {source}: expected {expected}, got {got}"),
            (FaultKind::Invalid, None) => write!(f, "{parameter} in the {source}: expected {expected}"),
        }
    }
}
