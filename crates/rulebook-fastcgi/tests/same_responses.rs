//! A project for PhalApi returns the same responses as without rulebook: each request is sent to PHP's own server, too.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rulebook::Rulebook;
use rulebook_fastcgi::FastCgiKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::php_fpm::{PhpFpm, await_connection, data, documented_settings};
use super::raw_exchange::{Answer, RawRequest, send};

/// PHP's own server, which runs the project without rulebook.
struct PhpServer {
    process: Child,
    address: SocketAddr,
}

impl PhpServer {
    /// Starts the server. If PHP has no command line, the test is skipped.
    fn start() -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let script = data("phalapi/public/index.php");
        let options = ["-d", "display_errors=0", "-d", "request_order=GPC", "-S"];
        let mut command = Command::new("php");
        command.args(options).args([&address.to_string(), &script]).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(process) = command.spawn() else {
            support::skip("the command line of PHP is not installed");
            return None;
        };
        let server = Self { process, address };
        assert!(await_connection(|| TcpStream::connect(address)), "php has not started");
        Some(server)
    }
}

impl Drop for PhpServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves the project. The descriptions are those of the classes.
pub fn client(fpm: &PhpFpm, shared: &Json) -> Client {
    let mut app = documented_settings("phalapi", &fpm.address());
    app["envelope"] = json!("phalapi");
    app["service"] = json!({ "on": true, "default": "Site.index" });
    let is_first = shared["environment"]["PHALAPI_VERSION"] == "1";
    app["catalogue"] = json!(if is_first { "1.4" } else { "2.x" });
    for (name, value) in shared.as_object().unwrap() {
        app["handlers"]["fastcgi"][name] = value.clone();
    }
    let output = |kind: &str| json!({ "type": kind, "desc": "It" });
    let described = json!({
        "id": output("int"), "name": output("string"), "info": output("object"), "at": output("date"),
        "price": output("float"), "ok": output("boolean")
    });
    let rules = json!({
        "Site": { "index": { "@desc": "Returns the parameters" } },
        "Demo": {
            "described": { "@desc": "Returns data", "@return": described },
            "other": { "@desc": "Returns other data", "@return": { "id": output("?int") } },
            "free": { "@desc": "Returns anything" },
            "leave": { "@desc": "Leaves the framework" },
            "seen": { "@desc": "Returns what PHP has received", "note": { "name": "note" } }
        },
        "Signed": { "index": { "@desc": "Compares the signature" }, "check": {
            "@desc": "Compares the signature",
            "username": { "name": "username" },
            "remember": { "name": "remember", "type": "boolean", "default": true },
            "born": { "name": "born", "type": "date", "format": "timestamp" },
            "price": { "name": "price", "type": "float", "default": 2.5 },
            "ids": { "name": "ids", "type": "array", "format": "explode" }
        }, "upload": { "@desc": "Compares the signature of a form", "file": { "name": "file", "type": "file" } } },
        "Admin": { "wipe": { "@desc": "Removes everything", "@scope": [["admin"]] } }
    });
    let files = vec![("app.json".into(), app.to_string().into()), ("rules.json".into(), rules.to_string().into())];
    Client::new(Rulebook::read(files).handler_kind(FastCgiKind::new())).unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that a request gets the same response with rulebook as without.
fn assert_same(php: &PhpServer, client: &Client, request: &RawRequest) -> Answer {
    let (expected, actual) = (send(php.address, request), send(client.address(), request));
    let (mut expected_head, mut actual_head) = (&expected, &actual);
    let is_json = expected.media_type.as_deref().is_some_and(|media_type| media_type.starts_with("application/json"));
    let (without_body, other) = (without_json(&expected), without_json(&actual));
    if is_json {
        assert_eq!(actual.json(), expected.json(), "{request:?}");
        (expected_head, actual_head) = (&without_body, &other);
    }
    assert_eq!(actual_head, expected_head, "{request:?}");
    actual
}

fn without_json(answer: &Answer) -> Answer {
    Answer {
        status: answer.status,
        media_type: answer.media_type.clone(),
        fields: answer.fields.clone(),
        body: Vec::new(),
    }
}

fn servers(shared: &Json) -> Option<(PhpFpm, PhpServer, Client)> {
    let fpm = PhpFpm::start()?;
    let php = PhpServer::start()?;
    let client = client(&fpm, shared);
    Some((fpm, php, client))
}

/// Returns the number of responses of a method that differ from their description.
fn differences_of(client: &Client, method: &str) -> u64 {
    let text = client.get("/metrics").send().text().to_owned();
    let start = format!("rulebook_output_differences_total{{method=\"{method}\"}}");
    let line = text.lines().find(|line| line.starts_with(&start));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Waits until the metrics, which can be a moment old, contain this number of differences.
fn expect_differences(client: &Client, method: &str, expected: u64, case: &str) {
    let begun = std::time::Instant::now();
    while differences_of(client, method) < expected && begun.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    assert_eq!(differences_of(client, method), expected, "{case}");
}

#[test]
fn data_that_differs_from_its_description_is_sent_and_counted() {
    let Some((_fpm, php, client)) = servers(&json!({})) else { return };
    let differences = || differences_of(&client, "demo.described.get");
    // A response, and whether it differs.
    let cases = [
        ("valid", false),
        ("empty_object", false),
        ("missing", true),
        ("int_as_text", true),
        ("null", true),
        ("boolean_as_int", true),
        ("float_as_text", true),
        ("zero_date", true),
        ("date_as_number", true),
        ("undescribed", false),
        ("scalar", true),
        ("number", true),
        ("list", true),
        ("nothing", true),
        ("empty", true),
    ];
    let mut count = differences();
    for (case, differs) in cases {
        let answer = assert_same(&php, &client, &RawRequest::new(format!("GET /?service=Demo.Described&case={case}")));
        assert_eq!(answer.json()["ret"], 200, "{case}");
        count += u64::from(differs);
        expect_differences(&client, "demo.described.get", count, case);
    }
    for (case, differs) in [("nothing", false), ("empty", false), ("more", false), ("text", true), ("list", true)] {
        let before = differences_of(&client, "demo.other.get");
        assert_same(&php, &client, &RawRequest::new(format!("GET /?service=Demo.Other&case={case}")));
        expect_differences(&client, "demo.other.get", before + u64::from(differs), case);
    }
    let text = client.get("/metrics").send().text().to_owned();
    assert!(text.contains("rulebook_output_differences_total{method=\"demo.described.get\"}"), "{text}");
    assert_same(&php, &client, &RawRequest::new("GET /?s=Demo.Free"));
}

#[test]
fn responses_beside_the_framework_are_sent_as_they_are() {
    let Some((_fpm, php, client)) = servers(&json!({})) else { return };
    let cases = [
        "download",
        "page",
        "redirect",
        "moved",
        "redirect_exception",
        "code",
        "debug",
        "not_found",
        "refused",
        "internal",
        "uncaught",
        "jsonp&callback=show",
    ];
    for case in cases {
        assert_same(&php, &client, &RawRequest::new(format!("GET /?service=Demo.Leave&case={case}")));
    }
    assert_eq!(send(client.address(), &RawRequest::new("GET /?service=Demo.Leave&case=no_content")).status, 204);
    let head = send(client.address(), &RawRequest::new("HEAD /?service=Demo.Leave&case=download"));
    assert_eq!((head.status, head.media_type.as_deref()), (200, Some("text/csv; charset=utf-8")));
    // The response is longer than `max_response`, and is not compared.
    let Some((_fpm, php, client)) = servers(&json!({ "max_response": 10 })) else { return };
    assert_same(&php, &client, &RawRequest::new("GET /?service=Demo.Described&case=valid"));
}

#[test]
fn requests_reach_php_as_they_were_sent() {
    let Some((_fpm, php, client)) = servers(&json!({})) else { return };
    let requests = [
        RawRequest::new("GET /?service=Demo.Seen&a.b=1&c[]=2&c[]=3&d=1&d=2&e&=x&%20f=%2B+%E4%BD%A0"),
        RawRequest::new("GET /?x=1&service=demo.seen")
            .field("User-Agent: test/1")
            .field("Accept-Language: zh")
            .field("X-Own: a"),
        RawRequest::new("GET /?s=App.Demo.Seen").field("Cookie: session=abc; lang=zh%20cn; s.x=1").field("X-Own: a, b"),
        RawRequest::new("GET /?service=Demo.Seen").field("Authorization: Basic YWRhOnBhc3M="),
        RawRequest::new("GET /?service=Demo.Seen").field("Authorization: Bearer abc.def"),
        RawRequest::new("POST /?service=Demo.Seen&a=1").form("note=x&a=2&b[k]=3&c=%00"),
        RawRequest::new("POST /?service=Demo.Seen")
            .body("application/json; charset=utf-8", "{\"note\": \"x\", \"z\": [1e3, 2.50]}"),
        RawRequest::new("POST /?service=Demo.Seen").body("text/xml", "<xml><a>1</a></xml>"),
        RawRequest::new("POST /?service=Demo.Seen").body("application/octet-stream", [0, 255, 10]),
        RawRequest::new("POST /?service=Demo.Free").body("", "anything"),
        RawRequest::new("POST /?service=Demo.Free").body("application/json", "not json"),
        RawRequest::new("POST /?service=Demo.Seen").body("text/plain", "{pay}"),
        RawRequest::new("POST /?service=Demo.Seen").body("text/plain", "{\"service\""),
        RawRequest::new("POST /?service=Demo.Seen").body("text/plain", "{'a':1}"),
        RawRequest::new("POST /?service=Demo.Seen").body("text/plain", "{\"a\":1,}"),
        RawRequest::new("POST /?service=Demo.Seen").body("text/plain", "{\"a\":\"\\ud800\"}"),
        RawRequest::new("POST /?service=Demo.Seen").body("text/plain", "{\"a\":TRUE}"),
        RawRequest::new("POST /?service=Demo.Free")
            .body("text/plain", format!("{{\"a\":{}{}}}", "[".repeat(130), "]".repeat(130))),
        RawRequest::new("POST /?service=Demo.Free").form("{\"a\":1"),
        RawRequest::new("POST /?service=Demo.Free").form("{\"a\":\"x&y=1\"}"),
        RawRequest::new("POST /?service=Demo.Free").body("application/json", "{\"a\":1,}"),
        RawRequest::new("POST /?service=Demo.Seen")
            .field("Content-Encoding: gzip")
            .body("application/json", [31, 139, 8, 0]),
        RawRequest::new("GET /?service=Demo.Seen&s=other"),
        RawRequest::new("GET /?service=Demo.Seen").field("Proxy-Connection: x").field("X-Forwarded-For: 10.0.0.1"),
        RawRequest::new("GET /?a=1&b[x]=2"),
        RawRequest::new("GET /"),
    ];
    for request in requests {
        let (expected, actual) = (send(php.address, &request), send(client.address(), &request));
        let mut expected = expected.json();
        if let Some(fields) = expected["data"].get_mut("fields").and_then(Json::as_object_mut) {
            fields.retain(|name, _| name != "HTTP_PROXY_CONNECTION");
        }
        assert_eq!((actual.status, actual.json()), (200, expected), "{request:?}");
    }
}

#[test]
fn a_name_that_php_does_not_find_in_the_query_is_added_to_it() {
    let Some((_fpm, _php, client)) = servers(&json!({})) else { return };
    let query = |request: &RawRequest| send(client.address(), request).json()["data"]["query"].clone();
    let path = RawRequest::new("GET /Demo/Seen?a=1&s=other");
    assert_eq!(query(&path), "service=Demo.seen&a=1&s=other");
    assert_eq!(query(&RawRequest::new("POST /").form("s=demo.Seen&x=1")), "s=demo.Seen");
    let json = RawRequest::new("POST /?a=1").body("application/json", r#"{"service":"App.Demo.Seen"}"#);
    assert_eq!(query(&json), "service=App.Demo.Seen&a=1");
}

#[test]
fn a_form_with_files_keeps_its_other_fields() {
    let Some((_fpm, php, client)) = servers(&json!({})) else { return };
    let form = |fields: &[(&str, &str)]| {
        let part = |(name, value): &(&str, &str)| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts: String = fields.iter().map(part).collect();
        let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n";
        parts + file
    };
    let sent = form(&[("note", "x"), ("unknown", "ä"), ("list[]", "1"), ("list[]", "2"), ("a.b", "")]);
    let request = RawRequest::new("POST /?service=Demo.Seen&a=1").body("multipart/form-data; boundary=b", sent);
    let (expected, actual) = (send(php.address, &request).json(), send(client.address(), &request).json());
    for member in ["get", "post", "request"] {
        assert_eq!(actual["data"][member], expected["data"][member], "{member}");
    }
    let signed = form(&[("unknown", "1"), ("username", "test"), ("sign", SIGNED_FORM)]);
    let request = RawRequest::new("POST /?service=Signed.Upload").body("multipart/form-data; boundary=b", signed);
    assert_eq!(assert_same(&php, &client, &request).json()["data"], json!({ "file": 5 }));
}

#[test]
fn files_without_a_rule_reach_php_as_they_were_sent() {
    let Some((_fpm, php, client)) = servers(&json!({})) else { return };
    let part = |attributes: &str, content: &str| {
        format!("--b\r\nContent-Disposition: form-data; {attributes}\r\n\r\n{content}\r\n")
    };
    let typed = |attributes: &str, media_type: &str, content: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; {attributes}\r\nContent-Type: {media_type}\r\n\r\n{content}\r\n"
        )
    };
    let long = "x".repeat(300_000);
    let bodies = [
        part("name=\"f\"; filename=\"a.txt\"", "hello"),
        typed("name=\"f\"; filename=\"a.txt\"", "image/png; x=y", &long),
        part("name=\"f[]\"; filename=\"a\"", "1") + &part("name=\"f[]\"; filename=\"b\"", "2"),
        part("name=\"f[a][b]\"; filename=\"a\"", "1") + &part("name=\"f[a][c]\"; filename=\"b\"", ""),
        part("name=\"f\"; filename=\"a\"", "1") + &part("name=\"f\"; filename=\"b\"", "2"),
        typed("name=\"f\"; filename=\"\"", "application/octet-stream", ""),
        part("name=\"f\"; filename=\"folder/de \u{4f60}\\\"x.txt\"", "1"),
        part("name=\"note\"; filename=\"a.json\"", "1"),
        typed("name=\"note\"; filename=\"a.json\"", "application/json", "{}"),
        part("name=\"note\"", "text") + &part("name=\"f.x\"; filename=\"a\"", "1") + &part("name=\"y\"", "2"),
        part("name=\"MAX_FILE_SIZE\"", "3") + &part("name=\"f\"; filename=\"a\"", "12345"),
        part("name=\"service\"; filename=\"a\"", "Admin.Wipe") + &part("name=\"s\"; filename=\"b\"", "Admin.Wipe"),
    ];
    for body in bodies {
        let body = body + "--b--\r\n";
        let request = RawRequest::new("POST /?service=Demo.Seen").body("multipart/form-data; boundary=b", body.clone());
        let (expected, actual) = (send(php.address, &request).json(), send(client.address(), &request).json());
        for member in ["files", "get", "post", "request"] {
            assert_eq!(actual["data"][member], expected["data"][member], "{member} of {body:.300}: {actual}");
        }
        assert!(!expected["data"]["files"].as_object().unwrap().is_empty(), "{body:.300}: {expected}");
    }
    // A file that a rule describes is checked, also if the user has selected none.
    let body = typed("name=\"file\"; filename=\"\"", "text/plain", "") + &part("name=\"sign\"", EMPTY_FORM);
    let request =
        RawRequest::new("POST /?service=Signed.Upload").body("multipart/form-data; boundary=b", body + "--b--\r\n");
    assert_eq!(assert_same(&php, &client, &request).json()["data"], json!({ "file": 0 }));
}

/// The signature of the value `Signed.Upload`.
const EMPTY_FORM: &str = "dfb2d5e23623fd26e4113914a8c5f3dc";

/// The signature of the values `Signed.Upload`, `1` and `test`.
const SIGNED_FORM: &str = "ebca8de7ee44b69fb3c0bc21f30532b4";

#[test]
fn signatures_of_all_parameters_are_valid() {
    let Some((_fpm, php, client)) = servers(&json!({ "uri_match": true })) else { return };
    let get = |query: &str, sign: &str| RawRequest::new(format!("GET /?{query}&sign={sign}"));
    let post = |line: &str, form: &str, sign: &str| RawRequest::new(line).form(&format!("{form}&sign={sign}"));
    let user = "service=Signed.Check&username=test&password=123456";
    let path = "username=test&password=1";
    let requests = [
        get(user, "bfaefebd9189c3b939dfe188194bacb8"),
        get("s=Signed.Check&username=test", "e6d000c0836ec17087182c4cf8d7db8c"),
        get("service=signed.check&username=test&x=1", "4f45ce5ad6a08d519e9a2bb2b9fec0c7"),
        get("service=App.Signed.Check&remember=on", "fc5c37d5ddf7c4b7d7cc7e065d03cc71"),
        get(
            "service=Signed.Check&remember=no&born=2020-01-01&price=1.50&ids=1,2,3",
            "f47d598b17ae1ad92a53ceb32e57ad6c",
        ),
        get("service=Signed.Check&ids[]=1&ids[]=2", "e88e37e96717751c7d082408d3836c3b"),
        get("s=App.Signed.Check&unknown=%E4%BD%A0+%26&price=007", "88639ded371ce601a45d5b59119a9cea"),
        get("service=Signed.Check", "02cf2c111b0afe2b385862631495ee91"),
        get("service=App.Signed.Check.x.y&a=1", "5ddf7d26f3ba7c7000b50e56a08429f8"),
        get("s=Signed&a=1", "a22758415797419b690567893fe45d5d"),
        get("service=Signed", "71fed0c3428bf1a2e19af257c4bac379"),
        post("POST /", "service=signed&a=1", "ea31324623cd7fe9ddcc8cd84233fa0e"),
        post("POST /?s=App.Signed.Index", "a=1", "18c62a6d2267a35f11a76cea09975ecf"),
        RawRequest::new("POST /")
            .body("application/json", r#"{"s":"Signed","sign":"71fed0c3428bf1a2e19af257c4bac379"}"#),
        get("s=Signed.Check&born=1970-01-02%2000:00:00", "e1d7cfef0298293b5febabbdfd0151a3"),
        post("POST /?service=Signed.Check", "username=test&password=123456", "bfaefebd9189c3b939dfe188194bacb8"),
        post("POST /", user, "bfaefebd9189c3b939dfe188194bacb8"),
        post("POST /", "s=Signed.Check&username=test", "e6d000c0836ec17087182c4cf8d7db8c"),
        RawRequest::new(format!("GET /Signed/Check?{path}&sign=ba88c155ba898fc8b5099893036ef205")),
        post("POST /Signed/Check", path, "ba88c155ba898fc8b5099893036ef205"),
    ];
    for request in requests {
        assert_eq!(assert_same(&php, &client, &request).json()["ret"], 200, "{request:?}");
    }
    let wrong = assert_same(&php, &client, &get(user, "0")).json();
    assert_eq!(wrong["ret"], 406);
}

#[test]
fn descriptions_are_enforced_if_they_are_strict() {
    let Some((_fpm, _php, client)) = servers(&json!({ "strict": true })) else { return };
    let ret = |case: &str| client.get(&format!("/?service=Demo.Described&case={case}")).send().json()["ret"].clone();
    assert_eq!((ret("valid"), ret("missing"), ret("scalar")), (json!(200), json!(500), json!(500)));
    let leave = |case: &str| client.get(&format!("/?service=Demo.Leave&case={case}")).send().json()["ret"].clone();
    assert_eq!((leave("page"), leave("code"), leave("internal")), (json!(502), json!(502), json!(502)));
    assert_eq!(client.get("/?service=Demo.Free").send().json()["data"], json!({}));
}
