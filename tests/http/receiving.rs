//! Tests how uploads are received: the limits that parameters of the method set, slow clients, and which bytes are
//! written to disk.

use std::fs;
use std::io::Write;
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rulebook::{ApiError, Args, Context, Module, Unbound, Upload};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Request, TestServer, engine, multipart, wait_until};
use crate::server_process::{ServerProcess, free_address};

const MULTIPART_MEDIA_TYPE: &str = "multipart/form-data; boundary=XX";
/// The number of bytes that the server receives of a file after the limit of its parameter is exceeded.
const RECEIVED_BEYOND_LIMIT: usize = 64 << 10;
/// The maximum size of the file for `POST /large`, in bytes.
const LARGE_FILE_LIMIT: usize = 300_000;
/// The maximum size of a body in bytes, except for files.
const BODY_LIMIT: usize = 90_000;
/// The maximum size of a part of a multipart body in bytes.
const PART_LIMIT: usize = 50_000;

fn upload_definition() -> Value {
    let upload = |more: Value| {
        let mut parameters = json!({ "filename": { "info": "Its name", "type": "?filename(public/**)" } });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "POST": { "info": "An upload", "in": parameters } })
    };
    json!({ "/": {
        "plain": upload(json!({ "file": { "info": "A file", "type": "?file" } })),
        "large": upload(json!({ "file": { "info": "A file", "type": "?file", "max": LARGE_FILE_LIMIT } })),
        "small": upload(json!({ "file": { "info": "A file", "type": "?file", "max": 10 } })),
        "image": upload(json!({ "file": { "info": "An image", "type": "?file", "max": 4 << 20, "range": ["image/*"] } })),
        "several": upload(json!({
            "files": { "info": "Files", "type": "array<file>", "max": 8 },
            "names": { "info": "Their names", "type": "array<string>", "max": 8 }
        })),
        "endless": upload(json!({ "files": { "info": "Files", "type": "array<file>" } }))
    } })
}

fn limit_settings() -> Value {
    json!({ "limits": { "multipart": 100_000, "part": PART_LIMIT, "body": BODY_LIMIT, "parts": 4, "seconds": 1 } })
}

fn upload_server() -> TestServer {
    TestServer::echo(&[("app.json", limit_settings()), ("site.json", upload_definition())])
}

/// Starts a server that stores uploaded files in this data folder.
fn server_with_storage(data: &Path) -> TestServer {
    let files = [("app.json", limit_settings()), ("site.json", upload_definition())];
    TestServer::start(&engine(&files, |rulebook| rulebook.unbound(Unbound::Echo).keep_files().data_folder(data)))
}

/// Returns the files that have not been received completely, in the data folder of a server with storage.
fn staged_files(data: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(data.join("files/.staging")).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|file| !file.ends_with("alive")).collect()
}

fn body_with_file(size: usize) -> Vec<u8> {
    multipart(&[("name=\"file\"; filename=\"a\"", &vec![b'x'; size])])
}

fn multipart_request(target: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", target).body(MULTIPART_MEDIA_TYPE, body)
}

/// Returns a request with a chunked body, so that the length of the body is not announced.
fn chunked_request(target: &str, body: &[u8]) -> Request {
    let chunks: Vec<_> = body.chunks(16 << 10).collect();
    Request::new("POST", target).chunked(MULTIPART_MEDIA_TYPE, &chunks)
}

/// Returns bytes in which a missing or repeated piece is noticed, because bytes at nearby offsets differ.
fn patterned_bytes(size: usize) -> Vec<u8> {
    (0..size).map(|index| u8::try_from(index * 31 % 251).unwrap()).collect()
}

#[derive(Deserialize)]
struct UploadedFiles {
    files: Vec<Upload>,
}

