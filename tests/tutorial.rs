//! The tutorial, followed word for word: its files are written, its edits made, its commands run in order.
//!
//! A block of code under a line that is a path in backticks and a colon is that file; a `diff` is an edit of it, whose
//! lines without `+` stand in the file just so, once. Commands and their answers are those of `readme.rs`.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::readme::{Part, matches, parts};
use crate::served::{clear, free_address};

/// The addresses that the page names: the program's, and the proxy's in front of it.
const ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8000"];

/// The commands that stay until Ctrl-C; each follows upon the one before.
const SERVERS: [&str; 3] = ["cargo run", "cargo run -- --unbound echo", "./notes"];

/// How long a command may take: the first one builds everything.
const PATIENCE: Duration = Duration::from_secs(3000);

#[test]
#[ignore = "it builds a project, with what `tests/outside/tutorial` provides"]
fn the_tutorial_works_word_for_word() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut reader = Reader::new();
    let (mut faults, mut written) = (Vec::new(), String::new());
    for part in parts(&page) {
        match part {
            Part::Text(line) => {
                reader.read(line);
                written.push_str(line);
            }
            Part::Command { command, answer } => {
                let got = reader.run(command);
                let fits = answer == got || matches(answer, &got);
                if !fits {
                    faults.push(format!("$ {command}\nexpected:\n{answer}\ngot:\n{got}"));
                }
                written.push_str(&format!("$ {command}\n{}", if fits { answer } else { &got }));
            }
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(path, written).unwrap();
    } else {
        assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    }
}

/// Who follows the page, in a folder that holds nothing but `rulebook`.
struct Reader {
    begun: tempfile::TempDir,
    /// Where they are.
    folder: PathBuf,
    /// Where their commands are looked for first.
    path: String,
    /// What stands for each of [`ADDRESSES`] here.
    addresses: [String; 2],
    /// The program that they have left running in another terminal.
    server: Option<Child>,
    /// How many commands they have run: each says what it says into a file of its own.
    commands: usize,
    /// The file that the page has begun to show, and what of it has been read.
    file: Option<(PathBuf, Option<Block>)>,
}

struct Block {
    diff: bool,
    text: String,
}

impl Reader {
    fn new() -> Self {
        let begun = tempfile::tempdir().unwrap();
        let folder = begun.path().to_owned();
        std::os::unix::fs::symlink(env!("CARGO_MANIFEST_DIR"), folder.join("rulebook")).unwrap();
        let path = std::env::var("TUTORIAL_PATH").expect("tests/outside/tutorial says where cargo and rulebook are");
        let path = format!("{path}:{}", std::env::var("PATH").unwrap());
        Self {
            begun,
            folder,
            path,
            addresses: ADDRESSES.map(|_| free_address()),
            server: None,
            commands: 0,
            file: None,
        }
    }

    /// Reads a line that is no command.
    fn read(&mut self, line: &str) {
        let bare = line.trim_end();
        if let Some((path, block)) = &mut self.file {
            match block {
                None if bare.is_empty() => {}
                None if bare.starts_with("```") => {
                    *block = Some(Block { diff: bare == "```diff", text: String::new() });
                }
                None => panic!("`{}` has no block", path.display()),
                Some(block) if bare == "```" => {
                    let text = if block.diff { edited(path, &block.text) } else { block.text.clone() };
                    fs::write(
                        &*path,
                        self.addresses.iter().zip(ADDRESSES).fold(text, |text, (here, said)| text.replace(said, here)),
                    )
                    .unwrap();
                    self.file = None;
                }
                Some(block) => block.text.push_str(line),
            }
        } else if let Some(path) = bare.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:")) {
            self.file = Some((self.folder.join(path), None));
        }
    }

    /// Runs a command, and gives what a terminal shows of it; of a server, what it shows until it answers.
    fn run(&mut self, command: &str) -> String {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.folder = self.folder.join(folder);
            assert!(self.folder.is_dir(), "{command}");
            return String::new();
        }
        let stays = SERVERS.contains(&command);
        if stays {
            self.stop();
        }
        self.commands += 1;
        let said = self.begun.path().join(format!(".said-{}", self.commands));
        let to = fs::File::create(&said).unwrap();
        let mut shell = Command::new("sh");
        clear(&mut shell);
        let here = self.addresses.iter().zip(ADDRESSES);
        let run = here.fold(command.to_owned(), |command, (here, said)| command.replace(said, here));
        // `exec`, so that what is stopped is the server and not the shell.
        let run = if stays { format!("exec {run}") } else { run };
        shell
            .env("PATH", &self.path)
            .env("RULEBOOK_BIND", &self.addresses[0])
            .current_dir(&self.folder)
            .args(["-c", &run]);
        shell.stdin(Stdio::null()).stdout(to.try_clone().unwrap()).stderr(to);
        let mut child = shell.spawn().unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if stays
                && fs::read_to_string(&said).unwrap().contains("\n  log ")
                && TcpStream::connect(&self.addresses[0]).is_ok()
            {
                self.server = Some(child);
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "`{command}` does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.shown(&fs::read_to_string(said).unwrap())
    }

    /// What was said, as the page shows it.
    fn shown(&self, said: &str) -> String {
        let here = self.addresses.iter().zip(ADDRESSES);
        let mut shown = here.fold(said.to_owned(), |shown, (here, said)| shown.replace(here, said));
        shown = shown.replace('\r', "").trim_end().to_owned();
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown
    }

    /// Presses Ctrl-C in the other terminal.
    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            assert!(Command::new("kill").args(["-INT", &server.id().to_string()]).status().unwrap().success());
            assert_eq!(server.wait().unwrap().code(), Some(0), "the server ends well");
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended by itself.
            let _ = server.kill();
            let _ = server.wait();
        }
        // Where a step before failed, the proxy has not been stopped.
        if let Ok(proxy) = fs::read_to_string(self.folder.join("nginx.pid")) {
            let _ = Command::new("kill").arg(proxy.trim()).status();
        }
    }
}

/// A file with an edit made.
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
    assert_eq!(text.matches(&old).count(), 1, "where in {} is\n{old}", path.display());
    text.replace(&old, &new)
}
