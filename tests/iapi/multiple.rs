//! Tests uploads of several files in one request: the server stores all files or none.

use std::fs;

use super::{CONTENT_DISPOSITION, FILENAME_DISPOSITION, GIF_START, InternalApiServer, entity_tag, upload_parts};

#[test]
fn all_files_of_one_request_are_stored() {
    let peer = InternalApiServer::start();
    let contents = [[GIF_START, b"1"].concat(), [GIF_START, b"2"].concat()];
    let files = [("public/一.gif", contents[0].as_slice()), ("public/deep/er/二.gif", &contents[1])];
    let response = peer.send(&peer.upload_all_request(&files));
    assert_eq!((response.status, response.body.len()), (204, 0), "{response:?}");
    for (name, content) in files {
        let fetched = peer.download(name);
        assert_eq!((fetched.status, fetched.body.as_slice()), (200, content), "{name}");
        assert_eq!(fetched.field("etag"), Some(entity_tag(content).as_str()), "{name}");
    }
    peer.assert_staged(0);
}

#[test]
fn an_error_in_one_file_prevents_that_any_file_is_stored() {
    let peer = InternalApiServer::start();
    assert_eq!(peer.upload("public/old.gif", GIF_START).status, 204);
    fs::create_dir(peer.store().join("public/folder.gif")).unwrap();
    let before = peer.stored_tree();
    let good = ("public/new.gif", [GIF_START, b"new"].concat());
    let good = (good.0, good.1.as_slice());
    let replaced = ("public/old.gif", good.1);
    let long = "public/".to_owned() + &"x".repeat(256);
    let names = [
        ("../out.gif", 400),
        ("/etc/passwd", 400),
        ("public/../../out.gif", 400),
        ("secret/a.gif", 400),
        ("public/.hidden", 400),
        ("public/nul", 400),
        (&long, 400),
        ("", 400),
        ("public/new.gif", 400),
        ("./public/new.gif", 400),
        ("public/folder.gif", 409),
        ("public/old.gif/below.gif", 409),
    ];
    for (name, status) in names {
        for files in [[good, (name, GIF_START)], [(name, GIF_START), good], [replaced, (name, GIF_START)]] {
            if name.ends_with("new.gif") && files[0].0 == "public/old.gif" {
                continue;
            }
            let response = peer.send(&peer.upload_all_request(&files));
            assert_eq!(response.status, status, "{name} {response:?}");
            assert_eq!(peer.stored_tree(), before, "{name}");
        }
    }
    // The number of names differs from the number of files, or both are 0.
    let content = (CONTENT_DISPOSITION, good.1);
    let name = |name: &'static str| (FILENAME_DISPOSITION, name.as_bytes());
    for form in [
        &[content, name("public/1.gif"), name("public/2.gif")][..],
        &[content, content, name("public/1.gif")],
        &[content],
        &[name("public/1.gif")],
        &[],
    ] {
        let response = peer.send(&peer.request("POST", "/iapi/files").multipart(form));
        assert_eq!(response.status, 400, "{form:?} {response:?}");
        assert_eq!(peer.stored_tree(), before, "{form:?}");
    }
    // One of the files does not satisfy the precondition of the request.
    let guarded = peer.upload_all_request(&[good, replaced]).field("if-none-match", "*");
    assert_eq!(peer.send(&guarded).status, 412);
    let guarded = peer.upload_all_request(&[good, replaced]).field("if-match", entity_tag(GIF_START));
    assert_eq!(peer.send(&guarded).status, 412);
    assert_eq!(peer.stored_tree(), before);
    peer.assert_staged(0);
    assert_eq!(peer.send(&peer.upload_all_request(&[good, replaced])).status, 204);
    peer.assert_healthy();
}

#[test]
fn the_restrictions_of_the_definition_apply_to_each_file() {
    let peer = InternalApiServer::start();
    let large = [GIF_START, &[0; 1 << 20][..]].concat();
    for other in [&b"a text"[..], &large] {
        let response = peer.send(&peer.upload_all_request(&[("public/1.gif", GIF_START), ("public/2.gif", other)]));
        let body = String::from_utf8_lossy(&response.body).into_owned();
        let words = "content[1] in the body: expected a file of at most 1048576 bytes of the type image/*";
        assert!(response.status == 400 && body.contains(words), "{response:?}");
        assert_eq!(peer.stored_tree(), [].into());
    }
    peer.assert_staged(0);
}

#[test]
fn a_request_with_too_many_files_is_refused() {
    let peer = InternalApiServer::start();
    let names: Vec<_> = (0..40).map(|number| format!("public/{number}.gif")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), GIF_START)).collect();
    let response = peer.send(&peer.request("POST", "/iapi/files").multipart(&upload_parts(&files)));
    assert!([400, 413].contains(&response.status), "{response:?}");
    assert_eq!(peer.stored_tree(), [].into());
    peer.assert_staged(0);
}
