//! Tests the formats of responses: negotiation by `Accept`, XML, and custom formats of a program.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rulebook::envelope::{Format, FormatError, Xml};
use rulebook::{ApiError, Args, Context, Module, Rulebook, Unbound};
use rulebook_model::model::EnvelopeName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::captured_log;
use crate::client::{self, Request, Response, TestServer, case, xml};
use crate::http::jsonp::callback_value;

const XML_MEDIA_TYPE: &str = "application/xml; charset=utf-8";

/// A custom format with this name and this media type, which writes JSON. It fails or panics if the parameter `word` is
/// `fail` or `panic`.
struct WordFormat(&'static str, &'static str);

impl Format for WordFormat {
    fn name(&self) -> &str {
        self.0
    }

    fn media_type(&self) -> &str {
        self.1
    }

    fn write(&self, response: &Value) -> Result<Vec<u8>, FormatError> {
        match response["args"]["word"].as_str() {
            Some("fail") => Err("the secret reason".into()),
            Some("panic") => panic!("the secret reason"),
            _ => Ok(response.to_string().into_bytes()),
        }
    }
}

/// A custom format that always fails.
struct FailingFormat;

impl Format for FailingFormat {
    fn name(&self) -> &str {
        "broken"
    }

    fn media_type(&self) -> &str {
        "text/x-broken"
    }

    fn write(&self, _: &Value) -> Result<Vec<u8>, FormatError> {
        Err("the broken format".into())
    }
}

/// Starts a server of an API that offers these formats and echoes arguments. The API has a module for each envelope.
fn server_with_formats(formats: &Value) -> TestServer {
    let word = json!({ "info": "A word", "type": "?string", "name": "word" });
    let uris = json!({ "x": {
        "GET": { "info": "Echoes", "in": { "GET@word": word } },
        "DELETE": { "info": "Nothing", "options": { "status": 204 } }
    } });
    let modules: Value = EnvelopeName::ALL
        .each_ref()
        .map(EnvelopeName::as_str)
        .into_iter()
        .map(|envelope| {
            (envelope.to_owned(), json!({ "envelope": envelope, "/": { envelope: { "/": uris.clone() } } }))
        })
        .collect();
    let app = json!({ "formats": formats, "modules": modules });
    TestServer::start(&client::engine(&[("app.json", app)], |rulebook| {
        let own =
            rulebook.add_format(WordFormat("lines", "text/x-lines")).add_format(WordFormat("hidden", "text/x-hidden"));
        own.add_format(FailingFormat).unbound(Unbound::Echo)
    }))
}

