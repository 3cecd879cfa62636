//! Definitions with the option `download`, and their handlers.

use rulebook::{ApiError, Args, Context, Download, Module, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::definition;
use crate::client::{Request, TestServer};
use crate::handlers::files;

async fn file(_: Args<()>, _: Context) -> Result<Download, ApiError> {
    Ok(Download::bytes("text"))
}

async fn outputs(_: Args<()>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({}))
}

/// Returns the errors of a definition together with this module.
fn errors(definition: &Json, module: Module) -> String {
    let rulebook = Rulebook::read(files("files", definition)).module(module);
    rulebook.build().map_or_else(|report| report.render(false), |_| String::new())
}

#[test]
fn a_download_needs_a_handler_that_returns_a_file() {
    let download = definition(&json!({}));
    let mut other = download.clone();
    other["/"]["it"]["GET"]["options"]["download"] = json!(false);
    assert_eq!(errors(&download, Module::new("files").get("/it", file)), "");
    assert_eq!(errors(&other, Module::new("files").get("/it", outputs)), "");
    let report = errors(&download, Module::new("files").get("/it", outputs));
    let expected = "error[handler-mismatch]: the handler of it.get returns outputs, but the method is a download\n";
    assert!(report.starts_with(expected), "{report}");
    assert!(report.contains("api/files.json:4:"), "the position in the definition is not in {report}");
    let report = errors(&other, Module::new("files").get("/it", file));
    let expected = "error[handler-mismatch]: the handler of it.get returns a file, but the method is not a download\n";
    assert!(report.starts_with(expected), "{report}");
}

/// Programs for api 3.0 list `body` and `headers` among the outputs of a download. They are accepted and ignored.
#[test]
fn a_download_has_only_body_and_headers_as_outputs() {
    let with = |name: &str, status: u16| {
        let mut definition = definition(&json!({}));
        definition["/"]["it"]["GET"]["out"] = json!({ name: { "info": "Some", "type": "any" } });
        definition["/"]["it"]["GET"]["options"]["status"] = status.into();
        errors(&definition, Module::new("files").get("/it", file))
    };
    for name in ["body", "headers", "link"] {
        assert_eq!(with(name, 200), "");
    }
    for name in ["article", "*"] {
        assert!(
            with(name, 200).starts_with("error[bad-option]: a method that returns a file has no outputs"),
            "{name}"
        );
    }
    assert!(with("body", 204).starts_with("error[bad-option]: a response with status 204 has no body"));
}

#[test]
fn a_download_echoes_its_arguments_as_a_file() {
    let parameters = json!({ "GET@page": { "info": "Which page", "type": "int", "name": "page" } });
    let server = TestServer::echo(&[("files.json", definition(&parameters))]);
    let response = server.send(&Request::new("GET", "/it?page=7"));
    assert_eq!((response.status, response.json()), (200, json!({ "args": { "page": 7 } })));
    assert_eq!(response.field("content-disposition"), Some("attachment; filename=\"args.json\""));
    assert_eq!(response.field("content-type"), Some("application/json"));
    server.send(&Request::new("GET", "/it?page=x")).assert_error(400, "page");
    let not = Rulebook::read(files("files", &definition(&json!({})))).unbound(Unbound::NotImplemented).build().unwrap();
    TestServer::start(&not).send(&Request::new("GET", "/it")).assert_error(501, "");
}
