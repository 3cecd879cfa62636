//! `rulebook send`: sends files to another server.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rulebook::ETag;
use rulebook::multipart::{MultipartForm, MultipartPiece};
use ureq::SendBody;
use ureq::http::{HeaderName, StatusCode, header};
use url::Url;

use super::client::{find_error_in_success, to_transfer_error, with_default_path};
use super::fetch::{etag_field_digest, verify};
use super::{
    Client, ClientOptions, Progress, TransferError, Verification, after_help, parse_server_url, print_transfer_error,
};
use crate::{Exit, output};

const EXAMPLES: &str = "\
Examples:
  rulebook send --to https://host --key-file host.key --as public/images/1.jpg photo.jpg
  rulebook send --to https://host --as public/images/ 1.jpg 2.jpg 3.jpg
  rulebook send --to https://host/api/file --if-absent --as reports/2030.pdf report.pdf";

/// Send files to another server.
#[derive(Debug, Args)]
#[command(after_help = after_help(EXAMPLES))]
pub(crate) struct SendOptions {
    /// Files to send. Several files are sent in one request, so that the server stores either all of them or none.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// URL of the server (`https://host`), whose method `/iapi/file` or `/iapi/files` is called, or the URL of another
    /// method.
    #[arg(long, value_name = "URL", value_parser = parse_server_url)]
    to: Url,
    /// Name of the file on the server; if it ends in `/`, the folder for the files, which keep their names
    /// [default: the name of the file].
    #[arg(long = "as", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// Store the files only if the server has no file of this name.
    #[arg(long, conflicts_with = "if_match")]
    if_absent: bool,
    /// Replace only the file with this entity tag, which is the digest that an earlier `send` or `fetch` printed.
    #[arg(long, value_name = "TAG", value_parser = NonEmptyStringValueParser::new())]
    if_match: Option<String>,
    #[command(flatten)]
    client: ClientOptions,
}

pub(crate) fn run(options: &SendOptions) -> Result<Exit, Exit> {
    let SendOptions { files, to, name, if_absent, if_match, client: client_options } = options;
    let outgoing = outgoing_files(files, name.as_deref()).map_err(output::print_usage_error)?;
    let condition = match if_match {
        Some(tag) => Some((header::IF_MATCH, ETag::parse(tag).unwrap_or_else(|| ETag::strong(tag)).to_string())),
        None => if_absent.then(|| (header::IF_NONE_MATCH, "*".to_owned())),
    };
    let shown_name = match outgoing.as_slice() {
        [file] => file.name.clone(),
        files => output::count_with_noun(files.len(), "file"),
    };
    let client = client_options.create_client(shown_name)?;
    let sent = client.with_retries(|| attempt_send(&client, to, &outgoing, &condition));
    let (digests, verification) = sent.map_err(|error| print_transfer_error(&error))?;
    let names = outgoing.iter().map(|file| file.name.as_str());
    Ok(client_options.print_digests(digests.into_iter().zip(names), verification))
}

/// Returns each local file together with its name on the server. `name` is the value of `--as`. Returns an error
/// message if a file would have no valid name.
fn outgoing_files(files: &[PathBuf], name: Option<&str>) -> Result<Vec<OutgoingFile>, String> {
    match (name, files) {
        (Some(name), [path]) if !name.ends_with('/') => {
            Ok(vec![OutgoingFile { path: path.clone(), name: name.to_owned() }])
        }
        (Some(name), _) if !name.ends_with('/') => {
            Err(format!("--as {name}: for several files, name a folder that ends in `/`"))
        }
        (folder, _) => {
            let folder = folder.unwrap_or_default();
            let in_folder = |path: &PathBuf| {
                let why = || format!("{}: the path has no name that a server accepts; use --as NAME", path.display());
                let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(why)?;
                Ok(OutgoingFile { path: path.clone(), name: format!("{folder}{name}") })
            };
            files.iter().map(in_folder).collect()
        }
    }
}

pub(crate) struct OutgoingFile {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
}

/// The header field with the condition for storing the files (RFC 9110 section 13.1), if there is one.
pub(crate) type WriteCondition = Option<(HeaderName, String)>;

