//! Chooses the names of the arguments that the functions of the JavaScript client have.

use crate::model::Parameter;

/// Returns the names of a method's arguments, one for each parameter: the names of the parameters in code. If the name
/// of an argument is the key of another parameter, both have their full keys as names, which the client accepts for
/// every parameter.
#[must_use]
pub fn argument_names(parameters: &[Parameter]) -> Vec<String> {
    let names: Vec<_> = parameters.iter().map(|parameter| (&parameter.name, parameter.tree_key())).collect();
    let argument_name = |(index, (short, key)): (usize, &(&String, String))| {
        let mut others = names.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, names)| names);
        let is_ambiguous = others.any(|(other_short, other_key)| other_short == short || other_key == *short);
        if is_ambiguous { key.clone() } else { (*short).clone() }
    };
    names.iter().enumerate().map(argument_name).collect()
}
