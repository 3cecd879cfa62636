//! Runs both servers and the load in turns, and prints the results.
//!
//! This module ensures a fair comparison: the servers run on one core and the load on another, both servers must give
//! the same responses before they are measured, and rounds are interleaved, so that changes in the speed of the machine
//! affect both.

mod check;
mod documents;
mod load;
mod memory;
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

pub use self::load::{Load, load};
use self::server::{Kind, Pair, has_nginx};
use self::table::Row;
use crate::cases::{Case, Setup};

/// The core of the servers.
const SERVER_CORE: usize = 0;
/// The core of the load.
const LOAD_CORE: usize = 1;

/// The options of the measurement.
#[derive(Args)]
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
}

/// Measures, and prints the table.
pub fn drive(settings: &Settings) -> Result<(), Box<dyn Error>> {
    let table = measure(settings);
    progress(format_args!(""));
    print!("{}", table?);
    Ok(())
}

fn measure(settings: &Settings) -> Result<String, Box<dyn Error>> {
    if thread::available_parallelism()?.get() <= LOAD_CORE {
        return Err("two processor cores are required: one for the server and one for the load".into());
    }
    let cases: Vec<_> = Case::value_variants()
        .iter()
        .copied()
        .filter(|case| settings.cases.is_empty() || settings.cases.contains(case))
        .filter(|case| case.setup() != Setup::Nginx || settings.cases.contains(case) || has_nginx())
        .collect();

    // Idle servers cost nothing, so that all are started first. A round runs all cases, so that drift affects all of
    // them.
    let mut pairs = BTreeMap::new();
    for &case in &cases {
        let setup = case.setup();
        progress(format_args!("starting the servers: {}", case.title()));
        let pair = match pairs.entry(setup) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Pair::start(setup)?),
        };
        check::same(case, pair)?;
    }

    // Measured before other cases increase the memory of the servers.
    let mut memory = String::new();
    for (setup, up) in [(Setup::Files { nodelay: false }, false), (Setup::Uploads, true)] {
        if let Some(pair) = pairs.get(&setup) {
            progress(format_args!("measuring memory"));
            let rulebook = pair.of(Kind::Rulebook);
            memory.push_str(&memory::measure(rulebook.process(), rulebook.address, up)?);
        }
    }

    let mut rows: Vec<_> = cases.into_iter().map(Row::new).collect();
    // Round 0 warms up the servers and is not counted.
    for round in 0..=settings.rounds {
        for row in &mut rows {
            let pair = &pairs[&row.case.setup()];
            let round_of = |kind: Kind| {
                progress(format_args!("round {round} of {}: {}, {}", settings.rounds, row.case.title(), kind.title()));
                let address = pair.of(kind).address;
                if row.case.is_large() {
                    load::round(row.case, address, settings)
                } else {
                    wrk::round(row.case, address, settings)
                }
            };
            let (hand, rulebook) = (round_of(Kind::Hand)?, round_of(Kind::Rulebook)?);
            if round > 0 {
                row.push(hand, rulebook);
            }
        }
    }

    let many = |(setup, pair): (&Setup, &Pair)| match setup {
        Setup::Many(services) => Some((*services, pair.ready_after)),
        _ => None,
    };
    let started: Vec<_> = pairs.iter().filter_map(many).collect();
    let text = table::markdown(&rows, &started, settings);
    Ok(text + &memory)
}

/// Prints progress if standard error is a terminal.
fn progress(what: std::fmt::Arguments<'_>) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // Overwrites the current line. An error on the terminal does not matter.
        let _ = write!(stderr, "\r\x1b[2K{what}").and_then(|()| stderr.flush());
    }
}
