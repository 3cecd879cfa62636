//! Writes the counts of all workers in the text format of OpenMetrics 1.0, which Prometheus reads.
//!
//! No metrics library is used: its counters would have locks that workers share, and only its text output would be
//! useful.

use std::collections::BTreeMap;
use std::fmt::{Arguments, Display, Write};

use super::ExceededLimits;
use super::process::{ProcessMetric, process_metrics};
use super::worker_counters::{BUCKET_MILLISECONDS, CountedRequests, ResponseLabels};

/// Returns the counts in the text format of OpenMetrics.
pub(super) fn openmetrics_text(
    counted: &BTreeMap<Box<str>, CountedRequests>,
    in_flight: u64,
    detached: usize,
    exceeded_limits: &ExceededLimits,
    certificates: &[(String, u64)],
) -> String {
    let mut text = OpenMetricsText(String::new());
    text.begin_metric("rulebook_build", "info", "The version of the server.");
    text.write_sample("rulebook_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    for ProcessMetric { name, metric_type, help, value } in process_metrics() {
        text.begin_metric(name, metric_type, help);
        let sample = if metric_type == "counter" { format!("{name}_total") } else { name.to_owned() };
        let value = if value.is_infinite() { "+Inf".to_owned() } else { value.to_string() };
        text.write_sample(&sample, &[], value);
    }
    text.begin_metric("rulebook_requests_in_flight", "gauge", "Requests in flight.");
    text.write_sample("rulebook_requests_in_flight", &[], in_flight);
    text.begin_metric("rulebook_handlers_detached", "gauge", "Running handlers whose clients have disconnected.");
    text.write_sample("rulebook_handlers_detached", &[], detached);
    let exceeded = "rulebook_connection_limits_exceeded";
    text.begin_metric(exceeded, "counter", "Connections or requests that exceeded a limit of connections, by limit.");
    for (limit, count) in exceeded_limits.counts() {
        text.write_sample(&format!("{exceeded}_total"), &[("limit", limit)], count);
    }
    let expiry = "rulebook_tls_certificate_expiry_timestamp_seconds";
    if !certificates.is_empty() {
        text.begin_metric(expiry, "gauge", "The time until which a TLS certificate is valid, in seconds since 1970.");
    }
    for (file, time) in certificates {
        text.write_sample(expiry, &[("file", file)], time);
    }
    text.begin_metric("rulebook_requests", "counter", "Finished requests, by method, HTTP status and error code.");
    for (id, total) in counted {
        for (ResponseLabels { status, code, error }, count) in &total.responses {
            let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
            let labels = [("method", id.as_ref()), ("status", &status), ("code", code), ("error", error)];
            // An empty label is the same as a label that is absent. Only declared errors have a name.
            let labels = if error.is_empty() { &labels[..3] } else { &labels };
            text.write_sample("rulebook_requests_total", labels, count);
        }
    }
    let durations = "rulebook_request_duration_seconds";
    text.begin_metric(durations, "histogram", "Duration of requests from head to response, by method.");
    for (id, total) in counted {
        let method = ("method", id.as_ref());
        text.write_sample(
            &format!("{durations}_sum"),
            &[method],
            format_args!("{:?}", total.total_nanoseconds as f64 / 1e9),
        );
        text.write_sample(&format!("{durations}_count"), &[method], total.durations.iter().sum::<u64>());
        let bounds = BUCKET_MILLISECONDS.map(|bound| format!("{:?}", bound as f64 / 1e3));
        let bounds = bounds.into_iter().chain(["+Inf".to_owned()]);
        let mut count = 0;
        for (bound, in_bucket) in bounds.zip(total.durations) {
            // In OpenMetrics, the count of a bucket includes the counts of all smaller buckets.
            count += in_bucket;
            text.write_sample(&format!("{durations}_bucket"), &[("le", &bound), method], count);
        }
    }
    text.0.push_str("# EOF\n");
    text.0
}

struct OpenMetricsText(String);

impl OpenMetricsText {
    /// Writes the description, the type and the unit of a group of metrics. If the group has a unit, its name ends with
    /// it. `help` must not contain line breaks or backslashes.
    fn begin_metric(&mut self, name: &str, metric_type: &str, help: &str) {
        self.append(format_args!("# HELP {name} {help}\n# TYPE {name} {metric_type}\n"));
        if let Some(unit) = name.rsplit('_').next().filter(|unit| ["seconds", "bytes"].contains(unit)) {
            self.append(format_args!("# UNIT {name} {unit}\n"));
        }
    }

    fn write_sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escape = |value: &str| value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        match labels.is_empty() {
            true => self.append(format_args!("{name} {value}\n")),
            false => self.append(format_args!("{name}{{{}}} {value}\n", labels.join(","))),
        }
    }

    fn append(&mut self, text: Arguments<'_>) {
        // Writing to a `String` never fails.
        let _ = self.0.write_fmt(text);
    }
}
