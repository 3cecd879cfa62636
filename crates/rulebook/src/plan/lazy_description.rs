//! The description of the whole API for OPTIONS, which is rendered when it is first needed.

use std::sync::OnceLock;

use super::OptionsDescription;

/// A description that is rendered when it is first needed. A request for another document need not wait for it.
pub struct LazyDescription {
    rendered: OnceLock<OptionsDescription>,
    render: Box<dyn Fn() -> OptionsDescription + Send + Sync>,
}

impl LazyDescription {
    /// Creates a description that is not rendered yet. [`LazyDescription::get_or_render`] calls `render`.
    pub fn new(render: impl Fn() -> OptionsDescription + Send + Sync + 'static) -> Self {
        Self { rendered: OnceLock::new(), render: Box::new(render) }
    }

    /// Returns the description if it has been rendered.
    pub fn rendered(&self) -> Option<&OptionsDescription> {
        self.rendered.get()
    }

    /// Returns the description. The first call renders it, which is slow, and other threads that need it wait.
    pub fn get_or_render(&self) -> &OptionsDescription {
        self.rendered.get_or_init(|| (self.render)())
    }
}
