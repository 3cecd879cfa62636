//! First stage: which method a request is for.
//!
//! The raw path is split at `/`, one empty segment at its end dropped, each
//! segment decoded by itself; the longest service that the path begins with
//! takes the rest as positions. A longer service never gives way to a shorter one.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::percent_decode_str;

use super::respond::Of;
use crate::call::{Allowed, Head, Http, Limit, Reason, Refusal, Unreadable};
use crate::plan::{Found, Plan, joinable};

/// What a request is for.
#[derive(Debug)]
pub enum Routed<'h> {
    /// A method of a service.
    Method(Found<'h>),
    /// OPTIONS on a service.
    Options {
        /// Its index.
        service: usize,
        /// What can be asked of this very URI: methods whose positions cannot take its segments are not among them.
        allowed: Allowed,
    },
    /// OPTIONS on a URI that has services below it, and none of its own.
    OptionsAbove {
        /// Its index.
        above: usize,
    },
    /// OPTIONS on base, on what is above it, or on `*`.
    OptionsAll {
        /// What can be asked of this very URI.
        allowed: Allowed,
    },
}

/// A request that is for nothing.
#[derive(Debug)]
pub struct Unrouted {
    /// How far it came.
    pub of: Of,
    /// What is wrong with it.
    pub refusal: Refusal,
}

impl From<Refusal> for Unrouted {
    fn from(refusal: Refusal) -> Self {
        Self { of: Of::Nothing, refusal }
    }
}

/// Finds what the request is for.
///
/// # Errors
/// The target is too long or cannot be decoded, no service has this URI, or it has no such method.
pub fn route<'h>(plan: &Plan, head: &'h Head) -> Result<Routed<'h>, Unrouted> {
    let length = head.uri.path().len() + head.uri.query().map_or(0, |query| query.len() + 1);
    if length as u64 > plan.limits.uri {
        return Err(too_large(Limit::uri(plan.limits.uri)).into());
    }
    let fields: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if fields as u64 > plan.limits.head {
        return Err(too_large(Limit::head(plan.limits.head)).into());
    }
    let options = head.method == http::Method::OPTIONS;
    if options && head.uri.path() == "*" {
        return Ok(Routed::OptionsAll { allowed: Allowed(Vec::new()) });
    }
    let Some(path) = below(&plan.base, head.uri.path()) else {
        if options && is_above(&plan.base, head.uri.path()) {
            return Ok(Routed::OptionsAll { allowed: Allowed(Vec::new()) });
        }
        return Err(unknown_service().into());
    };
    let (segments, service) = find(plan, path)?;
    if options && segments.is_empty() {
        let methods = service.map_or(&[][..], |root| &plan.services[root].methods);
        let allowed = Allowed(methods.iter().map(|(own, _)| *own).collect());
        return Ok(Routed::OptionsAll { allowed });
    }
    let above = || if options { above(plan, &segments) } else { None };
    let Some(index) = service else {
        return above().map(|above| Routed::OptionsAbove { above }).ok_or_else(|| unknown_service().into());
    };
    let service = &plan.services[index];
    let positions = segments.len() - service.length;
    let fitting = service.methods.iter().filter(|(_, method)| plan.methods[*method].positions >= positions);
    let wanted = if head.method == http::Method::HEAD { "GET" } else { head.method.as_str() };
    if let Some(http) = Http::from_name(wanted)
        && let Some((_, method)) = fitting.clone().find(|(own, _)| *own == http)
    {
        return Ok(Routed::Method(Found { method: *method, segments }));
    }
    let allowed = Allowed(fitting.map(|(own, _)| *own).collect());
    if allowed.0.is_empty() {
        return above().map(|above| Routed::OptionsAbove { above }).ok_or_else(|| unknown_service().into());
    }
    if options {
        return Ok(Routed::Options { service: index, allowed });
    }
    let refusal = Refusal::new(Reason::UnknownMethod { allowed });
    Err(Unrouted { of: Of::Module(service.module), refusal })
}

