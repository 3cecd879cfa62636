//! API modules whose services are defined in several files.

use indexmap::IndexMap;

use super::lowering::Lowering;
use crate::definition::JsonNode;
use crate::definition::dialect_spec::DialectSpec;
use crate::definition::parsed::Module;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::{Span, Spanned};

/// The parts of one API module: the objects with its name in the definition files, in the order of the files.
pub(super) struct ModuleParts<'d> {
    pub(super) name: &'d Spanned<String>,
    pub(super) span: Span,
    pub(super) parts: Vec<&'d Module>,
}

/// Groups the parts of API modules from all files by the module's name, in the order in which the names first occur.
pub(super) fn group_by_module(parsed: &[Module]) -> impl Iterator<Item = ModuleParts<'_>> {
    let mut modules: IndexMap<&str, ModuleParts<'_>> = IndexMap::new();
    for part in parsed {
        let new = || ModuleParts { name: &part.name, span: part.span, parts: Vec::new() };
        modules.entry(&part.name.value).or_insert_with(new).parts.push(part);
    }
    modules.into_values()
}

impl<'d> ModuleParts<'d> {
    /// Returns the value of `key` in the first part that has this key. Reports each part with a different value.
    pub(super) fn first_value_in_parts<T: PartialEq>(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d Module) -> Option<&'d Spanned<T>>,
    ) -> Option<&'d Spanned<T>> {
        let mut values = self.parts.iter().filter_map(|part| get(part));
        let first = values.next()?;
        for other in values.filter(|other| other.value != first.value) {
            self.report_different_values(lowering, key, first.span, other.span);
        }
        Some(first)
    }

    /// Returns the value of `key` as [`ModuleParts::first_value_in_parts`] does, and the dialect of its part.
    pub(super) fn first_node_in_parts(
        &self,
        lowering: &mut Lowering<'_>,
        key: &str,
        get: impl Fn(&'d Module) -> Option<&'d JsonNode>,
    ) -> Option<(&'d JsonNode, &'static DialectSpec)> {
        let mut values = self.parts.iter().filter_map(|part| Some((get(part)?, part.spec)));
        let first = values.next()?;
        for (other, _) in values.filter(|(other, _)| other.json() != first.0.json()) {
            self.report_different_values(lowering, key, first.0.span, other.span);
        }
        Some(first)
    }

    fn report_different_values(&self, lowering: &mut Lowering<'_>, key: &str, first: Span, other: Span) {
        let message = format!("the module `{}` has different values of `{key}` in several files", self.name.value);
        lowering.report(
            Diagnostic::new(DiagnosticCode::NameCollision, other, message)
                .label("second value")
                .related(first, "first value")
                .help(format!("remove `{key}` here, or give this module a name of its own with `\"module\": \"…\"`")),
        );
    }
}
