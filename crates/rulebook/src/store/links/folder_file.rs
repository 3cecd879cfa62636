//! The format of the file of a link in a folder: the number of downloads that are left, if it is limited; the head,
//! which ends with an empty line; and the content.
//!
//! The number is a line of fixed length, which is written in place while the file is locked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::{LinkContent, LinkUses, OpenLink, StoreError};
use crate::regular_file::open_regular_file;

/// The maximum length of the line with the number and of the head, in bytes.
const MAX_HEAD_LEN: u64 = 64 << 10;
/// The beginning of the line with the number of downloads that are left. No header field begins in this way.
const USES_PREFIX: &str = ":uses ";
const USES_DIGITS: usize = 10;
/// The length of the line with its line feed.
const USES_LEN: usize = USES_PREFIX.len() + USES_DIGITS + 1;

/// Returns the beginning of the file of a link, before its content.
pub(super) fn format_start(head: &[u8], uses: Option<NonZeroU32>) -> io::Result<Vec<u8>> {
    let start = match uses {
        Some(uses) => [format_uses(uses.get()).as_bytes(), head].concat(),
        None => head.to_vec(),
    };
    if start.len() as u64 > MAX_HEAD_LEN {
        return Err(io::Error::other("the header fields are too long"));
    }
    Ok(start)
}

fn format_uses(uses: u32) -> String {
    format!("{USES_PREFIX}{uses:0USES_DIGITS$}\n")
}

/// Reads the number of downloads that are left; `None` if the bytes are not the line with the number.
fn parse_uses(line: &[u8]) -> Option<u32> {
    std::str::from_utf8(line).ok()?.strip_prefix(USES_PREFIX)?.strip_suffix('\n')?.parse().ok()
}

/// Opens the file of a link. Returns `None` if it does not exist, or if no downloads are left.
pub(super) fn open(path: &Path) -> io::Result<Option<OpenLink>> {
    let mut file = match open_regular_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let (start, offset) = read_start(&mut file)?;
    let length = file.metadata()?.len().checked_sub(offset).ok_or_else(malformed_file_error)?;
    let content = LinkContent::File { file, offset };
    if !start.starts_with(USES_PREFIX.as_bytes()) {
        return Ok(Some(OpenLink::new(start, length, content, None)));
    }
    let (line, head) = start.split_at_checked(USES_LEN).ok_or_else(malformed_file_error)?;
    if parse_uses(line).ok_or_else(malformed_file_error)? == 0 {
        return Ok(None);
    }
    let uses = Box::new(FolderUses(path.to_owned()));
    Ok(Some(OpenLink::new(head.to_vec(), length, content, Some(uses))))
}

/// Reads the beginning of the file until the empty line. Returns it with the offset at which the content begins.
fn read_start(file: &mut File) -> io::Result<(Vec<u8>, u64)> {
    let mut reader = BufReader::new(file.take(MAX_HEAD_LEN));
    let mut start = Vec::new();
    loop {
        let read = reader.read_until(b'\n', &mut start)?;
        match read {
            1 if start.ends_with(b"\n") => break,
            _ if read > 0 && start.ends_with(b"\n") => {}
            _ => return Err(malformed_file_error()),
        }
    }
    let offset = start.len() as u64;
    Ok((start, offset))
}

/// Counts the downloads of the file with this path.
#[derive(Debug)]
struct FolderUses(PathBuf);

impl LinkUses for FolderUses {
    fn claim(self: Box<Self>, _: bool) -> Result<bool, StoreError> {
        match self.try_claim() {
            // The link has expired, or another download was the last.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            claimed => claimed.map_err(StoreError::io_during("counting a download")),
        }
    }
}

impl FolderUses {
    fn try_claim(&self) -> io::Result<bool> {
        let mut file = OpenOptions::new().read(true).write(true).open(&self.0)?;
        // Closing the file unlocks it.
        file.lock()?;
        let mut line = [0; USES_LEN];
        file.read_exact(&mut line)?;
        // A file that was deleted after it was opened contains the number 0.
        let Some(left) = parse_uses(&line).ok_or_else(malformed_file_error)?.checked_sub(1) else { return Ok(false) };
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format_uses(left).as_bytes())?;
        file.sync_data()?;
        // The download has been counted. The file is deleted at the latest when the link has expired.
        if left == 0
            && let Err(error) = fs::remove_file(&self.0)
            && error.kind() != ErrorKind::NotFound
        {
            log::error!("{}: the file of a link without further downloads is not deleted: {error}", self.0.display());
        }
        Ok(true)
    }
}

fn malformed_file_error() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is not the file of a link")
}
