//! Runs the commands in the documentation and compares their output with the output that the pages show.
//!
//! In a `console` block, a line that begins with `$ ` is a command, and the lines after the command are its expected
//! output. In this output, `[..]` matches any text within a line. All commands of a page run in one temporary folder
//! that looks like a fresh clone of the repository after a release build. The command `cargo run --release` starts the
//! server, after stopping the server that was started before. The line `rulebook serve --api shop` serves the first
//! JSON block of the page. If `UPDATE_GOLDEN` is `1`, the actual output is written into the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rulebook::{Rulebook, RunningServer, Settings};

use crate::server_process::{ServerProcess, clear, copy_files, free_address, program};

/// The address of the server on the pages.
const DOCUMENTED_ADDRESS: &str = "127.0.0.1:8080";

/// The line of a page that serves the first JSON block of the page.
const SERVE_SHOP: &str = "rulebook serve --api shop\n";

#[test]
fn the_commands_of_the_readme_work_with_its_definition() {
    check_commands("README.md");
}

#[test]
fn the_readme_has_at_most_the_allowed_number_of_lines() {
    let readme = fs::read_to_string(repository_root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 150, "the README has {} lines", readme.lines().count());
}

#[test]
fn the_commands_of_the_tour_work() {
    check_commands("docs/tour.md");
}

#[test]
fn the_commands_on_the_page_about_keys_work() {
    check_commands("docs/keys.md");
}

#[test]
fn the_commands_on_the_page_about_files_between_servers_work() {
    check_commands("docs/internal-api.md");
}

#[test]
fn the_commands_on_the_page_about_changes_work() {
    check_commands("docs/contract.md");
}

#[test]
fn the_commands_on_the_page_about_backups_work() {
    check_commands("docs/backup.md");
}

/// Runs the commands of a page, and fails if the output of a command differs from the output that the page shows.
pub fn check_commands(page: &str) {
    let path = repository_root().join(page);
    let text = fs::read_to_string(&path).unwrap();
    let clone = FreshClone::new();
    let (mut server, mut shop) = (None, None);
    let mut differences = Vec::new();
    let mut updated = String::new();
    let mut commands = 0;
    for part in parts(&text) {
        let Part::Command { command, output } = part else {
            if part.line() == SERVE_SHOP {
                shop = Some(clone.serve_shop(&text));
            }
            updated.push_str(part.line());
            continue;
        };
        commands += 1;
        let actual = match command.strip_prefix("cargo run --release") {
            Some(arguments) => {
                drop(server.take());
                let (started, printed) = clone.start_server(arguments);
                server = Some(started);
                printed
            }
            None => clone.run_in_shell(command),
        };
        // A page must not show such an output, even if it is updated with UPDATE_GOLDEN.
        assert!(!actual.contains(": not found\n"), "{page}: $ {command}\n{actual}");
        let shown = if output == actual || matches(output, &actual) {
            output
        } else {
            differences.push(format!("$ {command}\nexpected:\n{output}\ngot:\n{actual}"));
            actual.as_str()
        };
        updated.push_str(&format!("$ {command}\n{shown}"));
    }
    drop(server);
    if let Some(shop) = shop {
        shop.stop().unwrap();
    }
    assert!(commands > 3, "{page} has {commands} commands only");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, updated).unwrap();
    } else {
        assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    }
}

/// A line or a command of a page.
pub enum Part<'a> {
    /// A line that is not a command.
    Text(&'a str),
    /// A command, and its expected output on the page.
    Command { command: &'a str, output: &'a str },
}

impl<'a> Part<'a> {
    fn line(&self) -> &'a str {
        match self {
            Part::Text(text) => text,
            Part::Command { .. } => "",
        }
    }
}

/// Splits a page at its commands. A command that ends in `\` continues on the next line.
pub fn parts(page: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut console = false;
    let mut lines = page.split_inclusive('\n').scan(0, |end, line| {
        *end += line.len();
        Some((*end - line.len(), line))
    });
    let mut lines = lines.by_ref().peekable();
    while let Some((start, line)) = lines.next() {
        if line.starts_with("```") {
            console = line.trim_end() == "```console";
        }
        if !(console && line.starts_with("$ ")) {
            parts.push(Part::Text(line));
            continue;
        }
        let mut end = start + line.len();
        while page[..end].ends_with("\\\n") {
            end += lines.next().unwrap().1.len();
        }
        let command = &page[start + 2..end];
        let output_start = end;
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("$ ") && !line.starts_with("```")) {
            end += line.len();
        }
        parts.push(Part::Command { command: command.trim_end(), output: &page[output_start..end] });
    }
    parts
}

