//! Tests of trusted proxies: the address of the client that a trusted proxy sends counts in the log and for handlers,
//! and no other client can send one.

use rulebook::{ApiError, Args, Context, Engine, Module, RunningServer, Settings};
use serde_json::{Value, json};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use crate::captured_log::{self, accesses};
use crate::cli::{definition_folder, run_program};
use crate::client::{Connection, Request, Response, engine};

async fn show_client(_: Args<()>, context: Context) -> Result<Value, ApiError> {
    let address = context.client_address().map(|address| address.to_string());
    Ok(json!({ "client": address, "port": context.head().and_then(|head| head.peer).map(|peer| peer.port()) }))
}

fn whoami_engine(app: Value) -> Engine {
    let method = json!({ "info": "Returns the address of the client" });
    let definition = json!({ "/": { "whoami": { "GET": method } } });
    let module = Module::new("site").get("/whoami", show_client);
    engine(&[("app.json", app), ("site.json", definition)], |rulebook| rulebook.module(module))
}

fn serve(engine: &Engine, settings: Settings) -> RunningServer {
    engine.serve(&settings.with_bind(["127.0.0.1:0"]).with_workers(1)).unwrap()
}

fn ask(server: &RunningServer, fields: &[(&str, &str)]) -> Response {
    let request = Request::new("GET", "/whoami");
    let request = fields.iter().fold(request, |request, (name, value)| request.field(name, value));
    Connection::open(server.addresses()[0]).send(&request)
}

#[test]
fn no_client_can_send_an_address_unless_it_is_a_trusted_proxy() {
    let untrusted = [json!({}), json!({ "trusted_proxies": ["192.0.2.1", "::1"] })];
    for app in untrusted {
        let server = serve(&whoami_engine(app.clone()), Settings::new());
        for field in [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")] {
            assert_eq!(ask(&server, &[field]).json()["client"], "127.0.0.1", "{field:?} with {app}");
        }
    }
}

#[test]
fn the_address_that_a_trusted_proxy_sends_counts_for_handlers_and_the_log() {
    captured_log::begin();
    let engine = whoami_engine(json!({ "trusted_proxies": ["127.0.0.0/8"] }));
    let server = serve(&engine, Settings::new());
    let spoofed = [("x-forwarded-for", "203.0.113.9, 198.51.100.7"), ("forwarded", "for=203.0.113.9")];
    let response = ask(&server, &spoofed);
    let port = response.json()["port"].clone();
    assert_eq!(response.json()["client"], "198.51.100.7", "the last address is the one that the proxy has added");
    let line = accesses(response.field("x-request-id").unwrap()).remove(0);
    assert!(line.message.starts_with("198.51.100.7 - GET /whoami 200 "), "{}", line.message);
    assert_eq!((&*line.fields["client"], &*line.fields["peer"]), ("198.51.100.7", &*format!("127.0.0.1:{port}")));

    let response = ask(&server, &[]);
    let port = response.json()["port"].clone();
    let line = accesses(response.field("x-request-id").unwrap()).remove(0);
    assert!(line.message.starts_with(&format!("127.0.0.1:{port} - GET ")), "{}", line.message);
}

#[test]
fn a_client_cannot_hide_its_address_with_a_malformed_field() {
    let app = json!({ "trusted_proxies": ["127.0.0.0/8"], "forwarded_field": "forwarded" });
    let server = serve(&whoami_engine(app), Settings::new());
    for sent in ["for=x\"", "for=\"x", "for=10.0.0.1;\"", "\\\"", ", \", ,"] {
        let response = ask(&server, &[("forwarded", &format!("{sent}, for=192.0.2.70"))]);
        assert_eq!(response.json()["client"], "192.0.2.70", "{sent}");
    }
}

