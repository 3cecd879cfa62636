//! `rulebook fetch`: fetches a file from another server. A transfer that was interrupted is resumed, and the digest of
//! the complete file is compared with that of the server.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf, is_separator};

use blake3::{Hash, Hasher};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rulebook::ETag;
use ureq::Body;
use ureq::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use url::Url;

use super::client::{CHUNK_SIZE, to_transfer_error, with_default_path};
use super::{Client, ClientOptions, Progress, TransferError, after_help, parse_server_url, print_transfer_error};
use crate::{Exit, output};

const EXAMPLES: &str = "\
Examples:
  rulebook fetch --from https://host --key-file host.key public/images/1.jpg
  rulebook fetch --from https://host public/images/1.jpg -o photo.jpg
  rulebook fetch --from https://host/api/file --if-changed cache/prices.json -o prices.json

The received bytes are stored in FILE.part until the file is complete and has the server's digest. If the transfer is \
interrupted, the same command resumes it.";

/// Fetch a file from another server.
#[derive(Debug, Args)]
#[command(after_help = after_help(EXAMPLES))]
pub(crate) struct FetchOptions {
    /// Name of the file on the server.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// URL of the server (`https://host`), whose method `/iapi/file` is called, or the URL of another method.
    #[arg(long, value_name = "URL", value_parser = parse_server_url)]
    from: Url,
    /// File to write or replace, or the folder to write it to [default: the current folder].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Fetch the file only if its content differs from that of the local file.
    #[arg(long)]
    if_changed: bool,
    #[command(flatten)]
    client: ClientOptions,
}

pub(crate) fn run(options: &FetchOptions) -> Result<Exit, Exit> {
    let FetchOptions { name, output, client: client_options, .. } = options;
    let local_path = local_path(name, output.clone()).ok_or_else(|| {
        output::print_usage_error(format!("{name}: not a valid name for a local file; use --output FILE"))
    })?;
    let client = client_options.create_client(name.clone())?;
    let fetched = fetch(&client, options, &local_path);
    let (digest, verification) = fetched.map_err(|error| print_transfer_error(&error))?;
    if verification.is_none() {
        client_options.print_message("unchanged\n");
    }
    Ok(client_options
        .print_digests([(digest, &*local_path.to_string_lossy())], verification.unwrap_or(Verification::Verified)))
}

/// Returns the path of the local file to write. `name` is the file's name on the server, `output` the value of
/// `--output`. Returns `None` if the last segment of `name` cannot be used as a local file name.
fn local_path(name: &str, output: Option<PathBuf>) -> Option<PathBuf> {
    // A path that ends in a separator means a folder, even if the folder does not exist.
    let is_folder = |path: &Path| path.is_dir() || path.as_os_str().to_string_lossy().ends_with(is_separator);
    let folder = match output {
        Some(output) if !is_folder(&output) => return Some(output),
        output => output.unwrap_or_default(),
    };
    let last = name.rsplit('/').next()?;
    // These file names could refer to another folder, also on systems where `/` is not the separator.
    let is_unsafe = matches!(last, "" | "." | "..") || last.contains(['\\', ':']);
    (!is_unsafe).then(|| folder.join(last))
}

/// Fetches a file with this name on the server to a local path. With `if_changed`, it is fetched only if its content
/// differs from that of the local file. Returns the digest of the content, and no verification if it is unchanged.
///
/// The received bytes are stored in a second file beside the local file, so that a later attempt, even of another
/// process, can resume the transfer. The local file is replaced when all bytes have been received.
fn fetch(
    client: &Client,
    options: &FetchOptions,
    local_path: &Path,
) -> Result<(Hash, Option<Verification>), TransferError> {
    let local = if options.if_changed { local_digest(local_path)? } else { None };
    let mut url = with_default_path(&options.from, "/iapi/file");
    url.query_pairs_mut().append_pair("filename", &options.name);
    let mut partial = PartialFile::open(local_path)?;
    match client.with_retries(|| attempt_fetch(client, &url, local, &mut partial))? {
        Some(digest) => Ok((digest, None)),
        None => partial.finish().map(|(digest, verification)| (digest, Some(verification))),
    }
}

fn local_digest(path: &Path) -> Result<Option<Hash>, TransferError> {
    let hashed = File::open(path).and_then(|file| Hasher::new().update_reader(file).map(|hasher| hasher.finalize()));
    match hashed {
        Ok(digest) => Ok(Some(digest)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TransferError::at_path(path)(error)),
    }
}

