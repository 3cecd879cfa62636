//! Modules that are written in several files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lower::Lowering;
use crate::definition::written::Module;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Placed;

/// All that is written of one module.
pub(super) struct Parts<'w> {
    /// What is written first.
    pub(super) first: &'w Module,
    others: Vec<&'w Module>,
}

/// The modules of all files, each with all its parts, in the order of the text.
pub(super) fn parts(written: &[Module]) -> Vec<Parts<'_>> {
    let mut modules: Vec<Parts<'_>> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for part in written {
        match by_name.entry(&part.name.value) {
            Entry::Vacant(entry) => {
                entry.insert(modules.len());
                modules.push(Parts { first: part, others: Vec::new() });
            }
            // The table holds indices of the list only.
            Entry::Occupied(entry) => modules[*entry.get()].others.push(part),
        }
    }
    modules
}

impl<'w> Parts<'w> {
    /// Every part.
    pub(super) fn all(&self) -> impl Iterator<Item = &'w Module> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// What the parts say under `key`, as the first of them that says it. What another one says is the same.
    pub(super) fn said<T: PartialEq>(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        of: impl Fn(&'w Module) -> Option<&'w Placed<T>>,
    ) -> Option<&'w Placed<T>> {
        let mut said = self.all().filter_map(of);
        let first = said.next()?;
        for other in said.filter(|other| other.value != first.value) {
            let message = format!("the module `{}` has another `{key}` elsewhere", self.first.name.value);
            lowering.tell(
                Diagnostic::new(Code::NameCollision, other.place, message)
                    .label("the second one")
                    .other(first.place, "the first one")
                    .help(format!(
                        "files of one module say the same: leave `{key}` out here, or name this module with \
                         `\"module\": \"…\"`"
                    )),
            );
        }
        Some(first)
    }
}