#[test]
fn files_that_arrive_in_any_number_of_pieces_are_stored_completely() {
    let piece = 256 << 10;
    let sizes = [0, 1, 5000, piece - 1, piece, piece + 1, 2 * piece, 2 * piece + 1, 5 * piece + 77];
    let compare = |Args(sent): Args<UploadedFiles>, _: Context| async move {
        let mut same = Vec::new();
        for file in sent.files {
            let content = fs::read(file.path().map_err(ApiError::internal)?).map_err(ApiError::internal)?;
            let hashed = file.hash().is_none_or(|hash| *blake3::hash(&content).as_bytes() == *hash);
            let size = usize::try_from(file.size()).map_err(ApiError::internal)?;
            same.push(if content == patterned_bytes(size) && hashed { size } else { usize::MAX });
        }
        Ok::<_, ApiError>(json!({ "same": same }))
    };
    let definition = json!({ "/": { "all": { "POST": {
        "info": "Files", "in": { "files": { "info": "Files", "type": "array<file>", "max": 20 } },
        "out": { "same": { "info": "Their sizes", "type": "array<uint>" } }
    } } } });
    let contents = sizes.map(patterned_bytes);
    let part = |content| ("name=\"files\"; filename=\"a\"", content);
    let parts: Vec<(&str, &[u8])> = contents.iter().map(|content| part(&content[..])).collect();
    let data = TempDir::new().unwrap();
    for keeps in [false, true] {
        let server = TestServer::start(&engine(&[("site.json", definition.clone())], |rulebook| {
            let rulebook = rulebook.module(Module::new("site").post("/all", compare)).data_folder(data.path());
            if keeps { rulebook.keep_files() } else { rulebook }
        }));
        let response = server.send(&multipart_request("/all", multipart(&parts)));
        assert_eq!((response.status, response.json()["same"].clone()), (200, json!(sizes)), "{response:?}");
        server.assert_no_temporary_files();
    }
}

#[test]
fn a_file_may_have_the_maximum_length_of_its_parameter() {
    let server = upload_server();
    for (target, size) in [("/large", LARGE_FILE_LIMIT), ("/plain", PART_LIMIT), ("/small", 10)] {
        let args = json!({ "file": { "filename": "a", "size": size, "media_type": "text/plain" }, "filename": null });
        server.send(&multipart_request(target, body_with_file(size))).assert_args(&args);
        server.send(&chunked_request(target, &body_with_file(size))).assert_args(&args);
    }
    // The limit of one parameter does not change the limit of files for other methods.
    for request in [
        multipart_request("/plain", body_with_file(PART_LIMIT + 1)),
        chunked_request("/plain", &body_with_file(PART_LIMIT + 1)),
    ] {
        server.send(&request).assert_error(413, "file: over the limit `part` of 50000 bytes");
    }
    server.assert_no_temporary_files();
}

#[test]
fn a_file_that_is_slightly_too_long_is_reported_together_with_other_errors() {
    let server = upload_server();
    let wrong: (&str, &[u8]) = ("name=\"filename\"", b"../x");
    for (target, size) in [("/large", LARGE_FILE_LIMIT + 1), ("/small", 11), ("/small", 10 + RECEIVED_BEYOND_LIMIT)] {
        let content = vec![b'x'; size];
        let response =
            server.send(&multipart_request(target, multipart(&[("name=\"file\"; filename=\"a\"", &content), wrong])));
        response
            .assert_error(400, "filename in the body: expected a file name (a part of a name cannot begin with a dot)");
        let description = format!("the file \"a\" of {size} bytes, text/plain");
        assert!(
            response.json()["errors"].as_array().unwrap().iter().any(|error| error["got"] == description),
            "{response:?}"
        );
    }
    server.assert_no_temporary_files();
}

#[test]
fn a_file_that_is_much_too_long_is_refused_while_it_is_received() {
    let server = upload_server();
    for (target, most) in [("/large", LARGE_FILE_LIMIT), ("/small", 10)] {
        let mut connection = server.connect();
        let whole = chunked_request(target, &body_with_file(most + RECEIVED_BEYOND_LIMIT + 100));
        connection.write(&whole.head());
        // The test sends neither the end of the file nor the end of the body.
        connection.write(&whole.body[..whole.body.len() - 20]);
        let response = connection.read_response(false);
        response.assert_error(413, &format!("file: over the limit `max` of {most} bytes"));
        assert_eq!(response.json()["parameter"], "file");
        assert_eq!(response.field("connection"), Some("close"));
    }
    server.assert_no_temporary_files();
}

