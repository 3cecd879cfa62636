//! The syntax of element names.

use std::ops::RangeInclusive;

/// The first character of a name (XML 1.0 section 2.3, `NameStartChar`), without the colon, which separates namespaces.
const START: [RangeInclusive<char>; 15] = [
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

/// Additional characters after the first one (`NameChar`).
const ADDITIONAL: [RangeInclusive<char>; 6] =
    ['-'..='-', '.'..='.', '0'..='9', '\u{B7}'..='\u{B7}', '\u{300}'..='\u{36F}', '\u{203F}'..='\u{2040}'];

/// Returns `true` if a text is the name of an element without a namespace (Namespaces in XML 1.0, `NCName`).
pub(super) fn is_name(text: &str) -> bool {
    let is_in = |ranges: &[RangeInclusive<char>], c: char| ranges.iter().any(|range| range.contains(&c));
    let mut chars = text.chars();
    chars.next().is_some_and(|first| is_in(&START, first)) && chars.all(|c| is_in(&START, c) || is_in(&ADDITIONAL, c))
}
