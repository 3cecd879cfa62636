//! Checks that comments have the width of the code. `cargo fmt` wraps code, but no comments.

use super::{SourceFile, checked_files};

/// The maximum number of characters in a line, as in `rustfmt.toml`.
const MAX_WIDTH: usize = 120;

/// Returns the numbers of the lines that contain only a comment, and are too long.
fn wide_comments(text: &str) -> Vec<usize> {
    let is_wide = |line: &str| line.trim_start().starts_with("//") && line.chars().count() > MAX_WIDTH;
    (1..).zip(text.lines()).filter(|(_, line)| is_wide(line)).map(|(number, _)| number).collect()
}

#[test]
fn comments_are_no_wider_than_code() {
    let files = checked_files().into_iter().filter(|file| file.extension() == Some("rs"));
    let find =
        |file: SourceFile| wide_comments(&file.text).into_iter().map(move |line| format!("{}:{line}", file.path));
    let findings: Vec<_> = files.flat_map(find).collect();
    assert!(findings.is_empty(), "{} comments to wrap:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn wide_comments_are_found_in_any_indentation() {
    let fits = format!("    /// {}", "ä".repeat(MAX_WIDTH - 8));
    assert_eq!(wide_comments(&format!("{fits}\n{fits}ä\n//{}\nlet x = 1; //{fits}\n", fits.trim())), [2]);
}
