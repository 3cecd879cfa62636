//! Tests a program that is compiled without the optional features of the crate. `scripts/test` runs these tests with
//! `--no-default-features`.

#![cfg(not(any(feature = "brotli", feature = "documents", feature = "files")))]

use std::error::Error;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use rulebook::{ApiError, Args, Context, Module, Rulebook, RunningServer, Settings};
use serde::{Deserialize, Serialize};

type TestResult = Result<(), Box<dyn Error>>;

const DEFINITION: &str = r#"{ "/": { "hello": { "GET": {
    "info": "Greets",
    "in":  { "URL#0": { "info": "The name", "type": "string(1,40)", "name": "name" } },
    "out": { "greeting": { "info": "The greeting", "type": "string" } }
} } } }"#;

#[derive(Deserialize, Serialize)]
struct Person {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    greeting: String,
}

async fn hello(Args(person): Args<Person>, _: Context) -> Result<Greeting, ApiError> {
    Ok(Greeting { greeting: format!("Hello, {}!", person.name) })
}

fn hello_program() -> Rulebook {
    Rulebook::read(vec![("hello.json".into(), DEFINITION.into())])
        .data_folder(std::env::temp_dir().join(format!("rulebook-without-features-{}", std::process::id())))
        .module(Module::new("hello").get("/hello", hello))
}

fn serve_program(program: Rulebook) -> Result<RunningServer, Box<dyn Error>> {
    let settings = Settings::new().with_bind(vec!["127.0.0.1:0".to_owned()]).with_workers(Some(1));
    Ok(program.build()?.serve(&settings)?)
}

/// Sends a request over a new connection, and returns the whole response as text. `fields` are further header fields.
fn send_request(address: SocketAddr, method: &str, path: &str, fields: &str) -> Result<String, Box<dyn Error>> {
    let mut connection = TcpStream::connect(address)?;
    write!(connection, "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{fields}\r\n")?;
    let mut response = Vec::new();
    connection.read_to_end(&mut response)?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

#[test]
fn calls_get_responses_without_features() -> TestResult {
    let server = serve_program(hello_program())?;
    let response = send_request(server.addresses()[0], "GET", "/hello/Ada", "")?;
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(response.contains(r#""greeting":"Hello, Ada!""#), "{response}");
    Ok(())
}

#[test]
fn requests_for_documents_get_404() -> TestResult {
    let server = serve_program(hello_program())?;
    let html = "accept: text/html\r\n";
    for path in [
        "/openapi.json",
        "/llms.txt",
        "/llms-full.txt",
        "/.well-known/api-catalog",
        "/docs",
        "/docs/",
        "/docs/swagger/",
        "/static/openapi.json",
        "/",
    ] {
        for fields in ["", html] {
            let response = send_request(server.addresses()[0], "GET", path, fields)?;
            assert!(response.starts_with("HTTP/1.1 404 "), "{path}: {response}");
        }
    }
    Ok(())
}

#[test]
fn options_responds_in_json_without_links_to_documents() -> TestResult {
    let server = serve_program(hello_program())?;
    for fields in ["", "accept: text/markdown\r\n"] {
        let response = send_request(server.addresses()[0], "OPTIONS", "/hello", fields)?;
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
        assert!(response.contains("content-type: application/json"), "{response}");
        assert!(response.contains("The greeting") && !response.contains("openapi"), "{response}");
    }
    Ok(())
}

#[test]
fn responses_are_compressed_with_gzip_only() -> TestResult {
    let server = serve_program(hello_program())?;
    let coding = |accepted: &str| -> Result<bool, Box<dyn Error>> {
        let fields = format!("accept-encoding: {accepted}, identity;q=0\r\n");
        Ok(send_request(server.addresses()[0], "OPTIONS", "/hello", &fields)?.contains("content-encoding: gzip"))
    };
    assert!(coding("br, gzip")?);
    assert!(!coding("br")?);
    Ok(())
}

#[test]
fn a_program_that_stores_files_does_not_start() -> TestResult {
    let error = serve_program(hello_program().keep_files()).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("without the feature `files`"), "{error}");
    Ok(())
}
