//! Writes the counts of all workers in OpenMetrics 1.0 text format, which Prometheus reads.
//!
//! Metrics libraries have their own counters, with locks that workers would share. Only their text output would be of
//! use here.

use std::collections::BTreeMap;
use std::fmt::{Arguments, Display, Write};

use super::shard::{BUCKETS, Labels, Shard};

/// The counts, by method id or kind of request.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals(BTreeMap<Box<str>, Total>);

#[derive(Debug, Clone, Default)]
struct Total {
    responses: BTreeMap<Labels, u64>,
    durations: [u64; BUCKETS.len() + 1],
    nanoseconds: u64,
}

impl Totals {
    /// Adds the counts of a shard.
    pub(super) fn add(&mut self, shard: &Shard) {
        for (id, counts) in shard.counts() {
            let total = self.0.entry(id.into()).or_default();
            for (labels, count) in counts.responses {
                *total.responses.entry(labels).or_default() += count;
            }
            total.durations.iter_mut().zip(counts.durations).for_each(|(sum, count)| *sum += count);
            total.nanoseconds = total.nanoseconds.wrapping_add(counts.nanoseconds);
        }
    }
}

/// Returns the counts as text.
pub(super) fn text(totals: &Totals, in_flight: u64, detached: usize) -> String {
    let mut text = OpenMetrics(String::new());
    text.family("rulebook_build", "info", "The version of the server.");
    text.sample("rulebook_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.family("rulebook_requests_in_flight", "gauge", "Requests in flight.");
    text.sample("rulebook_requests_in_flight", &[], in_flight);
    text.family("rulebook_handlers_detached", "gauge", "Running handlers whose clients have disconnected.");
    text.sample("rulebook_handlers_detached", &[], detached);
    text.family("rulebook_requests", "counter", "Finished requests, by method, HTTP status and error code.");
    for (id, total) in &totals.0 {
        for (Labels { status, code }, count) in &total.responses {
            let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            text.sample("rulebook_requests_total", &[("method", id), ("status", &status), ("code", code)], count);
        }
    }
    let durations = "rulebook_request_duration_seconds";
    text.family(durations, "histogram", "Duration of requests from head to response, by method.");
    text.unit(durations, "seconds");
    for (id, total) in &totals.0 {
        let method = ("method", id.as_ref());
        text.sample(&format!("{durations}_sum"), &[method], format_args!("{:?}", total.nanoseconds as f64 / 1e9));
        text.sample(&format!("{durations}_count"), &[method], total.durations.iter().sum::<u64>());
        let bounds = BUCKETS.iter().map(|bound| format!("{bound:?}")).chain(["+Inf".to_owned()]);
        let mut count = 0;
        for (bound, in_bucket) in bounds.zip(total.durations) {
            // Each bucket also counts the durations of the smaller buckets.
            count += in_bucket;
            text.sample(&format!("{durations}_bucket"), &[("le", &bound), method], count);
        }
    }
    text.finish()
}

/// A text in OpenMetrics 1.0 format.
struct OpenMetrics(String);

impl OpenMetrics {
    /// Begins a metric family with this name. `help` must not contain line breaks or backslashes.
    fn family(&mut self, name: &str, metric_type: &str, help: &str) {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {metric_type}\n"));
    }

    /// Writes the unit of a metric family, whose name must end with the unit.
    fn unit(&mut self, name: &str, unit: &str) {
        self.write(format_args!("# UNIT {name} {unit}\n"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escape = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        match labels.is_empty() {
            true => self.write(format_args!("{name} {value}\n")),
            false => self.write(format_args!("{name}{{{}}} {value}\n", labels.join(","))),
        }
    }

    fn write(&mut self, text: Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.0.write_fmt(text);
    }

    fn finish(mut self) -> String {
        self.0.push_str("# EOF\n");
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_in_labels_are_escaped() {
        let mut text = OpenMetrics(String::new());
        text.sample("requests_total", &[("method", "a\\b\"c\nd"), ("code", "")], 7);
        assert_eq!(text.0, "requests_total{method=\"a\\\\b\\\"c\\nd\",code=\"\"} 7\n");
    }
}
