//! Tests that definitions with the option `download` match their handlers.

use rulebook::{ApiError, Args, Context, Download, Module, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::download_definition;
use crate::client::{Request, TestServer};
use crate::handlers::files;

async fn return_file(_: Args<()>, _: Context) -> Result<Download, ApiError> {
    Ok(Download::bytes("text"))
}

async fn return_outputs(_: Args<()>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({}))
}

/// Returns the rendered errors of a definition that is built with the handlers of `module`.
fn build_errors(definition: &Json, module: Module) -> String {
    let rulebook = Rulebook::read(files("files", definition)).module(module);
    rulebook.build().map_or_else(|report| report.render(false), |_| String::new())
}

#[test]
fn a_download_needs_a_handler_that_returns_a_file() {
    let download = download_definition(&json!({}));
    let mut other = download.clone();
    other["/"]["it"]["GET"]["options"]["download"] = json!(false);
    assert_eq!(build_errors(&download, Module::new("files").get("/it", return_file)), "");
    assert_eq!(build_errors(&other, Module::new("files").get("/it", return_outputs)), "");
    let report = build_errors(&download, Module::new("files").get("/it", return_outputs));
    let expected = "error[handler-mismatch]: the handler of it.get returns outputs, but the method is a download\n";
    assert!(report.starts_with(expected), "{report}");
    assert!(report.contains("api/files.json:4:"), "the position in the definition is not in {report}");
    let report = build_errors(&other, Module::new("files").get("/it", return_file));
    let expected = "error[handler-mismatch]: the handler of it.get returns a file, but the method is not a download\n";
    assert!(report.starts_with(expected), "{report}");
}

/// Definitions for api 3.0 list `body` and `headers` as outputs of a download. These outputs are accepted and ignored.
#[test]
fn a_download_may_declare_only_the_outputs_body_headers_and_link() {
    let with = |name: &str, status: u16| {
        let mut definition = download_definition(&json!({}));
        definition["/"]["it"]["GET"]["out"] = json!({ name: { "info": "Some", "type": "any" } });
        definition["/"]["it"]["GET"]["options"]["status"] = status.into();
        build_errors(&definition, Module::new("files").get("/it", return_file))
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
fn a_download_without_a_handler_echoes_its_arguments_as_a_file() {
    let parameters = json!({ "GET@page": { "info": "Which page", "type": "int", "name": "page" } });
    let server = TestServer::echo(&[("files.json", download_definition(&parameters))]);
    let response = server.send(&Request::new("GET", "/it?page=7"));
    assert_eq!((response.status, response.json()), (200, json!({ "args": { "page": 7 } })));
    assert_eq!(response.field("content-disposition"), Some("attachment; filename=\"args.json\""));
    assert_eq!(response.field("content-type"), Some("application/json"));
    server.send(&Request::new("GET", "/it?page=x")).assert_error(400, "page");
    let not = Rulebook::read(files("files", &download_definition(&json!({}))))
        .unbound(Unbound::NotImplemented)
        .build()
        .unwrap();
    TestServer::start(&not).send(&Request::new("GET", "/it")).assert_error(501, "");
}
