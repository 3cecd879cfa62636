//! Runs rows, compares the figures with the aims, and collects the tables.

mod work;

use clap::Args;

use self::work::work_rows;
pub use self::work::{Work, measure_work};

use crate::Result;
use crate::health::Health;
use crate::measure::{peak_mebibytes, reset_peak};
use crate::report::{Outcome, Table};
use crate::rows::connections::{CONNECTIONS_HEALTH_AIM, KEPT_MEMORY_AIM, Memory};
use crate::rows::{Attack, Row, connections, requests, smuggling, time_limits};
use crate::server::{Installation, Server};

/// The maximum time within which 99 of 100 responses to the healthy client arrive, in milliseconds.
const HEALTH_AIM: f64 = 20.0;
/// The maximum memory of the server during an attack, in MiB.
const MEMORY_AIM: f64 = 200.0;

/// The options of a run.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    #[command(flatten)]
    installation: Installation,
    /// Number of random requests of the row `requests`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Number of connections of each row with many connections
    #[arg(long, default_value_t = 4_000)]
    connections: usize,
    /// Minimum duration of each row that measures processor time, in seconds
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Seed of all random numbers; the same seed gives the same requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs rows. Returns the tables with their results.
pub fn run(rows: &[Row], settings: &Settings) -> Result<Vec<Table>> {
    let mut tables = vec![
        checked_rows(rows, settings)?,
        work_rows(rows, settings)?,
        time_limit_rows(rows, settings)?,
        connection_rows(rows, settings)?,
    ];
    tables.retain(|table| !table.outcomes.is_empty());
    Ok(tables)
}

/// Returns `true` if the results of all rows reach their aims.
pub fn reaches_all_aims(tables: &[Table]) -> bool {
    tables.iter().flat_map(|table| &table.outcomes).all(|outcome| outcome.misses.is_empty())
}

/// Runs the rows whose responses are checked.
fn checked_rows(rows: &[Row], settings: &Settings) -> Result<Table> {
    let mut outcomes = Vec::new();
    for row in rows {
        match row.attack {
            Attack::Requests => outcomes.push(run_requests(row, settings)?),
            Attack::Smuggling => {
                eprintln!("{}", row.name);
                let server = Server::start(&settings.installation)?;
                let (count, misses) = smuggling::run(server.target)?;
                let figures = vec![count.to_string(), misses.len().to_string()];
                outcomes.push(Outcome::new(row, figures, misses));
            }
            _ => {}
        }
    }
    let text = "No request may cause a panic or an unplanned error of the server (5xx). Each response must be one that the \
                documentation describes: in the envelope of its service, or a document. Only the response to a head that \
                cannot be parsed has no envelope, and it closes the connection. The log must contain no control characters. \
                Bytes whose end is ambiguous must be rejected, or be understood as RFC 9112 requires.";
    Ok(Table { title: "Responses", text: text.to_owned(), headings: &["sent", "unexpected"], outcomes })
}

fn run_requests(row: &Row, settings: &Settings) -> Result<Outcome> {
    let mut server = Server::start(&settings.installation)?;
    let process = server.process_id();
    reset_peak(process)?;
    let found = requests::run(&server, settings.requests, settings.seed);
    if !server.is_running()? {
        return Err("the server has ended".into());
    }
    let found = found?;
    let mut misses = found.misses;
    misses.extend(server.suspicious_log_lines(10)?.into_iter().map(|line| format!("a line of the log: {line}")));
    check_memory(peak_mebibytes(process)?, MEMORY_AIM, &mut misses);
    let statuses: Vec<_> = found.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    eprintln!(
        "{}: {} requests in {:.0} s with the seed {}; responses by status: {}",
        row.name,
        found.requests,
        found.duration.as_secs_f64(),
        settings.seed,
        statuses.join(", ")
    );
    Ok(Outcome::new(row, vec![found.requests.to_string(), found.unexpected.to_string()], misses))
}

fn check_health(health: &Health, aim: f64, misses: &mut Vec<String>) {
    let p99 = health.p99_milliseconds();
    if p99 > aim {
        misses.push(format!("99 of 100 responses to the healthy client arrive within {p99:.0} ms; aim: {aim} ms"));
    }
    if health.failures > 0 {
        misses.push(format!("{} of {} requests of the healthy client failed", health.failures, health.count()));
    }
}

