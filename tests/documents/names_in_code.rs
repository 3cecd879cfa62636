//! Tests that the pages for contributors name files, functions and types that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::repository_folder;

/// Returns the text of a page from the heading `heading` to the next heading of the same level.
pub fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page.find(heading).unwrap_or_else(|| panic!("the page has no heading `{heading}`"));
    let text = &page[start + heading.len()..];
    text.split("\n## ").next().unwrap()
}

/// Returns the texts between backticks in a text that contains no code blocks.
fn inline_codes(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the text of a page without its code blocks.
fn without_code_blocks(page: &str) -> String {
    page.split("```").step_by(2).collect()
}

/// Returns the contents of a file, or of all files in a folder and in its subfolders.
fn read_all(path: &Path) -> String {
    if path.is_file() {
        return fs::read_to_string(path).unwrap_or_default();
    }
    let mut entries: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().map(|entry| read_all(entry)).collect()
}

/// Returns `true` if a text contains a name, and the characters around the name do not belong to a longer name.
fn contains_name(text: &str, name: &str) -> bool {
    Regex::new(&format!(r"(?:^|\W){}(?:\W|$)", regex::escape(name))).unwrap().is_match(text)
}

#[test]
fn each_row_about_additions_names_existing_files_and_names_in_these_files() {
    let page = fs::read_to_string(repository_folder().join("CONTRIBUTING.md")).unwrap();
    let rows: Vec<_> =
        section(&page, "## Where an addition goes").lines().filter(|line| line.starts_with('|')).collect();
    // The first two lines of a table are its head.
    let rows = &rows[2..];
    assert!(rows.len() >= 8, "the table has {} rows only", rows.len());
    for row in rows {
        let (addition, code) = row.trim_matches('|').split_once('|').unwrap();
        let (paths, names): (Vec<_>, Vec<_>) = inline_codes(code).partition(|code| code.contains('/'));
        assert!(!paths.is_empty(), "{addition}: the row names no file");
        let mut texts = String::new();
        for path in paths {
            let path = repository_folder().join(path);
            assert!(path.exists(), "{addition}: {} does not exist", path.display());
            texts.push_str(&read_all(&path));
            // A row can name a file a second time by its last part.
            texts.push_str(&format!("\n{}\n", path.file_name().unwrap().display()));
        }
        for name in names {
            assert!(contains_name(&texts, name), "{addition}: no file of the row contains `{name}`");
        }
    }
}

/// The texts between backticks on the page about the architecture that are neither paths nor names in the code.
const OTHER_CODES: [&str; 2] = ["100 Continue", "\"options\": \"own\""];

#[test]
fn files_and_names_on_the_page_about_the_architecture_exist() {
    let page = fs::read_to_string(repository_folder().join("docs/architecture.md")).unwrap();
    // Some paths are relative to the folder of the sources that the page is about.
    let folders = ["", "crates/rulebook/src", "crates/rulebook-model/src"].map(|name| repository_folder().join(name));
    let exists = |path: &str| {
        let candidates = |folder: &PathBuf| [folder.join(path), folder.join(format!("{path}.rs"))];
        folders.iter().flat_map(candidates).any(|path| path.exists())
    };
    let sources: String =
        ["crates", "src", "tests/support", "Cargo.toml"].map(|name| read_all(&repository_folder().join(name))).concat();
    let text = without_code_blocks(&page);
    let codes: BTreeSet<_> = inline_codes(&text).filter(|code| !OTHER_CODES.contains(code)).collect();
    assert!(codes.len() > 50, "the page has {} names only", codes.len());
    let unknown: Vec<_> = codes.into_iter().filter(|code| !exists(code) && !contains_name(&sources, code)).collect();
    assert!(unknown.is_empty(), "these files and names do not exist: {unknown:?}");
}

#[test]
fn the_code_map_lists_the_modules_of_the_two_libraries() {
    let page = fs::read_to_string(repository_folder().join("docs/architecture.md")).unwrap();
    let declaration = Regex::new(r"(?m)^(?:pub )?mod (\w+);").unwrap();
    for library in ["crates/rulebook-model/src", "crates/rulebook/src"] {
        let (_, table) = page.split_once(&format!("`{library}`:\n\n")).unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        let first_column = |row: &str| row.split('|').nth(1).unwrap().to_owned();
        let columns: String = table.lines().map(first_column).collect();
        let listed: BTreeSet<_> = inline_codes(&columns).collect();
        let text = fs::read_to_string(repository_folder().join(library).join("lib.rs")).unwrap();
        let declared: BTreeSet<_> =
            declaration.captures_iter(&text).map(|captures| captures.get(1).unwrap().as_str()).collect();
        assert_eq!(listed, declared, "{library}");
    }
}
