//! Tests of links to files. A script that requests a download receives a link, from which a browser downloads the file.
//! The links are signed and expire.

use rulebook::{ApiError, Args, Context, Download, Engine, Module, Unbound};
use serde_json::{Value as Json, json};

use super::download_definition;
use super::link_place::{LinkPlace, link_places};
use crate::client::{Request, Response, TestServer, engine, wait_until};

/// Returns an engine in which `GET /it` returns the file that `make_download` creates.
pub fn link_engine(
    place: &LinkPlace,
    limits: &Json,
    make_download: impl Fn() -> Download + Clone + Send + Sync + 'static,
) -> Engine {
    let handler = move |_: Args<()>, context: Context| {
        let download = make_download();
        async move {
            context.set_header("X-Said", "1")?;
            Ok::<_, ApiError>(download)
        }
    };
    let files = [("files.json", download_definition(&json!({}))), ("app.json", json!({ "limits": limits }))];
    engine(&files, |rulebook| place.configure(rulebook).module(Module::new("files").get("/it", handler)))
}

pub fn digits_file() -> Download {
    Download::bytes("0123456789").name("figures é.csv").header("X-Own", "2").header("Content-Language", "fr")
}

pub fn link_request() -> Request {
    Request::new("GET", "/it").field("x-requested-with", "XMLHttpRequest")
}

/// Returns the link that a response contains.
#[track_caller]
pub fn read_link(response: &Response) -> String {
    assert_eq!((response.status, response.field("content-type")), (200, Some("application/json")), "{response:?}");
    response.json()["link"].as_str().unwrap().to_owned()
}

pub fn get_target(server: &TestServer, target: &str) -> Response {
    server.send(&Request::new("GET", target))
}

#[test]
fn a_script_receives_a_link_to_the_file() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({}), digits_file));
        let response = server.send(&link_request());
        let link = read_link(&response);
        assert_eq!(response.json(), json!({ "error": 0, "ErrorDescription": "all right", "link": link }));
        let fields = ["x-said", "x-own", "cache-control", "vary"].map(|name| response.field(name));
        assert_eq!(fields, [Some("1"), None, Some("no-store"), Some("X-Requested-With")]);

        let file = get_target(&server, &link);
        assert_eq!((file.status, &file.body[..]), (200, &b"0123456789"[..]), "{file:?}");
        let fields = [
            ("content-type", Some("text/csv")),
            ("content-length", Some("10")),
            (
                "content-disposition",
                Some("attachment; filename=\"figures _.csv\"; filename*=UTF-8''figures%20%C3%A9.csv"),
            ),
            ("content-security-policy", Some("sandbox")),
            ("x-content-type-options", Some("nosniff")),
            ("referrer-policy", Some("no-referrer")),
            ("accept-ranges", Some("bytes")),
            ("x-own", Some("2")),
            ("content-language", Some("fr")),
            ("x-said", None),
        ];
        for (name, value) in fields {
            assert_eq!(file.field(name), value, "{name}: {file:?}");
        }
        let etag = file.field("etag").unwrap();
        assert_eq!(server.send(&Request::new("GET", &link).field("if-none-match", etag)).status, 304);
        let part = server.send(&Request::new("GET", &link).field("range", "bytes=3-5").field("if-range", etag));
        assert_eq!(
            (part.status, &part.body[..], part.field("content-range")),
            (206, &b"345"[..], Some("bytes 3-5/10"))
        );
        assert_eq!(server.send(&Request::new("GET", &link).field("range", "bytes=10-")).status, 416);
        let head = server.send(&Request::new("HEAD", &link));
        assert_eq!((head.status, head.field("content-length")), (200, Some("10")));
        let options = server.send(&Request::new("OPTIONS", &link));
        assert_eq!((options.status, options.field("allow")), (204, Some("GET, HEAD, OPTIONS")));
        server.send(&Request::new("DELETE", &link)).assert_error(405, "");
        assert_eq!(get_target(&server, &link).status, 200, "it is good until it expires, however often");
    }
}

#[test]
fn cookies_are_set_in_the_response_with_the_link_and_not_with_the_file() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({}), || {
            digits_file().header("Set-Cookie", "session=secret")
        }));
        let response = server.send(&link_request());
        assert_eq!(response.field("set-cookie"), Some("session=secret"));
        assert_eq!(
            get_target(&server, &read_link(&response)).field("set-cookie"),
            None,
            "whoever has the link would be who asked for it"
        );
        assert_eq!(get_target(&server, "/it").field("set-cookie"), Some("session=secret"));
    }
}

#[test]
fn the_header_field_that_requests_a_link_is_case_insensitive() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({}), digits_file));
        for value in ["xmlhttprequest", "XMLHTTPREQUEST", " XMLHttpRequest "] {
            read_link(&server.send(&Request::new("GET", "/it").field("X-Requested-With", value)));
        }
        let links = place.link_files().len();
        for value in ["fetch", "", "XMLHttpRequest2"] {
            let response = server.send(&Request::new("GET", "/it").field("x-requested-with", value));
            assert_eq!((response.status, &response.body[..]), (200, &b"0123456789"[..]), "{value:?}");
            assert_eq!(response.field("vary"), Some("X-Requested-With"));
        }
        let head = server.send(&Request::new("HEAD", "/it").field("x-requested-with", "XMLHttpRequest"));
        assert_eq!((head.status, head.field("content-type")), (200, Some("text/csv")));
        assert_eq!((links, place.link_files().len()), (3, 3), "nothing is kept for others");
    }
}

