//! The lengths of the texts that match a pattern.

use regex_syntax::hir::{Hir, HirKind, Look};

/// Returns the smallest and the largest number of characters of the texts that match a pattern; `None` if no text
/// matches. There may be no text with these numbers, because assertions are not examined.
pub(in crate::types) fn lengths_of_pattern(hir: &Hir) -> Option<(u64, u64)> {
    let (min, max) = lengths(hir)?;
    let properties = hir.properties();
    let is_whole =
        properties.look_set_prefix().contains(Look::Start) && properties.look_set_suffix().contains(Look::End);
    Some((min, if is_whole { max } else { u64::MAX }))
}

/// Returns the smallest and the largest number of characters that a pattern consumes.
fn lengths(hir: &Hir) -> Option<(u64, u64)> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some((0, 0)),
        HirKind::Literal(literal) => {
            let count = String::from_utf8_lossy(&literal.0).chars().count() as u64;
            Some((count, count))
        }
        HirKind::Class(class) => (!class.is_empty()).then_some((1, 1)),
        HirKind::Capture(capture) => lengths(&capture.sub),
        HirKind::Repetition(repetition) => match lengths(&repetition.sub) {
            None => (repetition.min == 0).then_some((0, 0)),
            Some((_, 0)) => Some((0, 0)),
            Some((min, max)) => {
                let max = repetition.max.map_or(u64::MAX, |times| max.saturating_mul(times.into()));
                Some((min.saturating_mul(repetition.min.into()), max))
            }
        },
        HirKind::Concat(parts) => parts.iter().map(lengths).try_fold((0, 0), |(min, max): (u64, u64), part| {
            let (more_min, more_max) = part?;
            Some((min.saturating_add(more_min), max.saturating_add(more_max)))
        }),
        HirKind::Alternation(branches) => {
            let all = branches.iter().filter_map(lengths);
            all.reduce(|(min, max), (other_min, other_max)| (min.min(other_min), max.max(other_max)))
        }
    }
}
