//! Tests of the requests that `rulebook send` and `rulebook fetch` send, and of how they report error responses.

use std::ffi::OsStr;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{RecordingServer, TransferServer, Workspace, find_field, response_text};

#[test]
fn error_responses_are_reported_with_the_servers_message() {
    let peer = TransferServer::start();
    let (reader, writer) = (peer.workspace("iapi.read"), peer.workspace("iapi.write"));
    for workspace in [&reader, &writer] {
        workspace.write("own", "x");
    }
    let (fetch, send) = (["fetch", "--from", &peer.url], ["send", "--to", &peer.url, "own", "--as"]);
    // In the envelope `iapi`, the response for a missing file has status 400 instead of 404.
    reader.assert_refused(400, "there is no such file [request ", &[&fetch[..], &["public/none"]].concat());
    reader.assert_refused(400, "filename in the query: expected ", &[&fetch[..], &["private/none"]].concat());
    reader.assert_refused(403, "", &[&send[..], &["public/own"]].concat());
    writer.assert_refused(403, "", &[&fetch[..], &["public/own"]].concat());
    writer.assert_refused(400, "filename in the body: expected ", &[&send[..], &["../own"]].concat());
    writer.write("huge", vec![0; 17 << 20]);
    writer.assert_refused(413, "", &["send", "--to", &peer.url, "huge", "--as", "public/huge"]);
    let stranger = Workspace::new("rb_00000000_nobody");
    stranger.assert_refused(401, "", &[&fetch[..], &["public/own"]].concat());
    let narrow = Workspace::new(&peer.create_key(&["--scope", "iapi", "--files", "public/mine/**"]));
    narrow.write("own", "x");
    narrow.assert_refused(403, "the key does not allow this name", &[&send[..], &["public/own"]].concat());
    narrow.run_successfully(&[&send[..], &["public/mine/own"]].concat(), &[(b"x", "public/mine/own")]);
    assert_eq!(reader.file_names(), ["own"], "no partial files are left");
}

#[test]
fn error_messages_are_read_from_every_envelope() {
    let workspace = Workspace::new("rb_test");
    workspace.write("own", "x");
    let cases = [
        ("507 Full", json!({ "status": "error", "message": "no room" }).to_string(), "507: no room\n"),
        ("400 Bad", json!({ "error": 401, "ErrorDescription": "not that" }).to_string(), "400: not that\n"),
        (
            "403 No",
            json!({ "type": "about:blank", "title": "Forbidden", "detail": "not you" }).to_string(),
            "403: not you\n",
        ),
        ("403 No", json!({ "type": "about:blank", "title": "Forbidden" }).to_string(), "403: Forbidden\n"),
        ("200 OK", json!({ "ret": 404, "data": {}, "msg": "not here" }).to_string(), "404: not here\n"),
        ("418 Tea", "<p>tea</p>".to_owned(), "418\n"),
        ("400 Bad", json!({ "message": "a\u{1b}[2Jb\r\nc" }).to_string(), "400: a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n"),
    ];
    for (status, body, reported) in cases {
        let server = RecordingServer::start_responding(&[&response_text(status, "", &body)]);
        let result = workspace.assert_fails(1, reported, &["send", "--to", &server.url, "own"]);
        assert_eq!(result.stderr, format!("error: the server responded with {reported}"), "{body}");
        assert_eq!(server.heads().len(), 1, "no retry: {body}");
    }
    let text = RecordingServer::start_responding(&[&response_text(
        "400 Bad",
        "Content-Type: text/plain\r\nX-Request-Id: 7\r\n",
        "\nno\n",
    )]);
    assert_eq!(
        workspace.assert_fails(1, "", &["send", "--to", &text.url, "own"]).stderr,
        "error: the server responded with 400: no [request 7]\n"
    );
}

