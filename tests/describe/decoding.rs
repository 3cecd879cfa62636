//! Tests the published decodings. The decoding of an envelope describes how clients find outputs and errors in its
//! bodies; it must match the bodies that the envelope writes.

use rulebook::{Args, Context, Module, Rulebook};
use rulebook_model::call::{ApiError, Encode, ErrorKind, ParameterError, ParameterErrorKind, Source};
use rulebook_model::envelope::{
    Decoding, Envelope, EnvelopeName, EnvelopeSettings, ErrorMembers, JsonMemberWriter, MemberValue, MemberWriter,
    OutputsLocation, Problem, WriteError, write_details,
};
use rulebook_model::error::catalogue::CatalogueName;
use rulebook_test::Client;
use serde_json::{Value, json};

use crate::client::{Request, TestServer};

/// Returns all built-in envelopes with all combinations of their settings, and the envelope of problem documents.
fn envelopes() -> Vec<(String, std::sync::Arc<dyn Envelope>)> {
    let mut all: Vec<(String, std::sync::Arc<dyn Envelope>)> =
        vec![("problem".to_owned(), std::sync::Arc::new(Problem))];
    for name in EnvelopeName::ALL {
        for catalogue in [CatalogueName::PhalApi1, CatalogueName::PhalApi2_0, CatalogueName::PhalApi2] {
            for strict in [false, true] {
                let settings = EnvelopeSettings { catalogue, real_status: strict, strict_status: strict };
                all.push((format!("{} {settings:?}", name.as_str()), name.envelope(settings)));
            }
        }
    }
    all
}

fn success_body(envelope: &dyn Envelope, outputs: &dyn Encode, whole: bool) -> Value {
    let mut members = JsonMemberWriter::new();
    envelope.success(outputs, whole, &mut members).unwrap();
    serde_json::from_slice(&members.finish()).unwrap()
}

fn error_body(envelope: &dyn Envelope, error: &ApiError) -> Value {
    let mut members = JsonMemberWriter::new();
    envelope.error(error, &mut members).unwrap();
    serde_json::from_slice(&members.finish()).unwrap()
}

/// Returns the outputs in a body, found as a client finds them by the decoding.
fn decoded_outputs(decoding: &Decoding, body: &Value, whole: bool) -> Value {
    match decoding.outputs {
        OutputsLocation::Body => body.clone(),
        OutputsLocation::Member(name) if !whole && body[name] == json!([]) => json!({}),
        OutputsLocation::Member(name) => body[name].clone(),
        OutputsLocation::Members { whole: name, .. } if whole => body[name].clone(),
        OutputsLocation::Members { except, .. } => {
            let mut members = body.as_object().unwrap().clone();
            members.retain(|name, _| !except.contains(&name.as_str()));
            members.into()
        }
        OutputsLocation::Unknown => panic!("a built-in envelope describes its bodies"),
    }
}

/// Asserts that the JSON Schema in the published decoding accepts a body if and only if the decoding recognizes the
/// body.
#[track_caller]
fn assert_schema(schema: &Value, is_recognized: bool, body: &Value) {
    let expected = schema.is_null() || jsonschema::is_valid(schema, body);
    assert_eq!(expected, is_recognized, "{schema} {body}");
}

#[test]
fn outputs_of_every_built_in_envelope_are_found() {
    for (name, envelope) in envelopes() {
        let decoding = envelope.decoding();
        for (sent, whole) in [(json!({ "a": 1, "b": [2] }), false), (json!({}), false), (json!([1, { "c": 2 }]), true)]
        {
            // Problem documents are used for errors only, and have no outputs.
            if name == "problem" && !whole {
                continue;
            }
            let body = success_body(&*envelope, &sent, whole);
            assert!(decoding.is_success(&body), "{name} {body}");
            assert_eq!(decoded_outputs(&decoding, &body, whole), sent, "{name} {body}");
            assert_schema(&decoding.to_json()["success"]["schema"], true, &body);
            assert_schema(&decoding.to_json()["error"]["schema"], decoding.is_error(&body), &body);
        }
    }
}

