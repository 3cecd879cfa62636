//! Which of several words one was probably meant to be.

/// How many letters apart two words are, where one can have been meant by the other: a third of the longer one at
/// most. `word` and `other` are without case already, as [`str::to_lowercase`] gives them.
#[must_use]
pub fn distance(word: &str, other: &str) -> Option<usize> {
    let (length, other_length) = (word.chars().count(), other.chars().count());
    let most = length.max(other_length) / 3;
    // What differs too much in length need not be compared: a word may be as long as its file.
    if length.abs_diff(other_length) > most {
        return None;
    }
    Some(strsim::damerau_levenshtein(word, other)).filter(|distance| *distance <= most)
}

/// The one of `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = known.into_iter().filter_map(|one| Some((distance(&word, &one.to_lowercase())?, one)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, one)| one)
}
