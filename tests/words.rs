//! Checks that comments, documentation, messages and names use plain words, which readers understand at first sight.
//!
//! [`AVOIDED_IN_TEXT`] lists words and phrases to avoid in text: in comments and string literals of the sources, in
//! comments of the tests, and in definitions, pages and scripts. Inline code (in backticks) and code blocks are not
//! checked. [`AVOIDED_IN_NAMES`] lists words to avoid in the names of the sources. Each row contains the word, what to
//! write instead, and optionally the phrases and paths in which the word is allowed.

mod comment_width;
mod scan;

use std::fs;
use std::path::{Path, PathBuf};

use regex::{Regex, RegexSet};

use self::scan::scan;

/// A word or phrase to avoid.
#[derive(Clone, Copy)]
struct AvoidedWord {
    /// A regular expression that matches the word, without word boundaries, which are added on both sides. Case is
    /// ignored.
    pattern: &'static str,
    replacement: &'static str,
    /// The phrases that contain the word and are allowed.
    allowed_phrases: &'static [&'static str],
    /// The paths below which the word is allowed, relative to the repository.
    allowed_paths: &'static [&'static str],
}

const fn avoided_word(pattern: &'static str, replacement: &'static str) -> AvoidedWord {
    AvoidedWord { pattern, replacement, allowed_phrases: &[], allowed_paths: &[] }
}

const fn except_in_phrases(word: AvoidedWord, allowed_phrases: &'static [&'static str]) -> AvoidedWord {
    AvoidedWord { allowed_phrases, ..word }
}

const fn except_in_paths(word: AvoidedWord, allowed_paths: &'static [&'static str]) -> AvoidedWord {
    AvoidedWord { allowed_paths, ..word }
}

/// Words and phrases to avoid in text.
const AVOIDED_IN_TEXT: &[AvoidedWord] = &[
    // Pronouns and nouns that leave the subject of a sentence open.
    avoided_word("nobody(?:'s)?", "no one, no client, anonymous"),
    avoided_word("somebody(?:'s)?", "a caller, a user, a client"),
    avoided_word("who(?:so)?m?ever", "the client that, every caller that"),
    avoided_word("(?:who|whom) (?:asks|is asked|calls)", "the caller, the client"),
    avoided_word("one's own", "your own, custom"),
    avoided_word("(?:as|if) one likes", "any number of, as you like"),
    avoided_word("so many", "this number of, the given number of"),
    avoided_word("no such one", "name the thing"),
    // Verbs that do not say what happens.
    avoided_word("tell|tells|told|telling", "report, describe, show, return"),
    avoided_word("mend|mends|mended|mending", "fix, repair"),
    avoided_word("judge|judges|judged|judging", "check, validate"),
    avoided_word("go on|goes on|went on|gone on|going on", "continue"),
    avoided_word("(?:does|do|did) not hold", "fails, is false, is not satisfied"),
    avoided_word("(?:is|are) said", "is stated, is printed"),
    avoided_word("(?:pass|passes|passed|passing) over", "ignore, skip"),
    avoided_word("(?:take|takes|took|taken|taking) apart", "split, parse"),
    avoided_word("stands? (?:in|at|under|beside|before|behind|there|twice)", "is in, is, occurs"),
    avoided_word("(?:is|are|was|were) none", "is not a …, does not exist"),
    except_in_phrases(
        avoided_word("(?:it|that|which|what|who|this) (?:is|are|was|were) no", "is not a"),
        &["is no longer", "are no longer", "was no longer", "is no more", "are no more"],
    ),
    except_in_phrases(
        avoided_word("(?:is|are|was|were) of", "belongs to, has, comes from"),
        &["is of type", "are of type"],
    ),
    avoided_word("nothing of", "no part of"),
    avoided_word("by a way|own way", "name the path, the method or the protocol"),
    // Words for errors and for rejected input.
    except_in_phrases(
        avoided_word("fault|faults|faulty", "error, wrong, invalid"),
        &["fault injection", "fault-injection", "page fault", "segmentation fault"],
    ),
    avoided_word("trouble|troubles", "error, failure, problem"),
    avoided_word("flaw|flaws", "error"),
    avoided_word("misfit|misfits", "mismatch, error"),
    avoided_word("objection|objections", "error"),
    avoided_word("refusal|refusals", "error response, rejection"),
    // Synonyms: the documentation uses one word for one thing.
    except_in_paths(
        avoided_word("answer|answers|answered|answering", "response, respond, return"),
        &["api", "src", "crates/rulebook-model/tests/definitions"],
    ),
    avoided_word("manner|manners", "dialect, syntax, way"),
    avoided_word("shelf|shelves", "cache"),
    avoided_word("extremes", "boundary values"),
    avoided_word("misread", "invalid argument, cannot be parsed"),
    avoided_word("(?:has|is|is there|there is|there is no|no|enough) room", "space, capacity"),
    // Phrases that are translated from another language.
    avoided_word("letter (?:for|by) letter", "exactly, case-sensitive"),
    avoided_word("where (?:it|that) is wanted", "if …"),
    avoided_word("segments? behind", "segment after"),
    avoided_word("what is (?:not )?there", "name the things"),
    avoided_word("with(?:out)? more to it|and no more", "and nothing else"),
];

