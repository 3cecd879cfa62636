//! Names that select a method instead of the path: PhalApi's `service`, and api 3.0's `module` and `method`.

use std::borrow::Cow;

use rulebook_model::error::texts::MessageId;

use super::RoutingError;
use super::fields::{Field, FieldValue, query, single_value};
use crate::call::{ApiError, ErrorKind, Head, ParameterError, ParameterErrorKind, ServiceNameError, Source, shortened};
use crate::pipeline::english;
use crate::pipeline::respond::ErrorContext;
use crate::plan::{self, FoundMethod, NameMatch, Naming, Plan, SegmentError, ServicesByModule};

/// Returns the value of the field `service`, or of `s` if there is no `service`. Of several values the last one counts,
/// as in PHP.
pub(super) fn service<'a>(fields: impl Iterator<Item = Field<'a>>) -> Option<FieldValue<'a>> {
    let [long, short] = Naming::Service.fields();
    let (mut by_long, mut by_short) = (None, None);
    for Field { name, value } in fields {
        if name == long {
            by_long = Some(value);
        } else if name == short {
            by_short = Some(value);
        }
    }
    by_long.or(by_short)
}

/// Finds a service by its name.
///
/// # Errors
/// Fails if no service has the name.
pub(super) fn find(named: &plan::NamedServices, given: &FieldValue<'_>) -> Result<usize, RoutingError> {
    let misnamed = |name: &str, (parts, flaw)| {
        let error = ApiError::new(ErrorKind::InvalidServiceName { name: shortened(name), parts, error: flaw });
        RoutingError { context: ErrorContext::Name, error }
    };
    match given {
        FieldValue::Text(name) => named.classes.find(name).ok_or_else(|| misnamed(name, flaw(name))),
        FieldValue::Invalid(SegmentError::Several) => Err(misnamed("[]", (0, ServiceNameError::Illegal))),
        FieldValue::Invalid(SegmentError::NoText) => Err(misnamed("\u{fffd}", (0, ServiceNameError::Illegal))),
    }
}

/// Returns the number of parts of a name that no service has, and what PhalApi finds wrong with it. An empty name has 0
/// parts.
///
/// A name of one part is a class. Of three parts the first is a namespace, and parts after the third are ignored. Like
/// PHP's `empty`, `0` counts as empty.
fn flaw(name: &str) -> (usize, ServiceNameError) {
    let is_empty = |part: &str| matches!(part, "" | "0");
    if is_empty(name) {
        return (0, ServiceNameError::Illegal);
    }
    let mut parts = name.split('.');
    let parts = [parts.next(), parts.next(), parts.next()].map(Option::unwrap_or_default);
    let count = name.split('.').count();
    let (class, method) = match count {
        1 => return (count, ServiceNameError::Incomplete),
        2 => (parts[0], parts[1]),
        _ => (parts[1], parts[2]),
    };
    let illegal = is_empty(class) || is_empty(method);
    (count, if illegal { ServiceNameError::Illegal } else { ServiceNameError::Unknown })
}

/// Finds the service that a body names with the fields `module` and `method`. Returns `None` if one of them is missing.
///
/// # Errors
/// Fails if one of them is not a text, or there is no such service.
pub(super) fn module(modules: &ServicesByModule, fields: &[Field<'_>]) -> Result<Option<usize>, RoutingError> {
    let given = Naming::Module.fields().map(|name| single_value(fields.iter().cloned(), name, true));
    let [Some(module), Some(method)] = given else { return Ok(None) };
    let (module, method) = match (module, method) {
        (FieldValue::Text(module), FieldValue::Text(method)) => (module, method),
        (module, method) => {
            let given = Naming::Module.fields().into_iter().zip([module, method]);
            let errors = given.filter_map(|(name, value)| match value {
                FieldValue::Text(_) => None,
                FieldValue::Invalid(why) => Some(not_a_name(name, why)),
            });
            return Err(ApiError::parameters(errors.collect()).into());
        }
    };
    modules.find(&module, &method).map(Some).ok_or_else(|| {
        let name = format!("{}/{}", shortened(&module), shortened(&method));
        ApiError::new(ErrorKind::InvalidServiceName { name, parts: 0, error: ServiceNameError::Unknown }).into()
    })
}

/// Returns the error of a field that has to name a service and is not a text.
fn not_a_name(name: &str, why: SegmentError) -> ParameterError {
    let got = match why {
        SegmentError::Several => MessageId::GotSeveralValues,
        SegmentError::NoText => MessageId::GotInvalidUtf8,
    };
    let error = ParameterError::new(ParameterErrorKind::Invalid, name, Source::Body, "a name");
    error.with_got(Some(english(got)))
}

/// A method that was selected by name.
pub(super) struct NamedMethod {
    /// The index of the method.
    pub(super) method: usize,
    /// The fields that named it.
    pub(super) naming: Naming,
}

impl NamedMethod {
    /// Returns the method with the positions that fields give by their names in code, those of the query before those
    /// of `body`; and `true` if every position is given.
    pub(super) fn with_named_positions<'h>(
        &self,
        plan: &Plan,
        head: &'h Head,
        body: &[Field<'_>],
    ) -> (FoundMethod<'h>, bool) {
        let method = &plan.methods[self.method];
        let last_counts = plan.modules[method.module].last_counts;
        let mut segments = Vec::new();
        let mut unfit = Vec::new();
        let mut complete = true;
        for (segment, slot) in &method.segments {
            let name = &*method.names[*slot];
            let in_query = single_value(query(head, &[name]), name, last_counts);
            let in_body = || Some(single_value(body.iter().cloned(), name, last_counts)?.into_owned());
            match in_query.or_else(in_body) {
                Some(FieldValue::Text(text)) => {
                    if segments.len() <= *segment {
                        segments.resize(segment + 1, Cow::Borrowed(""));
                    }
                    segments[*segment] = text;
                }
                Some(FieldValue::Invalid(why)) => unfit.push((*slot, why)),
                None => complete = false,
            }
        }
        let by_name = Some(Box::new(NameMatch { naming: self.naming, invalid_segments: unfit }));
        (FoundMethod { method: self.method, segments, by_name }, complete)
    }

    /// Returns the method with the segments of the path as its positions.
    pub(super) fn with_path_positions<'h>(&self, plan: &Plan, positions: Vec<Cow<'h, str>>) -> FoundMethod<'h> {
        let first = plan.methods[self.method].segments.iter().map(|(segment, _)| *segment).min().unwrap_or_default();
        let mut segments = vec![Cow::Borrowed(""); first];
        segments.extend(positions);
        let by_name = Some(Box::new(NameMatch { naming: self.naming, invalid_segments: Vec::new() }));
        FoundMethod { method: self.method, segments, by_name }
    }
}
