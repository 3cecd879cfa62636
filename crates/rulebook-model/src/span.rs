//! Ranges of bytes in definition files, for diagnostics.
//!
//! The parsed definition and the model keep the span of each value, so that every diagnostic can point at its line.

/// A range of bytes in a definition file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The index of the file in [`crate::diagnostic::Sources`].
    pub file: u32,
    /// The offset of the first byte.
    pub start: u32,
    /// The offset after the last byte.
    pub end: u32,
}

impl Span {
    /// Returns the part of this span between two offsets, in bytes from its start. Offsets beyond its end are moved to
    /// the end.
    #[must_use]
    pub fn slice(self, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| self.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end);
        Self { file: self.file, start: clamp(start), end: clamp(end) }
    }
}

/// A value and its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The span of the value in a definition file.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value and its span.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Replaces the value and keeps the span.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

impl Spanned<String> {
    /// Returns the span of the part of a JSON string between two byte offsets of its value.
    ///
    /// The span of a string excludes its quotes; only the span of an empty string consists of them. If the string
    /// contains escape sequences, its value is shorter than its span and the part cannot be located: the result is the
    /// whole span.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Span {
        let len = self.span.end.saturating_sub(self.span.start) as usize;
        if len == self.value.len() { self.span.slice(start, end) } else { self.span }
    }
}
