//! Requests for which the definition allows expensive work: logins, and files for download links.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::WorkAim::NotLimited;
use super::{Attacker, Row, get, post, work};
use crate::Result;
use crate::response::Response;
use crate::server::LINKS_LIMIT;

/// Returns the rows of this family.
pub fn rows() -> Vec<Row> {
    vec![
        work("wrong-logins", "30 logins with a wrong password at the same time", NotLimited, send_wrong_logins),
        work("links", "requests for download links until their storage is full", NotLimited, request_links),
    ]
}

/// Sends wrong logins on many connections at the same time, and reads all responses. Logins that wait too long for the
/// permission to hash are rejected with 503, and those of an address with many failures with 429.
fn send_wrong_logins(attacker: &mut Attacker<'_>) -> Result<()> {
    let request = post("/user/login", "application/json", br#"{"login":"ada","password":"wrong password"}"#);
    let mut connections = (0..30).map(|_| attacker.connect()).collect::<Result<Vec<_>>>()?;
    for connection in &mut connections {
        connection.send_now(&request);
    }
    for mut connection in connections {
        let response = connection.request(b"", false);
        check_status(attacker, response, &[403, 429, 503]);
        attacker.count(&connection, 1);
    }
    Ok(())
}

/// Requests download links. Each request stores a file, until the storage of the definition is used up.
fn request_links(attacker: &mut Attacker<'_>) -> Result<()> {
    let request = get("/article/3/picture", "X-Requested-With: XMLHttpRequest\r\n");
    // A file needs at least one block of 4 KiB, so that the storage is full after this number of files.
    let files = LINKS_LIMIT / 4096;
    let misses = attacker.misses.len();
    for _ in 0..files / 100 {
        let mut connection = attacker.connect()?;
        for _ in 0..110 {
            let response = connection.request(&request, false);
            check_status(attacker, response, &[200, 503]);
            attacker.requests += 1;
        }
        attacker.count(&connection, 0);
        if attacker.misses.len() > misses {
            break;
        }
    }
    let mut bytes = 0;
    for entry in fs::read_dir(attacker.server.links_folder())? {
        bytes += entry?.metadata()?.blocks() * 512;
    }
    if bytes > LINKS_LIMIT {
        attacker.miss(format!("the files of links use {bytes} bytes of the disk; the limit `links` is {LINKS_LIMIT}"));
    }
    Ok(())
}

fn check_status(attacker: &mut Attacker<'_>, response: Result<Response>, statuses: &[u16]) {
    match response {
        Err(error) => attacker.miss(error.to_string()),
        Ok(response) if !statuses.contains(&response.status) => {
            attacker.miss(format!("unexpected response: {}", response.summary()));
        }
        Ok(response) if response.status == 503 && response.field("retry-after").is_none() => {
            attacker.miss("a response with the status 503 has no `Retry-After`".to_owned());
        }
        Ok(_) => {}
    }
}
