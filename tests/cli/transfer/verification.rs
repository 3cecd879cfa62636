//! Tests that `send` and `fetch` verify file contents by their digests, reject invalid responses, and resume only
//! downloads that they can verify.

use std::fs;

use super::{RecordingServer, Workspace, find_field, response_text};

/// A resumed download: the content of the partial file, the digest of the complete file, the responses of the server,
/// and the expected `Range` of each request.
type Resumption<'a> = (&'a str, Option<&'a str>, &'a [&'a str], &'a [Option<&'a str>]);

/// Returns a header field `ETag` with the digest of a file content.
fn etag_field(content: &str) -> String {
    format!("ETag: \"{}\"\r\n", blake3::hash(content.as_bytes()))
}

#[test]
fn content_with_another_digest_is_discarded() {
    let workspace = Workspace::new("rb_test");
    let server = RecordingServer::start_responding(&[&response_text("200 OK", &etag_field("it"), "other")]);
    let fetch = ["fetch", "--from", &server.url, "it"];
    for before in [None, Some("previous content")] {
        if let Some(before) = before {
            workspace.write("it", before);
        }
        let result = workspace.assert_fails(3, "the content differs from the server's: its digest is ", &fetch);
        assert!(
            result.stderr.contains(&blake3::hash(b"other").to_string())
                && result.stderr.contains(&blake3::hash(b"it").to_string())
        );
        assert_eq!(workspace.file_names(), before.map(|_| "it".to_owned()).as_slice(), "no partial files are left");
    }
    assert_eq!(workspace.read("it"), b"previous content");
    assert_eq!(server.heads().len(), 2, "no retry");
}

#[test]
fn a_server_that_stored_another_content_is_reported() {
    let workspace = Workspace::new("rb_test");
    workspace.write("own", "own");
    let server = RecordingServer::start_responding(&[&response_text("204 No Content", &etag_field("other"), "")]);
    workspace.assert_fails(
        3,
        "the content differs from the server's: its digest is ",
        &["send", "--to", &server.url, "own"],
    );
    let server = RecordingServer::start_responding(&[&response_text("204 No Content", &etag_field("own"), "")]);
    assert_eq!(workspace.run_successfully(&["send", "--to", &server.url, "own"], &[(b"own", "own")]).stderr, "");
}

#[test]
fn responses_without_a_digest_are_reported_as_unverified() {
    let workspace = Workspace::new("rb_test");
    workspace.write("own", "own");
    let weak = format!("ETag: W/{}", &etag_field("other")["ETag: ".len()..]);
    for fields in ["ETag: \"v1\"\r\n", &weak, ""] {
        let server = RecordingServer::start_responding(&[&response_text("200 OK", fields, "own")]);
        for arguments in [["fetch", "--from", &server.url, "own"], ["send", "--to", &server.url, "own"]] {
            let result = workspace.run_successfully(&arguments, &[(b"own", "own")]);
            assert_eq!(result.stderr, "not verified: the server did not send a digest to compare with\n", "{fields}");
        }
    }
}

#[test]
fn downloads_are_resumed_only_if_the_result_can_be_verified() {
    let whole = "0123456789";
    let rest = |from: usize| {
        let range = format!("Content-Range: bytes {from}-9/10\r\n{}", etag_field(whole));
        response_text("206 Partial Content", &range, &whole[from..])
    };
    let all = response_text("200 OK", &etag_field(whole), whole);
    let none =
        response_text("416 Range Not Satisfiable", &format!("Content-Range: bytes */10\r\n{}", etag_field(whole)), "");
    let other = response_text(
        "206 Partial Content",
        &format!("Content-Range: bytes 4-9/10\r\n{}", etag_field("other")),
        "456789",
    );
    let good = blake3::hash(whole.as_bytes()).to_string();
    let cases: [Resumption<'_>; 8] = [
        ("0123", Some(&good), &[&rest(4)], &[Some("bytes=4-")]),
        ("0123", None, &[&all], &[None]),
        ("0123", Some("v1"), &[&all], &[None]),
        ("", Some(&good), &[&all], &[None]),
        ("0123", Some(&good), &[&all], &[Some("bytes=4-")]),
        (whole, Some(&good), &[&none], &[Some("bytes=10-")]),
        ("012345678", Some(&good), &[&rest(4), &all], &[Some("bytes=9-"), None]),
        ("0123", Some(&good), &[&other, &all], &[Some("bytes=4-"), None]),
    ];
    for (partial, digest, responses, ranges) in cases {
        let workspace = Workspace::new("rb_test");
        workspace.write("it.part", partial);
        if let Some(digest) = digest {
            workspace.write("it.part.tag", format!("\"{digest}\"\n"));
        }
        let server = RecordingServer::start_responding(responses);
        workspace.run_successfully(&["fetch", "--from", &server.url, "it"], &[(whole.as_bytes(), "it")]);
        let heads = server.heads();
        let requested: Vec<_> = heads.iter().map(|head| find_field(head, "range")).collect();
        assert_eq!(requested, ranges, "{partial} of {digest:?}");
        for head in heads.iter().filter(|head| find_field(head, "range").is_some()) {
            assert_eq!(find_field(head, "if-range"), Some(format!("\"{good}\"").as_str()));
        }
        assert_eq!(workspace.file_names(), ["it"], "{partial} of {digest:?}");
    }
}

#[test]
fn a_corrupt_partial_file_is_discarded() {
    let workspace = Workspace::new("rb_test");
    workspace.write("it.part", "broken");
    workspace.write("it.part.tag", format!("\"{}\"\n", blake3::hash(b"012345678")));
    let range = format!("Content-Range: bytes 6-8/9\r\n{}", etag_field("012345678"));
    let server = RecordingServer::start_responding(&[
        &response_text("206 Partial Content", &range, "678"),
        &response_text("200 OK", &etag_field("012345678"), "012345678"),
    ]);
    let fetch = ["fetch", "--from", &server.url, "it"];
    workspace.assert_fails(3, "the content differs from the server's: ", &fetch);
    assert_eq!(workspace.file_names(), Vec::<String>::new());
    workspace.run_successfully(&fetch, &[(b"012345678", "it")]);
}

#[test]
fn responses_that_do_not_match_the_request_are_refused() {
    let workspace = Workspace::new("rb_test");
    let part = response_text("206 Partial Content", "Content-Range: bytes 0-3/9\r\n", "0123");
    let encoded = response_text("200 OK", "Content-Encoding: gzip\r\n", "0123");
    let [nothing, same] = ["204 No Content", "304 Not Modified"].map(|status| response_text(status, "", ""));
    for response in [part, encoded, nothing, same] {
        let server = RecordingServer::start_responding(&[&response]);
        workspace.assert_fails(3, "the server's response is invalid: ", &["fetch", "--from", &server.url, "it"]);
        assert_eq!(workspace.file_names(), Vec::<String>::new());
    }
}

#[test]
fn two_processes_cannot_fetch_the_same_file() {
    let workspace = Workspace::new("rb_test");
    workspace.write("it.part", "");
    let server = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
    let held = fs::File::open(workspace.path("it.part")).unwrap();
    held.lock().unwrap();
    workspace.assert_fails(
        3,
        "error: it: another process is fetching this file\n",
        &["fetch", "--from", &server.url, "it"],
    );
    drop(held);
    workspace.run_successfully(&["fetch", "--from", &server.url, "it"], &[(b"x", "it")]);
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_replaced() {
    let workspace = Workspace::new("rb_test");
    workspace.write("kept", "kept");
    fs::create_dir(workspace.path("folder")).unwrap();
    fs::create_dir(workspace.path("folder/it")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(workspace.path("socket")).unwrap();
    for link in ["link", "begun.part", "told.part.tag"] {
        std::os::unix::fs::symlink("kept", workspace.path(link)).unwrap();
    }
    let before = workspace.file_names();
    let cases = [
        ("folder", "folder/it"),
        ("socket", "socket"),
        ("link", "link"),
        ("begun", "begun.part"),
        ("told", "told.part.tag"),
    ];
    for (output, reported) in cases {
        let server = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
        let words = format!("error: {reported}: exists and is not a regular file\n");
        workspace.assert_fails(3, &words, &["fetch", "--from", &server.url, "it", "-o", output]);
        assert_eq!(server.heads(), Vec::<String>::new(), "{output}: no request is sent");
    }
    assert_eq!((workspace.file_names(), workspace.read("kept")), (before, b"kept".to_vec()));
}
