//! Tests how a file is copied from one server to another server with the documented calls.

use std::fs;
use std::io::Write;

use serde_json::json;

use super::files::content_parameter;
use super::{CONTENT_DISPOSITION, FILENAME_DISPOSITION, GIF_START, InternalApiServer, entity_tag, form_encoded};
use crate::client::Response;

/// The length of the large file in bytes.
const LARGE_FILE_LENGTH: usize = 64 << 20;
/// The maximum memory that a server uses while a file is copied, in addition to its memory when idle, in bytes.
const MAX_ADDITIONAL_MEMORY: u64 = 24 << 20;

/// Starts a server that accepts large files.
fn start_large_file_server() -> InternalApiServer {
    let mut peer = InternalApiServer::without_start(|definition| {
        let content = content_parameter(definition);
        content.insert("max".to_owned(), json!(2 * LARGE_FILE_LENGTH));
        definition["/"]["iapi"]["/"]["file"]["GET"]["in"]["GET@filename"]["range"] = json!(["public/**"]);
    });
    peer.start_process();
    peer
}

/// Copies a file in chunks from one server to another server, to the name `at`. Returns the response to the download
/// and the response to the upload.
fn copy_file(from: &InternalApiServer, to: &InternalApiServer, name: &str, at: &str) -> (Response, Response) {
    let mut source = from.connect();
    source.write(&from.download_request("GET", name).bytes());
    let end = loop {
        match source.unread.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(end) => break end + 4,
            None => assert!(source.read_more()),
        }
    };
    let head = String::from_utf8(source.unread.drain(..end).collect()).unwrap();
    let response = Response { status: head[9..12].parse().unwrap(), head, body: Vec::new() };
    assert_eq!(response.status, 200, "{response:?}");
    let length: usize = response.field("content-length").unwrap().parse().unwrap();
    let start = format!(
        "--XX\r\nContent-Disposition: form-data; {FILENAME_DISPOSITION}\r\n\r\n{at}\r\n--XX\r\nContent-Disposition: form-data; \
         {CONTENT_DISPOSITION}\r\n\r\n"
    );
    let end = "\r\n--XX--\r\n";
    let request = to.request("POST", "/iapi/file").field("content-type", "multipart/form-data; boundary=XX");
    let request = request.field("content-length", start.len() + length + end.len());
    let mut target = to.connect();
    target.write(&request.head());
    target.write(start.as_bytes());
    let mut carried = 0;
    while carried < length {
        assert!(!source.unread.is_empty() || source.read_more(), "{carried} of {length} bytes came");
        carried += source.unread.len();
        target.stream.write_all(&source.unread).unwrap();
        source.unread.clear();
    }
    target.write(end.as_bytes());
    (response, target.read_response(false))
}

/// Downloads a file, and returns the entity tag that belongs to the received content.
fn downloaded_entity_tag(peer: &InternalApiServer, name: &str) -> String {
    let mut connection = peer.connect();
    connection.write(&peer.download_request("GET", name).bytes());
    let mut hasher = blake3::Hasher::new();
    let end = loop {
        match connection.unread.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(end) => break end + 4,
            None => assert!(connection.read_more()),
        }
    };
    let head = String::from_utf8(connection.unread.drain(..end).collect()).unwrap();
    let response = Response { status: 200, head, body: Vec::new() };
    let mut left: usize = response.field("content-length").unwrap().parse().unwrap();
    while left > 0 {
        assert!(!connection.unread.is_empty() || connection.read_more());
        left -= connection.unread.len();
        hasher.update(&connection.unread);
        connection.unread.clear();
    }
    format!("\"{}\"", hasher.finalize().to_hex())
}

#[test]
fn small_files_are_copied_unchanged() {
    let (one, other) = (start_large_file_server(), start_large_file_server());
    let sizes = [6, 7, 255, 4_096, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 256 << 10, (256 << 10) + 1, 1 << 20];
    for (number, size) in sizes.into_iter().enumerate() {
        let mut content = GIF_START.to_vec();
        content.extend((content.len()..size).map(|at| (at * 31 + number) as u8));
        let name = format!("public/图片/第{number}张 封面.gif");
        let copy = format!("./public/副本/{number}/封面.gif");
        assert_eq!(one.upload(&name, &content).status, 204, "{size}");
        let (fetched, stored) = copy_file(&one, &other, &name, &copy);
        assert_eq!(stored.status, 204, "{size} {stored:?}");
        assert_eq!(fetched.field("etag"), stored.field("etag"), "{size}");
        assert_eq!(stored.field("etag"), Some(entity_tag(&content).as_str()), "{size}");
        let disposition = fetched.field("content-disposition").unwrap();
        let last = form_encoded(&format!("第{number}张 封面.gif")).replace('+', "%20");
        assert!(disposition.ends_with(&format!("filename*=UTF-8''{last}")), "{disposition}");
        assert!(other.download(&copy).body == content, "{size}");
    }
}

#[test]
fn a_large_file_is_copied_unchanged_with_little_memory() {
    let (one, other) = (start_large_file_server(), start_large_file_server());
    let name = "public/大/影片.gif";
    let path = one.store().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut content = GIF_START.to_vec();
    content.extend((content.len()..1 << 20).map(|at| (at * 7 + at / 251) as u8));
    let mut file = fs::File::create(&path).unwrap();
    let mut hasher = blake3::Hasher::new();
    for number in 0..LARGE_FILE_LENGTH >> 20 {
        content[100] = number as u8;
        file.write_all(&content).unwrap();
        hasher.update(&content);
    }
    drop(file);
    let expected = format!("\"{}\"", hasher.finalize().to_hex());
    for peer in [&one, &other] {
        peer.assert_healthy();
    }
    // The code of the handlers is in memory after its first use.
    let (small, content) = ("public/大/小.gif", &content[..]);
    assert_eq!(one.upload(small, content).status, 204);
    assert_eq!(copy_file(&one, &other, small, small).1.status, 204);
    assert!(other.download(small).body == content);
    #[cfg(target_os = "linux")]
    let idle = [&one, &other].map(|peer| support::memory::resident_bytes(peer.process_id()));
    let (_, stored) = copy_file(&one, &other, name, name);
    assert_eq!((stored.status, stored.field("etag")), (204, Some(expected.as_str())), "{stored:?}");
    assert_eq!(downloaded_entity_tag(&other, name), expected);
    #[cfg(target_os = "linux")]
    for (peer, idle) in [&one, &other].into_iter().zip(idle) {
        let peak = support::memory::peak_bytes(peer.process_id());
        assert!(peak < idle + MAX_ADDITIONAL_MEMORY, "{peak} bytes, {idle} bytes when idle");
    }
    other.assert_staged(0);
}
