//! Compares the permissions of a new key with the permissions that the methods of an API require.

use rulebook_model::diagnostic::closest_word;
use rulebook_model::model::{Api, PermissionMatch, match_permission};

/// Returns an error message if no request can require the permission.
pub(super) fn unknown_permission_message(api: &Api, permission: &str) -> Option<String> {
    let methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
    let known = || methods.clone().flat_map(|method| method.scope.groups.iter().flatten().map(move |it| (method, it)));
    let mut impossible_value = None;
    for (method, known) in known() {
        match match_permission(method, known, permission) {
            PermissionMatch::Possible => return None,
            PermissionMatch::Different => {}
            PermissionMatch::ImpossibleValue { parameter, value, normalized } => {
                impossible_value.get_or_insert((known, parameter, value, normalized));
            }
        }
    }
    // Values in brackets are not compared.
    let names: Vec<_> = known().map(|(_, known)| (without_values(&known.text), &*known.text)).collect();
    let similar = closest_word(&without_values(permission), names.iter().map(|(name, _)| name.as_str()));
    let similar = similar.and_then(|similar| names.iter().find(|(name, _)| name == similar));
    let help = match (impossible_value, similar) {
        (Some((known, parameter, value, normalized)), _) => {
            let expected = match normalized {
                Some(normalized) => format!("`{normalized}`"),
                None => parameter.r#type.check.expected().into_owned(),
            };
            format!("for `{}` in `{}`, expected {expected} instead of `{value}`", parameter.name, known.text)
        }
        (None, Some((_, similar))) => format!("did you mean `{similar}`?"),
        (None, None) => "`rulebook routes` lists the permissions".to_owned(),
    };
    Some(format!(
        "no method requires the permission `{permission}`; {help}\nWith --force, the key is created all the same."
    ))
}

/// Removes the texts in brackets from a permission.
fn without_values(permission: &str) -> String {
    permission.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}
