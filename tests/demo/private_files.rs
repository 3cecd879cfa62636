//! Tests that only the user of the server can read the files that the program creates.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::DemoFolder;
use crate::client::Request;

/// The folders that an operator has created before the server, and that every user can read.
const EXISTING: [&str; 3] = ["data", "data/files", "data/files/public"];

/// Returns the paths and the modes of all files and folders in a folder.
fn modes(folder: &Path) -> Vec<(String, u32)> {
    let mut modes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = fs::symlink_metadata(&path).unwrap();
        modes.push((path.display().to_string(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            modes.extend(self::modes(&path));
        }
    }
    modes
}

/// Returns the command with a umask that lets every user read new files.
fn with_open_umask(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

#[test]
fn only_the_user_of_the_server_can_read_what_it_stores() {
    for is_shared in [false, true] {
        let place = DemoFolder::new();
        let folder = place.folder.path();
        // Files in a folder that exists are private, too.
        if is_shared {
            for name in EXISTING {
                fs::create_dir(folder.join(name)).unwrap();
                fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        let mut command = place.command();
        command.args(["keys", "add", "--force", "--name", "a", "--scope", "iapi", "--output", "a.key"]);
        assert!(with_open_umask(&command).status().unwrap().success());
        let key = fs::read_to_string(folder.join("a.key")).unwrap();
        let server = place.serve_with_command(with_open_umask(&place.command()));
        let token = server.log_in_as_editor();
        server.create_article(&token, "One");
        let new = json!({ "login": "grace", "password": "nanoseconds", "name": "Grace" });
        server.send_json("POST", "/user", None, &new);
        let content: (&str, &[u8]) = ("name=\"content\"; filename=\"1.png\"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
        let upload = Request::new("POST", "/iapi/file").field("authorization", format_args!("Bearer {}", key.trim()));
        let upload = upload.multipart(&[content, ("name=\"filename\"", b"public/new/1.png")]);
        assert_eq!(server.send(&upload).status, 204);
        let found = modes(&folder.join("data"));
        for name in ["demo.db", "demo.db-wal", "demo.db-shm", "keys.json", "server.lock", "files/public/new/1.png"] {
            let path = folder.join("data").join(name).display().to_string();
            assert!(found.iter().any(|(found, _)| *found == path), "{name} in {found:?}");
        }
        let existed = EXISTING.map(|name| folder.join(name).display().to_string());
        for (path, mode) in modes(folder) {
            let is_own = path.contains("/data") || path.ends_with("a.key");
            if is_own && !(is_shared && existed.contains(&path)) {
                let expected = if Path::new(&path).is_dir() { 0o700 } else { 0o600 };
                assert_eq!(mode, expected, "{mode:o} {path}");
            }
        }
    }
}
