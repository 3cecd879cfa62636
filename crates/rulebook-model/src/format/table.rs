//! The table of the response formats other than JSON.

use std::sync::Arc;

use super::{Format, Xml};

/// The response formats that a definition can offer to clients. A definition refers to a format by name.
#[derive(Clone)]
pub struct Formats(Vec<Arc<dyn Format>>);

impl Default for Formats {
    /// Returns a table that contains only the built-in formats.
    fn default() -> Self {
        Self(vec![Arc::new(Xml::default())])
    }
}

impl Formats {
    /// Adds a format to the table. The new format replaces a format with the same name.
    pub fn add(&mut self, new: Arc<dyn Format>) {
        self.0.retain(|format| format.name() != new.name());
        self.0.push(new);
    }

    /// Returns the format whose name is `name`, or `None` if the table has no such format.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Format>> {
        self.0.iter().find(|format| format.name() == name)
    }

    /// Returns the names of all formats.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|format| format.name())
    }
}

impl std::fmt::Debug for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
