//! Compares rulebook with uploads that were recorded from PhalApi. The tests send them as multipart bodies.
//!
//! A recorded upload is an entry of PHP's `$_FILES`, which contains a size and a media type but no content. The tests
//! send content of this size that begins with the signature of this media type. Intended differences and their reasons
//! are in `phalapi_uploads_differences.json`.

use std::collections::BTreeMap;
use std::iter;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::try_echo_engine;
use crate::client::{Request, TestServer};

#[derive(Deserialize)]
struct RecordedUpload {
    id: String,
    r#type: String,
    rule: Map<String, Json>,
    #[serde(default)]
    files: BTreeMap<String, FilesEntry>,
    #[serde(rename = "ok")]
    expected_files: Option<Json>,
    #[serde(rename = "err")]
    expected_error: Option<Json>,
}

/// An entry of PHP's `$_FILES`: one upload, or several uploads in one form field.
#[derive(Deserialize)]
struct FilesEntry {
    name: OneOrSeveral<String>,
    r#type: OneOrSeveral<String>,
    error: OneOrSeveral<u8>,
    size: OneOrSeveral<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrSeveral<T> {
    One(T),
    Several(Vec<T>),
}

impl<T> OneOrSeveral<T> {
    fn iter(&self) -> std::slice::Iter<'_, T> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Several(several) => several.iter(),
        }
    }
}

/// The value of PHP's constant `UPLOAD_ERR_NO_FILE`: no file was chosen in the form.
const UPLOAD_ERR_NO_FILE: u8 = 4;

/// The maximum size of the uploads that the tests send, in bytes.
const MAX_UPLOAD_SIZE: u64 = 2 << 20;

/// Returns the head and the content of each multipart part of a case; `None` if its uploads cannot be sent.
fn upload_parts(row: &RecordedUpload) -> Option<Vec<(String, Vec<u8>)>> {
    let mut parts = Vec::new();
    for (field, FilesEntry { name, r#type, error, size }) in &row.files {
        let mark = if matches!(name, OneOrSeveral::Several(_)) { "[]" } else { "" };
        for (((name, media_type), error), size) in
            iter::zip(iter::zip(iter::zip(name.iter(), r#type.iter()), error.iter()), size.iter())
        {
            if !matches!(*error, 0 | UPLOAD_ERR_NO_FILE) || *size > MAX_UPLOAD_SIZE {
                return None;
            }
            let media_type = if *error == UPLOAD_ERR_NO_FILE { "application/octet-stream" } else { media_type };
            let head = format!("name=\"{field}{mark}\"; filename=\"{name}\"\r\nContent-Type: {media_type}");
            parts.push((head, content_with_signature(media_type, usize::try_from(*size).unwrap())));
        }
    }
    Some(parts)
}

/// Returns content of this size that begins with the signature of a media type.
fn content_with_signature(media_type: &str, size: usize) -> Vec<u8> {
    let begin: &[u8] = match media_type.to_ascii_lowercase().as_str() {
        "image/jpeg" => b"\xff\xd8\xff\xe0",
        "image/png" => b"\x89PNG\r\n\x1a\n",
        _ => b"",
    };
    begin.iter().copied().chain(iter::repeat(b'x')).take(size).collect()
}

/// Returns `true` if the response agrees with the recorded result: either files with the same names and sizes, or an
/// error.
fn agrees_with_recorded(row: &RecordedUpload, body: &Json) -> bool {
    let received = |file: &Json| json!([file["filename"], file["size"]]);
    let recorded = |file: &Json| json!([file["name"], file["size"]]);
    let value = &body["data"]["args"]["value"];
    match (&row.expected_files, &row.expected_error) {
        (_, Some(_)) => body["ret"] == 400,
        (Some(Json::Array(files)), None) => {
            value.as_array().is_some_and(|files_here| files_here.iter().map(received).eq(files.iter().map(recorded)))
        }
        (Some(file), None) => received(value) == recorded(file),
        (None, None) => body["ret"] == 200 && value.is_null(),
    }
}

#[test]
fn recorded_uploads_agree_with_phalapi_except_for_listed_differences() {
    let rows: Vec<RecordedUpload> = serde_json::from_str(include_str!("../data/vectors/phalapi_params.json")).unwrap();
    let mut differences: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../data/vectors/phalapi_uploads_differences.json")).unwrap();
    let rows: Vec<RecordedUpload> = rows.into_iter().filter(|row| row.r#type == "file").collect();
    assert!(rows.len() > 25, "only {} uploads", rows.len());
    let mut mismatches = Vec::new();
    for row in rows {
        let named = differences.remove(&row.id);
        let agrees =
            match (try_echo_engine(&Json::Null, &json!({ "C": { "m": { "value": row.rule } } })), upload_parts(&row)) {
                (Ok(engine), Some(parts)) => {
                    let server = TestServer::start(&engine);
                    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(head, content)| (&**head, &**content)).collect();
                    let response = server.send(&Request::new("POST", "/c/m").multipart(&parts));
                    server.assert_no_temporary_files();
                    let body = response.json();
                    agrees_with_recorded(&row, &body).then_some(()).ok_or(body.to_string())
                }
                (Err(report), _) => Err(report.to_string()),
                (Ok(_), None) => Err("it cannot be sent".to_owned()),
            };
        if agrees.is_ok() == named.is_some() {
            let RecordedUpload { id, expected_files, expected_error, .. } = row;
            mismatches.push(format!(
                "{id}: recorded {expected_files:?} {expected_error:?}, here {agrees:?}, although: {named:?}"
            ));
        }
    }
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
    assert!(differences.is_empty(), "no such cases: {differences:?}");
}

#[test]
fn errors_of_uploads_have_the_messages_of_phalapi() {
    let rule = json!({ "upfile": { "type": "file", "max": 1024, "require": true } });
    for (catalogue, missing, too_large) in [
        ("1.x", "Illegal Param: miss upload file: upfile", "Illegal Param: upfile.size should <= 1024"),
        ("2.x", "Bad Request: miss upload file: upfile", "Bad Request: upfile.size should <= 1024"),
        ("zh", "非法请求：缺少上传文件：upfile", "非法请求：upfile.size应该小于等于1024"),
    ] {
        let app = json!({ "envelope": "phalapi", "catalogue": catalogue });
        let server = TestServer::echo(&[("app.json", app), ("user.json", json!({ "User": { "upload": rule } }))]);
        let send = |parts: &[(&str, &[u8])]| {
            let response = server.send(&Request::new("POST", "/user/upload").multipart(parts)).json();
            (response["ret"].as_u64().unwrap(), response["msg"].as_str().unwrap().to_owned())
        };
        let missing = (400, missing.to_owned());
        assert_eq!(send(&[("name=other", b"x")]), missing);
        assert_eq!(send(&[("name=upfile", b"a text instead of a file")]), missing);
        let file = "name=upfile; filename=a.txt";
        // A file that is slightly too large is received completely, so that its size is known.
        let (ret, message) = send(&[(file, &[b'a'; 2000])]);
        assert!(ret == 400 && message.starts_with(too_large) && message.ends_with("2000"), "{ret} {message}");
        assert_eq!(send(&[(file, &[b'a'; 100_000])]), (413, too_large.to_owned()));
    }
}