/// Receives the content. Returns the digest of the local file instead if it has the same content.
fn attempt_fetch(
    client: &Client,
    url: &Url,
    local: Option<Hash>,
    partial: &mut PartialFile,
) -> Result<Option<Hash>, TransferError> {
    let resumed = partial.resumable_digest();
    // The server must not compress the response, because ranges, lengths and entity tags must refer to the file itself.
    let mut fields = vec![(header::ACCEPT_ENCODING, "identity".to_owned())];
    if let Some(local) = local {
        fields.push((header::IF_NONE_MATCH, etag(local)));
    }
    if let Some(digest) = resumed {
        fields.push((header::RANGE, format!("bytes={}-", partial.length())));
        fields.push((header::IF_RANGE, etag(digest)));
    }
    let response = client.send_request("GET", url, fields, ()).map_err(TransferError::Connection)?;
    let coding = field_text(response.headers(), header::CONTENT_ENCODING);
    if response.status().is_success() && coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(TransferError::InvalidResponse("it has a content coding, which the request excluded"));
    }
    match (response.status(), local, resumed) {
        (StatusCode::NOT_MODIFIED, Some(local), _) => Ok(Some(local)),
        (StatusCode::OK, ..) => {
            partial.restart(etag_field_digest(response.headers()))?;
            receive_body(response, partial, &client.progress).map(|()| None)
        }
        (StatusCode::PARTIAL_CONTENT, _, Some(digest))
            if continues_file(response.headers(), digest, partial.length()) =>
        {
            receive_body(response, partial, &client.progress).map(|()| None)
        }
        // An earlier attempt has received all bytes, so that the requested range is empty.
        (StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) if partial.is_complete() => Ok(None),
        (StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE, _, Some(_)) => {
            partial.discard()?;
            attempt_fetch(client, url, local, partial)
        }
        (StatusCode::PARTIAL_CONTENT, ..) => {
            Err(TransferError::InvalidResponse("it has partial content, which was not requested"))
        }
        _ => Err(to_transfer_error(response)),
    }
}

/// Returns `true` if a response with status 206 belongs to the file with this digest, and begins at offset `from`.
fn continues_file(fields: &HeaderMap, digest: Hash, from: u64) -> bool {
    let range = field_text(fields, header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes "));
    let first = range.and_then(|range| range.split_once('-')).and_then(|(first, _)| first.parse().ok());
    first == Some(from) && etag_field_digest(fields) == Some(digest)
}

fn receive_body(response: Response<Body>, partial: &mut PartialFile, progress: &Progress) -> Result<(), TransferError> {
    let mut body = response.into_body();
    let done = partial.length();
    let total = body.content_length().map(|length| done.saturating_add(length));
    progress.start(done, total);
    let mut reader = body.as_reader();
    let mut chunk = vec![0; CHUNK_SIZE];
    loop {
        match reader.read(&mut chunk) {
            // If the body ends before its announced length, `read` returns an error instead of 0.
            Ok(0) => return Ok(()),
            Ok(read) => {
                partial.append(&chunk[..read])?;
                progress.advance(read);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(TransferError::Connection(error.into())),
        }
    }
}

fn field_text(fields: &HeaderMap, name: HeaderName) -> Option<&str> {
    fields.get(name)?.to_str().ok()
}

// Partially fetched files.
//
// While a file with the path `NAME` is fetched, `NAME.part` contains the received bytes, and `NAME.part.tag`
// the digest of the complete file. A later attempt resumes the transfer only if the file
// on the server still has this digest. Without a digest, it starts from the beginning.

pub(super) struct PartialFile {
    local_path: PathBuf,
    part_path: PathBuf,
    tag_path: PathBuf,
    /// The open `.part` file; `None` before anything has been received.
    file: Option<File>,
    expected_digest: Option<Hash>,
    hasher: Hasher,
}

impl PartialFile {
    /// Opens the `.part` file for a local path, if an earlier attempt has left this file.
    pub(super) fn open(local_path: &Path) -> Result<Self, TransferError> {
        let part_path = with_suffix(local_path, ".part");
        let tag_path = with_suffix(local_path, ".part.tag");
        for path in [local_path, &part_path, &tag_path] {
            require_replaceable(path).map_err(TransferError::at_path(path))?;
        }
        let mut part = Self {
            local_path: local_path.to_owned(),
            part_path,
            tag_path,
            file: None,
            expected_digest: None,
            hasher: Hasher::new(),
        };
        let file = match File::options().read(true).write(true).open(&part.part_path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(part),
            Err(error) => return Err(TransferError::at_path(&part.part_path)(error)),
        };
        part.lock_part_file(&file)?;
        let tag = fs::read_to_string(&part.tag_path).ok();
        part.expected_digest = tag.and_then(|tag| parse_etag(tag.trim_end()));
        if part.expected_digest.is_some() {
            // After the file has been read, writing to it appends to it.
            part.hasher.update_reader(&file).map_err(TransferError::at_path(&part.part_path))?;
        }
        part.file = Some(file);
        Ok(part)
    }

    pub(super) fn length(&self) -> u64 {
        self.hasher.count()
    }

    pub(super) fn resumable_digest(&self) -> Option<Hash> {
        self.expected_digest.filter(|_| self.length() > 0)
    }

    /// Discards the received bytes. `digest` is the digest of the file that the server sends now; `None` if unknown.
    pub(super) fn restart(&mut self, digest: Option<Hash>) -> Result<(), TransferError> {
        let file_error = TransferError::at_path(&self.part_path);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let options = File::options().read(true).write(true).create(true).truncate(false).to_owned();
                let file = options.open(&self.part_path).map_err(&file_error)?;
                self.lock_part_file(&file)?;
                file
            }
        };
        file.set_len(0).and_then(|()| file.rewind()).map_err(&file_error)?;
        self.hasher.reset();
        // The new digest is written after the old bytes have been removed, because they do not belong to the new file.
        match digest {
            Some(digest) => fs::write(&self.tag_path, format!("{}\n", etag(digest))),
            None => remove_if_exists(&self.tag_path),
        }
        .map_err(TransferError::at_path(&self.tag_path))?;
        self.expected_digest = digest;
        self.file = Some(file);
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(ErrorKind::NotFound.into()),
        };
        if let Err(error) = written {
            // It is unknown how many of the bytes have been written, so that the transfer cannot be resumed.
            self.expected_digest = None;
            return Err(TransferError::at_path(&self.part_path)(error));
        }
        self.hasher.update(bytes);
        Ok(())
    }

    pub(super) fn is_complete(&self) -> bool {
        self.expected_digest == Some(self.hasher.finalize())
    }

    /// Verifies the digest of the received bytes and renames the `.part` file to the local path. If the digest differs
    /// from the server's, the received bytes are discarded.
    pub(super) fn finish(&mut self) -> Result<(Hash, Verification), TransferError> {
        let digest = self.hasher.finalize();
        let verification = match verify(digest, self.expected_digest) {
            Ok(verification) => verification,
            Err(error) => {
                self.discard()?;
                return Err(error);
            }
        };
        if let Some(file) = self.file.take() {
            file.sync_all().map_err(TransferError::at_path(&self.part_path))?;
            // Windows cannot rename an open file.
            drop(file);
        }
        fs::rename(&self.part_path, &self.local_path).map_err(TransferError::at_path(&self.local_path))?;
        let _ = remove_if_exists(&self.tag_path);
        // Systems other than Unix cannot write a folder to the disk explicitly.
        #[cfg(unix)]
        sync_folder(&self.local_path).map_err(TransferError::at_path(&self.local_path))?;
        Ok((digest, verification))
    }

    pub(super) fn discard(&mut self) -> Result<(), TransferError> {
        self.file = None;
        self.expected_digest = None;
        self.hasher.reset();
        remove_if_exists(&self.part_path)
            .and_then(|()| remove_if_exists(&self.tag_path))
            .map_err(TransferError::at_path(&self.part_path))
    }

    fn lock_part_file(&self, file: &File) -> Result<(), TransferError> {
        match file.try_lock() {
            // Between opening and locking, another process may have renamed the file. It then has another path.
            Ok(()) if is_file_at(file, &self.part_path) => Ok(()),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(TransferError::FileBusy(self.local_path.clone())),
            // Some file systems do not support locks.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
            Err(TryLockError::Error(error)) => Err(TransferError::at_path(&self.part_path)(error)),
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut appended = OsString::from(path);
    appended.push(suffix);
    appended.into()
}

/// Fails if the path exists and is not a regular file, but for example a device, a folder, or a symbolic link.
fn require_replaceable(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(ErrorKind::InvalidInput, "exists and is not a regular file"))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn is_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(id).ok() == fs::metadata(path).map(id).ok()
}

