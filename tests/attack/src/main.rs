//! Attacks a server of the example API, and prints what each attack costs. The script `scripts/attack` builds and runs
//! it.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]

use std::path::PathBuf;
use std::process::ExitCode;

use attack::report::print_progress;
use attack::rows::{self, Row};
use attack::run::{Settings, reaches_all_aims, run};
use attack::server::Installation;
use clap::Parser;
use clap::builder::PossibleValuesParser;

/// Attack a server of the example API on this machine, and measure what each attack costs the server
///
/// The program starts the server as a separate process, with data in a temporary folder, and connects only to loopback
/// addresses. It prints tables in Markdown with a verdict for each row. The exit status is 0 if the server reaches all
/// aims, 1 if it misses one, and 2 for wrong usage or if an attack cannot be measured.
#[derive(Parser)]
#[command(name = "scripts/attack")]
struct Cli {
    /// Rows to run [default: all]; --list describes them
    #[arg(value_name = "ROW", value_parser = PossibleValuesParser::new(rows::all().map(|row| row.name)), hide_possible_values = true)]
    rows: Vec<String>,
    /// Number of random requests of the row `requests`
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    requests: u64,
    /// Number of connections of each row with many connections
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=15_000))]
    connections: u32,
    /// Minimum duration of each row that measures processor time, in seconds
    #[arg(long, default_value_t = 1.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Seed of all random numbers; the same seed gives the same requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// List the rows and what they do
    #[arg(long)]
    list: bool,
    /// Program of the server
    #[arg(long, value_name = "FILE", default_value = "target/release/article-site")]
    server: PathBuf,
    /// Folder of the repository, which contains the folders `api` and `static`
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: PathBuf,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if (0.0..=600.0).contains(&seconds) { Ok(seconds) } else { Err("expected a number from 0 to 600".to_owned()) }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.list {
        for row in rows::all() {
            println!("{:<28} {}", row.name, row.about);
        }
        return ExitCode::SUCCESS;
    }
    let selected: Vec<Row> =
        rows::all().filter(|row| cli.rows.is_empty() || cli.rows.iter().any(|name| name == row.name)).collect();
    match attack(&cli, &selected) {
        Ok(true) => ExitCode::SUCCESS,
        // The tables show which aims are missed.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn attack(cli: &Cli, selected: &[Row]) -> attack::Result<bool> {
    let settings = Settings {
        installation: Installation {
            program: cli.server.canonicalize().map_err(|error| format!("{}: {error}", cli.server.display()))?,
            repository: cli.repository.canonicalize()?,
        },
        requests: cli.requests,
        connections: cli.connections as usize,
        seconds: cli.seconds,
        seed: cli.seed,
    };
    let tables = run(selected, &settings);
    print_progress(format_args!(""));
    let tables = tables?;
    for table in &tables {
        println!("{table}");
    }
    Ok(reaches_all_aims(&tables))
}
