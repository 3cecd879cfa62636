//! Regular expressions for texts in definition files, in the subset of ECMA-262 that all validators support.

use crate::definition::dialect_spec::TREE;
use crate::definition::keys::COMMENT_PREFIXES;
use crate::definition::keys::rules::SOURCE_PREFIXES;
use crate::model::WHOLE_BODY_KEY;

/// Matches a text that is not blank. The class `\s` of ECMA-262 lacks U+0085, which is white space, and contains
/// U+FEFF, which is not white space.
pub(crate) const NOT_BLANK: &str = r"[^\s\u0085]|\uFEFF";

/// Matches a text of at least two words: an annotation of PhalApi, such as `string title The title`.
pub(crate) const TWO_WORDS: &str = r"[^ \t][ \t]+[^ \t]";

/// Matches a name in code: at least one character, no white space, no control characters.
pub(crate) const NAME_IN_CODE: &str = r"^([^\s\u0000-\u001f\u007f-\u009f]|\uFEFF)+$";

/// Matches a permission, which may contain variables: `user[user_id]`.
pub(crate) const PERMISSION: &str = r"^([^\[\]\u0000-\u001f\u007f-\u009f]|\[[^\[\]\u0000-\u001f\u007f-\u009f]+\])+$";

/// Matches the address of a socket: a host and a port.
pub(crate) const SOCKET_ADDRESS: &str = r"^[\s\S]+:\+?[0-9]+$";

/// Matches a token of HTTP, such as the name of a header field (RFC 9110 section 5.6.2).
pub(crate) const HTTP_TOKEN: &str = r"^[!#$%&'*+.^_`|~0-9A-Za-z\-]+$";

/// Matches a static segment of a path, which is not a capture.
pub(crate) const PATH_SEGMENT: &str = r"[^/{}\u0000-\u001f\u007f-\u009f]+";

const PATH_CAPTURE: &str = r"\{[A-Za-z_][A-Za-z0-9_\-]*\}";

/// Matches a type expression, such as `?array<id>`. It also matches some invalid expressions, because a regular
/// expression cannot check nested brackets.
pub(crate) const TYPE_TERM: &str = r"^(\?|\[\])*[A-Za-z_][A-Za-z0-9_\-]*(\([\s\S]+\)|<[\s\S]+>)?$";

/// Matches the type of a schema of the definition: a type expression that does not begin with `?`.
pub(crate) const SCHEMA_TERM: &str = r"^(\[\](\?|\[\])*)?[A-Za-z_][A-Za-z0-9_\-]*(\([\s\S]+\)|<[\s\S]+>)?$";

/// Matches a type expression of the dialect `rules`, like [`TYPE_TERM`]. The names of its types are not restricted,
/// because their case is ignored.
pub(crate) const RULE_TERM: &str = r"^(\[\]|\?)*[A-Za-z_][A-Za-z0-9_\-]*(\([\s\S]+\)|<[\s\S]+>)?$";

/// Returns what may precede the name in a pattern of type expressions whose names can be restricted.
pub(crate) fn term_prefix(pattern: &str) -> Option<&'static str> {
    match pattern {
        TYPE_TERM => Some(r"(\?|\[\])*"),
        SCHEMA_TERM => Some(r"(\[\](\?|\[\])*)?"),
        _ => None,
    }
}

/// Returns the pattern of type expressions with these names, outside and as the first argument. Names of schemas often
/// begin with an uppercase letter, and are not known.
pub(crate) fn known_term(prefix: &str, names: &str) -> String {
    let name = format!(r"({names}|[A-Z][A-Za-z0-9_\-]*)");
    format!(r"^{prefix}{name}(\([\s\S]+\)|<\s*(\?|\[\])*{name}([^A-Za-z0-9_\-][\s\S]*)?>)?$")
}

/// Matches a text with an environment variable, whose value is not known.
pub(crate) const VARIABLE: &str = r"\$\{";

pub(crate) const SCHEMA_NAME: &str = r"^[A-Za-z_][A-Za-z0-9_\-]*$";

pub(crate) fn base_path() -> String {
    format!("^(/|(/{PATH_SEGMENT})+)$")
}

/// Returns a pattern for the path of a service, which may contain captures.
pub(crate) fn service_path() -> String {
    format!("^(/|(/({PATH_SEGMENT}|{PATH_CAPTURE}))+)$")
}

/// Returns a pattern for keys that the parser ignores, because they begin like a comment.
pub(crate) fn ignored_key() -> String {
    format!("^({})", alternatives(COMMENT_PREFIXES))
}

/// Returns a pattern for parameter keys that name a part of the request: `GET@…`, `{…}`, `URL#…`, `*`.
pub(crate) fn prefixed_parameter_key() -> String {
    let prefixes = SOURCE_PREFIXES.iter().map(|(_, tree_name)| *tree_name);
    let prefixes = prefixes.filter(|prefix| !prefix.is_empty() && *prefix != WHOLE_BODY_KEY);
    let whole_body = alternatives([WHOLE_BODY_KEY]);
    format!(r"^({}|\{{[\s\S]*\}}$|{whole_body}$)", alternatives(prefixes.chain([TREE.position_prefix])))
}

/// Returns a pattern that matches each of the words and no other text.
pub(crate) fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    format!("^({})$", alternatives(words))
}

/// Returns a pattern that matches each of the words and no other text. It ignores the case of ASCII letters.
pub(crate) fn one_of_ignoring_case<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(ignoring_case_pattern).collect();
    format!("^({})$", words.join("|"))
}

/// Returns a pattern that matches each of the words, also as a part of a longer text.
pub(crate) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| word.chars().map(escape_character).collect()).collect();
    words.join("|")
}

/// Returns a pattern that matches a word, without regard to the case of ASCII letters.
pub(crate) fn ignoring_case_pattern(word: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_uppercase(), letter.to_ascii_lowercase()),
        false => escape_character(letter),
    };
    word.chars().map(letter).collect()
}

#[cfg(feature = "documents")]
pub(crate) fn escape_pattern(text: &str) -> String {
    text.chars().map(escape_character).collect()
}

/// Escapes a character so that it matches itself outside of a character class.
fn escape_character(letter: char) -> String {
    if r"\^$.|?*+()[]{}/".contains(letter) { format!("\\{letter}") } else { letter.to_string() }
}