/// Services whose paths are similar to that of a request which no service has: by the whole path, else by the path
/// with base in front of it.
pub(super) fn similar(plan: &Plan, head: &Head) -> Vec<String> {
    let path = head.uri.path();
    let segments = path.strip_suffix('/').unwrap_or(path).split('/').skip(1);
    let Ok(segments) = segments.map(decode).collect::<Result<Vec<_>, _>>() else {
        return Vec::new();
    };
    let whole: Vec<_> = segments.iter().map(AsRef::as_ref).collect();
    let found = plan.similar.find(&whole);
    if !found.is_empty() || plan.base.is_empty() {
        return found;
    }
    let below: Vec<_> = plan.base.split('/').skip(1).chain(whole).collect();
    plan.similar.find(&below)
}

/// The path below base, beginning with `/`; none where it is not below base. Base is written decoded, and a
/// path may encode any of its characters.
fn below<'p>(base: &str, path: &'p str) -> Option<&'p str> {
    let rest = if path.contains('%') {
        base.split('/').skip(1).try_fold(path, |path, own| {
            let inner = path.strip_prefix('/')?;
            let (segment, _) = inner.split_once('/').unwrap_or((inner, ""));
            decode(segment).is_ok_and(|segment| segment == own).then(|| &inner[segment.len()..])
        })
    } else {
        path.strip_prefix(base)
    };
    match rest? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// Whether a path that is not below base is above it: its segments are the first ones of base.
fn is_above(base: &str, path: &str) -> bool {
    let Some(inner) = path.strip_suffix('/').unwrap_or(path).strip_prefix('/') else {
        return path == "/";
    };
    let mut base = base.split('/').skip(1);
    inner.split('/').all(|segment| base.next().is_some_and(|own| decode(segment).is_ok_and(|segment| segment == own)))
}

/// The decoded segments of a path, and the longest service that they begin with.
fn find<'p>(plan: &Plan, path: &'p str) -> Result<(Vec<Cow<'p, str>>, Option<usize>), Refusal> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(inner) = path.strip_prefix('/') else {
        return Ok((Vec::new(), plan.routes.find("", 0)));
    };
    if !inner.contains('%') {
        let segments: Vec<_> = inner.split('/').map(Cow::Borrowed).collect();
        let service = plan.routes.find(path, segments.len());
        return Ok((segments, service));
    }
    let segments = inner.split('/').map(decode).collect::<Result<Vec<_>, _>>()?;
    let service = plan.routes.find(&joined(&segments), segments.len());
    Ok((segments, service))
}

/// The URI above services that these are the segments of.
fn above(plan: &Plan, segments: &[Cow<'_, str>]) -> Option<usize> {
    let documents = &plan.documents;
    let found = documents.routes.find(&joined(segments), segments.len());
    found.filter(|index| documents.above[*index].length == segments.len())
}

/// Decoded segments as a path that [`Routes::find`](crate::plan::Routes::find) takes.
fn joined(segments: &[Cow<'_, str>]) -> String {
    segments.iter().fold(String::new(), |mut joined, segment| {
        // Writing to a String does not fail.
        let _ = write!(joined, "/{}", joinable(segment));
        joined
    })
}

/// A segment without its percent-encoding (RFC 3986 section 2.1).
fn decode(segment: &str) -> Result<Cow<'_, str>, Refusal> {
    let unreadable = |what| Refusal::new(Reason::Unreadable(what));
    let bytes = segment.as_bytes();
    let escapes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    for (at, _) in escapes {
        if !bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
            return Err(unreadable(Unreadable::PathEscape));
        }
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| unreadable(Unreadable::PathEncoding))
}

fn too_large(limit: Limit) -> Refusal {
    Refusal::new(Reason::TooLarge { limit, parameter: None })
}

fn unknown_service() -> Refusal {
    Refusal::new(Reason::UnknownService { similar: Vec::new() })
}
