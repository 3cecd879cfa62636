//! Sentences that several documents contain: what a client can call and how it authenticates, idempotency keys, rate
//! limits, and types in words.

use std::borrow::Cow;

use crate::call::AuthScheme;
use crate::model::{Api, Deprecation, Idempotency, Location, Method, Module, ScopeCondition, date_or_time};
use crate::types::{Check, Structure};

/// The limit of items in a sentence; only the response to OPTIONS contains all items.
const MAX_LISTED_ITEMS: usize = 10;

/// Returns a condition such as "if `id` is `7` or `8`", where `format_code` formats names and values. `None` if the
/// caller can call the method with all parameter values, or if the document is not for one caller.
pub(super) fn describe_call_condition(method: &Method, format_code: fn(&str) -> String) -> Option<String> {
    let alternatives = method.scope.conditions.as_ref().filter(|when| !when.iter().any(ScopeCondition::is_empty))?;
    let name = |name: &String| {
        let key = method.parameter(name).map(|parameter| &parameter.key).filter(|key| !key.is_empty());
        format_code(key.unwrap_or(name))
    };
    let values = |values: &Vec<String>| join_first_items(values.iter().map(|value| format_code(value)), " or ");
    let alternative = |when: &ScopeCondition| {
        let parts: Vec<_> =
            when.iter().map(|(parameter, of)| format!("{} is {}", name(parameter), values(of))).collect();
        parts.join(" and ")
    };
    Some(format!("if {}", join_first_items(alternatives.iter().map(alternative), ", or if ")))
}

/// Joins at most [`MAX_LISTED_ITEMS`] items, followed by the number of the others, such as "3 more".
pub(super) fn join_first_items(items: impl ExactSizeIterator<Item = String>, separator: &str) -> String {
    let more = items.len().saturating_sub(MAX_LISTED_ITEMS);
    let listed: Vec<_> = items.take(MAX_LISTED_ITEMS).collect();
    let more = if more == 0 { String::new() } else { format!("{separator}{more} more") };
    listed.join(separator) + &more
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CredentialKind {
    /// The name of the credential, without the article `a`.
    pub(super) noun: &'static str,
    /// The standard that describes how it is sent; `None` if no standard does.
    pub(super) standard: Option<&'static str>,
}

pub(super) fn credential_kind(scheme: &AuthScheme) -> CredentialKind {
    let (noun, standard) = match scheme {
        AuthScheme::Certificate => ("certificate of the client", Some("TLS, RFC 8446")),
        AuthScheme::Jwt { .. } => ("token that an issuer has signed", Some("RFC 6750")),
        AuthScheme::Header(_) | AuthScheme::Cookie(_) => ("key or a token", None),
        AuthScheme::Http(_) => match scheme.http_scheme().as_deref() {
            Some("bearer") => ("key or a token", Some("RFC 6750")),
            Some("basic") => ("user name and a password", Some("RFC 7617")),
            Some("digest") => ("user name and a password", Some("RFC 7616")),
            Some("negotiate") => ("SPNEGO token", Some("RFC 4559")),
            _ => ("credential", None),
        },
    };
    CredentialKind { noun, standard }
}

/// Returns `true` for the scheme of user names and passwords (RFC 7617).
pub(super) fn is_basic(scheme: &AuthScheme) -> bool {
    scheme.http_scheme().as_deref() == Some("basic")
}

/// Returns a text such as "since 2026-12-01, available until 2027-06-01"; empty if the definition has no dates.
pub(super) fn describe_deprecation_dates(deprecation: &Deprecation) -> String {
    let since = deprecation.since.map(|since| format!("since {}", date_or_time(since)));
    let until = deprecation.sunset.map(|sunset| format!("available until {}", date_or_time(sunset)));
    since.into_iter().chain(until).collect::<Vec<_>>().join(", ")
}

/// The dates, and what clients should call instead; empty if neither is known. `format_id` formats the id of a method.
pub(super) fn describe_deprecation(deprecation: &Deprecation, format_id: fn(&str) -> String) -> String {
    let dates = Some(describe_deprecation_dates(deprecation)).filter(|dates| !dates.is_empty());
    let successor = deprecation.successor.as_ref().map(|id| format!("use {} instead", format_id(&id.value)));
    let other = deprecation.other_successor.as_ref();
    let other = other.map(|it| format!("use {} of version {} instead", format_id(&it.id), it.version));
    dates.into_iter().chain(successor).chain(other).collect::<Vec<_>>().join("; ")
}

/// How a client uses the header field `Idempotency-Key`; `None` if the method does not read it.
pub(super) fn describe_idempotency(api: &Api, method: &Method) -> Option<String> {
    let begin = match method.options.idempotent? {
        Idempotency::Optional => "A client can send a new random text",
        Idempotency::Required => "A client must send a new random text",
    };
    let time = duration_in_words(api.limits.idempotency_seconds);
    Some(format!(
        "{begin} in this header field with each request. If it sends the same request again with the same text within \
         {time}, the method is not run again: the response is the first one, with `{}: true`.",
        Idempotency::REPLAYED_HEADER
    ))
}

pub(super) fn reads_key_as_parameter(method: &Method) -> bool {
    let is_key = |key: &str| key.eq_ignore_ascii_case(Idempotency::HEADER);
    method.parameters.iter().any(|parameter| parameter.from == Location::Header && is_key(&parameter.key))
}

fn duration_in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60.. if !seconds.is_multiple_of(60) => (seconds, "second"),
        60.. if !seconds.is_multiple_of(60 * 60) => (seconds / 60, "minute"),
        _ => (seconds / (60 * 60), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// Returns a sentence about each limit of the number of requests to a method, and one about the cost of a call.
pub(super) fn describe_rate_limits(api: &Api, module: &Module, method: &Method) -> Vec<String> {
    let limits = api.rate_limits(module, method);
    let together = match (&method.options.rate_limits, &module.rate_limits) {
        (Some(_), _) => "",
        (None, Some(_)) => ", to all methods with this limit in the module together",
        (None, None) => ", to all methods with this limit in the API together",
    };
    let sentences = limits.iter().map(|limit| format!("At most {}{together}.", limit.in_words()));
    let cost = method.options.cost;
    sentences.chain((cost > 1).then(|| format!("A call counts as {cost} requests."))).collect()
}

/// A schema is described by its content only if it is the whole type. Within other types, it is described by its name,
/// so that the length of the words is bounded by the length of the definition of one type.
pub(super) fn type_in_words(check: &dyn Check) -> Cow<'static, str> {
    match check.structure() {
        Structure::Schema(schema) => schema.check.in_words(),
        _ => check.in_words(),
    }
}
