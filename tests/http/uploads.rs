//! Tests multipart bodies: which bodies are read, which are refused, and that no temporary files remain.

use std::fs;
use std::net::Shutdown;
use std::sync::{Arc, Mutex};

use rulebook::{ApiError, Args, Context, Module, Upload};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{echo_server, server_with_handlers};
use crate::client::{Request, TestServer, multipart, wait_until};

pub const MULTIPART_MEDIA_TYPE: &str = "multipart/form-data; boundary=XX";

fn multipart_request(body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", "/file").body(MULTIPART_MEDIA_TYPE, body)
}

pub fn file_json(filename: &str, size: usize, media_type: &str) -> Value {
    json!({ "filename": filename, "size": size, "media_type": media_type })
}

#[test]
fn the_media_type_of_an_upload_is_detected_from_its_content() {
    let png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR";
    let pdf = b"%PDF-1.7\n";
    let mut cut = "é".repeat(5000).into_bytes();
    cut.insert(0, b'x');
    let cases: [(&[u8], &str); 8] = [
        (png, "image/png"),
        (pdf, "application/pdf"),
        (b"", "text/plain"),
        ("some text, déjà vu\n".as_bytes(), "text/plain"),
        // The beginning of the file, from which the media type is detected, ends within a character of several bytes.
        (&cut, "text/plain"),
        (b"caf\xe9", "application/octet-stream"),
        (b"zero\x00byte", "application/octet-stream"),
        (b"ends in half a character \xc3", "application/octet-stream"),
    ];
    let server = echo_server(&json!({}));
    for (content, media_type) in cases {
        let disposition = "name=\"file\"; filename=\"a.gif\"\r\nContent-Type: image/gif";
        let response = server.send(&Request::new("POST", "/file").multipart(&[(disposition, content)]));
        response.assert_args(&json!({ "file": file_json("a.gif", content.len(), media_type), "note": null }));
    }
    server.assert_no_temporary_files();
}

#[test]
fn folders_and_invisible_characters_are_removed_from_file_names() {
    let cases = [
        ("a.txt", "a.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\\\..\\\\windows\\\\a.txt", "a.txt"),
        ("../../..", ""),
        ("a\tb\u{85}c\u{202e}txt.exe", "abctxt.exe"),
        ("a\u{61c}b\u{200b}c\u{feff}.txt", "abc.txt"),
        ("déjà vu.txt", "déjà vu.txt"),
        ("", ""),
    ];
    let server = echo_server(&json!({}));
    for (given, kept) in cases {
        let disposition = format!("name=\"file\"; filename=\"{given}\"");
        let response = server.send(&Request::new("POST", "/file").multipart(&[(&disposition, b"x")]));
        response.assert_args(&json!({ "file": file_json(kept, 1, "text/plain"), "note": null }));
    }
    let long = "é".repeat(300);
    let disposition = format!("name=\"file\"; filename=\"{long}\"");
    let response = server.send(&Request::new("POST", "/file").multipart(&[(&disposition, b"x")]));
    response.assert_args(&json!({ "file": file_json(&"é".repeat(255), 1, "text/plain"), "note": null }));
}

#[test]
fn a_form_in_which_no_file_was_chosen_has_no_upload() {
    let server = echo_server(&json!({}));
    let request =
        Request::new("POST", "/file").multipart(&[("name=\"file\"; filename=\"\"", b""), ("name=\"note\"", b"n")]);
    server.send(&request).assert_args(&json!({ "file": null, "note": "n" }));
    // Form libraries send such a part if no file was chosen.
    let request = Request::new("POST", "/file").multipart(&[("name=\"file\"", b""), ("name=\"note\"", b"n")]);
    server.send(&request).assert_args(&json!({ "file": null, "note": "n" }));
    let text = Request::new("POST", "/file").multipart(&[("name=\"file\"", b"no file")]);
    assert_eq!(server.send(&text).status, 400);
}

