//! Uploaded files in argument types.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rulebook::{ApiError, Args, Context, Engine, Module, Upload};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{build, files_with_parameters, over_http::serve};

/// A picture of 1×1 pixels.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

#[derive(Deserialize)]
struct Pictures {
    picture: Upload,
    more: Option<Vec<Upload>>,
}

#[derive(Serialize)]
struct Seen {
    picture: Upload,
    path: PathBuf,
    same: bool,
    more: Vec<u64>,
    paths: Vec<PathBuf>,
}

/// Uploads that a handler keeps.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Upload>>>);

async fn look(Args(pictures): Args<Pictures>, context: Context) -> Result<Seen, ApiError> {
    let Pictures { picture, more } = pictures;
    let more = more.unwrap_or_default();
    let content = fs::read(picture.path()).map_err(ApiError::internal)?;
    if let Some(kept) = context.state::<Kept>() {
        kept.0.lock().unwrap().push(picture.clone());
    }
    Ok(Seen {
        path: picture.path().to_owned(),
        same: content == PICTURE,
        more: more.iter().map(Upload::size).collect(),
        paths: more.iter().map(|upload| upload.path().to_owned()).collect(),
        picture,
    })
}

fn parameters() -> Json {
    json!({
        "picture": { "info": "A picture", "type": "file", "max": 100 },
        "more": { "info": "More of them", "type": "?array<file>" }
    })
}

fn engine(kept: Option<Kept>) -> Engine {
    let rulebook =
        rulebook::Rulebook::read(files_with_parameters(&parameters())).module(Module::new("shop").post("/it", look));
    match kept {
        Some(kept) => rulebook.state(kept),
        None => rulebook,
    }
    .build()
    .unwrap()
}

/// Sends files as parts with these names, and returns the response.
fn send(at: &str, parts: &[(&str, &str, &[u8])]) -> Json {
    let mut body = Vec::new();
    for (name, filename, content) in parts {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.post(format!("{at}/it")).header("Content-Type", "multipart/form-data; boundary=b");
    request.send(&body[..]).unwrap().body_mut().read_json().unwrap()
}

#[test]
fn a_file_exists_as_long_as_its_handles() {
    let (running, at) = serve(&engine(None));
    let response = send(&at, &[("picture", "a/../b c.png", PICTURE), ("more", "x", b"1"), ("more", "y", b"22")]);
    assert_eq!(response["picture"], json!({ "filename": "b c.png", "size": PICTURE.len(), "media_type": "image/png" }));
    assert_eq!(response["same"], true, "{response}");
    assert_eq!(response["more"], json!([1, 2]));
    let paths = response["paths"].as_array().unwrap().iter().chain([&response["path"]]);
    for path in paths.map(|path| PathBuf::from(path.as_str().unwrap())) {
        assert!(path.is_absolute() && !path.exists(), "{} is there", path.display());
    }
    running.stop().unwrap();
}

#[test]
fn a_file_with_a_kept_handle_is_not_removed() {
    let kept = Kept::default();
    let (running, at) = serve(&engine(Some(kept.clone())));
    let response = send(&at, &[("picture", "b.png", PICTURE)]);
    let path = PathBuf::from(response["path"].as_str().unwrap());
    running.stop().unwrap();
    assert_eq!(fs::read(&path).unwrap(), PICTURE);
    kept.0.lock().unwrap().clear();
    assert!(!path.exists(), "{} is still there", path.display());
}

#[test]
fn an_invalid_file_is_removed_and_no_handler_runs() {
    let kept = Kept::default();
    let (running, at) = serve(&engine(Some(kept.clone())));
    let response = send(&at, &[("picture", "b.png", &[0; 101])]);
    assert_eq!(response["error"], 401, "{response}");
    assert_eq!(response["errors"][0]["parameter"], "picture");
    assert!(kept.0.lock().unwrap().is_empty());
    running.stop().unwrap();
}

#[test]
fn a_type_for_any_value_gets_the_name_size_and_media_type_of_a_file() {
    async fn show(Args(all): Args<Json>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({ "all": all }))
    }
    let (running, at) = serve(&build(files_with_parameters(&parameters()), [Module::new("shop").post("/it", show)]));
    let response = send(&at, &[("picture", "b.png", PICTURE)]);
    let file = json!({ "filename": "b.png", "size": PICTURE.len(), "media_type": "image/png" });
    assert_eq!(response["all"], json!({ "picture": file }));
    running.stop().unwrap();
}

#[test]
fn a_handler_passes_files_to_another_method() {
    async fn hand_on(Args(pictures): Args<Pictures>, context: Context) -> Result<Json, ApiError> {
        let Pictures { picture, more } = pictures;
        let more = more.unwrap_or_default();
        let call = context.call("seen.post").file("picture", picture.clone());
        let seen = more.into_iter().fold(call, |call, file| call.file("more", file)).send().await.outputs()?;
        let twice = context.call("seen.post").file("picture", picture.clone()).file("picture", picture.clone());
        let text = context.call("seen.post").file("picture", picture.clone()).file("word", picture.clone());
        let refused = [twice.send().await.status(), text.send().await.status()];
        Ok(json!({ "seen": seen, "own": picture.path(), "refused": refused }))
    }
    let mut takes = parameters();
    takes["word"] = json!({ "info": "A word", "type": "?string" });
    let definition = json!({ "/": {
        "it": { "POST": { "info": "Hands it on", "in": parameters() } },
        "seen": { "POST": { "info": "Looks", "in": takes } }
    } });
    let module = Module::new("shop").post("/it", hand_on).post("/seen", look);
    let (running, at) = serve(&build(super::files("shop", &definition), [module]));
    let response = send(&at, &[("picture", "b.png", PICTURE), ("more", "x", b"1"), ("more", "y", b"22")]);
    assert_eq!(response["seen"]["path"], response["own"], "{response}");
    assert_eq!(response["seen"]["same"], true);
    assert_eq!(response["refused"], json!([400, 400]));
    assert_eq!(response["seen"]["more"], json!([1, 2]));
    running.stop().unwrap();
}
