//! Interrupted connections.

use super::{Cut, LARGE, Listener, Peer, field, noise};

/// Number of bytes after which a connection is closed.
const SOME: u64 = 3 << 20;

#[test]
fn an_interrupted_download_is_resumed() {
    let peer = Peer::start();
    let workspace = peer.workspace("iapi");
    let large = noise(LARGE, 2);
    workspace.write("own", &large);
    workspace.succeeds(&["send", "--to", &peer.url, "--as", "public/it", "own"], &[(&large, "public/it")]);
    let cutting = || {
        Listener::cutting(&peer.url, |before| if before < 2 { Cut { down: SOME, ..Cut::NEVER } } else { Cut::NEVER })
    };
    // One run of the program, with retries.
    let line = cutting();
    let result = workspace.succeeds(&["fetch", "--from", &line.url, "public/it", "-o", "one"], &[(&large, "one")]);
    assert_eq!(result.err.matches("retrying in ").count(), 2, "{}", result.err);
    assert_resumed(&line.heads());
    // Several runs, of which the first two fail.
    let line = cutting();
    let fetch = ["fetch", "--from", &line.url, "public/it", "-o", "two", "--retries", "0"];
    for _ in 0..2 {
        workspace.fails(3, "error: the connection failed: ", &fetch);
        assert_eq!(workspace.names(), ["one", "own", "two.part", "two.part.tag"]);
    }
    workspace.succeeds(&fetch, &[(&large, "two")]);
    assert_resumed(&line.heads());
    assert_eq!(workspace.names(), ["one", "own", "two"]);
    assert!(workspace.read("one") == large && workspace.read("two") == large);
}

/// Asserts that each of three requests continues where the one before ended.
#[track_caller]
fn assert_resumed(heads: &[String]) {
    let from = |head: &String| -> u64 {
        field(head, "range").map_or(0, |range| range["bytes=".len()..range.len() - 1].parse().unwrap())
    };
    let begins: Vec<_> = heads.iter().map(from).collect();
    let [0, first, second] = begins[..] else { panic!("{begins:?}") };
    // The bytes of the response heads count as well.
    assert!(first > SOME - 4096 && first < SOME && second > 2 * (SOME - 4096) && second < 2 * SOME, "{begins:?}");
}

#[test]
fn a_download_restarts_if_the_content_has_changed() {
    let peer = Peer::start();
    let workspace = peer.workspace("iapi");
    let (old, new) = (noise(LARGE, 3), noise(LARGE, 4));
    let send = ["send", "--to", &peer.url, "--as", "public/it", "own"];
    workspace.write("own", &old);
    workspace.succeeds(&send, &[(&old, "public/it")]);
    let line =
        Listener::cutting(&peer.url, |before| if before == 0 { Cut { down: SOME, ..Cut::NEVER } } else { Cut::NEVER });
    let fetch = ["fetch", "--from", &line.url, "public/it", "-o", "got", "--retries", "0"];
    workspace.fails(3, "error: the connection failed: ", &fetch);
    workspace.write("own", &new);
    workspace.succeeds(&send, &[(&new, "public/it")]);
    workspace.succeeds(&fetch, &[(&new, "got")]);
    assert!(field(&line.heads()[1], "range").is_some());
    assert!(workspace.read("got") == new);
}

#[test]
fn an_interrupted_upload_is_retried_unless_it_is_conditional() {
    let peer = Peer::start();
    let workspace = peer.workspace("iapi");
    let large = noise(LARGE, 5);
    workspace.write("own", &large);
    let cut = |before| if before == 0 { Cut { up: SOME, ..Cut::NEVER } } else { Cut::NEVER };
    let line = Listener::cutting(&peer.url, cut);
    workspace.succeeds(&["send", "--to", &line.url, "--as", "public/it", "own"], &[(&large, "public/it")]);
    assert_eq!(line.heads().len(), 2);
    let line = Listener::cutting(&peer.url, cut);
    let send = ["send", "--to", &line.url, "--as", "public/new", "own", "--if-absent"];
    workspace.fails(3, "the server may have stored the file\n", &send);
    assert_eq!(line.heads().len(), 1);
    workspace.succeeds(&send, &[(&large, "public/new")]);
}
