//! Properties of multipart bodies: random ones get valid responses, in whatever pieces they arrive.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::echo_server;
use super::uploads::{MULTIPART_MEDIA_TYPE, file_json};
use crate::client::{Request, multipart};

/// Generates text of random pieces, some of which look like boundaries of multipart bodies.
fn boundary_like_text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec!["\r\n", "\r", "\n", "--", "-", "XX", "X", "--XX", "\r\n--X", "a", "é", ": "]);
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Splits bytes into pieces of these lengths, which are repeated until the end.
fn split_into_pieces<'a>(mut bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
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
fn multipart_parts_are_the_same_in_whatever_chunks_they_arrive() {
    let server = echo_server(&json!({}));
    let cases = (boundary_like_text(), prop::collection::vec(1..40_usize, 1..10));
    let config = support::random::cases(300);
    TestRunner::new(config)
        .run(&cases, |(content, lengths)| {
            // The parser also finds a boundary behind a single CR.
            let is_boundary = |bytes: &[u8]| bytes.starts_with(b"\r\n--XX") || bytes.starts_with(b"\r--XX");
            prop_assume!(!content.starts_with(b"--XX") && !(0..content.len()).any(|at| is_boundary(&content[at..])));
            let body = multipart(&[("name=\"note\"", &content), ("name=\"file\"; filename=\"a\"", &content)]);
            let response = server.send(&Request::new("POST", "/file").chunked(MULTIPART_MEDIA_TYPE, &split_into_pieces(&body, &lengths)));
            let expected =
                json!({ "file": file_json("a", content.len(), "text/plain"), "note": String::from_utf8(content).unwrap() });
            prop_assert_eq!(&response.json()["args"], &expected);
            Ok(())
        })
        .unwrap();
    server.assert_no_temporary_files();
}

#[test]
fn any_multipart_body_gets_a_valid_response_and_leaves_no_file() {
    let server = echo_server(&json!({ "multipart": 2000, "part": 100, "parts": 5 }));
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
    let config = support::random::cases(300);
    TestRunner::new(config)
        .run(&bodies, |body| {
            let response = server.send(&Request::new("POST", "/file").body(MULTIPART_MEDIA_TYPE, body));
            let known =
                matches!((response.status, response.json()["error"].as_u64()), (200, Some(0)) | (400 | 413, Some(1..)));
            prop_assert!(known, "{response:?}");
            Ok(())
        })
        .unwrap();
    server.assert_no_temporary_files();
}
