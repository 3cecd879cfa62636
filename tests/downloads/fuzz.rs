//! Fuzz targets of ranges, of file names in header fields, and of the ids of download links.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};

use actix_web::http::header::{self, HeaderValue};
use actix_web::{App, test};
use percent_encoding::percent_decode_str;
use rulebook::store::LinkId;
use rulebook::{Download, Settings};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::engine_returning;

/// Requests the file with this field `Range`. Returns the status, the field `Content-Disposition` and the body.
type Get = AssertUnwindSafe<Box<dyn Fn(Option<&HeaderValue>) -> (u16, String, Vec<u8>)>>;

/// Serves a file in an `App` of actix, whose requests need no sockets.
fn serve_without_sockets(make_download: impl Fn() -> Download + Clone + Send + Sync + 'static) -> Get {
    let api = engine_returning(make_download).services(&Settings::new()).unwrap();
    let runtime = actix_rt::System::new();
    let app = runtime.block_on(test::init_service(App::new().configure(|app| api.configure(app))));
    AssertUnwindSafe(Box::new(move |range| {
        let request = test::TestRequest::get().uri("/it");
        let request = match range {
            Some(range) => request.insert_header((header::RANGE, range.clone())),
            None => request,
        };
        runtime.block_on(async {
            let response = test::call_service(&app, request.to_request()).await;
            let name =
                response.headers().get(header::CONTENT_DISPOSITION).map(|name| name.to_str().unwrap().to_owned());
            (response.status().as_u16(), name.unwrap_or_default(), test::read_body(response).await.to_vec())
        })
    }))
}

/// Returns the status and the bytes for a field with a single valid range (RFC 9110 section 14.1.2); `None` for other
/// fields.
fn expected_range<'c>(field: &str, content: &'c [u8]) -> Option<(u16, &'c [u8])> {
    let (unit, range) = field.split_once('=')?;
    let (first, last) = range.split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<usize>().unwrap())
    };
    let end = content.len() - 1;
    let (from, to) = match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => return Some((416, &[])),
        (None, Some(suffix)) if first.is_empty() => (content.len().saturating_sub(suffix), end),
        (Some(from), None) if last.is_empty() => (from, end),
        (Some(from), Some(to)) if from > to => return Some((200, content)),
        (Some(from), Some(to)) => (from, to.min(end)),
        _ => return None,
    };
    Some(if from <= end { (206, &content[from..=to]) } else { (416, &[]) })
}

/// A valid range has the result that RFC 9110 defines. No field leads to bytes outside of the file.
fn check_range(servers: &[(Vec<u8>, Get)], text: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(text) else { return };
    for (content, get) in servers {
        let (status, _, body) = get(Some(&value));
        match std::str::from_utf8(text).ok().and_then(|text| expected_range(text, content)) {
            Some((expected, bytes)) => {
                assert_eq!((status, status == 416 || body == bytes), (expected, true), "of {} bytes", content.len());
            }
            None if status == 206 => assert!(content.windows(body.len().max(1)).any(|part| part == body)),
            None => assert!(status == 416 || status == 200 && body == *content, "{status}"),
        }
    }
}

#[test]
fn fuzz_range() {
    const TOKENS: &[&str] =
        &["bytes=", "bytes", "Bytes=", "=", "-", ",", "0", "1", "9", "10", "18446744073709551615", " ", "+1", "é"];
    let servers: Vec<_> = [1, 10, 1_000].map(|length| (0..length).map(|at: u16| at as u8).collect::<Vec<u8>>()).into();
    let servers: Vec<_> = servers
        .into_iter()
        .map(|content| {
            let sent = content.clone();
            (content, serve_without_sockets(move || Download::bytes(sent.clone())))
        })
        .collect();
    let property = |text: &[u8]| check_range(&servers, text);
    let inputs = Inputs::check_corpus("range", TOKENS, property);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, property));
}

/// The field has one quoted name without characters that end it, and both names are the same apart from characters
/// outside of ASCII. A client that saves the file and sends its name again gets the same field.
fn check_disposition(field_of: &dyn Fn(&str) -> String, text: &[u8]) {
    let Ok(name) = std::str::from_utf8(text) else { return };
    let field = field_of(name);
    let Some(rest) = field.strip_prefix("attachment; filename=\"") else {
        assert_eq!(field, "attachment");
        return;
    };
    let (quoted, rest) = rest.split_once('"').unwrap();
    assert!(quoted.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !quoted.contains(['/', '\\', '%']), "{quoted}");
    let exact = match rest.strip_prefix("; filename*=UTF-8''") {
        Some(encoded) => percent_decode_str(encoded).decode_utf8().unwrap().into_owned(),
        None => {
            assert_eq!(rest, "");
            quoted.to_owned()
        }
    };
    assert_eq!(exact.chars().count(), quoted.chars().count());
    assert!(
        exact.chars().zip(quoted.chars()).all(|(char, ascii)| char == ascii || ascii == '_'),
        "{exact} and {quoted}"
    );
    assert_eq!(field_of(&exact), field);
}

#[test]
fn fuzz_disposition() {
    const TOKENS: &[&str] =
        &["a", ".", "..", "/", "\\", "\"", "%", "%22", ";", "é", "\u{202e}", "\u{0}", "\n", " ", "\u{a0}", ".csv", "'"];
    let name = Arc::new(Mutex::new(String::new()));
    let sent = Arc::clone(&name);
    let get = serve_without_sockets(move || Download::bytes("x").name(sent.lock().unwrap().as_str()));
    let field_of = AssertUnwindSafe(|text: &str| {
        text.clone_into(&mut name.lock().unwrap());
        get(None).1
    });
    let property = |text: &[u8]| check_disposition(&*field_of, text);
    let inputs = Inputs::check_corpus("disposition", TOKENS, property);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, property));
}

/// An accepted id is exactly the text that is written for it.
fn check_link(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Some(link) = LinkId::parse(text) {
        assert_eq!(link.to_string(), text);
    }
    let mut nonce = [0; 16];
    nonce.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    let link = LinkId::new(nonce, text.len() as u64);
    assert_eq!(LinkId::parse(&link.to_string()), Some(link));
}

#[test]
fn fuzz_link() {
    const TOKENS: &[&str] =
        &["-", "0", "9", "a", "A", "F", "+", "07070707070707070707070707070707", "é", "?", "&", "="];
    let inputs = Inputs::check_corpus("link", TOKENS, check_link);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_link));
}
