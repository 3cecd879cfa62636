//! Tests of the records with valid, random and hostile bytes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::record::{Decoder, MAX_CONTENT_LEN, Received, RecordError, encode_head, push_stdin, set_request_id};

/// Returns a record as a server sends it.
fn record(kind: u8, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
    let mut record = vec![1, kind];
    record.extend(id.to_be_bytes());
    record.extend(u16::try_from(content.len()).expect("the content fits into a record").to_be_bytes());
    record.extend([padding, 0]);
    record.extend(content);
    record.extend(vec![0xAA; usize::from(padding)]);
    record
}

/// Standard output, the messages, the protocol status of the end, and the number of bytes after the end.
type Decoded = (Vec<u8>, Vec<u8>, Option<u8>, usize);

/// Decodes bytes that arrive in pieces of `piece` bytes.
fn decode(bytes: &[u8], piece: usize) -> Result<Decoded, RecordError> {
    let (mut decoder, mut buffer) = (Decoder::new(1), BytesMut::new());
    let (mut stdout, mut stderr, mut end) = (Vec::new(), Vec::new(), None);
    for piece in bytes.chunks(piece) {
        buffer.extend_from_slice(piece);
        while let Some(received) = decoder.decode(&mut buffer)? {
            match received {
                Received::Stdout(bytes) => stdout.extend(non_empty(bytes)),
                Received::Stderr(bytes) => stderr.extend(non_empty(bytes)),
                Received::End { protocol_status } => end = Some(protocol_status),
            }
        }
    }
    Ok((stdout, stderr, end, buffer.len()))
}

fn non_empty(bytes: Bytes) -> Bytes {
    assert!(!bytes.is_empty());
    bytes
}

const END: [u8; 8] = [0, 0, 0, 9, 0, 0, 0, 0];

#[test]
fn responses_are_decoded_however_their_bytes_are_split() {
    let records = [
        record(6, 1, b"Status: 200\r\n", 3),
        record(7, 1, b"a warning", 255),
        record(6, 1, b"\r\nbody", 0),
        record(6, 1, b"", 8),
        record(7, 1, b"", 0),
        record(3, 1, &END, 5),
    ]
    .concat();
    for piece in 1..=records.len() {
        let (stdout, stderr, end, left) = decode(&records, piece).expect("the records are valid");
        assert_eq!(
            (&stdout[..], &stderr[..], end, left),
            (&b"Status: 200\r\n\r\nbody"[..], &b"a warning"[..], Some(0), 0)
        );
    }
}

#[test]
fn bytes_after_the_end_are_left() {
    let (_, _, end, left) = decode(&[record(3, 1, &END, 0), b"rest".to_vec()].concat(), 64).expect("valid records");
    assert_eq!((end, left), (Some(0), 4));
}

#[test]
fn records_that_belong_to_no_response_are_errors() {
    let mut old = record(6, 1, b"x", 0);
    old[0] = 0;
    let cases = [
        (old, RecordError::Version(0)),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), RecordError::Version(b'H')),
        (record(6, 2, b"x", 0), RecordError::RequestId(2)),
        (record(6, 0, b"x", 0), RecordError::RequestId(0)),
        (record(10, 0, b"x", 0), RecordError::Kind(10)),
        (record(11, 0, &[9; 8], 0), RecordError::Kind(11)),
        (record(1, 1, &[0; 8], 0), RecordError::Kind(1)),
        (record(255, 1, b"", 0), RecordError::Kind(255)),
        (record(3, 1, &[0; 7], 0), RecordError::EndLength(7)),
        (record(3, 1, &[0; 9], 0), RecordError::EndLength(9)),
        (record(3, 1, &[], 0), RecordError::EndLength(0)),
        ([record(6, 1, b"", 0), record(6, 1, b"x", 0)].concat(), RecordError::AfterEnd),
        ([record(7, 1, b"", 0), record(7, 1, b"", 0)].concat(), RecordError::AfterEnd),
    ];
    for (bytes, error) in cases {
        for piece in [1, 3, bytes.len()] {
            assert_eq!(decode(&bytes, piece), Err(error.clone()), "{bytes:?}");
        }
    }
}

