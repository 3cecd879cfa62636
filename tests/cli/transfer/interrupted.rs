//! Tests of `rulebook send` and `rulebook fetch` with connections that are interrupted.

use super::{ConnectionLimits, LARGE_LEN, RecordingServer, TransferServer, find_field, pseudorandom_bytes};

/// Number of bytes of a response or a request body after which the connection is closed.
const CUT_LENGTH: u64 = 3 << 20;

#[test]
fn an_interrupted_download_is_resumed() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    let large = pseudorandom_bytes(LARGE_LEN, 2);
    workspace.write("own", &large);
    workspace.run_successfully(&["send", "--to", &peer.url, "--as", "public/it", "own"], &[(&large, "public/it")]);
    let cutting = || {
        RecordingServer::start_cutting(&peer.url, |before| {
            if before < 2 {
                ConnectionLimits { response_bytes: CUT_LENGTH, ..ConnectionLimits::UNLIMITED }
            } else {
                ConnectionLimits::UNLIMITED
            }
        })
    };
    // One run of the program resumes the download in its retries.
    let line = cutting();
    let result =
        workspace.run_successfully(&["fetch", "--from", &line.url, "public/it", "-o", "one"], &[(&large, "one")]);
    assert_eq!(result.stderr.matches("retrying in ").count(), 2, "{}", result.stderr);
    assert_resumed(&line.heads());
    // Each run of the program resumes the download of the run before. The first two runs fail.
    let line = cutting();
    let fetch = ["fetch", "--from", &line.url, "public/it", "-o", "two", "--retries", "0"];
    for _ in 0..2 {
        workspace.assert_fails(3, "error: the connection failed: ", &fetch);
        assert_eq!(workspace.file_names(), ["one", "own", "two.part", "two.part.tag"]);
    }
    workspace.run_successfully(&fetch, &[(&large, "two")]);
    assert_resumed(&line.heads());
    assert_eq!(workspace.file_names(), ["one", "own", "two"]);
    assert!(workspace.read("one") == large && workspace.read("two") == large);
}

/// Asserts that there are three requests, and that each requests the bytes after those that the request before
/// received.
#[track_caller]
fn assert_resumed(heads: &[String]) {
    let from = |head: &String| -> u64 {
        find_field(head, "range").map_or(0, |range| range["bytes=".len()..range.len() - 1].parse().unwrap())
    };
    let begins: Vec<_> = heads.iter().map(from).collect();
    let [0, first, second] = begins[..] else { panic!("{begins:?}") };
    // The limit of a connection also counts the status line and the header fields of the response.
    assert!(
        first > CUT_LENGTH - 4096 && first < CUT_LENGTH && second > 2 * (CUT_LENGTH - 4096) && second < 2 * CUT_LENGTH,
        "{begins:?}"
    );
}

#[test]
fn a_download_restarts_if_the_content_has_changed() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    let (old, new) = (pseudorandom_bytes(LARGE_LEN, 3), pseudorandom_bytes(LARGE_LEN, 4));
    let send = ["send", "--to", &peer.url, "--as", "public/it", "own"];
    workspace.write("own", &old);
    workspace.run_successfully(&send, &[(&old, "public/it")]);
    let line = RecordingServer::start_cutting(&peer.url, |before| {
        if before == 0 {
            ConnectionLimits { response_bytes: CUT_LENGTH, ..ConnectionLimits::UNLIMITED }
        } else {
            ConnectionLimits::UNLIMITED
        }
    });
    let fetch = ["fetch", "--from", &line.url, "public/it", "-o", "got", "--retries", "0"];
    workspace.assert_fails(3, "error: the connection failed: ", &fetch);
    workspace.write("own", &new);
    workspace.run_successfully(&send, &[(&new, "public/it")]);
    workspace.run_successfully(&fetch, &[(&new, "got")]);
    assert!(find_field(&line.heads()[1], "range").is_some());
    assert!(workspace.read("got") == new);
}

#[test]
fn an_interrupted_upload_is_retried_unless_it_is_conditional() {
    let peer = TransferServer::start();
    let workspace = peer.workspace("iapi");
    let large = pseudorandom_bytes(LARGE_LEN, 5);
    workspace.write("own", &large);
    let cut = |before| {
        if before == 0 {
            ConnectionLimits { request_bytes: CUT_LENGTH, ..ConnectionLimits::UNLIMITED }
        } else {
            ConnectionLimits::UNLIMITED
        }
    };
    let line = RecordingServer::start_cutting(&peer.url, cut);
    workspace.run_successfully(&["send", "--to", &line.url, "--as", "public/it", "own"], &[(&large, "public/it")]);
    assert_eq!(line.heads().len(), 2);
    let line = RecordingServer::start_cutting(&peer.url, cut);
    let send = ["send", "--to", &line.url, "--as", "public/new", "own", "--if-absent"];
    workspace.assert_fails(3, "the server may have stored the file\n", &send);
    assert_eq!(line.heads().len(), 1);
    workspace.run_successfully(&send, &[(&large, "public/new")]);
}