/// Words to avoid in the names of functions, types, fields, variables and modules of the sources.
const AVOIDED_IN_NAMES: &[AvoidedWord] = &[
    avoided_word("told|tell|tells", "report, describe, documents"),
    avoided_word("said|says", "text, message, output"),
    avoided_word("fault|faults|faulty", "error"),
    avoided_word("trouble|troubles", "error"),
    avoided_word("flaw|flaws", "error"),
    avoided_word("misfit|misfits|misread", "mismatch, ArgsError"),
    avoided_word("objection|objections", "error"),
    avoided_word("refusal|refusals", "error, ApiError"),
    avoided_word("judge|judged|judges", "check, validate, validated"),
    avoided_word("nobody|nobodys", "anonymous"),
    avoided_word("wanted|wants", "requested, expected"),
    // `Audience::Own` has the name of the setting `"options": "own"`.
    except_in_paths(
        avoided_word("own", "name the owner or the kind: custom, local"),
        &["crates/rulebook-model/src/model/choices.rs", "crates/rulebook/src/engine/documents.rs"],
    ),
    avoided_word("most", "max, limit"),
    avoided_word("least", "min"),
    avoided_word("longest", "max_len"),
    avoided_word("here|elsewhere|there", "name the place: local, fallback"),
    avoided_word("way|ways", "route, path, method"),
    avoided_word("room", "capacity, limits"),
    avoided_word("shelf", "cache"),
    avoided_word("manner|manners", "dialect"),
    avoided_word("surroundings", "context"),
    avoided_word("undecided", "needs_body"),
    avoided_word("keeper", "watcher"),
    avoided_word("wish", "options, new key"),
    avoided_word("stands", "is_…"),
];

/// Folders and files that are not checked: data recorded from the ancestors (earlier frameworks), and files that other
/// programs generate.
const SKIPPED_PATHS: &[&str] = &[
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
    let words = compile_patterns(AVOIDED_IN_TEXT);
    let mut findings = Vec::new();
    for file in checked_files() {
        for (line, text) in prose_lines(&file) {
            let found = find_avoided(&words, &file.path, &without_code(&text));
            findings.extend(
                found.iter().map(|(word, replacement)| format!("{}:{line}: {word} → {replacement}", file.path)),
            );
        }
    }
    assert!(findings.is_empty(), "{} words to replace:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn names_use_plain_words() {
    let words = compile_patterns(AVOIDED_IN_NAMES);
    let mut findings = Vec::new();
    for file in checked_files().into_iter().filter(SourceFile::is_source) {
        for (line, code) in scan(&file.text).code {
            let names = code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty());
            for name in names {
                let parts = split_name(name).join(" ");
                let found = find_avoided(&words, &file.path, &parts);
                findings.extend(
                    found.iter().map(|(_, replacement)| format!("{}:{line}: {name} → {replacement}", file.path)),
                );
            }
        }
    }
    findings.dedup();
    assert!(findings.is_empty(), "{} names to change:\n{}", findings.len(), findings.join("\n"));
}

