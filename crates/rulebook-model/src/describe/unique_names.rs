//! Chooses names for generated code that are unique in their scope.

use std::collections::HashMap;

/// The names of a scope. For each name, the number with which the search for a similar name begins.
#[derive(Debug, Default)]
pub(super) struct UniqueNames(HashMap<String, usize>);

impl UniqueNames {
    pub(super) fn reserving<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self(names.into_iter().map(|name| (name.to_owned(), 1)).collect())
    }

    /// Returns a name that is unused: the given one or, if it is used, one that ends in an underscore or a number.
    pub(super) fn add(&mut self, name: &str) -> String {
        let first = self.0.get(name).copied().unwrap_or(0);
        let candidate = |number: usize| match number {
            0 => name.to_owned(),
            1 => format!("{name}_"),
            number => format!("{name}_{number}"),
        };
        // There are more numbers than used names.
        let unused = (first..).find(|number| !self.0.contains_key(&candidate(*number))).unwrap_or(first);
        self.0.insert(name.to_owned(), unused + 1);
        let unused = candidate(unused);
        self.0.entry(unused.clone()).or_insert(1);
        unused
    }
}
