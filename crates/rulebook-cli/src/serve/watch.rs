//! Serves changes of the definition and of the files with its handlers: each change with `rulebook serve --watch`, and
//! otherwise when the process receives SIGHUP. With `--guard`, and for `rulebook reload`, it refuses changes that break
//! clients.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use rulebook::handler_kind::ApplyMigrations;
use rulebook::usage::{ANONYMOUS, OTHER, USERS, UsageCounts, UsageRecorder};
use rulebook::{Engine, RunningServer, Validated};
use rulebook_diff::{Change, ChangeKind, Level, compare};
use rulebook_model::model::{Api, Method, Parameter};
use rulebook_model::span::Span;
use walkdir::{DirEntry, WalkDir};

use super::load::{Loaded, Loader};
use crate::output;
use crate::reload::{ReloadRequest, SERVED, UNCHANGED};

/// The time without further changes after which a change is complete: editors write several files one after the other.
const SETTLE_TIME: Duration = Duration::from_millis(40);
/// The time after which a change is served although further changes follow.
const MAX_SETTLE_TIME: Duration = Duration::from_millis(250);
/// The time after which a server that waits for migrations looks again whether they were applied.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// The same for a server that tries to apply them itself, for which the database locks their tables.
const MIGRATION_INTERVAL: Duration = Duration::from_secs(5);
/// The ends of the names of files that handlers can load, besides those with the same end as theirs.
const CODE_EXTENSIONS: [&str; 9] = ["cjs", "js", "json", "mjs", "php", "py", "rb", "sh", "ts"];
const DEFINITION_EXTENSION: &str = "json";

enum Event {
    FileChanged(PathBuf),
    /// The operator asks the server to read the definition again.
    ReloadRequested,
    ServerStopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    FilesChanged,
    ReloadRequested,
    /// The server waits for migrations, and looks whether they were applied.
    Waiting,
}

/// A folder that is watched: all its files with one extension, in all its folders. Without an extension, its files with
/// code are watched, too: a program often has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct WatchedFolder {
    path: PathBuf,
    extension: PathBuf,
}

impl WatchedFolder {
    fn of_file(file: &Path) -> Option<Self> {
        let folder = file.parent()?;
        // The events have absolute paths.
        Some(Self { path: folder.canonicalize().ok()?, extension: file.extension().unwrap_or_default().into() })
    }

    fn contains(&self, file: &Path) -> bool {
        let Ok(inside) = file.strip_prefix(&self.path) else { return false };
        let extension = file.extension().unwrap_or_default();
        let is_watched = extension == self.extension || (self.extension.as_os_str().is_empty() && is_code(file));
        is_watched && !inside.iter().any(is_outside_of_sources)
    }

    /// Returns the files whose changes are watched, and others with code, which they can load.
    fn files(&self, data: &Path) -> impl Iterator<Item = PathBuf> {
        let inner = source_folders(&self.path, data).into_iter().map(|folder| WalkDir::new(folder).follow_links(true));
        let folders = std::iter::once(WalkDir::new(&self.path).max_depth(1)).chain(inner);
        let is_source = |entry: &DirEntry| entry.depth() == 0 || !is_outside_of_sources(entry.file_name());
        let entries = folders.flat_map(move |folder| folder.into_iter().filter_entry(is_source)).flatten();
        entries.map(DirEntry::into_path).filter(move |file| self.contains(file) || is_code(file))
    }
}

/// Returns the files with the handlers of an API, and those in the same folders that they may load.
pub(super) fn source_files(engine: &Engine, data: &Path) -> BTreeSet<PathBuf> {
    let files = engine.source_files();
    let folders: BTreeSet<_> = files.iter().filter_map(|file| WatchedFolder::of_file(file)).collect();
    folders.iter().flat_map(|folder| folder.files(data)).chain(files.iter().cloned()).collect()
}

/// Reports the changes of the definition and of the files with its handlers, and the requests to read them again.
pub(super) struct Changes {
    /// `None` if only requests are reported.
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<WatchedFolder>,
    reported: BTreeSet<PathBuf>,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

impl Changes {
    pub(super) fn on_request() -> Self {
        let (sender, events) = channel();
        Self { watcher: None, folders: BTreeSet::new(), reported: BTreeSet::new(), sender, events }
    }

