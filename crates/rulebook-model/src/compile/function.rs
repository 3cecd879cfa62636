//! Checks that the program has the functions that the attributes of types in a definition name.

use std::collections::HashSet;

use super::lowering::Lowering;
use crate::definition::parsed::TypeSpec;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;
use crate::types::{Functions, after_function_names, callback_function_name};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct FunctionRef {
    name: String,
    /// `true` if the name can also be the name of a PHP function that rulebook implements itself.
    allows_builtin: bool,
}

impl Lowering<'_> {
    /// Collects the functions that the attributes of a type name, for [`unknown_function_errors`].
    pub(super) fn collect_function_refs(&mut self, spec: &TypeSpec) {
        for (key, value) in spec.attributes.iter().chain(&spec.parts) {
            let attribute = key.value.rsplit('.').next().unwrap_or_default();
            let (names, allows_builtin) = match attribute {
                "callback" => (callback_function_name(&value.value).into_iter().collect(), false),
                "after" => (after_function_names(&value.value).unwrap_or_default(), true),
                _ => continue,
            };
            let reference = |name| Spanned::new(FunctionRef { name, allows_builtin }, value.span);
            self.function_refs.extend(names.into_iter().map(reference));
        }
    }
}

pub(super) fn unknown_function_errors(references: &[Spanned<FunctionRef>], functions: &Functions) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let is_missing = |reference: &&Spanned<FunctionRef>| {
        let FunctionRef { name, allows_builtin } = &reference.value;
        !functions.contains(name, *allows_builtin)
    };
    let unique = references.iter().filter(is_missing).filter(|reference| {
        let span = reference.span;
        seen.insert((&reference.value, span.file, span.start, span.end))
    });
    unique.map(|reference| unknown_function_error(reference, functions)).collect()
}

fn unknown_function_error(reference: &Spanned<FunctionRef>, functions: &Functions) -> Diagnostic {
    let FunctionRef { name, allows_builtin } = &reference.value;
    let quoted = name.escape_debug();
    let builtin = Functions::builtin_names_and_descriptions().map(|(name, _)| name).filter(|_| *allows_builtin);
    Diagnostic::new(DiagnosticCode::UnknownCallable, reference.span, format!("this program has no function `{quoted}`"))
        .label("unknown function")
        .help(format!("add it to the program: `Rulebook::callable(\"{quoted}\", |value, params| …)`"))
        .suggest(name, functions.custom_names().chain(builtin))
}
