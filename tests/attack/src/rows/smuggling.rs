//! Requests whose end is ambiguous: two servers could understand them as different numbers of requests.

use super::{Attack, Row};
use crate::Result;
use crate::client::Target;
use crate::response::take_all_responses;

/// Returns the row.
pub fn row() -> Row {
    Row {
        name: "smuggling",
        about: "requests whose end other servers could understand differently",
        attack: Attack::Smuggling,
    }
}

/// A sequence of bytes that could be understood as different numbers of requests: its name, the number of requests
/// according to RFC 9112 unless the server rejects the bytes (0 if it must reject them), and the bytes in two parts.
/// After them, [`NEXT`] is sent.
type Case = (&'static str, usize, &'static [u8], &'static [u8]);

/// The last bytes of each case: a request that the server must not handle, unless RFC 9112 says so.
const NEXT: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
/// The request line and the first header field of most cases.
const POST: &[u8] = b"POST /nowhere HTTP/1.1\r\nHost: x\r\n";
/// The head of the cases with a chunked body.
const CHUNKED: &[u8] = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The cases.
#[rustfmt::skip]
const CASES: &[Case] = &[
    ("Content-Length and chunked", 1, POST, b"Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunked and Content-Length", 1, POST, b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("two equal Content-Length", 2, POST, b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
    ("two different Content-Length", 0, POST, b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n"),
    ("Content-Length as a list", 2, POST, b"Content-Length: 3, 3\r\n\r\nabc"),
    ("Content-Length with a sign", 0, POST, b"Content-Length: +3\r\n\r\nabc"),
    ("hexadecimal Content-Length", 0, POST, b"Content-Length: 0x3\r\n\r\nabc"),
    ("Content-Length above 64 bits", 0, POST, b"Content-Length: 18446744073709551619\r\n\r\nabc"),
    ("empty Content-Length", 0, POST, b"Content-Length:\r\n\r\n"),
    ("Content-Length of a GET request", 2, b"", b"GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
    ("Transfer-Encoding: identity", 0, POST, b"Transfer-Encoding: identity\r\n\r\n"),
    ("Transfer-Encoding: chunked, chunked", 0, POST, b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("two fields Transfer-Encoding", 0, POST, b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("Transfer-Encoding with a vertical tab", 0, POST, b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("Transfer-Encoding in upper case", 2, POST, b"TRANSFER-ENCODING: CHUNKED\r\n\r\n0\r\n\r\n"),
    ("empty Transfer-Encoding", 0, POST, b"Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc"),
    ("Transfer-Encoding in HTTP/1.0", 1, b"", b"POST /nowhere HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a space before the colon", 0, POST, b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("a folded line", 0, POST, b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("a chunk with an extension", 2, CHUNKED, b"3;a=b\r\nabc\r\n0\r\n\r\n"),
    ("an extension that contains a chunk", 0, CHUNKED, b"2;\nxx\r\n3a\r\n0\r\n\r\n"),
    ("a chunk size with a sign", 0, CHUNKED, b"+3\r\nabc\r\n0\r\n\r\n"),
    ("a chunk size with 0x", 0, CHUNKED, b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("a chunk size above 64 bits", 0, CHUNKED, b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    ("an empty chunk size", 0, CHUNKED, b"\r\n\r\n"),
    ("a space before a chunk size", 0, CHUNKED, b" 3\r\nabc\r\n0\r\n\r\n"),
    ("a chunk that is longer than its size", 0, CHUNKED, b"3\r\nabcd\r\n0\r\n\r\n"),
    ("a chunk that ends without CR", 0, CHUNKED, b"3\r\nabc\n0\r\n\r\n"),
    ("a last chunk of several zeros", 2, CHUNKED, b"0000\r\n\r\n"),
    ("a trailer field Content-Length", 2, CHUNKED, b"0\r\nContent-Length: 36\r\n\r\n"),
    ("a body that is cut", 1, POST, b"Content-Length: 1000000\r\n\r\n"),
    ("Upgrade with a body", 2, POST, b"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 36\r\n\r\nGET /hidden_ HTTP/1.1\r\nHost: xxxxx\r\n\r\n"),
    ("Upgrade: h2c with a body", 2, POST, b"Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 3\r\n\r\nabc"),
    ("Content-Length named in Connection", 2, POST, b"Connection: Content-Length\r\nContent-Length: 3\r\n\r\nabc"),
    ("Expect with a body that is sent at once", 2, POST, b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"),
    ("Connection: close", 1, b"", b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    ("CONNECT", 2, b"", b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n"),
];

/// Sends all cases. Returns their number, and a message for each case in which the server sees another number of
/// requests than it should.
pub fn run(target: Target) -> Result<(usize, Vec<String>)> {
    let mut misses = Vec::new();
    for case in CASES {
        if let Err(miss) = check_case(target, case) {
            misses.push(format!("{}: {miss}", case.0));
        }
    }
    Ok((CASES.len(), misses))
}

fn check_case(target: Target, (_, requests, begin, rest): &Case) -> Result<()> {
    let mut connection = target.connect()?;
    if !connection.send_last(&[*begin, rest, NEXT].concat())? {
        return Err("the connection stays open".into());
    }
    let responses = take_all_responses(&mut connection.received, false, false)?;
    let statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
    let (last, before) = responses.split_last().ok_or("no response")?;
    // A rejection ends the connection, and no request after it is handled.
    let is_rejected = last.closes() && last.status >= 400 && before.len() < (*requests).max(1);
    if responses.len() == *requests || is_rejected {
        return Ok(());
    }
    Err(format!("{requests} requests by RFC 9112, but the responses are {statuses:?}").into())
}