#[test]
fn the_limit_of_a_multipart_body_is_the_sum_of_its_files_and_fields() {
    let server = upload_server();
    let rooms = [
        ("/large", LARGE_FILE_LIMIT + BODY_LIMIT),
        ("/several", 8 * PART_LIMIT + BODY_LIMIT),
        ("/plain", 100_000),
        ("/endless", 100_000),
    ];
    for (target, most) in rooms {
        let words = format!("over the limit `multipart` of {most} bytes");
        let head = |length: usize| {
            Request::new("POST", target).field("content-type", MULTIPART_MEDIA_TYPE).field("content-length", length)
        };
        for request in [head(most + 1), head(most + 1).field("expect", "100-continue")] {
            let mut connection = server.connect();
            connection.write(&request.head());
            connection.read_response(false).assert_error(413, &words);
        }
        let mut connection = server.connect();
        connection.write(&head(most).head());
        assert!(connection.is_silent(), "{target}");
        // Bytes after the last boundary of the body count for the limit too.
        let mut body = multipart(&[("name=\"note\"", b"")]);
        body.resize(most + 1, b'-');
        server.send(&chunked_request(target, &body)).assert_error(413, &words);
        body.pop();
        assert_ne!(server.send(&chunked_request(target, &body)).status, 413, "{target}");
    }
}

#[test]
fn the_limit_of_parts_includes_the_items_of_lists() {
    let server = upload_server();
    let content = vec![b'x'; PART_LIMIT];
    let parts = |count| {
        let one: [(&str, &[u8]); 2] = [("name=\"files\"; filename=\"a\"", &content), ("name=\"names\"", b"n")];
        vec![one; count].concat()
    };
    let response = server.send(&multipart_request("/several", multipart(&parts(8))));
    assert_eq!(
        (response.status, response.json()["args"]["files"].as_array().map(Vec::len)),
        (200, Some(8)),
        "{response:?}"
    );
    let empty: (&str, &[u8]) = ("name=\"names\"", b"");
    let response = server.send(&multipart_request("/several", multipart(&[empty; 18])));
    response.assert_error(413, "over the limit `parts` of 17 parts");
    // For a list without a maximum, the number of parts has the limit of the settings.
    server
        .send(&multipart_request("/endless", multipart(&[empty; 5])))
        .assert_error(413, "over the limit `parts` of 4 parts");
    server.assert_no_temporary_files();
}