#[test]
fn a_part_with_the_media_type_json_is_a_value_even_with_a_file_name() {
    let server = TestServer::echo(&[(
        "site.json",
        json!({ "/": { "parts": { "POST": { "info": "I", "in": {
            "list": { "info": "I", "type": "?array<object>", "name": "list" },
            "file": { "info": "I", "type": "?file", "name": "file" }
        } } } } }),
    )]);
    let part =
        |name: &str, media_type: &str| format!("name=\"{name}\"; filename=\"blob\"\r\nContent-Type: {media_type}");
    let send = |name: &str, media_type: &str, content: &[u8]| {
        server.send(&Request::new("POST", "/parts").multipart(&[(&part(name, media_type), content)]))
    };
    send("list", "application/json", b"[{\"a\": 1}]").assert_args(&json!({ "list": [{ "a": 1 }], "file": null }));
    assert_eq!(send("list", "application/json", b"[{").status, 400);
    assert_eq!(send("list", "text/plain", b"[]").status, 400);
    let is_file = send("file", "application/json", b"{}");
    assert_eq!(is_file.json()["args"]["file"]["filename"], "blob", "{is_file:?}");
}

#[test]
fn well_formed_multipart_bodies_are_read() {
    let both = json!({ "file": file_json("a", 4, "text/plain"), "note": "n" });
    let head = "Content-Disposition: form-data; name=";
    let cases = [
        (
            "as browsers send it",
            format!(
                "--XX\r\n{head}\"file\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\n1234\r\n--XX\r\n{head}\"note\"\r\n\r\nn\r\n--XX--\r\n"
            ),
            both.clone(),
        ),
        (
            "without quotes",
            format!("--XX\r\n{head}file; filename=a\r\n\r\n1234\r\n--XX\r\n{head}note\r\n\r\nn\r\n--XX--"),
            both.clone(),
        ),
        (
            "with words around it",
            format!(
                "hello\r\n--XX\r\n{head}\"file\"; filename=\"a\"\r\n\r\n1234\r\n--XX\r\n{head}\"note\"\r\n\r\nn\r\n--XX--\r\nbye"
            ),
            both,
        ),
        (
            "line ends inside",
            format!("--XX\r\n{head}\"note\"\r\n\r\n\r\n-\r--X\r\n--Y\r\n\r\n--XX--\r\n"),
            json!({ "file": null, "note": "\r\n-\r--X\r\n--Y\r\n" }),
        ),
        ("no parts", "--XX--\r\n".to_owned(), json!({ "file": null, "note": null })),
    ];
    let server = echo_server(&json!({}));
    for (title, body, args) in cases {
        let at_once = server.send(&multipart_request(body.clone()));
        assert_eq!(at_once.json()["args"], args, "{title}");
        // The result is the same if the body arrives byte by byte.
        let bytes: Vec<_> = body.as_bytes().chunks(1).collect();
        let pieces = server.send(&Request::new("POST", "/file").chunked(MULTIPART_MEDIA_TYPE, &bytes));
        assert_eq!(pieces.json()["args"], args, "{title}, byte by byte");
    }
}

#[test]
fn a_boundary_can_have_quotes_and_may_contain_an_equals_sign() {
    let server = echo_server(&json!({}));
    for (parameter, boundary) in [
        ("boundary=\"a b\"", Some("a b")),
        ("charset=utf-8; Boundary=\"a:b\"; x=y", Some("a:b")),
        ("boundary=----=_Part_1_2.3", Some("----=_Part_1_2.3")),
        ("boundary=a=b; x=\"y\"", Some("a=b")),
        ("charset=\"a;b\"; boundary=----=_Part_1_2.3;", Some("----=_Part_1_2.3")),
        ("type=\"\\\"; boundary=no\"; boundary = \"a;b\"", Some("a;b")),
        (";boundary=(a/b?c:d@e,f)", Some("(a/b?c:d@e,f)")),
        ("boundary=\"a", None),
        ("boundary=", None),
        ("boundary=\"é\"", None),
        ("boundary=a=b c", None),
    ] {
        let delimiter = boundary.unwrap_or("a");
        let head = "Content-Disposition: form-data; name=\"note\"";
        let body = format!("--{delimiter}\r\n{head}\r\n\r\nn\r\n--{delimiter}--\r\n");
        let request = Request::new("POST", "/file").body(&format!("multipart/form-data; {parameter}"), body);
        let response = server.send(&request);
        match boundary {
            Some(_) => response.assert_args(&json!({ "file": null, "note": "n" })),
            None => response.assert_error(400, "its Content-Type has no boundary"),
        }
    }
}

#[test]
fn the_content_length_of_a_part_is_obeyed() {
    let server = echo_server(&json!({}));
    let send = |length: &str| {
        let disposition = format!("name=\"note\"\r\nContent-Length: {length}");
        server.send(&Request::new("POST", "/file").multipart(&[(&disposition, b"\r\n--XX\r\n")]))
    };
    send("8").assert_args(&json!({ "file": null, "note": "\r\n--XX\r\n" }));
    send("100").assert_error(400, "it ends within part 1");
    send("x").assert_error(400, "the header fields of part 1 are malformed");
}

