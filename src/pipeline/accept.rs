//! Which media types a client wants (RFC 9110 section 12.5.1).

use http::{HeaderName, header};

use crate::call::Head;

/// A media range of `Accept`.
pub(super) struct Range<'h> {
    /// `type/subtype`, `type/*` or `*/*`, without parameters.
    pub(super) name: &'h str,
    /// Thousandths, from 0 (not wanted at all) to 1000.
    pub(super) weight: u16,
}

/// The media ranges that the client names, in their order.
pub(super) fn ranges(head: &Head) -> impl Iterator<Item = Range<'_>> {
    weighted(head, &header::ACCEPT)
}

/// What the client names in fields of this name, each with how much it wants it, in their order.
pub(super) fn weighted<'h>(head: &'h Head, name: &'h HeaderName) -> impl Iterator<Item = Range<'h>> {
    let fields = head.header_values(name).filter_map(|value| value.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(range).filter(|range| !range.name.is_empty())
}

fn range(text: &str) -> Range<'_> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
    // A weight that is none does not make a type less wanted.
    Range { name, weight: weight.and_then(|text| self::weight(text.trim())).unwrap_or(MOST) }
}

/// The weight of what is wanted most.
const MOST: u16 = 1000;

/// A weight with at most three digits behind the point (RFC 9110 section 12.4.2).
fn weight(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|digit| digit.is_ascii_digit());
    let thousandths = rest.bytes().chain(std::iter::repeat(b'0')).take(3).fold(0, |sum, digit| {
        // Digits alone are used.
        sum * 10 + u16::from(digit.wrapping_sub(b'0'))
    });
    match whole {
        "0" if digits => Some(thousandths),
        "1" if digits && thousandths == 0 => Some(MOST),
        _ => None,
    }
}

/// Whether the client wants `one` more than `other`.
pub(super) fn prefers(head: &Head, one: &str, other: &str) -> bool {
    weight_of(head, one) > weight_of(head, other)
}

/// How much the client wants a media type, in thousandths; nothing where it names others only. Parameters do not
/// tell types apart; of the ranges that a type is in, the narrowest counts.
pub(super) fn weight_of(head: &Head, media_type: &str) -> u16 {
    let found = ranges(head).filter_map(|range| Some((narrowness(range.name, media_type)?, range.weight)));
    found.max().map_or(0, |(_, weight)| weight)
}

/// How narrow a range is that a media type is in; none where it is not.
fn narrowness(range: &str, media_type: &str) -> Option<u8> {
    if range.eq_ignore_ascii_case(media_type) {
        return Some(2);
    }
    if range == "*/*" {
        return Some(0);
    }
    let (kind, _) = media_type.split_once('/')?;
    let own = range.strip_suffix("/*")?;
    own.eq_ignore_ascii_case(kind).then_some(1)
}