/// Sends files in one request, so that the server stores either all of them or none. Returns the digest of each file,
/// and whether the server confirmed it.
fn attempt_send(
    client: &Client,
    server: &Url,
    files: &[OutgoingFile],
    condition: &WriteCondition,
) -> Result<(Vec<Hash>, Verification), TransferError> {
    let url = with_default_path(server, if files.len() == 1 { "/iapi/file" } else { "/iapi/files" });
    let mut body = MultipartBody::new(files, &client.progress)?;
    let mut fields = vec![
        (header::CONTENT_TYPE, body.media_type.clone()),
        (header::CONTENT_LENGTH, body.length.to_string()),
        // With this field, the server can reject the API key before it receives the body.
        (header::EXPECT, "100-continue".to_owned()),
    ];
    fields.extend(condition.clone());
    let response = match client.send_request("POST", &url, fields, SendBody::from_reader(&mut body)) {
        Ok(response) => response,
        Err(error) => {
            return Err(match body.error {
                Some(error) => error,
                // A request without a condition can be repeated. A repeated request with a condition would fail if the
                // server had already stored the file for the first request.
                None if condition.is_some() && body.has_sent => TransferError::OutcomeUnknown(error),
                None => TransferError::Connection(error),
            });
        }
    };
    if !response.status().is_success() {
        return Err(to_transfer_error(response));
    }
    let (head, response_body) = response.into_parts();
    if head.status != StatusCode::NO_CONTENT
        && let Some(error) = find_error_in_success(&head.headers, response_body)
    {
        return Err(error);
    }
    match body.digests[..] {
        [digest] => Ok((body.digests, verify(digest, etag_field_digest(&head.headers))?)),
        // A response has at most one entity tag, so that it cannot confirm the digests of several files.
        _ => Ok((body.digests, Verification::Unverified)),
    }
}

/// A `multipart/form-data` body (RFC 7578) with files. Its bytes are read with the trait `Read`, and their number is
/// shown as progress.
pub(super) struct MultipartBody<'p> {
    pub(super) media_type: String,
    pub(super) length: u64,
    remaining: VecDeque<MultipartPiece<Box<FileContent>>>,
    pub(super) digests: Vec<Hash>,
    pub(super) has_sent: bool,
    /// The error of a file that interrupted reading.
    pub(super) error: Option<TransferError>,
    progress: &'p Progress,
}

struct FileContent {
    file: File,
    path: PathBuf,
    length: u64,
    /// The number of bytes of the file that have not been read yet.
    unread: u64,
    hasher: Hasher,
}

impl<'p> MultipartBody<'p> {
    /// Creates a body with the names of the files in the fields `filename`, and the files in the fields `content`.
    pub(super) fn new(files: &[OutgoingFile], progress: &'p Progress) -> Result<Self, TransferError> {
        let mut form = MultipartForm::new();
        // The names are sent first, so that the server can reject a name before it receives any file.
        for file in files {
            form.field("filename", &file.name);
        }
        for file in files {
            let last_segment = file.name.rsplit('/').next().unwrap_or(&file.name);
            let content = Box::new(FileContent::open(&file.path)?);
            form.file("content", last_segment, Some("application/octet-stream"), content);
        }
        let media_type = form.media_type();
        let remaining = VecDeque::from(form.finish());
        let lengths = remaining.iter().map(|piece| match piece {
            MultipartPiece::Bytes(bytes) => bytes.len() as u64,
            MultipartPiece::File(content) => content.length,
        });
        let length = lengths.sum();
        progress.start(0, Some(length));
        Ok(Self { media_type, length, remaining, digests: Vec::new(), has_sent: false, error: None, progress })
    }
}

impl Read for MultipartBody<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(piece) = self.remaining.front_mut().filter(|_| !buffer.is_empty()) {
            let read = match piece {
                MultipartPiece::Bytes(bytes) => {
                    let next = bytes.split_to(buffer.len().min(bytes.len()));
                    buffer[..next.len()].copy_from_slice(&next);
                    next.len()
                }
                MultipartPiece::File(content) => content.read(buffer).map_err(|error| {
                    self.error = Some(error);
                    io::Error::from(io::ErrorKind::Other)
                })?,
            };
            if read > 0 {
                self.has_sent = true;
                self.progress.advance(read);
                return Ok(read);
            }
            if let Some(MultipartPiece::File(content)) = self.remaining.pop_front() {
                self.digests.push(content.hasher.finalize());
            }
        }
        Ok(0)
    }
}

impl FileContent {
    fn open(path: &Path) -> Result<Self, TransferError> {
        let file_error = TransferError::at_path(path);
        let file = File::open(path).map_err(&file_error)?;
        let metadata = file.metadata().map_err(&file_error)?;
        if !metadata.is_file() {
            return Err(file_error(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
        }
        let length = metadata.len();
        Ok(Self { file, path: path.to_owned(), length, unread: length, hasher: Hasher::new() })
    }

    /// Reads the next bytes of the file. Returns an error if the length of the file has changed since it was opened;
    /// the request then ends before the last boundary, so that the server discards the incomplete body.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TransferError> {
        let file_error = TransferError::at_path(&self.path);
        if self.unread == 0 {
            let length = self.file.metadata().map_err(&file_error)?.len();
            return if length == self.length { Ok(0) } else { Err(TransferError::FileChanged(self.path.clone())) };
        }
        let limit = usize::try_from(self.unread).map_or(buffer.len(), |unread| unread.min(buffer.len()));
        let read = loop {
            match self.file.read(&mut buffer[..limit]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(&file_error)?,
            }
        };
        if read == 0 {
            return Err(TransferError::FileChanged(self.path.clone()));
        }
        self.unread -= read as u64;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}
