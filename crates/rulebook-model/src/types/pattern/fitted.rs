//! Generates sample texts whose length is within bounds: it first computes which lengths each part of the pattern can
//! have.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use super::characters::CharacterPicker;
use super::lengths::LengthTable;

/// The maximum number of characters of a sample text.
const MAX_LENGTH: usize = 4096;
/// The number of characters by which a sample text can be longer than required.
const MAX_ADDITIONAL: usize = 256;
/// The number of texts that are generated for each form of the pattern.
const SEEDS: u64 = 12;

/// Returns texts with `min` to `max` characters, each of which probably matches the pattern `hir`. The assertions in
/// the pattern may be false for a text.
pub(super) fn fitted_samples(hir: &Hir, min: u64, max: u64) -> impl Iterator<Item = String> {
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    let max = usize::try_from(max).unwrap_or(usize::MAX).min(MAX_LENGTH);
    let limit = max.min(min.saturating_mul(2).max(min.saturating_add(MAX_ADDITIONAL)));
    let forms = [(false, false), (false, true), (true, false), (true, true)];
    let forms = forms.into_iter().filter(move |_| min <= limit).map(move |(before, after)| padded(hir, before, after));
    forms.flat_map(move |form| {
        let mut lengths = LengthTable::new(limit);
        let possible: Vec<usize> = lengths.of(&form).iter().filter(|length| *length >= min).collect();
        let mut texts = Vec::new();
        for seed in 0..if possible.is_empty() { 0 } else { SEEDS } {
            let length = possible[usize::try_from(seed).unwrap_or(0) % possible.len()];
            let mut sample =
                FittedSample { text: String::new(), lengths: &mut lengths, characters: CharacterPicker::seeded(seed) };
            if sample.append(&form, length) && !texts.contains(&sample.text) {
                texts.push(sample.text);
            }
        }
        texts
    })
}

/// Returns a pattern with any number of letters before or after the texts of `hir`. A pattern that is not bound to the
/// beginning and the end of a text also matches longer texts.
fn padded(hir: &Hir, before: bool, after: bool) -> Hir {
    let letters = || {
        let class = ClassUnicode::new([ClassUnicodeRange::new('a', 'z')]);
        let sub = Box::new(Hir::class(Class::Unicode(class)));
        Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub })
    };
    let parts = [before.then(letters), Some(hir.clone()), after.then(letters)];
    Hir::concat(parts.into_iter().flatten().collect())
}

struct FittedSample<'l> {
    text: String,
    lengths: &'l mut LengthTable,
    characters: CharacterPicker,
}

impl FittedSample<'_> {
    /// Appends a text of `length` characters that matches a part of the pattern. Returns `false` if no such text is
    /// found.
    fn append(&mut self, hir: &Hir, length: usize) -> bool {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => length == 0,
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0).is_ok_and(|text| {
                self.text.push_str(text);
                text.chars().count() == length
            }),
            HirKind::Class(Class::Unicode(class)) => {
                let character = self.characters.pick(class);
                self.text.extend(character);
                character.is_some() && length == 1
            }
            HirKind::Class(Class::Bytes(_)) => false,
            HirKind::Capture(capture) => self.append(&capture.sub, length),
            HirKind::Concat(parts) => self.append_parts(parts, length),
            HirKind::Alternation(branches) => {
                let fitting: Vec<&Hir> =
                    branches.iter().filter(|branch| self.lengths.of(branch).contains(length)).collect();
                let first = self.characters.below(fitting.len());
                fitting.get(first).is_some_and(|branch| self.append(branch, length))
            }
            HirKind::Repetition(repetition) => self.append_repeated(repetition, length),
        }
    }

    fn append_parts(&mut self, parts: &[Hir], length: usize) -> bool {
        // The lengths of all parts from each part on.
        let mut rest = vec![self.lengths.of_parts(&[])];
        for part in parts.iter().rev() {
            let lengths = self.lengths.of(part).sums(&rest[rest.len() - 1]);
            rest.push(lengths);
        }
        rest.pop();
        let mut left = length;
        for part in parts {
            let Some(after) = rest.pop() else { return false };
            let lengths = self.lengths.of(part);
            let fitting = lengths.iter().find(|length| *length <= left && after.contains(left - length));
            let Some(length) = fitting else { return false };
            if !self.append(part, length) {
                return false;
            }
            left -= length;
        }
        left == 0
    }

    fn append_repeated(&mut self, repetition: &Repetition, length: usize) -> bool {
        let (min, max) = (repetition.min as usize, repetition.max.map_or(usize::MAX, |max| max as usize));
        // The number of repetitions is at most the length, unless some of them are empty.
        let max = max.min(length.max(min));
        let mut sums = Vec::new();
        for lengths in self.lengths.repeated(&repetition.sub).take(max.saturating_add(1)) {
            let is_found = sums.len() >= min && lengths.contains(length);
            sums.push(lengths);
            if is_found {
                break;
            }
        }
        // The last item has the lengths of the chosen number of repetitions.
        sums.pop();
        let once = self.lengths.of(&repetition.sub);
        let mut left = length;
        while let Some(before) = sums.pop() {
            let fitting = once.iter().find(|length| *length <= left && before.contains(left - length));
            let Some(length) = fitting else { return false };
            if !self.append(&repetition.sub, length) {
                return false;
            }
            left -= length;
        }
        left == 0
    }
}