    /// Returns a function that requests that the definition is read again.
    pub(super) fn reload_hook(&self) -> impl Fn() + Send + Sync + 'static {
        let sender = self.sender.clone();
        // Sending fails if the server has stopped.
        move || drop(sender.send(Event::ReloadRequested))
    }

    pub(super) fn of_definition(folder: &Path) -> Result<Self, String> {
        let mut changes = Self::on_request();
        let reports = changes.sender.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // The server itself reads the files.
            let Some(event) = event.ok().filter(|event| !matches!(event.kind, EventKind::Access(_))) else { return };
            for path in event.paths {
                // Sending fails if the server has stopped.
                let _ = reports.send(Event::FileChanged(path));
            }
        });
        changes.watcher = Some(watcher.map_err(|error| format!("--watch: changes cannot be watched: {error}"))?);
        let path = folder.canonicalize().map_err(|error| format!("--api {}: {error}", folder.display()))?;
        changes.report(&path, RecursiveMode::NonRecursive);
        changes.folders.insert(WatchedFolder { path, extension: DEFINITION_EXTENSION.into() });
        Ok(changes)
    }

    /// Begins to watch the files with the handlers of an API, besides those that are watched already.
    fn add_handlers_of(&mut self, engine: &Engine, data: &Path) {
        for folder in engine.source_files().iter().filter_map(|file| WatchedFolder::of_file(file)) {
            self.report(&folder.path, RecursiveMode::NonRecursive);
            for inner in source_folders(&folder.path, data) {
                self.report(&inner, RecursiveMode::Recursive);
            }
            self.folders.insert(folder);
        }
    }

    fn report(&mut self, folder: &Path, mode: RecursiveMode) {
        let Some(watcher) = self.watcher.as_mut().filter(|_| !self.reported.contains(folder)) else { return };
        if let Err(error) = watcher.watch(folder, mode) {
            ::log::warn!("changes in {} cannot be watched: {error}", folder.display());
        }
        self.reported.insert(folder.to_owned());
    }

    /// Waits for a change, until it is complete, and for its begin at most for this time. Returns `None` if the server
    /// has stopped instead.
    pub(super) fn wait(&self, max_wait: Duration) -> Option<Cause> {
        let mut first = None;
        loop {
            let wait = first
                .map_or(max_wait, |first: Instant| SETTLE_TIME.min(MAX_SETTLE_TIME.saturating_sub(first.elapsed())));
            match self.events.recv_timeout(wait) {
                Ok(Event::FileChanged(file)) if self.folders.iter().any(|folder| folder.contains(&file)) => {
                    first.get_or_insert_with(Instant::now);
                }
                Ok(Event::FileChanged(_)) => {}
                Ok(Event::ReloadRequested) => return Some(Cause::ReloadRequested),
                Ok(Event::ServerStopped) | Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if first.is_none() => return Some(Cause::Waiting),
                Err(RecvTimeoutError::Timeout) => return Some(Cause::FilesChanged),
            }
        }
    }
}

/// Returns the folders in a folder that can contain code of its handlers. The others can be large: hidden folders, the
/// data folder, packages, environments of Python, and what has a [tag of cache folders](https://bford.info/cachedir/).
fn source_folders(folder: &Path, data: &Path) -> Vec<PathBuf> {
    let data = data.canonicalize();
    let is_source = |path: &PathBuf| {
        path.is_dir()
            && !path.file_name().is_some_and(is_outside_of_sources)
            && data.as_ref().is_ok_and(|data| data != path)
            && !["pyvenv.cfg", "CACHEDIR.TAG"].iter().any(|file| path.join(file).exists())
    };
    let entries = folder.read_dir().into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(is_source).collect()
}

fn is_code(file: &Path) -> bool {
    CODE_EXTENSIONS.iter().any(|code| file.extension() == Some(OsStr::new(code)))
}

fn is_outside_of_sources(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || name == "node_modules"
}

