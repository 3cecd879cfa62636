//! The addresses in the responses of upstreams that are sent on.

use serde_json::{Value as Json, json};

use super::fake::{self, Fake};
use super::serve;
use rulebook_test::Client;

/// Responds with the header field in the header field `X-Respond` of the request, in which `UPSTREAM` is the address of
/// the upstream.
fn echo() -> Fake {
    fake::start(|connection| {
        let address = connection.stream.local_addr().unwrap();
        while let Some(request) = connection.request() {
            let respond = fake::field(&request, "x-respond").unwrap().replace("UPSTREAM", &address.to_string());
            connection.send(format!("HTTP/1.1 201 Created\r\n{respond}\r\nContent-Length: 0\r\n\r\n"));
        }
    })
}

fn serve_note(handler: &Json) -> Client {
    let method =
        json!({ "info": "A note", "in": { "{id}": { "info": "The id", "type": "string" } }, "handler": handler });
    serve(&json!({ "v2/note/{id}": { "GET": method } }))
}

/// Returns the value of the header field of the response to `GET /v2/note/7`.
fn received(client: &Client, name: &str, value: &str) -> String {
    let response = client.get("/v2/note/7").header("X-Respond", format!("{name}: {value}")).send();
    assert_eq!(response.status(), 201, "{}", response.text());
    response.header(name).unwrap_or_default().to_owned()
}

#[test]
fn the_address_of_the_upstream_is_replaced_by_the_path() {
    let fake = echo();
    let client = serve_note(&json!({ "http": fake.url(""), "raw": true }));
    for (sent, expected) in [
        ("http://UPSTREAM/v2/note/8?a=b#c", "/v2/note/8?a=b#c"),
        ("HTTP://UPSTREAM/a", "/a"),
        // An upstream behind a proxy with TLS, which has the same name.
        ("https://UPSTREAM/a", "/a"),
        ("http://UPSTREAM", "/"),
        ("http://UPSTREAM?a=b", "/?a=b"),
        ("//UPSTREAM/a", "/a"),
        // Without the dot, these would be the names of hosts.
        ("http://UPSTREAM//evil.example/a", "/.//evil.example/a"),
        ("http://UPSTREAM/\\evil.example/a", "/./\\evil.example/a"),
        ("/v2/note/8", "/v2/note/8"),
        ("8", "8"),
    ] {
        assert_eq!(received(&client, "Location", sent), expected, "{sent}");
        assert_eq!(received(&client, "Content-Location", sent), expected, "{sent}");
    }
    for sent in ["5; url=http://UPSTREAM/a", "0;URL='http://UPSTREAM/a'", "1;url=\"http://UPSTREAM/a\""] {
        let expected = sent.replace("http://UPSTREAM", "");
        assert_eq!(received(&client, "Refresh", sent), expected);
    }
}

#[test]
fn other_addresses_are_sent_on() {
    let fake = echo();
    let client = serve_note(&json!({ "http": fake.url(""), "raw": true }));
    let upstream = fake.address.to_string();
    for sent in [
        "http://other.example/a",
        "https://127.0.0.1/a",
        "http://UPSTREAM.example/a",
        "http://user@UPSTREAM/a",
        "http://127.0.0.1/a",
        "http://UPSTREAM/a\tb",
        "ftp://UPSTREAM/a",
        "/a?b=http://UPSTREAM/",
    ] {
        assert_eq!(received(&client, "Location", sent), sent.replace("UPSTREAM", &upstream), "{sent}");
    }
    for name in ["Set-Cookie", "Link", "X-Location"] {
        let sent = format!("<http://{upstream}/a>");
        assert_eq!(received(&client, name, &sent), sent);
    }
    assert_eq!(received(&client, "Refresh", "5"), "5");
}

#[test]
fn a_prefix_of_the_address_is_replaced_by_that_of_the_api() {
    let fake = echo();
    let client = serve_note(&json!({ "http": fake.url("/app/notes/{id}"), "raw": true }));
    for (sent, expected) in [
        ("http://UPSTREAM/app/notes/8?a=b", "/v2/note/8?a=b"),
        ("http://UPSTREAM/app/notes", "/v2/note"),
        ("http://UPSTREAM/app/notes#a", "/v2/note#a"),
        ("/app/notes/8", "/app/notes/8"),
    ] {
        assert_eq!(received(&client, "Location", sent), expected, "{sent}");
    }
    for path in ["/app/notesx", "/app/users", "/login", ""] {
        let sent = fake.url(path);
        assert_eq!(received(&client, "Location", &sent), sent);
    }
    let client = serve_note(&json!({ "http": fake.url("/show"), "raw": true }));
    assert_eq!(received(&client, "Location", "http://UPSTREAM/show"), "/v2/note/7");
    assert_eq!(received(&client, "Location", "http://UPSTREAM/show/lines"), "/v2/note/7/lines");
}

#[test]
fn the_host_in_the_settings_is_an_address_of_the_upstream() {
    let fake = echo();
    let handler = json!({ "http": fake.url(""), "raw": true, "headers": { "Host": "notes.internal" } });
    let client = serve_note(&handler);
    for sent in ["http://notes.internal/a", "https://Notes.Internal/a", "//notes.internal/a", "http://UPSTREAM/a"] {
        assert_eq!(received(&client, "Location", sent), "/a", "{sent}");
    }
    assert_eq!(received(&client, "Location", "http://notes.internal:81/a"), "http://notes.internal:81/a");
}
