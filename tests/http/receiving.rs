//! Receiving uploads: limits by the parameters of the method, speed, and what is written to disk.

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

const MULTIPART: &str = "multipart/form-data; boundary=XX";
/// The number of bytes of a file that are received beyond the limit of its parameter.
const OVERRUN: usize = 64 << 10;
const LARGE: usize = 300_000;
const BODY: usize = 90_000;
const PART: usize = 50_000;

fn definition() -> Value {
    let upload = |more: Value| {
        let mut parameters = json!({ "filename": { "info": "Its name", "type": "?filename(public/**)" } });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "POST": { "info": "An upload", "in": parameters } })
    };
    json!({ "/": {
        "plain": upload(json!({ "file": { "info": "A file", "type": "?file" } })),
        "large": upload(json!({ "file": { "info": "A file", "type": "?file", "max": LARGE } })),
        "small": upload(json!({ "file": { "info": "A file", "type": "?file", "max": 10 } })),
        "image": upload(json!({ "file": { "info": "An image", "type": "?file", "max": 4 << 20, "range": ["image/*"] } })),
        "several": upload(json!({
            "files": { "info": "Files", "type": "array<file>", "max": 8 },
            "names": { "info": "Their names", "type": "array<string>", "max": 8 }
        })),
        "endless": upload(json!({ "files": { "info": "Files", "type": "array<file>" } }))
    } })
}

fn settings() -> Value {
    json!({ "limits": { "multipart": 100_000, "part": PART, "body": BODY, "parts": 4, "seconds": 1 } })
}

fn server() -> TestServer {
    TestServer::echo(&[("app.json", settings()), ("site.json", definition())])
}

/// Starts a server that keeps files in a folder.
fn keeping(data: &Path) -> TestServer {
    let files = [("app.json", settings()), ("site.json", definition())];
    TestServer::start(&engine(&files, |rulebook| rulebook.unbound(Unbound::Echo).keep_files().data_folder(data)))
}

/// Returns the unfinished files in the folder of a server that keeps files.
fn staged_files(data: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(data.join("files/.staging")).unwrap().map(|entry| entry.unwrap().path());
    let folders = folders.filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    files.filter(|file| !file.ends_with("alive")).collect()
}

fn file(size: usize) -> Vec<u8> {
    multipart(&[("name=\"file\"; filename=\"a\"", &vec![b'x'; size])])
}

fn post(target: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", target).body(MULTIPART, body)
}

/// Returns a request with the body in chunks, so that its length is not announced.
fn chunked(target: &str, body: &[u8]) -> Request {
    let chunks: Vec<_> = body.chunks(16 << 10).collect();
    Request::new("POST", target).chunked(MULTIPART, &chunks)
}

/// Returns bytes that differ at any two offsets that are close together.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|index| u8::try_from(index * 31 % 251).unwrap()).collect()
}

#[derive(Deserialize)]
struct Sent {
    files: Vec<Upload>,
}

#[test]
fn files_of_any_number_of_pieces_are_stored_completely() {
    let piece = 256 << 10;
    let sizes = [0, 1, 5000, piece - 1, piece, piece + 1, 2 * piece, 2 * piece + 1, 5 * piece + 77];
    let compare = |Args(sent): Args<Sent>, _: Context| async move {
        let mut same = Vec::new();
        for file in sent.files {
            let content = fs::read(file.path()).map_err(ApiError::internal)?;
            let hashed = file.hash().is_none_or(|hash| *blake3::hash(&content).as_bytes() == *hash);
            let size = usize::try_from(file.size()).map_err(ApiError::internal)?;
            same.push(if content == pattern(size) && hashed { size } else { usize::MAX });
        }
        Ok::<_, ApiError>(json!({ "same": same }))
    };
    let definition = json!({ "/": { "all": { "POST": {
        "info": "Files", "in": { "files": { "info": "Files", "type": "array<file>", "max": 20 } },
        "out": { "same": { "info": "Their sizes", "type": "array<uint>" } }
    } } } });
    let contents = sizes.map(pattern);
    let part = |content| ("name=\"files\"; filename=\"a\"", content);
    let parts: Vec<(&str, &[u8])> = contents.iter().map(|content| part(&content[..])).collect();
    let data = TempDir::new().unwrap();
    for keeps in [false, true] {
        let server = TestServer::start(&engine(&[("site.json", definition.clone())], |rulebook| {
            let rulebook = rulebook.module(Module::new("site").post("/all", compare)).data_folder(data.path());
            if keeps { rulebook.keep_files() } else { rulebook }
        }));
        let response = server.send(&post("/all", multipart(&parts)));
        assert_eq!((response.status, response.json()["same"].clone()), (200, json!(sizes)), "{response:?}");
        server.assert_no_temporary_files();
    }
}

#[test]
fn a_file_may_have_the_maximum_length_of_its_parameter() {
    let server = server();
    for (target, size) in [("/large", LARGE), ("/plain", PART), ("/small", 10)] {
        let args = json!({ "file": { "filename": "a", "size": size, "media_type": "text/plain" }, "filename": null });
        server.send(&post(target, file(size))).assert_args(&args);
        server.send(&chunked(target, &file(size))).assert_args(&args);
    }
    // This does not raise the limit of other methods.
    for request in [post("/plain", file(PART + 1)), chunked("/plain", &file(PART + 1))] {
        server.send(&request).assert_error(413, "file: over the limit `part` of 50000 bytes");
    }
    server.assert_no_temporary_files();
}

