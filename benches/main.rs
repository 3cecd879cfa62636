//! What rulebook costs, shown beside the same endpoints written by hand on bare actix-web.
//!
//! One program, so that both servers are compiled alike: `hand` and
//! `rulebook` serve, `definitions` writes what the latter serves from, and
//! `drive`, the default, runs them in turns and prints the table.
//! `scripts/bench` builds and starts it.

#![expect(clippy::print_stdout, reason = "what it prints is what it is run for")]

mod cases;
mod definition;
#[path = "../src/demo/mod.rs"]
mod demo;
mod drive;
mod files;
mod hand;
mod keys;
mod ours;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{io, process, thread};

use clap::{Args, Parser, Subcommand};

/// rulebook beside hand-written actix-web.
#[derive(Parser)]
#[command(name = "scripts/bench", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    drive: drive::Settings,
    /// Said by `cargo bench`; means nothing here.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Measure both and print the table; this is what is done without a command
    Drive(drive::Settings),
    /// Serve the endpoints written by hand
    Hand(Serve),
    /// Serve the endpoints from their definition
    Rulebook(Serve),
    /// Ask a server for a file, or send it one, again and again, and print how often it did so in a second
    #[command(hide = true)]
    Load(drive::Load),
    /// Write the definition (api/) and the keys (data/) that `rulebook` serves from
    Definitions {
        /// The folder to write them into
        folder: PathBuf,
        /// Define one endpoint under so many names instead of all once; 0 for the latter
        #[arg(long, default_value_t = 0)]
        services: usize,
    },
}

#[derive(Args)]
struct Serve {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Serve one endpoint under so many names instead of all once; 0 for the latter
    #[arg(long, default_value_t = 0)]
    services: usize,
    /// Serve the demo's articles instead, from the database in this folder
    #[arg(long, conflicts_with = "services")]
    articles: Option<PathBuf>,
    /// Serve the files in this folder instead, and take others
    #[arg(long, conflicts_with_all = ["services", "articles"])]
    files: Option<PathBuf>,
    /// Send what there is at once, though there may soon be more; by hand only, rulebook always does
    #[arg(long, requires = "files")]
    nodelay: bool,
    /// Know so many keys
    #[arg(long, default_value_t = keys::COUNT)]
    keys: usize,
    /// Serve the ready documents in this folder too; by hand only
    #[arg(long, hide = true)]
    documents: Option<PathBuf>,
    /// End when standard input ends, as it does when the program at its other end dies
    #[arg(long)]
    attached: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command.unwrap_or(Command::Drive(cli.drive)) {
        Command::Drive(settings) => drive::drive(&settings),
        Command::Hand(serve) => serve.run(|serve| match (&serve.articles, &serve.files) {
            (Some(folder), _) => hand::serve_articles(serve.bind, folder),
            (_, Some(folder)) => hand::serve_files(serve.bind, folder, serve.nodelay),
            _ => hand::serve(serve.bind, serve.services, serve.keys, serve.documents.as_deref()),
        }),
        Command::Rulebook(serve) => serve.run(|serve| match (&serve.articles, &serve.files) {
            (Some(folder), _) => ours::serve_articles(serve.bind, folder),
            (_, Some(folder)) => ours::serve_files(serve.bind, folder),
            _ => ours::serve(serve.bind, serve.services, serve.keys),
        }),
        Command::Load(load) => drive::load(&load),
        Command::Definitions { folder, services } => {
            definition::write(&folder, services, keys::COUNT).map_err(Into::into)
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Serve {
    fn run(&self, serve: fn(&Self) -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
        if self.attached {
            thread::spawn(|| {
                // How it ended does not matter, that it did does.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                process::exit(0);
            });
        }
        serve(self)
    }
}
