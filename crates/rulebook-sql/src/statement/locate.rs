//! Finds the part of a statement that a message of a database names.

use std::ops::Range;

/// Returns the range of the name that the message of a database contains, such as `titel` in the message
/// "no such column: titel". Returns `None` if the statement does not contain the name.
pub(crate) fn locate(message: &str, sql: &str) -> Option<Range<usize>> {
    let quoted = ['\'', '"', '`'].into_iter().flat_map(|quote| message.split(quote).skip(1).step_by(2));
    let after_colon = message.rsplit_once(": ").map(|(_, name)| name);
    let candidates = after_colon.into_iter().chain(quoted).flat_map(|name| {
        // The whole name, its last part (`note.titel`), and its first word.
        let last = name.rsplit('.').next().unwrap_or(name);
        [name, last, name.split_whitespace().next().unwrap_or(name)]
    });
    candidates.filter(|name| !name.is_empty()).find_map(|name| find_word(sql, name))
}

/// Returns the first place where the text is not a part of a longer word.
fn find_word(sql: &str, word: &str) -> Option<Range<usize>> {
    let is_part = |char: char| char.is_alphanumeric() || char == '_';
    let places = sql.match_indices(word).map(|(start, _)| start..start + word.len());
    let mut words = places.filter(|range| {
        let continues_before = word.starts_with(is_part) && sql[..range.start].ends_with(is_part);
        let continues_after = word.ends_with(is_part) && sql[range.end..].starts_with(is_part);
        !continues_before && !continues_after
    });
    words.next()
}