#[test]
fn only_the_addresses_that_trusted_proxies_have_appended_are_believed() {
    let serve_with = |field: &str| {
        let proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"];
        serve(&whoami_engine(json!({ "trusted_proxies": proxies, "forwarded_field": field })), Settings::new())
    };
    let servers = [serve_with("x-forwarded-for"), serve_with("forwarded")];
    let cases: [(usize, &[&str], &str); 32] = [
        (0, &["198.51.100.7"], "198.51.100.7"),
        // The client has sent the first address itself.
        (0, &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        (0, &["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        (0, &["127.0.0.1, 198.51.100.7"], "198.51.100.7"),
        // Two proxies, and a client that names a trusted proxy.
        (0, &["203.0.113.9, 198.51.100.7,10.1.2.3"], "198.51.100.7"),
        (0, &["198.51.100.7", "10.1.2.3 , 10.9.9.9"], "198.51.100.7"),
        (0, &["10.1.2.3"], "10.1.2.3"),
        (0, &["198.51.100.7, unknown"], "127.0.0.1"),
        (0, &["198.51.100.7, , 10.1.2.3"], "10.1.2.3"),
        (0, &["198.51.100.7:4711"], "198.51.100.7"),
        (0, &["[2001:db8::7]:4711"], "2001:db8::7"),
        (0, &["2001:db8::7, 2001:db8:ffff::1"], "2001:db8::7"),
        (0, &["::ffff:198.51.100.7"], "198.51.100.7"),
        (1, &["for=198.51.100.7"], "198.51.100.7"),
        (1, &["For=\"[2001:db8::7]:4711\"; proto=https"], "2001:db8::7"),
        (1, &["proto=https;by=203.0.113.43;for=\"198.51.100.7:80\""], "198.51.100.7"),
        (1, &["for=203.0.113.9, for=198.51.100.7, for=10.1.2.3"], "198.51.100.7"),
        (1, &["for=203.0.113.9", "for=198.51.100.7"], "198.51.100.7"),
        (1, &["for=198.51.100.7, for=_hidden"], "127.0.0.1"),
        (1, &["for=198.51.100.7, for=unknown, for=10.1.2.3"], "10.1.2.3"),
        (1, &["198.51.100.7"], "127.0.0.1"),
        (1, &["by=198.51.100.7"], "127.0.0.1"),
        (1, &["for=198.51.100.7;host=\"a, for=203.0.113.9;x=\""], "198.51.100.7"),
        (1, &["for=198.51.100.7;host=\"\\\", for=203.0.113.9;x=\""], "198.51.100.7"),
        (1, &["host=\"a;for=203.0.113.9;x=\";for=198.51.100.7"], "198.51.100.7"),
        (1, &["host=\", for=203.0.113.9", "for=198.51.100.7"], "198.51.100.7"),
        // Quotes of the client that have no counterpart do not hide what the proxy has appended.
        (1, &["for=x\", for=\"[2001:db8::7]:4711\""], "2001:db8::7"),
        (1, &["for=x\", for=198.51.100.7;host=\"a\\\\\", for=10.1.2.3;host=\"\\\"b, c\""], "198.51.100.7"),
        (1, &["for=203.0.113.9, \", for=10.1.2.3"], "10.1.2.3"),
        (1, &["for=203.0.113.9;host=\"a, for=10.1.2.3;host=b\""], "203.0.113.9"),
        (0, &[], "127.0.0.1"),
        (1, &[], "127.0.0.1"),
    ];
    for (server, values, expected) in cases {
        let name = ["x-forwarded-for", "forwarded"][server];
        let fields: Vec<_> = values.iter().map(|value| (name, *value)).collect();
        assert_eq!(ask(&servers[server], &fields).json()["client"], expected, "{name}: {values:?}");
    }
}

/// Whatever a client sends, the address that the proxy appends is the address of the client.
#[test]
fn fuzz_forwarded() {
    const TOKENS: &[&str] = &["for=", "10.1.2.3", "\"", "\\", ",", ", ", ";", "host=a", "=", "x", " "];
    let app = json!({ "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"], "forwarded_field": "forwarded" });
    let server = serve(&whoami_engine(app), Settings::new());
    let connection = std::sync::Mutex::new(Connection::open(server.addresses()[0]));
    let check_appended_element = |sent: &[u8]| {
        let is_value = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        let Some(sent) = std::str::from_utf8(sent).ok().filter(|sent| sent.as_bytes().iter().all(is_value)) else {
            return;
        };
        for element in ["for=198.51.100.7", "For=\"198.51.100.7:80\";host=\"a\\\\\\\", for=10.1.2.3;\\\\\""] {
            let request = Request::new("GET", "/whoami").field("forwarded", format!("{sent}, {element}"));
            assert_eq!(connection.lock().unwrap().send(&request).json()["client"], "198.51.100.7", "{sent}, {element}");
        }
    };
    let inputs = Inputs::check_corpus("forwarded", TOKENS, check_appended_element);
    check!()
        .with_iterations(TEXTS / 10)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_appended_element));
}

#[test]
fn settings_of_the_program_have_priority_over_the_definition() {
    let engine = whoami_engine(json!({ "trusted_proxies": ["127.0.0.1"], "forwarded_field": "forwarded" }));
    let fields = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=203.0.113.9")];
    let client = |settings: Settings| ask(&serve(&engine, settings), &fields).json()["client"].clone();
    assert_eq!(client(Settings::new()), "203.0.113.9");
    assert_eq!(client(Settings::new().with_forwarded_field(rulebook::ForwardedField::XForwardedFor)), "198.51.100.7");
    assert_eq!(client(Settings::new().with_trusted_proxies(Vec::new())), "127.0.0.1");
}

#[test]
fn connections_of_a_trusted_proxy_have_no_limit_by_address() {
    let limited = Settings::new().with_address_connections(2);
    let open = |app: Value| {
        let server = serve(&whoami_engine(app), limited.clone());
        let mut connections: Vec<_> = (0..4).map(|_| Connection::open(server.addresses()[0])).collect();
        let request = Request::new("GET", "/whoami");
        let mut served = 0;
        for connection in &mut connections {
            connection.write(&request.bytes());
            served += usize::from(connection.try_read_response(false).is_ok());
        }
        served
    };
    assert_eq!(open(json!({})), 2);
    assert_eq!(open(json!({ "trusted_proxies": ["127.0.0.1"] })), 4);
}

#[test]
fn invalid_addresses_of_proxies_are_reported() {
    let folder = definition_folder(&[("app.json", json!({ "trusted_proxies": ["10.0.0"], "modules": { "a": {} } }))]);
    let result = run_program(folder.path(), &["check"]);
    assert!(result.stdout.contains("`10.0.0` is neither an IP address nor a range of addresses"), "{result:?}");
    let result = run_program(folder.path(), &["check", "--trusted-proxies", "127.0.0.1,proxy.example"]);
    assert_eq!(result.exit_code, Some(2));
    assert!(result.stderr.contains("`proxy.example` is neither an IP address"), "{result:?}");
}
