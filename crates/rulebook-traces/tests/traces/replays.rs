//! Tests that a trace contains only calls that a handler has made.

use serde_json::json;

use rulebook_test::Client;

use super::collector::Collector;
use super::{exporter, method, rulebook};

#[test]
fn requests_whose_handler_does_not_run_have_no_span_of_a_call() {
    let (collector, folder) = (Collector::start(), tempfile::tempdir().unwrap());
    let notes = |handler: &serde_json::Value| {
        let mut method = method(handler);
        method["options"] = json!({ "idempotent": "optional" });
        let services = json!({ "note": { "/": { "{id}": { "POST": method } } } });
        let app = json!({ "handlers": { "sql": { "url": "sqlite:notes.db" } } });
        rulebook(&services, &app).data_folder(folder.path().join("data"))
    };
    let sql = json!({ "sql": "select :id as text" });
    let upstream = Client::new(notes(&sql)).unwrap();
    let http = json!({ "http": format!("http://{}/note/{{id}}", upstream.address()) });
    for (handler, name) in [(http, "POST upstream"), (sql, "sqlite")] {
        let server = Client::new(notes(&handler).trace_exporter(exporter(&collector, "one"), 100)).unwrap();
        for (note, status, replayed) in [("a", 200, None), ("a", 200, Some("true")), ("b", 422, None)] {
            let response = server.post(&format!("/note/{note}")).header("idempotency-key", "1").send();
            assert_eq!((response.status(), response.header("idempotent-replayed")), (status, replayed), "{name}");
        }
        drop(server);
        let received = collector.take();
        let count = |name: &str| received.iter().filter(|received| received.span.name == name).count();
        assert_eq!((count("POST /note/{id}"), count(name)), (3, 1), "{name}");
    }
}
