//! The limits for multipart bodies: those in the settings, or higher ones if the parameters of a method need them.

use super::{Limits, Location, Method};
use crate::types::Arity;

/// The limits for receiving a multipart body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MultipartLimits {
    /// The maximum size of the whole body in bytes.
    pub bytes: u64,
    /// The maximum number of parts in the body.
    pub parts: u64,
}

impl MultipartLimits {
    /// Returns the limits in the settings.
    #[must_use]
    pub fn of_settings(limits: &Limits) -> Self {
        Self { bytes: limits.multipart, parts: limits.parts }
    }

    /// Returns the limits of a method. They allow every body in which each part is valid for its parameter.
    #[must_use]
    pub fn of_method(method: &Method, limits: &Limits) -> Self {
        let (mut all_parts, mut file_bytes, mut has_size) = (0_u64, 0_u64, false);
        for parameter in method.parameters.iter().filter(|it| matches!(it.from, Location::Body | Location::Any)) {
            let check = &parameter.r#type.check;
            let max = check.max_size();
            let is_list = matches!(check.arity(), Arity::Many | Arity::Files);
            let parts = if is_list { max.items.unwrap_or(1) } else { 1 }.min(limits.items);
            // The type of the parameter limits the size of a file or the number of files.
            has_size |= match check.arity() {
                Arity::One | Arity::Many => false,
                Arity::File => max.bytes.is_some(),
                Arity::Files => max.items.is_some(),
            };
            all_parts = all_parts.saturating_add(parts);
            file_bytes = file_bytes.saturating_add(match check.arity() {
                Arity::One | Arity::Many => 0,
                // If the parameter accepts any number of files, the setting `multipart` limits their total size.
                Arity::Files if max.items.is_none() => limits.multipart,
                Arity::File | Arity::Files => max.bytes.unwrap_or(limits.part).saturating_mul(parts),
            });
        }
        let bytes = if has_size { file_bytes.saturating_add(limits.body) } else { 0 };
        Self { bytes, parts: all_parts }.max(Self::of_settings(limits))
    }

    /// Returns the higher limit for bytes, and the higher limit for parts.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self { bytes: self.bytes.max(other.bytes), parts: self.parts.max(other.parts) }
    }
}
