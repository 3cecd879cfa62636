//! Tests custom envelopes (the JSON structure around outputs and errors, defined by a program): how definitions select
//! them, and what happens when they fail.

use rulebook::envelope::{Encode, Envelope, MemberWriter, WriteError};
use rulebook::{ApiError, Args, Context, Module, Rulebook, Unbound};
use rulebook_model::describe::{canonical_definition, openapi};
use rulebook_model::envelope::{details_schema, write_details};
use serde_json::{Value, json};
use support::WithoutSpans as _;

use crate::captured_log;
use crate::client::{self, Request, TestServer, xml};
use crate::openapi::resolved;

/// An envelope that writes `{"ok": true, "result": …}` or `{"ok": false, "error": …}`.
struct OkEnvelope;

impl Envelope for OkEnvelope {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("ok", true.into())?;
        to.object("result", outputs, (&json!({})).into())
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("ok", false.into())?;
        to.member("error", error.code().title().into())?;
        write_details(error, &["ok", "error"], to)
    }

    fn success_content_type(&self) -> &'static str {
        "application/vnd.corp+json"
    }

    fn success_schema(&self, outputs: Value, _: bool) -> Value {
        json!({ "type": "object", "properties": { "ok": { "const": true }, "result": outputs }, "required": ["ok", "result"] })
    }

    fn error_schema(&self) -> Value {
        let mut members = details_schema();
        members["ok"] = json!({ "const": false });
        members["error"] = json!({ "type": "string" });
        json!({ "type": "object", "properties": members, "required": ["ok", "error"] })
    }
}

/// The ways in which [`InvalidEnvelope`] fails.
#[derive(Clone, Copy, PartialEq)]
enum EnvelopeFailure {
    PanicsForSuccess,
    PanicsForError,
    FailsForError,
    MemberAfterWholeBody,
    WholeBodyAfterMember,
    Status(u16),
    InvalidMediaType,
}

struct InvalidEnvelope(EnvelopeFailure);

impl Envelope for InvalidEnvelope {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        match self.0 {
            EnvelopeFailure::PanicsForSuccess => panic!("the secret reason"),
            EnvelopeFailure::MemberAfterWholeBody => {
                to.whole(outputs)?;
                to.member("more", true.into())
            }
            EnvelopeFailure::WholeBodyAfterMember => {
                to.member("more", true.into())?;
                to.whole(outputs)
            }
            _ => to.spread(outputs),
        }
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        match self.0 {
            EnvelopeFailure::PanicsForError => panic!("the secret reason"),
            EnvelopeFailure::FailsForError => Err(WriteError::NotAnObject),
            _ => to.member("careless", error.code().title().into()),
        }
    }

    fn reserved_members(&self) -> &[&str] {
        &["careless"]
    }

    fn status(&self, real: u16) -> u16 {
        if let EnvelopeFailure::Status(own) = self.0 { own } else { real }
    }

    fn success_content_type(&self) -> &'static str {
        if self.0 == EnvelopeFailure::InvalidMediaType { "no\nmedia type" } else { "application/json" }
    }
}

fn rulebook_from(app: &Value) -> Rulebook {
    Rulebook::read(vec![("app.json".into(), app.to_string().into_bytes())])
}

fn get_response(server: &TestServer, target: &str) -> client::Response {
    server.send(&Request::new("GET", target))
}