#[test]
fn a_file_that_is_slightly_too_long_is_reported_together_with_other_errors() {
    let server = server();
    let wrong: (&str, &[u8]) = ("name=\"filename\"", b"../x");
    for (target, size) in [("/large", LARGE + 1), ("/small", 11), ("/small", 10 + OVERRUN)] {
        let content = vec![b'x'; size];
        let response = server.send(&post(target, multipart(&[("name=\"file\"; filename=\"a\"", &content), wrong])));
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
    let server = server();
    for (target, most) in [("/large", LARGE), ("/small", 10)] {
        let mut connection = server.connect();
        let whole = chunked(target, &file(most + OVERRUN + 100));
        connection.write(&whole.head());
        // Neither the end of the file nor that of the body is sent.
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
    let server = server();
    let rooms = [("/large", LARGE + BODY), ("/several", 8 * PART + BODY), ("/plain", 100_000), ("/endless", 100_000)];
    for (target, most) in rooms {
        let words = format!("over the limit `multipart` of {most} bytes");
        let head = |length: usize| {
            Request::new("POST", target).field("content-type", MULTIPART).field("content-length", length)
        };
        for request in [head(most + 1), head(most + 1).field("expect", "100-continue")] {
            let mut connection = server.connect();
            connection.write(&request.head());
            connection.read_response(false).assert_error(413, &words);
        }
        let mut connection = server.connect();
        connection.write(&head(most).field("expect", "100-continue").head());
        assert_eq!(connection.read_response(false).status, 100, "{target}");
        // Bytes after the last boundary count as well.
        let mut body = multipart(&[("name=\"note\"", b"")]);
        body.resize(most + 1, b'-');
        server.send(&chunked(target, &body)).assert_error(413, &words);
        body.pop();
        assert_ne!(server.send(&chunked(target, &body)).status, 413, "{target}");
    }
}

#[test]
fn the_limit_of_parts_includes_the_items_of_lists() {
    let server = server();
    let content = vec![b'x'; PART];
    let parts = |count| {
        let one: [(&str, &[u8]); 2] = [("name=\"files\"; filename=\"a\"", &content), ("name=\"names\"", b"n")];
        vec![one; count].concat()
    };
    let response = server.send(&post("/several", multipart(&parts(8))));
    assert_eq!(
        (response.status, response.json()["args"]["files"].as_array().map(Vec::len)),
        (200, Some(8)),
        "{response:?}"
    );
    let empty: (&str, &[u8]) = ("name=\"names\"", b"");
    let response = server.send(&post("/several", multipart(&[empty; 18])));
    response.assert_error(413, "over the limit `parts` of 17 parts");
    // A list without a maximum has the same limit as other methods.
    server.send(&post("/endless", multipart(&[empty; 5]))).assert_error(413, "over the limit `parts` of 4 parts");
    server.assert_no_temporary_files();
}

#[test]
fn a_slow_multipart_body_has_more_time_while_it_arrives() {
    let server = server();
    let body = file(240_000);
    let request = post("/large", body);
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
    let server = server();
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
        // Files of the expected type are accepted.
        (vec![("name=\"filename\"", good), (one, &image(1 << 20))], 500, "the upload could not be stored"),
        (vec![("name=\"filename\"", good), (one, &image(9))], 500, "the upload could not be stored"),
    ] {
        let response = server.send(&post("/image", multipart(&parts)));
        response.assert_error(status, words);
        let errors = response.json()["errors"].as_array().map_or(0, Vec::len);
        assert!(errors <= 1, "only invalid parameters are reported: {response:?}");
    }
    let unknown = "name=\"other\"; filename=\"a\"";
    let response = server.send(&post("/image", multipart(&[(unknown, &text[..PART])])));
    response.assert_args(&json!({ "file": null, "filename": null }));
    fs::create_dir(server.uploads.path()).unwrap();
}

#[test]
fn uploads_of_clients_that_disconnect_leave_nothing_in_the_storage() {
    let data = TempDir::new().unwrap();
    let server = keeping(data.path());
    for sent in [1, 100, 200, 270, 290].map(|thousands| thousands * 1000) {
        let mut connection = server.connect();
        let request = post("/large", file(LARGE));
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
    // A complete file exists as long as its request.
    assert_eq!(server.send(&post("/large", file(LARGE))).status, 200);
    assert!(wait_until(|| staged_files(data.path()).is_empty()));
}

#[cfg(unix)]
#[test]
fn an_upload_to_a_full_disk_is_refused_and_leaves_nothing() {
    let Some(disk) = crate::store::disk_errors::Disk::mount() else {
        eprintln!("SKIPPED an_upload_to_a_full_disk_is_refused_and_leaves_nothing: this user mounts no disk");
        return;
    };
    let data = disk.path();
    let server = keeping(data);
    let image = [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR".to_vec(), vec![0; 3 << 20]].concat();
    let request = post("/image", multipart(&[("name=\"file\"; filename=\"a\"", &image)]));
    let mut connection = server.connect();
    connection.write(&request.head());
    // The server may have closed the connection already.
    let _ = connection.stream.write_all(&request.body);
    connection.read_response(false).assert_error(507, "there is not enough storage for the file");
    assert!(wait_until(|| staged_files(data).is_empty()), "{:?}", staged_files(data));
    // There is space for a small file again.
    assert_eq!(server.send(&post("/large", file(LARGE))).status, 200);
}

/// Returns the peak memory of a process in bytes.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() << 10
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
    connection.send(&post("/large", file(1 << 20))).assert_args(&args(1 << 20));
    let before = peak(process.id());
    connection.send(&post("/large", file(48 << 20))).assert_args(&args(48 << 20));
    let grown = peak(process.id()) - before;
    assert!(grown < 8 << 20, "{grown} bytes more for a file of 48 MiB");
}
