//! Runs both servers, measures them in rounds, and prints the results.
//!
//! This module makes the comparison fair. The servers run on one processor core; the load (the program that sends the
//! requests) runs on another. Both servers must give the same responses before they are measured. The rounds of the two
//! servers alternate, so that changes in the speed of the machine affect both.

mod check;
mod counts;
mod documents;
mod load;
mod memory;
mod process;
mod processor_time;
mod profile;
mod readme;
mod results;
mod server;
mod statistics;
mod table;
mod wrk;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::thread;

use clap::{Args, ValueEnum, value_parser};

pub use self::load::{LoadOptions, run_load};
pub use self::process::{Process, free_address};
use self::processor_time::ProcessorTime;
use self::results::{CaseRow, Results};
use self::server::ServerPair;
pub use self::server::{Server, ServerKind};
use crate::cases::{Case, ServedContent};
use crate::kinds;

/// The processor core on which the servers run.
pub const SERVER_CORE: usize = 0;
/// The processor core on which the load runs.
pub const LOAD_CORE: usize = 1;

/// The options of the measurement.
#[derive(Clone, Args)]
pub struct Settings {
    /// Cases to measure [default: all]
    #[arg(value_enum)]
    cases: Vec<Case>,
    /// Number of rounds of each case and server
    #[arg(long, default_value_t = 15, value_parser = value_parser!(u32).range(1..))]
    rounds: u32,
    /// Duration of a round in seconds
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    seconds: u32,
    /// Number of connections of the load
    #[arg(long, default_value_t = 32, value_parser = value_parser!(u32).range(1..))]
    connections: u32,
    /// Write a flame graph of rulebook's processor time in this case to the folder `target` instead
    #[arg(long, value_enum, value_name = "CASE", conflicts_with = "cases")]
    profile: Option<Case>,
    /// Count instructions and misses of caches of a request instead, in the named cases, or in ping, get, json and form
    #[arg(long, conflicts_with_all = ["profile", "readme"])]
    counts: bool,
    /// Measure the cases in the README, and write their results to it
    #[arg(long, conflicts_with_all = ["cases", "profile"])]
    readme: bool,
}

/// Measures all cases, and prints the tables of results. Returns `true` if every goal is reached.
pub fn run_benchmark(settings: &Settings) -> Result<bool, Box<dyn Error>> {
    if let Some(case) = settings.profile {
        println!("{}", profile::write_flame_graph(case, settings)?.display());
        return Ok(true);
    }
    if settings.counts {
        counts::print_counts(&settings.cases)?;
        return Ok(true);
    }
    let results = measure_cases(settings);
    print_progress(format_args!(""));
    let results = results?;
    print!("{}", results.text);
    Ok(results.all_reached)
}

fn measure_cases(settings: &Settings) -> Result<Results, Box<dyn Error>> {
    if thread::available_parallelism()?.get() <= LOAD_CORE {
        return Err("two processor cores are required: one for the server and one for the load".into());
    }
    let is_selected = |case: &Case| match settings.readme {
        true => readme::README_CASES.contains(case),
        false => settings.cases.is_empty() || settings.cases.contains(case),
    };
    let selected = Case::value_variants().iter().copied().filter(is_selected);
    let (missing, cases): (Vec<_>, Vec<_>) =
        selected.map(|case| (case, missing_program(case))).partition(|(_, program)| program.is_some());
    let cases: Vec<_> = cases.into_iter().map(|(case, _)| case).collect();

    // All servers are started first, because idle servers need no processor time. Each round then measures all cases,
    // so that slow changes in the speed of the machine affect all cases.
    let mut pairs = BTreeMap::new();
    for &case in &cases {
        let content = case.served_content();
        print_progress(format_args!("starting the servers: {}", case.title()));
        let pair = match pairs.entry(content) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(ServerPair::start(content)?),
        };
        check::compare_responses(case, pair)?;
    }

    // The memory is measured first, because the rounds increase the memory of the servers.
    let mut results = Results::default();
    for (content, is_upload) in [(ServedContent::Files { nodelay: false }, false), (ServedContent::Uploads, true)] {
        if let Some(pair) = pairs.get(&content) {
            print_progress(format_args!("measuring memory"));
            let rulebook = pair.server(ServerKind::Rulebook);
            memory::measure_memory(rulebook.process_id(), rulebook.address, is_upload, &mut results)?;
        }
    }
    for download in &kinds::LARGE_DOWNLOADS {
        if let Some(pair) = pairs.get(&ServedContent::DefinedHandlers(download.comparison)) {
            print_progress(format_args!("measuring memory"));
            memory::measure_download(pair.server(ServerKind::Rulebook), download, &mut results)?;
        }
    }

    let mut rows: Vec<_> = cases.into_iter().map(CaseRow::new).collect();
    // Round 0 only warms up the servers. Its results are ignored.
    for round in 0..=settings.rounds {
        for row in &mut rows {
            let pair = &pairs[&row.case.served_content()];
            let round_of = |kind: ServerKind| {
                print_progress(format_args!(
                    "round {round} of {}: {}, {}",
                    settings.rounds,
                    row.case.title(),
                    kind.title()
                ));
                run_round(row.case, pair.server(kind), settings)
            };
            let (hand, rulebook) = (round_of(ServerKind::Hand)?, round_of(ServerKind::Rulebook)?);
            if round > 0 {
                row.push_round(hand, rulebook);
            }
        }
    }

    if settings.readme {
        readme::write_readme(&rows, settings.rounds)?;
    }
    let many = |(content, pair): (&ServedContent, &ServerPair)| match content {
        ServedContent::ManyServices(services) => Some((*services, pair.milliseconds_to_ready)),
        _ => None,
    };
    let started: Vec<_> = pairs.iter().filter_map(many).collect();
    let mut all = Results::of_cases(&rows, settings);
    all.add_starts(&started);
    all.append(&results);
    all.add_missing(&missing);
    Ok(all)
}

/// Returns the name of a program that a case needs and that is not installed.
fn missing_program(case: Case) -> Option<&'static str> {
    match case.served_content() {
        ServedContent::Nginx => (!kinds::has_nginx()).then_some("nginx"),
        ServedContent::DefinedHandlers(comparison) => kinds::missing_program(comparison),
        _ => None,
    }
}

/// The number of requests in a round.
struct RequestCount {
    total: f64,
    per_second: f64,
}

/// What a round measured.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The number of requests.
    requests: f64,
    requests_per_second: f64,
    /// The processor time of the server per request, in microseconds.
    processor_time: ProcessorTime,
}

/// Runs a round of a case on one of the servers.
fn run_round(case: Case, server: &Server, settings: &Settings) -> Result<Round, Box<dyn Error>> {
    let before = ProcessorTime::of_process(server.process_id())?;
    let count = if case.is_large() {
        load::run_round(case, server.address, settings)?
    } else {
        wrk::run_round(case, server.address, settings)?
    };
    let used = ProcessorTime::of_process(server.process_id())? - before;
    Ok(Round {
        requests: count.total,
        requests_per_second: count.per_second,
        processor_time: used.per_request(count.total),
    })
}

/// Prints what the program is doing, if standard error is a terminal.
fn print_progress(what: std::fmt::Arguments<'_>) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // The escape sequence clears the current line. Errors of the terminal are ignored.
        let _ = write!(stderr, "\r\x1b[2K{what}").and_then(|()| stderr.flush());
    }
}
