//! Multipart bodies: what is read, what is refused, and that no temporary file is left.

use std::fs;
use std::net::Shutdown;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rulebook::{ApiError, Args, Context, Module, Upload};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{echo, handlers};
use crate::client::{Request, Site, multipart, wait};

const MULTIPART: &str = "multipart/form-data; boundary=XX";

fn post(body: impl Into<Vec<u8>>) -> Request {
    Request::new("POST", "/file").body(MULTIPART, body)
}

fn file(filename: &str, size: usize, media_type: &str) -> Value {
    json!({ "filename": filename, "size": size, "media_type": media_type })
}

#[test]
fn the_media_type_of_a_file_is_recognised_by_its_content() {
    let png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR";
    let pdf = b"%PDF-1.7\n";
    let mut cut = "é".repeat(5000).into_bytes();
    cut.insert(0, b'x');
    let cases: [(&[u8], &str); 8] = [
        (png, "image/png"),
        (pdf, "application/pdf"),
        (b"", "text/plain"),
        ("some text, déjà vu\n".as_bytes(), "text/plain"),
        // The sample ends within a character.
        (&cut, "text/plain"),
        (b"caf\xe9", "application/octet-stream"),
        (b"zero\x00byte", "application/octet-stream"),
        (b"ends in half a character \xc3", "application/octet-stream"),
    ];
    let site = echo(&json!({}));
    for (content, media_type) in cases {
        let disposition = "name=\"file\"; filename=\"a.gif\"\r\nContent-Type: image/gif";
        let answer = site.send(&Request::new("POST", "/file").multipart(&[(disposition, content)]));
        answer.assert_args(&json!({ "file": file("a.gif", content.len(), media_type), "note": null }));
    }
    site.assert_no_temporary();
}

#[test]
fn file_names_lose_folders_and_invisible_characters() {
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
    let site = echo(&json!({}));
    for (given, kept) in cases {
        let disposition = format!("name=\"file\"; filename=\"{given}\"");
        let answer = site.send(&Request::new("POST", "/file").multipart(&[(&disposition, b"x")]));
        answer.assert_args(&json!({ "file": file(kept, 1, "text/plain"), "note": null }));
    }
    let long = "é".repeat(300);
    let disposition = format!("name=\"file\"; filename=\"{long}\"");
    let answer = site.send(&Request::new("POST", "/file").multipart(&[(&disposition, b"x")]));
    answer.assert_args(&json!({ "file": file(&"é".repeat(255), 1, "text/plain"), "note": null }));
}

#[test]
fn a_form_without_a_chosen_file_has_no_file() {
    let site = echo(&json!({}));
    let request =
        Request::new("POST", "/file").multipart(&[("name=\"file\"; filename=\"\"", b""), ("name=\"note\"", b"n")]);
    site.send(&request).assert_args(&json!({ "file": null, "note": "n" }));
    // As form libraries send it.
    let request = Request::new("POST", "/file").multipart(&[("name=\"file\"", b""), ("name=\"note\"", b"n")]);
    site.send(&request).assert_args(&json!({ "file": null, "note": "n" }));
    let text = Request::new("POST", "/file").multipart(&[("name=\"file\"", b"no file")]);
    assert_eq!(site.send(&text).status, 400);
}

#[test]
fn a_part_with_the_type_json_is_a_value_even_with_a_file_name() {
    let site = Site::echo(&[(
        "site.json",
        json!({ "/": { "parts": { "POST": { "info": "I", "in": {
            "list": { "info": "I", "type": "?array<object>", "name": "list" },
            "file": { "info": "I", "type": "?file", "name": "file" }
        } } } } }),
    )]);
    let part =
        |name: &str, media_type: &str| format!("name=\"{name}\"; filename=\"blob\"\r\nContent-Type: {media_type}");
    let send = |name: &str, media_type: &str, content: &[u8]| {
        site.send(&Request::new("POST", "/parts").multipart(&[(&part(name, media_type), content)]))
    };
    send("list", "application/json", b"[{\"a\": 1}]").assert_args(&json!({ "list": [{ "a": 1 }], "file": null }));
    assert_eq!(send("list", "application/json", b"[{").status, 400);
    assert_eq!(send("list", "text/plain", b"[]").status, 400);
    let is_file = send("file", "application/json", b"{}");
    assert_eq!(is_file.json()["args"]["file"]["filename"], "blob", "{is_file:?}");
}

