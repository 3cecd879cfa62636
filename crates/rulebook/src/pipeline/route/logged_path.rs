//! The path of a request as the log and traces may contain it: without the values of secret parameters.

use std::borrow::Cow;

use super::path::{find_service, path_of_request};
use crate::call::Head;
use crate::plan::{Plan, PlannedMethod};

/// What is logged instead of a path that cannot be decoded, if paths of the API contain secrets.
const MALFORMED_PATH: &str = "-";

/// Returns the path of a request, in which each value of a secret parameter is replaced by the name of the parameter:
/// `/reset/{token}`. The parameters are those of all methods of the service, because a request that calls none of them,
/// for example with another HTTP method, contains the same secret.
pub fn logged_path<'h>(plan: &Plan, head: &'h Head) -> Cow<'h, str> {
    let path = head.uri.path();
    if !plan.has_secret_paths {
        return Cow::Borrowed(path);
    }
    let Some(below) = path_of_request(plan, head) else { return Cow::Borrowed(path) };
    let Ok((_, service)) = find_service(plan, &head.uri, below) else { return Cow::Borrowed(MALFORMED_PATH) };
    let methods = service.map_or(&[][..], |service| &plan.services[service].methods);
    let secrets: Vec<(usize, &str)> =
        methods.iter().flat_map(|(_, index)| secret_segments(&plan.methods[*index])).collect();
    // For the base path without a slash, `below` is not a part of the path.
    let Some(start) = path.strip_suffix(below).filter(|_| !secrets.is_empty()) else { return Cow::Borrowed(path) };
    let segments = below.split('/').skip(1).enumerate();
    Cow::Owned(segments.fold(start.to_owned(), |mut logged, (index, segment)| {
        logged.push('/');
        match secrets.iter().find(|(secret, _)| *secret == index) {
            Some((_, name)) if !segment.is_empty() => logged.extend(["{", name, "}"]),
            _ => logged.push_str(segment),
        }
        logged
    }))
}

/// Returns the secret parameters in the path of a method: the indices of their segments after the base path, and their
/// names.
pub fn secret_segments(method: &PlannedMethod) -> impl Iterator<Item = (usize, &str)> {
    let secret = method.path_slots.iter().filter(|(_, slot)| method.parameters[*slot].is_secret);
    secret.map(|(segment, slot)| (*segment, &*method.parameter_names[*slot]))
}