fn fetch(server: &TestServer, accept: &str, send: &str) -> Response {
    let (method, target) = send.split_once(' ').unwrap();
    server.send(&Request::new(method, target).field("accept", accept))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NegotiationCase {
    title: String,
    accept: Vec<String>,
    /// The expected media type of a successful response.
    success_type: String,
    /// The expected media type of error responses; `None` if it is that of a successful response.
    error_type: Option<String>,
}

#[test]
fn clients_choose_the_format_by_accept() {
    let server = server_with_formats(&json!(["xml", "lines"]));
    for NegotiationCase { title, accept, success_type, error_type } in
        case::read(include_str!("../data/http/formats.json"))
    {
        for (send, status) in [
            ("GET /aicra/x?word=some", 200),
            ("HEAD /aicra/x?word=some", 200),
            ("GET /aicra/x?word=a&word=b", 400),
            ("GET /aicra/y", 404),
            ("GET /nowhere", 404),
            ("PUT /aicra/x", 405),
        ] {
            let (method, target) = send.split_once(' ').unwrap();
            let request = accept.iter().fold(Request::new(method, target), |request, own| request.field("accept", own));
            let response = server.send(&request);
            let expected = error_type.as_ref().filter(|_| status >= 400).unwrap_or(&success_type);
            assert_eq!(response.status, status, "{title}: {response:?}");
            assert_eq!(response.field("content-type"), Some(expected.as_str()), "{title}: {send}");
            assert_eq!(response.field("vary"), Some("accept"), "{title}: {response:?}");
            assert_eq!(response.field("x-content-type-options"), Some("nosniff"), "{title}: {response:?}");
        }
    }
}

#[test]
fn head_responses_have_the_content_length_of_get_responses() {
    let server = server_with_formats(&json!(["xml"]));
    for target in ["/plain/x?word=some", "/nowhere"] {
        let (got, head) = (
            fetch(&server, XML_MEDIA_TYPE, &format!("GET {target}")),
            fetch(&server, XML_MEDIA_TYPE, &format!("HEAD {target}")),
        );
        assert_eq!(got.field("content-length"), Some(got.body.len().to_string().as_str()));
        for name in ["content-length", "content-type", "vary"] {
            assert_eq!(head.field(name), got.field(name), "{target}: {name}");
        }
    }
}

#[test]
fn formats_that_are_not_offered_are_not_negotiated() {
    let server = server_with_formats(&json!(["json"]));
    for accept in ["application/xml", "text/x-lines"] {
        let response = fetch(&server, accept, "GET /aicra/x");
        assert_eq!((response.field("content-type"), response.field("vary")), (Some("application/json"), None));
    }
}

#[test]
fn options_and_responses_without_content_ignore_formats() {
    let server = server_with_formats(&json!(["xml"]));
    let response = fetch(&server, XML_MEDIA_TYPE, "DELETE /aicra/x");
    assert_eq!((response.status, response.field("content-type"), response.body.len()), (204, None, 0));
    let described = fetch(&server, XML_MEDIA_TYPE, "OPTIONS /aicra/x");
    assert_eq!((described.status, described.field("content-type")), (200, Some("application/json")));
}

/// Compares the XML and the JSON of responses of every kind, in every envelope.
#[test]
fn xml_responses_have_the_content_of_json_responses() {
    let server = server_with_formats(&json!(["xml"]));
    for envelope in EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) {
        let sends = ["x?word=%3C%26%5D%5D%3E%22", "x", "x?word=", "x?word=%00%0D%0A%EF%BF%BE", "x?word=a&word=b", "y"];
        for send in sends {
            let send = format!("GET /{envelope}/{send}");
            let (in_json, in_xml) =
                (fetch(&server, "application/json", &send), fetch(&server, "application/xml", &send));
            assert_eq!(in_xml.status, in_json.status, "{send}");
            assert_eq!(in_xml.field("content-type"), Some(XML_MEDIA_TYPE), "{send}");
            assert_eq!(xml::read(&in_xml.body), ("response".to_owned(), in_json.json()), "{send}: {in_xml:?}");
        }
    }
    let response = fetch(&server, "application/xml", "GET /phalapi/x?word=Hello");
    let text = String::from_utf8(response.body).unwrap();
    let data = r#"<data type="object"><args type="object"><word>Hello</word></args></data>"#;
    assert_eq!(
        text,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <response type=\"object\"><ret type=\"number\">200</ret>{data}<msg/></response>"
        )
    );
}

