//! Which of several words one was probably meant to be.

/// How many letters apart two words are, where one can have been meant by the other: a third of the longer one at
/// most. `word` and `other` are without case already, as [`str::to_lowercase`] gives them.
#[must_use]
pub fn distance(word: &str, other: &str) -> Option<usize> {
    let within = |distance: &usize| *distance <= most(word, other);
    // A word may be as long as its file.
    comparable(word, other).then(|| strsim::damerau_levenshtein(word, other)).filter(within)
}

/// Whether two words can be near by their lengths alone.
#[must_use]
pub fn comparable(word: &str, other: &str) -> bool {
    word.chars().count().abs_diff(other.chars().count()) <= most(word, other)
}

/// How many letters may differ.
fn most(word: &str, other: &str) -> usize {
    word.chars().count().max(other.chars().count()) / 3
}

/// The one of `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let near = known.into_iter().filter_map(|one| Some((distance(&word, &one.to_lowercase())?, one)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, one)| one)
}