/// Returns each avoided word that occurs in a text of the file at `path`, with what to write instead.
fn find_avoided(words: &CompiledWords, path: &str, text: &str) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    // Most texts contain none of the words, which the set finds out at once.
    for index in words.set.matches(text) {
        let (pattern, word) = &words.each[index];
        if word.allowed_paths.iter().any(|allowed| Path::new(path).starts_with(allowed)) {
            continue;
        }
        let text = word.allowed_phrases.iter().fold(text.to_owned(), |text, phrase| text.replace(phrase, ""));
        found.extend(pattern.find_iter(&text).map(|hit| (hit.as_str().to_owned(), word.replacement)));
    }
    found
}

struct CompiledWords {
    set: RegexSet,
    each: Vec<(Regex, &'static AvoidedWord)>,
}

fn compile_patterns(words: &'static [AvoidedWord]) -> CompiledWords {
    let pattern = |word: &AvoidedWord| format!(r"(?i)\b(?:{})\b", word.pattern);
    CompiledWords {
        set: RegexSet::new(words.iter().map(pattern)).unwrap(),
        each: words.iter().map(|word| (Regex::new(&pattern(word)).unwrap(), word)).collect(),
    }
}

/// A file of the repository.
struct SourceFile {
    /// The path of the file relative to the repository, separated by `/`.
    path: String,
    text: String,
}

impl SourceFile {
    fn extension(&self) -> Option<&str> {
        Path::new(&self.path).extension().and_then(|extension| extension.to_str())
    }

    /// Returns `true` if the file contains Rust code that is neither a test nor a benchmark.
    fn is_source(&self) -> bool {
        let mut folders = Path::new(&self.path).iter();
        let is_test = self.path.ends_with("tests.rs") || folders.any(|folder| folder == "tests" || folder == "benches");
        self.extension() == Some("rs") && !is_test
    }
}

/// Returns all files that the tests check.
fn checked_files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            let name = entry.file_name();
            if SKIPPED_PATHS
                .iter()
                .any(|skipped| path == Path::new(skipped) || name == *skipped && *skipped == "node_modules")
            {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push(SourceFile { path: path.to_str().unwrap().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(files.len() > 100, "{} files only", files.len());
    files
}

/// Returns the lines of a file that people read (comments, messages, prose), with their line numbers.
fn prose_lines(file: &SourceFile) -> Vec<(usize, String)> {
    let lines = || (1..).zip(file.text.lines());
    match file.extension() {
        Some("rs") => {
            let scanned = scan(&file.text);
            let strings = if file.is_source() { scanned.strings } else { Vec::new() };
            scanned.comments.into_iter().chain(strings).collect()
        }
        Some("md") => lines_outside_code_blocks(&file.text),
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

/// Returns the lines of a page outside of its code blocks, with their line numbers.
fn lines_outside_code_blocks(page: &str) -> Vec<(usize, String)> {
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

/// Removes inline code and the targets of links from a text.
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
fn split_name(name: &str) -> Vec<String> {
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
fn avoided_words_are_found_in_text_and_in_names() {
    let words = compile_patterns(AVOIDED_IN_TEXT);
    for (text, expected) in [
        ("Nobody is told.", 2),
        ("The error is no longer reported.", 0),
        ("It is no error.", 1),
        ("fault injection finds a fault", 1),
        ("the default", 0),
        ("A value of `told` and [a page](told.md).", 0),
    ] {
        assert_eq!(find_avoided(&words, "a.md", &without_code(text)).len(), expected, "{text}");
    }
    let names = compile_patterns(AVOIDED_IN_NAMES);
    for (name, expected) in [("not_found", 0), ("told_file", 1), ("default", 0), ("to_owned", 0), ("FaultLine", 1)] {
        assert_eq!(find_avoided(&names, "a.rs", &split_name(name).join(" ")).len(), expected, "{name}");
    }
}
