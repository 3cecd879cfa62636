//! Generates sample texts whose length is within bounds.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use super::sample::CharacterPicker;

const MAX_LENGTH: usize = 4096;
/// The number of characters by which a sample text can be longer than required.
const MAX_ADDITIONAL: usize = 256;
const SEEDS: usize = 12;

/// Returns texts with `min` to `max` characters that match `hir`, unless one of its assertions is false for them.
pub(in crate::types) fn fitted_samples(hir: &Hir, min: u64, max: u64) -> impl Iterator<Item = String> {
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    let max = usize::try_from(max).unwrap_or(usize::MAX).min(MAX_LENGTH);
    let limit = max.min(min.saturating_mul(2).max(min.saturating_add(MAX_ADDITIONAL)));
    let forms = [(false, false), (false, true), (true, false), (true, true)];
    let forms = forms.into_iter().filter(move |_| min <= limit).map(move |(before, after)| padded(hir, before, after));
    forms.flat_map(move |form| {
        (0..SEEDS).map_while(move |seed| {
            let mut texts = FittedTexts { limit, characters: CharacterPicker::seeded(seed as u64) }.of(&form);
            let mut fitting: Vec<String> = texts.drain(min..).flatten().collect();
            (!fitting.is_empty()).then(|| fitting.swap_remove(seed % fitting.len()))
        })
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

/// For each number of characters up to the limit, a text with this number of characters, if there is one.
type TextsByLength = Vec<Option<String>>;

struct FittedTexts {
    limit: usize,
    characters: CharacterPicker,
}

impl FittedTexts {
    /// Returns a text of each possible length that matches a part of the pattern.
    fn of(&mut self, hir: &Hir) -> TextsByLength {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => self.only(Some(String::new())),
            HirKind::Literal(literal) => self.only(String::from_utf8(literal.0.to_vec()).ok()),
            HirKind::Class(Class::Unicode(class)) => {
                let character = self.characters.pick(class);
                self.only(character.map(String::from))
            }
            HirKind::Class(Class::Bytes(_)) => self.only(None),
            HirKind::Capture(capture) => self.of(&capture.sub),
            HirKind::Concat(parts) => {
                let empty = self.only(Some(String::new()));
                parts.iter().fold(empty, |texts, part| {
                    let more = self.of(part);
                    self.joined(&texts, &more)
                })
            }
            HirKind::Alternation(branches) => {
                let first = self.characters.below(branches.len());
                let branches = branches[first..].iter().chain(&branches[..first]);
                branches.fold(self.only(None), |texts, branch| either(texts, self.of(branch)))
            }
            HirKind::Repetition(repetition) => {
                let part = self.of(&repetition.sub);
                let required = self.repeated(&part, repetition.min as usize);
                let max = repetition.max.map_or(self.limit, |max| (max - repetition.min) as usize);
                let optional = either(self.only(Some(String::new())), part);
                self.joined(&required, &self.repeated(&optional, max.min(self.limit)))
            }
        }
    }

    fn only(&self, text: Option<String>) -> TextsByLength {
        let mut texts = vec![None; self.limit + 1];
        let length = text.as_ref().map_or(0, |text| text.chars().count());
        if let Some(place) = texts.get_mut(length) {
            *place = text;
        }
        texts
    }

    fn joined(&self, firsts: &TextsByLength, seconds: &TextsByLength) -> TextsByLength {
        let mut joined = vec![None; self.limit + 1];
        for (length, start) in present(firsts) {
            for (more, end) in present(seconds).take_while(|(more, _)| length + more <= self.limit) {
                joined[length + more].get_or_insert_with(|| format!("{start}{end}"));
            }
        }
        joined
    }

    fn repeated(&self, part: &TextsByLength, times: usize) -> TextsByLength {
        if times == 0 {
            return self.only(Some(String::new()));
        }
        let half = self.repeated(part, times / 2);
        let twice = self.joined(&half, &half);
        if times.is_multiple_of(2) { twice } else { self.joined(&twice, part) }
    }
}

fn either(firsts: TextsByLength, seconds: TextsByLength) -> TextsByLength {
    firsts.into_iter().zip(seconds).map(|(first, second)| first.or(second)).collect()
}

/// Returns the texts with their lengths, from the shortest to the longest.
fn present(texts: &TextsByLength) -> impl Iterator<Item = (usize, &str)> {
    texts.iter().enumerate().filter_map(|(length, text)| Some((length, text.as_deref()?)))
}
