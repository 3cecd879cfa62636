//! Uploaded files, and files that handlers return.

use std::fs;
use std::path::Path;

use rulebook_test::Client;
use serde_json::json;

use crate::support::{Api, worker};

const FILES: &str = r#"
if "file" in message["params"]["arguments"]:
    file = message["params"]["arguments"]["file"]
    open("path", "w").write(file["path"])
    send(id=id, result={"value": [open(file["path"]).read(), file["name"], file["type"], file["size"]]})
    continue
files = {
    "text": {"text": "a,b\n", "name": "é.csv"},
    "base64": {"base64": "AAEC/w==", "type": "application/x-odd", "inline": True},
    "invalid": {"base64": "%"},
    "two": {"base64": "", "text": ""},
    "none": None,
}
if message["method"] == "file.get":
    send(id=id, result=files[what] if what in files else {"file": what})
    continue
"#;

fn client_for(settings: serde_json::Value) -> (Api, Client) {
    let api = Api::new(&worker(FILES), settings);
    let client = Client::new(api.rulebook()).unwrap();
    (api, client)
}

#[test]
fn an_upload_is_a_path_until_the_call_ends() {
    let (api, client) = client_for(json!({}));
    let response = client.post("/upload").file("file", "a note.txt", "some text").send();
    assert_eq!(response.output("value"), json!(["some text", "a note.txt", "text/plain", 9]));
    let path = fs::read_to_string(api.folder.path().join("path")).unwrap();
    assert!(Path::new(&path).is_absolute() && !Path::new(&path).exists(), "{path}");
}

#[test]
fn handlers_return_content() {
    let (_api, client) = client_for(json!({}));
    let text = client.get("/file?what=text").send();
    assert_eq!((text.status(), text.text()), (200, "a,b\n"));
    assert!(text.header("content-type").unwrap().starts_with("text/csv"));
    assert!(text.header("content-disposition").unwrap().contains("%C3%A9.csv"));
    let bytes = client.get("/file?what=base64").send();
    assert_eq!(bytes.body(), [0, 1, 2, 255]);
    assert_eq!(bytes.header("content-type"), Some("application/x-odd"));
    for what in ["invalid", "two", "none", "path"] {
        assert_eq!(client.get(&format!("/file?what={what}")).send().status(), 500, "{what}");
    }
}

#[test]
fn paths_are_inside_of_the_folder_with_files() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.txt"), "secret").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::write(folder.path().join("inner/report.txt"), "report").unwrap();
    std::os::unix::fs::symlink(folder.path().join("inner/report.txt"), folder.path().join("link.txt")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
    let (_api, client) = client_for(json!({ "files": folder.path() }));
    let absolute = folder.path().join("inner/report.txt");
    for path in ["inner/report.txt", "link.txt", "inner/../inner/report.txt", absolute.to_str().unwrap()] {
        let response = client.get(&format!("/file?what={path}")).send();
        assert_eq!((response.status(), response.text()), (200, "report"), "{path}");
        assert!(response.header("content-disposition").unwrap().contains(".txt"));
    }
    let secret = outside.path().join("secret.txt");
    for path in ["/etc/passwd", "out/secret.txt", "../secret.txt", "inner", "missing", secret.to_str().unwrap()] {
        let response = client.get(&format!("/file?what={path}")).send();
        assert_eq!(response.status(), 500, "{path}");
        assert!(!response.text().contains(path), "{path}");
    }
}
