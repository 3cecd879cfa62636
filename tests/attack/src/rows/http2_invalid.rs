//! Invalid frames of HTTP/2: valid connections in which random bytes are changed.

use std::time::Duration;

use super::{Attack, Attacker, Row, WorkAim};
use crate::Result;
use crate::client::End;
use crate::frames::{
    DATA, END_STREAM, GOAWAY, PING, PRIORITY, SETTINGS, WINDOW_UPDATE, opening, push_frame, push_request,
    request_fields, settings_payload, take_frames,
};

/// The rows of this family.
pub const ROWS: &[Row] = &[Row {
    name: "http2-invalid",
    about: "connections with random changes in valid frames",
    attack: Attack::Work(WorkAim::PerConnection, |attacker| {
        for _ in 0..200 {
            send_changed_connection(attacker)?;
        }
        Ok(())
    }),
}];

/// The time for which a connection waits for the next bytes of the server.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends a valid connection in which some bytes are changed, removed or repeated. The server must close the connection
/// when the client has closed its sending side.
fn send_changed_connection(attacker: &mut Attacker<'_>) -> Result<()> {
    let bytes = changed_connection(attacker);
    let mut connection = attacker.connect()?;
    connection.exchange(&bytes, TIMEOUT, |_| true)?;
    connection.close_sending();
    let end = connection.exchange(&[], TIMEOUT, |_| false)?;
    if end == End::TimedOut {
        attacker.miss("the server keeps a connection open whose client has closed its sending side".to_owned());
    }
    let mut name = "closed";
    take_frames(&mut connection.received, |kind, _, _, _| {
        if kind == GOAWAY {
            name = "GOAWAY";
        }
    });
    attacker.count_end(name);
    attacker.count(&connection, 1);
    Ok(())
}

fn changed_connection(attacker: &mut Attacker<'_>) -> Vec<u8> {
    let numbers = &mut attacker.numbers;
    let mut bytes = opening(&[(4, 65_535)]);
    let unchanged_len = bytes.len() - 15;
    for number in 0..1 + numbers.below(8) as u32 {
        let stream = 2 * number + 1;
        match numbers.below(7) {
            0 => push_frame(&mut bytes, PING, 0, 0, b"12345678"),
            1 => push_frame(&mut bytes, SETTINGS, 0, 0, &settings_payload(&[(4, 1000), (5, 16_384)])),
            2 => push_frame(&mut bytes, WINDOW_UPDATE, 0, stream, &[0, 0, 1, 0]),
            3 => push_frame(&mut bytes, PRIORITY, 0, stream, &[0, 0, 0, 0, 1]),
            4 => {
                push_request(&mut bytes, stream, true, &request_fields("POST", "/article", &[("content-length", "2")]));
                push_frame(&mut bytes, DATA, END_STREAM, stream, b"{}");
            }
            _ => push_request(&mut bytes, stream, false, &request_fields("GET", "/article/3", &[("accept", "*/*")])),
        }
    }
    for _ in 0..1 + numbers.below(4) {
        let at = unchanged_len + numbers.below(bytes.len() - unchanged_len);
        match numbers.below(4) {
            0 => bytes[at] = numbers.byte(),
            1 => bytes[at] ^= 1 << numbers.below(8),
            2 => bytes.truncate(at.max(unchanged_len + 1)),
            _ => {
                let copy = bytes[at..].iter().copied().take(1 + numbers.below(40)).collect::<Vec<_>>();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}