#[test]
fn temporary_errors_are_retried_after_the_time_that_the_server_requests() {
    let workspace = Workspace::new("rb_test");
    let found = response_text("200 OK", "", "x");
    for (status, fields, min_millis) in [
        ("429 Many", "Retry-After: 1\r\n", 1000),
        ("503 Busy", "Retry-After: 0\r\n", 250),
        ("502 Bad", "", 250),
        // Servers of the predecessor internal-api send status 400 with `Retry-After` instead of 503.
        ("400 Bad", "Retry-After: 0\r\n", 250),
    ] {
        let server = RecordingServer::start_responding(&[&response_text(status, fields, ""), &found]);
        let begun = Instant::now();
        let result = workspace.run_successfully(&["fetch", "--from", &server.url, "it"], &[(b"x", "it")]);
        assert!(begun.elapsed() >= Duration::from_millis(min_millis), "{status}");
        assert!(
            result.stderr.starts_with(&format!("the server responded with {}; retrying in ", &status[..3])),
            "{}",
            result.stderr
        );
    }
    let server = RecordingServer::start_responding(&[&response_text("429 Many", "Retry-After: 3600\r\n", "")]);
    workspace.assert_fails(1, "429; retry after 3600 seconds\n", &["fetch", "--from", &server.url, "it"]);
    assert_eq!(server.heads().len(), 1, "the client does not wait for an hour");
    let server = RecordingServer::start_responding(&[&response_text("503 Busy", "Retry-After: 0\r\n", "")]);
    workspace.assert_fails(
        1,
        "error: the server responded with 503",
        &["fetch", "--from", &server.url, "it", "--retries", "1"],
    );
    assert_eq!(server.heads().len(), 2, "one retry");
}

#[test]
fn redirects_are_not_followed_because_they_would_receive_the_key() {
    let workspace = Workspace::new("rb_secret");
    let other = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
    let to = format!("{}/it", other.url);
    let server = RecordingServer::start_responding(&[&response_text("307 Moved", &format!("Location: {to}\r\n"), "")]);
    workspace.assert_fails(
        1,
        &format!("redirects to another URL (307), which is not followed: {to}\n"),
        &["fetch", "--from", &server.url, "it"],
    );
    workspace.write("own", "x");
    workspace.assert_fails(
        1,
        &format!("redirects to another URL (307), which is not followed: {to}\n"),
        &["send", "--to", &server.url, "own"],
    );
    assert_eq!(other.heads().len(), 0);
    for head in server.heads() {
        assert_eq!(find_field(&head, "authorization"), Some("Bearer rb_secret"), "{head}");
    }
}

#[test]
fn requests_have_the_documented_targets_and_fields() {
    let workspace = Workspace::new("rb_secret");
    workspace.write("own", "x");
    let server = RecordingServer::start_responding(&[&response_text("204 No Content", "", "")]);
    workspace.run_successfully(&["send", "--to", &server.url, "own"], &[(b"x", "own")]);
    workspace.run_successfully(&["send", "--to", &format!("{}/api/file?v=1#top", server.url), "own"], &[(b"x", "own")]);
    workspace.run_successfully(
        &["send", "--to", &server.url, "own", "own", "--as", "f/"],
        &[(b"x", "f/own"), (b"x", "f/own")],
    );
    let heads = server.heads();
    let lines: Vec<_> = heads.iter().map(|head| head.lines().next().unwrap()).collect();
    assert_eq!(lines, ["POST /iapi/file HTTP/1.1", "POST /api/file?v=1 HTTP/1.1", "POST /iapi/files HTTP/1.1"]);
    for head in heads {
        assert_eq!(find_field(&head, "expect"), Some("100-continue"), "{head}");
        assert!(
            find_field(&head, "content-length").is_some() && find_field(&head, "transfer-encoding").is_none(),
            "{head}"
        );
    }
    let server = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
    workspace.run_successfully(&["fetch", "--from", &format!("{}/api/file?v=1", server.url), "a/é&"], &[(b"x", "é&")]);
    assert!(
        server.heads()[0].starts_with("GET /api/file?v=1&filename=a%2F%C3%A9%26 HTTP/1.1\r\n"),
        "{:?}",
        server.heads()
    );
}

