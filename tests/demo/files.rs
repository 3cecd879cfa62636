//! Tests of the setting for the folder of stored files.

use std::fs;

use serde_json::json;

use super::{DemoFolder, Server};
use crate::cli::RunResult;
use crate::client::{Request, Response};
use crate::keys;

/// The first bytes of a PNG file. They are enough to detect the media type.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn with_key(key: &str, request: Request) -> Request {
    request.field("authorization", format_args!("Bearer {key}"))
}

fn upload_picture(server: &Server, key: &str) -> Response {
    let content = ("name=\"content\"; filename=\"1.png\"", PICTURE);
    let request = with_key(key, Request::new("POST", "/iapi/file"));
    server.send(&request.multipart(&[content, ("name=\"filename\"", b"public/1.png")]))
}

/// Creates a demo folder, and a bearer key. If `defined` is given, app.json sets this folder for stored files.
fn create_demo(defined: Option<&str>) -> (DemoFolder, String) {
    let place = DemoFolder::new();
    if let Some(folder) = defined {
        let path = place.folder.path().join("api/app.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen('{', &format!("{{\n  \"files\": \"{folder}\","), 1)).unwrap();
    }
    let key = keys::add_key(place.folder.path(), &["--name", "a", "--scope", "iapi"]);
    (place, key)
}

#[test]
fn the_files_flag_has_priority_over_the_variable_and_the_variable_over_the_definition() {
    let (defined, flag, twice) = (Some("defined"), &["serve", "--files", "flag"][..], &["--files", "up", "serve"][..]);
    let cases = [
        (None, None, &[][..], "data/files"),
        (None, None, &["serve", "--data", "own"], "own/files"),
        (defined, None, &["serve", "--data", "data"], "defined"),
        (defined, Some("variable"), &[], "variable"),
        (defined, Some("variable"), flag, "flag"),
        (defined, Some("variable"), twice, "up"),
        (None, None, &["--files", "deep/er"], "deep/er"),
    ];
    for (defined, variable, arguments, folder) in cases {
        let (place, key) = create_demo(defined);
        let mut command = place.command();
        command.args(arguments);
        if let Some(value) = variable {
            command.env("RULEBOOK_FILES", value);
        }
        if folder.starts_with("own") {
            fs::rename(place.folder.path().join("data"), place.folder.path().join("own")).unwrap();
        }
        let server = place.serve_with_command(command);
        let summary = &server.process.stdout;
        assert!(summary.contains(&format!("\n  files      {folder}\n")), "{arguments:?}: {summary}");
        assert_eq!(upload_picture(&server, &key).status, 204, "{arguments:?}");
        assert_eq!(fs::read(place.folder.path().join(folder).join("public/1.png")).unwrap(), PICTURE, "{arguments:?}");
        // `rulebook call` with the same folder reads the stored file.
        if arguments.len() < 3 {
            let mut call = place.command();
            call.args(["call", "iapi.file.download", "filename=public/1.png", "--scope", "iapi"]);
            let result = call.args(["--files", folder]).output().unwrap();
            assert_eq!((result.status.code(), &*result.stdout), (Some(0), PICTURE), "{arguments:?}");
        }
    }
}

#[test]
fn a_configured_files_folder_that_cannot_be_used_prevents_the_start() {
    for (defined, arguments, variable) in
        [(None, &["--files", "taken"][..], None), (None, &[], Some("taken")), (Some("taken"), &[], None)]
    {
        let (place, _) = create_demo(defined);
        fs::write(place.folder.path().join("taken"), "").unwrap();
        let mut command = place.command();
        command.args(["serve", "--bind", "127.0.0.1:0"]).args(arguments);
        if let Some(value) = variable {
            command.env("RULEBOOK_FILES", value);
        }
        let result = RunResult::from(command.output().unwrap());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{result:?}");
        assert!(result.stderr.starts_with("error: --files taken: no files can be stored there: "), "{}", result.stderr);
    }
}

#[test]
fn a_default_files_folder_that_cannot_be_used_does_not_prevent_the_start() {
    let (place, key) = create_demo(None);
    let taken = place.folder.path().join("data/files");
    fs::write(&taken, "").unwrap();
    let server = place.serve();
    assert_eq!(server.article_count(), 12);
    let log = server.process.log();
    assert!(
        log.contains("files cannot be stored in data/files; requests that need no stored files are served: "),
        "{log}"
    );
    let refused = upload_picture(&server, &key);
    assert_eq!(refused.json(), json!({ "status": "error", "message": "try again later" }));
    assert!(refused.field("retry-after").is_some(), "{refused:?}");
    // The server tries to open the folder again at the next request that needs it.
    fs::remove_file(&taken).unwrap();
    assert_eq!(upload_picture(&server, &key).status, 204);
}
