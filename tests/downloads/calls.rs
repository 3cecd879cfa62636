//! Downloads that are called from code: handed over as they are, and returned by others.

use rulebook::call::Content;
use rulebook::{Args, Context, Download, Module, Refusal};
use serde_json::json;

use super::returning;
use crate::client::{Request, Site};
use crate::handlers::{build, files, wait};

#[test]
fn a_call_from_code_gives_the_file() {
    let engine = returning(|| Download::bytes("text").name("a.txt"));
    let response = wait(engine.call("it.get").send());
    assert_eq!((response.status(), response.all(), response.error().is_none()), (200, None, true));
    assert_eq!(response.download().and_then(Download::file_name), Some("a.txt"));
    match response.into_download().map(Download::into_content) {
        Some(Content::Bytes(bytes)) => assert_eq!(bytes, "text"),
        other => panic!("{other:?}"),
    }
}

/// One method returns the file of another; hooks run around a download as around any call.
#[test]
fn a_download_is_handed_on() {
    async fn inner(_: Args<()>, _: Context) -> Result<Download, Refusal> {
        Ok(Download::bytes("text").name("a.txt"))
    }
    async fn outer(_: Args<()>, context: Context) -> Result<Download, Refusal> {
        context.set_header("X-Outer", "1")?;
        context.set_header("Content-Disposition", "inline")?;
        let called = context.call("inner").send().await;
        called.into_download().ok_or_else(|| Refusal::internal("no file"))
    }
    let method = json!({ "GET": { "info": "A file", "options": { "download": true } } });
    let module = Module::new("files").get("/inner", inner).get("/outer", outer);
    let module = module.before(|_| async { Ok(()) }).after(|_, _| async {});
    let engine = build(files("files", &json!({ "/": { "inner": method, "outer": method } })), [module]);
    let answer = Site::start(&engine).send(&Request::new("GET", "/outer"));
    assert_eq!((answer.status, &answer.body[..], answer.field("x-outer")), (200, &b"text"[..], Some("1")));
    // What the file says counts before what the handler said.
    assert_eq!(answer.field("content-disposition"), Some("attachment; filename=\"a.txt\""));
    assert_eq!(answer.head.to_lowercase().matches("content-disposition").count(), 1);
}
