//! Texts that a pattern probably matches, pleasant to read.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// Longer samples are not made, in bytes.
const LONGEST: usize = 4096;

/// What stands for a class: characters of the first of these kinds that it has any of, one after the other.
const KINDS: [&str; 4] =
    ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "1234567890", "-_.:/@+#%&=,;!?*()[]{}<>$~^|'\"`\\ "];

/// A text that matches if the assertions in the pattern happen to hold. What may be repeated is so `more` times beyond
/// what it has to be, as far as it may.
pub(super) fn sample(hir: &Hir, more: u32) -> Option<String> {
    let mut sample = Sample { text: String::new(), more: Some(more), used: [0; KINDS.len()] };
    sample.write(hir).then_some(sample.text)
}

/// The same at the edge of what matches: nothing is repeated more than it has to be, and the first visible character
/// stands for its class.
pub(super) fn least(hir: &Hir) -> Option<String> {
    let mut sample = Sample { text: String::new(), more: None, used: [0; KINDS.len()] };
    sample.write(hir).then_some(sample.text)
}

struct Sample {
    text: String,
    /// None at the edge.
    more: Option<u32>,
    /// How many characters there are of each kind.
    used: [usize; KINDS.len()],
}

impl Sample {
    /// Adds a text for a part of the pattern, if one is easily made and not too long.
    fn write(&mut self, hir: &Hir) -> bool {
        let written = match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0);
                text.is_ok_and(|text| {
                    self.text.push_str(text);
                    true
                })
            }
            HirKind::Class(Class::Unicode(class)) => {
                let character = self.character(class);
                self.text.extend(character);
                character.is_some()
            }
            HirKind::Class(Class::Bytes(_)) => false,
            HirKind::Repetition(repetition) => {
                let most = repetition.max.unwrap_or(u32::MAX);
                self.repeat(&repetition.sub, repetition.min.saturating_add(self.more.unwrap_or(0)).min(most))
            }
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(parts) => parts.iter().all(|part| self.write(part)),
            HirKind::Alternation(branches) => {
                let before = self.text.len();
                branches.iter().any(|branch| {
                    self.text.truncate(before);
                    self.write(branch)
                })
            }
        };
        written && self.text.len() <= LONGEST
    }

    fn repeat(&mut self, part: &Hir, times: u32) -> bool {
        for _ in 0..times {
            let before = self.text.len();
            if !self.write(part) {
                return false;
            }
            // Nothing remains nothing, however often.
            if self.text.len() == before {
                return true;
            }
        }
        true
    }

    /// A character of a class, if it has any.
    fn character(&mut self, class: &ClassUnicode) -> Option<char> {
        let Some(_) = self.more else {
            let visible = class.iter().find(|range| range.end() >= '!');
            return visible.or(class.ranges().first()).map(|range| range.start().max('!').min(range.end()));
        };
        let has = |own: char| class.iter().any(|range| (range.start()..=range.end()).contains(&own));
        for (kind, used) in KINDS.iter().zip(&mut self.used) {
            let own: Vec<char> = kind.chars().filter(|own| has(*own)).collect();
            if !own.is_empty() {
                *used += 1;
                return own.get((*used - 1) % own.len()).copied();
            }
        }
        class.ranges().first().map(ClassUnicodeRange::start)
    }
}
