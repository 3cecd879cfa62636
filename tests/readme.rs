//! The README's tour, run line by line, and that of any other page.
//!
//! In `console` blocks a line that begins with `$ ` is a command, and what
//! follows is what it answers; `[..]` in an answer stands for anything. All
//! commands are run by the shell, in a folder that looks like a fresh clone
//! after its release build. `cargo run --release` starts the server, and stops the
//! one before. With `UPDATE_GOLDEN=1` the answers are written into the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::served::{Served, clear, copy_files, free_address};

/// The address that the README names.
const ADDRESS: &str = "127.0.0.1:8080";

#[test]
fn the_tour_works_line_by_line() {
    tour("README.md");
}

#[test]
fn keys_are_used_as_their_page_says() {
    tour("docs/keys.md");
}

#[cfg(feature = "client")]
#[test]
fn files_are_exchanged_as_their_page_says() {
    tour("docs/internal-api.md");
}

/// Runs the commands of a page.
pub fn tour(page: &str) {
    let path = root().join(page);
    let readme = fs::read_to_string(&path).unwrap();
    let place = Place::new();
    let mut server = None;
    let mut faults = Vec::new();
    let mut written = String::new();
    let mut commands = 0;
    for part in parts(&readme) {
        let Part::Command { command, answer } = part else {
            written.push_str(part.text());
            continue;
        };
        commands += 1;
        let got = match command.strip_prefix("cargo run --release") {
            Some(arguments) => {
                drop(server.take());
                let (started, said) = place.serve(arguments);
                server = Some(started);
                said
            }
            None => place.run(command),
        };
        let said = if answer == got || matches(answer, &got) {
            answer
        } else {
            faults.push(format!("$ {command}\nexpected:\n{answer}\ngot:\n{got}"));
            got.as_str()
        };
        written.push_str(&format!("$ {command}\n{said}"));
    }
    drop(server);
    assert!(commands > 5, "{page} has no tour");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, written).unwrap();
    } else {
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    }
}

/// A piece of a page.
pub enum Part<'a> {
    /// Anything that is no command.
    Text(&'a str),
    /// A command, and the lines that it answers.
    Command { command: &'a str, answer: &'a str },
}

impl<'a> Part<'a> {
    fn text(&self) -> &'a str {
        match self {
            Part::Text(text) => text,
            Part::Command { .. } => "",
        }
    }
}

/// Takes a page apart at its commands. A command that ends in `\` goes on in the next line.
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
        let answer = end;
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("$ ") && !line.starts_with("```")) {
            end += line.len();
        }
        parts.push(Part::Command { command: command.trim_end(), answer: &page[answer..end] });
    }
    parts
}

/// Whether the answer is as expected, `[..]` standing for anything within a line.
pub fn matches(expected: &str, got: &str) -> bool {
    expected.lines().count() == got.lines().count()
        && expected.lines().zip(got.lines()).all(|(expected, got)| {
            let mut pieces = expected.split("[..]");
            let Some(mut rest) = got.strip_prefix(pieces.next().unwrap_or_default()) else {
                return false;
            };
            let mut pieces: Vec<_> = pieces.collect();
            let Some(last) = pieces.pop() else {
                return rest.is_empty();
            };
            for piece in pieces {
                match rest.split_once(piece) {
                    Some((_, behind)) => rest = behind,
                    None => return false,
                }
            }
            rest.ends_with(last)
        })
}

/// A folder that looks like a fresh clone after its release build, with a free port for the server.
struct Place {
    folder: tempfile::TempDir,
    address: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["api", "static"] {
            copy_files(&root().join(name), &folder.path().join(name));
        }
        let built = folder.path().join("target/release");
        fs::create_dir_all(&built).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rulebook"), built.join("rulebook")).unwrap();
        Self { folder, address: free_address() }
    }

    /// Starts the server as `cargo run --release` does, and gives what it said until it answered.
    fn serve(&self, arguments: &str) -> (Served, String) {
        let arguments: Vec<_> = arguments.split_whitespace().filter(|argument| *argument != "--").collect();
        let served = Served::start(self.folder.path(), &self.address, &arguments);
        let said = self.shown(&served.said);
        (served, said)
    }

    /// Runs a command, and gives what a terminal would show of it.
    fn run(&self, command: &str) -> String {
        let mut shell = Command::new("sh");
        clear(&mut shell);
        let command = command.replace(ADDRESS, &self.address);
        let command = format!("PATH=$PWD/target/release:$PATH; exec 2>&1; {command}");
        // So that all sort alike.
        shell.env("LC_ALL", "C.UTF-8");
        let output = shell.current_dir(self.folder.path()).args(["-c", &command]).output().unwrap();
        self.shown(&String::from_utf8(output.stdout).unwrap())
    }

    /// What a program said, as the README shows it: at the README's address, ending in a line break.
    fn shown(&self, said: &str) -> String {
        let mut shown = said.replace(&self.address, ADDRESS).replace('\r', "").trim_end().to_owned();
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn a_line_of_an_answer_may_leave_something_open() {
    for (expected, got, matching) in [
        ("a\n", "a\n", true),
        ("a\n", "ab\n", false),
        ("a [..] c\n", "a b c\n", true),
        ("a [..] c\n", "a b d\n", false),
        ("[..]x[..]y\n", "1x2y\n", true),
        ("[..]x[..]y\n", "1y2x\n", false),
        ("a\n", "a\nb\n", false),
    ] {
        assert_eq!(matches(expected, got), matching, "{expected} {got}");
    }
}
