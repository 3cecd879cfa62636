//! Follows the tutorial step by step: writes the files that it shows, applies its edits, and runs its commands in
//! order.
//!
//! A line that consists of a file path in backticks and a colon announces the code block after it as the content of
//! that file. If the code block is a `diff`, it is an edit of the file: its unchanged lines and its lines with `-`
//! are one passage, which must occur exactly once in the file. The passage is replaced with the unchanged lines and the
//! lines with `+`. Commands and their expected output have the form that `readme.rs` describes.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::readme::{Part, matches, parts};
use crate::server_process::{clear, free_address};

/// The addresses in the tutorial: the address of the program, and the address of the proxy in front of the program.
const DOCUMENTED_ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8000"];

/// The commands that run until Ctrl-C. Before such a command runs, the server that was started before is stopped.
const SERVER_COMMANDS: [&str; 5] = [
    "rulebook serve --watch",
    "cargo run",
    "cargo run -- --unbound echo",
    "rulebook serve --api sketch --unbound mock",
    "./notes",
];

/// The maximum duration of a command. The first command builds all dependencies.
const TIMEOUT: Duration = Duration::from_secs(3000);

#[test]
#[ignore = "builds a project, with the programs that `tests/external/tutorial` provides"]
fn files_and_commands_of_the_tutorial_work_as_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut reader = Reader::new();
    let (mut differences, mut updated) = (Vec::new(), String::new());
    for part in parts(&page) {
        match part {
            Part::Text(line) => {
                reader.read_line(line);
                updated.push_str(line);
            }
            Part::Command { command, output } => {
                let actual = reader.run_command(command);
                let equal = output == actual || matches(output, &actual);
                if !equal {
                    differences.push(format!("$ {command}\nexpected:\n{output}\ngot:\n{actual}"));
                }
                updated.push_str(&format!("$ {command}\n{}", if equal { output } else { &actual }));
            }
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, updated).unwrap();
    } else {
        assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    }
}

/// A simulated reader, who follows the tutorial in a folder that contains only `rulebook`, a link to this repository.
struct Reader {
    start_folder: tempfile::TempDir,
    /// The current folder: `start_folder`, or the folder below it that a `cd` command entered.
    folder: PathBuf,
    /// The value of the environment variable `PATH` for commands.
    path_variable: String,
    /// The free addresses that replace [`DOCUMENTED_ADDRESSES`] in files and commands.
    addresses: [String; 2],
    /// The server that runs in the other terminal of the reader.
    server: Option<Child>,
    /// The number of commands that have been run. The output of each command is in a file whose name contains its
    /// number.
    commands: usize,
    /// The path of the file that the tutorial currently shows, and its code block up to the current line.
    file: Option<(PathBuf, Option<FileBlock>)>,
}

/// A code block with the content of a file, or with an edit of it.
struct FileBlock {
    is_diff: bool,
    text: String,
}

impl Reader {
    fn new() -> Self {
        let start_folder = tempfile::tempdir().unwrap();
        let folder = start_folder.path().to_owned();
        std::os::unix::fs::symlink(env!("CARGO_MANIFEST_DIR"), folder.join("rulebook")).unwrap();
        let tools = std::env::var("TUTORIAL_PATH").expect("tests/external/tutorial sets TUTORIAL_PATH");
        let path_variable = format!("{tools}:{}", std::env::var("PATH").unwrap());
        Self {
            start_folder,
            folder,
            path_variable,
            addresses: DOCUMENTED_ADDRESSES.map(|_| free_address()),
            server: None,
            commands: 0,
            file: None,
        }
    }

    /// Reads a line that is not a command. If the line ends a code block with a file, the file is written.
    fn read_line(&mut self, line: &str) {
        let bare = line.trim_end();
        if let Some((path, block)) = &mut self.file {
            match block {
                None if bare.is_empty() => {}
                None if bare.starts_with("```") => {
                    *block = Some(FileBlock { is_diff: bare == "```diff", text: String::new() });
                }
                None => panic!("no code block follows `{}`", path.display()),
                Some(block) if bare == "```" => {
                    let text = if block.is_diff { apply_edit(path, &block.text) } else { block.text.clone() };
                    fs::write(
                        &*path,
                        self.addresses
                            .iter()
                            .zip(DOCUMENTED_ADDRESSES)
                            .fold(text, |text, (actual, shown)| text.replace(shown, actual)),
                    )
                    .unwrap();
                    self.file = None;
                }
                Some(block) => block.text.push_str(line),
            }
        } else if let Some(path) = bare.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"))
            && !path.contains('`')
        {
            self.file = Some((self.folder.join(path), None));
        }
    }

    /// Runs a command and returns its output. The output of a server command is returned as soon as the server accepts
    /// connections.
    fn run_command(&mut self, command: &str) -> String {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder = self.folder.join(folder);
            assert!(self.folder.is_dir(), "{command}");
            return String::new();
        }
        let is_server = SERVER_COMMANDS.contains(&command);
        if is_server {
            self.stop_server();
        }
        self.commands += 1;
        let output_path = self.start_folder.path().join(format!(".output-{}", self.commands));
        let output = fs::File::create(&output_path).unwrap();
        let mut shell = Command::new("sh");
        clear(&mut shell);
        let addresses = self.addresses.iter().zip(DOCUMENTED_ADDRESSES);
        let run = addresses.fold(command.to_owned(), |command, (actual, shown)| command.replace(shown, actual));
        // `exec` replaces the shell by the server, so that the child process that is stopped later is the server
        // itself.
        let run = if is_server { format!("exec {run}") } else { run };
        shell
            .env("PATH", &self.path_variable)
            .env("RULEBOOK_BIND", &self.addresses[0])
            .current_dir(&self.folder)
            .args(["-c", &run]);
        shell.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let mut child = shell.spawn().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if is_server
                && fs::read_to_string(&output_path).unwrap().contains("\n  log ")
                && TcpStream::connect(&self.addresses[0]).is_ok()
            {
                self.server = Some(child);
                break;
            }
            assert!(started.elapsed() < TIMEOUT, "`{command}` does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.as_documented(&fs::read_to_string(output_path).unwrap())
    }

    /// Replaces the actual addresses by the addresses in the tutorial, and ends the output with exactly one line break.
    fn as_documented(&self, output: &str) -> String {
        let addresses = self.addresses.iter().zip(DOCUMENTED_ADDRESSES);
        let mut shown = addresses.fold(output.to_owned(), |text, (actual, shown)| text.replace(actual, shown));
        shown = shown.replace('\r', "").trim_end().to_owned();
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown
    }

    /// Stops the server by the signal that Ctrl-C in its terminal sends.
    fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            assert!(Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap().success());
            assert_eq!(server.wait().unwrap().code(), Some(0), "the exit code of the server");
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Killing the process fails if the server has already ended.
            let _ = server.kill();
            let _ = server.wait();
        }
        // If a step of the tutorial failed, the proxy is still running.
        if let Ok(proxy) = fs::read_to_string(self.folder.join("nginx.pid")) {
            let _ = Command::new("kill").arg(proxy.trim()).status();
        }
    }
}

/// Returns the content of a file after the edit that `diff` describes.
fn apply_edit(path: &Path, diff: &str) -> String {
    let (mut old, mut new) = (String::new(), String::new());
    for line in diff.split_inclusive('\n') {
        let (sign, rest) = line.split_at(1);
        if sign != "+" {
            old.push_str(rest);
        }
        if sign != "-" {
            new.push_str(rest);
        }
    }
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches(&old).count(), 1, "{} has to contain this once:\n{old}", path.display());
    text.replace(&old, &new)
}
