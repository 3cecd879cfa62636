//! The kind of handler `fastcgi`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rulebook::handler_kind::{
    CompiledHandler, HandledMethod, HandlerError, HandlerKind, ReadinessCheck, SettingsReader, StartFuture,
};
use rulebook::model::Span;
use tokio::time::timeout;

use crate::address::Address;
use crate::handler::FastCgiHandler;
use crate::protocol::{Connection, Pool};
use crate::settings::{KIND, NAMES, ReadSettings, pool_limits, read};

/// The PHP script that calls classes of api 3.0.
const BRIDGE: &str = include_str!("bridge.php");
/// The name of its file in the data folder.
const BRIDGE_FILE: &str = "fastcgi-api3.php";

/// The maximum time in which a server must accept the connection of a readiness check.
const READINESS_TIMEOUT: Duration = Duration::from_secs(5);

/// The kind of handler `fastcgi`, which calls PHP.
///
/// ```
/// use rulebook::Rulebook;
/// use rulebook_fastcgi::FastCgiKind;
///
/// let definition = r#"{ "/": { "song": { "GET": {
///     "info": "A song",
///     "out": { "text": { "info": "Its text", "type": "string" } },
///     "handler": { "fastcgi": "127.0.0.1:9000", "script": "/srv/app/song.php" }
/// } } } }"#;
/// let rulebook = Rulebook::read(vec![("song.json".into(), definition.into())]).handler_kind(FastCgiKind::new());
/// assert!(rulebook.build().is_ok());
/// ```
#[derive(Default)]
pub struct FastCgiKind {
    /// The connections to each server.
    pools: Mutex<BTreeMap<Address, Arc<Pool>>>,
    /// The path of the bridge, which is known after the start.
    bridge: Arc<OnceLock<PathBuf>>,
    needs_bridge: AtomicBool,
    /// The files that must exist on this machine, with the settings that name them.
    files: Mutex<BTreeMap<String, Span>>,
}

impl FastCgiKind {
    /// Creates the kind, for [`Rulebook::handler_kind`](rulebook::Rulebook::handler_kind).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl HandlerKind for FastCgiKind {
    fn name(&self) -> &str {
        KIND
    }

    fn settings(&self) -> &[&str] {
        NAMES.handler
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let mut reader = SettingsReader::new(*method, KIND, &NAMES);
        let limits = pool_limits(&mut reader);
        let Some(ReadSettings { settings, address, files }) = read(&mut reader) else {
            return Err(reader.errors);
        };
        lock(&self.files).extend(files);
        if settings.script.is_none() {
            self.needs_bridge.store(true, Ordering::Relaxed);
        }
        let pool =
            Arc::clone(lock(&self.pools).entry(address).or_insert_with_key(|key| Pool::new(key.clone(), limits)));
        Ok(Arc::new(FastCgiHandler { settings: Arc::new(settings), pool, bridge: Arc::clone(&self.bridge) }))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        let pools = lock(&self.pools);
        let check = |(index, pool): (usize, &Arc<Pool>)| {
            // Everyone can read the names of checks, so that they contain no address.
            let name = if index == 0 { KIND.to_owned() } else { format!("{KIND}-{}", index + 1) };
            let address = pool.address.clone();
            ReadinessCheck::new(name, move || check_address(address.clone()))
        };
        pools.values().enumerate().map(check).collect()
    }

    fn start<'a>(&'a self, data_folder: &'a Path) -> StartFuture<'a> {
        Box::pin(async move {
            let mut errors = Vec::new();
            let files = lock(&self.files).clone();
            for (file, span) in files {
                // A file that PHP may read, and this program may not, is not an error.
                let found = tokio::fs::metadata(&file).await;
                if found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                    let error = HandlerError::new(format!("there is no file {file}")).at(span);
                    errors.push(error.help(
                        "correct the path; if PHP runs in another container with other paths, set `local_files` to false",
                    ));
                }
            }
            if self.needs_bridge.load(Ordering::Relaxed) {
                match write_bridge(data_folder).await {
                    Ok(path) => drop(self.bridge.set(path)),
                    Err(error) => errors.push(HandlerError::new(format!(
                        "the bridge to classes of api 3.0 cannot be written to {}: {error}",
                        data_folder.display()
                    ))),
                }
            }
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        })
    }
}

/// Writes the bridge to the data folder, unless it is there, and returns its absolute path. Other programs never see a
/// part of the file.
async fn write_bridge(data_folder: &Path) -> io::Result<PathBuf> {
    let folder = tokio::fs::canonicalize(data_folder).await?;
    let path = folder.join(BRIDGE_FILE);
    if tokio::fs::read(&path).await.is_ok_and(|written| written == BRIDGE.as_bytes()) {
        return Ok(path);
    }
    // Programs that share the data folder write the same bytes.
    let temporary = folder.join(format!("{BRIDGE_FILE}.{}", std::process::id()));
    tokio::fs::write(&temporary, BRIDGE).await?;
    tokio::fs::rename(&temporary, &path).await?;
    Ok(path)
}

async fn check_address(address: Address) -> Result<(), String> {
    match timeout(READINESS_TIMEOUT, Connection::open(&address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{address}: {error}")),
        Err(_) => Err(format!("{address}: the FastCGI server accepts no connection")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
