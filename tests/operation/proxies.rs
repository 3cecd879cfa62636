//! Tests of trusted proxies: the address of the client that a trusted proxy sends counts in the log and for handlers,
//! and no other client can send one.

use rulebook::{ApiError, Args, Context, Engine, Module, RunningServer, Settings};
use serde_json::{Value, json};

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
    assert!(line.message.starts_with("198.51.100.7 GET /whoami 200 "), "{}", line.message);
    assert_eq!((&*line.fields["client"], &*line.fields["peer"]), ("198.51.100.7", &*format!("127.0.0.1:{port}")));

    let response = ask(&server, &[]);
    let port = response.json()["port"].clone();
    let line = accesses(response.field("x-request-id").unwrap()).remove(0);
    assert!(line.message.starts_with(&format!("127.0.0.1:{port} GET ")), "{}", line.message);
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