#[test]
fn malformed_multipart_bodies_are_refused() {
    let head = "Content-Disposition: form-data; name=";
    let cases = [
        ("hello", "part 1 is malformed"),
        ("--XX", "part 1 is malformed"),
        ("--XX\n", "part 1 is malformed"),
        // Blanks behind a boundary are not supported.
        (
            &format!("--XX \t\r\n{head}\"note\"\r\n\r\nx\r\n--XX\r\n{head}\"note\"\r\n\r\nx\r\n--XX--"),
            "part 1 is malformed",
        ),
        (
            &format!("--XX\r\n{head}\"note\"\r\n\r\nx\r\n--XX \t\r\n{head}\"note\"\r\n\r\nx\r\n--XX--"),
            "part 2 is malformed",
        ),
        ("--XX\r\n\r\nx\r\n--XX--", "part 1 is malformed"),
        ("--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--", "part 1 has no name"),
        (
            &format!("--XX\r\n{head}\"{}\"\r\n\r\nx\r\n--XX--", "n".repeat(1025)),
            "the name of part 1 is longer than 1024 bytes",
        ),
        ("--XX\r\nno colon\r\n\r\nx\r\n--XX--", "the header fields of part 1 are malformed"),
        (&format!("--XX\r\n{}\r\nx\r\n--XX--", "a: b\r\n".repeat(33)), "the header fields of part 1 are malformed"),
        (&format!("--XX\r\n{head}\"note\"\r\n\r\nx"), "it ends within part 1"),
        (&format!("--XX\r\n{head}\"note\"\r\n\r\nx\n--XX--"), "it ends within part 1"),
        (&format!("--XX\r\n{head}\"note\"\r\n\r\nx\r\n--XXX\r\n"), "part 2 is malformed"),
        (
            &format!("--XX\r\n{head}\"file\"; filename=\"a\"\r\n\r\nx\r\n--XX\r\n{head}\"note\"\r\n\r\nx"),
            "it ends within part 2",
        ),
    ];
    let server = echo_server(&json!({}));
    for (body, words) in cases {
        let response = server.send(&multipart_request(body));
        response.assert_error(400, &format!("the multipart body cannot be read: {words}"));
    }
    let without = Request::new("POST", "/file").body("multipart/form-data", multipart(&[]));
    server.send(&without).assert_error(400, "its Content-Type has no boundary");
    let long = Request::new("POST", "/file");
    let long = long.body(&format!("multipart/form-data; boundary={}", "X".repeat(71)), multipart(&[]));
    server.send(&long).assert_error(400, "its Content-Type has no boundary");
    server.assert_no_temporary_files();
}

#[test]
fn an_empty_multipart_body_is_an_absent_body() {
    let server = echo_server(&json!({}));
    let forms = ["application/x-www-form-urlencoded", MULTIPART_MEDIA_TYPE, "multipart/form-data"];
    for media_type in forms.into_iter().chain(["application/json", "text/csv"]) {
        let announced = Request::new("POST", "/optional").body(media_type, "");
        server.send(&announced).assert_args(&json!({ "text": null }));
        let chunked = Request::new("POST", "/optional").chunked(media_type, &[]);
        server.send(&chunked).assert_args(&json!({ "text": null }));
    }
    let csv = Request::new("POST", "/optional").chunked("text/csv", &[b"a"]);
    server.send(&csv).assert_error(415, "a body of type text/csv is not supported");
    let compressed = Request::new("POST", "/optional").field("content-encoding", "gzip").body("application/json", "{}");
    server.send(&compressed).assert_error(415, "a body of type application/json with the content coding gzip is not");
    let parts = Request::new("POST", "/optional").chunked("multipart/form-data", &[b"--XX--"]);
    server.send(&parts).assert_error(400, "its Content-Type has no boundary");
}

#[test]
fn a_file_for_a_parameter_of_another_type_is_refused() {
    let server = echo_server(&json!({}));
    let request = Request::new("POST", "/optional").multipart(&[("name=\"text\"; filename=\"a\"", b"x")]);
    let response = server.send(&request);
    assert_eq!((response.status, &response.json()["errors"][0]["parameter"]), (400, &json!("text")), "{response:?}");
    let request = Request::new("POST", "/file").multipart(&[("name=\"file\"", b"x")]);
    assert_eq!(server.send(&request).status, 400);
    server.assert_no_temporary_files();
}

