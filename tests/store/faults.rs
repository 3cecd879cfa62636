//! What becomes of files where the disk refuses.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rulebook::store::{Store, StoreError};

use super::{get, on_their_way, one, put, tree};

/// Tells the program that has no rights where it works.
const FOLDER: &str = "RULEBOOK_TEST_STORE";
/// Whoever has no rights.
const NOBODY: u32 = 65_534;

/// A small disk of its own, unmounted when this is dropped.
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// None where this user must not mount one.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "rulebook-test"]).arg(folder.path()).output();
        mount.is_ok_and(|mount| mount.status.success()).then_some(Self(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half() {
    let Some(disk) = Disk::mount() else {
        eprintln!("SKIPPED a_full_disk_is_told_and_leaves_nothing_half: this user mounts no disk");
        return;
    };
    let root = disk.path().join("files");
    let store = Store::open(&root).unwrap();
    put(&store, "a", b"old").unwrap();
    let before = tree(&root);
    // A file that is too large.
    let mut writer = store.writer(1 << 30).unwrap();
    let error = (0..64).find_map(|_| writer.write(&[b'x'; 1 << 16]).err()).unwrap();
    assert!(matches!(error, StoreError::Full), "{error:?}");
    drop(writer);
    assert_eq!((tree(&root), on_their_way(&root)), (before.clone(), vec![]));
    // No room to write down that several files are to be published.
    let files = vec![one(&store, "a", b""), one(&store, "b/c", b"")];
    let filler = disk.path().join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[b'x'; 1 << 12]).is_ok() {}
    let error = store.publish_all(files).unwrap_err();
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert_eq!((tree(&root), on_their_way(&root)), (before, vec![]));
    drop(file);
    // What is there can be read, and when there is room again all is well.
    assert_eq!(get(&store, "a").unwrap(), b"old");
    fs::remove_file(filler).unwrap();
    put(&store, "a", &[b'y'; 1 << 18]).unwrap();
    assert_eq!(get(&store, "a").unwrap().len(), 1 << 18);
}

#[test]
#[ignore = "run as a program of a user without rights"]
fn works_without_rights() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let root = Path::new(&folder);
    let store = Store::open(root).unwrap();
    put(&store, "open/x", b"old").unwrap();
    put(&store, "shut/y", b"old").unwrap();
    let before = tree(root);
    let allow = |path: &str, mode| fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
    let is_denied = |error: &StoreError| matches!(error, StoreError::Io { error, .. } if error.kind() == ErrorKind::PermissionDenied);

    allow("shut", 0o555);
    for name in ["shut/new", "shut/y", "shut/folder/new"] {
        let error = put(&store, name, b"new").unwrap_err();
        assert!(is_denied(&error), "{name}: {error:?}");
    }
    // The first has been renamed by the time that the second is refused.
    for (second, third) in [("shut/y", "open/z"), ("shut/new", "a/b/c")] {
        let files = ["open/x", second, third].map(|name| one(&store, name, b"new"));
        let error = store.publish_all(files.into()).unwrap_err();
        assert!(is_denied(&error), "{second}: {error:?}");
        assert_eq!((tree(root), on_their_way(root)), (before.clone(), vec![]), "{second}");
    }
    allow("shut", 0o755);

    allow("open/x", 0);
    assert!(is_denied(&get(&store, "open/x").unwrap_err()));
    allow("open/x", 0o644);
    assert_eq!(get(&store, "open/x").unwrap(), b"old");
    put(&store, "shut/y", b"new").unwrap();
}

#[test]
fn who_must_not_write_is_told_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "--ignored", "store::faults::works_without_rights"]).env(FOLDER, folder.path());
    // Nothing is denied to the superuser, who can be somebody else.
    if chown(folder.path(), Some(NOBODY), Some(NOBODY)).is_ok() {
        program.uid(NOBODY).gid(NOBODY).current_dir(folder.path());
    }
    match program.output() {
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && told.contains("1 passed"),
                "{told}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            eprintln!("SKIPPED who_must_not_write_is_told_and_nothing_is_half_done: nobody else may run the tests");
        }
        Err(error) => panic!("{error}"),
    }
}
