//! The inputs of fuzz targets: tests that check a property of a parser with many texts.
//!
//! A target checks its property with every file in `tests/corpora/NAME`, and with texts that are built from these files
//! and from a list of tokens. A fuzzing engine of the crate `bolero` generates *scripts*, which say how to build a
//! text: a script of random bytes so results in a text that is nearly valid. `scripts/fuzz` runs the targets for a
//! longer time.

use std::fs;
use std::path::Path;

pub use bolero::check;

/// The maximum length of a script in bytes.
pub const MAX_SCRIPT_LEN: usize = 48;
/// The number of texts that a target builds in an ordinary run of the tests.
pub const TEXTS: usize = 2_000;

/// The texts of a corpus, and the tokens from which a script builds further texts.
pub struct Inputs {
    corpus: Vec<(String, Vec<u8>)>,
    tokens: &'static [&'static str],
}

impl Inputs {
    /// Reads the corpus of a target, and checks the property with each of its texts.
    ///
    /// # Panics
    /// Panics if a text does not have the property, or the corpus is missing.
    pub fn check_corpus(target: &str, tokens: &'static [&'static str], property: impl Fn(&[u8])) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpora").join(target);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let read = |path: std::path::PathBuf| (path.display().to_string(), fs::read(&path).unwrap());
        let mut corpus: Vec<_> = files.map(|entry| read(entry.unwrap().path())).collect();
        assert!(!corpus.is_empty(), "{} is empty", folder.display());
        corpus.sort();
        let inputs = Self { corpus, tokens };
        for (path, text) in &inputs.corpus {
            let _shown = ShownOnPanic(path, text);
            property(text);
        }
        inputs
    }

    /// Checks the property with the text that a script builds.
    pub fn check_script(&self, script: &[u8], property: impl Fn(&[u8])) {
        let text = self.build_text(script);
        let _shown = ShownOnPanic("the text of the script", &text);
        property(&text);
    }

    /// Builds a text: it begins as a text of the corpus or as an empty text, and each step of the script changes it.
    pub fn build_text(&self, script: &[u8]) -> Vec<u8> {
        let mut script = script.iter().map(|byte| usize::from(*byte));
        let mut text = match script.next() {
            Some(first) if first < 192 => self.corpus[first % self.corpus.len()].1.clone(),
            _ => Vec::new(),
        };
        while let (Some(step), Some(position), Some(choice)) = (script.next(), script.next(), script.next()) {
            // A position from the end of the text, so that the tokens of an empty text are in the order of the script.
            let at = text.len() - position * 31 % (text.len() + 1) * usize::from(step >= 64);
            let token = self.tokens[choice % self.tokens.len()].as_bytes();
            let end = (at + choice % 5).min(text.len());
            match step % 4 {
                0 => drop(text.splice(at..at, token.iter().copied())),
                1 => drop(text.splice(at..end, token.iter().copied())),
                2 => drop(text.splice(at..end, [choice as u8])),
                _ => {
                    let part = text[at..(at + choice).min(text.len())].to_vec();
                    text.splice(at..at, part);
                }
            }
        }
        text
    }
}

/// Prints a text when it is dropped because of a panic. Engines print only scripts.
struct ShownOnPanic<'a>(&'a str, &'a [u8]);

impl Drop for ShownOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: \"{}\"", self.0, self.1.escape_ascii());
        }
    }
}
