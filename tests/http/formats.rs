//! The formats of responses: negotiation by `Accept`, XML, and formats of a program.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use rulebook::envelope::{Format, FormatError, Xml};
use rulebook::{ApiError, Args, Context, Module, Rulebook, Unbound};
use rulebook_model::model::EnvelopeName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{self, Answer, Request, Site, case, xml};
use crate::http::jsonp::handed;
use crate::logged;

const XML: &str = "application/xml; charset=utf-8";

/// A format with any name and media type that writes what it was given, and fails if it is told to.
struct Told(&'static str, &'static str);

impl Format for Told {
    fn name(&self) -> &str {
        self.0
    }

    fn media_type(&self) -> &str {
        self.1
    }

    fn write(&self, answer: &Value) -> Result<Vec<u8>, FormatError> {
        match answer["args"]["word"].as_str() {
            Some("fail") => Err("the secret reason".into()),
            Some("panic") => panic!("the secret reason"),
            _ => Ok(answer.to_string().into_bytes()),
        }
    }
}

/// A format that always fails.
struct Violation;

impl Format for Violation {
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

/// Returns an API that offers these formats and echoes arguments.
fn site(formats: &Value) -> Site {
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
    Site::start(&client::engine(&[("app.json", app)], |rulebook| {
        let own = rulebook.add_format(Told("lines", "text/x-lines")).add_format(Told("hidden", "text/x-hidden"));
        own.add_format(Violation).unbound(Unbound::Echo)
    }))
}

fn ask(site: &Site, accept: &str, send: &str) -> Answer {
    let (method, target) = send.split_once(' ').unwrap();
    site.send(&Request::new(method, target).field("accept", accept))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    what: String,
    accept: Vec<String>,
    /// The media type of a success.
    gets: String,
    /// The media type of errors, if it is another one.
    refusals: Option<String>,
}

#[test]
fn clients_choose_the_format_by_accept() {
    let site = site(&json!(["xml", "lines"]));
    for Choice { what, accept, gets, refusals } in case::read(include_str!("../data/http/formats.json")) {
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
            let answer = site.send(&request);
            let expected = refusals.as_ref().filter(|_| status >= 400).unwrap_or(&gets);
            assert_eq!(answer.status, status, "{what}: {answer:?}");
            assert_eq!(answer.field("content-type"), Some(expected.as_str()), "{what}: {send}");
            assert_eq!(answer.field("vary"), Some("accept"), "{what}: {answer:?}");
            assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{what}: {answer:?}");
        }
    }
}

#[test]
fn head_has_the_content_length_of_get() {
    let site = site(&json!(["xml"]));
    for target in ["/plain/x?word=some", "/nowhere"] {
        let (got, headed) = (ask(&site, XML, &format!("GET {target}")), ask(&site, XML, &format!("HEAD {target}")));
        assert_eq!(got.field("content-length"), Some(got.body.len().to_string().as_str()));
        for name in ["content-length", "content-type", "vary"] {
            assert_eq!(headed.field(name), got.field(name), "{target}: {name}");
        }
    }
}

#[test]
fn formats_that_are_not_offered_are_not_negotiated() {
    let site = site(&json!(["json"]));
    for accept in ["application/xml", "text/x-lines"] {
        let answer = ask(&site, accept, "GET /aicra/x");
        assert_eq!((answer.field("content-type"), answer.field("vary")), (Some("application/json"), None));
    }
}

#[test]
fn responses_without_content_and_descriptions_ignore_formats() {
    let site = site(&json!(["xml"]));
    let answer = ask(&site, XML, "DELETE /aicra/x");
    assert_eq!((answer.status, answer.field("content-type"), answer.body.len()), (204, None, 0));
    let described = ask(&site, XML, "OPTIONS /aicra/x");
    assert_eq!((described.status, described.field("content-type")), (200, Some("application/json")));
}

