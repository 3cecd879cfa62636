//! Tests uploads and downloads of single files.

use std::fs;

use serde_json::{Value, json};

use super::{CONTENT_DISPOSITION, FILENAME_DISPOSITION, GIF_START, InternalApiServer, entity_tag};
use crate::client::{Request, Response};

/// The names and values of header fields in a request.
type HeaderFields<'a> = &'a [(&'a str, &'a str)];

fn with_fields(request: Request, fields: HeaderFields<'_>) -> Request {
    fields.iter().fold(request, |request, (name, value)| request.field(name, value))
}

#[track_caller]
fn assert_fields(response: &Response, fields: &[(&str, Option<&str>)]) {
    for (name, value) in fields {
        assert_eq!(response.field(name), *value, "{name} of {response:?}");
    }
}

#[test]
fn a_downloaded_file_has_the_uploaded_content_and_describes_it() {
    let peer = InternalApiServer::start();
    let content = [GIF_START, b"a picture"].concat();
    let stored = peer.upload("./public/images/封面.gif", &content);
    assert_eq!((stored.status, stored.body.len()), (204, 0), "{stored:?}");
    let tag = entity_tag(&content);
    assert_fields(&stored, &[("etag", Some(&tag)), ("content-type", None), ("content-length", None)]);

    let fetched = peer.download("public/images/封面.gif");
    assert_eq!((fetched.status, &fetched.body), (200, &content));
    let modified = fetched.field("last-modified").unwrap().to_owned();
    let length = content.len().to_string();
    let about = [
        ("etag", Some(tag.as_str())),
        ("last-modified", Some(modified.as_str())),
        ("content-type", Some("image/gif")),
        ("content-length", Some(length.as_str())),
        ("content-disposition", Some("inline; filename=\"__.gif\"; filename*=UTF-8''%E5%B0%81%E9%9D%A2.gif")),
        ("accept-ranges", Some("bytes")),
        ("x-content-type-options", Some("nosniff")),
        ("content-security-policy", Some("sandbox")),
        ("cache-control", Some("no-cache")),
    ];
    assert_fields(&fetched, &about);
    let head = peer.send(&peer.download_request("HEAD", "./public/images/封面.gif"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_fields(&head, &about);

    let again = [GIF_START, b"another"].concat();
    assert_eq!(peer.upload("public/images/封面.gif", &again).status, 204);
    assert_eq!(peer.download("public/images/封面.gif").body, again);
    let names: Vec<_> = peer.stored_tree().into_keys().collect();
    assert_eq!(names, ["public/", "public/images/", "public/images/封面.gif"]);
    peer.assert_staged(0);
}

#[test]
fn empty_files_can_be_stored() {
    let peer = InternalApiServer::with_definition(|definition| drop(content_parameter(definition).remove("range")));
    assert_eq!(peer.upload("public/empty", b"").status, 204);
    let fetched = peer.download("public/empty");
    assert_eq!((fetched.status, fetched.body.len()), (200, 0));
    assert_fields(&fetched, &[("etag", Some(&entity_tag(b""))), ("content-length", Some("0"))]);
}

#[test]
fn parts_of_an_upload_may_be_in_any_order_and_unknown_parts_are_ignored() {
    let peer = InternalApiServer::start();
    let content = (CONTENT_DISPOSITION, GIF_START);
    let name = (FILENAME_DISPOSITION, &b"public/a.gif"[..]);
    let other = ("name=\"other\"; filename=\"o\"", &b"ignored"[..]);
    for parts in [&[content, name][..], &[name, content], &[other, name, content], &[name, content, other]] {
        let response = peer.send(&peer.request("POST", "/iapi/file").multipart(parts));
        assert_eq!(response.status, 204, "{parts:?} {response:?}");
        assert_eq!(peer.download("public/a.gif").body, GIF_START);
        fs::remove_file(peer.store().join("public/a.gif")).unwrap();
    }
    peer.assert_staged(0);
}

#[test]
fn errors_name_invalid_parameters_and_no_file_is_stored() {
    let peer = InternalApiServer::start();
    let name = (FILENAME_DISPOSITION, &b"public/a.gif"[..]);
    let too_long = vec![b'x'; 64 << 20];
    let text = b"Once upon a time".as_slice();
    let cases: &[(&[_], u16, &[&str])] = &[
        (&[(CONTENT_DISPOSITION, text), name], 400, &["content"]),
        (
            &[name, (CONTENT_DISPOSITION, b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>")],
            400,
            &["content"],
        ),
        (&[name], 400, &["content"]),
        (&[(CONTENT_DISPOSITION, GIF_START)], 400, &["filename"]),
        (&[("name=\"content\"", GIF_START), name], 400, &["content"]),
        (&[(CONTENT_DISPOSITION, GIF_START), (CONTENT_DISPOSITION, GIF_START), name], 400, &["content"]),
        (&[(CONTENT_DISPOSITION, GIF_START), name, name], 400, &["filename"]),
        (
            &[(CONTENT_DISPOSITION, GIF_START), ("name=\"filename\"; filename=\"x\"", b"public/a.gif")],
            400,
            &["filename"],
        ),
        (&[(CONTENT_DISPOSITION, GIF_START), (FILENAME_DISPOSITION, b"secret/a.gif")], 400, &["filename"]),
        (&[(CONTENT_DISPOSITION, GIF_START), (FILENAME_DISPOSITION, b"cache/a.gif")], 400, &["filename"]),
        (&[(CONTENT_DISPOSITION, text), (FILENAME_DISPOSITION, b"../a.gif")], 400, &["content", "filename"]),
        (&[(CONTENT_DISPOSITION, GIF_START), (FILENAME_DISPOSITION, b"public/\xff.gif")], 400, &["filename"]),
    ];
    for (parts, status, invalid) in cases {
        let response = peer.send(&peer.request("POST", "/iapi/file").multipart(parts));
        assert_eq!(response.status, *status, "{parts:?} {response:?}");
        let document = response.json();
        let errors = document["errors"].as_array().into_iter().flatten();
        let mut got: Vec<_> = errors.map(|error| error["parameter"].as_str().unwrap()).collect();
        got.sort_unstable();
        assert_eq!(got, *invalid, "{parts:?} {response:?}");
        assert!(!String::from_utf8_lossy(&response.body).contains(peer.folder().to_str().unwrap()), "{response:?}");
    }
    let mut long = peer.connect();
    let request = peer.request("POST", "/iapi/file").multipart(&[(CONTENT_DISPOSITION, &too_long), name]);
    long.write(&request.head());
    assert_eq!(long.read_response(false).status, 413, "before the body is sent");
    assert_eq!(peer.stored_tree(), [].into());
    peer.assert_staged(0);
    peer.assert_healthy();
}

#[test]
fn api_keys_without_the_permission_can_neither_download_nor_upload() {
    let peer = InternalApiServer::start();
    assert_eq!(peer.upload("public/a.gif", GIF_START).status, 204);
    let reader = crate::keys::add_key(peer.folder(), &["--name", "reader", "--scope", "iapi.read"]);
    let other = crate::keys::add_key(peer.folder(), &["--name", "other", "--scope", "reader"]);
    let (get, post) = ("GET /iapi/file?filename=public/a.gif", "POST /iapi/file");
    for (key, what, status) in [
        (None, get, 401),
        (None, post, 401),
        (Some("rb_0123abcd_none"), get, 401),
        (Some(other.as_str()), get, 403),
        (Some(other.as_str()), post, 403),
        (Some(reader.as_str()), get, 200),
        (Some(reader.as_str()), post, 403),
    ] {
        let (method, target) = what.split_once(' ').unwrap();
        let mut request = Request::new(method, target);
        if let Some(key) = key {
            request = request.field("authorization", format_args!("Bearer {key}"));
        }
        if method == "POST" {
            request =
                request.multipart(&[(CONTENT_DISPOSITION, b"GIF89a-other"), (FILENAME_DISPOSITION, b"public/a.gif")]);
        }
        // A running server uses a new API key within a second.
        let has_status = || peer.send(&request).status == status;
        assert!(crate::client::wait_until(has_status), "{what} {:?}", peer.send(&request));
    }
    assert_eq!(peer.download("public/a.gif").body, GIF_START);
}

#[test]
fn an_upload_whose_precondition_fails_changes_no_file() {
    let peer = InternalApiServer::start();
    let (old, new) = ([GIF_START, b"old"].concat(), [GIF_START, b"new"].concat());
    let (old_tag, new_tag) = (entity_tag(&old), entity_tag(&new));
    let weak = format!("W/{old_tag}");
    let several = format!("\"x\", {old_tag}");
    // Each case: the header fields, whether the file exists, and the expected status.
    let cases: &[(HeaderFields<'_>, bool, u16)] = &[
        (&[("if-none-match", "*")], false, 204),
        (&[("if-none-match", "*")], true, 412),
        (&[("if-none-match", &old_tag)], true, 412),
        (&[("if-none-match", &weak)], true, 412),
        (&[("if-none-match", &new_tag)], true, 204),
        (&[("if-none-match", &old_tag)], false, 204),
        (&[("if-match", &old_tag)], true, 204),
        (&[("if-match", &several)], true, 204),
        (&[("if-match", &new_tag)], true, 412),
        (&[("if-match", &weak)], true, 412),
        (&[("if-match", "*")], true, 204),
        (&[("if-match", "*")], false, 412),
        (&[("if-match", &old_tag)], false, 412),
        (&[("if-match", &old_tag), ("if-none-match", "*")], true, 412),
    ];
    for (fields, exists, status) in cases {
        let path = peer.store().join("public/a.gif");
        let _ = fs::remove_file(&path);
        if *exists {
            assert_eq!(peer.upload("public/a.gif", &old).status, 204);
        }
        let response = peer.send(&with_fields(peer.upload_request("public/a.gif", &new), fields));
        assert_eq!(response.status, *status, "{fields:?} {exists} {response:?}");
        let expected = match (response.status, exists) {
            (204, _) => Some(new.clone()),
            (_, true) => Some(old.clone()),
            (_, false) => None,
        };
        assert_eq!(fs::read(&path).ok(), expected, "{fields:?} {exists}");
        assert_eq!(response.field("etag"), (response.status == 204).then_some(new_tag.as_str()), "{fields:?}");
    }
    peer.assert_staged(0);
}

#[test]
fn only_one_of_concurrent_uploads_creates_the_file() {
    let peer = InternalApiServer::start();
    let (peer, name) = (&peer, "public/one.gif");
    let responses: Vec<_> = std::thread::scope(|scope| {
        let send = |number: u8| {
            let content = [GIF_START, &[number]].concat();
            (peer.send(&peer.upload_request(name, &content).field("if-none-match", "*")).status, content)
        };
        let senders: Vec<_> = (0..8).map(|number| scope.spawn(move || send(number))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    let stored: Vec<_> = responses.iter().filter(|(status, _)| *status == 204).collect();
    assert_eq!(stored.len(), 1);
    assert!(responses.iter().all(|(status, _)| [204, 412].contains(status)));
    assert_eq!(peer.download(name).body, stored[0].1);
}

#[test]
fn ranges_and_conditions_apply_to_stored_files() {
    let peer = InternalApiServer::start();
    let content = [GIF_START, &(0..=255).collect::<Vec<u8>>()].concat();
    assert_eq!(peer.upload("public/a.gif", &content).status, 204);
    let tag = entity_tag(&content);
    let modified = peer.download("public/a.gif").field("last-modified").unwrap().to_owned();
    let whole = content.as_slice();
    let cases: &[(HeaderFields<'_>, u16, &[u8], Option<&str>)] = &[
        (&[("range", "bytes=0-5")], 206, &whole[..6], Some("bytes 0-5/262")),
        (&[("range", "bytes=6-")], 206, &whole[6..], Some("bytes 6-261/262")),
        (&[("range", "bytes=-2")], 206, &whole[260..], Some("bytes 260-261/262")),
        (&[("range", "bytes=0-1000")], 206, whole, Some("bytes 0-261/262")),
        (&[("range", "bytes=262-")], 416, b"", Some("bytes */262")),
        (&[("range", "lines=0-1")], 200, whole, None),
        (&[("range", "bytes=0-5"), ("if-range", &tag)], 206, &whole[..6], Some("bytes 0-5/262")),
        (&[("range", "bytes=0-5"), ("if-range", "\"other\"")], 200, whole, None),
        (&[("if-none-match", &tag)], 304, b"", None),
        (&[("if-none-match", &tag), ("range", "bytes=0-5")], 304, b"", None),
        (&[("if-modified-since", &modified)], 304, b"", None),
        (&[("if-match", "\"other\"")], 412, b"", None),
        (&[("if-match", &tag)], 200, whole, None),
    ];
    for (fields, status, body, range) in cases {
        let response = peer.send(&with_fields(peer.download_request("GET", "public/a.gif"), fields));
        assert_eq!((response.status, response.body.as_slice()), (*status, *body), "{fields:?}");
        assert_eq!(response.field("content-range"), *range, "{fields:?}");
        let head = peer.send(&with_fields(peer.download_request("HEAD", "public/a.gif"), fields));
        assert!(head.body.is_empty() && [*status, 200].contains(&head.status), "{fields:?} {head:?}");
    }
}

#[test]
fn files_that_other_programs_write_to_the_store_are_served() {
    let peer = InternalApiServer::start();
    assert_eq!(peer.upload("public/a.gif", b"GIF89a-1").status, 204);
    fs::write(peer.store().join("public/a.gif"), "GIF89a-2, longer").unwrap();
    fs::write(peer.store().join("public/b.txt"), "by hand").unwrap();
    let changed = peer.download("public/a.gif");
    assert_eq!(changed.body, b"GIF89a-2, longer");
    assert_ne!(changed.field("etag"), Some(entity_tag(b"GIF89a-1").as_str()), "the tag of the previous content");
    assert_eq!(peer.download("public/b.txt").body, b"by hand");
}

#[test]
fn stored_pages_are_served_without_scripts() {
    let peer = InternalApiServer::with_definition(|definition| drop(content_parameter(definition).remove("range")));
    let html = b"<!DOCTYPE html><script>alert(1)</script>".as_slice();
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".as_slice();
    for (name, content, media_type) in [
        ("public/a.html", html, "text/html"),
        ("public/a.svg", svg, "image/svg+xml"),
        ("public/a.gif", html, "image/gif"),
        ("public/a", html, "application/octet-stream"),
    ] {
        assert_eq!(peer.upload(name, content).status, 204);
        let fetched = peer.download(name);
        assert_eq!(fetched.body, content);
        let process = fetched.field("content-type").unwrap();
        assert!(process == media_type || process == format!("{media_type}; charset=utf-8"), "{name}: {process}");
        assert_fields(
            &fetched,
            &[("x-content-type-options", Some("nosniff")), ("content-security-policy", Some("sandbox"))],
        );
    }
}

#[test]
fn names_with_special_characters_are_escaped_in_header_fields() {
    let peer = InternalApiServer::start();
    for name in ["public/a;b=c.gif", "public/中文 名字.gif", "public/a'b.gif", "public/😀.gif", "public/'a,b;.gif"]
    {
        assert_eq!(peer.upload(name, GIF_START).status, 204, "{name}");
        let fetched = peer.download(name);
        let disposition = fetched.field("content-disposition").unwrap();
        assert!(disposition.starts_with("inline; filename=\"") && disposition.is_ascii(), "{name}: {disposition}");
        let last = name.strip_prefix("public/").unwrap();
        if !last.is_ascii() {
            let encoded = disposition.split("filename*=UTF-8''").nth(1).unwrap();
            assert_eq!(percent_decoded(encoded), last, "{disposition}");
        }
    }
}

fn percent_decoded(text: &str) -> String {
    // The parser of forms also decodes `+` as a space, but none of the names contains `+`.
    let fields: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    fields[0].0.clone().into_owned()
}

#[test]
fn options_and_openapi_describe_the_calls_of_the_internal_api() {
    let peer = InternalApiServer::start();
    let file = peer.send(&Request::new("OPTIONS", "/iapi/file"));
    assert_eq!((file.status, file.field("allow")), (200, Some("GET, HEAD, POST, OPTIONS")), "{file:?}");
    let all = file.json().to_string();
    for word in ["filename", "public/**", "content", "\"file\"", "image/*", "iapi.write", "download"] {
        assert!(all.contains(word), "{word} is not in {all}");
    }
    let files = peer.send(&Request::new("OPTIONS", "/iapi/files"));
    assert_eq!((files.status, files.field("allow")), (200, Some("POST, OPTIONS")), "{files:?}");

    let document = peer.send(&Request::new("GET", "/openapi.json")).json();
    let file = &document["paths"]["/iapi/file"];
    assert_eq!(file["get"]["operationId"], "iapi.file.download");
    for (operation, key) in [(&file["post"], "content"), (&document["paths"]["/iapi/files"]["post"], "filename")] {
        let schema = &operation["requestBody"]["content"]["multipart/form-data"]["schema"];
        let form = document.pointer(schema["$ref"].as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
        assert!(form["properties"][key].is_object(), "{form}");
        for status in ["204", "400", "401", "403", "409", "412", "413", "415", "507"] {
            assert!(operation["responses"][status].is_object(), "{status}: {operation}");
        }
    }
    for status in ["200", "400", "401", "403", "404"] {
        assert!(file["get"]["responses"][status].is_object(), "{status}: {}", file["get"]);
    }
    assert_eq!(peer.send(&Request::new("PUT", "/iapi/file")).status, 405);
}

/// Returns the definition of the parameter `content` of `POST /iapi/file`.
pub fn content_parameter(definition: &mut Value) -> &mut serde_json::Map<String, Value> {
    definition["/"]["iapi"]["/"]["file"]["POST"]["in"]["content"]
        .as_object_mut()
        .unwrap_or_else(|| panic!("{}", json!("no content")))
}
