//! Tests that requests have the traces that a collector expects, through two servers and a database.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod collector;
mod replays;
mod silent_collector;
mod without_flush;

use std::collections::HashMap;
use std::path::Path;

use collector::{Collector, Received};
use rulebook::{ApiError, Args, Context, Module, Rulebook, http};
use rulebook_http::HttpKind;
use rulebook_sql::SqlKind;
use rulebook_test::Client;
use rulebook_traces::OtlpExporter;
use serde_json::{Value as Json, json};

const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const CLIENT_ID: &str = "b7ad6b7169203331";

/// Returns a program whose definition has these services.
fn rulebook(services: &Json, app: &Json) -> Rulebook {
    let files = vec![
        ("app.json".into(), app.to_string().into()),
        ("notes.json".into(), json!({ "/": services }).to_string().into()),
    ];
    Rulebook::read(files).handler_kind(HttpKind::new()).handler_kind(SqlKind::new())
}

fn exporter(collector: &Collector, service: &str) -> OtlpExporter {
    OtlpExporter::new(&collector.url(), service, "1.2.3").unwrap()
}

/// Returns a method with a parameter in the path, an output, and this handler.
fn method(handler: &Json) -> Json {
    json!({
        "info": "A note",
        "in": { "{id}": { "info": "Which", "type": "string" } },
        "out": { "text": { "info": "The text", "type": "string" } },
        "handler": handler
    })
}

/// Serves notes from a database.
fn database_server(folder: &Path, rulebook_with: impl FnOnce(Rulebook) -> Rulebook) -> Client {
    let handler = json!({ "sql": "select :id || ' from the database' as text" });
    let services = json!({ "note": { "/": { "{id}": { "GET": method(&handler) } } } });
    let app = json!({ "base": "/v1", "handlers": { "sql": { "url": "sqlite:notes.db" } } });
    Client::new(rulebook_with(rulebook(&services, &app).data_folder(folder.join("data")))).unwrap()
}

/// Serves notes from another server.
fn front_server(upstream: &Client, rulebook_with: impl FnOnce(Rulebook) -> Rulebook) -> Client {
    let handler = json!({ "http": format!("http://{}/v1/note/{{id}}", upstream.address()) });
    let services = json!({ "note": { "/": { "{id}": { "GET": method(&handler) } } } });
    Client::new(rulebook_with(rulebook(&services, &json!({})))).unwrap()
}

fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_name(received: Vec<Received>) -> HashMap<(String, String), Received> {
    let names = received.into_iter().map(|received| ((received.service.clone(), received.span.name.clone()), received));
    names.collect()
}

#[test]
fn a_trace_leads_through_servers_to_the_database() {
    let (collector, folder) = (Collector::start(), tempfile::tempdir().unwrap());
    let database = database_server(folder.path(), |it| it.trace_exporter(exporter(&collector, "database"), 0));
    let front = front_server(&database, |it| it.trace_exporter(exporter(&collector, "front"), 0));
    let traceparent = format!("00-{TRACE_ID}-{CLIENT_ID}-01");
    let response = front.get("/note/secret").header("traceparent", &traceparent).header("tracestate", "a=1").send();
    assert_eq!(response.output("text"), "secret from the database");
    let id = response.request_id().unwrap().to_owned();
    drop((front, database));
    let spans = by_name(collector.take());
    let span = |service: &str, name: &str| {
        let key = (service.to_owned(), name.to_owned());
        spans.get(&key).unwrap_or_else(|| panic!("{service}: {name}: {:?}", spans.keys()))
    };
    let path = [
        span("front", "GET /note/{id}"),
        span("front", "handle"),
        span("front", "GET upstream"),
        span("database", "GET /v1/note/{id}"),
        span("database", "handle"),
        span("database", "sqlite"),
    ];
    let mut parent = CLIENT_ID.to_owned();
    for Received { span, .. } in path {
        assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE_ID.to_owned(), parent), "{}", span.name);
        assert_eq!(span.trace_state, "a=1", "{}", span.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{}", span.name);
        parent = hex(&span.span_id);
    }
    let [request, _, upstream, ..] = path;
    assert_eq!(request.attribute("http.route").as_deref(), Some("/note/{id}"));
    assert_eq!(request.attribute("rulebook.method").as_deref(), Some("note.{id}.get"));
    assert_eq!(request.attribute("http.response.status_code").as_deref(), Some("200"));
    assert_eq!(request.attribute("rulebook.request_id"), Some(id));
    assert_eq!(upstream.attribute("http.response.status_code").as_deref(), Some("200"));
    assert_eq!(upstream.attribute("server.address").as_deref(), Some("127.0.0.1"));
    let statement = span("database", "sqlite").attribute("db.query.text");
    assert_eq!(statement.as_deref(), Some("select :id || ' from the database' as text"), "without the values");
}

