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
    let judged = rulebook.check().and_then(|api| if options.bound { rulebook.build().map(|_| api) } else { Ok(api) });
    match judged {
        Ok(api) if options.print => {
            output::print(&format!("{:#}\n", describe::canonical(&api)));
            Exit::Done
        }
        Ok(api) => {
            if options.format == Format::Text {
                let services: Vec<_> = api.modules.iter().flat_map(|module| &module.services).collect();
                let methods: usize = services.iter().map(|service| service.methods.len()).sum();
                let (modules, services) = (api.modules.len(), services.len());
                output::print(&format!("no fault: {modules} modules, {services} services, {methods} methods\n"));
            }
            Exit::Done
        }
        Err(report) => {
            match options.format {
                Format::Text => {
                    let colour = output::has_colour(&io::stdout());
                    output::print(&format!("{}\n{}\n", report.render(colour), output::count(&report)));
                }
                Format::Json => output::print(&report.json_lines()),
            }
            Exit::Refused
        }
    }
}