#[test]
fn responses_of_every_kind_are_in_the_custom_envelope() {
    let word = json!({ "info": "A word", "type": "string" });
    let definition = json!({ "/": {
        "hello": { "GET": { "info": "Greets", "out": { "word": word }, "in": { "GET@n": { "info": "N", "type": "?int" } } } },
        "nothing": { "GET": { "info": "No outputs" } },
        "gone": { "GET": { "info": "Gone", "errors": { "gone": { "status": 410, "info": "it was there" } } } },
        "fails": { "GET": { "info": "Fails" } }
    } });
    let module = Module::new("site")
        .get("/hello", async |_: Args<Value>, _: Context| Ok::<_, ApiError>(json!({ "word": "Hello" })))
        .get("/nothing", async |_: Args<()>, _: Context| Ok::<_, ApiError>(()))
        .get("/gone", async |_: Args<()>, _: Context| {
            Err::<(), _>(ApiError::declared("gone").with_member("since", 1999))
        })
        .get("/fails", async |_: Args<()>, _: Context| Err::<(), _>(ApiError::internal("a reason")));
    let files = [("app.json", json!({ "envelope": "corp", "formats": ["xml"] })), ("site.json", definition)];
    let engine = client::engine(&files, |rulebook| rulebook.add_envelope("corp", OkEnvelope).module(module));
    let server = TestServer::start(&engine);
    let error = json!({ "parameter": "n", "in": "query", "expected": "a whole number of 64 bits", "got": "\"x\"" });
    let cases = [
        ("/hello", 200, json!({ "ok": true, "result": { "word": "Hello" } })),
        ("/nothing", 200, json!({ "ok": true, "result": {} })),
        ("/hello?n=x", 400, json!({ "ok": false, "error": "invalid parameter", "errors": [error] })),
        ("/gone", 410, json!({ "ok": false, "error": "it failed", "since": 1999 })),
        ("/nowhere/at/all", 404, json!({ "ok": false, "error": "unknown service" })),
    ];
    for (target, status, body) in cases {
        let response = get_response(&server, target);
        assert_eq!((response.status, response.json()), (status, body.clone()), "{target}");
        let media_type = if status == 200 { "application/vnd.corp+json" } else { "application/json" };
        assert_eq!(response.field("content-type"), Some(media_type), "{target}");
        let in_xml = server.send(&Request::new("GET", target).field("accept", "text/xml"));
        assert_eq!((in_xml.status, xml::read(&in_xml.body).1), (status, body), "{target}");
    }
    let failed = get_response(&server, "/fails");
    assert_eq!(failed.json()["request_id"], failed.field("x-request-id").unwrap());
    let problem = server.send(&Request::new("GET", "/nowhere").field("accept", "application/problem+json"));
    assert_eq!(problem.json()["title"], "Not Found");
}

#[test]
fn a_module_can_select_a_custom_envelope() {
    let method = json!({ "GET": { "info": "Nothing" } });
    let app = json!({ "modules": {
        "own": { "envelope": "corp", "/": { "own": method } }, "other": { "/": { "other": method } }
    } });
    let rulebook = || rulebook_from(&app).add_envelope("corp", OkEnvelope);
    let server = TestServer::start(&rulebook().unbound(Unbound::Echo).build().unwrap());
    assert_eq!(get_response(&server, "/own").json(), json!({ "ok": true, "result": { "args": {} } }));
    assert_eq!(get_response(&server, "/other").json()["error"], 0);
    assert_eq!(get_response(&server, "/nowhere").json()["error"], 200, "before a module is known, it is the API's");
    let api = rulebook().check().unwrap();
    let printed = canonical_definition(&api);
    assert_eq!(printed["modules"]["own"]["envelope"], "corp");
    let again = rulebook_from(&printed).add_envelope("corp", OkEnvelope).check().unwrap();
    assert_eq!(again.without_spans(), api.without_spans());
    let options = server.send(&Request::new("OPTIONS", "/own")).json();
    assert_eq!(options["envelope"], "corp");
}

#[test]
fn an_envelope_that_was_not_added_is_unknown() {
    let app = json!({ "envelope": "crop", "modules": {} });
    let report = |rulebook: Rulebook| rulebook.check().unwrap_err().to_string();
    let near = report(rulebook_from(&app).add_envelope("corp", OkEnvelope));
    assert!(near.contains("bad-option") && near.contains("did you mean `corp`?"), "{near}");
    let far = report(rulebook_from(&json!({ "envelope": "mine", "modules": {} })).add_envelope("corp", OkEnvelope));
    assert!(far.contains("expected one of `aicra`, `plain`, `phalapi`, `iapi`, `aicra-status`, `corp`"), "{far}");
}

