//! The raw path of a request: split, decoded, and looked up in the tree.

use std::borrow::Cow;
use std::fmt::Write;

use percent_encoding::percent_decode_str;

use crate::call::{Head, Reason, Refusal, Unreadable};
use crate::plan::{Above, Plan, joinable};

/// Services whose paths are similar to that of a request which no service has: by the whole path, else by the path
/// with base in front of it.
pub(in crate::pipeline) fn similar(plan: &Plan, head: &Head) -> Vec<String> {
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
pub(super) fn below<'p>(base: &str, path: &'p str) -> Option<&'p str> {
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
pub(super) fn is_above(base: &str, path: &str) -> bool {
    let Some(inner) = path.strip_suffix('/').unwrap_or(path).strip_prefix('/') else {
        return path == "/";
    };
    let mut base = base.split('/').skip(1);
    inner.split('/').all(|segment| base.next().is_some_and(|own| decode(segment).is_ok_and(|segment| segment == own)))
}

/// The decoded segments of a path, and the longest service that they begin with.
pub(super) fn find<'p>(plan: &Plan, path: &'p str) -> Result<(Vec<Cow<'p, str>>, Option<usize>), Refusal> {
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
pub(super) fn above(above: &Above, segments: &[Cow<'_, str>]) -> Option<usize> {
    above.find(&joined(segments), segments.len())
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
