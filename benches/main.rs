//! Compares the performance of rulebook with the performance of a hand-written server on actix-web that has the same
//! endpoints.
//!
//! One program contains both servers, so that they are compiled with the same options. Its commands `hand` and
//! `rulebook` start a server, `definitions` writes the definition of the API, and `drive`, the default command,
//! measures both servers and prints a table. The script `scripts/bench` builds and starts the program.

#![expect(clippy::print_stdout, reason = "a program that prints its results")]

mod cases;
mod definition;
mod drive;
mod files;
mod hand;
mod keys;
mod kinds;
mod orders;
mod requests;
mod rulebook_server;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{io, process, thread};

use clap::{Args, Parser, Subcommand};

// Both servers have the allocator that the program of the demo has.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Compare rulebook with hand-written actix-web
#[derive(Parser)]
#[command(name = "scripts/bench", args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    drive: drive::Settings,
    /// Ignored; `cargo bench` passes this flag.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Measure both servers and print the table (the default command)
    Drive(drive::Settings),
    /// Serve the endpoints written by hand
    Hand(ServeOptions),
    /// Serve the endpoints from their definition
    Rulebook(ServeOptions),
    /// Serve what handlers of the kind `http` request
    #[command(hide = true)]
    Upstream(ServeOptions),
    /// Download or upload a file repeatedly, and print the number of requests per second
    #[command(hide = true)]
    Load(drive::LoadOptions),
    /// Write the definition (api/) and the keys (data/) of `rulebook`
    Definitions {
        /// Folder to write to
        folder: PathBuf,
        /// Number of paths of a single endpoint to define; 0 defines each endpoint once
        #[arg(long, default_value_t = 0)]
        services: usize,
        /// Number of keys
        #[arg(long, default_value_t = keys::DEFAULT_COUNT)]
        keys: usize,
    },
}

#[derive(Args)]
struct ServeOptions {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8080")]
    bind: SocketAddr,
    /// Serve one endpoint under this number of names; 0 serves every endpoint once
    #[arg(long, default_value_t = 0)]
    services: usize,
    /// Serve the demo's articles from the database in this folder instead
    #[arg(long, conflicts_with = "services")]
    articles: Option<PathBuf>,
    /// Serve the files in this folder instead, and accept uploads
    #[arg(long, conflicts_with_all = ["services", "articles"])]
    files: Option<PathBuf>,
    /// Serve the definition in this folder instead; only for `rulebook`
    #[arg(long, hide = true)]
    definition: Option<PathBuf>,
    /// Serve the notes in the database with this URL instead; only for `hand`
    #[arg(long, hide = true)]
    notes: Option<String>,
    /// Serve the quotes of the server with this address instead; only for `hand`
    #[arg(long, hide = true)]
    upstream: Option<SocketAddr>,
    /// Set the socket option TCP_NODELAY; only for `hand`, because rulebook always sets it
    #[arg(long, requires = "files")]
    nodelay: bool,
    /// Compare the outputs of each call with the definition; only for `rulebook`
    #[arg(long)]
    verify_outputs: bool,
    /// Number of keys
    #[arg(long, default_value_t = keys::DEFAULT_COUNT)]
    keys: usize,
    /// Also serve the documents in this folder; only for `hand`
    #[arg(long, hide = true)]
    documents: Option<PathBuf>,
    /// End when standard input ends, so that the server does not outlive the program that started it
    #[arg(long)]
    attached: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command.unwrap_or(Command::Drive(cli.drive)) {
        Command::Drive(settings) => match drive::run_benchmark(&settings) {
            Ok(true) => Ok(()),
            // The tables show which goals are missed.
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        Command::Hand(serve) => serve.run_server(ServeOptions::serve_by_hand),
        Command::Rulebook(serve) => serve.run_server(ServeOptions::serve_with_rulebook),
        Command::Upstream(serve) => serve.run_server(|serve| kinds::upstream::serve(serve.bind)),
        Command::Load(load) => drive::run_load(&load),
        Command::Definitions { folder, services, keys } => {
            definition::write_definition(&folder, services, keys).map_err(Into::into)
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

impl ServeOptions {
    fn serve_by_hand(&self) -> Result<(), Box<dyn Error>> {
        match self {
            Self { articles: Some(folder), .. } => hand::serve_articles(self.bind, folder),
            Self { files: Some(folder), .. } => hand::serve_files(self.bind, folder, self.nodelay),
            Self { notes: Some(url), .. } => hand::serve_notes(self.bind, url),
            Self { upstream: Some(address), .. } => hand::serve_quotes(self.bind, *address),
            _ => hand::serve_endpoints(self.bind, self.services, self.keys, self.documents.as_deref()),
        }
    }

    fn serve_with_rulebook(&self) -> Result<(), Box<dyn Error>> {
        match self {
            Self { articles: Some(folder), .. } => rulebook_server::serve_articles(self.bind, folder),
            Self { files: Some(folder), .. } => rulebook_server::serve_files(self.bind, folder),
            Self { definition: Some(folder), .. } => rulebook_server::serve_definition(self.bind, folder),
            _ => rulebook_server::serve_endpoints(self.bind, self.services, self.keys, self.verify_outputs),
        }
    }

    fn run_server(&self, serve: fn(&Self) -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
        if self.attached {
            thread::spawn(|| {
                // If reading fails, the input has ended too.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                process::exit(0);
            });
        }
        serve(self)
    }
}
