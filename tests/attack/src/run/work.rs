//! Rows that measure the processor time of the server.

use std::cmp::Reverse;
use std::thread;
use std::time::{Duration, Instant};

use super::{HEALTH_AIM, MEMORY_AIM, Settings, check_health, check_memory};
use crate::health::{Health, HealthyClient, measure_without_attack};
use crate::measure::{ATTACK_CORE, open_files, peak_mebibytes, pin_thread, processor_seconds, reset_peak};
use crate::report::{Outcome, Table};
use crate::rows::{Attack, Attacker, Pass, Row, WorkAim};
use crate::server::Server;
use crate::{Error, Result};

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
    /// The statuses of the responses, the most frequent first.
    pub statuses: String,
    /// What the row itself found.
    pub misses: Vec<String>,
}

pub(super) fn work_rows(rows: &[Row], settings: &Settings) -> Result<Table> {
    let measured = rows.iter().filter_map(|row| match &row.attack {
        Attack::Work(aim, pass) => Some((row, *aim, pass)),
        _ => None,
    });
    let mut measured = measured.peekable();
    if measured.peek().is_none() {
        return Ok(Table::default());
    }
    let mut server = Server::start(&settings.installation)?;
    let (health_cost, quiet) = measure_without_attack(server.target, server.process_id())?;
    let mut outcomes = Vec::new();
    for (row, aim, pass) in measured {
        eprintln!("{}", row.name);
        let mut best: Option<Outcome> = None;
        for _ in 0..MAX_RUNS {
            if !server.is_running()? {
                server = Server::start(&settings.installation)?;
            }
            let run = measure_work(pass, &server, settings.seconds, health_cost)
                .map(|work| work_outcome(row, aim, work))
                .unwrap_or_else(|error| Outcome::new(row, Vec::new(), vec![format!("the attack failed: {error}")]));
            if best.as_ref().is_none_or(|best| run.misses.len() < best.misses.len()) {
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
    let text = format!(
        "The cost is the processor time of the server for a megabyte that it receives. If a row consists of complete requests, \
         or of connections that end with an error, it is the time for each of them. During each row, 99 of 100 requests of a \
         healthy client for `/healthz` must be responded to within {HEALTH_AIM} ms (without an attack, within {:.1} ms), and \
         the memory of the server must stay below {MEMORY_AIM} MiB. The costs of the healthy client, {:.0} µs a request, are \
         subtracted. A row that misses an aim is measured up to {MAX_RUNS} times.",
        quiet.p99_milliseconds(),
        health_cost * 1e6
    );
    let headings = &["cost", "aim", "/healthz p99, ms", "memory, MiB", "responses"];
    Ok(Table { title: "Work", text, headings, outcomes })
}

fn work_outcome(row: &Row, aim: WorkAim, work: Work) -> Outcome {
    let mut misses = work.misses;
    let (per_megabyte, per_request) = (work.milliseconds_per_megabyte, work.microseconds_per_request);
    let (cost, max, unit) = match aim {
        WorkAim::PerMegabyte => (per_megabyte, Some(50.0), "ms/MB"),
        WorkAim::PerRequest => (per_request, Some(60.0), "µs"),
        WorkAim::PerPage => (per_request, Some(150.0), "µs"),
        WorkAim::PerConnection => (per_request, Some(200.0), "µs"),
        WorkAim::NotLimited => (per_request, None, "µs"),
    };
    if let Some(max) = max.filter(|max| cost > *max) {
        misses.push(format!("it costs {cost:.0} {unit}; aim: {max} {unit}"));
    }
    check_health(&work.health, HEALTH_AIM, &mut misses);
    check_memory(work.peak, MEMORY_AIM, &mut misses);
    if work.files_left > 0 {
        misses.push(format!("{} files or connections stay open", work.files_left));
    }
    let figures = vec![
        format!("{cost:.1} {unit}"),
        max.map_or("-".to_owned(), |max| max.to_string()),
        format!("{:.1}", work.health.p99_milliseconds()),
        format!("{:.0}", work.peak),
        work.statuses,
    ];
    Outcome::new(row, figures, misses)
}

/// Repeats the attack of a row for some time, and measures the server.
pub fn measure_work(pass: &Pass, server: &Server, seconds: f64, health_cost: f64) -> Result<Work> {
    let process = server.process_id();
    let files_before = open_files(process)?;
    reset_peak(process)?;
    let healthy = HealthyClient::start(server.target)?;
    let before = processor_seconds(process)?;
    let attack = || -> Result<Attacker<'_>> {
        pin_thread(ATTACK_CORE);
        let mut attacker = Attacker::new(server);
        let begun = Instant::now();
        while attacker.bytes == 0 || begun.elapsed().as_secs_f64() < seconds {
            pass(&mut attacker)?;
        }
        Ok(attacker)
    };
    let attacked = thread::scope(|scope| scope.spawn(attack).join());
    let attacker = attacked.map_err(|_| Error::from("the attacking client has failed"))??;
    // The server may still be busy with what it has received.
    thread::sleep(Duration::from_millis(200));
    let used = processor_seconds(process)? - before;
    let health = healthy.stop();
    let peak = peak_mebibytes(process)?;
    let mut statuses: Vec<_> = attacker.statuses.into_iter().collect();
    statuses.sort_by_key(|(_, count)| Reverse(*count));
    let used = (used - health_cost * health.count() as f64).max(0.0);
    Ok(Work {
        milliseconds_per_megabyte: used * 1e3 / (attacker.bytes as f64 / 1e6),
        microseconds_per_request: used * 1e6 / attacker.requests.max(1) as f64,
        health,
        peak,
        files_left: files_left(process, files_before)?,
        statuses: statuses.iter().map(|(status, _)| status.to_string()).collect::<Vec<_>>().join(", "),
        misses: attacker.misses,
    })
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
