//! A file that is being fetched: what there is of it, kept beside its place until all of it is there.
//!
//! `NAME.part` holds the bytes, `NAME.part.tag` the digest that the whole is to have. Without the second nothing could
//! tell later whether parts of two states were put together, so that nothing is resumed.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use blake3::Hasher;

use super::client::PIECE;
use super::{Checked, Digest, Failure};

/// What there is of a file.
pub(super) struct Part {
    target: PathBuf,
    path: PathBuf,
    tag_path: PathBuf,
    /// None before there is anything.
    file: Option<File>,
    tag: Option<Digest>,
    hasher: Hasher,
    length: u64,
}

impl Part {
    /// What there is of this file from earlier.
    ///
    /// # Errors
    /// It cannot be read, somebody else is writing it, or something that is no file has its place.
    pub(super) fn open(target: &Path) -> Result<Self, Failure> {
        let path = with(target, ".part");
        let tag_path = with(target, ".part.tag");
        for path in [target, &path, &tag_path] {
            replaceable(path).map_err(Failure::of(path))?;
        }
        let target = target.to_owned();
        let mut part = Self { target, path, tag_path, file: None, tag: None, hasher: Hasher::new(), length: 0 };
        let mut file = match File::options().read(true).write(true).open(&part.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(part),
            Err(error) => return Err(Failure::of(&part.path)(error)),
        };
        part.lock(&file)?;
        let tag = fs::read_to_string(&part.tag_path).ok();
        part.tag = tag.and_then(|tag| Digest::of_tag(tag.trim_end()));
        if part.tag.is_some() {
            part.length = read(&mut file, &mut part.hasher).map_err(Failure::of(&part.path))?;
        }
        part.file = Some(file);
        Ok(part)
    }

    /// How many bytes there are.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The digest of the whole that this is the beginning of, where it can be gone on with.
    pub(super) fn resumable(&self) -> Option<Digest> {
        self.tag.filter(|_| self.length > 0)
    }

    /// Begins anew, with what is to have this digest.
    ///
    /// # Errors
    /// The files cannot be written.
    pub(super) fn begin(&mut self, tag: Option<Digest>) -> Result<(), Failure> {
        let told = Failure::of(&self.path);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let options = File::options().read(true).write(true).create(true).truncate(false).to_owned();
                let file = options.open(&self.path).map_err(&told)?;
                self.lock(&file)?;
                file
            }
        };
        file.set_len(0).and_then(|()| file.rewind()).map_err(&told)?;
        self.hasher.reset();
        self.length = 0;
        // After the old bytes are gone: they are no beginning of the new.
        match tag {
            Some(tag) => fs::write(&self.tag_path, format!("{}\n", tag.tag())),
            None => remove(&self.tag_path),
        }
        .map_err(Failure::of(&self.tag_path))?;
        self.tag = tag;
        self.file = Some(file);
        Ok(())
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(ErrorKind::NotFound.into()),
        };
        if let Err(error) = written {
            // Nobody knows how much of it is there.
            self.tag = None;
            return Err(Failure::of(&self.path)(error));
        }
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Says whether this is all of it, by its digest.
    pub(super) fn is_whole(&self) -> bool {
        self.tag == Some(Digest::of(&self.hasher))
    }

    /// Puts the whole in its place. If it is not what the server has, nothing of it is left.
    ///
    /// # Errors
    /// It is not what the server has, or cannot be written.
    pub(super) fn finish(&mut self) -> Result<(Digest, Checked), Failure> {
        let own = Digest::of(&self.hasher);
        let checked = match own.check(self.tag) {
            Ok(checked) => checked,
            Err(failure) => {
                self.discard()?;
                return Err(failure);
            }
        };
        if let Some(file) = self.file.take() {
            file.sync_all().map_err(Failure::of(&self.path))?;
            // Other systems do not rename what is open.
            drop(file);
        }
        fs::rename(&self.path, &self.target).map_err(Failure::of(&self.target))?;
        let _ = remove(&self.tag_path);
        sync_folder(&self.target).map_err(Failure::of(&self.target))?;
        Ok((own, checked))
    }

    /// Removes what there is.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn discard(&mut self) -> Result<(), Failure> {
        self.file = None;
        self.tag = None;
        self.length = 0;
        self.hasher.reset();
        remove(&self.path).and_then(|()| remove(&self.tag_path)).map_err(Failure::of(&self.path))
    }

    /// Keeps others from writing the same.
    fn lock(&self, file: &File) -> Result<(), Failure> {
        match file.try_lock() {
            // It may have got its name, by another process, between being opened and being locked.
            Ok(()) if is_at(file, &self.path) => Ok(()),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(Failure::Busy(self.target.clone())),
            // Some file systems have no locks.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
            Err(TryLockError::Error(error)) => Err(Failure::of(&self.path)(error)),
        }
    }
}

/// Hashes a file from its beginning to its end, where it stands then, and says how long it is.
fn read(file: &mut File, hasher: &mut Hasher) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut piece = vec![0; PIECE];
    let mut length = 0;
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(length),
            Ok(read) => {
                hasher.update(&piece[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The path with more at its end.
fn with(path: &Path, more: &str) -> PathBuf {
    let mut whole = OsString::from(path);
    whole.push(more);
    whole.into()
}

/// Refuses to replace what is no file: a device, a folder, or a link, which would be followed or lost.
fn replaceable(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(kind) if !kind.is_file() => Err(io::Error::new(ErrorKind::InvalidInput, "what is there is no file")),
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let which = |kind: fs::Metadata| (kind.dev(), kind.ino());
    file.metadata().map(which).ok() == fs::metadata(path).map(which).ok()
}

/// Other systems do not rename what is open.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Makes sure that a file's name outlives a crash.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Other systems have no such call for folders.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