#[test]
fn a_response_contains_the_link_in_every_envelope() {
    for place in link_places() {
        let mut of_plain = download_definition(&json!({}));
        of_plain["envelope"] = json!("plain");
        let mut of_phalapi = json!({ "envelope": "phalapi", "/": {} });
        of_phalapi["/"]["other"] = of_plain["/"]["it"].clone();
        let files = [("plain.json", of_plain), ("phalapi.json", of_phalapi)];
        let server = TestServer::start(&engine(&files, |rulebook| place.configure(rulebook).unbound(Unbound::Echo)));
        let plain = server.send(&link_request()).json()["link"].clone();
        let fetch = Request::new("GET", "/other").field("x-requested-with", "XMLHttpRequest");
        let phalapi = server.send(&fetch).json()["data"]["link"].clone();
        for link in [plain, phalapi] {
            assert_eq!(get_target(&server, link.as_str().unwrap()).body, br#"{"args":{}}"#);
        }
    }
}

#[test]
fn forged_and_changed_links_are_refused() {
    for (place, other) in link_places().into_iter().zip(link_places()) {
        let server = TestServer::start(&link_engine(&place, &json!({}), digits_file));
        get_target(&server, "/-/downloads/0123456789abcdef0123456789abcdef?expires=9999999999&signature=00")
            .assert_error(403, "link");
        let link = read_link(&server.send(&link_request()));
        let (path, query) = link.split_once('?').unwrap();
        let (expires, signature) = query.split_once('&').unwrap();
        let until: u64 = expires.strip_prefix("expires=").unwrap().parse().unwrap();
        let flipped = |text: &str| {
            let (rest, last) = text.split_at(text.len() - 1);
            format!("{rest}{}", if last == "0" { "1" } else { "0" })
        };
        let wrong = [
            path.to_owned(),
            format!("{path}?{expires}"),
            format!("{path}?{signature}"),
            format!("{path}?{signature}&{expires}"),
            format!("{path}?expires={}&{signature}", until + 1),
            format!("{path}?expires={}&{signature}", until - 1),
            format!("{path}?expires=0{until}&{signature}"),
            format!("{path}?expires=+{until}&{signature}"),
            format!("{path}?expires=99999999999999999999999&{signature}"),
            format!("{link}&more=1"),
            format!("{link}0"),
            format!("{}?{query}", flipped(path)),
            flipped(&link),
            format!("{path}?{expires}&signature="),
            format!("{path}?{expires}&signature=zz"),
            format!("{path}/?{query}"),
            format!("/-/downloads/..%2Flinks.key?{query}"),
            format!("/-/downloads/?{query}"),
            format!("/-/downloads/../../links.key?{query}"),
            format!("{}?{query}", path.to_uppercase().replace("/DOWNLOADS/", "/downloads/")),
        ];
        for target in wrong {
            let response = get_target(&server, &target);
            response.assert_error(403, "the link was not issued by this server");
            assert_eq!(response.json()["error"], 302, "{target}");
        }
        assert_eq!(get_target(&server, &format!("/-/other?{query}")).status, 404, "a link is for its own path alone");
        assert_eq!(get_target(&server, &format!("/it/{query}")).status, 404);
        let stranger = TestServer::start(&link_engine(&other, &json!({}), digits_file));
        self::read_link(&stranger.send(&link_request()));
        get_target(&stranger, &link).assert_error(403, "link");
        assert_eq!(get_target(&server, &link).status, 200);
    }
}

#[test]
fn an_expired_link_is_gone_and_its_file_deleted() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({ "link": 1 }), digits_file));
        let link = read_link(&server.send(&link_request()));
        assert_eq!(place.link_files().len(), 1);
        assert!(wait_until(|| get_target(&server, &link).status != 200), "the link does not expire");
        let response = get_target(&server, &link);
        response.assert_error(410, "the link has expired");
        assert_eq!(response.json()["error"], 202);
        assert!(wait_until(|| place.has_no_files()), "its file stays");
        assert_eq!(get_target(&server, &link).status, 410);
    }
}

#[test]
fn a_link_whose_file_was_deleted_is_gone() {
    for place in link_places() {
        let server = TestServer::start(&link_engine(&place, &json!({}), digits_file));
        let link = read_link(&server.send(&link_request()));
        place.delete_one();
        get_target(&server, &link).assert_error(410, "removed");
    }
}

#[test]
fn the_file_of_a_link_is_never_stored_by_shared_caches() {
    let cases = [
        (None, "private"),
        (Some("no-cache"), "private, no-cache"),
        (Some("Private, max-age=60"), "Private, max-age=60"),
        (Some("no-store"), "no-store"),
    ];
    for (given, expected) in cases {
        for place in link_places() {
            let file = move || given.into_iter().fold(digits_file(), |file, value| file.header("Cache-Control", value));
            let server = TestServer::start(&link_engine(&place, &json!({}), file));
            let link = read_link(&server.send(&link_request()));
            assert_eq!(get_target(&server, &link).field("cache-control"), Some(expected), "{given:?}");
        }
    }
}
