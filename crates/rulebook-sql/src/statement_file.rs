//! Files with statements.

use std::fs;
use std::io::Read;
use std::path::{Component, Path};

use rulebook::handler_kind::settings::path;
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonNode};
use rulebook_model::diagnostic::Source;
use rulebook_model::suggest::closest_word;

/// The maximum size of a file with a statement in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The maximum number of files that a message lists.
const MAX_LISTED_FILES: usize = 10;

/// Reads the file that a setting names, which is in the folder that contains the folder of the definition.
pub(crate) fn read_statement_file(method: &HandledMethod<'_>, node: &JsonNode) -> Result<Source, HandlerError> {
    let file = path(node, "file", method.api)?.value;
    let written = node.string().map(|text| text.value).unwrap_or_default();
    let error = |message: String| HandlerError::new(message).at(node.span);
    let root = method.api.path("");
    let root = if root.as_os_str().is_empty() { Path::new(".").to_owned() } else { root };
    let is_inside =
        Path::new(&written).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
            && match (root.canonicalize(), file.canonicalize()) {
                (Ok(root), Ok(file)) => file.starts_with(root),
                // Opening the file reports the error.
                _ => true,
            };
    if !is_inside {
        let error = error(format!("the file `{}` is not in the folder of the project", written.escape_debug()));
        return Err(error.help("write the path of a file in the folder that contains the folder of the definition"));
    }
    if !file.is_file() {
        let error = error(format!("there is no file `{}`", file.display()));
        return Err(error.help(files_near(&file)));
    }
    let unreadable =
        |reason: &dyn std::fmt::Display| error(format!("the file `{}` cannot be read: {reason}", file.display()));
    let mut bytes = Vec::new();
    let opened = fs::File::open(&file).and_then(|opened| opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    opened.map_err(|reason| unreadable(&reason))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(unreadable(&format_args!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable(&"it is not UTF-8"))?;
    Ok(Source::new(file, text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

/// Describes which files are in the folder of a file that does not exist.
fn files_near(file: &Path) -> String {
    let folder = file.parent().unwrap_or(file);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = folder.read_dir() else { return format!("there is no folder `{}`", folder.display()) };
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| name.ends_with(".sql"));
    names.sort();
    let requested = file.file_name().unwrap_or_default().to_string_lossy();
    let closest =
        closest_word(&requested, names.iter().map(String::as_str)).map(|name| format!("did you mean `{name}`? "));
    let others = if names.len() > MAX_LISTED_FILES { ", …" } else { "" };
    let listed: Vec<_> = names.iter().take(MAX_LISTED_FILES).map(|name| format!("`{name}`")).collect();
    let listed = if listed.is_empty() { "no SQL files".to_owned() } else { listed.join(", ") };
    format!("{}the folder `{}` has {listed}{others}", closest.unwrap_or_default(), folder.display())
}
