//! Sets of the lengths that the texts of a part of a pattern can have.

use std::collections::HashMap;

use regex_syntax::hir::{Hir, HirKind, Repetition};

/// A set of numbers of characters, from 0 to a limit that all sets of one pattern have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lengths {
    /// The bit `n % 64` of the word `n / 64` is set if the set contains `n`.
    words: Vec<u64>,
    limit: usize,
}

impl Lengths {
    fn empty(limit: usize) -> Self {
        Self { words: vec![0; limit / 64 + 1], limit }
    }

    /// Returns the set with this number; the empty set if the number is above the limit.
    fn only(number: usize, limit: usize) -> Self {
        let mut lengths = Self::empty(limit);
        if number <= limit {
            lengths.words[number / 64] |= 1 << (number % 64);
        }
        lengths
    }

    /// Returns `true` if the set contains this number.
    pub(super) fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Returns the numbers of the set from the smallest to the largest.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..=self.limit).filter(|number| self.contains(*number))
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    fn add_all(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    fn contains_all(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(word, other)| other & !word == 0)
    }

    /// Returns the sums of a number of this set and a number of another set.
    pub(super) fn sums(&self, other: &Self) -> Self {
        let mut sums = Self::empty(self.limit);
        for number in self.iter() {
            let (skipped, bits) = (number / 64, number % 64);
            for (at, word) in other.words.iter().enumerate().filter(|(_, word)| **word != 0) {
                if let Some(low) = sums.words.get_mut(at + skipped) {
                    *low |= word << bits;
                }
                if let Some(high) = sums.words.get_mut(at + skipped + 1).filter(|_| bits > 0) {
                    *high |= word >> (64 - bits);
                }
            }
        }
        // The last word has bits above the limit.
        let unused = 63 - self.limit % 64;
        if let Some(last) = sums.words.last_mut() {
            *last &= u64::MAX >> unused;
        }
        sums
    }
}

/// The lengths of all parts of a pattern, which are computed when they are first needed.
#[derive(Debug)]
pub(super) struct LengthTable {
    limit: usize,
    /// The lengths by the address of the part. The parts are not moved as long as the table exists.
    known: HashMap<*const Hir, Lengths>,
}

impl LengthTable {
    /// Creates a table of the lengths up to `limit`.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, known: HashMap::new() }
    }

    /// Returns the lengths of the texts that match a part of the pattern. Assertions are ignored.
    pub(super) fn of(&mut self, hir: &Hir) -> Lengths {
        let key = std::ptr::from_ref(hir);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let lengths = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Lengths::only(0, self.limit),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => Lengths::only(text.chars().count(), self.limit),
                Err(_) => Lengths::empty(self.limit),
            },
            HirKind::Class(_) => Lengths::only(1, self.limit),
            HirKind::Capture(capture) => self.of(&capture.sub),
            HirKind::Concat(parts) => self.of_parts(parts),
            HirKind::Alternation(branches) => branches.iter().fold(Lengths::empty(self.limit), |mut all, branch| {
                all.add_all(&self.of(branch));
                all
            }),
            HirKind::Repetition(repetition) => self.of_repetition(repetition),
        };
        self.known.insert(key, lengths.clone());
        lengths
    }

    /// Returns the lengths of the texts that match these parts one after the other.
    pub(super) fn of_parts(&mut self, parts: &[Hir]) -> Lengths {
        parts.iter().fold(Lengths::only(0, self.limit), |all, part| all.sums(&self.of(part)))
    }

    fn of_repetition(&mut self, repetition: &Repetition) -> Lengths {
        let mut all = Lengths::empty(self.limit);
        for (times, lengths) in self.repeated(&repetition.sub).enumerate() {
            if times >= repetition.min as usize {
                // If these lengths are known, the lengths of more repetitions are known, too.
                if all.contains_all(&lengths) {
                    break;
                }
                all.add_all(&lengths);
            }
            if lengths.is_empty() || repetition.max.is_some_and(|max| times >= max as usize) {
                break;
            }
        }
        all
    }

    /// Returns the lengths of no text of a part, of one text, of two texts and so on, without an end.
    pub(super) fn repeated(&mut self, part: &Hir) -> impl Iterator<Item = Lengths> + use<> {
        let once = self.of(part);
        std::iter::successors(Some(Lengths::only(0, self.limit)), move |before| Some(before.sums(&once)))
    }
}