#[test]
fn well_formed_multipart_bodies_are_read() {
    let both = json!({ "file": file("a", 4, "text/plain"), "note": "n" });
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
            both.clone(),
        ),
        (
            "with blanks behind boundaries",
            format!(
                "--XX \t\r\n{head}\"file\"; filename=\"a\"\r\n\r\n1234\r\n--XX  \r\n{head}\"note\"\r\n\r\nn\r\n--XX--\r\n"
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
    let site = echo(&json!({}));
    for (what, body, args) in cases {
        let whole = site.send(&post(body.clone()));
        assert_eq!(whole.json()["args"], args, "{what}");
        // Byte by byte the result is the same.
        let bytes: Vec<_> = body.as_bytes().chunks(1).collect();
        let pieces = site.send(&Request::new("POST", "/file").chunked(MULTIPART, &bytes));
        assert_eq!(pieces.json()["args"], args, "{what}, byte by byte");
    }
}

#[test]
fn malformed_multipart_bodies_are_refused() {
    let head = "Content-Disposition: form-data; name=";
    let cases = [
        ("hello", "part 1 is malformed"),
        ("--XX", "part 1 is malformed"),
        ("--XX\n", "part 1 is malformed"),
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
    let site = echo(&json!({}));
    for (body, words) in cases {
        let answer = site.send(&post(body));
        answer.assert_refused(400, &format!("the multipart body cannot be read: {words}"));
    }
    let without = Request::new("POST", "/file").body("multipart/form-data", multipart(&[]));
    site.send(&without).assert_refused(400, "its Content-Type has no boundary");
    site.assert_no_temporary();
}

#[test]
fn an_empty_body_counts_as_no_body() {
    let site = echo(&json!({}));
    let forms = ["application/x-www-form-urlencoded", MULTIPART, "multipart/form-data"];
    for media_type in forms.into_iter().chain(["application/json", "text/csv"]) {
        let announced = Request::new("POST", "/optional").body(media_type, "");
        site.send(&announced).assert_args(&json!({ "text": null }));
        let chunked = Request::new("POST", "/optional").chunked(media_type, &[]);
        site.send(&chunked).assert_args(&json!({ "text": null }));
    }
    let csv = Request::new("POST", "/optional").chunked("text/csv", &[b"a"]);
    site.send(&csv).assert_refused(415, "a body of type text/csv is not supported");
    let parts = Request::new("POST", "/optional").chunked("multipart/form-data", &[b"--XX--"]);
    site.send(&parts).assert_refused(400, "its Content-Type has no boundary");
}

#[test]
fn a_file_for_a_parameter_of_another_type_is_refused() {
    let site = echo(&json!({}));
    let request = Request::new("POST", "/optional").multipart(&[("name=\"text\"; filename=\"a\"", b"x")]);
    let answer = site.send(&request);
    assert_eq!((answer.status, &answer.json()["errors"][0]["parameter"]), (400, &json!("text")), "{answer:?}");
    let request = Request::new("POST", "/file").multipart(&[("name=\"file\"", b"x")]);
    assert_eq!(site.send(&request).status, 400);
    site.assert_no_temporary();
}

#[test]
fn several_files_arrive_as_a_list() {
    let site = echo(&json!({}));
    let big = vec![0; 700_000];
    let parts: [(&str, &[u8]); 3] = [
        ("name=\"files\"; filename=\"a\"", b"1"),
        ("name=\"files\"; filename=\"b\"", &big),
        ("name=\"files\"; filename=\"c\"", b""),
    ];
    let answer = site.send(&Request::new("POST", "/files").multipart(&parts));
    let files =
        [file("a", 1, "text/plain"), file("b", 700_000, "application/octet-stream"), file("c", 0, "text/plain")];
    answer.assert_args(&json!({ "files": files }));
    site.assert_no_temporary();
}

#[test]
fn an_upload_of_a_client_that_disconnects_leaves_no_file() {
    let site = echo(&json!({}));
    let mut connection = site.connect();
    let request = post(multipart(&[("name=\"file\"; filename=\"a\"", &vec![b'x'; 2_000_000])]));
    connection.write(&request.head());
    connection.write(&request.body[..1_000_000]);
    assert!(wait(|| site.temporary() == 1), "the file has been begun");
    connection.stream.shutdown(Shutdown::Both).unwrap();
    drop(connection);
    site.assert_no_temporary();
}

#[test]
fn a_file_that_cannot_be_stored_is_refused_without_the_reason() {
    let site = echo(&json!({}));
    fs::remove_dir(site.uploads.path()).unwrap();
    let answer = site.send(&Request::new("POST", "/file").multipart(&[("name=\"file\"; filename=\"a\"", b"x")]));
    answer.assert_refused(500, "the upload could not be stored");
    assert_eq!(answer.json()["error"], 100);
    assert!(!String::from_utf8_lossy(&answer.body).contains("directory"), "{answer:?}");
    fs::create_dir(site.uploads.path()).unwrap();
}

#[test]
fn a_file_is_not_stored_if_the_method_accepts_none() {
    let site = echo(&json!({}));
    fs::remove_dir(site.uploads.path()).unwrap();
    let file: (&str, &[u8]) = ("name=\"text\"; filename=\"a\"", b"four");
    let answer = site.send(&Request::new("POST", "/echo").multipart(&[file]));
    answer.assert_refused(400, "expected a string, got the file \"a\" of 4 bytes");
    let unasked: (&str, &[u8]) = ("name=\"other\"; filename=\"a\"", b"four");
    let answer = site.send(&Request::new("POST", "/echo").multipart(&[("name=\"text\"", b"x"), unasked]));
    answer.assert_args(&json!({ "text": "x" }));
    fs::create_dir(site.uploads.path()).unwrap();
}

#[derive(Deserialize)]
struct Sent {
    file: Upload,
}

#[test]
fn a_handler_reads_its_file_and_may_keep_it() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let shelf = Arc::clone(&kept);
    let keep = move |Args(sent): Args<Sent>, _: Context| {
        let shelf = Arc::clone(&shelf);
        async move {
            let content = fs::read_to_string(sent.file.path()).map_err(ApiError::internal)?;
            shelf.lock().unwrap().push(sent.file);
            Ok::<_, ApiError>(json!({ "content": content }))
        }
    };
    let definition = json!({ "/": { "keep": { "POST": {
        "info": "Keeps a file", "in": { "file": { "info": "A file", "type": "file" } },
        "out": { "content": { "info": "Its content", "type": "string" } }
    } } } });
    let site = handlers(&definition, Module::new("site").post("/keep", keep));
    let content = "word ".repeat(100_000);
    let request = Request::new("POST", "/keep").multipart(&[("name=\"file\"; filename=\"a\"", content.as_bytes())]);
    let answer = site.send(&request);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["content"], content);
    let path = kept.lock().unwrap()[0].path().to_owned();
    assert!(path.starts_with(site.uploads.path()) && path.exists());
    kept.lock().unwrap().clear();
    assert!(!path.exists(), "gone when nobody keeps it");
}

