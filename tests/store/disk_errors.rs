//! Tests of the file store when the disk is full, and when the permission to write files is missing.

use std::fs::{self, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rulebook::store::{Store, StoreError};

use super::{new_publication, publish_file, read_file, staged_files, tree};
use support::unprivileged_user::UNPRIVILEGED_USER_ID;

/// The environment variable that contains the folder of the store, for the program that an unprivileged user runs.
const FOLDER_VARIABLE: &str = "RULEBOOK_TEST_STORE";
/// A mounted disk with a capacity of one mebibyte. Dropping this value unmounts the disk.
pub struct Disk(tempfile::TempDir);

impl Disk {
    /// Mounts a disk. Returns `None` if the user that runs the tests has no permission to mount disks.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "rulebook-test"]).arg(folder.path()).output();
        mount.is_ok_and(|mount| mount.status.success()).then_some(Self(folder))
    }

    /// Returns the path of the folder at which the disk is mounted.
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
fn a_full_disk_is_reported_and_leaves_no_partial_files() {
    let Some(disk) = Disk::mount() else {
        support::skip("this user cannot mount a disk");
        return;
    };
    let root = disk.path().join("files");
    let store = Store::open(&root).unwrap();
    publish_file(&store, "a", b"old").unwrap();
    let before = tree(&root);
    // The written file is larger than the disk.
    let mut writer = store.writer(1 << 30).unwrap();
    let error = (0..64).find_map(|_| writer.write(&[b'x'; 1 << 16]).err()).unwrap();
    assert!(matches!(error, StoreError::StorageFull), "{error:?}");
    drop(writer);
    assert_eq!((tree(&root), staged_files(&root)), (before.clone(), vec![]));
    // There is no space for the journal record, which publishing several files needs.
    let files = vec![new_publication(&store, "a", b""), new_publication(&store, "b/c", b"")];
    let filler = disk.path().join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[b'x'; 1 << 12]).is_ok() {}
    let error = store.publish_all(files).unwrap_err();
    assert!(matches!(error, StoreError::StorageFull), "{error:?}");
    assert_eq!((tree(&root), staged_files(&root)), (before, vec![]));
    // While the disk is full, existing files can be read. When it has space again, files can be stored.
    assert_eq!(read_file(&store, "a").unwrap(), b"old");
    // Emptying the file frees its space, even while a program that another test starts still has it open.
    file.set_len(0).unwrap();
    publish_file(&store, "a", &[b'y'; 1 << 18]).unwrap();
    assert_eq!(read_file(&store, "a").unwrap().len(), 1 << 18);
}

#[test]
#[ignore = "run as a separate program of a user without permissions"]
fn stores_files_without_permissions() {
    let Some(folder) = std::env::var_os(FOLDER_VARIABLE) else { return };
    let root = Path::new(&folder);
    let store = Store::open(root).unwrap();
    publish_file(&store, "open/x", b"old").unwrap();
    publish_file(&store, "shut/y", b"old").unwrap();
    let before = tree(root);
    let allow = |path: &str, mode| fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
    let is_denied = |error: &StoreError| matches!(error, StoreError::Io { error, .. } if error.kind() == ErrorKind::PermissionDenied);

    allow("shut", 0o555);
    for name in ["shut/new", "shut/y", "shut/folder/new"] {
        let error = publish_file(&store, name, b"new").unwrap_err();
        assert!(is_denied(&error), "{name}: {error:?}");
    }
    // The system denies the second rename after the first rename has succeeded.
    for (second, third) in [("shut/y", "open/z"), ("shut/new", "a/b/c")] {
        let files = ["open/x", second, third].map(|name| new_publication(&store, name, b"new"));
        let error = store.publish_all(files.into()).unwrap_err();
        assert!(is_denied(&error), "{second}: {error:?}");
        assert_eq!((tree(root), staged_files(root)), (before.clone(), vec![]), "{second}");
    }
    allow("shut", 0o755);

    allow("open/x", 0);
    assert!(is_denied(&read_file(&store, "open/x").unwrap_err()));
    allow("open/x", 0o644);
    assert_eq!(read_file(&store, "open/x").unwrap(), b"old");
    publish_file(&store, "shut/y", b"new").unwrap();
}

#[test]
fn denied_writes_are_reported_and_leave_no_partial_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Command::new(std::env::current_exe().unwrap());
    program
        .args(["--exact", "--ignored", "store::disk_errors::stores_files_without_permissions"])
        .env(FOLDER_VARIABLE, folder.path());
    // The system denies nothing to the superuser. If the superuser runs the tests, another user runs the program.
    if chown(folder.path(), Some(UNPRIVILEGED_USER_ID), Some(UNPRIVILEGED_USER_ID)).is_ok() {
        program.uid(UNPRIVILEGED_USER_ID).gid(UNPRIVILEGED_USER_ID).current_dir(folder.path());
    }
    match program.output() {
        Ok(output) => {
            let stdout = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && stdout.contains("1 passed"),
                "{stdout}{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            support::skip("no other user may run the tests");
        }
        Err(error) => panic!("{error}"),
    }
}
