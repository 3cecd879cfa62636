//! Tests the numbers of declared errors, which the envelope `aicra` sends.

use rulebook::{ApiError, Args, Context, Module, Unbound};
use rulebook_model::describe::{canonical_definition, openapi};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::client::{Request, TestServer, engine};

/// Returns a definition with a method that can end in two errors: one with a number, and one without.
fn definition(envelope: &str) -> Json {
    json!({
        "envelope": envelope,
        "/": { "line": { "GET": {
            "info": "Returns a line",
            "in": {
                "GET@error": { "info": "The name of the error", "type": "string" },
                "GET@number": { "info": "The number that the handler sets", "type": "?uint" }
            },
            "errors": {
                "no_line": { "status": 404, "info": "there is no such line", "number": 12 },
                "no_page": { "status": 404, "info": "there is no such page" }
            }
        } } }
    })
}

#[derive(Deserialize)]
struct Ending {
    error: String,
    number: Option<u64>,
}

async fn fail(Args(Ending { error, number }): Args<Ending>, _: Context) -> Result<(), ApiError> {
    let error = ApiError::declared(error);
    Err(match number {
        Some(number) => error.with_number(u32::try_from(number).unwrap()),
        None => error,
    })
}

#[test]
fn the_aicra_envelope_sends_the_number_of_the_definition_or_of_the_handler() {
    let module = Module::new("book").get("/line", fail);
    let server = TestServer::handlers(&[("book.json", definition("aicra"))], module);
    for (query, number) in [
        ("error=no_line", 12),
        ("error=no_line&number=30", 12),
        ("error=no_page", 1),
        ("error=no_page&number=30", 30),
        ("error=no_page&number=0", 1),
    ] {
        let response = server.send(&Request::new("GET", format!("/line?{query}")));
        assert_eq!((response.status, &response.json()["error"]), (404, &json!(number)), "{query}");
        assert_eq!(response.json()["name"], query["error=".len()..][..7], "{query}");
    }
}

#[test]
fn other_envelopes_ignore_the_number() {
    for envelope in ["plain", "phalapi", "iapi", "aicra-status"] {
        let module = Module::new("book").get("/line", fail);
        let server = TestServer::handlers(&[("book.json", definition(envelope))], module);
        let response = server.send(&Request::new("GET", "/line?error=no_line&number=30"));
        let text = response.json().to_string();
        assert!(!text.contains("12") && !text.contains("30"), "{text}");
    }
}

#[test]
fn documents_contain_the_numbers_of_errors() {
    let engine = engine(&[("book.json", definition("aicra"))], |rulebook| rulebook.unbound(Unbound::Echo));
    let document = openapi(engine.api());
    let component = document["paths"]["/line"]["get"]["responses"]["404"]["$ref"].as_str().unwrap();
    let response = &document["components"]["responses"][component.rsplit('/').next().unwrap()];
    let content = &response["content"]["application/json"];
    assert_eq!(content["examples"]["no_line"]["value"]["error"], 12);
    assert_eq!(content["examples"]["no_page"]["value"]["error"], 1);
    let text = document.to_string();
    assert!(text.contains(r#""error":{"type":"integer","const":12}"#), "{content}");
    let canonical = canonical_definition(engine.api()).to_string();
    assert!(canonical.contains(r#""number":12"#), "{canonical}");
}

#[test]
fn every_dialect_declares_numbers_and_rejects_the_number_of_a_success() {
    for (declaration, description) in [("errors", "info"), ("errors", "description"), ("@errors", "info")] {
        let read = |number: u64| {
            let errors = json!({ "no_line": { "status": 404, description: "no line", "number": number } });
            let method = match declaration {
                "errors" => json!({ "info": "Returns a line", declaration: errors }),
                _ => json!({ declaration: errors }),
            };
            let file = match (declaration, description) {
                (_, "description") => json!({ "book": { "GET::line": { "description": "A line", "errors": errors } } }),
                ("errors", _) => json!({ "/": { "line": { "GET": method } } }),
                _ => json!({ "Book": { "line": method } }),
            };
            rulebook_model::read(vec![("book.json".into(), file.to_string().into_bytes())])
        };
        let api = read(12).unwrap_or_else(|report| panic!("{report}"));
        assert_eq!(api.modules[0].services[0].methods[0].errors[0].number, Some(12), "{declaration} {description}");
        for number in [0, 1 << 32] {
            let report = read(number).unwrap_err().to_string();
            assert!(
                report.contains("error[bad-option]") && report.contains("is not the number of an error"),
                "{report}"
            );
        }
    }
}
