//! Attacks a server of the example API, and prints what each attack costs. The script `scripts/attack` builds and runs
//! it.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]

use std::process::ExitCode;

use attack::rows;
use attack::run::{Settings, reaches_all_aims, run};
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
    #[arg(value_name = "ROW", value_parser = PossibleValuesParser::new(rows::all().iter().map(|row| row.name)), hide_possible_values = true)]
    rows: Vec<String>,
    /// List the rows and what they do
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    settings: Settings,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut rows = rows::all();
    if cli.list {
        for row in rows {
            println!("{:<28} {}", row.name, row.about);
        }
        return ExitCode::SUCCESS;
    }
    rows.retain(|row| cli.rows.is_empty() || cli.rows.iter().any(|name| name == row.name));
    match run(&rows, &cli.settings) {
        Ok(tables) => {
            for table in &tables {
                println!("{table}");
            }
            // The tables show which aims are missed.
            if reaches_all_aims(&tables) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
