//! API modules whose services are defined in several files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::lowering::Lowering;
use crate::definition::JsonNode;
use crate::definition::parsed::Module;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::{Span, Spanned};

/// The parts of one API module: the objects with its name in the definition files, in the order of the files.
pub(super) struct ModuleParts<'d> {
    pub(super) first_part: &'d Module,
    other_parts: Vec<&'d Module>,
}

/// Groups the parts of API modules from all files by the module's name, in the order in which the names first occur.
pub(super) fn group_by_module(parsed: &[Module]) -> Vec<ModuleParts<'_>> {
    let mut modules: Vec<ModuleParts<'_>> = Vec::new();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for part in parsed {
        match by_name.entry(&part.name.value) {
            Entry::Vacant(entry) => {
                entry.insert(modules.len());
                modules.push(ModuleParts { first_part: part, other_parts: Vec::new() });
            }
            // The index is always valid, because modules are never removed from `modules`.
            Entry::Occupied(entry) => modules[*entry.get()].other_parts.push(part),
        }
    }
    modules
}

impl<'d> ModuleParts<'d> {
    /// Returns all parts of the API module in the order of the files.
    pub(super) fn all_parts(&self) -> impl Iterator<Item = &'d Module> {
        std::iter::once(self.first_part).chain(self.other_parts.iter().copied())
    }

    /// Returns the value of the JSON key `key` in the first part that has this key. Reports each part in which the key
    /// has a different value. `get` reads the value of the key from a part.
    pub(super) fn first_value_in_parts<T: PartialEq>(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d Module) -> Option<&'d Spanned<T>>,
    ) -> Option<&'d Spanned<T>> {
        let mut values = self.all_parts().filter_map(get);
        let first = values.next()?;
        for other in values.filter(|other| other.value != first.value) {
            self.report_different_values(lowering, key, first.span, other.span);
        }
        Some(first)
    }

    /// Same as [`ModuleParts::first_value_in_parts`], for a value that is an array or an object.
    pub(super) fn first_node_in_parts(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d Module) -> Option<&'d JsonNode>,
    ) -> Option<&'d JsonNode> {
        let mut values = self.all_parts().filter_map(get);
        let first = values.next()?;
        for other in values.filter(|other| other.json() != first.json()) {
            self.report_different_values(lowering, key, first.span, other.span);
        }
        Some(first)
    }

    fn report_different_values(&self, lowering: &mut Lowering<'_>, key: &str, first: Span, other: Span) {
        let message =
            format!("the module `{}` has different values of `{key}` in several files", self.first_part.name.value);
        lowering.report(
            Diagnostic::new(DiagnosticCode::NameCollision, other, message)
                .label("second value")
                .related(first, "first value")
                .help(format!("remove `{key}` here, or give this module a name of its own with `\"module\": \"…\"`")),
        );
    }
}