#[test]
fn a_request_without_a_trace_begins_one_as_often_as_the_setting_says() {
    let (collector, folder) = (Collector::start(), tempfile::tempdir().unwrap());
    for (percent, expected) in [(100, 50..=50), (0, 0..=0), (50, 5..=45)] {
        let server = database_server(folder.path(), |it| it.trace_exporter(exporter(&collector, "one"), percent));
        for _ in 0..50 {
            assert_eq!(server.get("/v1/note/a").send().status(), 200);
        }
        drop(server);
        let received = collector.take();
        let requests: Vec<_> = received.iter().filter(|received| received.span.parent_span_id.is_empty()).collect();
        assert!(expected.contains(&requests.len()), "{percent} %: {} requests", requests.len());
        assert!(requests.iter().all(|received| received.span.name == "GET /v1/note/{id}"));
    }
}

#[test]
fn a_trace_that_is_not_recorded_is_passed_on() {
    let (collector, folder) = (Collector::start(), tempfile::tempdir().unwrap());
    let database = database_server(folder.path(), |it| it.trace_exporter(exporter(&collector, "database"), 100));
    let front = front_server(&database, |it| it.trace_exporter(exporter(&collector, "front"), 100));
    let traceparent = format!("00-{TRACE_ID}-{CLIENT_ID}-00");
    assert_eq!(front.get("/note/a").header("traceparent", traceparent).send().status(), 200);
    drop((front, database));
    assert_eq!(collector.take().len(), 0);
}

#[test]
fn errors_of_the_server_are_errors_of_spans_and_those_of_clients_are_not() {
    let collector = Collector::start();
    async fn fails(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        let mut span = context.span("mail", rulebook::trace::SpanKind::Client);
        span.set_error("no connection");
        Err(ApiError::internal("the password of the mail server is wrong"))
    }
    let services = json!({ "fails": { "GET": { "info": "Fails" } } });
    let module = Module::new("notes").get("/fails", fails);
    let server = rulebook(&services, &json!({})).module(module).trace_exporter(exporter(&collector, "one"), 100);
    let server = Client::new(server).unwrap();
    assert_eq!((server.get("/fails").send().status(), server.get("/other").send().status()), (500, 404));
    assert_eq!(server.request("BREW", "/fails").send().status(), http::StatusCode::METHOD_NOT_ALLOWED.as_u16());
    drop(server);
    let spans = by_name(collector.take());
    let status = |name: &str| {
        let key = ("one".to_owned(), name.to_owned());
        let received = spans.get(&key).unwrap_or_else(|| panic!("{name}: {:?}", spans.keys()));
        let status = received.span.status.clone().unwrap_or_default();
        (status.code, status.message, received.attribute("error.type"))
    };
    assert_eq!(status("GET /fails"), (2, "internal".to_owned(), Some("internal".to_owned())));
    assert_eq!(status("mail"), (2, "no connection".to_owned(), None));
    assert_eq!(status("GET"), (0, String::new(), Some("unknown-service".to_owned())));
    assert_eq!(status("_OTHER").0, 0);
}

#[test]
fn requests_do_not_wait_for_a_collector_that_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = OtlpExporter::new("http://127.0.0.1:9", "one", "1").unwrap();
    let server = database_server(folder.path(), |it| it.trace_exporter(exporter, 100));
    for _ in 0..3000 {
        assert_eq!(server.get("/v1/note/a").send().status(), 200);
    }
}

#[test]
fn the_address_of_a_collector_is_checked() {
    for url in ["", "127.0.0.1:4318", "ftp://a", "http://", "http://a b", "http://a:x", "http://a/?token=1"] {
        assert!(OtlpExporter::new(url, "one", "1").is_err(), "{url}");
    }
    for url in ["http://a", "https://a.example:4318/x", "http://[::1]:4318/"] {
        assert!(OtlpExporter::new(url, "one", "1").is_ok(), "{url}");
    }
}
