//! Modules whose services are in several files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lower::Lowering;
use crate::definition::parsed::Module;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;

/// The parts of one module, one for each file.
pub(super) struct ModuleParts<'d> {
    /// The first part.
    pub(super) first: &'d Module,
    others: Vec<&'d Module>,
}

/// Groups the modules of all files by name, in the order in which the names first occur.
pub(super) fn group_parts(parsed: &[Module]) -> Vec<ModuleParts<'_>> {
    let mut modules: Vec<ModuleParts<'_>> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for part in parsed {
        match by_name.entry(&part.name.value) {
            Entry::Vacant(entry) => {
                entry.insert(modules.len());
                modules.push(ModuleParts { first: part, others: Vec::new() });
            }
            // `by_name` holds valid indices of `modules` only.
            Entry::Occupied(entry) => modules[*entry.get()].others.push(part),
        }
    }
    modules
}

impl<'d> ModuleParts<'d> {
    /// Returns all parts, the first one first.
    pub(super) fn all(&self) -> impl Iterator<Item = &'d Module> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    /// Returns the first value of `key`, which `get` reads from a part. Every other part with a different value of the
    /// key is reported.
    pub(super) fn first_value<T: PartialEq>(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d Module) -> Option<&'d Spanned<T>>,
    ) -> Option<&'d Spanned<T>> {
        let mut values = self.all().filter_map(get);
        let first = values.next()?;
        for other in values.filter(|other| other.value != first.value) {
            let message =
                format!("the module `{}` has different values of `{key}` in several files", self.first.name.value);
            lowering.report(
                Diagnostic::new(DiagnosticCode::NameCollision, other.span, message)
                    .label("second value")
                    .related(first.span, "first value")
                    .help(format!(
                        "remove `{key}` here, or give this module a name of its own with `\"module\": \"…\"`"
                    )),
            );
        }
        Some(first)
    }
}
