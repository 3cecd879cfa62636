//! The arguments of calls in requests to the upstream.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use serde_json::{Value as Json, json};

use super::fake::{self, Fake, body, field, request_line};
use super::{json_response, serve};

fn echo() -> Fake {
    fake::respond(|_| json_response("{}"))
}

fn parameter(r#type: &str) -> Json {
    json!({ "info": "A parameter", "type": r#type })
}

#[test]
fn arguments_of_a_get_method_are_in_the_path_and_in_the_query() {
    let fake = echo();
    let client = serve(&json!({ "note/{id}": { "GET": {
        "info": "A note",
        "in": {
            "{id}": parameter("id"),
            "GET@full": { "info": "All", "type": "bool", "default": false, "name": "full" },
            "GET@tags": { "info": "Tags", "type": "?array<string>", "name": "tags" },
            "GET@q": { "info": "Text", "type": "?string", "name": "q" }
        },
        "handler": { "http": fake.url("/notes/{id}") }
    } } }));
    assert_eq!(client.get("/note/7").send().status(), 200);
    assert_eq!(request_line(&fake.last_request()), "GET /notes/7?full=false HTTP/1.1");
    let response = client.get("/note/7?tags=a&tags=b%26c&q=%C3%A4%20%2B%23&full=true").send();
    assert_eq!(response.status(), 200);
    let expected = "GET /notes/7?full=true&tags=a&tags=b%26c&q=%C3%A4%20%2B%23 HTTP/1.1";
    assert_eq!(request_line(&fake.last_request()), expected);
    assert_eq!(field(&fake.last_request(), "content-length"), None);
    assert_eq!(field(&fake.last_request(), "content-type"), None);
}

#[test]
fn arguments_of_a_post_method_are_a_json_object() {
    let fake = echo();
    let client = serve(&json!({ "note/{id}": { "POST": {
        "info": "A note",
        "in": {
            "{id}": parameter("id"), "title": parameter("string"), "count": parameter("int"),
            "extra": parameter("?any"), "absent": parameter("?string")
        },
        "handler": { "http": fake.url("/notes/{id}?from=api") }
    } } }));
    let sent = json!({ "title": "é\"", "count": 3, "extra": null });
    assert_eq!(client.post("/note/7").json(&sent).send().status(), 200);
    let request = fake.last_request();
    assert_eq!(request_line(&request), "POST /notes/7?from=api HTTP/1.1");
    assert_eq!(field(&request, "content-type"), Some("application/json"));
    assert_eq!(serde_json::from_str::<Json>(body(&request)).unwrap(), sent);
}

#[test]
fn another_http_method_moves_the_arguments() {
    let fake = echo();
    let client = serve(&json!({ "find": {
        "GET": {
            "info": "Finds", "in": { "GET@q": { "info": "Text", "type": "string", "name": "q" } },
            "handler": { "http": fake.url("/find"), "method": "POST" }
        },
        "POST": {
            "info": "Finds", "in": { "q": parameter("string") },
            "handler": { "http": fake.url("/find"), "method": "DELETE" }
        }
    } }));
    client.get("/find?q=a").send();
    assert_eq!(request_line(&fake.last_request()), "POST /find HTTP/1.1");
    assert_eq!(body(&fake.last_request()), r#"{"q":"a"}"#);
    client.post("/find").json(json!({ "q": "a b" })).send();
    assert_eq!(request_line(&fake.last_request()), "DELETE /find?q=a%20b HTTP/1.1");
}

#[test]
fn the_whole_body_is_sent_as_it_was_checked_and_other_arguments_are_in_the_query() {
    let fake = echo();
    let client = serve(&json!({ "all": { "PUT": {
        "info": "Stores", "in": {
            "*": { "info": "The items", "type": "array<int>" },
            "GET@dry": { "info": "Dry", "type": "bool", "name": "dry" }
        },
        "handler": { "http": fake.url("/all") }
    } } }));
    assert_eq!(client.put("/all?dry=true").json([1, 2]).send().status(), 200);
    assert_eq!(request_line(&fake.last_request()), "PUT /all?dry=true HTTP/1.1");
    assert_eq!(body(&fake.last_request()), "[1,2]");
}

#[test]
fn a_file_that_is_the_whole_body_is_sent_as_it_is() {
    let fake = echo();
    for raw in [false, true] {
        let client = serve(&json!({ "picture": { "PUT": {
            "info": "Stores", "in": { "*": { "info": "A picture", "type": "file" } },
            "handler": { "http": fake.url("/picture"), "raw": raw }
        } } }));
        for content in ["x".to_owned(), "x".repeat(300_000)] {
            assert_eq!(client.put("/picture").body("text/plain", content.clone()).send().status(), 200);
            let request = fake.last_request();
            assert_eq!(request_line(&request), "PUT /picture HTTP/1.1");
            assert_eq!(field(&request, "content-type"), Some("text/plain"), "{raw}");
            assert_eq!(body(&request), content);
        }
    }
}

#[test]
fn a_post_without_arguments_has_the_length_zero() {
    let fake = echo();
    let client = serve(&json!({ "go": { "POST": { "info": "Goes", "handler": { "http": fake.url("/go") } } } }));
    assert_eq!(client.post("/go").send().status(), 200);
    assert_eq!(field(&fake.last_request(), "content-length"), Some("0"));
}

#[test]
fn files_are_sent_as_a_form() {
    let fake = echo();
    let client = serve(&json!({ "file": { "POST": {
        "info": "Stores a file",
        "in": { "picture": parameter("file"), "title": parameter("string"), "tags": parameter("array<string>") },
        "handler": { "http": fake.url("/file") }
    } } }));
    let content = "x".repeat(300_000) + "\r\n--end";
    let sent = [
        "picture\"; filename=\"a\\\"b.txt\"\r\n\r\n".to_owned() + &content,
        "title\"\r\n\r\nA\r\nB".to_owned(),
        "tags\"\r\n\r\n[\"c\",\"d\"]".to_owned(),
    ];
    let sent = sent.map(|part| format!("--b\r\nContent-Disposition: form-data; name=\"{part}\r\n")).concat();
    let response = client.post("/file").body("multipart/form-data; boundary=b", sent + "--b--\r\n").send();
    assert_eq!(response.status(), 200, "{}", response.text());
    let request = fake.last_request();
    let media_type = field(&request, "content-type").unwrap();
    let boundary = media_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let parts: Vec<_> = body(&request).split(&format!("--{boundary}")).collect();
    assert_eq!(parts.first(), Some(&""));
    assert_eq!(parts.last(), Some(&"--\r\n"));
    let part = |name: &str| {
        let start = format!("\r\nContent-Disposition: form-data; name=\"{name}\"");
        parts.iter().filter_map(|part| part.strip_prefix(&start)).collect::<Vec<_>>()
    };
    let picture = part("picture")[0].strip_prefix("; filename=\"a%22b.txt\"\r\nContent-Type: text/plain").unwrap();
    assert_eq!(picture.split_once("\r\n\r\n").unwrap().1, content + "\r\n");
    assert_eq!(part("title"), ["\r\n\r\nA\r\nB\r\n"]);
    assert_eq!(part("tags"), ["\r\n\r\nc\r\n", "\r\n\r\nd\r\n"]);
}

#[test]
fn a_response_before_the_end_of_the_request_is_returned_and_its_connection_is_not_used_again() {
    const SIZE: usize = 9 << 20;
    let (sender, receiver) = mpsc::channel();
    let is_over = Arc::new(AtomicBool::new(false));
    let (is_done, sender) = (Arc::clone(&is_over), Mutex::new(sender));
    let fake = fake::start(move |connection| {
        if connection.index > 0 {
            while connection.request().is_some() {
                connection.send(json_response("{}"));
            }
            return;
        }
        let mut bytes = vec![0; 1000];
        connection.stream.read_exact(&mut bytes).unwrap();
        connection.send(json_response("{}"));
        // The rest of the request is not received before both calls have ended.
        fake::wait_until(|| is_done.load(Ordering::Acquire), "both calls have ended");
        let _ = connection.stream.read_to_end(&mut bytes);
        sender.lock().unwrap().send(bytes.len()).unwrap();
    });
    let client = serve(&json!({ "file": { "POST": {
        "info": "Stores a file", "in": { "file": parameter("file") },
        "handler": { "http": fake.url("/file"), "timeout": 15 }
    } } }));
    // The file does not fit into the buffers of the connection.
    let call = || client.post("/file").file("file", "a.bin", vec![b'a'; SIZE]).send().status();
    assert_eq!((call(), call()), (200, 200));
    assert_eq!(fake.opened(), 2);
    is_over.store(true, Ordering::Release);
    let received = receiver.recv_timeout(fake::PATIENCE).unwrap();
    assert!(received < SIZE, "the connection was not closed");
}

#[test]
fn an_argument_is_always_one_path_segment() {
    let fake = echo();
    let client = serve(&json!({ "file": { "GET": {
        "info": "A file",
        "in": { "GET@name": { "info": "The name", "type": "string", "name": "name" } },
        "handler": { "http": fake.url("/files/{name}/v{name}?n={name}") }
    } } }));
    let cases = [
        ("a%2Fb", "a%2Fb"),
        ("a%20b", "a%20b"),
        ("a%3Fb%23c", "a%3Fb%23c"),
        ("%2525", "%2525"),
        ("%252e%252e%252f", "%252e%252e%252f"),
        ("a%26b%3Dc%2Bd%3Be", "a%26b%3Dc%2Bd%3Be"),
        ("%0D%0AX-Evil%3A%201", "%0D%0AX-Evil%3A%201"),
        ("%00", "%00"),
        ("http%3A%2F%2F10.0.0.1%2F", "http%3A%2F%2F10.0.0.1%2F"),
        ("%40host%3A1", "%40host%3A1"),
        ("...", "..."),
        ("...%3B", "...%3B"),
        ("a..%3B..", "a..%3B.."),
        ("%C3%A9", "%C3%A9"),
        ("a%5Cb", "a%5Cb"),
        ("%2F", "%2F"),
        ("a%2F%2Fb%2F", "a%2F%2Fb%2F"),
    ];
    for (sent, expected) in cases {
        let response = client.get(&format!("/file?name={sent}")).send();
        assert_eq!(response.status(), 200, "{sent}: {}", response.text());
        let expected = format!("GET /files/{expected}/v{expected}?n={expected} HTTP/1.1");
        assert_eq!(request_line(&fake.last_request()), expected);
        assert_eq!(field(&fake.last_request(), "x-evil"), None);
    }
}

#[test]
fn arguments_that_lead_to_another_path_are_rejected_and_not_sent() {
    let fake = echo();
    let client = serve(&json!({ "file": { "GET": {
        "info": "A file",
        "in": { "GET@name": { "info": "The name", "type": "string", "name": "name" } },
        "handler": { "http": fake.url("/files/{name}") }
    } } }));
    for sent in [
        "",
        ".",
        "..",
        "..%2Fadmin",
        "a%2F..%2F..%2Fadmin",
        "..%5Cadmin",
        "a%2F.",
        "%2E%2E",
        "a%2F..%5Cb",
        "..%3B",
        ".%3Bx",
        "a%2F..%3Bx%3By%2Fadmin",
        "%3B",
        "%3Bx",
        "..%00",
        "..%00a",
        "..%09",
        "%0A.%0D.",
        ".%20",
        "a%2F..%C2%85%2Fadmin",
    ] {
        let response = client.get(&format!("/file?name={sent}")).send();
        assert_eq!((response.status(), response.invalid_parameters()), (400, vec!["name"]), "{sent:?}");
    }
    let error = &client.get("/file?name=..%2Fadmin").send().json()["errors"][0];
    assert_eq!(error["got"], r#""../admin""#);
    assert_eq!(fake.requests().len(), 0);
}

#[test]
fn an_error_does_not_contain_a_rejected_secret() {
    let fake = echo();
    for (key, name) in
        [("GET@token", "name"), ("GET@name", "token"), ("HEADER@x-name", "name"), ("COOKIE@name", "name")]
    {
        let client = serve(&json!({ "file": { "GET": {
            "info": "A file", "in": { key: { "info": "The name", "type": "string", "name": name } },
            "handler": { "http": fake.url(&format!("/files/{{{name}}}")) }
        } } }));
        let request = client.get("/file?token=..%2Fadmin&name=..%2Fadmin").header("x-name", "../admin");
        let response = request.header("cookie", "name=../admin").send();
        assert_eq!((response.status(), &response.json()["errors"][0]["got"]), (400, &Json::Null), "{key}");
        assert!(!response.text().contains("admin"), "{}", response.text());
    }
}
