//! Tests that send files to real servers and fetch them again.

use std::fs;

use super::{LARGE_LEN, TransferServer, pseudorandom_bytes};

#[test]
fn files_are_copied_unchanged_from_one_server_to_another() {
    let (one, other) = (TransferServer::start(), TransferServer::start());
    let (here, there) = (one.workspace("iapi"), other.workspace("iapi"));
    let large = pseudorandom_bytes(LARGE_LEN, 1);
    let cases: [(&str, &[u8]); 3] =
        [("public/封面/第 一 章.bin", &large), ("public/a+b&c=d.txt", b"one\n"), ("public/é", &large[..70_000])];
    for (name, content) in cases {
        here.write("own", content);
        here.run_successfully(&["send", "--to", &one.url, "--as", name, "own"], &[(content, name)]);
        here.run_successfully(&["fetch", "--from", &one.url, name, "-o", "got"], &[(content, "got")]);
        assert!(here.read("got") == content, "{name}");
        there.write("got", here.read("got"));
        there.run_successfully(
            &["send", "--to", &format!("{}/iapi/file", other.url), "got", "--as", name],
            &[(content, name)],
        );
        there.run_successfully(&["fetch", "--from", &other.url, name, "-o", "back"], &[(content, "back")]);
        assert!(there.read("back") == content, "{name}");
        let stored = other.folder.path().join("data/files").join(name);
        assert!(fs::read(stored).unwrap() == content, "{name}");
    }
    assert_eq!(
        (here.file_names(), there.file_names()),
        (vec!["got".to_owned(), "own".to_owned()], vec!["back".to_owned(), "got".to_owned()])
    );
}

#[test]
fn the_server_stores_all_files_of_a_command_or_none() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    workspace.write("一.txt", "1");
    workspace.write("two", "2");
    let send = ["send", "--to", &peer.url, "一.txt", "two"];
    let result = workspace.run_successfully(
        &[&send[..], &["--as", "public/"]].concat(),
        &[(b"1", "public/一.txt"), (b"2", "public/two")],
    );
    assert_eq!(result.stderr, "not verified: the server did not send a digest to compare with\n");
    for (name, content) in [("一.txt", "1"), ("two", "2")] {
        workspace.run_successfully(
            &["fetch", "--from", &peer.url, &format!("public/{name}"), "-o", "got"],
            &[(content.as_bytes(), "got")],
        );
    }
    workspace.assert_refused(412, "", &[&send[..], &["--as", "public/", "--if-absent"]].concat());
    workspace.assert_refused(400, "", &[&send[..], &["--as", "elsewhere/"]].concat());
}

#[test]
fn files_that_are_sent_or_fetched_to_a_folder_keep_their_names() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    workspace.write("own", "x");
    workspace
        .run_successfully(&["send", "--to", &peer.url, "--as", "public/deep/", "own"], &[(b"x", "public/deep/own")]);
    fs::create_dir(workspace.path("folder")).unwrap();
    workspace
        .run_successfully(&["fetch", "--from", &peer.url, "public/deep/own", "-o", "folder"], &[(b"x", "folder/own")]);
    fs::remove_file(workspace.path("own")).unwrap();
    workspace.run_successfully(&["fetch", "--from", &peer.url, "./public/deep/own"], &[(b"x", "own")]);
}

#[test]
fn send_and_fetch_obey_their_conditions() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    let send = ["send", "--to", &peer.url, "--as", "public/it", "own"];
    workspace.write("own", "first");
    workspace.run_successfully(&[&send[..], &["--if-absent"]].concat(), &[(b"first", "public/it")]);
    workspace.assert_refused(412, "", &[&send[..], &["--if-absent"]].concat());
    workspace.write("own", "second");
    let first = blake3::hash(b"first").to_string();
    workspace.run_successfully(&[&send[..], &["--if-match", &first]].concat(), &[(b"second", "public/it")]);
    for stale in [first.as_str(), &format!("\"{first}\"")] {
        workspace.assert_refused(412, "", &[&send[..], &["--if-match", stale]].concat());
    }
    let fetch = ["fetch", "--from", &peer.url, "public/it", "-o", "got", "--if-changed"];
    assert_eq!(workspace.run_successfully(&fetch, &[(b"second", "got")]).stderr, "");
    assert_eq!(workspace.run_successfully(&fetch, &[(b"second", "got")]).stderr, "unchanged\n");
    workspace.write("got", "mine");
    assert_eq!(workspace.run_successfully(&fetch, &[(b"second", "got")]).stderr, "");
    assert_eq!(workspace.read("got"), b"second");
}

#[test]
fn the_flag_quiet_suppresses_everything_except_errors() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    workspace.write("own", "x");
    for arguments in [
        &["send", "--to", &peer.url, "--as", "public/", "own", "own2", "-q"][..],
        &["fetch", "--from", &peer.url, "public/own", "-o", "got", "-q"],
        &["fetch", "--from", &peer.url, "public/own", "-o", "got", "-q", "--if-changed"],
    ] {
        workspace.write("own2", "x");
        let result = workspace.run(arguments);
        assert_eq!(
            (result.exit_code, result.stdout.as_str(), result.stderr.as_str()),
            (Some(0), "", ""),
            "{arguments:?}"
        );
    }
    workspace.assert_refused(400, "", &["fetch", "--from", &peer.url, "public/none", "-q"]);
}
