//! Writes the counts of all workers in the text format of OpenMetrics 1.0, which Prometheus reads.
//!
//! No metrics library is used: its counters would have locks that workers share, and only its text output would be
//! useful.

use std::collections::BTreeSet;
use std::fmt::{Arguments, Display, Write};
use std::sync::atomic::Ordering;

use super::ExceededLimits;
use super::worker_counters::{BUCKET_MILLISECONDS, Counted, ResponseLabels};
use crate::handler::Measurement;
use crate::line_queue::dropped_lines;
use crate::plan::Plan;
use crate::usage::{ANONYMOUS, USERS};

pub(super) fn openmetrics_text(
    plan: &Plan,
    counted: &Counted,
    in_flight: u64,
    detached: usize,
    exceeded_limits: &ExceededLimits,
    certificates: &[(usize, u64)],
) -> String {
    let mut text = OpenMetricsText(String::new());
    text.begin_metric("rulebook_build", "info", "The version of the server.");
    text.write_sample("rulebook_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.begin_metric("rulebook_definition", "info", "The version and the digest of the definition.");
    text.write_sample(
        "rulebook_definition_info",
        &[("version", &plan.api_version), ("digest", &plan.definition_digest())],
        1,
    );
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
    let dropped = "rulebook_log_lines_dropped";
    text.begin_metric(dropped, "counter", "Lines of the log that were dropped because they were not read in time.");
    text.write_sample(&format!("{dropped}_total"), &[], dropped_lines());
    let differences = "rulebook_output_differences";
    text.begin_metric(differences, "counter", "Responses whose outputs differ from the definition, by method.");
    let counts = plan.methods.iter().map(|method| (&*method.id, method.output_differences.load(Ordering::Relaxed)));
    for (id, count) in counts.filter(|(_, count)| *count > 0) {
        text.write_sample(&format!("{differences}_total"), &[("method", id)], count);
    }
    let expiry = "rulebook_tls_certificate_expiry_timestamp_seconds";
    if !certificates.is_empty() {
        text.begin_metric(expiry, "gauge", "The time until which a TLS certificate is valid, in seconds since 1970.");
    }
    for (number, time) in certificates {
        text.write_sample(expiry, &[("certificate", &number.to_string())], time);
    }
    let measured: Vec<_> = plan.measures.iter().flat_map(|measure| measure()).collect();
    write_measurements(&mut text, &measured);
    let by_key = "rulebook_key_requests";
    text.begin_metric(by_key, "counter", "Requests with an API key, by the name of the key and by method.");
    for (key, method, usage) in counted.usage.iter().filter(|(caller, ..)| ![ANONYMOUS, USERS].contains(caller)) {
        text.write_sample(&format!("{by_key}_total"), &[("key", key), ("method", method)], usage.requests);
    }
    text.begin_metric("rulebook_requests", "counter", "Finished requests, by method, HTTP status and error code.");
    for (id, total) in &counted.requests {
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
    for (id, total) in &counted.requests {
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

/// Writes what the kinds of handlers measure. All samples of a metric follow its description.
fn write_measurements(text: &mut OpenMetricsText, measured: &[Measurement]) {
    for name in measured.iter().map(|measured| measured.name).collect::<BTreeSet<_>>() {
        let samples: Vec<_> = measured.iter().filter(|measured| measured.name == name).collect();
        let (help, is_counter) = samples.first().map_or(("", false), |first| (first.help, first.is_counter));
        let metric = format!("rulebook_{name}");
        text.begin_metric(&metric, if is_counter { "counter" } else { "gauge" }, help);
        let sample = if is_counter { format!("{metric}_total") } else { metric };
        for Measurement { labels, value, .. } in samples {
            let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            text.write_sample(&sample, &labels, value);
        }
    }
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

pub(super) struct ProcessMetric {
    /// The name of the metric, without the suffix `_total` of counters.
    pub(super) name: &'static str,
    /// `counter` or `gauge`.
    pub(super) metric_type: &'static str,
    pub(super) help: &'static str,
    pub(super) value: f64,
}

/// Returns the metrics of this process that the system provides, with the names that the client libraries of Prometheus
/// use. They are read from the file system `/proc` of Linux; other systems have no such metrics.
#[cfg(target_os = "linux")]
pub(super) fn process_metrics() -> Vec<ProcessMetric> {
    use rustix::param::{clock_ticks_per_second, page_size};
    use rustix::process::{Resource, getrlimit};

    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field (proc_pid_stat(5)) is the name of the program in parentheses, and may contain spaces and
    // parentheses.
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = behind_name.split_ascii_whitespace().collect();
    // The numbers of fields begin at 1, and the first of `fields` is the third one.
    let field = |number: usize| Some(fields.get(number - 3)?.parse::<u64>().ok()? as f64);
    let seconds = |ticks: f64| ticks / clock_ticks_per_second() as f64;
    let cpu = field(14).zip(field(15)).map(|(user, system)| seconds(user + system));
    let resident = field(24).map(|pages| pages * page_size() as f64);
    let start = boot_time().zip(field(22)).map(|(boot, start)| boot as f64 + seconds(start));
    let max_files = getrlimit(Resource::Nofile).current.map_or(f64::INFINITY, |max| max as f64);
    let metric = |name, metric_type, help, value: Option<f64>| {
        value.map(|value| ProcessMetric { name, metric_type, help, value })
    };
    let metrics = [
        metric("process_cpu_seconds", "counter", "User and system CPU time.", cpu),
        metric("process_resident_memory_bytes", "gauge", "Resident memory.", resident),
        metric("process_virtual_memory_bytes", "gauge", "Virtual memory.", field(23)),
        metric("process_start_time_seconds", "gauge", "Start of the process, in seconds since 1970.", start),
        metric("process_open_fds", "gauge", "Open file descriptors.", open_file_count().map(|count| count as f64)),
        metric("process_max_fds", "gauge", "Maximum number of open file descriptors.", Some(max_files)),
    ];
    metrics.into_iter().flatten().collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn process_metrics() -> Vec<ProcessMetric> {
    Vec::new()
}

/// Returns the time at which the system started, in seconds since 1970.
#[cfg(target_os = "linux")]
fn boot_time() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

#[cfg(target_os = "linux")]
fn open_file_count() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    // Since version 6.2 of Linux, the size of the folder is the number of its entries.
    let size = std::fs::metadata(FOLDER).ok()?.len();
    if size > 0 { Some(size) } else { Some(std::fs::read_dir(FOLDER).ok()?.count() as u64) }
}
