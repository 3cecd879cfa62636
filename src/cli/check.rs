//! `rulebook check`: every fault of a definition.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Exit, Settings, output};
use crate::describe;
use crate::engine::Rulebook;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The folder of the definition; without it, that of --api.
    dir: Option<PathBuf>,
    /// How faults are printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Prints the whole definition in its canonical form.
    #[arg(long)]
    print: bool,
    /// Also compares the definition with this program's handlers.
    #[arg(long)]
    bound: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the lines at fault, for people.
    Text,
    /// One JSON object a line, with `code`, `message`, `file`, `line`, `column` and `help`.
    Json,
}

pub(super) fn run(app: impl FnOnce(Rulebook) -> Rulebook, settings: &Settings, options: &Options) -> Exit {
    let folder = options.dir.clone().unwrap_or_else(|| settings.api.clone());
    let settings = Settings { api: folder, ..settings.clone() };
    // Own types belong to the text's judgement; handlers only where they are asked for.
    let rulebook = settings.rulebook(app);
    let judged = if options.bound { rulebook.build().map(|engine| engine.api().clone()) } else { rulebook.check() };
    match judged {
        Ok(api) if options.print => output::print(&format!("{:#}\n", describe::canonical(&api))),
        Ok(api) if options.format == Format::Text => output::print(&format!("no fault: {}\n", output::extent(&api))),
        Ok(_) => Exit::Done,
        Err(report) => {
            let printed = match options.format {
                Format::Text => {
                    let colour = output::has_colour(&io::stdout());
                    output::print(&format!("{}\n{}\n", report.render(colour), output::count(&report)))
                }
                Format::Json => output::print(&report.json_lines()),
            };
            if printed == Exit::Failed { Exit::Failed } else { Exit::Refused }
        }
    }
}