/// Serves each change until the server stops. A change that cannot be served is reported, and the previous API is still
/// served. Returns a future that waits until everything has stopped that the last API has begun.
pub(super) fn serve_changes(
    loader: &Loader<'_>,
    mut changes: Changes,
    loaded: Loaded,
    running: RunningServer,
    usage: &UsageRecorder,
) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let server = running.api_handle();
    changes.add_handlers_of(&loaded.engine, loader.data);
    thread::scope(|scope| {
        let sender = changes.sender.clone();
        let stopped = scope.spawn(move || {
            let ended = running.wait();
            // Receiving fails only if this function has ended.
            let _ = sender.send(Event::ServerStopped);
            ended
        });
        let mut served = loaded;
        let max_wait = |served: &Loaded| match loader.migrations.apply {
            _ if !served.is_waiting => Duration::MAX,
            ApplyMigrations::ToAllDatabases => MIGRATION_INTERVAL,
            _ => RETRY_INTERVAL,
        };
        while let Some(cause) = changes.wait(max_wait(&served)) {
            if cause == Cause::Waiting && !loader.is_migrated() {
                continue;
            }
            let is_requested = cause == Cause::ReloadRequested;
            let request = is_requested.then(|| ReloadRequest::take(loader.data)).flatten();
            let is_allowed = request.as_ref().is_some_and(ReloadRequest::allows_breaking);
            let is_guarded = (loader.is_guarded || is_requested) && !is_allowed && !served.is_waiting;
            let replaced = loader.replace(&served, &server, is_guarded, &|| stopped.is_finished(), usage);
            let result = match replaced {
                Ok(Some(changed)) => {
                    ::log::info!("serves the changed definition: {}", output::api_size(changed.engine.api()));
                    served = changed;
                    Ok(SERVED)
                }
                Ok(None) => {
                    ::log::info!("the definition is unchanged");
                    Ok(UNCHANGED)
                }
                Err(error) => {
                    error.print();
                    ::log::error!("the changed definition cannot be served, so that the previous one is served");
                    Err(error.text())
                }
            };
            // A change can add files and folders, also one with errors.
            changes.add_handlers_of(&served.engine, loader.data);
            server.report_change(result.is_err());
            // The command `reload` ends with this, so that everything else must show the result before.
            if let Some(request) = request {
                request.report(result.as_deref().unwrap_or_else(|why| why));
            }
        }
        let stopped = stopped.join();
        stopped.unwrap_or_else(|_| Err(io::Error::other("the thread that waits for the server panicked")))?;
        Ok(served.engine.ended())
    })
}

const MAX_LISTED: usize = 20;
const MAX_CALLERS: usize = 10;

/// A change whose comparison takes longer is refused.
const MAX_TIME: Duration = Duration::from_secs(60);
/// The time between two looks whether the server has stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(200);

/// Returns why a changed definition is not served: it has changes that break clients, and its major version is that of
/// the definition that is served. `usage` returns who has used which methods today, and `has_stopped` whether the
/// result is not needed any more.
pub(super) fn rejection(
    served: &Api,
    changed: &Validated,
    has_stopped: &dyn Fn() -> bool,
    usage: impl FnOnce() -> UsageCounts,
) -> Option<String> {
    if major_version(&changed.api.version) > major_version(&served.version) {
        return None;
    }
    let changes = match compare_apart(served.clone(), changed.api.clone(), has_stopped) {
        Ok(changes) => changes,
        Err(why) => {
            return Some(format!(
                "the changed definition could not be compared, because {why}, so that the previous one is still \
                 served\nto serve it, run `rulebook reload --allow-breaking`"
            ));
        }
    };
    let breaking: Vec<&Change> = changes.iter().filter(|change| change.kind.level() == Level::Breaking).collect();
    if breaking.is_empty() {
        return None;
    }
    let usage = usage();
    let mut text = "the changed definition breaks clients, so that the previous one is still served\n".to_owned();
    for change in breaking.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "  {change}");
        let _ = writeln!(text, "    {}", used_today(served, change, &usage));
    }
    if breaking.len() > MAX_LISTED {
        let _ = writeln!(text, "  and {} more: `rulebook diff` lists them", breaking.len() - MAX_LISTED);
    }
    text.push_str(
        "to serve it, run `rulebook reload --allow-breaking`, or raise the major number of `version` in app.json",
    );
    Some(text)
}

