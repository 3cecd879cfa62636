//! What commands print.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::Exit;
use crate::diagnostic::Report;
use crate::model::Api;

/// Prints to standard output, and says what a command that has nothing else to do ends with. That the
/// reader has gone (`| head`) is no fault; a full disk is.
pub(super) fn print(text: &str) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            complain(&format!("error: standard output: {error}\n"));
            Exit::Failed
        }
    }
}

/// Writes a document to the file that `--output` names, else to standard output.
pub(super) fn deliver(document: &str, file: Option<&Path>) -> Exit {
    let Some(file) = file else { return print(document) };
    match replace(file, document) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("error: --output {}: {error}\n", file.display()));
            Exit::Failed
        }
    }
}

/// Writes bytes to standard output as they are.
///
/// # Errors
/// They cannot be written, or their reader has gone.
pub(super) fn write(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes all of a file to standard output.
///
/// # Errors
/// As for [`write`], or the file cannot be read.
pub(super) fn copy(file: &mut File) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    io::copy(file, &mut stdout)?;
    stdout.flush()
}

/// Writes a file, or replaces it as a whole: a crash leaves the old one or the new one.
///
/// # Errors
/// It cannot be written, or what is there is no file.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    // A link is followed, so that what it leads to is replaced.
    let file = match file.canonicalize() {
        Ok(there) if there.is_file() => there,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is something that is no file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = open_to_all().tempfile_in(folder)?;
    temporary.write_all(text.as_bytes())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&file)?;
    Ok(())
}

/// Temporary files are for their owner's eyes alone; what becomes of these has the permissions of any new file.
fn open_to_all() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Prints to standard error.
pub(super) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Prints what is wrong with a definition to standard error, in colour where a terminal shows it.
pub(super) fn report(report: &Report) {
    complain(&report.render(has_colour(&io::stderr())));
    complain(&format!("\n{}\n", count(report)));
}

/// How many faults there are, in words.
pub(super) fn count(report: &Report) -> String {
    number(report.diagnostics.len(), "fault")
}

/// `1 module`, `2 modules`.
pub(super) fn number(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// How much an API has: `1 module, 4 services, 9 methods`.
pub(super) fn extent(api: &Api) -> String {
    let services: Vec<_> = api.modules.iter().flat_map(|module| &module.services).collect();
    let methods = services.iter().map(|service| service.methods.len()).sum();
    let (modules, services) = (number(api.modules.len(), "module"), number(services.len(), "service"));
    format!("{modules}, {services}, {}", number(methods, "method"))
}

/// Whether a stream shows colours: a terminal, and `NO_COLOR` is not set.
pub(super) fn has_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
