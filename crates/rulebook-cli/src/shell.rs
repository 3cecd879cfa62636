//! `rulebook completions` and `rulebook man`: completions for shells, and manual pages. Both are generated from the
//! argument parser, as the help is.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::{Exit, argument_parser_of, output};

const COMPLETION_EXAMPLES: &str = "\
Examples:
  rulebook completions bash > ~/.local/share/bash-completion/completions/rulebook
  rulebook completions zsh > \"${fpath[1]}/_rulebook\"
  rulebook completions fish > ~/.config/fish/completions/rulebook.fish";

/// Print completions of commands and flags for a shell.
#[derive(Debug, Args)]
#[command(after_help = COMPLETION_EXAMPLES)]
pub(super) struct CompletionsOptions {
    /// The shell that loads the completions.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page of the program, or write the pages of all commands.
#[derive(Debug, Args)]
pub(super) struct ManOptions {
    /// Write a page for the program and one for each command to this folder, such as `/usr/local/share/man/man1`.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

pub(super) fn print_completions(options: &CompletionsOptions) -> Exit {
    let name = program_name();
    // The completions for bash do not find the commands of a program with `-` in its name. They are made for a name
    // without it; only the last line contains the name of the program.
    let made_for = if options.shell == Shell::Bash { name.replace('-', "_") } else { name.clone() };
    let mut text = Vec::new();
    clap_complete::generate(options.shell, &mut argument_parser_of(made_for.clone()), &made_for, &mut text);
    let text =
        String::from_utf8_lossy(&text).replace(&format!("-o default {made_for}\n"), &format!("-o default {name}\n"));
    output::print_to_stdout(&text)
}

pub(super) fn write_manual(options: &ManOptions) -> Exit {
    let parser = argument_parser_of(program_name());
    let Some(folder) = &options.output else {
        let mut page = Vec::new();
        return match Man::new(parser).render(&mut page) {
            Ok(()) => output::print_to_stdout(&String::from_utf8_lossy(&page)),
            Err(error) => output::print_system_error(error),
        };
    };
    match std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(parser, folder)) {
        Ok(()) => Exit::Success,
        Err(error) => output::print_system_error(format!("--output {}: {error}", folder.display())),
    }
}

fn program_name() -> String {
    let path = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    path.file_stem().and_then(|name| name.to_str()).unwrap_or("rulebook").to_owned()
}
