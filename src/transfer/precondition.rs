//! Conditions of requests that write (RFC 9110 section 13).

use std::time::SystemTime;

use http::header::{self, HeaderName};

use super::Facts;
use super::condition::{Tags, seconds};
use crate::call::{ETag, Head};

/// In which state a file must be to be replaced. The default is any.
///
/// ```
/// use rulebook::ETag;
/// use rulebook::store::{Facts, Precondition};
///
/// let there = Facts { etag: Some(ETag::strong("v7")), ..Facts::default() };
/// assert!(Precondition::absent().holds(None) && !Precondition::absent().holds(Some(&there)));
/// assert!(Precondition::is(ETag::strong("v7")).holds(Some(&there)));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`: it is one of these.
    matches: Option<States>,
    /// `If-None-Match`: it is none of these.
    none_matches: Option<States>,
    /// `If-Unmodified-Since`.
    unmodified: Option<SystemTime>,
}

/// States of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum States {
    /// `*`: any in which it is there.
    Any,
    /// Those of these tags.
    These(Vec<ETag>),
    /// It cannot be read which. Whoever sent it wanted to guard something: it holds of no file.
    Unreadable,
}

impl Precondition {
    /// The file is not there yet: `If-None-Match: *`.
    #[must_use]
    pub fn absent() -> Self {
        Self { none_matches: Some(States::Any), ..Self::default() }
    }

    /// The file is in the state of this tag: `If-Match`.
    #[must_use]
    pub fn is(tag: ETag) -> Self {
        Self { matches: Some(States::These(vec![tag])), ..Self::default() }
    }

    /// What a request asks for.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        let date = head.header(&header::IF_UNMODIFIED_SINCE);
        Self {
            matches: states(head, &header::IF_MATCH),
            none_matches: states(head, &header::IF_NONE_MATCH),
            unmodified: date.and_then(|text| httpdate::parse_http_date(text.trim()).ok()),
        }
    }

    /// Whether it holds for a file of which these are the facts; none where there is no file.
    #[must_use]
    pub fn holds(&self, there: Option<&Facts>) -> bool {
        let etag = there.and_then(|facts| facts.etag.as_ref());
        let is_one = |states: &States, same: fn(&ETag, &ETag) -> bool, unreadable: bool| match states {
            States::Unreadable => unreadable,
            States::Any => there.is_some(),
            States::These(tags) => tags.iter().any(|tag| etag.is_some_and(|etag| same(etag, tag))),
        };
        // The order and the comparisons are those of RFC 9110 section 13.2.2.
        let matches = match (&self.matches, self.unmodified, there.and_then(|facts| facts.modified)) {
            (Some(states), _, _) => is_one(states, ETag::is_identical, false),
            (None, Some(date), Some(modified)) => seconds(modified) <= seconds(date),
            (None, _, _) => true,
        };
        matches && !self.none_matches.as_ref().is_some_and(|states| is_one(states, ETag::is_same, true))
    }
}

/// The states that a field names; none where there is no such field.
fn states(head: &Head, field: &HeaderName) -> Option<States> {
    head.header_values(field).fold(None, |before, value| {
        let mut all = match before {
            None if value.to_str().is_ok_and(|text| text.trim() == "*") => return Some(States::Any),
            None => Vec::new(),
            Some(States::These(tags)) => tags,
            // `*` stands alone.
            Some(States::Any | States::Unreadable) => return Some(States::Unreadable),
        };
        let Ok(text) = value.to_str() else { return Some(States::Unreadable) };
        let mut tags = Tags::of(text);
        all.extend(tags.by_ref());
        Some(if tags.is_broken() { States::Unreadable } else { States::These(all) })
    })
}
