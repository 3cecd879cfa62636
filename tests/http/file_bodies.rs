//! Tests bodies that are a file: which are accepted, their limits, and that no temporary files remain.

use std::net::Shutdown;

use rulebook::{ApiError, Args, Context, Module, Upload};
use serde::Deserialize;
use serde_json::{Value, json};

use super::server_with_handlers;
use super::uploads::file_json;
use crate::client::{Request, TestServer, wait_until};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR";
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00";

fn definition() -> Value {
    let file = |attributes: Value| {
        let mut file = json!({ "info": "A file", "type": "file", "name": "image" });
        file.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        file
    };
    json!({ "/": {
        "image/{id}": { "PUT": {
            "info": "An image", "options": { "idempotent": "optional" },
            "in": {
                "{id}": { "info": "The number", "type": "id", "name": "id" },
                "*": file(json!({ "max": 200_000, "range": ["image/png", "Image/JPEG"] }))
            }
        } },
        "images": { "POST": { "info": "An image", "in": { "*": file(json!({ "range": ["image/*"] })) } } },
        "any": { "PATCH": { "info": "A file or nothing", "in": { "*": file(json!({ "type": "?file" })) } } },
        "named": { "POST": { "info": "A named file", "in": { "*": file(json!({ "ext": ["txt"] })) } } },
        "locked": { "PUT": { "info": "For writers", "scope": [["writer"]], "in": { "*": file(json!({})) } } }
    } })
}

fn server() -> TestServer {
    let app = json!({ "limits": { "part": 300_000, "body": 5_000 }, "unknown": "refuse" });
    TestServer::echo(&[("app.json", app), ("site.json", definition())])
}

fn image(media_type: &str, content: &[u8]) -> Request {
    Request::new("PUT", "/image/7").body(media_type, content)
}

#[test]
fn a_body_with_a_media_type_of_the_range_is_the_file() {
    let server = server();
    for media_type in ["image/png", "IMAGE/PNG; x=y", "image/jpeg", "application/octet-stream"] {
        let response = server.send(&image(media_type, PNG));
        response.assert_args(&json!({ "id": 7, "image": file_json("file", PNG.len(), "image/png") }));
    }
    let image = json!({ "id": 7, "image": file_json("file", PNG.len(), "image/png") });
    server.send(&Request::new("PUT", "/image/7").body_without_type(PNG)).assert_args(&image);
    server.send(&Request::new("PUT", "/image/7").chunked("image/png", &[&PNG[..3], &PNG[3..]])).assert_args(&image);
    let gif = server.send(&Request::new("POST", "/images").body("image/x-unknown", GIF));
    gif.assert_args(&json!({ "image": file_json("file", GIF.len(), "image/gif") }));
    for (media_type, content) in
        [("application/json", "{}"), ("application/x-www-form-urlencoded", "a=b"), ("multipart/form-data", "--")]
    {
        let response = server.send(&Request::new("PATCH", "/any").body(media_type, content));
        response.assert_args(&json!({ "image": file_json("file", content.len(), "text/plain") }));
    }
    server.assert_no_temporary_files();
}

#[test]
fn other_media_types_are_refused_before_the_body_is_read() {
    let server = server();
    for media_type in ["image/gif", "text/plain", "application/json", "multipart/form-data; boundary=x", "image"] {
        let response = server.send(&image(media_type, PNG));
        let text = response.json().to_string();
        assert_eq!(response.status, 415, "{media_type}: {text}");
        assert!(text.contains("send image/png or image/jpeg"), "{text}");
    }
    let coded = server.send(&image("image/png", PNG).field("content-encoding", "gzip"));
    assert_eq!(coded.status, 415, "{coded:?}");
    assert_eq!(server.send(&Request::new("POST", "/images").body("text/plain", GIF)).status, 415);
    // The permission is checked first.
    assert_eq!(server.send(&Request::new("PUT", "/locked").body("text/plain", "x")).status, 401);
    let content = server.send(&image("image/png", GIF));
    let text = content.json().to_string();
    assert_eq!(content.status, 400, "the content has another type: {text}");
    assert!(text.contains("image in the body") && text.contains("image/png"), "{text}");
    server.assert_no_temporary_files();
}

#[test]
fn an_empty_body_is_no_file() {
    let server = server();
    for request in [image("image/png", b""), Request::new("PUT", "/image/7").chunked("image/png", &[])] {
        let response = server.send(&request);
        assert_eq!(response.status, 400, "{response:?}");
        assert!(response.json().to_string().contains("image is missing in the body"), "{response:?}");
    }
    server.send(&Request::new("PATCH", "/any")).assert_args(&json!({ "image": null }));
    server.send(&Request::new("PATCH", "/any").chunked("a/b", &[])).assert_args(&json!({ "image": null }));
}

