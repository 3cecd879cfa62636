//! Uploading several files in one request: all or none are stored.

use std::fs;

use super::{CONTENT, FILENAME, GIF, Peer, parts, tag};

#[test]
fn all_files_are_stored() {
    let peer = Peer::start();
    let contents = [[GIF, b"1"].concat(), [GIF, b"2"].concat()];
    let files = [("public/一.gif", contents[0].as_slice()), ("public/deep/er/二.gif", &contents[1])];
    let response = peer.send(&peer.upload_all_request(&files));
    assert_eq!((response.status, response.body.len()), (204, 0), "{response:?}");
    for (name, content) in files {
        let fetched = peer.download(name);
        assert_eq!((fetched.status, fetched.body.as_slice()), (200, content), "{name}");
        assert_eq!(fetched.field("etag"), Some(tag(content).as_str()), "{name}");
    }
    peer.assert_staged(0);
}

#[test]
fn an_error_in_one_file_stores_none() {
    let peer = Peer::start();
    assert_eq!(peer.upload("public/old.gif", GIF).status, 204);
    fs::create_dir(peer.store().join("public/folder.gif")).unwrap();
    let before = peer.tree();
    let good = ("public/new.gif", [GIF, b"new"].concat());
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
        for files in [[good, (name, GIF)], [(name, GIF), good], [replaced, (name, GIF)]] {
            if name.ends_with("new.gif") && files[0].0 == "public/old.gif" {
                continue;
            }
            let response = peer.send(&peer.upload_all_request(&files));
            assert_eq!(response.status, status, "{name} {response:?}");
            assert_eq!(peer.tree(), before, "{name}");
        }
    }
    // The numbers of names and files differ, or are 0.
    let content = (CONTENT, good.1);
    let name = |name: &'static str| (FILENAME, name.as_bytes());
    for form in [
        &[content, name("public/1.gif"), name("public/2.gif")][..],
        &[content, content, name("public/1.gif")],
        &[content],
        &[name("public/1.gif")],
        &[],
    ] {
        let response = peer.send(&peer.request("POST", "/iapi/files").multipart(form));
        assert_eq!(response.status, 400, "{form:?} {response:?}");
        assert_eq!(peer.tree(), before, "{form:?}");
    }
    // One of the files does not meet the precondition.
    let guarded = peer.upload_all_request(&[good, replaced]).field("if-none-match", "*");
    assert_eq!(peer.send(&guarded).status, 412);
    let guarded = peer.upload_all_request(&[good, replaced]).field("if-match", tag(GIF));
    assert_eq!(peer.send(&guarded).status, 412);
    assert_eq!(peer.tree(), before);
    peer.assert_staged(0);
    assert_eq!(peer.send(&peer.upload_all_request(&[good, replaced])).status, 204);
    peer.assert_healthy();
}

#[test]
fn the_definition_applies_to_each_file() {
    let peer = Peer::start();
    let large = [GIF, &[0; 1 << 20][..]].concat();
    for other in [&b"a text"[..], &large] {
        let response = peer.send(&peer.upload_all_request(&[("public/1.gif", GIF), ("public/2.gif", other)]));
        let body = String::from_utf8_lossy(&response.body).into_owned();
        let words = "content[1] in the body: expected a file of at most 1048576 bytes of the type image/*";
        assert!(response.status == 400 && body.contains(words), "{response:?}");
        assert_eq!(peer.tree(), [].into());
    }
    peer.assert_staged(0);
}

#[test]
fn too_many_files_are_refused() {
    let peer = Peer::start();
    let names: Vec<_> = (0..40).map(|number| format!("public/{number}.gif")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), GIF)).collect();
    let response = peer.send(&peer.request("POST", "/iapi/files").multipart(&parts(&files)));
    assert!([400, 413].contains(&response.status), "{response:?}");
    assert_eq!(peer.tree(), [].into());
    peer.assert_staged(0);
}
