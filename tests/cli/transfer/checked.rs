//! Contents are compared with the server's, by their digests.

use std::fs;

use super::{Desk, Listener, answer, field};

/// What there is, and of what; the answers; which ranges are asked for.
type Begun<'a> = (&'a str, Option<&'a str>, &'a [&'a str], &'a [Option<&'a str>]);

/// A field with the tag of a content.
fn tag(content: &str) -> String {
    format!("ETag: \"{}\"\r\n", blake3::hash(content.as_bytes()))
}

#[test]
fn content_that_is_not_the_servers_is_not_kept() {
    let desk = Desk::new("rb_test");
    let server = Listener::answers(&[&answer("200 OK", &tag("it"), "other")]);
    let fetch = ["fetch", "--from", &server.url, "it"];
    for before in [None, Some("what was there")] {
        if let Some(before) = before {
            desk.write("it", before);
        }
        let ran = desk.fails(3, "the content is not the server's: its digest is ", &fetch);
        assert!(
            ran.err.contains(&blake3::hash(b"other").to_string()) && ran.err.contains(&blake3::hash(b"it").to_string())
        );
        assert_eq!(desk.names(), before.map(|_| "it".to_owned()).as_slice(), "nothing is left");
    }
    assert_eq!(desk.read("it"), b"what was there");
    assert_eq!(server.heads().len(), 2, "and it is not tried again");
}

#[test]
fn a_server_that_has_kept_something_else_is_told_of() {
    let desk = Desk::new("rb_test");
    desk.write("own", "own");
    let server = Listener::answers(&[&answer("204 No Content", &tag("other"), "")]);
    desk.fails(3, "the content is not the server's: its digest is ", &["send", "--to", &server.url, "own"]);
    let server = Listener::answers(&[&answer("204 No Content", &tag("own"), "")]);
    assert_eq!(desk.done(&["send", "--to", &server.url, "own"], &[(b"own", "own")]).err, "");
}

#[test]
fn tags_of_another_kind_are_told_and_not_compared() {
    let desk = Desk::new("rb_test");
    desk.write("own", "own");
    let weak = format!("ETag: W/{}", &tag("other")["ETag: ".len()..]);
    for fields in ["ETag: \"v1\"\r\n", &weak, ""] {
        let server = Listener::answers(&[&answer("200 OK", fields, "own")]);
        for arguments in [["fetch", "--from", &server.url, "own"], ["send", "--to", &server.url, "own"]] {
            let ran = desk.done(&arguments, &[(b"own", "own")]);
            assert_eq!(ran.err, "not compared with the server's: it does not tell a digest\n", "{fields}");
        }
    }
}

#[test]
fn what_was_begun_is_gone_on_with_only_where_the_whole_can_be_checked() {
    let whole = "0123456789";
    let rest = |from: usize| {
        let range = format!("Content-Range: bytes {from}-9/10\r\n{}", tag(whole));
        answer("206 Partial Content", &range, &whole[from..])
    };
    let all = answer("200 OK", &tag(whole), whole);
    let none = answer("416 Range Not Satisfiable", &format!("Content-Range: bytes */10\r\n{}", tag(whole)), "");
    let other = answer("206 Partial Content", &format!("Content-Range: bytes 4-9/10\r\n{}", tag("other")), "456789");
    let good = blake3::hash(whole.as_bytes()).to_string();
    let cases: [Begun<'_>; 8] = [
        ("0123", Some(&good), &[&rest(4)], &[Some("bytes=4-")]),
        ("0123", None, &[&all], &[None]),
        ("0123", Some("v1"), &[&all], &[None]),
        ("", Some(&good), &[&all], &[None]),
        ("0123", Some(&good), &[&all], &[Some("bytes=4-")]),
        (whole, Some(&good), &[&none], &[Some("bytes=10-")]),
        ("012345678", Some(&good), &[&rest(4), &all], &[Some("bytes=9-"), None]),
        ("0123", Some(&good), &[&other, &all], &[Some("bytes=4-"), None]),
    ];
    for (there, of, answers, ranges) in cases {
        let desk = Desk::new("rb_test");
        desk.write("it.part", there);
        if let Some(of) = of {
            desk.write("it.part.tag", format!("\"{of}\"\n"));
        }
        let server = Listener::answers(answers);
        desk.done(&["fetch", "--from", &server.url, "it"], &[(whole.as_bytes(), "it")]);
        let heads = server.heads();
        let asked: Vec<_> = heads.iter().map(|head| field(head, "range")).collect();
        assert_eq!(asked, ranges, "{there} of {of:?}");
        for head in heads.iter().filter(|head| field(head, "range").is_some()) {
            assert_eq!(field(head, "if-range"), Some(format!("\"{good}\"").as_str()));
        }
        assert_eq!(desk.names(), ["it"], "{there} of {of:?}");
    }
}

#[test]
fn what_was_begun_and_is_spoilt_is_not_kept() {
    let desk = Desk::new("rb_test");
    desk.write("it.part", "spoilt");
    desk.write("it.part.tag", format!("\"{}\"\n", blake3::hash(b"012345678")));
    let range = format!("Content-Range: bytes 6-8/9\r\n{}", tag("012345678"));
    let server = Listener::answers(&[
        &answer("206 Partial Content", &range, "678"),
        &answer("200 OK", &tag("012345678"), "012345678"),
    ]);
    let fetch = ["fetch", "--from", &server.url, "it"];
    desk.fails(3, "the content is not the server's: ", &fetch);
    assert_eq!(desk.names(), Vec::<String>::new());
    desk.done(&fetch, &[(b"012345678", "it")]);
}

#[test]
fn answers_that_make_no_sense_are_refused() {
    let desk = Desk::new("rb_test");
    let part = answer("206 Partial Content", "Content-Range: bytes 0-3/9\r\n", "0123");
    let encoded = answer("200 OK", "Content-Encoding: gzip\r\n", "0123");
    let [nothing, same] = ["204 No Content", "304 Not Modified"].map(|status| answer(status, "", ""));
    for answer in [part, encoded, nothing, same] {
        let server = Listener::answers(&[&answer]);
        desk.fails(3, "the server's answer makes no sense: ", &["fetch", "--from", &server.url, "it"]);
        assert_eq!(desk.names(), Vec::<String>::new());
    }
}

#[test]
fn two_do_not_fetch_into_one_file() {
    let desk = Desk::new("rb_test");
    desk.write("it.part", "");
    let server = Listener::answers(&[&answer("200 OK", "", "x")]);
    let held = fs::File::open(desk.path("it.part")).unwrap();
    held.lock().unwrap();
    desk.fails(3, "error: it: another process is fetching into it\n", &["fetch", "--from", &server.url, "it"]);
    drop(held);
    desk.done(&["fetch", "--from", &server.url, "it"], &[(b"x", "it")]);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_replaced() {
    let desk = Desk::new("rb_test");
    desk.write("kept", "kept");
    fs::create_dir(desk.path("folder")).unwrap();
    fs::create_dir(desk.path("folder/it")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(desk.path("socket")).unwrap();
    for link in ["link", "begun.part", "told.part.tag"] {
        std::os::unix::fs::symlink("kept", desk.path(link)).unwrap();
    }
    let before = desk.names();
    let cases = [
        ("folder", "folder/it"),
        ("socket", "socket"),
        ("link", "link"),
        ("begun", "begun.part"),
        ("told", "told.part.tag"),
    ];
    for (output, said) in cases {
        let server = Listener::answers(&[&answer("200 OK", "", "x")]);
        let words = format!("error: {said}: what is there is no file\n");
        desk.fails(3, &words, &["fetch", "--from", &server.url, "it", "-o", output]);
        assert_eq!(server.heads(), Vec::<String>::new(), "{output}: nothing is asked");
    }
    assert_eq!((desk.names(), desk.read("kept")), (before, b"kept".to_vec()));
}