/// Responses of every kind, in every envelope.
#[test]
fn xml_has_the_content_of_json() {
    let site = site(&json!(["xml"]));
    for envelope in EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) {
        let sends = ["x?word=%3C%26%5D%5D%3E%22", "x", "x?word=", "x?word=%00%0D%0A%EF%BF%BE", "x?word=a&word=b", "y"];
        for send in sends {
            let send = format!("GET /{envelope}/{send}");
            let (in_json, in_xml) = (ask(&site, "application/json", &send), ask(&site, "application/xml", &send));
            assert_eq!(in_xml.status, in_json.status, "{send}");
            assert_eq!(in_xml.field("content-type"), Some(XML), "{send}");
            assert_eq!(xml::read(&in_xml.body), ("response".to_owned(), in_json.json()), "{send}: {in_xml:?}");
        }
    }
    let answer = ask(&site, "application/xml", "GET /phalapi/x?word=Hello");
    let text = String::from_utf8(answer.body).unwrap();
    let data = r#"<data type="object"><args type="object"><word>Hello</word></args></data>"#;
    assert_eq!(
        text,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <response type=\"object\"><ret type=\"number\">200</ret>{data}<msg/></response>"
        )
    );
}

/// JSON values with everything that is difficult in XML.
fn values() -> impl Strategy<Value = Value> {
    let trouble = prop::sample::select(vec![
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
        trouble.clone().prop_map(str::to_owned),
        prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter),
        (trouble, ".{0,4}").prop_map(|(one, other)| format!("{one}{other}")),
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

/// JSON, JSONP and XML have the same content.
#[test]
fn any_value_is_the_same_in_every_format() {
    let value = json!({ "info": "Anything", "type": "any", "name": "value" });
    let method = json!({ "info": "Echoes", "in": { "GET@value": value }, "options": { "jsonp": true } });
    let app = json!({
        "envelope": "plain", "formats": ["xml"], "limits": { "uri": 60_000, "head": 100_000 },
        "modules": { "m": { "GET": method } }
    });
    let site = Site::start(&client::engine(&[("app.json", app)], |rulebook| rulebook.unbound(Unbound::Echo)));
    let mut runner = TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() });
    let agree = |value: Value| {
        let written = Xml::default().write(&value).unwrap();
        prop_assert_eq!(xml::read(&written).1, value.clone());
        // In a list a value is JSON, not a text.
        let sent: String = form_urlencoded::byte_serialize(json!([value]).to_string().as_bytes()).collect();
        let ask = |accept: &str, more: &str| ask(&site, accept, &format!("GET /?value={sent}{more}"));
        let (in_json, in_xml) = (ask("application/json", ""), ask("application/xml", ""));
        prop_assert_eq!((in_json.status, &in_json.json()["args"]["value"]), (200, &json!([value])), "{:?}", in_json);
        prop_assert_eq!((in_xml.status, in_xml.field("content-type")), (200, Some(XML)));
        prop_assert_eq!(xml::read(&in_xml.body).1, in_json.json());
        // The callback asks for a script, whatever the client accepts.
        prop_assert_eq!(handed(&ask("application/xml", "&callback=f"), "f"), in_json.json());
        Ok(())
    };
    runner.run(&values(), agree).unwrap_or_else(|error| panic!("{error}"));
}