/// Returns `true`, because systems other than Unix do not rename open files.
#[cfg(not(unix))]
fn is_file_at(_: &File, _: &Path) -> bool {
    true
}

/// Writes the folder that contains the file to the disk, so that a crash does not lose the new name of the file.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

// Two files with the same digest have the same content. The file stores of rulebook servers use the BLAKE3 hash of a
// file's content as its entity tag.

/// The result of comparing local content with the content on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    Verified,
    /// The server did not send a digest to compare with.
    Unverified,
}

/// Returns the digest from the header field `ETag` of a response; `None` if the entity tag is not a digest.
pub(super) fn etag_field_digest(fields: &HeaderMap) -> Option<Hash> {
    parse_etag(fields.get(header::ETAG)?.to_str().ok()?)
}

/// Parses an entity tag; `None` unless the tag is strong and consists of 64 hexadecimal digits.
pub(super) fn parse_etag(tag: &str) -> Option<Hash> {
    Hash::from_hex(tag.strip_prefix('"')?.strip_suffix('"')?).ok()
}

pub(super) fn etag(digest: Hash) -> String {
    ETag::strong(digest.to_hex()).to_string()
}

/// Compares a digest with that of the server, if it sent one. Fails if they differ.
pub(super) fn verify(local: Hash, remote: Option<Hash>) -> Result<Verification, TransferError> {
    match remote {
        Some(remote) if remote == local => Ok(Verification::Verified),
        Some(remote) => Err(TransferError::DigestMismatch { local, remote }),
        None => Ok(Verification::Unverified),
    }
}
