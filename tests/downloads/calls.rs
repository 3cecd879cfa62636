//! Tests of downloads that are called from code instead of over HTTP.

use rulebook::Content;
use rulebook::{ApiError, Args, Context, Download, Module};
use serde_json::json;

use super::engine_returning;
use crate::client::{Request, TestServer};
use crate::handlers::{block_on, build, files};

#[test]
fn a_call_from_code_returns_the_file() {
    let engine = engine_returning(|| Download::bytes("text").name("a.txt"));
    let response = block_on(engine.call("it.get").send());
    assert_eq!((response.status(), response.output_map(), response.error().is_none()), (200, None, true));
    assert_eq!(response.download().and_then(Download::file_name), Some("a.txt"));
    match response.into_download().map(Download::into_content) {
        Some(Content::Bytes(bytes)) => assert_eq!(bytes, "text"),
        other => panic!("{other:?}"),
    }
}

/// The API module also has hooks, which run before and after both methods.
#[test]
fn a_handler_can_return_the_download_of_another_method() {
    async fn inner_download(_: Args<()>, _: Context) -> Result<Download, ApiError> {
        Ok(Download::bytes("text").name("a.txt"))
    }
    async fn outer_download(_: Args<()>, context: Context) -> Result<Download, ApiError> {
        context.set_header("X-Outer", "1")?;
        context.set_header("Content-Disposition", "inline")?;
        let called = context.call("inner").send().await;
        called.into_download().ok_or_else(|| ApiError::internal("no file"))
    }
    let method = json!({ "GET": { "info": "A file", "options": { "download": true } } });
    let module = Module::new("files").get("/inner", inner_download).get("/outer", outer_download);
    let module = module.before(|_| async { Ok(()) }).after(|_, _| async {});
    let engine = build(files("files", &json!({ "/": { "inner": method, "outer": method } })), [module]);
    let response = TestServer::start(&engine).send(&Request::new("GET", "/outer"));
    assert_eq!((response.status, &response.body[..], response.field("x-outer")), (200, &b"text"[..], Some("1")));
    // A header field of the file replaces the field with the same name that the handler has set.
    assert_eq!(response.field("content-disposition"), Some("attachment; filename=\"a.txt\""));
    assert_eq!(response.head.to_lowercase().matches("content-disposition").count(), 1);
}
