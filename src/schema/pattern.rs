//! Regular expressions of names, in the part of ECMA-262 that all validators know.

use crate::definition::keys::REMARKS;

/// A text that is not blank. The byte order mark is a blank in ECMA-262 only.
pub(super) const NOT_BLANK: &str = r"[\S\uFEFF]";

/// A name in code: no blanks, no control characters. Empty it is none either.
pub(super) const NAME: &str = r"^[^\s\u0000-\u001f\u007f-\u009f]+$";

/// What a segment of a path can hold as it stands.
pub(super) const SEGMENT: &str = r"[^/{}\u0000-\u001f\u007f-\u009f]+";

/// A term of a type, as far as an expression can say it: brackets that nest it cannot match.
pub(super) const TERM: &str = r"^(\?|\[\])*[A-Za-z_][A-Za-z0-9_-]*(\([\s\S]+\)|<[\s\S]+>)?$";

/// A key that is for other readers.
pub(super) fn remark() -> String {
    format!("^({})", alternatives(REMARKS))
}

/// One of these words.
pub(super) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    format!("^({})$", alternatives(words))
}

/// One of these words, whatever the case of their ASCII letters.
pub(super) fn one_of_in_any_case<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(in_any_case).collect();
    format!("^({})$", words.join("|"))
}

/// These words, one or another.
pub(super) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.chars().map(escaped).collect()).collect();
    words.join("|")
}

fn in_any_case(word: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()),
        false => escaped(letter),
    };
    word.chars().map(letter).collect()
}

/// A character that stands for itself. `-` means nothing outside of classes, and may not be escaped there.
fn escaped(letter: char) -> String {
    if r"\^$.|?*+()[]{}/".contains(letter) { format!("\\{letter}") } else { letter.to_string() }
}
