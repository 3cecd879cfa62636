//! The path of a request as the log and traces may contain it: without the values of secret parameters.

use std::borrow::Cow;

use rulebook_model::model::Segment;

use super::path::{find_service, path_of_request};
use crate::call::Head;
use crate::plan::{Plan, PlannedMethod, SecretPath, Segments};

/// What is logged instead of a path that cannot be decoded, if paths of the API contain secrets.
const MALFORMED_PATH: &str = "-";

/// Returns the path of a request, in which each value of a secret parameter is replaced by the name of the parameter:
/// `/reset/{token}`. The parameters are those of all methods of the service, because a request that calls none of them,
/// for example with another HTTP method, contains the same secret. A segment that is not part of a service may be the
/// secret of a longer path, whose beginning the request has.
pub fn logged_path<'h>(plan: &Plan, head: &'h Head) -> Cow<'h, str> {
    let path = path_in_version(plan, head);
    match &head.version {
        Some(version) => Cow::Owned(format!("/{version}{path}")),
        None => path,
    }
}

fn path_in_version<'h>(plan: &Plan, head: &'h Head) -> Cow<'h, str> {
    let path = head.uri.path();
    if plan.secret_paths.is_empty() {
        return Cow::Borrowed(path);
    }
    // A client may have forgotten the base path.
    let below = path_of_request(plan, head).unwrap_or(path);
    let Ok((segments, service)) = find_service(plan, &head.uri, below) else { return Cow::Borrowed(MALFORMED_PATH) };
    // For the base path without a slash, `below` is not a part of the path.
    let Some(start) = path.strip_suffix(below) else { return Cow::Borrowed(path) };
    let service = service.map(|service| &plan.services[service]);
    let methods = || service.into_iter().flat_map(|service| &service.methods).map(|(_, index)| &plan.methods[*index]);
    let secret = |index: usize| {
        let of_service = methods().flat_map(secret_segments).find(|(secret, _)| *secret == index).map(|(_, name)| name);
        let is_part = service.is_some_and(|service| index < service.path_length)
            || methods().any(|method| method.path_slots.iter().any(|(segment, _)| *segment == index));
        of_service.or_else(|| if is_part { None } else { secret_of_longer_path(plan, path, &segments, index) })
    };
    let sent = || below.split('/').skip(1).enumerate();
    let name = |(index, segment): (usize, &str)| secret(index).filter(|_| !segment.is_empty());
    if sent().all(|segment| name(segment).is_none()) {
        return Cow::Borrowed(path);
    }
    Cow::Owned(sent().fold(start.to_owned(), |mut logged, segment| {
        logged.push('/');
        match name(segment) {
            Some(name) => logged.extend(["{", name, "}"]),
            None => logged.push_str(segment.1),
        }
        logged
    }))
}

/// Returns the name of a secret parameter at a segment whose path begins with the segments before it.
fn secret_of_longer_path<'p>(plan: &'p Plan, path: &str, segments: &Segments, index: usize) -> Option<&'p str> {
    plan.secret_paths.iter().find_map(|known| {
        let (_, name) = known.secrets.iter().find(|(secret, _)| *secret == index)?;
        let mut before = known.segments.iter().take(index).zip(segments.iter(path));
        // The letters may have another case by mistake.
        before
            .all(|(known, sent)| known.as_ref().is_none_or(|known| known.eq_ignore_ascii_case(sent)))
            .then_some(&**name)
    })
}

/// Returns the secret parameters in the path of a method: the indices of their segments after the base path, and their
/// names.
fn secret_segments(method: &PlannedMethod) -> impl Iterator<Item = (usize, &str)> {
    let secret = method.path_slots.iter().filter(|(_, slot)| method.parameters[*slot].is_secret);
    secret.map(|(segment, slot)| (*segment, &*method.parameter_names[*slot]))
}

/// Returns the path of a service with its secret parameters; `None` if the methods of the service have none.
pub fn secret_path(path: &[Segment], methods: &[PlannedMethod]) -> Option<SecretPath> {
    let secrets: Vec<_> = methods.iter().flat_map(secret_segments).map(|(index, name)| (index, name.into())).collect();
    let segment = |segment: &Segment| match segment {
        Segment::Static(text) => Some(text.as_str().into()),
        Segment::Capture(_) => None,
    };
    let segments = path.iter().map(segment).collect();
    (!secrets.is_empty()).then(|| SecretPath { segments, secrets: secrets.into() })
}
