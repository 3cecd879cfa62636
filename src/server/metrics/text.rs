//! The counts of all workers together, in OpenMetrics' text format, which Prometheus reads.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::shard::{BUCKETS, Labels, Shard};

/// Counts by id.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals(BTreeMap<Box<str>, Total>);

#[derive(Debug, Clone, Default)]
struct Total {
    answers: BTreeMap<Labels, u64>,
    durations: [u64; BUCKETS.len() + 1],
    nanoseconds: u64,
}

impl Totals {
    /// Adds what a shard has counted.
    pub(super) fn add(&mut self, shard: &Shard) {
        for (id, counts) in shard.counts() {
            let total = self.0.entry(id.into()).or_default();
            for (labels, count) in counts.answers {
                *total.answers.entry(labels).or_default() += count;
            }
            total.durations.iter_mut().zip(counts.durations).for_each(|(sum, count)| *sum += count);
            total.nanoseconds = total.nanoseconds.wrapping_add(counts.nanoseconds);
        }
    }
}

#[derive(Debug)]
struct Counted {
    totals: Totals,
    in_flight: u64,
    detached: usize,
}

/// The whole text.
pub(super) fn text(totals: Totals, in_flight: u64, detached: usize) -> String {
    let mut registry = Registry::with_prefix("rulebook");
    registry.register_collector(Box::new(Counted { totals, in_flight, detached }));
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

impl Collector for Counted {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        encoder.encode_descriptor("build", "What serves.", None, MetricType::Info)?.encode_info(&version)?;
        encoder
            .encode_descriptor("requests_in_flight", "Requests that are being answered.", None, MetricType::Gauge)?
            .encode_gauge(&self.in_flight)?;
        encoder
            .encode_descriptor("handlers_detached", "Handlers whose clients have gone.", None, MetricType::Gauge)?
            .encode_gauge(&self.detached)?;
        let help = "Requests that were answered, by method, HTTP status and code of the refusal.";
        let mut requests = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for (id, total) in &self.totals.0 {
            for (Labels { status, code }, count) in &total.answers {
                let status = status.map_or_else(|| "-".to_owned(), |status| status.to_string());
                let labels = [("method", id.as_ref()), ("status", status.as_str()), ("code", *code)];
                requests.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(count, None)?;
            }
        }
        let help = "How long requests took, from their head to their answer, by method.";
        let mut durations =
            encoder.encode_descriptor("request_duration", help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (id, total) in &self.totals.0 {
            let bounds = BUCKETS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(total.durations).collect();
            let seconds = total.nanoseconds as f64 / 1e9;
            let count = total.durations.iter().sum();
            let labels = [("method", id.as_ref())];
            durations.encode_family(&labels)?.encode_histogram::<NoLabelSet>(seconds, count, &buckets, None)?;
        }
        Ok(())
    }
}
