//! Corrects misspelled search words.

use std::collections::BTreeMap;

/// The lengths in characters of the words that are corrected. One wrong character changes the meaning of shorter words,
/// and longer words are rarely typed.
const CORRECTED_LENGTHS: std::ops::RangeInclusive<usize> = 4..=24;
/// The maximum number of known words, which limits the memory that they need. Further words are not suggested.
const MAX_KNOWN_WORDS: usize = 20_000;

/// The minimum similarity of the words that are suggested for an unknown word, from 0 to 1.
const MIN_SIMILARITY: f64 = 0.82;
/// The maximum number of words that are suggested for an unknown word.
const MAX_SIMILAR: usize = 3;

/// The words to which misspelled words are corrected, each with the number of its occurrences.
#[derive(Debug, Default)]
pub(super) struct Spelling(BTreeMap<String, u32>);

impl Spelling {
    /// Collects the words in texts in lower case.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let is_corrected = |word: &&str| CORRECTED_LENGTHS.contains(&word.chars().count());
        for word in texts.flat_map(words_of).filter(is_corrected) {
            if counts.len() < MAX_KNOWN_WORDS || counts.contains_key(word) {
                *counts.entry(word).or_default() += 1;
            }
        }
        Self(counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect())
    }

    /// Returns the known word from which a word in lower case differs in one character, or in the order of two adjacent
    /// characters. Returns `None` if the word is known, or if no such word is known.
    pub(super) fn correct(&self, word: &str) -> Option<&str> {
        let length = word.chars().count();
        if !CORRECTED_LENGTHS.contains(&length) || self.0.contains_key(word) {
            return None;
        }
        // The lengths are compared first, because the distance of words takes longer.
        let is_close =
            |other: &str| other.chars().count().abs_diff(length) <= 1 && strsim::damerau_levenshtein(word, other) <= 1;
        let close = self.0.iter().filter(|(other, _)| is_close(other));
        close.max_by_key(|(_, count)| **count).map(|(other, _)| other.as_str())
    }

    /// Returns the known words that are most similar to an unknown word in lower case, beginning with the most similar.
    pub(super) fn similar(&self, word: &str) -> Vec<&str> {
        if !CORRECTED_LENGTHS.contains(&word.chars().count()) || self.0.contains_key(word) {
            return Vec::new();
        }
        let similarity = |other: &str| strsim::jaro_winkler(word, other);
        let mut similar: Vec<_> = self.0.keys().map(|other| (similarity(other), other.as_str())).collect();
        similar.retain(|(similarity, _)| *similarity >= MIN_SIMILARITY);
        similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        similar.into_iter().take(MAX_SIMILAR).map(|(_, other)| other).collect()
    }
}

/// Returns the words of a text. A name with hyphens or underscores is a word, and its parts are words too.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    names.flat_map(|name| {
        let is_compound = name.contains(['-', '_']);
        let parts = name.split(['-', '_']).filter(move |_| is_compound);
        std::iter::once(name).chain(parts)
    })
}
