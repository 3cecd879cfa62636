//! Finds the keys: in the data folder, or in a database. Compares the permissions of a new key with those that methods
//! require.

use std::path::{Path, PathBuf};

use rulebook_model::diagnostic::closest_word;
use rulebook_model::model::{Api, PermissionMatch, match_permission};

use crate::{AddHandlers, Exit, Settings, key_storage, output};

/// Returns the data folder, and the address of the database with the keys, if they are not in the folder: the values of
/// the flags, otherwise those of `app.json`, or the defaults. Fails if no method requires one of the permissions in
/// `checked_scope`.
pub(super) fn find_keys(
    app: AddHandlers<'_>,
    settings: &Settings,
    checked_scope: &[String],
) -> Result<(PathBuf, Option<String>), Exit> {
    let place = |data: &Path, api: Option<&Api>| match key_storage::database_url(settings, api) {
        Ok(database) => Ok((data.to_owned(), database)),
        Err(failure) => Err(failure.print()),
    };
    let given = settings.data.as_ref().filter(|_| checked_scope.is_empty());
    if let Some(data) = given.filter(|_| settings.key_storage.is_some()) {
        return place(data, None);
    }
    let rulebook = settings.new_rulebook(app);
    let folder = rulebook.data_folder_handle();
    let checked = rulebook
        .validate()
        .and_then(|validated| validated.check_variables(|setting| setting == "data" && settings.data.is_none()));
    match checked.map(|validated| validated.api) {
        Ok(api) if !checked_scope.is_empty() && !api.accepts_keys() => {
            let message = "the server accepts no keys: the setting `auth` in app.json has no `keys`; add `\"keys\": {}`\n\
                           With --force, the key is created all the same.";
            Err(output::print_usage_error(message))
        }
        Ok(api) => match checked_scope.iter().find_map(|permission| unknown_permission_message(&api, permission)) {
            Some(message) => Err(output::print_usage_error(&message)),
            None => place(folder.path(), Some(&api)),
        },
        // With the folder of the keys, the definition may have errors.
        Err(report) => {
            if let Some(data) = given {
                return place(data, None);
            }
            output::print_report(&report);
            let (needed, flag) = match settings.data {
                Some(_) => ("the permissions of the key are compared with the definition", "use --force"),
                None => ("app.json may set the folder of the keys", "name the folder with --data DIR"),
            };
            output::print_to_stderr(&format!("{needed}; fix the errors, or {flag}\n"));
            Err(Exit::ErrorsReported)
        }
    }
}

/// Returns an error message if no request can require the permission.
pub(super) fn unknown_permission_message(api: &Api, permission: &str) -> Option<String> {
    let methods = api.services().flat_map(|service| &service.methods);
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