#[test]
fn several_files_arrive_as_a_list() {
    let server = echo_server(&json!({}));
    let big = vec![0; 700_000];
    let parts: [(&str, &[u8]); 3] = [
        ("name=\"files\"; filename=\"a\"", b"1"),
        ("name=\"files\"; filename=\"b\"", &big),
        ("name=\"files\"; filename=\"c\"", b""),
    ];
    let response = server.send(&Request::new("POST", "/files").multipart(&parts));
    let files = [
        file_json("a", 1, "text/plain"),
        file_json("b", 700_000, "application/octet-stream"),
        file_json("c", 0, "text/plain"),
    ];
    response.assert_args(&json!({ "files": files }));
    server.assert_no_temporary_files();
}

#[test]
fn an_upload_of_a_client_that_disconnects_leaves_no_file() {
    let server = echo_server(&json!({}));
    let mut connection = server.connect();
    let request = multipart_request(multipart(&[("name=\"file\"; filename=\"a\"", &vec![b'x'; 2_000_000])]));
    connection.write(&request.head());
    connection.write(&request.body[..1_000_000]);
    assert!(wait_until(|| server.temporary_files() == 1), "the file has been begun");
    connection.stream.shutdown(Shutdown::Both).unwrap();
    drop(connection);
    server.assert_no_temporary_files();
}

#[test]
fn an_upload_that_cannot_be_stored_is_refused_without_the_reason() {
    let server = echo_server(&json!({}));
    fs::remove_dir(server.uploads.path()).unwrap();
    let content = [b'x'; 16_385];
    let response =
        server.send(&Request::new("POST", "/file").multipart(&[("name=\"file\"; filename=\"a\"", &content)]));
    response.assert_error(500, "the upload could not be stored");
    assert_eq!(response.json()["error"], 100);
    assert!(!String::from_utf8_lossy(&response.body).contains("directory"), "{response:?}");
    fs::create_dir(server.uploads.path()).unwrap();
}

#[test]
fn an_upload_is_not_stored_if_the_method_accepts_no_files() {
    let server = echo_server(&json!({}));
    fs::remove_dir(server.uploads.path()).unwrap();
    let file: (&str, &[u8]) = ("name=\"text\"; filename=\"a\"", b"four");
    let response = server.send(&Request::new("POST", "/echo").multipart(&[file]));
    response.assert_error(400, "expected a string, got the file \"a\" of 4 bytes");
    let unasked: (&str, &[u8]) = ("name=\"other\"; filename=\"a\"", b"four");
    let response = server.send(&Request::new("POST", "/echo").multipart(&[("name=\"text\"", b"x"), unasked]));
    response.assert_args(&json!({ "text": "x" }));
    fs::create_dir(server.uploads.path()).unwrap();
}

#[derive(Deserialize)]
struct UploadedFile {
    file: Upload,
}

#[test]
fn a_handler_can_read_an_upload_and_keep_it_after_the_request() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let shelf = Arc::clone(&kept);
    let keep = move |Args(sent): Args<UploadedFile>, _: Context| {
        let shelf = Arc::clone(&shelf);
        async move {
            let content = fs::read_to_string(sent.file.path().unwrap()).map_err(ApiError::internal)?;
            shelf.lock().unwrap().push(sent.file);
            Ok::<_, ApiError>(json!({ "content": content }))
        }
    };
    let definition = json!({ "/": { "keep": { "POST": {
        "info": "Keeps a file", "in": { "file": { "info": "A file", "type": "file" } },
        "out": { "content": { "info": "Its content", "type": "string" } }
    } } } });
    let server = server_with_handlers(&definition, Module::new("site").post("/keep", keep));
    let content = "word ".repeat(100_000);
    let request = Request::new("POST", "/keep").multipart(&[("name=\"file\"; filename=\"a\"", content.as_bytes())]);
    let response = server.send(&request);
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.json()["content"], content);
    let path = kept.lock().unwrap()[0].path().unwrap().to_owned();
    assert!(path.starts_with(server.uploads.path()) && path.exists());
    kept.lock().unwrap().clear();
    assert!(!path.exists(), "the file is removed when its last handle is dropped");
}