#[test]
fn a_custom_envelope_with_a_built_in_name_replaces_it() {
    let app = json!({ "modules": { "m": { "GET": { "info": "Nothing" } } } });
    let server = TestServer::start(
        &rulebook_from(&app).add_envelope("aicra", OkEnvelope).unbound(Unbound::Echo).build().unwrap(),
    );
    assert_eq!(get_response(&server, "/").json(), json!({ "ok": true, "result": { "args": {} } }));
}

#[test]
fn outputs_cannot_have_the_names_of_envelope_members() {
    let output = json!({ "info": "A word", "type": "string" });
    let with = |name: &str| {
        let method = json!({ "info": "Nothing", "out": { name: output } });
        let rulebook = rulebook_from(&json!({ "envelope": "own", "modules": { "m": { "GET": method } } }));
        rulebook.add_envelope("own", InvalidEnvelope(EnvelopeFailure::Status(200))).check()
    };
    let report = with("careless").unwrap_err().to_string();
    assert!(
        report.contains("output-collision") && report.contains("the own envelope has a member `careless`"),
        "{report}"
    );
    with("ErrorDescription").unwrap();
}

#[test]
fn a_request_gets_a_response_even_if_its_envelope_fails() {
    captured_log::begin();
    let word = json!({ "info": "A word", "type": "?int", "name": "n" });
    let app =
        json!({ "envelope": "own", "modules": { "m": { "GET": { "info": "Echoes", "in": { "GET@n": word } } } } });
    let outcomes = |failure: EnvelopeFailure| {
        let rulebook = rulebook_from(&app).add_envelope("own", InvalidEnvelope(failure)).unbound(Unbound::Echo);
        let server = TestServer::start(&rulebook.build().unwrap());
        let (success, error) = (get_response(&server, "/"), get_response(&server, "/?n=x"));
        for response in [&success, &error] {
            assert!(!format!("{response:?}").contains("secret"), "{response:?}");
            if response.status == 500 {
                let id = response.field("x-request-id").unwrap();
                assert!(!captured_log::logged(id).is_empty(), "{response:?}");
            }
        }
        let body = |response: &client::Response| {
            let mut body = response.json();
            body.as_object_mut().unwrap().remove("request_id");
            (response.status, body)
        };
        (body(&success), body(&error))
    };
    let (echoed, invalid_envelope) = (json!({ "args": { "n": null } }), json!({ "careless": "invalid parameter" }));
    let internal = json!({ "careless": "internal error" });
    assert_eq!(outcomes(EnvelopeFailure::PanicsForSuccess), ((500, internal.clone()), (400, invalid_envelope.clone())));
    assert_eq!(
        outcomes(EnvelopeFailure::MemberAfterWholeBody),
        ((500, internal.clone()), (400, invalid_envelope.clone()))
    );
    assert_eq!(outcomes(EnvelopeFailure::WholeBodyAfterMember), ((500, internal), (400, invalid_envelope.clone())));
    for failure in [EnvelopeFailure::PanicsForError, EnvelopeFailure::FailsForError] {
        let (success, (status, problem)) = outcomes(failure);
        assert_eq!((success, status), ((200, echoed.clone()), 400));
        assert_eq!((&problem["status"], &problem["code"]), (&json!(400), &json!("invalid-parameter")), "{problem}");
    }
    for status in [0, 99, 100, 199, 600, 1000, u16::MAX] {
        assert_eq!(
            outcomes(EnvelopeFailure::Status(status)),
            ((200, echoed.clone()), (400, invalid_envelope.clone())),
            "{status}"
        );
    }
    assert_eq!(outcomes(EnvelopeFailure::Status(418)), ((418, echoed), (418, invalid_envelope)));
}

