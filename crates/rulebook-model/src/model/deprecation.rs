//! Methods that clients should no longer call.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::service::uri_of;
use super::{Api, Method, Segment, Service};
use crate::call::HttpMethod;
use crate::span::Spanned;
use crate::types::utc_seconds_of;

/// Since when clients should no longer call a method, until when they can, and what they call instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Deprecation {
    /// Since when the method is deprecated; `None` if the definition has no date.
    pub since: Option<Timestamp>,
    /// The point in time from which on the method responds with the status 410; `None` if it has no end.
    pub sunset: Option<Timestamp>,
    /// The id of the method that replaces it, which is another method of the API.
    pub successor: Option<Spanned<String>>,
    /// The method that replaces it, if this version of the API does not have that method but another version does.
    pub other_successor: Option<MethodOfVersion>,
}

/// A method that only another version of the API has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodOfVersion {
    /// The name of the version.
    pub version: String,
    /// The id of the method.
    pub id: String,
    /// The HTTP method.
    pub http: HttpMethod,
    /// The path of its service.
    pub path: Vec<Segment>,
    /// `true` if everybody can call it.
    pub is_public: bool,
}

impl MethodOfVersion {
    /// Returns the path of its service in the notation of definitions.
    #[must_use]
    pub fn uri(&self) -> String {
        uri_of(&self.path)
    }
}

impl Deprecation {
    /// Returns the method that replaces the deprecated one, and its service.
    #[must_use]
    pub fn find_successor<'a>(&self, api: &'a Api) -> Option<(&'a Service, &'a Method)> {
        let id = &self.successor.as_ref()?.value;
        api.methods().find(|(_, _, method)| method.id == *id).map(|(_, service, method)| (service, method))
    }
}

/// Parses a point in time from 1970 on, in the notation of the type `datetime`. A date is its midnight in UTC.
#[must_use]
pub fn parse_date_or_time(text: &str) -> Option<Timestamp> {
    utc_seconds_of(text).filter(|seconds| *seconds >= 0).and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// Formats a point in time as the definition does: as a date if it is midnight in UTC, otherwise as in RFC 3339.
#[must_use]
pub fn date_or_time(moment: Timestamp) -> String {
    let utc = moment.to_zoned(TimeZone::UTC).datetime();
    if utc.time() == Time::midnight() { utc.date().to_string() } else { moment.to_string() }
}
