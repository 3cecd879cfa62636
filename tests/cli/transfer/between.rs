//! Files go from one server to another.

use std::fs;

use super::{LARGE, Peer, noise};

#[test]
fn files_go_from_one_server_to_another() {
    let (one, other) = (Peer::start(), Peer::start());
    let (here, there) = (one.desk("iapi"), other.desk("iapi"));
    let large = noise(LARGE, 1);
    let cases: [(&str, &[u8]); 3] =
        [("public/封面/第 一 章.bin", &large), ("public/a+b&c=d.txt", b"one\n"), ("public/é", &large[..70_000])];
    for (name, content) in cases {
        here.write("own", content);
        here.done(&["send", "--to", &one.url, "--as", name, "own"], &[(content, name)]);
        here.done(&["fetch", "--from", &one.url, name, "-o", "got"], &[(content, "got")]);
        assert!(here.read("got") == content, "{name}");
        there.write("got", here.read("got"));
        there.done(&["send", "--to", &format!("{}/iapi/file", other.url), "got", "--as", name], &[(content, name)]);
        there.done(&["fetch", "--from", &other.url, name, "-o", "back"], &[(content, "back")]);
        assert!(there.read("back") == content, "{name}");
        let stored = other.folder.path().join("data/files").join(name);
        assert!(fs::read(stored).unwrap() == content, "{name}");
    }
    assert_eq!(
        (here.names(), there.names()),
        (vec!["got".to_owned(), "own".to_owned()], vec!["back".to_owned(), "got".to_owned()])
    );
}

#[test]
fn several_files_are_kept_together_or_not_at_all() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    desk.write("一.txt", "1");
    desk.write("two", "2");
    let send = ["send", "--to", &peer.url, "一.txt", "two"];
    let ran = desk.done(&[&send[..], &["--as", "public/"]].concat(), &[(b"1", "public/一.txt"), (b"2", "public/two")]);
    assert_eq!(ran.err, "not compared with the server's: it does not tell a digest\n");
    for (name, content) in [("一.txt", "1"), ("two", "2")] {
        desk.done(
            &["fetch", "--from", &peer.url, &format!("public/{name}"), "-o", "got"],
            &[(content.as_bytes(), "got")],
        );
    }
    desk.refused(412, "", &[&send[..], &["--as", "public/", "--if-absent"]].concat());
    desk.refused(400, "", &[&send[..], &["--as", "elsewhere/"]].concat());
}

#[test]
fn a_name_goes_without_its_folder_and_into_one() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    desk.write("own", "x");
    desk.done(&["send", "--to", &peer.url, "--as", "public/deep/", "own"], &[(b"x", "public/deep/own")]);
    fs::create_dir(desk.path("folder")).unwrap();
    desk.done(&["fetch", "--from", &peer.url, "public/deep/own", "-o", "folder"], &[(b"x", "folder/own")]);
    fs::remove_file(desk.path("own")).unwrap();
    desk.done(&["fetch", "--from", &peer.url, "./public/deep/own"], &[(b"x", "own")]);
}

#[test]
fn conditions_are_the_servers() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    let send = ["send", "--to", &peer.url, "--as", "public/it", "own"];
    desk.write("own", "first");
    desk.done(&[&send[..], &["--if-absent"]].concat(), &[(b"first", "public/it")]);
    desk.refused(412, "", &[&send[..], &["--if-absent"]].concat());
    desk.write("own", "second");
    let first = blake3::hash(b"first").to_string();
    desk.done(&[&send[..], &["--if-match", &first]].concat(), &[(b"second", "public/it")]);
    for stale in [first.as_str(), &format!("\"{first}\"")] {
        desk.refused(412, "", &[&send[..], &["--if-match", stale]].concat());
    }
    let fetch = ["fetch", "--from", &peer.url, "public/it", "-o", "got", "--if-changed"];
    assert_eq!(desk.done(&fetch, &[(b"second", "got")]).err, "");
    assert_eq!(desk.done(&fetch, &[(b"second", "got")]).err, "unchanged\n");
    desk.write("got", "mine");
    assert_eq!(desk.done(&fetch, &[(b"second", "got")]).err, "");
    assert_eq!(desk.read("got"), b"second");
}

#[test]
fn quiet_says_nothing_but_errors() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    desk.write("own", "x");
    for arguments in [
        &["send", "--to", &peer.url, "--as", "public/", "own", "own2", "-q"][..],
        &["fetch", "--from", &peer.url, "public/own", "-o", "got", "-q"],
        &["fetch", "--from", &peer.url, "public/own", "-o", "got", "-q", "--if-changed"],
    ] {
        desk.write("own2", "x");
        let ran = desk.run(arguments);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (Some(0), "", ""), "{arguments:?}");
    }
    desk.refused(400, "", &["fetch", "--from", &peer.url, "public/none", "-q"]);
}
