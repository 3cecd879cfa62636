//! Tests uploaded files as fields of argument types.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rulebook::{ApiError, Args, Context, Engine, Module, Upload};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::{build, files_with_parameters, over_http::serve};

/// The beginning of a PNG file with 1×1 pixels.
const PNG_START: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

#[derive(Deserialize)]
struct Pictures {
    picture: Upload,
    more: Option<Vec<Upload>>,
}

#[derive(Serialize)]
struct SeenPictures {
    picture: Upload,
    path: PathBuf,
    is_unchanged: bool,
    more_sizes: Vec<u64>,
    more_paths: Vec<PathBuf>,
}

/// State in which a handler keeps uploads after its call has ended.
#[derive(Clone, Default)]
struct KeptUploads(Arc<Mutex<Vec<Upload>>>);

async fn describe_pictures(Args(pictures): Args<Pictures>, context: Context) -> Result<SeenPictures, ApiError> {
    let Pictures { picture, more } = pictures;
    let more = more.unwrap_or_default();
    let content = fs::read(picture.path().map_err(ApiError::internal)?).map_err(ApiError::internal)?;
    if let Some(kept) = context.state::<KeptUploads>() {
        kept.0.lock().unwrap().push(picture.clone());
    }
    Ok(SeenPictures {
        path: picture.path().map_err(ApiError::internal)?.to_owned(),
        is_unchanged: content == PNG_START,
        more_sizes: more.iter().map(Upload::size).collect(),
        more_paths: more.iter().map(|upload| upload.path().unwrap().to_owned()).collect(),
        picture,
    })
}

fn picture_parameters() -> Json {
    json!({
        "picture": { "info": "A picture", "type": "file", "max": 100 },
        "more": { "info": "More of them", "type": "?array<file>" }
    })
}

fn engine_with_uploads(kept: Option<KeptUploads>) -> Engine {
    let rulebook = rulebook::Rulebook::read(files_with_parameters(&picture_parameters()))
        .module(Module::new("shop").post("/it", describe_pictures));
    match kept {
        Some(kept) => rulebook.state(kept),
        None => rulebook,
    }
    .build()
    .unwrap()
}

/// Sends a multipart request with these files. Each file consists of a parameter name, a file name and the content.
/// Returns the JSON body of the response.
fn send_files(at: &str, parts: &[(&str, &str, &[u8])]) -> Json {
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
fn an_uploaded_file_is_removed_after_the_call() {
    let (running, at) = serve(&engine_with_uploads(None));
    let response =
        send_files(&at, &[("picture", "a/../b c.png", PNG_START), ("more", "x", b"1"), ("more", "y", b"22")]);
    assert_eq!(
        response["picture"],
        json!({ "filename": "b c.png", "size": PNG_START.len(), "media_type": "image/png" })
    );
    assert_eq!(response["is_unchanged"], true, "{response}");
    assert_eq!(response["more_sizes"], json!([1, 2]));
    let paths = response["more_paths"].as_array().unwrap().iter().chain([&response["path"]]);
    for path in paths.map(|path| PathBuf::from(path.as_str().unwrap())) {
        assert!(path.is_absolute() && !path.exists(), "{} is there", path.display());
    }
    running.stop().unwrap();
}

#[test]
fn an_uploaded_file_is_kept_as_long_as_the_program_keeps_the_upload() {
    let kept = KeptUploads::default();
    let (running, at) = serve(&engine_with_uploads(Some(kept.clone())));
    let response = send_files(&at, &[("picture", "b.png", PNG_START)]);
    let path = PathBuf::from(response["path"].as_str().unwrap());
    running.stop().unwrap();
    assert_eq!(fs::read(&path).unwrap(), PNG_START);
    kept.0.lock().unwrap().clear();
    assert!(!path.exists(), "{} is still there", path.display());
}

#[test]
fn an_invalid_upload_is_refused_and_no_handler_runs() {
    let kept = KeptUploads::default();
    let (running, at) = serve(&engine_with_uploads(Some(kept.clone())));
    let response = send_files(&at, &[("picture", "b.png", &[0; 101])]);
    assert_eq!(response["error"], 401, "{response}");
    assert_eq!(response["errors"][0]["parameter"], "picture");
    assert!(kept.0.lock().unwrap().is_empty());
    running.stop().unwrap();
}

#[test]
fn an_argument_of_any_type_gets_name_size_and_media_type_of_an_upload() {
    async fn return_arguments(Args(all): Args<Json>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({ "all": all }))
    }
    let (running, at) = serve(&build(
        files_with_parameters(&picture_parameters()),
        [Module::new("shop").post("/it", return_arguments)],
    ));
    let response = send_files(&at, &[("picture", "b.png", PNG_START)]);
    let file = json!({ "filename": "b.png", "size": PNG_START.len(), "media_type": "image/png" });
    assert_eq!(response["all"], json!({ "picture": file }));
    running.stop().unwrap();
}

#[test]
fn a_handler_can_pass_uploads_to_another_method() {
    async fn pass_pictures_on(Args(pictures): Args<Pictures>, context: Context) -> Result<Json, ApiError> {
        let Pictures { picture, more } = pictures;
        let more = more.unwrap_or_default();
        let call = context.call("seen.post").file("picture", picture.clone());
        let seen = more.into_iter().fold(call, |call, file| call.file("more", file)).send().await.outputs()?;
        let twice = context.call("seen.post").file("picture", picture.clone()).file("picture", picture.clone());
        let text = context.call("seen.post").file("picture", picture.clone()).file("word", picture.clone());
        let refused = [twice.send().await.status(), text.send().await.status()];
        Ok(json!({ "seen": seen, "own": picture.path().unwrap(), "refused": refused }))
    }
    let mut takes = picture_parameters();
    takes["word"] = json!({ "info": "A word", "type": "?string" });
    let definition = json!({ "/": {
        "it": { "POST": { "info": "Hands it on", "in": picture_parameters() } },
        "seen": { "POST": { "info": "Looks", "in": takes } }
    } });
    let module = Module::new("shop").post("/it", pass_pictures_on).post("/seen", describe_pictures);
    let (running, at) = serve(&build(super::files("shop", &definition), [module]));
    let response = send_files(&at, &[("picture", "b.png", PNG_START), ("more", "x", b"1"), ("more", "y", b"22")]);
    assert_eq!(response["seen"]["path"], response["own"], "{response}");
    assert_eq!(response["seen"]["is_unchanged"], true);
    assert_eq!(response["refused"], json!([400, 400]));
    assert_eq!(response["seen"]["more_sizes"], json!([1, 2]));
    running.stop().unwrap();
}
