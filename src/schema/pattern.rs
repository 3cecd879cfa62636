//! Regular expressions of names, in the part of ECMA-262 that all validators know.

use crate::definition::keys::REMARKS;
use crate::definition::keys::rules::SOURCES;
use crate::definition::manner::TREE;

/// A text that is not blank. Of what is white space ECMA-262 does not know U+0085, and counts the byte order mark.
pub(super) const NOT_BLANK: &str = r"[^\s\u0085]|\uFEFF";

/// A name in code: no blanks, no control characters. Empty it is none either.
pub(super) const NAME: &str = r"^([^\s\u0000-\u001f\u007f-\u009f]|\uFEFF)+$";

/// A permission with its variables, `user[user_id]`.
pub(super) const PERMISSION: &str = r"^([^\[\]\u0000-\u001f\u007f-\u009f]|\[[^\[\]\u0000-\u001f\u007f-\u009f]+\])+$";

/// An address to listen at.
pub(super) const ADDRESS: &str = r"^[\s\S]+:\+?[0-9]+$";

/// A token (RFC 9110 section 5.6.2).
pub(super) const TOKEN: &str = r"^[!#$%&'*+.^_`|~0-9A-Za-z\-]+$";

/// What a segment of a path can hold as it stands.
pub(super) const SEGMENT: &str = r"[^/{}\u0000-\u001f\u007f-\u009f]+";

const CAPTURE: &str = r"\{[A-Za-z_][A-Za-z0-9_\-]*\}";

/// A term of a type, as far as an expression can say it: brackets that nest it cannot match.
pub(super) const TERM: &str = r"^(\?|\[\])*[A-Za-z_][A-Za-z0-9_\-]*(\([\s\S]+\)|<[\s\S]+>)?$";

/// The path that all services stand below.
pub(super) fn base() -> String {
    format!("^(/|(/{SEGMENT})+)$")
}

/// The path of a service, with its captures.
pub(super) fn path() -> String {
    format!("^(/|(/({SEGMENT}|{CAPTURE}))+)$")
}

/// A key that is for other readers.
pub(super) fn remark() -> String {
    format!("^({})", alternatives(REMARKS))
}

/// A key of a parameter that says where it stands.
pub(super) fn place() -> String {
    let places = SOURCES.iter().map(|source| source.means).filter(|place| !place.is_empty());
    format!(r"^({}|\{{[\s\S]*\}}$)", alternatives(places.chain([TREE.position])))
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
