//! Generates readable sample texts, which a pattern probably matches.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

const MAX_SAMPLE_LEN: usize = 4096;

/// Returns a text that matches `hir` if the assertions are true for it. Each repeated part occurs `extra_repetitions`
/// times more often than required, up to its maximum.
pub(super) fn sample_text(hir: &Hir, extra_repetitions: u32) -> Option<String> {
    sample(hir, extra_repetitions, CharacterPicker::varied())
}

/// Returns the smallest text that [`sample_text`] could generate, of the first visible characters.
pub(in crate::types) fn minimal_sample(hir: &Hir) -> Option<String> {
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
    /// Appends a text that matches a part of the pattern. Returns `false` without such a text, or if it is too long.
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

/// The characters of sample texts, in groups. For a character class, the first group is used that has one of it.
const CHARACTER_GROUPS: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "1234567890",
    "-_.:/@+#%&=,;!?*()[]{}<>$~^|'\"`\\ ",
    "\n",
];

/// The maximum number of characters of a range in which a letter is searched, if no group has a character.
const MAX_SEARCHED_CHARACTERS: usize = 300;

/// Chooses a character of each character class in a pattern.
#[derive(Debug)]
pub(super) struct CharacterPicker {
    order: Order,
    /// The number of characters that have been used of each group, so that the next character differs.
    used_by_group: [usize; CHARACTER_GROUPS.len()],
}

#[derive(Debug)]
enum Order {
    FirstVisible,
    Groups,
    /// The characters of a group that depends on a seed. The number is the state of the generator.
    Seeded(u64),
}

impl CharacterPicker {
    pub(super) fn first_visible() -> Self {
        Self { order: Order::FirstVisible, used_by_group: [0; CHARACTER_GROUPS.len()] }
    }

    /// Creates a picker that chooses letters before digits, and other characters each time.
    pub(super) fn varied() -> Self {
        Self { order: Order::Groups, ..Self::first_visible() }
    }

    /// Creates a picker whose choices depend on `seed`. The seed 0 is the same as [`CharacterPicker::varied`].
    pub(super) fn seeded(seed: u64) -> Self {
        Self { order: if seed == 0 { Order::Groups } else { Order::Seeded(seed) }, ..Self::first_visible() }
    }

    /// Returns a number below `count` that depends on the seed; 0 without a seed.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let Order::Seeded(state) = &mut self.order else { return 0 };
        // A linear congruential generator (Knuth, The Art of Computer Programming, volume 2): its numbers need not be
        // unpredictable, only the same every time.
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).unwrap_or(0) % count.max(1)
    }

    /// Returns a character of a character class, or `None` if the class is empty.
    pub(super) fn pick(&mut self, class: &ClassUnicode) -> Option<char> {
        if matches!(self.order, Order::FirstVisible) {
            let visible = class.iter().find(|range| range.end() >= '!');
            return visible.or(class.ranges().first()).map(|range| range.start().max('!').min(range.end()));
        }
        let contains = |c: &char| class.iter().any(|range| (range.start()..=range.end()).contains(c));
        let groups = CHARACTER_GROUPS.map(|group| group.chars().filter(contains).collect::<Vec<char>>());
        let usable: Vec<usize> = (0..groups.len()).filter(|group| !groups[*group].is_empty()).collect();
        let Some(group) = usable.get(self.below(usable.len())) else {
            let characters =
                || class.iter().flat_map(|range| (range.start()..=range.end()).take(MAX_SEARCHED_CHARACTERS));
            return characters().find(|c| c.is_alphanumeric()).or(class.ranges().first().map(ClassUnicodeRange::start));
        };
        let used = &mut self.used_by_group[*group];
        *used += 1;
        groups[*group].get((*used - 1) % groups[*group].len()).copied()
    }
}