fn check_memory(peak: f64, aim: f64, misses: &mut Vec<String>) {
    if peak > aim {
        misses.push(format!("the server uses {peak:.0} MiB of memory; aim: {aim} MiB"));
    }
}

fn time_limit_rows(rows: &[Row], settings: &Settings) -> Result<Table> {
    let selected = rows.iter().filter_map(|row| match &row.attack {
        Attack::TimeLimit(kind) => Some((row, kind)),
        _ => None,
    });
    let (selected, kinds): (Vec<_>, Vec<_>) = selected.unzip();
    let mut outcomes = Vec::new();
    if let Some(longest) = kinds.iter().map(|kind| kind.limit).max() {
        eprintln!("slow connections");
        let server = Server::start(&settings.installation)?;
        // The server gets additional time, so that the table shows how much it exceeds a limit.
        let max_seconds = longest + 8 * time_limits::SLACK;
        let closed = time_limits::measure(&server, &kinds, max_seconds)?;
        for ((row, kind), closed) in selected.iter().zip(&kinds).zip(closed) {
            let aim = kind.limit + time_limits::SLACK;
            let measured = closed.map_or_else(|| format!("> {max_seconds}"), |seconds| format!("{seconds:.1}"));
            let is_reached = closed.is_some_and(|seconds| seconds <= aim as f64);
            let miss = (!is_reached).then(|| format!("it is open for {measured} s; aim: {aim} s"));
            outcomes.push(Outcome::new(row, vec![kind.limit.to_string(), measured], miss.into_iter().collect()));
        }
    }
    let text = format!(
        "The server must close each connection at most {} s after its limit: 10 s for a head, 30 s without progress, 60 s for \
         a body, 75 s for an idle connection.",
        time_limits::SLACK
    );
    Ok(Table { title: "Slow connections", text, headings: &["limit, s", "closed after, s"], outcomes })
}

fn connection_rows(rows: &[Row], settings: &Settings) -> Result<Table> {
    let mut outcomes = Vec::new();
    for row in rows {
        let Attack::Connections(bytes, memory_aim) = &row.attack else { continue };
        eprintln!("{}", row.name);
        // Each row has its own source address, because the ports of closed connections are reserved for some time.
        let source = 10 + outcomes.len() as u8;
        let server = Server::start(&settings.installation)?;
        let memory = connections::measure(&server, bytes, settings.connections, source)?;
        outcomes.push(connection_outcome(row, *memory_aim, &memory));
    }
    let text = format!(
        "{} connections of each kind are opened. The memory of the server must stay below its aim, and must be at most \
         {KEPT_MEMORY_AIM} MiB higher than before within 60 s after they are closed. 99 of 100 requests of a healthy client \
         must be responded to within {CONNECTIONS_HEALTH_AIM} ms. The server accepts only as many connections as its limit `connections` \
         allows.",
        settings.connections
    );
    let headings =
        &["open", "before, MiB", "peak, MiB", "aim, MiB", "after, MiB", "released after, s", "/healthz p99, ms"];
    Ok(Table { title: "Many connections", text, headings, outcomes })
}

fn connection_outcome(row: &Row, memory_aim: f64, memory: &Memory) -> Outcome {
    let mut misses = Vec::new();
    check_memory(memory.peak, memory_aim, &mut misses);
    check_health(&memory.health, CONNECTIONS_HEALTH_AIM, &mut misses);
    if memory.seconds_until_released.is_none() {
        misses.push(format!(
            "the memory is still {:.0} MiB after 60 s; aim: at most {KEPT_MEMORY_AIM} MiB more than {:.0} MiB",
            memory.after, memory.before
        ));
    }
    let figures = vec![
        memory.open.to_string(),
        format!("{:.0}", memory.before),
        format!("{:.0}", memory.peak),
        format!("{memory_aim:.0}"),
        format!("{:.0}", memory.after),
        memory.seconds_until_released.map_or_else(|| "> 60".to_owned(), |seconds| format!("{seconds:.1}")),
        format!("{:.1}", memory.health.p99_milliseconds()),
    ];
    Outcome::new(row, figures, misses)
}
