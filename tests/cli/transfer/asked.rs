//! What servers are asked, and what is told of their refusals.

use std::ffi::OsStr;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Desk, Listener, Peer, answer, field};

#[test]
fn refusals_are_told_in_the_servers_words() {
    let peer = Peer::start();
    let (reader, writer) = (peer.desk("iapi.read"), peer.desk("iapi.write"));
    for desk in [&reader, &writer] {
        desk.write("own", "x");
    }
    let (fetch, send) = (["fetch", "--from", &peer.url], ["send", "--to", &peer.url, "own", "--as"]);
    // As the documents have it: 400 for what is not there, too.
    reader.refused(400, "there is no such file [request ", &[&fetch[..], &["public/none"]].concat());
    reader.refused(400, "filename in the query: expected ", &[&fetch[..], &["private/none"]].concat());
    reader.refused(403, "", &[&send[..], &["public/own"]].concat());
    writer.refused(403, "", &[&fetch[..], &["public/own"]].concat());
    writer.refused(400, "filename in the body: expected ", &[&send[..], &["../own"]].concat());
    writer.write("huge", vec![0; 17 << 20]);
    writer.refused(413, "", &["send", "--to", &peer.url, "huge", "--as", "public/huge"]);
    let stranger = Desk::new("rb_00000000_nobody");
    stranger.refused(401, "", &[&fetch[..], &["public/own"]].concat());
    let narrow = Desk::new(&peer.key(&["--scope", "iapi", "--files", "public/mine/**"]));
    narrow.write("own", "x");
    narrow.refused(403, "the key does not allow this name", &[&send[..], &["public/own"]].concat());
    narrow.done(&[&send[..], &["public/mine/own"]].concat(), &[(b"x", "public/mine/own")]);
    assert_eq!(reader.names(), ["own"], "nothing is left of what was refused");
}

#[test]
fn every_envelope_is_read() {
    let desk = Desk::new("rb_test");
    desk.write("own", "x");
    let cases = [
        ("507 Full", json!({ "status": "error", "message": "no room" }).to_string(), "(507): no room\n"),
        ("400 Bad", json!({ "error": 401, "ErrorDescription": "not that" }).to_string(), "(400): not that\n"),
        (
            "403 No",
            json!({ "type": "about:blank", "title": "Forbidden", "detail": "not you" }).to_string(),
            "(403): not you\n",
        ),
        ("403 No", json!({ "type": "about:blank", "title": "Forbidden" }).to_string(), "(403): Forbidden\n"),
        ("200 OK", json!({ "ret": 404, "data": {}, "msg": "not here" }).to_string(), "(404): not here\n"),
        ("418 Tea", "<p>tea</p>".to_owned(), "(418)\n"),
        ("400 Bad", json!({ "message": "a\u{1b}[2Jb\r\nc" }).to_string(), "(400): a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n"),
    ];
    for (status, body, told) in cases {
        let server = Listener::answers(&[&answer(status, "", &body)]);
        let ran = desk.fails(1, told, &["send", "--to", &server.url, "own"]);
        assert_eq!(ran.err, format!("error: the server refuses {told}"), "{body}");
        assert_eq!(server.heads().len(), 1, "no more than once: {body}");
    }
    let text = Listener::answers(&[&answer("400 Bad", "Content-Type: text/plain\r\nX-Request-Id: 7\r\n", "\nno\n")]);
    assert_eq!(
        desk.fails(1, "", &["send", "--to", &text.url, "own"]).err,
        "error: the server refuses (400): no [request 7]\n"
    );
}

#[test]
fn busy_servers_are_asked_again_when_they_say() {
    let desk = Desk::new("rb_test");
    let found = answer("200 OK", "", "x");
    for (status, fields, least) in [
        ("429 Many", "Retry-After: 1\r\n", 1000),
        ("503 Busy", "Retry-After: 0\r\n", 250),
        ("502 Bad", "", 250),
        // 503 in the words of internal-api.
        ("400 Bad", "Retry-After: 0\r\n", 250),
    ] {
        let server = Listener::answers(&[&answer(status, fields, ""), &found]);
        let begun = Instant::now();
        let ran = desk.done(&["fetch", "--from", &server.url, "it"], &[(b"x", "it")]);
        assert!(begun.elapsed() >= Duration::from_millis(least), "{status}");
        assert!(
            ran.err.starts_with(&format!("the server refuses ({}); trying again in ", &status[..3])),
            "{}",
            ran.err
        );
    }
    let server = Listener::answers(&[&answer("429 Many", "Retry-After: 3600\r\n", "")]);
    desk.fails(1, "(429); not before 3600 seconds\n", &["fetch", "--from", &server.url, "it"]);
    assert_eq!(server.heads().len(), 1, "an hour is not waited for");
    let server = Listener::answers(&[&answer("503 Busy", "Retry-After: 0\r\n", "")]);
    desk.fails(1, "error: the server refuses (503)", &["fetch", "--from", &server.url, "it", "--retries", "1"]);
    assert_eq!(server.heads().len(), 2, "and no more");
}

#[test]
fn the_key_goes_to_the_server_that_was_named_and_nowhere_else() {
    let desk = Desk::new("rb_secret");
    let elsewhere = Listener::answers(&[&answer("200 OK", "", "x")]);
    let to = format!("{}/it", elsewhere.url);
    let server = Listener::answers(&[&answer("307 Moved", &format!("Location: {to}\r\n"), "")]);
    desk.fails(1, &format!("elsewhere (307): {to}\n"), &["fetch", "--from", &server.url, "it"]);
    desk.write("own", "x");
    desk.fails(1, &format!("elsewhere (307): {to}\n"), &["send", "--to", &server.url, "own"]);
    assert_eq!(elsewhere.heads().len(), 0);
    for head in server.heads() {
        assert_eq!(field(&head, "authorization"), Some("Bearer rb_secret"), "{head}");
    }
}

