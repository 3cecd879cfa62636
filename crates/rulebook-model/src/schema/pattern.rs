//! Regular expressions for names and other texts, in the subset of ECMA-262 that all validators support.

use crate::definition::dialect_spec::TREE;
use crate::definition::keys::COMMENT_PREFIXES;
use crate::definition::keys::rules::SOURCE_PREFIXES;

/// A text that is not blank. The class `\s` of ECMA-262 lacks U+0085, which is white space, and contains U+FEFF, which
/// is not white space.
pub(crate) const NOT_BLANK: &str = r"[^\s\u0085]|\uFEFF";

/// A name in code: at least one character, no white space, no control characters.
pub(crate) const NAME: &str = r"^([^\s\u0000-\u001f\u007f-\u009f]|\uFEFF)+$";

/// A permission that may contain variables: `user[user_id]`.
pub(crate) const PERMISSION: &str = r"^([^\[\]\u0000-\u001f\u007f-\u009f]|\[[^\[\]\u0000-\u001f\u007f-\u009f]+\])+$";

/// The address of a socket: a host and a port.
pub(crate) const ADDRESS: &str = r"^[\s\S]+:\+?[0-9]+$";

/// A token (RFC 9110 section 5.6.2).
pub(crate) const TOKEN: &str = r"^[!#$%&'*+.^_`|~0-9A-Za-z\-]+$";

/// A segment of a path without captures.
pub(crate) const SEGMENT: &str = r"[^/{}\u0000-\u001f\u007f-\u009f]+";

/// A capture in a path.
const CAPTURE: &str = r"\{[A-Za-z_][A-Za-z0-9_\-]*\}";

/// A type, approximately, because a regular expression cannot match nested brackets.
pub(crate) const TERM: &str = r"^(\?|\[\])*[A-Za-z_][A-Za-z0-9_\-]*(\([\s\S]+\)|<[\s\S]+>)?$";

/// Returns a pattern for the base path of an API.
pub(crate) fn base() -> String {
    format!("^(/|(/{SEGMENT})+)$")
}

/// Returns a pattern for the path of a service, which may contain captures.
pub(crate) fn path() -> String {
    format!("^(/|(/({SEGMENT}|{CAPTURE}))+)$")
}

/// Returns a pattern for keys that the parser ignores.
pub(crate) fn ignored_key() -> String {
    format!("^({})", alternatives(COMMENT_PREFIXES))
}

/// Returns a pattern for parameter keys that begin with the prefix of a part of the request: `GET@…`, `{…}`, `URL#…`.
pub(crate) fn source_key() -> String {
    let prefixes = SOURCE_PREFIXES.iter().map(|source| source.tree_name).filter(|prefix| !prefix.is_empty());
    format!(r"^({}|\{{[\s\S]*\}}$)", alternatives(prefixes.chain([TREE.position_prefix])))
}

/// Returns a pattern that matches exactly the words.
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    format!("^({})$", alternatives(words))
}

/// Returns a pattern that matches exactly the words, ignoring the case of ASCII letters.
pub(crate) fn one_of_ignoring_case<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(ignoring_case_pattern).collect();
    format!("^({})$", words.join("|"))
}

/// Returns a pattern of alternatives for the words, without anchors.
pub(crate) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.chars().map(escape_character).collect()).collect();
    words.join("|")
}

fn ignoring_case_pattern(word: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()),
        false => escape_character(letter),
    };
    word.chars().map(letter).collect()
}

/// Returns a character escaped so that it matches itself. `-` has no special meaning outside of classes.
fn escape_character(letter: char) -> String {
    if r"\^$.|?*+()[]{}/".contains(letter) { format!("\\{letter}") } else { letter.to_string() }
}
