//! Names of elements.

use std::ops::RangeInclusive;

/// What a name begins with (XML 1.0 section 2.3, `NameStartChar`). Without the colon, which is that of namespaces.
const FIRST: [RangeInclusive<char>; 15] = [
    'A'..='Z',
    '_'..='_',
    'a'..='z',
    '\u{C0}'..='\u{D6}',
    '\u{D8}'..='\u{F6}',
    '\u{F8}'..='\u{2FF}',
    '\u{370}'..='\u{37D}',
    '\u{37F}'..='\u{1FFF}',
    '\u{200C}'..='\u{200D}',
    '\u{2070}'..='\u{218F}',
    '\u{2C00}'..='\u{2FEF}',
    '\u{3001}'..='\u{D7FF}',
    '\u{F900}'..='\u{FDCF}',
    '\u{FDF0}'..='\u{FFFD}',
    '\u{10000}'..='\u{EFFFF}',
];

/// What may stand behind that, too (`NameChar`).
const LATER: [RangeInclusive<char>; 6] =
    ['-'..='-', '.'..='.', '0'..='9', '\u{B7}'..='\u{B7}', '\u{300}'..='\u{36F}', '\u{203F}'..='\u{2040}'];

/// Whether an element can have this name without a namespace (Namespaces in XML 1.0, `NCName`).
pub(super) fn is_name(text: &str) -> bool {
    let is_in = |ranges: &[RangeInclusive<char>], found: char| ranges.iter().any(|range| range.contains(&found));
    let mut all = text.chars();
    all.next().is_some_and(|first| is_in(&FIRST, first)) && all.all(|own| is_in(&FIRST, own) || is_in(&LATER, own))
}
