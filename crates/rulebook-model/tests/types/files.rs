//! Tests of the media types and extensions of uploaded files that the type `file` accepts.

use serde_json::json;

use super::compile;

#[test]
fn files_are_valid_by_media_type_and_extension() {
    let png = ("a.b.PNG", "image/png");
    for (attributes, (name, media_type), is_valid) in [
        (json!({}), png, true),
        (json!({"range": ["image/png"]}), png, true),
        (json!({"range": ["IMAGE/*"]}), png, true),
        (json!({"range": ["*/*"]}), png, true),
        (json!({"range": ["image/jpeg", "text/plain"]}), png, false),
        (json!({"range": ["image/*"]}), ("a.png", "imagery/png"), false),
        (json!({"ext": ["png"]}), png, true),
        (json!({"ext": ["b"]}), png, false),
        (json!({"ext": ["png"]}), ("png", "image/png"), false),
        (json!({"ext": ["png"], "range": ["image/*"]}), ("a.png", "text/html"), false),
    ] {
        let check = compile("file", attributes.as_object().unwrap()).unwrap();
        assert_eq!(check.accepts_file(name, media_type), is_valid, "{attributes} of {name}, {media_type}");
    }
}
