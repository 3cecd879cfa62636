//! Plain words: comments, documentation, messages and names avoid words that readers do not understand at first sight.
//!
//! [`WORDS`] lists words and phrases to avoid in text: comments and string literals of the sources, comments of the
//! tests, definitions, pages and scripts. Inline code (in backticks) and code blocks are not checked. [`NAMES`] lists
//! words to avoid in the names of the sources. Each row says what to write instead, and where the word is allowed.

mod scan;

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use self::scan::scan;

/// A word or phrase to avoid.
#[derive(Clone, Copy)]
struct Word {
    /// A regular expression without word boundaries, which are added on both sides. Case is ignored.
    pattern: &'static str,
    instead: &'static str,
    /// Phrases that contain the word and are allowed.
    phrases: &'static [&'static str],
    /// Paths, relative to the repository, below which the word is allowed.
    paths: &'static [&'static str],
}

const fn word(pattern: &'static str, instead: &'static str) -> Word {
    Word { pattern, instead, phrases: &[], paths: &[] }
}

const fn except(word: Word, phrases: &'static [&'static str]) -> Word {
    Word { phrases, ..word }
}

const fn allowed_in(word: Word, paths: &'static [&'static str]) -> Word {
    Word { paths, ..word }
}

/// Words and phrases to avoid in text.
const WORDS: &[Word] = &[
    // People and things without a subject.
    word("nobody(?:'s)?", "no one, no client, anonymous"),
    word("somebody(?:'s)?", "a caller, a user, a client"),
    word("who(?:so)?m?ever", "the client that, every caller that"),
    word("(?:who|whom) (?:asks|is asked|calls)", "the caller, the client"),
    word("one's own", "your own, custom"),
    word("(?:as|if) one likes", "any number of, as you like"),
    word("so many", "this number of, the given number of"),
    word("no such one", "name the thing"),
    // Verbs.
    word("tell|tells|told|telling", "report, describe, show, return"),
    word("mend|mends|mended|mending", "fix, repair"),
    word("judge|judges|judged|judging", "check, validate"),
    word("go on|goes on|went on|gone on|going on", "continue"),
    word("(?:does|do|did) not hold", "fails, is false, is not satisfied"),
    word("(?:is|are) said", "is stated, is printed"),
    word("(?:pass|passes|passed|passing) over", "ignore, skip"),
    word("(?:take|takes|took|taken|taking) apart", "split, parse"),
    word("stands? (?:in|at|under|beside|before|behind|there|twice)", "is in, is, occurs"),
    word("(?:is|are|was|were) none", "is not a …, does not exist"),
    except(
        word("(?:it|that|which|what|who|this) (?:is|are|was|were) no", "is not a"),
        &["is no longer", "are no longer", "was no longer", "is no more", "are no more"],
    ),
    except(word("(?:is|are|was|were) of", "belongs to, has, comes from"), &["is of type", "are of type"]),
    word("nothing of", "no part of"),
    word("by a way|own way", "name the path, the method or the protocol"),
    // Errors.
    except(
        word("fault|faults|faulty", "error, wrong, invalid"),
        &["fault injection", "fault-injection", "page fault", "segmentation fault"],
    ),
    word("trouble|troubles", "error, failure, problem"),
    word("flaw|flaws", "error"),
    word("misfit|misfits", "mismatch, error"),
    word("objection|objections", "error"),
    word("refusal|refusals", "error response, rejection"),
    // One word for one thing.
    allowed_in(
        word("answer|answers|answered|answering", "response, respond, return"),
        &["api", "src", "crates/rulebook-model/tests/definitions"],
    ),
    word("manner|manners", "dialect, syntax, way"),
    word("shelf|shelves", "cache"),
    word("extremes", "boundary values"),
    word("misread", "invalid argument, cannot be parsed"),
    word("(?:has|is|is there|there is|there is no|no|enough) room", "space, capacity"),
    // Translated phrases.
    word("letter (?:for|by) letter", "exactly, case-sensitive"),
    word("where (?:it|that) is wanted", "if …"),
    word("segments? behind", "segment after"),
    word("what is (?:not )?there", "name the things"),
    word("with(?:out)? more to it|and no more", "and nothing else"),
];

/// Words to avoid in the names of functions, types, fields, variables and modules of the sources.
const NAMES: &[Word] = &[
    word("told|tell|tells", "report, describe, documents"),
    word("said|says", "text, message, output"),
    word("fault|faults|faulty", "error"),
    word("trouble|troubles", "error"),
    word("flaw|flaws", "error"),
    word("misfit|misfits|misread", "mismatch, ArgsError"),
    word("objection|objections", "error"),
    word("refusal|refusals", "error, ApiError"),
    word("judge|judged|judges", "check, validate, validated"),
    word("nobody|nobodys", "anonymous"),
    word("wanted|wants", "requested, expected"),
    // `Audience::Own` is the setting `"options": "own"`.
    allowed_in(
        word("own", "name the owner or the kind: custom, local"),
        &["crates/rulebook-model/src/model/api.rs", "crates/rulebook/src/engine/documents.rs"],
    ),
    word("most", "max, limit"),
    word("least", "min"),
    word("longest", "max_len"),
    word("here|elsewhere|there", "name the place: local, fallback"),
    word("way|ways", "route, path, method"),
    word("room", "capacity, limits"),
    word("shelf", "cache"),
    word("manner|manners", "dialect"),
    word("surroundings", "context"),
    word("undecided", "needs_body"),
    word("keeper", "watcher"),
    word("wish", "options, new key"),
    word("stands", "is_…"),
];

