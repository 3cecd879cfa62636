//! Tests the names of the parts of multipart bodies, and parts whose names are not those of parameters.

use serde_json::{Value as Json, json};

use crate::client::{Request, TestServer};

/// Starts a server whose method `POST /x` has the text parameter `note`, the array parameter `tags` and a file.
fn server(app: Json) -> TestServer {
    let method = json!({ "info": "Returns them", "in": {
        "note": { "info": "A note", "type": "?string" },
        "é ü": { "info": "A text", "type": "?string", "name": "accents" },
        "tags": { "info": "Tags", "type": "?array<string>" },
        "file": { "info": "A file", "type": "?file" }
    } });
    TestServer::echo(&[("app.json", app), ("x.json", json!({ "/": { "x": { "POST": method } } }))])
}

#[test]
fn unknown_parts_are_ignored_up_to_the_limit_parts() {
    let server = server(json!({ "limits": { "parts": 7 } }));
    for (unknown, status) in [(0, 200), (6, 200), (7, 413)] {
        for kind in ["", "; filename=\"a.txt\""] {
            let names: Vec<_> = (0..unknown).map(|number| format!("name=\"unknown{number}\"{kind}")).collect();
            let mut parts: Vec<_> = names.iter().map(|name| (name.as_str(), &b"a"[..])).collect();
            parts.push(("name=\"note\"", b"b"));
            let response = server.send(&Request::new("POST", "/x").multipart(&parts));
            assert_eq!(response.status, status, "{unknown}{kind}: {response:?}");
            assert_eq!(response.json()["args"]["note"] == "b", status == 200, "{unknown}{kind}: {response:?}");
        }
        server.assert_no_temporary_files();
    }
}

#[test]
fn names_of_parts_are_utf8_without_control_characters() {
    let server = server(json!({}));
    for (disposition, expected) in [
        (&b"name=\"\xc3\xa9 \xc3\xbc\""[..], Ok("accents")),
        (b"name=\"unknown \xe2\x82\xac\"", Ok("")),
        // Browsers percent-encode line breaks and quotes (HTML standard, "multipart/form-data encoding algorithm").
        (b"name=\"unknown %0D%0A%22\"", Ok("")),
        (b"name=\"unknown \t\"", Ok("")),
        (b"name=\"note\x00\"", Err("the header fields of part 1 are malformed")),
        (b"name=\"note\x1b\"", Err("the header fields of part 1 are malformed")),
        (b"name=\"note\x7f\"", Err("the header fields of part 1 are malformed")),
        // The encoding of the name is not UTF-8.
        (b"name=\"\xe9 \xfc\"", Err("part 1")),
    ] {
        let body = [&b"--XX\r\nContent-Disposition: form-data; "[..], disposition, b"\r\n\r\na\r\n--XX--\r\n"].concat();
        let response = server.send(&Request::new("POST", "/x").body("multipart/form-data; boundary=XX", body));
        let body = response.json();
        match expected {
            Ok(name) => {
                let arguments = body["args"].as_object().unwrap_or_else(|| panic!("{response:?}"));
                let present =
                    arguments.iter().find(|(_, value)| !value.is_null()).map_or("", |(name, _)| name.as_str());
                assert_eq!(present, name, "{response:?}");
            }
            Err(text) => {
                let error = body["ErrorDescription"].as_str().unwrap_or_default();
                assert!(response.status == 400 && error.contains(text), "{response:?}");
            }
        }
    }
}

#[test]
fn a_part_with_an_unreadable_file_name_is_refused_instead_of_becoming_a_text() {
    let server = server(json!({}));
    for (disposition, is_text) in [
        (&b"name=\"note\"; filename=\"\xe9.txt\""[..], false),
        (b"name=\"note\"; filename*=UTF-8''%C3%A9.txt", false),
        (b"name=\"note\"; FileName * = a", false),
        (b"name=\"note\"; x=\"; filename*=a\"", true),
        (b"name=\"note\"; FileName * = UTF-8''a", false),
        (b"name=\"note\"; filenames=a", true),
    ] {
        let body = [&b"--XX\r\nContent-Disposition: form-data; "[..], disposition, b"\r\n\r\na\r\n--XX--\r\n"].concat();
        let response = server.send(&Request::new("POST", "/x").body("multipart/form-data; boundary=XX", body));
        let body = response.json();
        if is_text {
            assert_eq!(body["args"]["note"], "a", "{response:?}");
        } else {
            let error = body["ErrorDescription"].as_str().unwrap_or_default();
            assert!(error.contains("the header fields of part 1 are malformed"), "{response:?}");
            assert_eq!(response.status, 400);
        }
    }
}

#[test]
fn file_names_are_read_as_browsers_write_them() {
    let server = server(json!({}));
    for (written, name) in [
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("say %22hi%22.txt", "say \"hi\".txt"),
        ("say \\\"hi\\\".txt", "say \"hi\".txt"),
        ("C:\\\\temp\\\\b.txt", "b.txt"),
    ] {
        let disposition = format!("name=\"file\"; filename=\"{written}\"");
        let response = server.send(&Request::new("POST", "/x").multipart(&[(&disposition, b"x")]));
        assert_eq!(response.json()["args"]["file"]["filename"], name, "{response:?}");
    }
}

#[test]
fn a_single_text_is_an_array_with_one_item() {
    let server = server(json!({}));
    let response = server.send(&Request::new("POST", "/x").multipart(&[("name=\"tags\"", b"a,b")]));
    assert_eq!(response.json()["args"]["tags"], json!(["a,b"]), "{response:?}");
}