/// Random pieces, some of which look like boundaries.
fn lookalikes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec!["\r\n", "\r", "\n", "--", "-", "XX", "X", "--XX", "\r\n--X", "a", "é", ": "]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Cuts a text into pieces of these lengths.
fn cut<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at((*length).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

#[test]
fn parts_are_split_at_boundaries_in_whatever_chunks_they_arrive() {
    let site = echo(&json!({}));
    let cases = (lookalikes(), prop::collection::vec(1..40_usize, 1..10));
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&cases, |(content, lengths)| {
            prop_assume!(!content.windows(6).any(|six| six == b"\r\n--XX") && !content.starts_with(b"--XX"));
            let body = multipart(&[("name=\"note\"", &content), ("name=\"file\"; filename=\"a\"", &content)]);
            let answer = site.send(&Request::new("POST", "/file").chunked(MULTIPART, &cut(&body, &lengths)));
            let expected =
                json!({ "file": file("a", content.len(), "text/plain"), "note": String::from_utf8(content).unwrap() });
            prop_assert_eq!(&answer.json()["args"], &expected);
            Ok(())
        })
        .unwrap();
    site.assert_no_temporary();
}

#[test]
fn any_multipart_body_gets_a_valid_response_and_leaves_no_file() {
    let site = echo(&json!({ "multipart": 2000, "part": 100, "parts": 5 }));
    let disposition = "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let piece = prop_oneof![
        Just(b"--XX".to_vec()),
        Just(b"--".to_vec()),
        Just(disposition.as_bytes().to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"name=\"".to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
    ];
    let bodies = prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat());
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&bodies, |body| {
            let answer = site.send(&Request::new("POST", "/file").body(MULTIPART, body));
            let known =
                matches!((answer.status, answer.json()["error"].as_u64()), (200, Some(0)) | (400 | 413, Some(1..)));
            prop_assert!(known, "{answer:?}");
            Ok(())
        })
        .unwrap();
    site.assert_no_temporary();
}
