//! Finds the keys: in the data folder, or in a database.

use std::path::{Path, PathBuf};

use rulebook_model::model::Api;

use super::permissions::unknown_permission_message;
use crate::{AddHandlers, Exit, Settings, key_storage, output};

/// Where the keys are.
pub(super) struct Place {
    pub(super) data: PathBuf,
    /// The address of the database with the keys; `None` if they are in the data folder.
    pub(super) database: Option<String>,
}

/// Returns where the keys are: the values of the flags, otherwise those of `app.json`, or the defaults. Fails if no
/// method requires one of the permissions in `checked_scope`.
pub(super) fn find_keys(app: AddHandlers<'_>, settings: &Settings, checked_scope: &[String]) -> Result<Place, Exit> {
    let place = |data: &Path, api: Option<&Api>| match key_storage::database_url(settings, api) {
        Ok(database) => Ok(Place { data: data.to_owned(), database }),
        Err(failure) => Err(failure.print()),
    };
    let given = settings.data.as_ref().filter(|_| checked_scope.is_empty());
    if let Some(data) = given.filter(|_| settings.key_storage.is_some()) {
        return place(data, None);
    }
    let rulebook = settings.new_rulebook(app);
    let folder = rulebook.data_folder_handle();
    match rulebook.check() {
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