#[test]
fn errors_of_every_built_in_envelope_are_recognized_and_read() {
    let parameter = ParameterError::new(ParameterErrorKind::Missing, "page", Source::Query, "a number");
    let parameters = ApiError::parameters(vec![parameter]);
    let declared = ApiError::declared("full").with_message("no place is left").with_member("data", json!({ "x": 1 }));
    let internal = ApiError::new(ErrorKind::Internal { request_id: "1".to_owned() });
    for (name, envelope) in envelopes() {
        let decoding = envelope.decoding();
        let members = decoding.error;
        let known = decoding.to_json();
        for sent in
            [&parameters, &declared, &internal, &ApiError::new(ErrorKind::NotImplemented { id: "x".to_owned() })]
        {
            let body = error_body(&*envelope, sent);
            assert!(decoding.is_error(&body), "{name} {body}");
            assert!(decoding.success.is_empty() || !decoding.is_success(&body), "{name} {body}");
            assert_schema(&known["error"]["schema"], true, &body);
            assert_schema(&known["success"]["schema"], decoding.is_success(&body), &body);
            assert!(members.message.iter().any(|member| body[member].is_string()), "{name} {body}");
            let is_known_code =
                |code: &Value| code.is_string() || code.as_u64() == Some(sent.code().row().aicra_number.into());
            assert!(members.code.is_none_or(|member| is_known_code(&body[member])), "{name} {body}");
        }
        let body = error_body(&*envelope, &parameters);
        assert!(members.parameters.is_none_or(|member| body[member][0]["parameter"] == "page"), "{name} {body}");
        let body = error_body(&*envelope, &declared);
        assert!(members.name.is_none_or(|member| body[member] == "full"), "{name} {body}");
        let hides_errors = rulebook_model::envelope::response_status(&*envelope, 500) < 400;
        assert!(decoding.hides_errors || !hides_errors, "{name}");
    }
}

#[test]
fn options_publishes_the_decoding_of_each_envelope() {
    let method = |info: &str| json!({ "GET": { "info": info } });
    let app = json!({ "modules": {
        "first": { "/": { "one": method("One") } },
        "second": { "envelope": "phalapi", "/": { "two": method("Two") } }
    } });
    let server = TestServer::echo(&[("app.json", app)]);
    let options = |target: &str| server.send(&Request::new("OPTIONS", target)).json();
    let decoding = |name: &EnvelopeName| name.envelope(EnvelopeSettings::default()).decoding().to_json();
    let (aicra, phalapi) = (decoding(&EnvelopeName::Aicra), decoding(&EnvelopeName::Phalapi));
    let all = options("*");
    assert_eq!(all["$envelope"], aicra);
    assert_eq!(all["modules"]["first"]["$envelope"], Value::Null, "the envelope of the API");
    assert_eq!(all["modules"]["second"]["$envelope"], phalapi);
    assert_eq!(options("/one")["$envelope"], aicra);
    assert_eq!(options("/two")["$envelope"], phalapi);
}

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

    fn status(&self, _: u16) -> u16 {
        200
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Member("result"),
            success: &[("ok", MemberValue::Bool(true))],
            hides_errors: true,
            error: ErrorMembers {
                identified_by: &[("ok", MemberValue::Bool(false))],
                message: &["error"],
                ..Decoding::UNKNOWN.error
            },
        }
    }
}

#[test]
fn the_decoding_of_a_custom_envelope_matches_its_bodies() {
    let method = json!({
        "info": "Counts", "id": "count", "in": { "GET@page": { "info": "Which", "type": "int(1,9)", "name": "page" } },
        "out": { "total": { "info": "How many", "type": "int" } }
    });
    let files = vec![(
        "app.json".into(),
        json!({ "envelope": "corp", "modules": { "m": { "/": { "it": { "GET": method } } } } }),
    )];
    let files = files.into_iter().map(|(name, json): (_, Value)| (name, json.to_string().into_bytes())).collect();
    let module =
        Module::new("m").get("/it", async |_: Args<Value>, _: Context| Ok::<_, ApiError>(json!({ "total": 3 })));
    let client = Client::new(Rulebook::read(files).add_envelope("corp", OkEnvelope).module(module)).unwrap();
    let counted = client.call("count").arg("page", 1).send();
    assert_eq!((counted.is_error(), counted.outputs()), (false, json!({ "total": 3 })));
    let refused = client.call("count").arg("page", 0).send();
    assert_eq!((refused.status(), refused.is_error(), refused.invalid_parameters()), (200, true, vec!["page"]));
    let unknown = client.get("/none").send();
    assert_eq!((unknown.status(), unknown.is_error(), unknown.code()), (200, true, None));
    assert!(unknown.message().is_some_and(|message| !message.is_empty()));
    assert_eq!(client.request("OPTIONS", "/it").send().json()["$envelope"], OkEnvelope.decoding().to_json());
}