/// Compares definitions in another thread, so that neither a failure nor a long comparison ends or holds the server.
fn compare_apart(served: Api, changed: Api, has_stopped: &dyn Fn() -> bool) -> Result<Vec<Change>, &'static str> {
    let (sender, compared) = channel();
    // Sending fails if this function has ended before.
    let compare = move || drop(sender.send(compare(&served, &changed)));
    let thread = thread::Builder::new().name("compare".to_owned()).spawn(compare);
    thread.map_err(|_| "no thread can be started")?;
    let started = Instant::now();
    loop {
        match compared.recv_timeout(STOP_INTERVAL) {
            Ok(changes) => return Ok(changes),
            Err(RecvTimeoutError::Disconnected) => return Err("this program has failed"),
            Err(RecvTimeoutError::Timeout) if has_stopped() => return Err("the server has stopped"),
            Err(RecvTimeoutError::Timeout) if started.elapsed() > MAX_TIME => return Err("it takes too long"),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Returns who has sent the parameter of a change, who has called its method, or who has called any method if the
/// change concerns the whole API.
fn used_today(served: &Api, change: &Change, usage: &UsageCounts) -> String {
    let mut methods = served.methods().map(|(.., method)| method);
    let method = methods.find(|method| Some(&method.id) == change.method_id.as_ref());
    let parameter = method.and_then(|method| sent_parameter(method, change));
    let (what, callers) = match (method, parameter) {
        (Some(method), Some(parameter)) => ("sent", usage.callers_of(&method.id, Some(&parameter.name))),
        (Some(method), None) => ("called", usage.callers_of(&method.id, None)),
        (None, _) => ("methods called", callers_of_all(usage)),
    };
    // The counts are those of a method in all versions.
    let versions = if served.versions.is_some() { ", in all versions" } else { "" };
    format!("{what} today{versions}: {}", in_words(&callers))
}

/// Returns the parameter of a change that breaks those who send it. If it becomes required, it breaks the others; those
/// who send a required parameter are all callers of the method.
fn sent_parameter<'a>(method: &'a Method, change: &Change) -> Option<&'a Parameter> {
    let name = change.parameter.as_deref().filter(|_| change.kind != ChangeKind::ParameterRequired)?;
    // Parameters at several places of a request can have the same name.
    let is_at = |span: Span| change.old.is_some_and(|old| (old.file, old.start) == (span.file, span.start));
    let mut named = method.parameters.iter().filter(|parameter| parameter.request_name() == name);
    named.find(|parameter| is_at(parameter.span) || is_at(parameter.type_span)).filter(|parameter| parameter.optional)
}

fn callers_of_all(usage: &UsageCounts) -> Vec<(&str, u64)> {
    let mut sums = BTreeMap::new();
    for (caller, _, method) in usage.iter() {
        *sums.entry(caller).or_insert(0u64) += method.requests;
    }
    let mut callers: Vec<_> = sums.into_iter().collect();
    callers.sort_by_key(|(_, count)| Reverse(*count));
    callers
}

fn in_words(callers: &[(&str, u64)]) -> String {
    let words = callers.iter().take(MAX_CALLERS).map(|(caller, count)| {
        let times = output::count_with_noun(usize::try_from(*count).unwrap_or(usize::MAX), "time");
        match *caller {
            ANONYMOUS => format!("{times} without a credential"),
            USERS => format!("{times} by users"),
            OTHER => format!("{times} by other keys"),
            key => format!("{times} by `{key}`"),
        }
    });
    let mut words: Vec<String> = words.collect();
    if callers.len() > MAX_CALLERS {
        words.push(format!("and by {} more", callers.len() - MAX_CALLERS));
    }
    if words.is_empty() { "never".to_owned() } else { words.join(", ") }
}

/// Returns the first number of a version, such as 2 in `2.1.0`; 0 if it has none.
fn major_version(version: &str) -> u64 {
    let digits: String = version.trim_start_matches('v').chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn the_major_version_is_the_first_number() {
        let versions = ["2.1.0", "v10", "1", "draft", ""].map(major_version);
        assert_eq!(versions, [2, 10, 1, 0, 0]);
    }
}
