//! Spans, which are ranges of bytes in definition files. Diagnostics use them to show the position of an error.
//!
//! The parsed definition and the model contain the span of each value, so that every diagnostic can show the line of
//! the error.

use serde::Serialize;

/// A range of bytes in a definition file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The index of the definition file in [`crate::diagnostic::Sources`].
    pub file: u32,
    /// The offset of the first byte of the span in the file.
    pub start: u32,
    /// The offset after the last byte of the span in the file.
    pub end: u32,
}

impl Span {
    /// Returns `true` if `inner` begins in this span.
    #[must_use]
    pub(crate) fn contains(self, inner: Self) -> bool {
        inner.file == self.file && (self.start..=self.end).contains(&inner.start)
    }

    /// Returns the part between two byte offsets from the start of this span, and not beyond its end.
    #[must_use]
    pub fn slice(self, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| self.start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)).min(self.end);
        Self { file: self.file, start: clamp(start), end: clamp(end) }
    }
}

/// A value of a definition, and the span of this value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Spanned<T> {
    /// The value in the definition.
    pub value: T,
    /// The span of the value in a definition file.
    #[serde(skip)]
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Creates a spanned value from a value and its span.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Converts the value with the function `change`, and keeps the span.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), span: self.span }
    }
}

impl Spanned<String> {
    /// Returns the span of a part of a JSON string. `start` and `end` are byte offsets in the value of the string.
    ///
    /// The span of a string does not include the quotes, except for an empty string, whose span consists of the quotes.
    /// If the string contains escape sequences, its value is shorter than its span, and the part cannot be located. In
    /// this case the result is the span of the whole string.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Span {
        let len = self.span.end.saturating_sub(self.span.start) as usize;
        if len == self.value.len() { self.span.slice(start, end) } else { self.span }
    }
}
