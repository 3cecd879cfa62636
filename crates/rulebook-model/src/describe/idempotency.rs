//! Describes in English how a method uses the header field `Idempotency-Key`.

use crate::model::{Api, Idempotency, Location, Method};

/// Returns a description of how a client uses the header field `Idempotency-Key`; `None` if the method does not read
/// it.
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

/// Returns `true` if a parameter of the method is read from the header field `Idempotency-Key`.
pub(super) fn reads_key_as_parameter(method: &Method) -> bool {
    let is_key = |key: &str| key.eq_ignore_ascii_case(Idempotency::HEADER);
    method.parameters.iter().any(|parameter| parameter.from == Location::Header && is_key(&parameter.key))
}

/// An idempotency key for examples, as in the draft of the header field.
pub(super) const SAMPLE_KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

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
