//! The shape of the code, as `docs/architecture.md` draws it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// No file of the sources is longer, in lines.
const LONGEST: usize = 500;

/// Files at the top that may use every part: the map of the crate and the program.
const TOPS: [&str; 2] = ["lib", "main"];

/// Fails the tests of users who use the client for tests wrongly.
const FAILS_TESTS: &str = "src/test/misuse.rs";

/// Parts that may name the server's library.
const SERVERS: [&str; 2] = ["server", "main"];

#[test]
fn imports_go_one_way() {
    let map = code_map();
    let mut faults = Vec::new();
    for (row, (part, uses)) in map.iter().enumerate() {
        for used in uses {
            if !map[..row].iter().any(|(above, _)| above == used) {
                faults.push(format!("the code map: `{part}` uses `{used}`, which does not stand above it"));
            }
        }
    }
    let map: BTreeMap<_, _> = map.into_iter().collect();
    let mut used = BTreeSet::new();
    for file in sources() {
        if TOPS.contains(&file.part.as_str()) {
            continue;
        }
        let Some(uses) = map.get(&file.part) else {
            faults.push(format!("{}: `{}` is not in the code map", file.shown, file.part));
            continue;
        };
        for (line, target) in imports(&file) {
            if target == file.part {
                continue;
            }
            if uses.contains(&target) {
                used.insert((file.part.clone(), target));
            } else {
                faults.push(format!("{}:{line}: `{}` must not use `{target}`", file.shown, file.part));
            }
        }
    }
    for (part, uses) in &map {
        for target in uses {
            if !used.contains(&(part.clone(), target.clone())) {
                faults.push(format!("the code map: `{part}` does not use `{target}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_the_server_knows_its_library() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|file| !SERVERS.contains(&file.part.as_str()))
        .flat_map(|file| {
            let tokens = flat(file.tokens);
            tokens
                .into_iter()
                .filter(|token| token.text.starts_with("actix"))
                .map(move |token| format!("{}:{}: {}", file.shown, token.line, token.text))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_it_is_in_charge_of() {
    let faults: Vec<_> = sources()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| format!("{}: does not open with `//!`", file.shown))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_is_long() {
    let faults: Vec<_> = sources()
        .into_iter()
        .map(|file| (file.text.lines().count(), file.shown))
        .filter(|(lines, _)| *lines > LONGEST)
        .map(|(lines, file)| format!("{file}: {lines} lines"))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_panics_on_purpose() {
    let mut faults = Vec::new();
    for file in sources() {
        let tokens = flat(file.tokens);
        for pair in tokens.windows(2).filter(|_| file.shown != FAILS_TESTS) {
            let panics = matches!(
                (pair[0].text.as_str(), pair[1].text.as_str()),
                (".", "unwrap" | "unwrap_err") | ("panic" | "todo" | "unimplemented" | "unreachable", "!")
            );
            if panics {
                faults.push(format!("{}:{}: {}{}", file.shown, pair[0].line, pair[0].text, pair[1].text));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A file of the sources.
struct File {
    /// As it is shown: `src/call/head.rs`.
    shown: String,
    /// The modules that it is in, outermost first: `["call", "head"]`.
    module: Vec<String>,
    /// The part of the code map that it belongs to.
    part: String,
    text: String,
    /// Its code without tests, comments and the content of texts.
    tokens: TokenStream,
}

/// A token that is no group; brackets are tokens of their own.
struct Token {
    text: String,
    line: usize,
}

/// The rows of the code map: each part, and the parts that it may use.
fn code_map() -> Vec<(String, Vec<String>)> {
    let path = root().join("docs/architecture.md");
    let text = fs::read_to_string(&path).unwrap();
    let quoted = |cell: &str| -> Vec<String> {
        let words = cell.split('`').skip(1).step_by(2);
        words.map(str::to_owned).collect()
    };
    let rows: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `").map(|_| line))
        .map(|line| {
            let cells: Vec<_> = line.split('|').collect();
            (quoted(cells[1]).remove(0), quoted(cells[3]))
        })
        .collect();
    assert!(rows.len() > 10, "the code map of {} is not where it was", path.display());
    rows
}

/// All files below `src`, less those that hold nothing but tests.
fn sources() -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") && path.file_stem().unwrap() != "tests" {
                files.push(file(&path));
            }
        }
    }
    files.sort_by(|one, other| one.shown.cmp(&other.shown));
    assert!(files.len() > 20, "the sources are not where they were");
    files
}

fn file(path: &Path) -> File {
    let shown = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
    let inside = shown.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut module: Vec<_> = inside.split('/').map(str::to_owned).collect();
    if module.len() > 1 && module.last().unwrap() == "mod" {
        module.pop();
    }
    let text = fs::read_to_string(path).unwrap();
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{shown}: {error}"));
    File { part: module[0].clone(), tokens: without_tests(tokens), shown, module, text }
}

/// Leaves out what stands behind `#[cfg(test)]`.
fn without_tests(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        let test = matches!(&token, TokenTree::Group(group) if group.to_string().replace(' ', "") == "[cfg(test)]");
        if !test {
            kept.push(token);
            continue;
        }
        for skipped in tokens.by_ref() {
            let last = match &skipped {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                _ => false,
            };
            if last {
                break;
            }
        }
    }
    kept.into_iter().collect()
}

/// The tokens in the order of the text, groups opened.
fn flat(tokens: TokenStream) -> Vec<Token> {
    let mut all = Vec::new();
    flatten(tokens, &mut all);
    all
}

fn flatten(tokens: TokenStream, all: &mut Vec<Token>) {
    for token in tokens {
        let line = token.span().start().line;
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let end = group.span_close().start().line;
                all.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), all);
                all.push(Token { text: close.to_owned(), line: end });
            }
            TokenTree::Literal(_) => all.push(Token { text: "\"\"".to_owned(), line }),
            other => all.push(Token { text: other.to_string(), line }),
        }
    }
}

/// The parts that a file's paths lead to from the top of the crate, each with its line: `crate::call::Value`,
/// `crate::{call, error}`, and `super::` as often as it takes.
fn imports(file: &File) -> Vec<(usize, String)> {
    let tokens = flat(file.tokens.clone());
    let text = |at: usize| tokens.get(at).map_or("", |token: &Token| token.text.as_str());
    let colons = |at: usize| text(at) == ":" && text(at + 1) == ":";
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = at == 0 || text(at - 1) != ":";
        let start = at;
        at += 1;
        let top = match text(start) {
            "crate" => colons(at),
            "super" if begins && colons(at) => {
                let mut ups = 1;
                while text(at + 2) == "super" && colons(at + 3) {
                    ups += 1;
                    at += 3;
                }
                ups >= file.module.len()
            }
            _ => false,
        };
        if !top {
            continue;
        }
        let line = tokens[start].line;
        at += 2;
        if text(at) != "{" {
            found.push((line, text(at).to_owned()));
            continue;
        }
        let mut depth = 0;
        loop {
            match text(at) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ if depth == 1 && matches!(text(at - 1), "{" | ",") => found.push((line, text(at).to_owned())),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
    }
    found
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
