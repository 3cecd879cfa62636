//! The syntax of the names of XML elements.

use std::ops::RangeInclusive;

/// The characters with which the name of an XML element can begin (XML 1.0 section 2.3, `NameStartChar`). The colon is
/// excluded, because it separates a namespace from a name.
const NAME_START_CHARS: [RangeInclusive<char>; 15] = [
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

/// The characters that are allowed in the name of an XML element after the first character, in addition to
/// [`NAME_START_CHARS`] (XML 1.0 section 2.3, `NameChar`).
const ADDITIONAL_NAME_CHARS: [RangeInclusive<char>; 6] =
    ['-'..='-', '.'..='.', '0'..='9', '\u{B7}'..='\u{B7}', '\u{300}'..='\u{36F}', '\u{203F}'..='\u{2040}'];

/// Returns `true` if a text is the name of an element without a namespace (Namespaces in XML 1.0, `NCName`).
pub(super) fn is_element_name(text: &str) -> bool {
    let is_in = |ranges: &[RangeInclusive<char>], c: char| ranges.iter().any(|range| range.contains(&c));
    let mut chars = text.chars();
    chars.next().is_some_and(|first| is_in(&NAME_START_CHARS, first))
        && chars.all(|c| is_in(&NAME_START_CHARS, c) || is_in(&ADDITIONAL_NAME_CHARS, c))
}