/// Folders and files that are not checked: recorded data of the ancestors, and what other programs make or write.
const SKIPPED: &[&str] = &[
    ".git",
    "target",
    "data",
    "docs/images",
    "node_modules",
    "proptest-regressions",
    "tests/data/vectors",
    "crates/rulebook-model/tests/data/vectors",
    "src/database/seed.json",
    "tests/data/seeds",
    "tests/words.rs",
    "tests/words",
    "LICENSE-APACHE",
    "LICENSE-MIT",
];

#[test]
fn texts_use_plain_words() {
    let words = compile(WORDS);
    let mut findings = Vec::new();
    for file in files() {
        for (line, text) in texts(&file) {
            let found = find(&words, &file.path, &without_code(&text));
            findings.extend(found.iter().map(|(word, instead)| format!("{}:{line}: {word} → {instead}", file.path)));
        }
    }
    assert!(findings.is_empty(), "{} words to replace:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn names_use_plain_words() {
    let words = compile(NAMES);
    let mut findings = Vec::new();
    for file in files().into_iter().filter(File::is_source) {
        for (line, code) in scan(&file.text).code {
            let names = code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty());
            for name in names {
                let parts = words_of_name(name).join(" ");
                let found = find(&words, &file.path, &parts);
                findings.extend(found.iter().map(|(_, instead)| format!("{}:{line}: {name} → {instead}", file.path)));
            }
        }
    }
    findings.dedup();
    assert!(findings.is_empty(), "{} names to change:\n{}", findings.len(), findings.join("\n"));
}

/// Returns each word that occurs in a text of a file, with what to write instead.
fn find(words: &[Compiled], path: &str, text: &str) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for (pattern, word) in words {
        if word.paths.iter().any(|allowed| Path::new(path).starts_with(allowed)) {
            continue;
        }
        let text = word.phrases.iter().fold(text.to_owned(), |text, phrase| text.replace(phrase, ""));
        found.extend(pattern.find_iter(&text).map(|hit| (hit.as_str().to_owned(), word.instead)));
    }
    found
}

type Compiled = (Regex, &'static Word);

fn compile(words: &'static [Word]) -> Vec<Compiled> {
    words.iter().map(|word| (Regex::new(&format!(r"(?i)\b(?:{})\b", word.pattern)).unwrap(), word)).collect()
}

/// A file of the repository.
struct File {
    /// Relative to the repository, with `/` between its parts.
    path: String,
    text: String,
}

impl File {
    fn extension(&self) -> Option<&str> {
        Path::new(&self.path).extension().and_then(|extension| extension.to_str())
    }

    /// Returns `true` for Rust code that is not a test or a benchmark.
    fn is_source(&self) -> bool {
        let mut folders = Path::new(&self.path).iter();
        let is_test = self.path.ends_with("tests.rs") || folders.any(|folder| folder == "tests" || folder == "benches");
        self.extension() == Some("rs") && !is_test
    }
}

/// Returns all files that are checked.
fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            let name = entry.file_name();
            if SKIPPED
                .iter()
                .any(|skipped| path == Path::new(skipped) || name == *skipped && *skipped == "node_modules")
            {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push(File { path: path.to_str().unwrap().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(files.len() > 100, "{} files only", files.len());
    files
}

/// Returns the lines of a file that people read, with their numbers.
fn texts(file: &File) -> Vec<(usize, String)> {
    let lines = || (1..).zip(file.text.lines());
    match file.extension() {
        Some("rs") => {
            let scanned = scan(&file.text);
            let strings = if file.is_source() { scanned.strings } else { Vec::new() };
            scanned.comments.into_iter().chain(strings).collect()
        }
        Some("md") => without_blocks(&file.text),
        Some("json") if file.path.starts_with("tests/") => Vec::new(),
        Some("json" | "html" | "in") => lines().map(|(number, line)| (number, line.to_owned())).collect(),
        Some("js" | "mjs" | "ts" | "css") => {
            let scanned = scan(&file.text);
            scanned.comments.into_iter().chain(scanned.strings).collect()
        }
        Some("sh" | "toml" | "yml" | "py") | None => {
            let comments = lines().filter_map(|(number, line)| Some((number, line.split_once('#')?.1.to_owned())));
            comments.collect()
        }
        Some(_) => Vec::new(),
    }
}

/// Returns the lines of a page outside of its code blocks.
fn without_blocks(page: &str) -> Vec<(usize, String)> {
    let mut in_block = false;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push((number, line.to_owned()));
        }
    }
    lines
}

/// Removes inline code and the targets of links.
fn without_code(text: &str) -> String {
    let code = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let mut kept = String::new();
    let mut rest = code.as_str();
    while let Some((before, behind)) = rest.split_once("](") {
        kept.push_str(before);
        rest = behind.split_once(')').map_or("", |(_, behind)| behind);
    }
    kept + rest
}

/// Splits a name in snake case or camel case into its words.
fn words_of_name(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || c.is_uppercase() && was_lower {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().unwrap().extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words
}

#[test]
fn words_are_found_in_text_and_in_names() {
    let words = compile(WORDS);
    for (text, expected) in [
        ("Nobody is told.", 2),
        ("The error is no longer reported.", 0),
        ("It is no error.", 1),
        ("fault injection finds a fault", 1),
        ("the default", 0),
        ("A value of `told` and [a page](told.md).", 0),
    ] {
        assert_eq!(find(&words, "a.md", &without_code(text)).len(), expected, "{text}");
    }
    let names = compile(NAMES);
    for (name, expected) in [("not_found", 0), ("told_file", 1), ("default", 0), ("to_owned", 0), ("FaultLine", 1)] {
        assert_eq!(find(&names, "a.rs", &words_of_name(name).join(" ")).len(), expected, "{name}");
    }
}
