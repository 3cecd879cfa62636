//! Two servers that share a bucket.

use rulebook::store::{FileName, Precondition, Publication, Store, StoreError};
use rulebook::{ApiError, Args, Context, Download, Head, Module, Rulebook, Upload};
use rulebook_test::Client;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::task::spawn_blocking;

use super::places::new_url;

#[derive(Deserialize)]
struct Stored {
    name: String,
    content: Vec<Upload>,
}

#[derive(Deserialize)]
struct ReadParameters {
    name: String,
}

fn failed(error: StoreError) -> ApiError {
    match error {
        StoreError::NotFound(_) => ApiError::declared("missing"),
        StoreError::PreconditionFailed(_) => ApiError::declared("changed"),
        StoreError::Unavailable { .. } => ApiError::unavailable(error),
        _ => ApiError::internal(error),
    }
}

/// Stores each uploaded file under the name and a number.
async fn store(Args(Stored { name, content }): Args<Stored>, context: Context) -> Result<(), ApiError> {
    let store = context.store()?;
    let precondition = context.head().map_or_else(Precondition::default, |head: &Head| Precondition::from_head(head));
    let published = spawn_blocking(move || {
        let files = content.iter().enumerate().map(|(number, upload)| {
            let name = FileName::parse(&format!("{name}{number}")).unwrap();
            Ok(Publication { staged: store.stage(upload)?, name, precondition: precondition.clone() })
        });
        store.publish_all(files.collect::<Result<_, StoreError>>()?)
    });
    published.await.map_err(ApiError::internal)?.map(drop).map_err(failed)
}

async fn read(Args(ReadParameters { name }): Args<ReadParameters>, context: Context) -> Result<Download, ApiError> {
    let store: Store = context.store()?;
    let name = FileName::parse(&name).map_err(ApiError::internal)?;
    let file = spawn_blocking(move || store.read(&name)).await.map_err(ApiError::internal)?;
    Ok(file.map_err(failed)?.into())
}

fn server(url: &str) -> Client {
    let name = json!({ "info": "The name", "type": "string" });
    let errors = json!({
        "missing": { "status": 404, "info": "There is no such file" },
        "changed": { "status": 412, "info": "The file has changed" }
    });
    let document: Json = json!({ "title": "Files", "modules": { "files": {
        "PUT": {
            "info": "Stores files",
            "in": { "name": name, "content": { "info": "The files", "type": "array<file>", "items": { "max": "50MB" } } },
            "errors": errors
        },
        "GET": { "info": "Reads a file", "options": { "download": true }, "in": { "GET@name": name }, "errors": errors }
    } } });
    let module = Module::new("files").put("/", store).get("/", read);
    let rulebook = Rulebook::read(vec![("app.json".into(), document.to_string().into_bytes())]);
    Client::new(rulebook_s3::add(rulebook.keep_files().module(module)).files_folder(url)).unwrap_or_else(|error| {
        panic!("{error}");
    })
}

#[test]
fn a_file_that_one_server_stores_is_read_in_parts_from_another() {
    let Some(url) = new_url() else { return };
    let (one, other) = (server(&url), server(&url));
    let content: Vec<u8> = (0..12_000_000_u32).map(|index| (index / 3 % 251) as u8).collect();
    let stored = one.put("/").field("name", "large").file("content", "a", content.clone()).send();
    assert_eq!(stored.status(), 200, "{}", stored.text());
    let read = other.get("/?name=large0").send();
    assert_eq!((read.status(), read.header("Accept-Ranges")), (200, Some("bytes")));
    assert!(read.body() == content);
    let tag = read.header("ETag").unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", blake3::hash(&content).to_hex()));
    let part = other.get("/?name=large0").header("Range", "bytes=6000000-6000009").header("If-Range", &tag).send();
    assert_eq!((part.status(), part.header("Content-Range")), (206, Some("bytes 6000000-6000009/12000000")));
    assert_eq!(part.body(), &content[6_000_000..6_000_010]);
    assert_eq!(other.get("/?name=large0").header("Range", "bytes=12000000-").send().status(), 416);
    assert_eq!(other.get("/?name=large0").header("If-None-Match", &tag).send().status(), 304);
    let head = other.request("HEAD", "/?name=large0").send();
    assert_eq!((head.status(), head.header("Content-Length")), (200, Some("12000000")));
    assert_eq!(other.get("/?name=large1").send().status(), 404);
}

#[test]
fn preconditions_hold_over_all_servers() {
    let Some(url) = new_url() else { return };
    let servers = [server(&url), server(&url)];
    let put = |server: &Client, condition: &str, tag: &str, content: &str| {
        let request = server.put("/").field("name", "a").header(condition, tag);
        request.file("content", "a", content).file("content", "b", content).send().status()
    };
    assert_eq!(put(&servers[0], "If-None-Match", "*", "one"), 200);
    assert_eq!(put(&servers[1], "If-None-Match", "*", "two"), 412);
    let tag = servers[1].get("/?name=a1").send().header("ETag").unwrap().to_owned();
    assert_eq!(put(&servers[1], "If-Match", &tag, "two"), 200);
    assert_eq!(put(&servers[0], "If-Match", &tag, "three"), 412);
    for server in &servers {
        assert_eq!(server.get("/?name=a0").send().text(), "two");
    }
}

#[test]
fn a_server_without_its_bucket_is_not_ready_and_responds_with_503() {
    let Some(url) = new_url() else { return };
    let server = server(&url);
    assert_eq!(server.get("/readyz").send().status(), 200);
    super::places::Objects::new(&url).delete("state/format");
    // The result of the check is used again for a second.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    let ready = server.get("/readyz").send();
    assert_eq!((ready.status(), &ready.json()["checks"]["files"]), (503, &json!("failed")), "{}", ready.text());
}

#[test]
fn a_program_without_the_storage_of_a_url_does_not_start() {
    let rulebook = Rulebook::read(vec![("app.json".into(), b"{\"modules\":{}}".to_vec())]).keep_files();
    let engine = rulebook.files_folder("s3://files/prefix").build().unwrap();
    let error = engine.serve(&rulebook::Settings::new().with_bind(["127.0.0.1:0"])).err().unwrap().to_string();
    assert!(error.contains("s3://files/prefix") && error.contains("Cargo feature `s3`"), "{error}");
}
