//! Tests the limits of the frames that a client sends.

use super::*;

fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
}

/// Watches the frames in pieces of each length, and returns the number of bytes that are accepted and the limit.
fn watch(frames: &[u8]) -> Option<&'static str> {
    let bytes = [&[b'P'; PREFACE_LEN][..], frames].concat();
    let results = [1, 2, 7, 100, bytes.len()].map(|length| {
        let mut received = ReceivedFrames::default();
        bytes.chunks(length).find_map(|piece| received.watch(piece).err()).map(|limit| limit.name)
    });
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    results[0]
}

#[test]
fn the_fields_of_a_head_are_limited_over_all_its_frames() {
    let fields = |count: u64| vec![0x90; count as usize];
    let half = MAX_HTTP2_FIELDS / 2;
    let continued = |count| [frame(HEADERS, 0, &fields(half)), frame(CONTINUATION, 4, &fields(count))].concat();
    assert_eq!(watch(&continued(half)), None);
    assert_eq!(watch(&continued(half + 1)), Some("head-fields"));
    let heads = frame(HEADERS, 4, &fields(MAX_HTTP2_FIELDS)).repeat(5);
    assert_eq!(watch(&heads), None);
}

#[test]
fn padding_and_priorities_are_no_fields() {
    let fields = vec![0x90; MAX_HTTP2_FIELDS as usize];
    for (flags, prefix, padding) in
        [(PRIORITY, &[0x90; 5][..], 0), (PADDED, &[200], 200), (PADDED | PRIORITY, &[9, 0x90, 0, 0, 0, 1], 9)]
    {
        let head = |fields: &[u8]| frame(HEADERS, flags | 4, &[prefix, fields, &vec![0x90; padding]].concat());
        assert_eq!(watch(&head(&fields).repeat(2)), None, "{flags}");
        assert_eq!(watch(&head(&[&fields[..], &[0x90]].concat())), Some("head-fields"), "{flags}");
    }
    for payload in [&[][..], &[5], &[255, 0x90]] {
        assert_eq!(watch(&[frame(HEADERS, PADDED, payload), frame(DATA, 0, b"x")].concat()), None);
    }
}

#[test]
fn small_frames_are_limited() {
    for (kind, payload) in [(DATA, &b""[..]), (DATA, b"1234567"), (CONTINUATION, b"")] {
        let small = |count: u64| frame(kind, 0, payload).repeat(count as usize);
        assert_eq!(watch(&small(MAX_HTTP2_SMALL_FRAMES)), None);
        assert_eq!(watch(&small(MAX_HTTP2_SMALL_FRAMES + 1)), Some("http2-small-frames"));
        let interrupted = |length: u64| {
            [small(MAX_HTTP2_SMALL_FRAMES), frame(DATA, 0, &vec![b'x'; length as usize])].concat().repeat(3)
        };
        assert_eq!(watch(&interrupted(MAX_HTTP2_SMALL_FRAMES * FRAME_CREDIT_BYTES)), None);
        assert_eq!(watch(&interrupted(100)), Some("http2-small-frames"));
    }
}

#[test]
fn frames_that_cost_more_than_they_carry_are_limited() {
    let settings = |flags| frame(SETTINGS, flags, &[0, 4, 0, 0, 0, 0]).repeat(101);
    assert_eq!(watch(&settings(0)), Some("http2-small-frames"));
    assert_eq!(watch(&settings(ACK)), None);
    assert_eq!(watch(&frame(PUSH_PROMISE, 4, &[0, 0, 0, 2, 0x90])), Some("http2-small-frames"));
}

#[test]
fn other_frames_are_skipped() {
    let frames =
        (2..=8).filter(|kind| *kind != PUSH_PROMISE).chain([10, 255]).flat_map(|kind| frame(kind, 0xff, &[0x90; 1000]));
    assert_eq!(watch(&frames.collect::<Vec<_>>()), None);
}