#[test]
fn requests_are_those_of_the_documents() {
    let desk = Desk::new("rb_secret");
    desk.write("own", "x");
    let server = Listener::answers(&[&answer("204 No Content", "", "")]);
    desk.done(&["send", "--to", &server.url, "own"], &[(b"x", "own")]);
    desk.done(&["send", "--to", &format!("{}/api/file?v=1#top", server.url), "own"], &[(b"x", "own")]);
    desk.done(&["send", "--to", &server.url, "own", "own", "--as", "f/"], &[(b"x", "f/own"), (b"x", "f/own")]);
    let heads = server.heads();
    let lines: Vec<_> = heads.iter().map(|head| head.lines().next().unwrap()).collect();
    assert_eq!(lines, ["POST /iapi/file HTTP/1.1", "POST /api/file?v=1 HTTP/1.1", "POST /iapi/files HTTP/1.1"]);
    for head in heads {
        assert_eq!(field(&head, "expect"), Some("100-continue"), "{head}");
        assert!(field(&head, "content-length").is_some() && field(&head, "transfer-encoding").is_none(), "{head}");
    }
    let server = Listener::answers(&[&answer("200 OK", "", "x")]);
    desk.done(&["fetch", "--from", &format!("{}/api/file?v=1", server.url), "a/é&"], &[(b"x", "é&")]);
    assert!(
        server.heads()[0].starts_with("GET /api/file?v=1&filename=a%2F%C3%A9%26 HTTP/1.1\r\n"),
        "{:?}",
        server.heads()
    );
}

#[test]
fn the_key_comes_from_a_file_or_the_environment() {
    let desk = Desk::new("rb_filed\n");
    let server = Listener::answers(&[&answer("200 OK", "", "x")]);
    let fetch = ["fetch", "--from", server.url.as_str(), "it"];
    let run = |more: &[&str], key: Option<&OsStr>| {
        let environment: Vec<_> = key.map(|key| ("RULEBOOK_KEY", key)).into_iter().collect();
        let ran = desk.run_with(&[&fetch[..], more].concat(), &environment);
        let heads = server.heads();
        let sent = heads.last().and_then(|head| field(head, "authorization")).map(str::to_owned);
        (ran.code, ran.err, sent)
    };
    let untold = "not compared with the server's: it does not tell a digest\n";
    let sent = |key: Option<&str>| (Some(0), untold.to_owned(), key.map(|key| format!("Bearer {key}")));
    assert_eq!(run(&[], None), sent(None));
    assert_eq!(run(&[], Some(OsStr::new(""))), sent(None));
    assert_eq!(run(&[], Some(OsStr::new("rb_told"))), sent(Some("rb_told")));
    assert_eq!(run(&["--key-file", "key"], Some(OsStr::new("rb_told"))), sent(Some("rb_filed")), "the flag is nearer");
    let asked = server.heads().len();
    desk.write("two", "a key\nand another");
    desk.write("none", " \n");
    for (file, why) in [("two", "it holds no key"), ("none", "it holds no key"), ("missing", "No such file")] {
        let (code, err, _) = run(&["--key-file", file, "-q"], None);
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains(&format!("error: {file}: ")) && err.contains(why), "{err}");
    }
    let (code, err, _) = run(&[], Some(OsStr::new("a key")));
    assert_eq!((code, err.as_str()), (Some(3), "error: what RULEBOOK_KEY holds is no key\n"));
    assert_eq!(server.heads().len(), asked, "nobody is asked without the key that was meant");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_warned_of() {
    let desk = Desk::new("rb_filed");
    fs::set_permissions(desk.path("key"), std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    let server = Listener::answers(&[&answer("200 OK", "", "x")]);
    let ran = desk.done(&["fetch", "--from", &server.url, "it"], &[(b"x", "it")]);
    assert!(ran.err.starts_with("warning: key: others can read the key"), "{}", ran.err);
}

#[test]
fn what_is_no_file_is_not_sent() {
    let desk = Desk::new("rb_test");
    fs::create_dir(desk.path("folder")).unwrap();
    let server = Listener::answers(&[&answer("204 No Content", "", "")]);
    desk.fails(3, "error: folder: it is no file", &["send", "--to", &server.url, "folder"]);
    desk.fails(3, "error: missing: ", &["send", "--to", &server.url, "missing"]);
    let server = Listener::answers(&[&answer("200 OK", "", "x")]);
    desk.fails(3, "error: missing/it.part: ", &["fetch", "--from", &server.url, "it", "-o", "missing/it"]);
    desk.fails(3, "error: missing/it.part: ", &["fetch", "--from", &server.url, "it", "-o", "missing/"]);
    let nobody = crate::served::free_address();
    desk.fails(
        3,
        "error: the connection failed: ",
        &["fetch", "--from", &format!("http://{nobody}"), "it", "--retries", "1"],
    );
    let silent = ["--timeout", "1", "--retries", "0"];
    let secure = server.url.replace("http:", "https:");
    desk.fails(3, "error: the connection failed: ", &[&["fetch", "--from", &secure, "it"][..], &silent].concat());
}