#[test]
fn the_file_name_is_that_of_content_disposition() {
    let server = server();
    for (disposition, name) in [
        ("attachment; filename=\"a b.txt\"", "a b.txt"),
        ("attachment; filename=a.txt; filename*=UTF-8''%C3%A9.txt", "é.txt"),
        ("attachment; filename=\"../../etc/a.txt\"", "a.txt"),
        ("attachment", "file"),
        ("attachment; filename=\"..\"", "file"),
        (";;", "file"),
    ] {
        let request = Request::new("PATCH", "/any").body("a/b", "x").field("content-disposition", disposition);
        server.send(&request).assert_args(&json!({ "image": file_json(name, 1, "text/plain") }));
    }
    let named = || Request::new("POST", "/named").body("text/plain", "x");
    assert_eq!(server.send(&named()).status, 400, "the name has no extension");
    let response = server.send(&named().field("content-disposition", "attachment; filename=a.TXT"));
    response.assert_args(&json!({ "image": file_json("a.TXT", 1, "text/plain") }));
}

#[test]
fn the_limits_of_uploaded_files_apply() {
    let server = server();
    let png = |size: usize| [PNG, &vec![0; size - PNG.len()]].concat();
    let (exact, over, far_over) = (png(200_000), png(200_001), png(300_000));
    for request in
        [image("image/png", &exact), Request::new("PUT", "/image/7").chunked("image/png", &[&exact[..9], &exact[9..]])]
    {
        let response = server.send(&request);
        response.assert_args(&json!({ "id": 7, "image": file_json("file", exact.len(), "image/png") }));
    }
    // A file that is a little too long is received, and its length is an error of the parameter.
    let response = server.send(&image("image/png", &over));
    assert_eq!(response.status, 400, "{response:?}");
    assert!(response.json().to_string().contains("200001"), "{response:?}");
    for request in [image("image/png", &far_over), Request::new("PUT", "/image/7").chunked("image/png", &[&far_over])] {
        let response = server.send(&request);
        let text = response.json().to_string();
        assert_eq!(response.status, 413, "{text}");
        assert!(text.contains("image") && text.contains("200000"), "{text}");
    }
    let part = |size: usize| server.send(&Request::new("POST", "/images").body("image/png", png(size)));
    assert_eq!((part(300_000).status, part(300_001).status), (200, 413));
    server.assert_no_temporary_files();
}

#[test]
fn an_interrupted_body_leaves_no_file() {
    let server = server();
    let mut connection = server.connect();
    let request = Request::new("PATCH", "/any").body("a/b", vec![b'x'; 299_999]);
    connection.write(&request.head());
    connection.write(&request.body[..290_000]);
    assert!(wait_until(|| server.temporary_files() == 1), "the file has been begun");
    connection.stream.shutdown(Shutdown::Both).unwrap();
    drop(connection);
    server.assert_no_temporary_files();
    server
        .send(&image("image/png", PNG))
        .assert_args(&json!({ "id": 7, "image": file_json("file", PNG.len(), "image/png") }));
}

#[test]
fn an_idempotency_key_covers_the_content_of_the_file() {
    let server = server();
    let send = |content: &[u8]| server.send(&image("image/png", content).field("idempotency-key", "\"k\""));
    let (first, again) = (send(PNG), send(PNG));
    assert_eq!((first.status, &first.body), (200, &again.body));
    assert_eq!(again.field("idempotent-replayed"), Some("true"), "{again:?}");
    assert_eq!(send(&[PNG, b"x"].concat()).status, 422);
}

#[derive(Deserialize)]
struct Image {
    image: Upload,
}

#[test]
fn handlers_get_an_upload() {
    let handler = |Args(Image { image }): Args<Image>, _: Context| async move {
        let read = std::fs::read(image.path().map_err(ApiError::internal)?).map_err(ApiError::internal)?;
        Ok::<_, ApiError>(json!({ "name": image.filename(), "size": read.len(), "short": image.bytes().is_some() }))
    };
    let output = |kind: &str| json!({ "info": "O", "type": kind });
    let definition = json!({ "/": { "image": { "PUT": {
        "info": "Describes an image",
        "in": { "*": { "info": "The image", "type": "file", "name": "image" } },
        "out": { "name": output("string"), "size": output("int"), "short": output("bool") }
    } } } });
    let server = server_with_handlers(&definition, Module::new("site").put("/image", handler));
    for (size, is_short) in [(1, true), (16_384, true), (16_385, false), (1_000_000, false)] {
        let request = Request::new("PUT", "/image").body("a/b", vec![b'x'; size]);
        let response = server.send(&request.field("content-disposition", "attachment; filename=a"));
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.json()["short"], is_short, "{size}");
        assert_eq!((&response.json()["name"], &response.json()["size"]), (&json!("a"), &json!(size)));
    }
    server.assert_no_temporary_files();
}
