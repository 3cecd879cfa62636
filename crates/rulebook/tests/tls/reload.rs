//! Certificates that change while the server runs.

use std::fs;

use rulebook::ClientCertificates;

use super::TestServer;
use super::client::wait_until;

#[test]
fn new_connections_get_the_new_certificate() {
    let server = TestServer::start();
    let mut old = server.connect();
    let before = old.server_certificate();
    server.authority.write("site", &["localhost"]);
    wait_until(|| server.connect().server_certificate() != before);
    // The connection with the previous certificate continues.
    assert!(old.get("/caller").starts_with("HTTP/1.1 200 "));
    assert!(server.connect().get("/caller").starts_with("HTTP/1.1 200 "));
}

#[test]
fn files_that_do_not_belong_together_change_nothing() {
    let server = TestServer::start();
    let before = server.connect().server_certificate();
    let (_, other_key) = server.authority.write("other", &["localhost"]);
    let key_file = server.authority.path("site.key");
    let key = fs::read(&key_file).unwrap();
    let texts = [fs::read(other_key).unwrap(), b"no key".to_vec(), Vec::new()];
    for text in texts {
        fs::write(&key_file, text).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let mut connection = server.connect();
        assert!(connection.server_certificate() == before && connection.get("/caller").starts_with("HTTP/1.1 200 "));
    }
    fs::remove_file(&key_file).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(server.connect().server_certificate() == before);
    fs::write(&key_file, key).unwrap();
    // Later changes still take effect.
    server.authority.write("site", &["localhost"]);
    wait_until(|| server.connect().server_certificate() != before);
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_neither_blocks_later_changes_nor_the_end_of_the_server() {
    let server = TestServer::start();
    let before = server.connect().server_certificate();
    let key_file = server.authority.path("site.key");
    let replace_by_pipe = || {
        fs::remove_file(&key_file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&key_file).status().unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(1500));
    };
    replace_by_pipe();
    assert!(server.connect().server_certificate() == before);
    fs::remove_file(&key_file).unwrap();
    server.authority.write("site", &["localhost"]);
    wait_until(|| server.connect().server_certificate() != before);
    replace_by_pipe();
    let stopping = std::thread::spawn(move || server.running.stop());
    wait_until(|| stopping.is_finished());
    stopping.join().unwrap().unwrap();
}

#[test]
fn the_metrics_contain_the_end_of_each_certificate() {
    let server = TestServer::start_with(
        |authority, tls| {
            let (certificate, key) = authority.write_until("other", &["other.example"], 2080);
            tls.with_certificate(certificate, key)
        },
        ClientCertificates::new(),
    );
    let sample = |number: u32, time: &str| {
        format!("rulebook_tls_certificate_expiry_timestamp_seconds{{certificate=\"{number}\"}} {time}\n")
    };
    let metrics = server.metrics();
    // The seconds of 2090-01-01 and 2080-01-01.
    for sample in [sample(1, "3786912000"), sample(2, "3471292800")] {
        assert!(metrics.contains(&sample), "{sample} is not in {metrics}");
    }
    server.authority.write_until("other", &["other.example"], 2081);
    wait_until(|| server.metrics().contains(&sample(2, "3502915200")));
}
