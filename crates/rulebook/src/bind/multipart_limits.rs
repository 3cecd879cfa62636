//! Computes the limits for multipart bodies: the limits in the settings of the definition, or higher limits if the
//! parameters of an API method need them.

use rulebook_model::limits;
use rulebook_model::model::{Limits, Location, Method, Parameter};
use rulebook_model::types::Arity;

use crate::call::Limit;
use crate::plan::MultipartLimits;

/// Returns the size limit for each file of a parameter; `None` if the parameter does not accept files.
pub(super) fn file_limit(parameter: &Parameter, limits: &Limits) -> Option<Limit> {
    let check = &parameter.r#type.check;
    let type_limit = check.max_size().bytes.map(Limit::file);
    matches!(check.arity(), Arity::File | Arity::Files)
        .then(|| type_limit.unwrap_or(limits::PART_SIZE.with_value(limits.part)))
}

/// Returns the limits for a multipart body of an API method. The limits allow every body in which each part is valid
/// for its parameter.
pub(super) fn method_limits(method: &Method, limits: &Limits) -> MultipartLimits {
    let in_body = method.parameters.iter().filter(|it| matches!(it.from, Location::Body | Location::Any));
    let needed = in_body.fold(NeededLimits::default(), |needed, parameter| needed.with_parameter(parameter, limits));
    let bytes = if needed.has_size { needed.file_bytes.saturating_add(limits.body) } else { 0 };
    MultipartLimits { bytes: bytes.max(limits.multipart), parts: needed.parts.max(limits.parts) }
}

/// Returns the higher limit for bytes, and the higher limit for parts.
pub(super) fn max_limits(one: MultipartLimits, other: MultipartLimits) -> MultipartLimits {
    MultipartLimits { bytes: one.bytes.max(other.bytes), parts: one.parts.max(other.parts) }
}

/// The maximum size and number of the parts that the parameters of an API method allow in a multipart body.
#[derive(Default)]
struct NeededLimits {
    parts: u64,
    file_bytes: u64,
    /// `true` if the type of a parameter limits the size of a file or the number of files.
    has_size: bool,
}

impl NeededLimits {
    fn with_parameter(self, parameter: &Parameter, limits: &Limits) -> Self {
        let check = &parameter.r#type.check;
        let max = check.max_size();
        let (parts, has_size) = match check.arity() {
            Arity::One => (1, false),
            Arity::File => (1, max.bytes.is_some()),
            Arity::Many => (max.items.unwrap_or(1), false),
            Arity::Files => (max.items.unwrap_or(1), max.items.is_some()),
        };
        let parts = parts.min(limits.items);
        let file_bytes = match file_limit(parameter, limits) {
            None => 0,
            // If the parameter accepts any number of files, the setting `multipart` limits their total size.
            Some(_) if check.arity() == Arity::Files && max.items.is_none() => limits.multipart,
            Some(limit) => limit.max.saturating_mul(parts),
        };
        Self {
            parts: self.parts.saturating_add(parts),
            file_bytes: self.file_bytes.saturating_add(file_bytes),
            has_size: self.has_size || has_size,
        }
    }
}
