//! Chooses the names of the arguments that the functions of the JavaScript client have.

use crate::model::{Location, Parameter, default_parameter_name};

/// Returns the names of a method's arguments, one for each parameter. The name of an argument is the `name` of the
/// parameter, if the definition sets it. Otherwise it is the key of the parameter without its prefix or braces: `tag`
/// for `GET@tag`, and `id` for `{id}`. The key of a positional parameter, such as `URL#0`, is not shortened. If two
/// arguments would have the same name, both have the full key as name, which the client accepts for every parameter.
#[must_use]
pub fn argument_names(parameters: &[Parameter]) -> Vec<String> {
    let names: Vec<_> =
        parameters.iter().map(|parameter| (short_argument_name(parameter), parameter.tree_key())).collect();
    let argument_name = |(index, (short, key)): (usize, &(String, String))| {
        let mut others = names.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, names)| names);
        let is_ambiguous = others.any(|(other_short, other_key)| other_short == short || other_key == short);
        if is_ambiguous { key.clone() } else { short.clone() }
    };
    names.iter().enumerate().map(argument_name).collect()
}

fn short_argument_name(parameter: &Parameter) -> String {
    let Parameter { name, key, from, .. } = parameter;
    let tree_key = parameter.tree_key();
    match from {
        // Names of header fields are case-insensitive. `key` is in lower case, but `name` has the spelling of the
        // definition.
        Location::Header if name.eq_ignore_ascii_case(&tree_key) => {
            name.chars().skip(HEADER_KEY_PREFIX.len()).collect()
        }
        _ if name != default_parameter_name(&tree_key) => name.clone(),
        Location::Position(_) => tree_key,
        _ => key.clone(),
    }
}

/// The prefix of a definition key whose parameter is read from a header field.
const HEADER_KEY_PREFIX: &str = "HEADER@";
