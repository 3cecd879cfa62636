//! Parses the header fields `Accept` and `Accept-Encoding`, which list the media types and content codings that a
//! client accepts (RFC 9110 section 12.5).

use http::{HeaderName, header};

use crate::call::Head;

/// An element of the list in `Accept` or `Accept-Encoding`.
pub(super) struct WeightedElement<'h> {
    /// The media range (`type/subtype`, `type/*` or `*/*`) or the name of the content coding, without parameters.
    pub(super) name: &'h str,
    /// The weight (`q`) of the element in thousandths, from 0 (not acceptable) to 1000.
    pub(super) weight: u16,
}

/// Returns the media ranges of a request's `Accept` fields, in the order of the fields.
pub(super) fn media_ranges(head: &Head) -> impl Iterator<Item = WeightedElement<'_>> {
    weighted_elements(head, &header::ACCEPT)
}

/// Returns the elements of all header fields with this name and their weights, in the order of the fields.
pub(super) fn weighted_elements<'h>(head: &'h Head, name: &'h HeaderName) -> impl Iterator<Item = WeightedElement<'h>> {
    let fields = head.get_all(name).filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(parse_weighted_element).filter(|range| !range.name.is_empty())
}

fn parse_weighted_element(text: &str) -> WeightedElement<'_> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
    // An element with an invalid weight counts as an element without a weight.
    WeightedElement { name, weight: weight.and_then(|text| parse_weight(text.trim())).unwrap_or(MAX_WEIGHT) }
}

/// The highest weight in thousandths, which an element without `q` has.
const MAX_WEIGHT: u16 = 1000;

/// Parses a weight with at most three decimals (RFC 9110 section 12.4.2), and returns it in thousandths; `None` if the
/// text is not a weight.
fn parse_weight(text: &str) -> Option<u16> {
    let (integer, decimals) = text.split_once('.').unwrap_or((text, ""));
    let has_digits = decimals.len() <= 3 && decimals.bytes().all(|digit| digit.is_ascii_digit());
    let thousandths = decimals.bytes().chain(std::iter::repeat(b'0')).take(3).fold(0, |sum, digit| {
        // If a decimal is not a digit, the computed number is wrong, but `has_digits` is `false` and the number is not
        // used.
        sum * 10 + u16::from(digit.wrapping_sub(b'0'))
    });
    match integer {
        "0" if has_digits => Some(thousandths),
        "1" if has_digits && thousandths == 0 => Some(MAX_WEIGHT),
        _ => None,
    }
}

/// Returns `true` if the `Accept` fields give the media type `a` a higher weight than the media type `b`.
pub(super) fn prefers_media_type(head: &Head, a: &str, b: &str) -> bool {
    media_type_weight(head, a) > media_type_weight(head, b)
}

/// Returns the weight that the `Accept` fields give a media type, in thousandths; 0 if no media range matches the media
/// type. If several media ranges match, the most specific range determines the weight. Parameters of media types are
/// ignored.
pub(super) fn media_type_weight(head: &Head, media_type: &str) -> u16 {
    let weights =
        media_ranges(head).filter_map(|range| Some((media_range_specificity(range.name, media_type)?, range.weight)));
    weights.max().map_or(0, |(_, weight)| weight)
}

/// Returns the rank of a media range that matches a media type: 0 for `*/*`, 1 for `type/*`, 2 for the media type
/// itself; `None` if the range does not match.
fn media_range_specificity(range: &str, media_type: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(media_type) {
        return Some(2);
    }
    if range == "*/*" {
        return Some(0);
    }
    let (kind, _) = media_type.split_once('/')?;
    range.strip_suffix("/*")?.eq_ignore_ascii_case(kind).then_some(1)
}
