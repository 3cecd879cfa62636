//! Functions that a definition names, held against those that there are.

use std::collections::HashSet;

use super::lower::Lowering;
use crate::definition::written::TypeText;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Placed;
use crate::types::{Functions, after_names, callback};

/// A function that a definition names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    name: String,
    /// Whether a known function of PHP will do, and not only one of the program.
    known_too: bool,
}

impl Lowering<'_> {
    /// Keeps in mind the functions that a type names. Whether they are there only matters where methods have code.
    pub(super) fn wants(&mut self, text: &TypeText) {
        for (key, value) in text.attributes.iter().chain(&text.items) {
            let name = key.value.rsplit('.').next().unwrap_or_default();
            let (names, known_too) = match name {
                "callback" => (callback(&value.value).into_iter().collect(), false),
                "after" => (after_names(&value.value).unwrap_or_default(), true),
                _ => continue,
            };
            let wanted = |name| Placed::new(Wanted { name, known_too }, value.place);
            self.functions.extend(names.into_iter().map(wanted));
        }
    }
}

/// Tells the functions that are not there, each once where it is named.
#[must_use]
pub fn unknown_functions(wanted: &[Placed<Wanted>], functions: &Functions) -> Vec<Diagnostic> {
    let mut told = HashSet::new();
    let missing = wanted.iter().filter(|wanted| !functions.has(&wanted.value.name, wanted.value.known_too));
    let once = missing.filter(|wanted| {
        let place = wanted.place;
        told.insert((&wanted.value, place.file, place.start, place.end))
    });
    once.map(|wanted| unknown(wanted, functions)).collect()
}

fn unknown(wanted: &Placed<Wanted>, functions: &Functions) -> Diagnostic {
    let Wanted { name, known_too } = &wanted.value;
    let shown = name.escape_debug();
    let register = format!("add it to the program: `Rulebook::callable(\"{shown}\", |value, params| …)`");
    let known = Functions::builtin().map(|(name, _)| name).filter(|_| *known_too);
    Diagnostic::new(Code::UnknownCallable, wanted.place, format!("this program has no function `{shown}`"))
        .label("no function of this name")
        .help(register)
        .suggest(name, functions.names().chain(known))
}
