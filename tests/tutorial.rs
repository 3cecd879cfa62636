//! Follows the tutorial step by step: writes its files, makes its edits, and runs its commands in order.
//!
//! A code block under a line that consists of a path in backticks and a colon is the content of that file. A `diff`
//! block there is an edit of the file: its lines without `+` occur in the file exactly once. Commands and their
//! expected output are written as in `readme.rs`.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::readme::{Part, matches, parts};
use crate::server_process::{clear, free_address};

/// The addresses in the tutorial: that of the program and that of the proxy in front of it.
const ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8000"];

/// The commands that run until Ctrl-C. Each of them stops the one that was started before.
const SERVERS: [&str; 3] = ["cargo run", "cargo run -- --unbound echo", "./notes"];

/// The longest time a command may take: the first one builds all dependencies.
const TIMEOUT: Duration = Duration::from_secs(3000);

#[test]
#[ignore = "builds a project, with the programs that `tests/external/tutorial` provides"]
fn the_tutorial_works_word_for_word() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut reader = Reader::new();
    let (mut differences, mut updated) = (Vec::new(), String::new());
    for part in parts(&page) {
        match part {
            Part::Text(line) => {
                reader.read(line);
                updated.push_str(line);
            }
            Part::Command { command, output } => {
                let actual = reader.run(command);
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

/// A reader who follows the tutorial in a folder that contains only a link to this repository, `rulebook`.
struct Reader {
    start_folder: tempfile::TempDir,
    /// The current folder: `start_folder`, or a folder below it after `cd`.
    folder: PathBuf,
    /// The value of `PATH` for commands.
    path: String,
    /// The free addresses that replace [`ADDRESSES`] in files and commands.
    addresses: [String; 2],
    /// The server in the reader's other terminal.
    server: Option<Child>,
    /// The number of commands run so far. Each command writes its output to a file with that number in its name.
    commands: usize,
    /// The path of the file that the tutorial is showing, and its code block as far as it has been read.
    file: Option<(PathBuf, Option<Block>)>,
}

/// A code block with the content of a file, or with an edit of it.
struct Block {
    diff: bool,
    text: String,
}

impl Reader {
    fn new() -> Self {
        let start_folder = tempfile::tempdir().unwrap();
        let folder = start_folder.path().to_owned();
        std::os::unix::fs::symlink(env!("CARGO_MANIFEST_DIR"), folder.join("rulebook")).unwrap();
        let path = std::env::var("TUTORIAL_PATH").expect("tests/external/tutorial sets TUTORIAL_PATH");
        let path = format!("{path}:{}", std::env::var("PATH").unwrap());
        Self {
            start_folder,
            folder,
            path,
            addresses: ADDRESSES.map(|_| free_address()),
            server: None,
            commands: 0,
            file: None,
        }
    }

    /// Reads a line that is not a command, and writes the file that ends with it.
    fn read(&mut self, line: &str) {
        let bare = line.trim_end();
        if let Some((path, block)) = &mut self.file {
            match block {
                None if bare.is_empty() => {}
                None if bare.starts_with("```") => {
                    *block = Some(Block { diff: bare == "```diff", text: String::new() });
                }
                None => panic!("no code block follows `{}`", path.display()),
                Some(block) if bare == "```" => {
                    let text = if block.diff { edited(path, &block.text) } else { block.text.clone() };
                    fs::write(
                        &*path,
                        self.addresses
                            .iter()
                            .zip(ADDRESSES)
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

    /// Runs a command and returns its output. Of a server, returns the output until it accepts connections.
    fn run(&mut self, command: &str) -> String {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder = self.folder.join(folder);
            assert!(self.folder.is_dir(), "{command}");
            return String::new();
        }
        let is_server = SERVERS.contains(&command);
        if is_server {
            self.stop();
        }
        self.commands += 1;
        let output_path = self.start_folder.path().join(format!(".output-{}", self.commands));
        let output = fs::File::create(&output_path).unwrap();
        let mut shell = Command::new("sh");
        clear(&mut shell);
        let addresses = self.addresses.iter().zip(ADDRESSES);
        let run = addresses.fold(command.to_owned(), |command, (actual, shown)| command.replace(shown, actual));
        // `exec` replaces the shell, so that stopping the child stops the server itself.
        let run = if is_server { format!("exec {run}") } else { run };
        shell
            .env("PATH", &self.path)
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

    /// Replaces the actual addresses by those of the tutorial, and ends the output in a single line break.
    fn as_documented(&self, output: &str) -> String {
        let addresses = self.addresses.iter().zip(ADDRESSES);
        let mut shown = addresses.fold(output.to_owned(), |text, (actual, shown)| text.replace(actual, shown));
        shown = shown.replace('\r', "").trim_end().to_owned();
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown
    }

    /// Stops the server as Ctrl-C in its terminal does.
    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            assert!(Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap().success());
            assert_eq!(server.wait().unwrap().code(), Some(0), "the exit code of the server");
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // Fails if the server has already ended.
            let _ = server.kill();
            let _ = server.wait();
        }
        // If an earlier step failed, the proxy still runs.
        if let Ok(proxy) = fs::read_to_string(self.folder.join("nginx.pid")) {
            let _ = Command::new("kill").arg(proxy.trim()).status();
        }
    }
}

/// Returns the content of a file after an edit.
fn edited(path: &Path, diff: &str) -> String {
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
