//! Corrects misspelled search words.
//!
//! The index contains every word that results from a known word if one character is removed. A misspelled word and the
//! known word then have such a word in common, so a few look-ups find the known word, however many words are known.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The lengths in characters of the words that are corrected. One wrong character changes the meaning of shorter words,
/// and longer words are rarely typed.
const CORRECTED_LENGTHS: std::ops::RangeInclusive<usize> = 4..=24;
/// The maximum number of known words, which limits the memory of the index. Further words are not suggested.
const MAX_KNOWN_WORDS: usize = 20_000;
/// The maximum number of known words that are compared with a misspelled word.
const MAX_COMPARED: usize = 64;

/// The words to which misspelled words are corrected.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    /// The known words, each with the number of its occurrences.
    words: Vec<(String, u32)>,
    /// The hash of each word that results from removing at most one character of a known word, with the index of the
    /// known word. Sorted.
    shortened: Vec<(u64, u32)>,
}

impl Spelling {
    /// Creates the index of the words in texts in lower case.
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<&str, u32> = HashMap::new();
        let is_corrected = |word: &&str| CORRECTED_LENGTHS.contains(&word.chars().count());
        for word in texts.flat_map(words_of).filter(is_corrected) {
            if counts.len() < MAX_KNOWN_WORDS || counts.contains_key(word) {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut words: Vec<_> = counts.into_iter().map(|(word, count)| (word.to_owned(), count)).collect();
        words.sort_unstable();
        let mut shortened = Vec::new();
        for (index, (word, _)) in (0..).zip(&words) {
            shortened.extend(shortened_hashes(word).map(|hash| (hash, index)));
        }
        shortened.sort_unstable();
        shortened.dedup();
        Self { words, shortened }
    }

    /// Returns the known word from which a word in lower case differs in one character, or in the order of two adjacent
    /// characters. Returns `None` if the word is known, or if no such word is known.
    pub(super) fn correct(&self, word: &str) -> Option<&str> {
        if !CORRECTED_LENGTHS.contains(&word.chars().count()) || self.is_known(word) {
            return None;
        }
        let mut candidates: Vec<u32> = shortened_hashes(word)
            .flat_map(|hash| {
                let start = self.shortened.partition_point(|(other, _)| *other < hash);
                self.shortened[start..].iter().take_while(move |(other, _)| *other == hash).map(|(_, index)| *index)
            })
            .take(MAX_COMPARED)
            .collect();
        candidates.sort_unstable();
        candidates.dedup();
        let known = candidates.into_iter().filter_map(|index| self.words.get(index as usize));
        let close = known.filter(|(other, _)| strsim::damerau_levenshtein(word, other) <= 1);
        close.max_by_key(|(_, count)| *count).map(|(other, _)| other.as_str())
    }

    fn is_known(&self, word: &str) -> bool {
        self.words.binary_search_by(|(other, _)| other.as_str().cmp(word)).is_ok()
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

/// Returns the hashes of a word and of the words that result from removing one of its characters.
fn shortened_hashes(word: &str) -> impl Iterator<Item = u64> {
    let removed = word.char_indices().map(|(start, character)| {
        let (before, after) = (&word[..start], &word[start + character.len_utf8()..]);
        hash_of([before, after])
    });
    std::iter::once(hash_of([word, ""])).chain(removed)
}

/// Returns the hash of the text that consists of two parts. It does not depend on where the text is divided.
fn hash_of(parts: [&str; 2]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.into_iter().flat_map(str::chars).for_each(|character| character.hash(&mut hasher));
    hasher.finish()
}
