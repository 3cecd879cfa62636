//! The source files of a definition, and the lines and columns of spans.

use std::ops::Range;
use std::path::PathBuf;

use crate::span::Span;

/// A file of a definition.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path, which is relative to the current folder if the path of the definition's folder is.
    pub path: PathBuf,
    /// The text, without a byte order mark and with invalid UTF-8 replaced. Empty if the file could not be read.
    pub text: String,
    /// The offsets at which lines begin.
    lines: Vec<usize>,
}

/// All files of a definition, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// The position of a span in its file, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourcePosition {
    /// The line, from 1.
    pub line: usize,
    /// The column of the first character, in characters from 1.
    pub column: usize,
    /// The bytes of the span on its first line. Empty if the span lies between two characters.
    pub bytes: Range<usize>,
}

impl Sources {
    /// Adds a file and returns its index, which spans refer to.
    pub fn add(&mut self, path: PathBuf, text: String) -> u32 {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.files.push(Source { path, text, lines });
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// Returns the file at an index.
    #[must_use]
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }
}

impl Source {
    /// Returns the position of a span in this file. If the span is outside of the text or not at character boundaries,
    /// the closest valid position is returned.
    #[must_use]
    pub fn locate(&self, span: Span) -> SourcePosition {
        let start = self.char_boundary(span.start as usize);
        let mut line = self.lines.partition_point(|begin| *begin <= start);
        let mut range = self.line(line);
        // If the text ends in a line break, a span at its end is shown at the end of the last line.
        if range.is_empty() && range.start == self.text.len() && line > 1 {
            line -= 1;
            range = self.line(line);
        }
        let start = start.min(range.end);
        let end = self.char_boundary(span.end as usize).clamp(start, range.end);
        SourcePosition { line, column: self.text[range.start..start].chars().count() + 1, bytes: start..end }
    }

    /// Returns the last character boundary that is not after `offset`.
    pub(super) fn char_boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// Returns the bytes of a line, counted from 1, without its line break.
    #[must_use]
    pub fn line(&self, line: usize) -> Range<usize> {
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index));
        let start = start.copied().unwrap_or(self.text.len());
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let text = self.text[start..end].trim_end_matches('\n');
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }
}
