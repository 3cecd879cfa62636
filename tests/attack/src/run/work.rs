//! Rows that measure the processor time of the server.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use super::{HEALTH_AIM, MEMORY_AIM, Settings, check_health, check_memory, outcome};
use crate::health::{Health, HealthyClient, measure_without_attack};
use crate::measure::{ATTACK_CORE, open_files, peak_mebibytes, pin_thread, processor_seconds, reset_peak};
use crate::report::{Outcome, Table, print_progress};
use crate::rows::fields::send_long_field;
use crate::rows::{Attack, Attacker, Row, WorkAim};
use crate::server::Server;
use crate::{Error, Result};

/// The maximum processor time of the server for a megabyte, in milliseconds.
const PROCESSOR_AIM: f64 = 50.0;
/// The maximum processor time of the server for a complete request, in microseconds.
const REQUEST_AIM: f64 = 60.0;
/// The maximum processor time of the server for a request for a page that is rendered for it, in microseconds.
const PAGE_AIM: f64 = 150.0;
/// The maximum processor time of the server for a connection that ends with an error, in microseconds. Most of it is
/// the time of the system for opening and closing the connection.
const CONNECTION_AIM: f64 = 200.0;
/// The number of times that a row is measured until it reaches its aims. Other programs on the machine delay some
/// measurements; they never improve one.
const MAX_RUNS: usize = 3;

/// What a row that measures work found.
pub struct Work {
    /// The processor time of the server for a megabyte, in milliseconds.
    pub milliseconds_per_megabyte: f64,
    /// The processor time of the server for a request, in microseconds.
    pub microseconds_per_request: f64,
    /// What the healthy client observed.
    pub health: Health,
    /// The peak memory in MiB.
    pub peak: f64,
    /// The number of files and connections that are open afterwards in addition to those before.
    pub files_left: usize,
    /// How the requests ended, the most frequent first.
    pub ends: String,
    /// What the row itself found.
    pub misses: Vec<String>,
}

pub(super) fn work_rows(rows: &[Row], settings: &Settings) -> Result<Table> {
    let mut outcomes = Vec::new();
    let mut text = String::new();
    let rows: Vec<_> = rows.iter().filter(|row| work_aim(row).is_some()).collect();
    if !rows.is_empty() {
        let mut server = Server::start(&settings.installation)?;
        let (health_cost, quiet) = measure_without_attack(server.target, server.process_id())?;
        text = format!(
            "A megabyte that the server receives may cost at most {PROCESSOR_AIM} ms of processor time. If a row consists of \
             complete requests, the work depends on their number, not on their length: then each may cost at most \
             {REQUEST_AIM} µs, or {PAGE_AIM} µs if a page is rendered for it. A number in parentheses is the cost of a connection that ends with an error, which may be at \
             most {CONNECTION_AIM} µs, or of a request for which the definition allows expensive work. During each row, 99 of \
             100 requests of a healthy client for `/healthz` must be responded to within {HEALTH_AIM} ms (without an attack, within {:.1} ms), and the memory of \
             the server must stay below {MEMORY_AIM} MiB. The costs of the healthy client, {:.0} µs a request, are \
             subtracted. A row that misses an aim is measured up to {MAX_RUNS} times.",
            quiet.p99_milliseconds(),
            health_cost * 1e6
        );
        for (index, row) in rows.iter().enumerate() {
            print_progress(format_args!("{}, row {} of {}", row.name, index + 1, rows.len()));
            let mut best = None;
            for _ in 0..MAX_RUNS {
                if !server.is_running()? {
                    server = Server::start(&settings.installation)?;
                }
                let run = run_work(row, &server, settings, health_cost)
                    .unwrap_or_else(|error| outcome(row, Vec::new(), vec![format!("the attack failed: {error}")]));
                let is_best = best.as_ref().is_none_or(|best: &Outcome| run.misses.len() < best.misses.len());
                if is_best {
                    best = Some(run);
                }
                if best.as_ref().is_some_and(|best| best.misses.is_empty()) {
                    break;
                }
                // The next measurement does not start with the memory of this one.
                server = Server::start(&settings.installation)?;
            }
            outcomes.extend(best);
        }
    }
    let headings = &["ms per MB", "µs per request", "/healthz p99, ms", "memory, MiB", "responses"];
    Ok(Table { title: "Work", text, headings, outcomes })
}

/// Returns the aim of a row that measures work.
fn work_aim(row: &Row) -> Option<WorkAim> {
    match row.attack {
        Attack::Work(aim, _) => Some(aim),
        Attack::Field { .. } => Some(WorkAim::PerMegabyte),
        _ => None,
    }
}

