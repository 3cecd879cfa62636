//! `rulebook test`: runs test files. Each test calls a server of its own, with an empty data folder.

mod expect;
mod print;
mod run;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use rulebook_model::diagnostic::{Report, Sources};
use rulebook_model::model::Api;
use rulebook_model::test_file::{self, Test};

use self::print::Printer;
use self::run::run_test;
use super::{AddHandlers, Exit, Settings, log, output};

const EXAMPLES: &str = "\
Examples:
  rulebook test
  rulebook test --filter 'a note'
  rulebook test tests/note.json

Exit codes: 0 all tests passed; 1 a test failed, or the definition or a test file has errors; 2 invalid usage; 3 a \
system error.";

/// Run test files: calls of the API, and what their responses must contain.
///
/// A test file is JSON with comments: `{"a note is added": [{"call": "note.add", "with": {"title": "Milk"}, "expect":
/// {"status": 201}}]}`. Each test begins with an empty data folder, in which databases of SQLite are, and its steps
/// send requests to a server of its own. The first step that fails ends the test.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct TestOptions {
    /// Test files, and folders with test files [default: the folder `tests` beside that of --api].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only the tests whose names contain this text.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also use databases that are not in the data folder of a test. They are not emptied: name databases for tests.
    #[arg(long)]
    shared_databases: bool,
}

/// The default filter of log records, which are shown if a test fails: what workers print, and warnings.
const LOG_FILTER: &str = "warn,rulebook_process=info";

/// The log since the last test began.
#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl CapturedLog {
    /// Returns the records, and forgets them.
    fn take(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *bytes)).into_owned()
    }
}

impl io::Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A test file, and its tests.
struct TestFile {
    path: PathBuf,
    tests: Vec<Test>,
}

pub(super) fn run(app: AddHandlers<'_>, settings: &Settings, options: &TestOptions) -> Result<Exit, Exit> {
    // The files of a server must not be changed.
    let settings = &Settings { data: None, files: None, ..settings.clone() };
    let beside = [settings.api.with_file_name("tests")];
    let given = if options.paths.is_empty() { &beside[..] } else { &options.paths };
    let paths = test_paths(given).map_err(|why| output::print_system_error(&why))?;
    let api = settings.load_api(app)?;
    let (sources, mut files) = read_files(paths, &api)?;
    refuse_shared_databases(&api, options)?;
    if let Some(filter) = &options.filter {
        files.iter_mut().for_each(|file| file.tests.retain(|test| test.name.value.contains(filter)));
        files.retain(|file| !file.tests.is_empty());
        if files.is_empty() {
            return Err(output::print_usage_error(&format!("--filter: no test has a name that contains `{filter}`")));
        }
    }
    let log = CapturedLog::default();
    let filter = settings.log_filter.as_deref().unwrap_or(LOG_FILTER);
    // A program that has set a logger keeps it.
    let _ = log::start_logging_to(filter, settings.log_format.unwrap_or_default(), Box::new(log.clone()));
    let mut printer = Printer::new(&sources);
    for file in &files {
        printer.begin_file(&file.path);
        let folder = file.path.parent().unwrap_or(Path::new(""));
        for test in &file.tests {
            log.take();
            let result = run_test(settings.new_rulebook(app), &api, folder, test).map_err(|error| {
                output::print_to_stderr(&log.take());
                output::print_system_error(&error.to_string())
            })?;
            printer.print_result(test, result, &log.take())?;
        }
    }
    printer.finish()
}

/// Returns the paths of all test files: of a folder, those that end in `.json` or `.jsonc`, sorted by name.
/// Fails if a path does not exist, or a folder contains no test file. The error is a message.
fn test_paths(given: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in given {
        let error = |error: io::Error| format!("{}: {error}", path.display());
        if !path.metadata().map_err(error)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = path.read_dir().map_err(error)?.map(|entry| entry.map(|entry| entry.path()));
        let mut found = entries.collect::<Result<Vec<_>, _>>().map_err(error)?;
        found.retain(|file| file.extension().is_some_and(|it| it == "json" || it == "jsonc") && file.is_file());
        if found.is_empty() {
            return Err(format!("{}: the folder contains no test files (`*.json`)", path.display()));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// Reads the test files, and compares them with the API. If they have errors, prints them and returns the exit code.
fn read_files(paths: Vec<PathBuf>, api: &Api) -> Result<(Sources, Vec<TestFile>), Exit> {
    let (mut sources, mut diagnostics) = (Sources::default(), Vec::new());
    let read = paths.into_iter().map(|path| {
        let tests = test_file::read(&path, &mut sources, &mut diagnostics);
        diagnostics.extend(test_file::check(&tests, api));
        TestFile { path, tests }
    });
    let files = read.collect();
    match diagnostics.is_empty() {
        true => Ok((sources, files)),
        false => Err(output::print_report(&Report::new(sources, diagnostics))),
    }
}

/// Fails if the API uses a database that other programs can use, too: a test must not change its data by accident.
#[cfg(feature = "sql")]
fn refuse_shared_databases(api: &Api, options: &TestOptions) -> Result<(), Exit> {
    let shared = rulebook_sql::databases_outside_data_folder(api);
    if shared.is_empty() || options.shared_databases {
        return Ok(());
    }
    Err(output::print_usage_error(&format!(
        "the tests would change data that is not theirs: the database `{}` is not a file in their data folder\nUnset \
         the environment variable in its `url`, or name an empty database for tests and add --shared-databases.",
        shared.join("`, `")
    )))
}

#[cfg(not(feature = "sql"))]
fn refuse_shared_databases(_: &Api, _: &TestOptions) -> Result<(), Exit> {
    Ok(())
}
