//! The files that places point into.

use std::path::PathBuf;

/// One file of a definition.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, as the user would type it.
    pub path: PathBuf,
    /// Its text; bytes that are no UTF-8 replaced.
    pub text: String,
}

/// All files of a definition, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file and gives the number by which places name it.
    pub fn add(&mut self, path: PathBuf, text: String) -> u32 {
        self.files.push(Source { path, text });
        u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX)
    }

    /// The file of this number.
    #[must_use]
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }
}