fn run_work(row: &Row, server: &Server, settings: &Settings, health_cost: f64) -> Result<Outcome> {
    let aim = work_aim(row).unwrap_or(WorkAim::NotLimited);
    let work = measure_work(row, server, settings.seconds, settings.seed, health_cost)?;
    let mut misses = work.misses;
    let (per_megabyte, per_request) = (work.milliseconds_per_megabyte, work.microseconds_per_request);
    match aim {
        WorkAim::PerConnection if per_request > CONNECTION_AIM => {
            misses.push(format!("a connection costs {per_request:.0} µs; aim: {CONNECTION_AIM} µs"));
        }
        WorkAim::PerPage if per_request > PAGE_AIM => {
            misses.push(format!("a page costs {per_request:.0} µs; aim: {PAGE_AIM} µs"));
        }
        WorkAim::PerMegabyte if per_megabyte > PROCESSOR_AIM => {
            misses.push(format!("a megabyte costs {per_megabyte:.0} ms; aim: {PROCESSOR_AIM} ms"));
        }
        WorkAim::PerRequest if per_request > REQUEST_AIM => {
            misses.push(format!("a request costs {per_request:.0} µs; aim: {REQUEST_AIM} µs"));
        }
        _ => {}
    }
    check_health(&work.health, &mut misses);
    check_memory(work.peak, &mut misses);
    if work.files_left > 0 {
        misses.push(format!("{} files or connections stay open", work.files_left));
    }
    let figures = vec![
        if aim == WorkAim::PerMegabyte { format!("{per_megabyte:.1}") } else { "-".to_owned() },
        match aim {
            WorkAim::PerMegabyte => "-".to_owned(),
            WorkAim::PerRequest | WorkAim::PerPage => format!("{per_request:.1}"),
            WorkAim::PerConnection | WorkAim::NotLimited => format!("({per_request:.0})"),
        },
        format!("{:.1}", work.health.p99_milliseconds()),
        format!("{:.0}", work.peak),
        work.ends,
    ];
    Ok(outcome(row, figures, misses))
}

/// Repeats the attack of a row for some time, and measures the server.
///
/// # Errors
/// Fails if the server cannot be measured, or does not accept connections.
pub fn measure_work(row: &Row, server: &Server, seconds: f64, seed: u64, health_cost: f64) -> Result<Work> {
    let process = server.process_id();
    let files_before = open_files(process)?;
    reset_peak(process)?;
    let healthy = HealthyClient::start(server.target)?;
    let before = processor_seconds(process)?;
    let attacker = thread::scope(|scope| {
        let attacking = scope.spawn(|| -> Result<Attacker<'_>> {
            pin_thread(ATTACK_CORE);
            let mut attacker = Attacker::new(server, seed);
            let begun = Instant::now();
            while attacker.bytes == 0 || begun.elapsed().as_secs_f64() < seconds {
                send_pass(row, &mut attacker)?;
            }
            Ok(attacker)
        });
        attacking.join().map_err(|_| Error::from("the attacking client has failed"))?
    })?;
    // The server may still be busy with what it has received.
    thread::sleep(Duration::from_millis(200));
    let used = processor_seconds(process)? - before;
    let health = healthy.stop();
    let peak = peak_mebibytes(process)?;
    let used = (used - health_cost * health.count() as f64).max(0.0);
    Ok(Work {
        milliseconds_per_megabyte: used * 1e3 / (attacker.bytes as f64 / 1e6),
        microseconds_per_request: used * 1e6 / attacker.requests.max(1) as f64,
        health,
        peak,
        files_left: files_left(process, files_before)?,
        ends: frequent_ends(&attacker.ends),
        misses: attacker.misses,
    })
}

/// Returns the three most frequent ends of requests.
fn frequent_ends(ends: &BTreeMap<String, u64>) -> String {
    let mut ends: Vec<_> = ends.iter().collect();
    ends.sort_by_key(|(_, count)| Reverse(**count));
    let names: Vec<_> = ends.into_iter().take(3).map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

/// Returns the number of files and connections that stay open after an attack. Connections that the server closes soon
/// after the attack do not count.
fn files_left(process: u32, before: usize) -> Result<usize> {
    // Databases keep a few files open once they are used.
    const KEPT: usize = 60;
    let begun = Instant::now();
    loop {
        let left = open_files(process)?.saturating_sub(before + KEPT);
        if left == 0 || begun.elapsed() > Duration::from_secs(5) {
            return Ok(left);
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn send_pass(row: &Row, attacker: &mut Attacker<'_>) -> Result<()> {
    match row.attack {
        Attack::Work(_, pass) => pass(attacker),
        Attack::Field { target, first, next } => send_long_field(attacker, target, first, next),
        _ => Err("the row measures no work".into()),
    }
}
