//! What `rulebook send` and `rulebook fetch` share: flags, the key, progress.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Exit, output};
use crate::remote::{Checked, Client, Digest, Failure, Key, News};

/// The environment variable that holds a key.
const KEY: &str = "RULEBOOK_KEY";
/// The most of a file that is read for a key, in bytes.
const LONGEST_KEY: u64 = 4096;
/// How progress is drawn.
const BAR: &str = "{wide_msg} [{bar:20}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// What the help of both commands ends with.
const AFTER_HELP: &str = "\
The key is taken from the file of --key-file, else from the environment variable RULEBOOK_KEY; it is no flag, because \
others see those. Servers are trusted whose certificates the system trusts; proxies are taken from the environment \
(HTTPS_PROXY, HTTP_PROXY, NO_PROXY).

Exit codes: 0 done; 1 the server refuses; 2 wrong usage; 3 the server cannot be reached, a file cannot be used, or the \
content is not the server's.";

/// The end of a command's help.
pub(super) fn after_help(examples: &str) -> String {
    format!("{examples}\n\n{AFTER_HELP}")
}

#[derive(Debug, Args)]
pub(super) struct Other {
    /// The file that holds the key, alone; none but its owner should be able to read it (mode 0600).
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// How many times to try again where the connection breaks, or the server says that it is busy.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(..=1000))]
    retries: u32,
    /// How many seconds the server may be silent.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86400))]
    timeout: u32,
    /// Prints nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

impl Other {
    /// Who asks the other server.
    pub(super) fn client(&self) -> Result<Client, Exit> {
        let key = match &self.key_file {
            Some(path) => Some(self.read_key(path).map_err(|why| failed(&format!("{}: {why}", path.display())))?),
            None => match std::env::var_os(KEY).filter(|key| !key.is_empty()) {
                Some(key) => {
                    let key = key.to_str().and_then(Key::parse);
                    Some(key.ok_or_else(|| failed(&format!("what {KEY} holds is no key")))?)
                }
                None => None,
            },
        };
        Ok(Client::new(key, self.retries, Duration::from_secs(self.timeout.into())))
    }

    fn read_key(&self, path: &Path) -> Result<Key, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut text = String::new();
        (&file).take(LONGEST_KEY).read_to_string(&mut text).map_err(|error| error.to_string())?;
        let key = Key::parse(&text).ok_or("it holds no key")?;
        #[cfg(unix)]
        if let Ok(kind) = file.metadata()
            && std::os::unix::fs::PermissionsExt::mode(&kind.permissions()) & 0o077 != 0
        {
            let path = path.display();
            self.say(&format!("warning: {path}: others can read the key; `chmod 600 {path}` keeps them from it\n"));
        }
        Ok(key)
    }

    /// Runs what is told of its progress, which is shown on a terminal, and what was tried again elsewhere too.
    pub(super) fn watch<T>(&self, what: String, run: impl FnOnce(&mut dyn FnMut(News<'_>)) -> T) -> T {
        let bar = ProgressBar::hidden();
        // The template is constant and good; the usual bar would do.
        bar.set_style(ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        let done = run(&mut |news| match news {
            News::Begun { done, of } => {
                match of {
                    Some(of) => bar.set_length(of),
                    None => bar.unset_length(),
                }
                bar.set_position(done);
                bar.reset_eta();
                if !self.quiet {
                    // It hides itself where there is no terminal.
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                }
            }
            News::More(bytes) => bar.inc(bytes),
            News::Again { failure, pause } => {
                let words = format!("{failure}; trying again in {:.1} seconds\n", pause.as_secs_f32());
                bar.suspend(|| self.say(&words));
            }
        });
        bar.finish_and_clear();
        done
    }

    /// Prints what is there now, a file a line: its digest and its name, as `b3sum` does.
    pub(super) fn print<'a>(&self, files: impl IntoIterator<Item = (Digest, &'a str)>, checked: Checked) -> Exit {
        if self.quiet {
            return Exit::Done;
        }
        if checked == Checked::Untold {
            self.say("not compared with the server's: it does not tell a digest\n");
        }
        let mut text = String::new();
        for (digest, name) in files {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{digest}  {name}");
        }
        output::print(&text)
    }

    /// Says something beside what is printed.
    pub(super) fn say(&self, words: &str) {
        if !self.quiet {
            output::complain(words);
        }
    }
}

/// Tells why a command fails here.
pub(super) fn failed(why: &str) -> Exit {
    output::complain(&format!("error: {why}\n"));
    Exit::Failed
}

/// Tells why nothing has been sent or fetched.
pub(super) fn told(failure: &Failure) -> Exit {
    let exit = failed(&failure.to_string());
    if matches!(failure, Failure::Refused(_) | Failure::Moved { .. }) { Exit::Refused } else { exit }
}
