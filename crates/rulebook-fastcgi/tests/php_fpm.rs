//! Starts php-fpm for a test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use tempfile::TempDir;

/// A php-fpm with two processes. It is stopped when it is dropped.
pub struct PhpFpm {
    master: Child,
    program: PathBuf,
    folder: TempDir,
}

impl PhpFpm {
    /// Starts php-fpm. If it is not installed, the test is skipped, except in continuous integration.
    pub fn start() -> Option<Self> {
        let Some(program) = program() else {
            assert!(std::env::var_os("CI").is_none(), "php-fpm is not installed: scripts/install php-fpm");
            support::skip("php-fpm is not installed; run scripts/install php-fpm");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
        let user = if is_root { "user = root\ngroup = root\n" } else { "" };
        let configuration = format!(
            "[global]\nerror_log = {}\n[www]\nlisten = {}\n{user}pm = static\npm.max_children = 2\n\
             php_admin_value[request_order] = GPC\nphp_admin_value[display_errors] = 0\n",
            path("log"),
            path("php.sock"),
        );
        fs::write(path("fpm.conf"), configuration).unwrap();
        let fpm = Self { master: start(&program, folder.path()), program, folder };
        fpm.await_socket();
        Some(fpm)
    }

    /// Stops php-fpm, and starts another one with the same socket.
    pub fn restart(&mut self) {
        self.stop();
        self.master = start(&self.program, self.folder.path());
        self.await_socket();
    }

    fn await_socket(&self) {
        let connect = || std::os::unix::net::UnixStream::connect(self.folder.path().join("php.sock"));
        assert!(await_connection(connect), "php-fpm has not started:\n{}", self.log());
    }

    /// Returns the address in a definition.
    pub fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join("php.sock").display())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Stops php-fpm.
    fn stop(&mut self) {
        // The master stops its processes if it gets this signal.
        let _ = Command::new("kill").arg(self.master.id().to_string()).status();
        let _ = self.master.wait();
    }
}

impl Drop for PhpFpm {
    fn drop(&mut self) {
        self.stop();
    }
}

fn start(program: &Path, folder: &Path) -> Child {
    Command::new(program)
        .args(["--nodaemonize", "--allow-to-run-as-root"])
        .arg("--fpm-config")
        .arg(folder.join("fpm.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Returns the program, whose name contains its version in Debian.
fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
    let mut programs: Vec<_> = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten().collect();
    programs.retain(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.strip_prefix("php-fpm")
            .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'))
    });
    programs.first().map(fs::DirEntry::path)
}

/// Returns the settings that docs/php.md shows for a style, with this address of php-fpm, and the folder in
/// `tests/data`.
pub fn documented_settings(style: &str, address: &str) -> Json {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/php.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks =
        page.split("```json\n").skip(1).filter_map(|rest| serde_json::from_str(rest.split("```").next()?).ok());
    let mut blocks = blocks.filter(|block: &Json| block["handlers"]["fastcgi"]["style"] == style);
    let mut app = blocks.next().unwrap_or_else(|| panic!("docs/php.md has no settings for {style}"));
    app["handlers"]["default"]["fastcgi"] = address.into();
    app["handlers"]["fastcgi"]["root"] = data(style).into();
    app
}

/// Returns the path of a file or folder in `tests/data`.
pub fn data(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path).display().to_string()
}

/// Waits until a server accepts connections. Returns `false` if it does not for too long.
pub fn await_connection<T>(connect: impl Fn() -> std::io::Result<T>) -> bool {
    (0..3000).any(|_| {
        let is_open = connect().is_ok();
        if !is_open {
            std::thread::sleep(Duration::from_millis(10));
        }
        is_open
    })
}