/// Returns frames that follow the preface of a connection.
fn after_preface() -> ReceivedFrames {
    let mut received = ReceivedFrames::default();
    assert!(received.watch(&[b'P'; PREFACE_LEN]).is_ok());
    received
}

/// Returns this number of frames that permit one byte less than is enough.
fn small_updates(count: u64) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, &(FRAME_CREDIT_BYTES as u32 - 1).to_be_bytes()).repeat(count as usize)
}

#[test]
fn small_window_updates_are_limited() {
    let max = MAX_HTTP2_SMALL_FRAMES / WEIGHTY_FRAME;
    assert_eq!(watch(&small_updates(max)), None);
    assert_eq!(watch(&small_updates(max + 1)), Some("http2-small-frames"));
    assert_eq!(watch(&frame(WINDOW_UPDATE, 0, &(FRAME_CREDIT_BYTES as u32).to_be_bytes()).repeat(1_000)), None);
}

#[test]
fn sent_responses_permit_small_window_updates() {
    let max = MAX_HTTP2_SMALL_FRAMES / WEIGHTY_FRAME;
    let mut received = after_preface();
    for _ in 0..100 {
        received.permit_updates(50 * FRAME_CREDIT_BYTES, 50);
        assert!(received.watch(&small_updates(100)).is_ok());
    }
    // Bytes that are sent one by one permit as many as those that are sent together.
    for _ in 0..FRAME_CREDIT_BYTES {
        received.permit_updates(1, 0);
    }
    assert!(received.watch(&small_updates(max + 1)).is_ok());
    assert!(received.watch(&small_updates(1)).is_err());
}

#[test]
fn long_heads_are_limited_unless_their_fields_are_joined() {
    let head = frame(HEADERS, 4, &vec![0x90; MAX_HTTP2_FIELDS as usize]);
    let too_many = (1..100).find(|count| watch(&head.repeat(*count)) == Some("head-fields"));
    assert!(too_many.is_some_and(|count| count < 20), "{too_many:?}");
    let mut received = after_preface();
    for _ in 0..1_000 {
        assert!(received.watch(&head).is_ok());
        assert!(received.take_long_head() && !received.take_long_head());
        received.permit_fields(MAX_HTTP2_FIELDS - MAX_HEAD_FIELDS);
    }
}

#[test]
fn a_head_begins_with_its_first_bytes_and_ends_with_its_last_frame() {
    let fields = [0x90; 50];
    let head = [frame(HEADERS, 0, &fields), frame(CONTINUATION, END_HEADERS, &fields)].concat();
    let mut received = after_preface();
    for _ in 0..2 {
        let mut begun = None;
        for (at, byte) in head.iter().enumerate() {
            let is_begun = received.head_begun().is_some();
            // The fourth byte says that the frame begins a head.
            assert_eq!(is_begun, at > 3, "after {at} bytes");
            begun = begun.or(received.head_begun());
            assert_eq!(received.head_begun(), begun, "the time changes after {at} bytes");
            assert!(received.watch(&[*byte]).is_ok());
        }
        assert_eq!((received.head_begun(), received.incomplete_head_len()), (None, 0));
    }
    assert!(received.watch(&[&head[..], &head[..HEADER_LEN]].concat()).is_ok());
    assert!(received.head_begun().is_some());
}

#[test]
fn the_compressed_length_of_a_head_is_limited() {
    let field = [&[0, 1, b'a', 0x7f, 0x80, 0x80, 0x80, 0x01][..], &[b'x'; 16_000]].concat();
    let frames = |count| [frame(HEADERS, 0, &field), frame(CONTINUATION, 0, &[b'x'; 16_000]).repeat(count)].concat();
    assert_eq!(watch(&frames(MAX_HTTP2_HEAD_BYTES as usize / 16_000 - 1)), None);
    assert_eq!(watch(&frames(MAX_HTTP2_HEAD_BYTES as usize / 16_000)), Some("head-size"));
}