#[test]
fn a_parameter_that_does_not_fit_into_a_record_is_an_error() {
    let fits = vec![b'x'; MAX_CONTENT_LEN - 5 - 4];
    assert!(encode_head(&[("NAME", &fits)]).is_ok());
    let error = encode_head(&[("NAME", &[&fits[..], b"x"].concat())]).expect_err("it is too long");
    assert_eq!((error.name.as_str(), error.len), ("NAME", fits.len() + 1));
}

/// Splits encoded records into their types and contents.
fn split_records(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut records = Vec::new();
    while let [1, kind, 0, 1, high, low, padding, 0, rest @ ..] = bytes {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        records.push((*kind, rest[..len].to_vec()));
        bytes = &rest[len + usize::from(*padding)..];
    }
    assert!(bytes.is_empty());
    records
}

/// Parses the pairs in the content of a record.
fn split_pairs(mut bytes: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    fn length(bytes: &mut &[u8]) -> usize {
        let len = if bytes[0] < 0x80 { 1 } else { 4 };
        let (length, rest) = bytes.split_at(len);
        *bytes = rest;
        length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)) & 0x7FFF_FFFF
    }
    let mut pairs = Vec::new();
    while !bytes.is_empty() {
        let (name, value) = (length(&mut bytes), length(&mut bytes));
        pairs.push((bytes[..name].to_vec(), bytes[name..name + value].to_vec()));
        bytes = &bytes[name + value..];
    }
    pairs
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), piece in 1_usize..50) {
        let _ = decode(&bytes, piece);
    }

    #[test]
    fn any_sequence_of_records_has_the_same_result_in_all_pieces(
        records in proptest::collection::vec(
            (prop_oneof![Just(6_u8), Just(7), Just(3), any::<u8>()], 0_u16..3, proptest::collection::vec(any::<u8>(), 0..12), any::<u8>()),
            0..8,
        ),
        piece in 1_usize..20,
    ) {
        let bytes: Vec<u8> =
            records.iter().flat_map(|(kind, id, content, padding)| record(*kind, *id, content, *padding)).collect();
        prop_assert_eq!(decode(&bytes, piece), decode(&bytes, bytes.len().max(1)));
    }

    #[test]
    fn all_parameters_are_sent_and_none_is_split(
        parameters in proptest::collection::vec(("[A-Z_]{0,200}", any::<u8>(), 0_usize..30_000), 0..8),
    ) {
        // Random values of this length would take long to generate.
        let parameters: Vec<(String, Vec<u8>)> =
            parameters.into_iter().map(|(name, byte, len)| (name, vec![byte; len])).collect();
        let pairs: Vec<(&str, &[u8])> = parameters.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
        let mut head = encode_head(&pairs).expect("each parameter fits into a record");
        set_request_id(&mut head, 1);
        let records = split_records(&head);
        prop_assert_eq!(&records[0], &(1, vec![0, 1, 1, 0, 0, 0, 0, 0]));
        prop_assert_eq!(records.last(), Some(&(4, Vec::new())));
        prop_assert!(records[1..records.len() - 1].iter().all(|(kind, content)| *kind == 4 && !content.is_empty()));
        let sent: Vec<_> = records[1..].iter().flat_map(|(_, content)| split_pairs(content)).collect();
        let expected: Vec<_> = parameters.into_iter().map(|(name, value)| (name.into_bytes(), value)).collect();
        prop_assert_eq!(sent, expected);
    }

    #[test]
    fn bodies_are_sent_unchanged(content in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let mut bytes = Vec::new();
        push_stdin(&mut bytes, 1, &content);
        push_stdin(&mut bytes, 1, &[]);
        prop_assert_eq!(split_records(&bytes), vec![(5, content), (5, Vec::new())]);
    }
}
