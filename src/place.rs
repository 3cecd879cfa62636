//! Where something was written: a file and a range of bytes in it.
//!
//! Every part of a definition carries its place, from the text it was read
//! from to the model, so that any later complaint can point at the line.

/// A range of bytes in one of the files of a definition.
///
/// Places do not take part in comparison: two models are equal when they mean
/// the same, wherever they were written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place {
    /// Index of the file in [`crate::diagnostic::Sources`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl Place {
    /// The part of this place that begins `start` bytes into it and ends `end` bytes into it.
    #[must_use]
    pub fn within(self, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| self.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end);
        Self { file: self.file, start: clamp(start), end: clamp(end) }
    }
}

/// A thing together with the place where it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Placed<T> {
    /// The thing.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

impl<T> Placed<T> {
    /// `value`, written at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// The same place with another value made from this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Placed<U> {
        Placed { value: change(self.value), place: self.place }
    }
}

/// The part `start..end` of a string, in bytes of its value: where it is written.
///
/// A string's place is what stands between its quotes. It differs in length from the value where the string is
/// written with escapes, or is empty and has its quotes for a place; such a string is told as a whole.
#[must_use]
pub fn inside(text: &Placed<String>, start: usize, end: usize) -> Place {
    let written = text.place.end.saturating_sub(text.place.start) as usize;
    if written == text.value.len() { text.place.within(start, end) } else { text.place }
}