/// Compares command output line by line, and returns `true` if it matches. `[..]` in `expected` matches any text within
/// a line.
pub fn matches(expected: &str, actual: &str) -> bool {
    expected.lines().count() == actual.lines().count()
        && expected.lines().zip(actual.lines()).all(|(expected, actual)| {
            let mut pieces = expected.split("[..]");
            let Some(mut rest) = actual.strip_prefix(pieces.next().unwrap_or_default()) else {
                return false;
            };
            let mut pieces: Vec<_> = pieces.collect();
            let Some(last) = pieces.pop() else {
                return rest.is_empty();
            };
            for piece in pieces {
                match rest.split_once(piece) {
                    Some((_, after)) => rest = after,
                    None => return false,
                }
            }
            rest.ends_with(last)
        })
}

/// A temporary folder that looks like a fresh clone after a release build, and a free address for its server.
struct FreshClone {
    folder: tempfile::TempDir,
    server_address: String,
}

impl FreshClone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["api", "static"] {
            copy_files(&repository_root().join(name), &folder.path().join(name));
        }
        let built = folder.path().join("target/release");
        fs::create_dir_all(&built).unwrap();
        // Both programs have the same commands. Pages that are not about this repository call the program `rulebook`.
        for name in ["article-site", "rulebook"] {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_article-site"), built.join(name)).unwrap();
        }
        Self { folder, server_address: free_address() }
    }

    /// Starts the server in the way `cargo run --release` does. Returns the server, and its output up to the point
    /// where it accepts connections.
    fn start_server(&self, arguments: &str) -> (ServerProcess, String) {
        let arguments = arguments.split_whitespace().filter(|argument| *argument != "--");
        let mut command = program(self.folder.path());
        let process = ServerProcess::run(command.args(arguments), self.folder.path(), &self.server_address);
        let printed = self.as_documented(&process.stdout);
        (process, printed)
    }

    /// Serves the first JSON block of a page as `rulebook serve` does. The program of the repository cannot serve it,
    /// because it has handlers for modules that this definition does not have.
    fn serve_shop(&self, page: &str) -> RunningServer {
        let (_, definition) = page.split_once("```json\n").unwrap();
        let (definition, _) = definition.split_once("```\n").unwrap();
        let rulebook = Rulebook::read(vec![("app.json".into(), definition.into())]);
        let rulebook = rulebook_cli::with_handler_kinds(rulebook.data_folder(self.folder.path().join("data")));
        let engine = rulebook.build().unwrap_or_else(|report| panic!("{report}"));
        engine.serve(&Settings::new().with_bind([self.server_address.clone()])).unwrap()
    }

    /// Runs a command in a shell, and returns what the command writes to standard output and to standard error.
    fn run_in_shell(&self, command: &str) -> String {
        let mut shell = Command::new("sh");
        clear(&mut shell);
        let command = command.replace(DOCUMENTED_ADDRESS, &self.server_address);
        let command = format!("PATH=$PWD/target/release:$PATH; exec 2>&1; {command}");
        // `sort` orders lines by the locale, so that the locale is the same on every machine.
        shell.env("LC_ALL", "C.UTF-8");
        let output = shell.current_dir(self.folder.path()).args(["-c", &command]).output().unwrap();
        self.as_documented(&String::from_utf8(output.stdout).unwrap())
    }

    /// Replaces the actual address of the server by the documented address, and ends the output with exactly one line
    /// break.
    fn as_documented(&self, output: &str) -> String {
        let mut shown =
            output.replace(&self.server_address, DOCUMENTED_ADDRESS).replace('\r', "").trim_end().to_owned();
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown
    }
}

fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn two_dots_in_brackets_match_any_text_within_a_line() {
    for (expected, actual, matching) in [
        ("a\n", "a\n", true),
        ("a\n", "ab\n", false),
        ("a [..] c\n", "a b c\n", true),
        ("a [..] c\n", "a b d\n", false),
        ("[..]x[..]y\n", "1x2y\n", true),
        ("[..]x[..]y\n", "1y2x\n", false),
        ("a\n", "a\nb\n", false),
    ] {
        assert_eq!(matches(expected, actual), matching, "{expected} {actual}");
    }
}
