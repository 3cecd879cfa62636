//! Tests that short files are kept in memory, and become temporary files when a handler needs their paths.

use std::fs;
use std::io;

use rulebook::{ApiError, Args, Context, Module, Upload};
use serde::Deserialize;
use serde_json::json;

use super::server_with_handlers;
use crate::client::Request;

#[derive(Deserialize)]
struct UploadedFiles {
    files: Vec<Upload>,
}

#[test]
fn short_files_stay_in_memory_until_a_handler_needs_their_paths() {
    let describe = |Args(sent): Args<UploadedFiles>, _: Context| async move {
        let in_memory: Vec<_> =
            sent.files.iter().map(|file| file.bytes().map_or(-1, |bytes| bytes.len() as i64)).collect();
        let paths =
            sent.files.iter().step_by(2).map(|file| Ok(file.path()?.to_owned())).collect::<io::Result<Vec<_>>>();
        let paths = paths.map_err(ApiError::internal)?;
        let same =
            sent.files.iter().step_by(2).zip(&paths).all(|(file, path)| file.path().is_ok_and(|again| again == path));
        let sizes: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap().len()).collect();
        Ok::<_, ApiError>(json!({ "in_memory": in_memory, "sizes": sizes, "same": same, "paths": paths }))
    };
    let output = |kind: &str| json!({ "info": "I", "type": kind });
    let definition = json!({ "/": { "files": { "POST": {
        "info": "Describes files", "in": { "files": { "info": "Files", "type": "array<file>" } },
        "out": {
            "in_memory": output("array<int>"), "sizes": output("array<int>"), "same": output("bool"),
            "paths": output("array<string>")
        }
    } } } });
    let server = server_with_handlers(&definition, Module::new("site").post("/files", describe));
    let send = |lengths: &[usize]| {
        let contents: Vec<_> = lengths.iter().map(|length| vec![b'x'; *length]).collect();
        let parts: Vec<_> = contents.iter().map(|content| ("name=\"files[]\"; filename=\"a\"", &content[..])).collect();
        let response = server.send(&Request::new("POST", "/files").multipart(&parts));
        assert_eq!((response.status, &response.json()["same"]), (200, &json!(true)), "{response:?}");
        for path in response.json()["paths"].as_array().unwrap() {
            assert!(!fs::exists(path.as_str().unwrap()).unwrap(), "the file is removed with its last handle");
        }
        (response.json()["in_memory"].clone(), response.json()["sizes"].clone())
    };
    assert_eq!(send(&[0, 1, 16_384, 16_385]), (json!([0, 1, 16_384, -1]), json!([0, 16_384])));
    // All of them together have at most the size that the limit `body` sets, which is 1 MiB by default.
    let (in_memory, sizes) = send(&[16_384; 66]);
    let expected: Vec<_> = (0..66).map(|index| if index < 64 { 16_384 } else { -1 }).collect();
    assert_eq!((in_memory, sizes), (json!(expected), json!(vec![16_384; 33])));
    // Only a path needs the folder.
    fs::remove_dir(server.uploads.path()).unwrap();
    let response = server.send(&Request::new("POST", "/files").multipart(&[("name=\"files\"; filename=\"a\"", b"x")]));
    assert_eq!(response.status, 500, "the handler asks for the path: {response:?}");
    fs::create_dir(server.uploads.path()).unwrap();
    server.assert_no_temporary_files();
}
