//! The source files of a definition. A span, which is a range of bytes in a file, is converted to a line and a column.

use std::ops::Range;
use std::path::PathBuf;

use crate::span::Span;

/// A source file of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path of the file. It is relative to the current folder if the path of the definition's folder is relative.
    pub path: PathBuf,
    /// The text of the file, without a byte order mark. Invalid UTF-8 is replaced. The text is empty if the file could
    /// not be read.
    pub text: String,
    line_starts: Vec<usize>,
}

/// All source files of a definition, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// The position of a span in its file, as it is shown to users.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourcePosition {
    /// The line of the first character, counted from 1.
    pub line: usize,
    /// The column of the first character, in characters, counted from 1.
    pub column: usize,
    /// The range of bytes of the span on its first line. The range is empty if the span lies between two characters.
    pub bytes: Range<usize>,
}

impl Sources {
    /// Adds a file and returns the index of the file. Spans refer to the file by this index.
    pub fn add(&mut self, path: PathBuf, text: String) -> u32 {
        let file = self.next_index();
        self.files.push(Source::new(path, text));
        file
    }

    /// Returns the index of the file that is added next.
    pub(crate) fn next_index(&self) -> u32 {
        u32::try_from(self.files.len()).unwrap_or(u32::MAX)
    }

    /// Returns the index of a file, which is added unless it is there already.
    pub(super) fn index_of(&mut self, source: &Source) -> u32 {
        let known = self.files.iter().position(|known| known == source);
        let index = known.unwrap_or_else(|| {
            self.files.push(source.clone());
            self.files.len() - 1
        });
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// Returns the file with the index `file`, or `None` if no such file exists.
    #[must_use]
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }
}

impl Source {
    /// Creates the source file with a path and a text.
    #[must_use]
    pub fn new(path: PathBuf, text: String) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { path, text, line_starts }
    }

    /// Returns the position of a span in this file. If the span is outside of the text, or does not begin and end at
    /// character boundaries, the closest valid position is returned.
    #[must_use]
    pub fn locate(&self, span: Span) -> SourcePosition {
        let start = self.floor_char_boundary(span.start as usize);
        let mut line = self.line_starts.partition_point(|begin| *begin <= start);
        let mut range = self.line(line);
        // If the text ends with a line break, a span at the end of the text is shown at the end of the last line.
        if range.is_empty() && range.start == self.text.len() && line > 1 {
            line -= 1;
            range = self.line(line);
        }
        let start = start.min(range.end);
        let end = self.floor_char_boundary(span.end as usize).clamp(start, range.end);
        SourcePosition { line, column: self.text[range.start..start].chars().count() + 1, bytes: start..end }
    }

    /// Returns the last character boundary in the text that is not after the byte offset `offset`.
    pub(super) fn floor_char_boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// Returns the range of bytes of a line, without the line break. Lines are counted from 1.
    #[must_use]
    pub fn line(&self, line: usize) -> Range<usize> {
        let start = line.checked_sub(1).and_then(|index| self.line_starts.get(index));
        let start = start.copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let text = self.text[start..end].trim_end_matches('\n');
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }
}
