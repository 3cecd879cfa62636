//! The settings of a server.

use std::path::PathBuf;
use std::time::Duration;

/// How an [`Engine`](crate::Engine) is served.
///
/// ```
/// use rulebook::Settings;
///
/// let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1);
/// assert_eq!((settings.bind.len(), settings.workers), (1, Some(1)));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The addresses to listen on, each as `address:port`. Port 0 takes a free port. By default, `127.0.0.1:8080`.
    pub bind: Vec<String>,
    /// The number of worker threads, from 1 to 512. By default, one for each processor.
    pub workers: Option<usize>,
    /// How long the server waits for requests in flight, and for handlers whose clients have disconnected, when it
    /// stops. By default, 30 seconds.
    pub shutdown_timeout: Duration,
    /// How long a connection without requests is kept open. By default, 75 seconds.
    pub keep_alive: Duration,
    /// If `true`, SIGTERM and SIGINT stop the server; a second signal does not wait for requests in flight. By default,
    /// `false`.
    pub handle_signals: bool,
    /// The folder for uploads while their request is handled, if the program stores no files. By default, the folder for
    /// temporary files of the system.
    pub upload_folder: PathBuf,
    /// The folder of static files. If it is `None`, the server shows a built-in page about the API.
    pub static_files: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: vec!["127.0.0.1:8080".to_owned()],
            workers: None,
            shutdown_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            handle_signals: false,
            upload_folder: std::env::temp_dir(),
            static_files: None,
        }
    }
}

impl Settings {
    /// The default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the addresses to listen on, each as `address:port`.
    #[must_use]
    pub fn with_bind<A: Into<String>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.bind = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the number of worker threads.
    #[must_use]
    pub fn with_workers(mut self, workers: impl Into<Option<usize>>) -> Self {
        self.workers = workers.into();
        self
    }

    /// Sets how long the server waits for requests in flight when it stops.
    #[must_use]
    pub fn with_shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Sets how long a connection without requests is kept open.
    #[must_use]
    pub fn with_keep_alive(mut self, timeout: Duration) -> Self {
        self.keep_alive = timeout;
        self
    }

    /// Sets whether SIGTERM and SIGINT stop the server.
    #[must_use]
    pub fn with_signals(mut self, handle: bool) -> Self {
        self.handle_signals = handle;
        self
    }

    /// Sets the folder for uploads while their request is handled.
    #[must_use]
    pub fn with_upload_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.upload_folder = folder.into();
        self
    }

    /// Sets the folder of static files.
    #[must_use]
    pub fn with_static_files(mut self, folder: impl Into<PathBuf>) -> Self {
        self.static_files = Some(folder.into());
        self
    }
}