#[test]
fn the_api_key_is_read_from_a_file_or_the_environment() {
    let workspace = Workspace::new("rb_filed\n");
    let server = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
    let fetch = ["fetch", "--from", server.url.as_str(), "it"];
    let run = |more: &[&str], key: Option<&OsStr>| {
        let environment: Vec<_> = key.map(|key| ("RULEBOOK_KEY", key)).into_iter().collect();
        let result = workspace.run_with(&[&fetch[..], more].concat(), &environment);
        let heads = server.heads();
        let sent = heads.last().and_then(|head| find_field(head, "authorization")).map(str::to_owned);
        (result.exit_code, result.stderr, sent)
    };
    let unverified = "not verified: the server did not send a digest to compare with\n";
    let sent = |key: Option<&str>| (Some(0), unverified.to_owned(), key.map(|key| format!("Bearer {key}")));
    assert_eq!(run(&[], None), sent(None));
    assert_eq!(run(&[], Some(OsStr::new(""))), sent(None));
    assert_eq!(run(&[], Some(OsStr::new("rb_told"))), sent(Some("rb_told")));
    assert_eq!(
        run(&["--key-file", "key"], Some(OsStr::new("rb_told"))),
        sent(Some("rb_filed")),
        "the flag takes precedence"
    );
    let requests = server.heads().len();
    workspace.write("two", "a key\nand another");
    workspace.write("none", " \n");
    for (file, why) in
        [("two", "does not contain a key"), ("none", "does not contain a key"), ("missing", "No such file")]
    {
        let (code, err, _) = run(&["--key-file", file, "-q"], None);
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains(&format!("error: {file}: ")) && err.contains(why), "{err}");
    }
    let (code, err, _) = run(&[], Some(OsStr::new("a key")));
    assert_eq!((code, err.as_str()), (Some(3), "error: the value of RULEBOOK_KEY is not a key\n"));
    assert_eq!(server.heads().len(), requests, "no request is sent without the key");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_other_users_can_read_causes_a_warning() {
    let workspace = Workspace::new("rb_filed");
    fs::set_permissions(workspace.path("key"), std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let server = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
    let result = workspace.run_successfully(&["fetch", "--from", &server.url, "it"], &[(b"x", "it")]);
    assert!(result.stderr.starts_with("warning: key: other users can read the key"), "{}", result.stderr);
}

#[test]
fn local_and_connection_errors_are_reported() {
    let workspace = Workspace::new("rb_test");
    fs::create_dir(workspace.path("folder")).unwrap();
    let server = RecordingServer::start_responding(&[&response_text("204 No Content", "", "")]);
    workspace.assert_fails(3, "error: folder: not a file", &["send", "--to", &server.url, "folder"]);
    workspace.assert_fails(3, "error: missing: ", &["send", "--to", &server.url, "missing"]);
    let server = RecordingServer::start_responding(&[&response_text("200 OK", "", "x")]);
    workspace.assert_fails(3, "error: missing/it.part: ", &["fetch", "--from", &server.url, "it", "-o", "missing/it"]);
    workspace.assert_fails(3, "error: missing/it.part: ", &["fetch", "--from", &server.url, "it", "-o", "missing/"]);
    let unused = crate::server_process::free_address();
    workspace.assert_fails(
        3,
        "error: the connection failed: ",
        &["fetch", "--from", &format!("http://{unused}"), "it", "--retries", "1"],
    );
    let silent = ["--timeout", "1", "--retries", "0"];
    let secure = server.url.replace("http:", "https:");
    workspace.assert_fails(
        3,
        "error: the connection failed: ",
        &[&["fetch", "--from", &secure, "it"][..], &silent].concat(),
    );
}