/// Generates JSON values that are difficult to represent in XML.
fn arbitrary_values() -> impl Strategy<Value = Value> {
    let difficult = prop::sample::select(vec![
        "",
        " ",
        "item",
        "member",
        "xmlns",
        "XML",
        "a:b",
        "-a",
        "1",
        "é",
        "长",
        "]]>",
        "<!--",
        "&amp;",
        "\\",
        "\"",
        "\0",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "\u{FFFE}",
        "\u{FFFF}",
        "\u{10FFFF}",
        "a.b-c_d",
        "\u{1b}\\u0000",
        "\t",
        "name",
    ]);
    let text = prop_oneof![
        difficult.clone().prop_map(str::to_owned),
        prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter),
        (difficult, ".{0,4}").prop_map(|(one, other)| format!("{one}{other}")),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((text.clone(), inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// For any argument, the JSON, JSONP and XML responses have the same content.
#[test]
fn any_value_has_the_same_content_in_every_format() {
    let value = json!({ "info": "Anything", "type": "any", "name": "value" });
    let method = json!({ "info": "Echoes", "in": { "GET@value": value }, "options": { "jsonp": true } });
    let app = json!({
        "envelope": "plain", "formats": ["xml"], "limits": { "uri": 60_000, "head": 100_000 },
        "modules": { "m": { "GET": method } }
    });
    let server = TestServer::start(&client::engine(&[("app.json", app)], |rulebook| rulebook.unbound(Unbound::Echo)));
    let mut runner = TestRunner::new(support::random::cases(256));
    let agree = |value: Value| {
        let written = Xml::default().write(&value).unwrap();
        prop_assert_eq!(xml::read(&written).1, value.clone());
        // The server parses an item of a list as JSON.
        let sent: String = form_urlencoded::byte_serialize(json!([value]).to_string().as_bytes()).collect();
        let fetch = |accept: &str, more: &str| fetch(&server, accept, &format!("GET /?value={sent}{more}"));
        let (in_json, in_xml) = (fetch("application/json", ""), fetch("application/xml", ""));
        prop_assert_eq!((in_json.status, &in_json.json()["args"]["value"]), (200, &json!([value])), "{:?}", in_json);
        prop_assert_eq!((in_xml.status, in_xml.field("content-type")), (200, Some(XML_MEDIA_TYPE)));
        prop_assert_eq!(xml::read(&in_xml.body).1, in_json.json());
        // The query parameter for the callback selects JSONP, whatever formats the client accepts.
        prop_assert_eq!(callback_value(&fetch("application/xml", "&callback=f"), "f"), in_json.json());
        Ok(())
    };
    runner.run(&arbitrary_values(), agree).unwrap_or_else(|error| panic!("{error}"));
}

/// Browsers run scripts in elements of the XHTML and SVG namespaces, and apply stylesheets. So element names must not
/// have a namespace.
#[test]
fn xml_names_from_clients_have_no_namespace() {
    let response = json!({
        "xmlns": "http://www.w3.org/1999/xhtml",
        "xmlns:h": "http://www.w3.org/1999/xhtml",
        "script xmlns=\"http://www.w3.org/1999/xhtml\"": "alert(1)",
        "h:script": "<?xml-stylesheet href=\"x\"?>",
        "script": "alert(1)",
    });
    let xml = String::from_utf8(Xml::default().write(&response).unwrap()).unwrap();
    let (_, written) = xml.split_once("?>").unwrap();
    let tags: Vec<&str> = written.split('<').skip(1).filter_map(|tag| tag.split('>').next()).collect();
    let attributes = ["name", "type", "escaped", "escaped-name"];
    for tag in tags {
        let mut parts = tag.split_inclusive("=\"").filter_map(|part| part.strip_suffix("=\""));
        assert!(parts.all(|part| part.rsplit(' ').next().is_some_and(|own| attributes.contains(&own))), "{tag}");
        assert!(!tag.split(' ').next().unwrap().contains([':', '?']), "{tag}");
    }
}

#[test]
fn a_program_can_choose_the_name_of_the_xml_root_element() {
    let written = Xml::with_root("xml").unwrap().write(&json!({})).unwrap();
    assert!(written.ends_with(b"<xml type=\"object\"/>"), "{}", written.escape_ascii());
    for name in ["", "a b", "1a", "a:b", "a>", "-", "<a/>", "\u{b7}"] {
        assert_eq!(Xml::with_root(name), None, "{name:?}");
    }
    let app = json!({ "formats": ["xml"], "modules": { "m": { "GET": { "info": "Nothing" } } } });
    let own = |rulebook: Rulebook| rulebook.add_format(Xml::with_root("feed").unwrap()).unbound(Unbound::Echo);
    let server = TestServer::start(&client::engine(&[("app.json", app)], own));
    assert_eq!(xml::read(&fetch(&server, "text/xml", "GET /").body).0, "feed");
}

#[test]
fn a_failing_format_becomes_an_internal_error_in_json() {
    captured_log::begin();
    let server = server_with_formats(&json!(["lines", "broken"]));
    for word in ["fail", "panic"] {
        let response = fetch(&server, "text/x-lines", &format!("GET /aicra/x?word={word}"));
        response.assert_error(500, "the log has the reason under ");
        assert!(!format!("{response:?}").contains("secret"), "{response:?}");
        let id = response.field("x-request-id").unwrap().to_owned();
        assert_eq!(response.json()["request_id"], id.as_str());
        let lines = captured_log::logged(&id);
        assert!(lines.iter().any(|line| line.message.contains("the secret reason")), "{lines:?}");
    }
    // If the format fails for an error response, the response in JSON still reports the original error.
    let refused = fetch(&server, "text/x-broken", "GET /nowhere");
    refused.assert_error(404, "no service has this URI");
    let id = refused.field("x-request-id").unwrap();
    assert!(captured_log::logged(id).iter().any(|line| line.message.contains("the broken format")));
    fetch(&server, "text/x-broken", "GET /aicra/x").assert_error(500, "the log has the reason under ");
}

#[test]
fn header_fields_that_handlers_set_are_kept_in_all_formats() {
    let definition = json!({ "GET": { "info": "A word", "out": { "word": { "info": "It", "type": "string" } } } });
    let module = Module::new("site").get("/", async |_: Args<()>, context: Context| {
        context.set_header("vary", "cookie").unwrap();
        context.set_header("x-own", "kept").unwrap();
        Ok::<_, ApiError>(json!({ "word": "<é>" }))
    });
    let files = [("app.json", json!({ "formats": ["xml"] })), ("site.json", definition)];
    let server = TestServer::handlers(&files, module);
    let response = fetch(&server, "application/xml", "GET /");
    assert_eq!(xml::read(&response.body).1["word"], "<é>");
    assert_eq!(response.field("x-own"), Some("kept"));
    let vary: Vec<_> = response.head.lines().filter_map(|line| line.strip_prefix("vary: ")).collect();
    assert_eq!(vary, ["cookie", "accept"]);
}

#[test]
fn a_value_that_is_nested_too_deeply_for_xml_is_an_internal_error() {
    let all = json!({ "info": "All", "type": "any" });
    let definition = json!({ "/": { "deep": { "GET": {
        "info": "Lists in lists", "in": { "URL#0": { "info": "How many", "type": "uint", "name": "levels" } }, "out": { "*": all }
    } } } });
    #[derive(Deserialize)]
    struct DepthArgs {
        levels: usize,
    }
    let module = Module::new("site").get("/deep", async |Args(DepthArgs { levels }): Args<DepthArgs>, _: Context| {
        Ok::<_, ApiError>((1..levels).fold(json!([]), |inner, _| json!([inner])))
    });
    let server = TestServer::handlers(
        &[("app.json", json!({ "envelope": "plain", "formats": ["xml"] })), ("site.json", definition)],
        module,
    );
    for (levels, in_xml) in [(1, 200), (127, 200), (128, 500)] {
        let target = format!("GET /deep/{levels}");
        assert_eq!(fetch(&server, "application/json", &target).status, 200, "{levels}");
        let response = fetch(&server, "application/xml", &target);
        assert_eq!(response.status, in_xml, "{levels}: {response:?}");
        if in_xml == 200 {
            assert_eq!(xml::read(&response.body).1, fetch(&server, "application/json", &target).json());
        }
    }
}

#[test]
fn a_format_with_an_invalid_media_type_is_refused_at_start() {
    for media_type in ["", "csv", "text/*", "*/*", "text/csv\r\nx: y", "text/csv, text/plain", "text/ csv"] {
        let app = br#"{ "formats": ["own"] }"#.to_vec();
        let rulebook = Rulebook::read(vec![("app.json".into(), app), ("site.json".into(), b"{}".to_vec())]);
        let report = rulebook.add_format(WordFormat("own", media_type.to_owned().leak())).check().unwrap_err();
        let report = report.to_string();
        assert!(report.contains("bad-option") && report.contains("app.json:1:16"), "{media_type:?}: {report}");
    }
}