#[test]
fn a_multipart_body_gets_more_time_as_long_as_bytes_arrive() {
    let server = upload_server();
    let body = body_with_file(240_000);
    let request = multipart_request("/large", body);
    let mut connection = server.connect();
    connection.write(&request.head());
    let begun = Instant::now();
    for piece in request.body.chunks(8_000) {
        connection.write(piece);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(connection.read_response(false).status, 200);
    assert!(begun.elapsed() > Duration::from_millis(2500), "{:?}", begun.elapsed());
}

#[test]
fn files_that_cannot_pass_their_check_are_not_written() {
    let server = upload_server();
    let image = |size: usize| [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec(), vec![0; size]].concat();
    let text = vec![b'x'; 1 << 20];
    let (bad, good): (&[u8], &[u8]) = (b"../../etc/passwd", b"public/1.png");
    let one = "name=\"file\"; filename=\"a\"";
    fs::remove_dir(server.uploads.path()).unwrap();
    for (parts, status, words) in [
        (vec![(one, &text[..])], 400, "got the file \"a\" of 1048576 bytes, text/plain"),
        (vec![(one, &text[..10])], 400, "got the file \"a\" of 10 bytes, text/plain"),
        (vec![("name=\"filename\"", bad), (one, &image(1 << 20))], 400, "filename in the body: expected a file name"),
        (vec![("name=\"filename\"", bad), (one, &image(9))], 400, "filename in the body: expected a file name"),
        // Files of the required media type are accepted.
        (vec![("name=\"filename\"", good), (one, &image(1 << 20))], 500, "the upload could not be stored"),
        (vec![("name=\"filename\"", good), (one, &image(1 << 14))], 500, "the upload could not be stored"),
    ] {
        let response = server.send(&multipart_request("/image", multipart(&parts)));
        response.assert_error(status, words);
        let errors = response.json()["errors"].as_array().map_or(0, Vec::len);
        assert!(errors <= 1, "only invalid parameters are reported: {response:?}");
    }
    let unknown = "name=\"other\"; filename=\"a\"";
    let response = server.send(&multipart_request("/image", multipart(&[(unknown, &text[..PART_LIMIT])])));
    response.assert_args(&json!({ "file": null, "filename": null }));
    fs::create_dir(server.uploads.path()).unwrap();
}

#[test]
fn uploads_of_clients_that_disconnect_leave_no_files_in_the_storage() {
    let data = TempDir::new().unwrap();
    let server = server_with_storage(data.path());
    for sent in [1, 100, 200, 270, 290].map(|thousands| thousands * 1000) {
        let mut connection = server.connect();
        let request = multipart_request("/large", body_with_file(LARGE_FILE_LIMIT));
        connection.write(&request.head());
        connection.write(&request.body[..sent]);
        if sent > 256 << 10 {
            assert!(wait_until(|| staged_files(data.path()).len() == 1), "the file has been begun");
        }
        connection.stream.shutdown(Shutdown::Both).unwrap();
        drop(connection);
        let gone = wait_until(|| staged_files(data.path()).is_empty());
        assert!(gone, "{:?} are left of {sent} bytes", staged_files(data.path()));
    }
    // A completely received file exists until its request ends.
    assert_eq!(server.send(&multipart_request("/large", body_with_file(LARGE_FILE_LIMIT))).status, 200);
    assert!(wait_until(|| staged_files(data.path()).is_empty()));
}

#[cfg(unix)]
#[test]
fn an_upload_to_a_full_disk_is_refused_and_leaves_no_file() {
    let Some(disk) = crate::store::disk_errors::Disk::mount() else {
        support::skip("this user cannot mount a disk");
        return;
    };
    let data = disk.path();
    let server = server_with_storage(data);
    let image = [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec(), vec![0; 3 << 20]].concat();
    let request = multipart_request("/image", multipart(&[("name=\"file\"; filename=\"a\"", &image)]));
    let mut connection = server.connect();
    connection.write(&request.head());
    // Writing fails if the server has already closed the connection.
    let _ = connection.stream.write_all(&request.body);
    connection.read_response(false).assert_error(507, "there is not enough storage for the file");
    assert!(wait_until(|| staged_files(data).is_empty()), "{:?}", staged_files(data));
    // After the refused upload, the disk has space for a small file.
    assert_eq!(server.send(&multipart_request("/large", body_with_file(LARGE_FILE_LIMIT))).status, 200);
}

#[cfg(target_os = "linux")]
#[test]
fn a_large_upload_is_not_held_in_memory() {
    let upload = json!({ "/": { "large": { "POST": {
        "info": "An upload", "in": { "file": { "info": "A file", "type": "file", "max": 1 << 30 } }
    } } } });
    let app = json!({ "unbound": "echo", "workers": 1 });
    let folder = crate::cli::definition_folder(&[("app.json", app), ("site.json", upload)]);
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let mut connection = crate::client::Connection::open(address.parse().unwrap());
    let args = |size: usize| json!({ "file": { "filename": "a", "size": size, "media_type": "text/plain" } });
    connection.send(&multipart_request("/large", body_with_file(1 << 20))).assert_args(&args(1 << 20));
    let before = support::memory::peak_bytes(process.id());
    connection.send(&multipart_request("/large", body_with_file(48 << 20))).assert_args(&args(48 << 20));
    let grown = support::memory::peak_bytes(process.id()).saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes more for a file of 48 MiB");
}
