//! What the arguments of the client's functions are called.

use crate::model::{From, Parameter, derived_name};

/// The names of a method's arguments, one for each parameter: the name in code where the definition gives one, else
/// the key on the wire (`tag` of `GET@tag`, `id` of `{id}`, `URL#0`). Where another parameter could be meant by it, it
/// is the key as it is written, which the client takes for any.
#[must_use]
pub fn argument_names(parameters: &[Parameter]) -> Vec<String> {
    let named: Vec<_> = parameters.iter().map(|parameter| (short(parameter), parameter.written_key())).collect();
    let name = |(index, (short, key)): (usize, &(String, String))| {
        let mut others = named.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, names)| names);
        let alike = others.any(|(other, written)| other == short || written == short);
        if alike { key.clone() } else { short.clone() }
    };
    named.iter().enumerate().map(name).collect()
}

fn short(parameter: &Parameter) -> String {
    let Parameter { name, key, from, .. } = parameter;
    let written = parameter.written_key();
    match from {
        // Names of header fields have no case: the definition's own writing is the name in code.
        From::Header if name.eq_ignore_ascii_case(&written) => name.chars().skip(HEADER.len()).collect(),
        _ if name != derived_name(&written) => name.clone(),
        From::Position(_) => written,
        _ => key.clone(),
    }
}

/// What stands in front of the name of a header field.
const HEADER: &str = "HEADER@";
