//! The table of all formats.

use std::sync::Arc;

use super::{Format, Xml};

/// The formats that a definition can offer, by name.
#[derive(Clone)]
pub struct Formats(Vec<Arc<dyn Format>>);

impl Default for Formats {
    /// Those that are built in.
    fn default() -> Self {
        Self(vec![Arc::new(Xml::default())])
    }
}

impl Formats {
    /// Adds a format; one of the same name is replaced.
    pub fn add(&mut self, new: Arc<dyn Format>) {
        self.0.retain(|own| own.name() != new.name());
        self.0.push(new);
    }

    /// The format of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Format>> {
        self.0.iter().find(|own| own.name() == name)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|own| own.name())
    }
}

impl std::fmt::Debug for Formats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
