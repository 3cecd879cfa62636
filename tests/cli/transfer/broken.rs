//! Connections break.

use super::{Cut, LARGE, Listener, Peer, field, noise};

/// How much of an answer gets through a connection that is cut, in bytes.
const SOME: u64 = 3 << 20;

#[test]
fn a_broken_download_goes_on_where_it_ended() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    let large = noise(LARGE, 2);
    desk.write("own", &large);
    desk.done(&["send", "--to", &peer.url, "--as", "public/it", "own"], &[(&large, "public/it")]);
    let cutting = || {
        Listener::cutting(&peer.url, |before| if before < 2 { Cut { down: SOME, ..Cut::NEVER } } else { Cut::NEVER })
    };
    // In one run.
    let line = cutting();
    let ran = desk.done(&["fetch", "--from", &line.url, "public/it", "-o", "one"], &[(&large, "one")]);
    assert_eq!(ran.err.matches("trying again in ").count(), 2, "{}", ran.err);
    assert_resumed(&line.heads());
    // In several, the first two of which fail.
    let line = cutting();
    let fetch = ["fetch", "--from", &line.url, "public/it", "-o", "two", "--retries", "0"];
    for _ in 0..2 {
        desk.fails(3, "error: the connection failed: ", &fetch);
        assert_eq!(desk.names(), ["one", "own", "two.part", "two.part.tag"]);
    }
    desk.done(&fetch, &[(&large, "two")]);
    assert_resumed(&line.heads());
    assert_eq!(desk.names(), ["one", "own", "two"]);
    assert!(desk.read("one") == large && desk.read("two") == large);
}

/// Each request asks for what is behind what the one before got.
#[track_caller]
fn assert_resumed(heads: &[String]) {
    let from = |head: &String| -> u64 {
        field(head, "range").map_or(0, |range| range["bytes=".len()..range.len() - 1].parse().unwrap())
    };
    let begins: Vec<_> = heads.iter().map(from).collect();
    let [0, first, second] = begins[..] else { panic!("{begins:?}") };
    // The heads of the answers came with them.
    assert!(first > SOME - 4096 && first < SOME && second > 2 * (SOME - 4096) && second < 2 * SOME, "{begins:?}");
}

#[test]
fn another_content_is_begun_anew() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    let (old, new) = (noise(LARGE, 3), noise(LARGE, 4));
    let send = ["send", "--to", &peer.url, "--as", "public/it", "own"];
    desk.write("own", &old);
    desk.done(&send, &[(&old, "public/it")]);
    let line =
        Listener::cutting(&peer.url, |before| if before == 0 { Cut { down: SOME, ..Cut::NEVER } } else { Cut::NEVER });
    let fetch = ["fetch", "--from", &line.url, "public/it", "-o", "got", "--retries", "0"];
    desk.fails(3, "error: the connection failed: ", &fetch);
    desk.write("own", &new);
    desk.done(&send, &[(&new, "public/it")]);
    desk.done(&fetch, &[(&new, "got")]);
    assert!(field(&line.heads()[1], "range").is_some());
    assert!(desk.read("got") == new);
}

#[test]
fn a_broken_upload_is_sent_again_unless_that_could_be_refused() {
    let peer = Peer::start();
    let desk = peer.desk("iapi");
    let large = noise(LARGE, 5);
    desk.write("own", &large);
    let cut = |before| if before == 0 { Cut { up: SOME, ..Cut::NEVER } } else { Cut::NEVER };
    let line = Listener::cutting(&peer.url, cut);
    desk.done(&["send", "--to", &line.url, "--as", "public/it", "own"], &[(&large, "public/it")]);
    assert_eq!(line.heads().len(), 2);
    let line = Listener::cutting(&peer.url, cut);
    let send = ["send", "--to", &line.url, "--as", "public/new", "own", "--if-absent"];
    desk.fails(3, "the server may have kept it\n", &send);
    assert_eq!(line.heads().len(), 1);
    desk.done(&send, &[(&large, "public/new")]);
}
