//! How much of a multipart body a method takes: the limits of the settings, but for what its parameters say themselves.

use crate::call::Limit;
use crate::model::{From, Limits, Method, Parameter};
use crate::plan::Room;
use crate::types::Takes;

/// What each file that fills a parameter is held to; none where no file does.
pub(super) fn file(own: &Parameter, limits: &Limits) -> Option<Limit> {
    let check = &own.r#type.check;
    let said = check.most().bytes.map(Limit::file);
    matches!(check.takes(), Takes::File | Takes::Files).then(|| said.unwrap_or(Limit::part(limits.part)))
}

/// What a multipart body for a method is held to. One that its parameters take is never too long, nor in too many parts.
pub(super) fn room(own: &Method, limits: &Limits) -> Room {
    let own = own.parameters.iter().filter(|own| matches!(own.from, From::Body | From::Any));
    let own = own.fold(Own { parts: 0, files: 0, said: false }, |own, parameter| own.and(parameter, limits));
    let bytes = if own.said { own.files.saturating_add(limits.body) } else { 0 };
    Room { bytes: bytes.max(limits.multipart), parts: own.parts.max(limits.parts) }
}

/// The room that either of two needs.
pub(super) fn wider(one: Room, other: Room) -> Room {
    Room { bytes: one.bytes.max(other.bytes), parts: one.parts.max(other.parts) }
}

/// What the parameters of a method take.
struct Own {
    parts: u64,
    /// Bytes of all files.
    files: u64,
    /// Whether a parameter says how much it takes of files.
    said: bool,
}

impl Own {
    fn and(self, parameter: &Parameter, limits: &Limits) -> Self {
        let check = &parameter.r#type.check;
        let most = check.most();
        let (parts, said) = match check.takes() {
            Takes::One => (1, false),
            Takes::File => (1, most.bytes.is_some()),
            Takes::Many => (most.items.unwrap_or(1), false),
            Takes::Files => (most.items.unwrap_or(1), most.items.is_some()),
        };
        let parts = parts.min(limits.items);
        let files = match file(parameter, limits) {
            None => 0,
            // A list without an end has the room of a body that says nothing.
            Some(_) if check.takes() == Takes::Files && most.items.is_none() => limits.multipart,
            Some(file) => file.max.saturating_mul(parts),
        };
        Self {
            parts: self.parts.saturating_add(parts),
            files: self.files.saturating_add(files),
            said: self.said || said,
        }
    }
}
