//! Suggests a known word for a misspelled word.

/// Returns the Damerau–Levenshtein distance of two words. Both words must be in lower case ([`str::to_lowercase`]).
/// Returns `None` if the distance is more than a third of the length of the longer word, because a misspelled word
/// usually differs less from the correct word.
#[must_use]
pub fn edit_distance(word: &str, other: &str) -> Option<usize> {
    let is_close = |distance: &usize| *distance <= max_distance(word, other);
    // The lengths are compared first, because a word may be as long as a whole file, and the distance of long words is
    // expensive to compute.
    has_comparable_length(word, other).then(|| strsim::damerau_levenshtein(word, other)).filter(is_close)
}

/// Returns `false` if the lengths of two words differ so much that neither can be a misspelling of the other.
#[must_use]
pub fn has_comparable_length(word: &str, other: &str) -> bool {
    word.chars().count().abs_diff(other.chars().count()) <= max_distance(word, other)
}

/// Returns the maximum distance, in characters, at which one of two words is considered a misspelling of the other.
fn max_distance(word: &str, other: &str) -> usize {
    word.chars().count().max(other.chars().count()) / 3
}

/// Returns the word in `known` that is closest to `word`, or `None` if `word` resembles no word in `known`. Case is
/// ignored.
pub fn closest_word<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let candidates = known.into_iter().filter_map(|other| Some((edit_distance(&word, &other.to_lowercase())?, other)));
    candidates.min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}
