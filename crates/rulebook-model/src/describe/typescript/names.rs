//! The names of the arguments of the client's functions.

use crate::model::{Location, Parameter, default_name};

/// Returns the names of a method's arguments, one for each parameter: the `name` of the parameter if the definition
/// sets it, otherwise its key without a prefix (`tag` for `GET@tag`, `id` for `{id}`, but `URL#0`). If two parameters
/// would have the same name, the full key is used, which the client accepts for every parameter.
#[must_use]
pub fn argument_names(parameters: &[Parameter]) -> Vec<String> {
    let names: Vec<_> = parameters.iter().map(|parameter| (short_name(parameter), parameter.tree_key())).collect();
    let argument_name = |(index, (short, key)): (usize, &(String, String))| {
        let mut others = names.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, names)| names);
        let is_ambiguous = others.any(|(other_short, other_key)| other_short == short || other_key == short);
        if is_ambiguous { key.clone() } else { short.clone() }
    };
    names.iter().enumerate().map(argument_name).collect()
}

fn short_name(parameter: &Parameter) -> String {
    let Parameter { name, key, from, .. } = parameter;
    let tree_key = parameter.tree_key();
    match from {
        // Header names are case-insensitive, and `name` has the spelling of the definition.
        Location::Header if name.eq_ignore_ascii_case(&tree_key) => name.chars().skip(HEADER_PREFIX.len()).collect(),
        _ if name != default_name(&tree_key) => name.clone(),
        Location::Position(_) => tree_key,
        _ => key.clone(),
    }
}

/// The prefix of header fields in the keys of a definition.
const HEADER_PREFIX: &str = "HEADER@";
