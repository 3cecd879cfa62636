//! The note of a server about where its keys are, so that a command with other settings does not change other keys.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use rulebook::key;

/// The file in the data folder that contains the note: `keys.json`, or the address of a database without the user and
/// the password.
const NOTE_FILE: &str = "keys.storage";

/// Notes that the server with this data folder uses the keys in a database at this location, or those in the file.
pub(super) fn note(data: &Path, database: Option<&str>) {
    let location = database.unwrap_or(key::FILE);
    if noted(data).is_some_and(|noted| noted == location) {
        return;
    }
    // A folder that cannot be written has been reported already.
    let _ = write_note(data, location);
}

fn write_note(data: &Path, location: &str) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    writeln!(file, "{location}")?;
    file.persist(data.join(NOTE_FILE))?;
    Ok(())
}

fn noted(data: &Path) -> Option<String> {
    let text = fs::read_to_string(data.join(NOTE_FILE)).ok()?;
    Some(text.trim_end().to_owned()).filter(|location| !location.is_empty())
}

/// Compares the place of the keys that a command would use with that of the server with this data folder.
///
/// # Errors
/// Fails if one place is the file and the other one a database. The error is a message.
pub(super) fn check_place(data: &Path, is_database: bool) -> Result<(), String> {
    let Some(noted) = noted(data).filter(|noted| (noted == key::FILE) == is_database) else { return Ok(()) };
    let file = data.join(key::FILE);
    let (used, other, help) = if is_database {
        let help = "unset RULEBOOK_KEY_STORAGE and omit --key-storage";
        (file.display().to_string(), "the database of --key-storage".to_owned(), help)
    } else {
        let help = "set RULEBOOK_KEY_STORAGE, and RULEBOOK_PEPPER if it has one, as for the server";
        (noted, file.display().to_string(), help)
    };
    Err(format!(
        "the server with the data folder {} has its keys in {used}, but this command would use {other}\n{help}; if the \
         server shall use other keys from now on, start it with its new settings first",
        data.display()
    ))
}

/// Returns a warning if the server with this data folder uses a database with another address, which may be the same
/// database.
pub(super) fn compare_database(data: &Path, location: &str) -> Option<String> {
    let noted = noted(data).filter(|noted| noted != location)?;
    Some(format!("the server with the data folder {} has its keys in {noted}, not in {location}", data.display()))
}
