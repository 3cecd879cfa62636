//! Writes Markdown, in which texts of a definition are escaped, so that a Markdown renderer shows them literally; and
//! replaces control characters in these texts, for every kind of document.

use std::borrow::Cow;
use std::fmt::Write;

use crate::invisible::is_control_character;

/// A Markdown document. Two blocks (paragraphs, lists, tables, code) are separated by an empty line.
#[derive(Default)]
pub(super) struct MarkdownWriter(String);

impl MarkdownWriter {
    pub(super) fn begin_block(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    pub(super) fn write_line(&mut self, line: &str) {
        self.begin_block();
        self.0.extend([line, "\n"]);
    }

    pub(super) fn write_list(&mut self, items: impl IntoIterator<Item = String>) {
        for (index, item) in items.into_iter().enumerate() {
            if index == 0 {
                self.begin_block();
            }
            self.write_item(0, "-", &item);
        }
    }

    /// Writes an item of the current list, indented by `indent` spaces. `marker` is `-` or a number with a dot.
    pub(super) fn write_item(&mut self, indent: usize, marker: &str, item: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{:indent$}{marker} {item}", "");
    }

    /// Writes a table, unless the table has no rows. Each row must have as many cells as `head`.
    pub(super) fn write_table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        if rows.is_empty() {
            return;
        }
        self.begin_block();
        self.0.extend(["| ", &head.join(" | "), " |\n|"]);
        self.0.extend(head.iter().map(|_| " --- |"));
        self.0.push('\n');
        for row in rows {
            self.0.extend(["| ", &row.join(" | "), " |\n"]);
        }
    }

    /// The fence has more backticks than any sequence of backticks in the text, so that the text cannot end the block.
    pub(super) fn write_code_block(&mut self, language: &str, text: &str) {
        let max_backticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(max_backticks.max(2) + 1);
        self.begin_block();
        self.0.extend([&fence, language, "\n", text.trim_end_matches('\n'), "\n", &fence, "\n"]);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Returns a text on one line, escaped so that a Markdown renderer shows it literally. The supported syntax is
/// CommonMark with the tables and the strikethrough of GitHub Flavored Markdown. Control characters, including
/// characters that change the direction of text, are replaced by their code points.
pub(super) fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut last = None;
    let mut characters = text.trim_matches(is_white_space).chars().peekable();
    // At the start of a line, digits and a dot or a parenthesis would begin an ordered list.
    let mut only_digits = true;
    while let Some(character) = characters.next() {
        let at_start = last.is_none();
        let next = characters.peek().copied();
        match character {
            _ if is_white_space(character) => {
                if !last.is_some_and(is_white_space) {
                    escaped.push(' ');
                }
            }
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '_' if is_word_character(last) && is_word_character(next) => escaped.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => escaped.extend(['\\', character]),
            '#' | '+' | '-' | '=' if at_start => escaped.extend(['\\', character]),
            // Markdown would not show a `#` at the end of a heading, because the syntax of headings includes it.
            '#' if next.is_none() => escaped.push_str("\\#"),
            '.' | ')' if only_digits && !at_start && next.is_none_or(is_white_space) => {
                escaped.extend(['\\', character]);
            }
            _ if is_control_character(character) => escaped.push_str(&format_code_point(character)),
            _ => escaped.push(character),
        }
        only_digits &= character.is_ascii_digit();
        last = Some(character);
    }
    escaped
}

/// If a code span in a table cannot contain the text, the text is escaped instead.
pub(super) fn code_span(text: &str) -> String {
    let is_plain =
        |character| !matches!(character, '`' | '|') && !is_white_space(character) && !is_control_character(character);
    if !text.is_empty() && text.split(' ').all(|word| !word.is_empty() && word.chars().all(is_plain)) {
        format!("`{text}`")
    } else {
        escape_text(text)
    }
}

/// Returns `true` if Markdown treats a `_` next to this character as a part of a word.
fn is_word_character(character: Option<char>) -> bool {
    character.is_some_and(char::is_alphanumeric)
}

// Control characters could change how a document displays the text around them, so every document shows their code
// points instead.

/// Returns `true` for white space, and for characters that end a line. Documents show a sequence of these characters as
/// one space.
pub(super) fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Returns the code point of a character in the notation of documents, such as `U+202E`.
fn format_code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// Replaces each control character by its code point. Line breaks, tabs and spaces are not changed.
pub(super) fn escape_control_characters(text: &str) -> Cow<'_, str> {
    let is_kept = |c: char| {
        matches!(c, ' ' | '\n' | '\t') || !(is_white_space(c) || is_control_character(c) || is_noncharacter(c))
    };
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            _ if is_kept(character) => escaped.push(character),
            _ if is_white_space(character) => escaped.push(' '),
            // Writing to a `String` cannot fail.
            _ => _ = write!(escaped, "{}", format_code_point(character)),
        }
    }
    Cow::Owned(escaped)
}

/// HTML does not allow noncharacters even as a character reference (HTML standard, section 13.1.4).
fn is_noncharacter(character: char) -> bool {
    let number = u32::from(character);
    matches!(number, 0xFDD0..=0xFDEF) || number & 0xFFFE == 0xFFFE
}
