//! Generates readable sample texts, which a pattern probably matches.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::characters::CharacterPicker;

const MAX_SAMPLE_LEN: usize = 4096;

/// Returns a text that matches the pattern `hir` if the assertions in the pattern are true for this text. Returns
/// `None` if no text can be generated. Each repeated part occurs `extra_repetitions` times more often than required, up
/// to its maximum.
pub(super) fn sample_text(hir: &Hir, extra_repetitions: u32) -> Option<String> {
    sample(hir, extra_repetitions, CharacterPicker::varied())
}

/// Returns the smallest text that [`sample_text`] could generate. Each repeated part occurs only as often as required,
/// and the first visible character of a character class is used.
pub(super) fn minimal_sample(hir: &Hir) -> Option<String> {
    sample(hir, 0, CharacterPicker::first_visible())
}

fn sample(hir: &Hir, extra_repetitions: u32, characters: CharacterPicker) -> Option<String> {
    let mut sample = SampleBuilder { text: Vec::new(), extra_repetitions, characters };
    if sample.append_sample(hir) { String::from_utf8(sample.text).ok() } else { None }
}

struct SampleBuilder {
    /// The bytes of the text. A part of a pattern can match a part of a character.
    text: Vec<u8>,
    /// The number of times by which a repeated part occurs more often than required.
    extra_repetitions: u32,
    characters: CharacterPicker,
}

impl SampleBuilder {
    /// Appends a text that matches a part of the pattern. Returns `false` if no text can be generated or the text is
    /// too long.
    fn append_sample(&mut self, hir: &Hir) -> bool {
        let appended = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => {
                self.text.extend(&*literal.0);
                true
            }
            HirKind::Class(Class::Unicode(class)) => {
                let character = self.characters.pick(class);
                self.text.extend(character.into_iter().flat_map(|c| c.to_string().into_bytes()));
                character.is_some()
            }
            HirKind::Class(Class::Bytes(_)) => false,
            HirKind::Repetition(repetition) => {
                let max = repetition.max.unwrap_or(u32::MAX);
                self.append_repeated(&repetition.sub, repetition.min.saturating_add(self.extra_repetitions).min(max))
            }
            HirKind::Capture(capture) => self.append_sample(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.append_sample(part)),
            HirKind::Alternation(branches) => {
                let before = self.text.len();
                branches.iter().any(|branch| {
                    self.text.truncate(before);
                    self.append_sample(branch)
                })
            }
        };
        appended && self.text.len() <= MAX_SAMPLE_LEN
    }

    fn append_repeated(&mut self, part: &Hir, times: u32) -> bool {
        for _ in 0..times {
            let before = self.text.len();
            if !self.append_sample(part) {
                return false;
            }
            // If the part matches an empty text, further repetitions have no effect.
            if self.text.len() == before {
                return true;
            }
        }
        true
    }
}