/// Browsers run scripts in the namespaces of XHTML and SVG, and apply stylesheets.
#[test]
fn xml_names_from_clients_have_no_namespace() {
    let answer = json!({
        "xmlns": "http://www.w3.org/1999/xhtml",
        "xmlns:h": "http://www.w3.org/1999/xhtml",
        "script xmlns=\"http://www.w3.org/1999/xhtml\"": "alert(1)",
        "h:script": "<?xml-stylesheet href=\"x\"?>",
        "script": "alert(1)",
    });
    let xml = String::from_utf8(Xml::default().write(&answer).unwrap()).unwrap();
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
fn a_program_can_name_the_root_element() {
    let written = Xml::with_root("xml").unwrap().write(&json!({})).unwrap();
    assert!(written.ends_with(b"<xml type=\"object\"/>"), "{}", written.escape_ascii());
    for name in ["", "a b", "1a", "a:b", "a>", "-", "<a/>", "\u{b7}"] {
        assert_eq!(Xml::with_root(name), None, "{name:?}");
    }
    let app = json!({ "formats": ["xml"], "modules": { "m": { "GET": { "info": "Nothing" } } } });
    let own = |rulebook: Rulebook| rulebook.add_format(Xml::with_root("feed").unwrap()).unbound(Unbound::Echo);
    let site = Site::start(&client::engine(&[("app.json", app)], own));
    assert_eq!(xml::read(&ask(&site, "text/xml", "GET /").body).0, "feed");
}

#[test]
fn a_failing_format_becomes_an_internal_error_in_json() {
    logged::begin();
    let site = site(&json!(["lines", "broken"]));
    for word in ["fail", "panic"] {
        let answer = ask(&site, "text/x-lines", &format!("GET /aicra/x?word={word}"));
        answer.assert_refused(500, "the log has the reason under ");
        assert!(!format!("{answer:?}").contains("secret"), "{answer:?}");
        let id = answer.field("x-request-id").unwrap().to_owned();
        assert_eq!(answer.json()["request_id"], id.as_str());
        let lines = logged::logged(&id);
        assert!(lines.iter().any(|line| line.message.contains("the secret reason")), "{lines:?}");
    }
    // An error stays the error that it was.
    let refused = ask(&site, "text/x-broken", "GET /nowhere");
    refused.assert_refused(404, "no service has this URI");
    let id = refused.field("x-request-id").unwrap();
    assert!(logged::logged(id).iter().any(|line| line.message.contains("the broken format")));
    ask(&site, "text/x-broken", "GET /aicra/x").assert_refused(500, "the log has the reason under ");
}

#[test]
fn header_fields_of_handlers_are_kept_in_other_formats() {
    let definition = json!({ "GET": { "info": "A word", "out": { "word": { "info": "It", "type": "string" } } } });
    let module = Module::new("site").get("/", async |_: Args<()>, context: Context| {
        context.set_header("vary", "cookie").unwrap();
        context.set_header("x-own", "kept").unwrap();
        Ok::<_, ApiError>(json!({ "word": "<é>" }))
    });
    let files = [("app.json", json!({ "formats": ["xml"] })), ("site.json", definition)];
    let site = Site::handlers(&files, module);
    let answer = ask(&site, "application/xml", "GET /");
    assert_eq!(xml::read(&answer.body).1["word"], "<é>");
    assert_eq!(answer.field("x-own"), Some("kept"));
    let vary: Vec<_> = answer.head.lines().filter_map(|line| line.strip_prefix("vary: ")).collect();
    assert_eq!(vary, ["cookie", "accept"]);
}

#[test]
fn a_value_that_is_nested_too_deeply_for_xml_is_an_internal_error() {
    let all = json!({ "info": "All", "type": "any" });
    let definition = json!({ "/": { "deep": { "GET": {
        "info": "Lists in lists", "in": { "URL#0": { "info": "How many", "type": "uint", "name": "levels" } }, "out": { "*": all }
    } } } });
    #[derive(Deserialize)]
    struct Deep {
        levels: usize,
    }
    let module = Module::new("site").get("/deep", async |Args(Deep { levels }): Args<Deep>, _: Context| {
        Ok::<_, ApiError>((1..levels).fold(json!([]), |inner, _| json!([inner])))
    });
    let site = Site::handlers(
        &[("app.json", json!({ "envelope": "plain", "formats": ["xml"] })), ("site.json", definition)],
        module,
    );
    for (levels, in_xml) in [(1, 200), (127, 200), (128, 500)] {
        let target = format!("GET /deep/{levels}");
        assert_eq!(ask(&site, "application/json", &target).status, 200, "{levels}");
        let answer = ask(&site, "application/xml", &target);
        assert_eq!(answer.status, in_xml, "{levels}: {answer:?}");
        if in_xml == 200 {
            assert_eq!(xml::read(&answer.body).1, ask(&site, "application/json", &target).json());
        }
    }
}

#[test]
fn a_format_without_a_media_type_is_refused_at_start() {
    for media_type in ["", "csv", "text/*", "*/*", "text/csv\r\nx: y", "text/csv, text/plain", "text/ csv"] {
        let app = br#"{ "formats": ["own"] }"#.to_vec();
        let rulebook = Rulebook::read(vec![("app.json".into(), app), ("site.json".into(), b"{}".to_vec())]);
        let report = rulebook.add_format(Told("own", media_type.to_owned().leak())).check().unwrap_err();
        let told = report.to_string();
        assert!(told.contains("bad-option") && told.contains("app.json:1:16"), "{media_type:?}: {told}");
    }
}
