//! Splits Rust code into code, comments and string literals. JavaScript and CSS are split well enough to find comments
//! and strings.

use std::collections::BTreeMap;

/// The code, the comments and the string literals of a file.
#[derive(Default)]
pub struct Scanned {
    /// The code without comments and literals, by line number.
    pub code: BTreeMap<usize, String>,
    /// The comments by line number.
    pub comments: BTreeMap<usize, String>,
    /// The lines of string literals with their line numbers.
    pub strings: Vec<(usize, String)>,
}

/// Splits a file into code, comments and string literals.
pub fn scan(text: &str) -> Scanned {
    let mut scanned = Scanned::default();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest);
        let token = &rest[..length];
        if token.starts_with("//") || token.starts_with("/*") {
            for (offset, part) in (0..).zip(token.lines()) {
                scanned.comments.entry(line + offset).or_default().push_str(part);
            }
        } else if token.len() > 1 && token.ends_with(['"', '#']) {
            scanned.strings.extend((line..).zip(token.lines().map(str::to_owned)));
            scanned.code.entry(line).or_default().push(' ');
        } else {
            scanned.code.entry(line).or_default().push(if token.len() > first.len_utf8() { ' ' } else { first });
        }
        line += token.matches('\n').count();
        rest = &rest[length..];
    }
    scanned
}

/// Returns the length in bytes of the token at the beginning of a text: of a comment, a literal, or else one character.
fn token_length(text: &str) -> usize {
    let up_to = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    let escaped = |from: usize, quote: char| {
        let mut escape = false;
        let end = text[from..].char_indices().find(|(_, c)| {
            let ends = *c == quote && !escape;
            escape = *c == '\\' && !escape;
            ends
        });
        end.map_or(text.len(), |(at, _)| from + at + 1)
    };
    let raw = text.strip_prefix('b').unwrap_or(text).strip_prefix('r').map(|behind| {
        let hashes = behind.len() - behind.trim_start_matches('#').len();
        (text.len() - behind.len() + hashes, hashes)
    });
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('/'), Some('/'), _) => text.find('\n').unwrap_or(text.len()),
        (Some('/'), Some('*'), _) => up_to(2, "*/"),
        (Some('"'), ..) => escaped(1, '"'),
        (Some('b'), Some('"'), _) => escaped(2, '"'),
        (Some('\''), Some('\\'), _) => escaped(1, '\''),
        (Some('\''), Some(c), Some('\'')) => 2 + c.len_utf8(),
        (Some('r' | 'b'), Some('"' | '#' | 'r'), _) => match raw {
            Some((at, hashes)) if text[at..].starts_with('"') => up_to(at + 1, &format!("\"{}", "#".repeat(hashes))),
            _ => 1,
        },
        (Some(c), ..) => c.len_utf8(),
        (None, ..) => 0,
    }
}

#[test]
fn code_comments_and_strings_are_separated() {
    let text = "//! one\nlet a = \"two // \\\" three\"; // four\nlet b = r#\"five\n\"six\"#; let c = '\"'; /* seven\n*/ fn d<'e>() {}\n";
    let scanned = scan(text);
    let comments: Vec<_> = scanned.comments.values().map(String::as_str).collect();
    assert_eq!(comments, ["//! one", "// four", "/* seven", "*/"]);
    let strings: Vec<_> = scanned.strings.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(strings, [(2, "\"two // \\\" three\""), (3, "r#\"five"), (4, "\"six\"#")]);
    let code: String = scanned.code.into_values().collect();
    let names = code.split(|c: char| !c.is_alphanumeric()).filter(|name| !name.is_empty());
    assert_eq!(names.collect::<Vec<_>>(), ["let", "a", "let", "b", "let", "c", "fn", "d", "e"]);
}
