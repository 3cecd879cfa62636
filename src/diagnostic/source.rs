//! The files that places point into.

use std::ops::Range;
use std::path::PathBuf;

use crate::place::Place;

/// One file of a definition.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, as the user would type it.
    pub path: PathBuf,
    /// Its text; a byte order mark cut, bytes that are no UTF-8 replaced. Empty where it could not be read.
    pub text: String,
    /// Where its lines begin.
    lines: Vec<usize>,
}

/// All files of a definition, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

/// Where a place is, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Its line, from 1.
    pub line: usize,
    /// The column of its first character, from 1, in characters.
    pub column: usize,
    /// The bytes of the text that are on its first line; none for a point between two characters.
    pub bytes: Range<usize>,
}

impl Sources {
    /// Adds a file and gives the number by which places name it.
    pub fn add(&mut self, path: PathBuf, text: String) -> u32 {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        self.files.push(Source { path, text, lines });
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// The file of this number.
    #[must_use]
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }
}

impl Source {
    /// Finds a place in this file. Any place will do: one that is not in the
    /// text, or not between characters, is moved to where it can be shown.
    #[must_use]
    pub fn locate(&self, place: Place) -> Location {
        let start = self.boundary(place.start as usize);
        let mut line = self.lines.partition_point(|begin| *begin <= start);
        let mut whole = self.line(line);
        // The end of a text that ends in a line break is shown behind its last line.
        if whole.is_empty() && whole.start == self.text.len() && line > 1 {
            line -= 1;
            whole = self.line(line);
        }
        let start = start.min(whole.end);
        let end = self.boundary(place.end as usize).clamp(start, whole.end);
        Location { line, column: self.text[whole.start..start].chars().count() + 1, bytes: start..end }
    }

    /// The last offset up to `offset` that is between two characters.
    pub(super) fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// The bytes of a line, from 1, without its line break.
    #[must_use]
    pub fn line(&self, line: usize) -> Range<usize> {
        let start = line.checked_sub(1).and_then(|index| self.lines.get(index));
        let start = start.copied().unwrap_or(self.text.len());
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let text = self.text[start..end].trim_end_matches('\n');
        start..start + text.strip_suffix('\r').unwrap_or(text).len()
    }
}
