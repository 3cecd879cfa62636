//! Values of the program that handlers share.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

type Values = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

/// Values of the program that handlers share, at most one of each type.
#[derive(Clone, Default)]
pub struct State {
    values: Values,
    started: Arc<Started>,
}

/// The part of a state that the start hooks add. All clones of the state share it.
#[derive(Default)]
struct Started {
    values: OnceLock<Values>,
    /// Dropped with the last clone of the state.
    guard: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl State {
    /// Adds a value. A value of the same type is replaced.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.insert_shared(Arc::new(value));
    }

    /// Same as [`State::insert`], for a value that is shared with other code.
    pub(crate) fn insert_shared<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.values.insert(TypeId::of::<T>(), value);
    }

    /// Returns the value of this type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let key = TypeId::of::<T>();
        let started = self.started.values.get().and_then(|values| values.get(&key));
        started.or_else(|| self.values.get(&key)).and_then(|value| Arc::clone(value).downcast().ok())
    }

    /// Adds the values of the start hooks to this state and all of its clones. Only the first call has an effect.
    pub(crate) fn add_started(&self, inserted: Self) {
        let _ = self.started.values.set(inserted.values);
    }

    /// Keeps a value until this state and all of its clones have been dropped. Only the first call has an effect.
    pub(crate) fn keep_alive(&self, guard: impl Any + Send + Sync) {
        let _ = self.started.guard.set(Box::new(guard));
    }

    /// Returns a copy with the values that were inserted before the start hooks ran.
    pub(crate) fn without_start(&self) -> Self {
        Self { values: self.values.clone(), started: Arc::default() }
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("values", &self.values.len()).finish_non_exhaustive()
    }
}
