//! Converts limits of the number of requests to the model: those of a method, of a module, and of the whole API; and
//! the setting `shared_limits`, which names the counter that several servers share.

use super::checks::{has_password, written_address};
use crate::compile::Lowering;
use crate::definition::keys::{JsonKind, KeyTable, key, key_table, required_key};
use crate::definition::{CheckedObject, JsonData, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{RateLimit, RateLimitBy, RatePeriod, SharedLimits};
use crate::span::Spanned;

/// The description of the keys `rate_limit` of methods, modules and the API.
pub(crate) const RATE_LIMIT_DESCRIPTION: &str =
    "The limits of the number of requests in a period, such as `{\"requests\": 100, \"per\": \"minute\"}`.";

/// The keys of a limit of the number of requests.
pub static RATE_LIMIT: KeyTable = key_table(
    "a rate limit",
    &[
        required_key("requests", JsonKind::Integer, "The maximum number of requests in a period."),
        required_key("per", JsonKind::String, "The period: `second`, `minute`, `hour` or `day`."),
        key(
            "by",
            JsonKind::String,
            "Whose requests are counted together: those of a `caller` (default), of a client `address`, or of `all`.",
        ),
    ],
);

/// The keys of the setting `shared_limits`.
pub static SHARED_LIMITS: KeyTable = key_table(
    "the shared limits",
    &[
        required_key(
            "url",
            JsonKind::String,
            "The URL of the Valkey or Redis server: `redis://HOST:PORT/DATABASE`, `rediss://…` for TLS.",
        ),
        key(
            "when_unavailable",
            JsonKind::String,
            "While it is unavailable: with `open`, each server counts by itself; with `closed`, requests get status 503.",
        ),
        key(
            "timeout_ms",
            JsonKind::Integer,
            "The time for which a request waits for it, in milliseconds; 250 by default.",
        ),
        key(
            "prefix",
            JsonKind::String,
            "The beginning of the names of its keys, `rulebook` by default. Servers with the same prefix count together.",
        ),
    ],
);

impl Lowering<'_> {
    pub(crate) fn lower_rate_limits(&mut self, value: &JsonNode) -> Vec<RateLimit> {
        let items = match &value.data {
            JsonData::Array(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        let mut limits: Vec<RateLimit> = Vec::with_capacity(items.len());
        for item in items {
            let Some(limit) = self.lower_rate_limit(item) else { continue };
            if limits.iter().any(|other| (other.per, other.by) == (limit.per, limit.by)) {
                let message = format!("there are two limits of the requests per {}", limit.per);
                let error = Diagnostic::new(DiagnosticCode::BadOption, item.span, message);
                self.report(error.label("counts the same requests").help("remove the higher limit"));
            }
            limits.push(limit);
        }
        limits
    }

    fn lower_rate_limit(&mut self, item: &JsonNode) -> Option<RateLimit> {
        let object = CheckedObject::new(item, &RATE_LIMIT, &mut self.diagnostics)?;
        let missing = ["requests", "per"].into_iter().find(|key| !object.has_key(key));
        if let Some(key) = missing {
            let help = "write for example `{\"requests\": 100, \"per\": \"minute\", \"by\": \"address\"}`";
            self.report_missing(&object, key, &format!("the rate limit has no `{key}`"), Some(help));
            return None;
        }
        let requests = object
            .integer("requests")
            .and_then(|requests| self.lower_number(&requests, "the number of requests", RateLimit::MAX_REQUESTS));
        let per = object.string("per").and_then(|word| self.resolve_word::<RatePeriod>(&word, "value of `per`:"));
        let by = match object.string("by") {
            Some(word) => self.resolve_word(&word, "value of `by`:"),
            None => Some(RateLimitBy::default()),
        };
        Some(RateLimit::new(requests?, per?, by?))
    }

    /// Returns a number from 1 to `max`. Reports another number of `subject`.
    fn lower_number(&mut self, number: &Spanned<u64>, subject: &str, max: u32) -> Option<u32> {
        self.number_in(number, 1..=max.into(), &format!("{subject} is {}", number.value), None)
    }

    /// Returns as how many requests a call counts. Reports a number with which the method can never be called.
    pub(crate) fn lower_cost(&mut self, cost: Option<&Spanned<u64>>, limits: &[RateLimit]) -> u32 {
        let Some(cost) = cost else { return 1 };
        let Some(value) = self.lower_number(cost, "the cost of the method", RateLimit::MAX_COST) else { return 1 };
        if let Some(limit) = limits.iter().find(|limit| limit.requests < value) {
            let message = format!("a call counts as {value} requests, but the limit is {}", limit.in_words());
            let error = Diagnostic::new(DiagnosticCode::BadOption, cost.span, message).label("higher than the limit");
            self.report(error.help("every call would be refused: lower `cost`, or raise the limit"));
        }
        value
    }

    pub(super) fn lower_shared_limits(&mut self, value: &JsonNode) -> Option<SharedLimits> {
        let object = CheckedObject::new(value, &SHARED_LIMITS, &mut self.diagnostics)?;
        let url = object.get("url").and_then(written_address);
        let Some(url) = url.filter(|url| !url.value.trim().is_empty()) else {
            let help = "write the address of a Valkey or Redis server: `redis://127.0.0.1:6379`";
            self.report_missing(&object, "url", "`shared_limits` has no `url`", Some(help));
            return None;
        };
        if has_password(&url.value) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, url.span, "`shared_limits` contains a password")
                    .help("write an environment variable instead: `redis://USER:${PASSWORD}@HOST:PORT`")
                    .hide_line(),
            );
            return None;
        }
        let mut shared = SharedLimits::new(url);
        if let Some(word) = object.string("when_unavailable") {
            shared.when_unavailable = self.resolve_word(&word, "value of `when_unavailable`:").unwrap_or_default();
        }
        if let Some(timeout) = object.integer("timeout_ms") {
            let max = u32::try_from(SharedLimits::MAX_TIMEOUT_MS).unwrap_or(u32::MAX);
            shared.timeout_ms = self.lower_number(&timeout, "`timeout_ms`", max).map_or(shared.timeout_ms, u64::from);
        }
        if let Some(prefix) = object.string("prefix") {
            shared.prefix = prefix.value;
        }
        Some(shared)
    }
}
