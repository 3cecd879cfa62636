//! The values that a program shares with its handlers, such as a database connection.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

type SharedValues = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// The values that a program shares with its handlers. The type of a value is its key, so that there is at most one
/// value of each type.
#[derive(Clone, Default)]
pub struct ProgramState {
    values: SharedValues,
    from_start_hooks: Arc<StartHookValues>,
}

/// The values that the start hooks of the program have added. All clones of a [`ProgramState`] share them.
#[derive(Default)]
struct StartHookValues {
    values: OnceLock<SharedValues>,
    /// A value that is dropped together with the last clone of the [`ProgramState`].
    kept_alive: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl ProgramState {
    /// Adds a value. It replaces an earlier value of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.insert_shared(Arc::new(value));
    }

    /// Same as [`ProgramState::insert`], for a value that other code uses as well.
    pub(crate) fn insert_shared<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.values.insert(TypeId::of::<T>(), value);
    }

    /// Returns the value of type `T`; `None` if the program has not added one.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let key = TypeId::of::<T>();
        let started = self.from_start_hooks.values.get().and_then(|values| values.get(&key));
        started.or_else(|| self.values.get(&key)).and_then(|value| Arc::clone(value).downcast().ok())
    }

    /// Adds the values of the start hooks to this state and all of its clones. Only the first call has an effect.
    pub(crate) fn add_start_hook_values(&self, inserted: Self) {
        let _ = self.from_start_hooks.values.set(inserted.values);
    }

    /// Keeps `guard` until this state and all of its clones have been dropped. Only the first call has an effect.
    pub(crate) fn keep_alive(&self, guard: impl Any + Send + Sync) {
        let _ = self.from_start_hooks.kept_alive.set(Box::new(guard));
    }

    /// Returns a copy without the values that start hooks have added.
    pub(crate) fn without_start_hook_values(&self) -> Self {
        Self { values: self.values.clone(), from_start_hooks: Arc::default() }
    }
}

impl fmt::Debug for ProgramState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramState").field("values", &self.values.len()).finish_non_exhaustive()
    }
}