#[test]
fn a_jsonp_script_calls_its_callback_even_if_its_envelope_fails() {
    let word = json!({ "info": "A word", "type": "?int", "name": "n" });
    let method = json!({ "info": "Echoes", "in": { "GET@n": word }, "options": { "jsonp": true } });
    let app = json!({ "envelope": "own", "modules": { "m": { "GET": method } } });
    for (failure, target) in [
        (EnvelopeFailure::PanicsForError, "n=x"),
        (EnvelopeFailure::FailsForError, "n=x"),
        (EnvelopeFailure::FailsForError, "n=&n="),
    ] {
        let rulebook = rulebook_from(&app).add_envelope("own", InvalidEnvelope(failure)).unbound(Unbound::Echo);
        let response = get_response(&TestServer::start(&rulebook.build().unwrap()), &format!("/?callback=f&{target}"));
        let text = String::from_utf8(response.body.clone()).unwrap();
        assert_eq!(response.status, 200, "{response:?}");
        assert!(text.contains("f({\"type\":\"about:blank\"") && text.contains("\"status\":400"), "{response:?}");
    }
}

#[test]
fn an_envelope_with_an_invalid_media_type_is_refused_at_start() {
    let app = json!({ "envelope": "own", "modules": {} });
    let report = rulebook_from(&app)
        .add_envelope("own", InvalidEnvelope(EnvelopeFailure::InvalidMediaType))
        .check()
        .unwrap_err()
        .to_string();
    assert!(report.contains("bad-option") && report.contains("app.json:1:"), "{report}");
}

#[test]
fn openapi_has_the_schemas_of_custom_envelopes() {
    let output = json!({ "info": "A word", "type": "string" });
    let method = json!({ "info": "A word", "out": { "word": output } });
    let modules = json!({
        "a": { "envelope": "corp", "/": { "a": { "GET": method } } },
        "b": { "envelope": "silent", "/": { "b": { "GET": method } } }
    });
    let rulebook = rulebook_from(&json!({ "formats": ["xml"], "modules": modules })).add_envelope("corp", OkEnvelope);
    let api = rulebook.add_envelope("silent", InvalidEnvelope(EnvelopeFailure::Status(200))).check().unwrap();
    let document = openapi(&api);
    let content = |path: &str| &document["paths"][path]["get"]["responses"]["200"]["content"];
    let corp = content("/a");
    let schema = resolved(&document, &corp["application/vnd.corp+json"]["schema"]);
    let result = resolved(&document, &schema["properties"]["result"]);
    assert_eq!((&schema["required"], &result["required"]), (&json!(["ok", "result"]), &json!(["word"])));
    assert_eq!(corp["application/xml"]["schema"], corp["application/vnd.corp+json"]["schema"]);
    assert_eq!(content("/b")["application/json"]["schema"], content("/b")["application/xml"]["schema"]);
    let errors = &document["components"]["responses"]["corp.Other"]["content"];
    assert!(errors["application/json"]["schema"].is_object(), "{document:#}");
    assert!(errors["application/xml"]["schema"].is_object(), "{document:#}");
    assert!(document["components"]["responses"]["silent.Other"].is_object(), "{document:#}");
}

/// A custom envelope can only choose statuses from 200 to 599, in responses and in OpenAPI. Any other status is
/// replaced.
#[test]
fn openapi_has_the_statuses_of_custom_envelopes() {
    let method = json!({ "info": "A word", "errors": { "gone": { "status": 410, "info": "It was there" } } });
    let app = json!({ "envelope": "own", "modules": { "m": { "GET": method } } });
    for (own, success, gone) in [(0, "200", "410"), (199, "200", "410"), (1000, "200", "410"), (299, "299", "299")] {
        let rulebook = || rulebook_from(&app).add_envelope("own", InvalidEnvelope(EnvelopeFailure::Status(own)));
        let server = TestServer::start(&rulebook().unbound(Unbound::Echo).build().unwrap());
        assert_eq!(get_response(&server, "/").status.to_string(), success, "{own}");
        let document = openapi(&rulebook().check().unwrap());
        let responses = &document["paths"]["/"]["get"]["responses"];
        assert!(responses[success].is_object() && responses[gone].is_object(), "{own}: {responses:#}");
        assert!(responses.get(own.to_string()).is_none() || own == 299, "{own}: {responses:#}");
    }
}
