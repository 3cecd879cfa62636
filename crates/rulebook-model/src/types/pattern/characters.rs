//! Chooses the characters of sample texts.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// The characters of which sample texts consist, in groups. For a character class, the first group is used that has
/// characters of this class.
const CHARACTER_GROUPS: [&str; 5] = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "1234567890",
    "-_.:/@+#%&=,;!?*()[]{}<>$~^|'\"`\\ ",
    "\n",
];

/// The maximum number of characters of a range in which a letter is searched, if a class has no character of
/// [`CHARACTER_GROUPS`].
const MAX_SEARCHED_CHARACTERS: usize = 300;

/// Chooses a character of each character class in a pattern.
#[derive(Debug)]
pub(super) struct CharacterPicker {
    order: Order,
    /// The number of characters that have been used from each of [`CHARACTER_GROUPS`], so that the next character
    /// differs.
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
