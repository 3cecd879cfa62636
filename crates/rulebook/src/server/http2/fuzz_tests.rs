//! Fuzz targets of the parsers of HTTP/2: the frames that a client sends, and the number of fields in a compressed
//! head.

use futures_util::FutureExt;
use http::Request;
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::field_counter::FieldCounter;
use super::received_frames::ReceivedFrames;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The lengths of the pieces in which frames arrive.
const PIECES: [usize; 4] = [1, 2, 5, 100];
/// The fields `:method`, `:scheme`, `:path` and `:authority` of a request (RFC 7541 appendix A).
const PSEUDO_FIELDS: &[u8] = &[0x82, 0x86, 0x84, 0x41, 1, b'x'];
const PSEUDO_COUNT: u64 = 4;

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
}

/// Frames exceed the same limit, or none, in whatever pieces they arrive.
fn check_frames(frames: &[u8]) {
    let watch = |piece: usize| {
        let mut received = ReceivedFrames::default();
        assert!(received.watch(PREFACE).is_ok());
        let exceeded = frames.chunks(piece).find_map(|bytes| received.watch(bytes).err());
        (exceeded.map(|limit| limit.name), received.incomplete_head_len(), received.head_begun().is_some())
    };
    let whole = watch(frames.len().max(1));
    for piece in PIECES {
        assert_eq!(watch(piece).0, whole.0, "pieces of {piece}");
        // Frames after the limit are not watched.
        assert!(whole.0.is_some() || watch(piece) == whole, "pieces of {piece}");
    }
}

#[test]
fn fuzz_http2_frames() {
    const TOKENS: &[&str] = &[
        "\0\0\0\0\0\0\0\0\u{1}",
        "\0\0\u{5}\u{1}\u{5}\0\0\0\u{1}",
        "\0\0\u{7}\u{1}\u{2c}\0\0\0\u{3}",
        "\0\0\u{3}\u{9}\u{4}\0\0\0\u{1}",
        "\0\0\0\u{9}\0\0\0\0\u{1}",
        "\0\0\u{4}\u{8}\0\0\0\0\0\0\0\0\u{1}",
        "\0\0\u{4}\u{3}\0\0\0\0\u{1}\0\0\0\u{8}",
        "\0\0\0\u{4}\0\0\0\0\0",
        "\0\0\0\u{4}\u{1}\0\0\0\0",
        "\0\0\u{4}\u{5}\u{4}\0\0\0\u{1}",
        "\0\u{7f}\0\0\0\0\0\0\u{1}",
        "\0\u{1}a\u{1}b",
        "@\u{1}a\u{1}b",
        "\u{7f}",
        "\0",
    ];
    let inputs = Inputs::check_corpus("http2_frames", TOKENS, check_frames);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_frames));
}

fn count_fields(head: &[u8]) -> u64 {
    let mut counter = FieldCounter::default();
    counter.add(head);
    counter.count()
}

/// Returns the number of fields in the head of a request, as `h2` decompresses it. `None` if the head is invalid.
async fn decode_fields(head: &[u8]) -> Option<u64> {
    let (mut client, server) = duplex(1 << 20);
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let frames = [PREFACE, &settings, &frame(1, 5, head)].concat();
    client.write_all(&frames).await.ok()?;
    let mut connection = h2::server::handshake(server).await.ok()?;
    // Nothing else will arrive, so that the request is available now or never.
    let (request, _) = connection.accept().now_or_never()??.ok()?;
    Some(request.headers().len() as u64 + PSEUDO_COUNT)
}

/// A head has the same number of fields in whatever pieces it arrives, and the number that `h2` decompresses.
fn check_fields(fields: &[u8]) {
    let head = [PSEUDO_FIELDS, fields].concat();
    let whole = count_fields(&head);
    for piece in PIECES {
        let mut counter = FieldCounter::default();
        let count = head.chunks(piece).map(|bytes| counter.add(bytes)).last();
        assert_eq!(count, Some(whole), "pieces of {piece}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let Some(decoded) = runtime.block_on(decode_fields(&head)) {
        assert_eq!(whole, decoded);
    }
}

#[test]
fn fuzz_http2_fields() {
    const TOKENS: &[&str] = &[
        "\0\u{1}a\u{1}b",
        "\0\u{1}a\0",
        "@\u{1}c\u{2}de",
        "\u{10}\u{1}f\u{1}g",
        "\u{f}\u{11}\u{3}a=b",
        "\u{60}\u{3}c=d",
        "\u{1f}\u{11}\u{3}e=f",
        "\u{58}\u{1}x",
        "\u{3f}\u{1}",
        "\u{7f}\0",
        "\u{7f}",
        "\u{3f}",
        "\0",
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let valid = [PSEUDO_FIELDS, &[0x90, 0x90]].concat();
    assert_eq!(runtime.block_on(decode_fields(&valid)), Some(PSEUDO_COUNT + 2), "`h2` decompresses valid heads");
    let inputs = Inputs::check_corpus("http2_fields", TOKENS, check_fields);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_fields));
}

/// Returns the frames with which the client of `h2` sends requests with these fields.
async fn encode_requests(requests: &[Vec<(String, String)>]) -> Vec<u8> {
    let (client, mut server) = duplex(1 << 24);
    let (mut sender, connection) = h2::client::handshake(client).await.unwrap();
    let mut responses = Vec::new();
    for fields in requests {
        let mut request = Request::get("http://x/");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        // A request is cancelled if its response is dropped.
        responses.push(sender.send_request(request.body(()).unwrap(), true).unwrap());
    }
    assert!(connection.now_or_never().is_none(), "the connection stays open");
    // The client has been dropped.
    let mut sent = Vec::new();
    server.read_to_end(&mut sent).await.unwrap();
    sent
}

/// Heads that an encoder compresses, with its table of fields and Huffman's coding, have the number of fields that it
/// was given.
#[test]
fn fuzz_http2_encoded_fields() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let check_script = |script: &[u8]| {
        // Each byte is a field: its bits say how long its name and value are, and whether it is that of another
        // request.
        let field = |byte: &u8| (format!("x-{}", byte & 0x7), "Ab~".repeat((*byte >> 3).into()));
        let requests: Vec<Vec<_>> = script.chunks(16).map(|part| part.iter().map(field).collect()).collect();
        let sent = runtime.block_on(encode_requests(&requests));
        let mut rest = &sent[PREFACE.len()..];
        let (mut counts, mut counter) = (Vec::new(), FieldCounter::default());
        while let Some((header, content)) = rest.split_at_checked(9) {
            let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
            if matches!(header[3], 1 | 9) {
                counter.add(&content[..length]);
                if header[4] & 4 != 0 {
                    counts.push(std::mem::take(&mut counter).count());
                }
            }
            rest = &content[length..];
        }
        let expected: Vec<_> = requests.iter().map(|fields| fields.len() as u64 + PSEUDO_COUNT).collect();
        assert_eq!(counts, expected);
    };
    check!().with_iterations(TEXTS / 4).with_max_len(MAX_SCRIPT_LEN).for_each(|script| check_script(script));
}
