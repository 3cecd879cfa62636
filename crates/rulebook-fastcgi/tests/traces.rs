//! The traces of calls.

use std::sync::{Arc, Mutex};

use rulebook::trace::{Span, TraceContext, TraceExporter};
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::definitions::{rulebook, run, settings, song};
use super::fake_server::{FakeServer, text};

/// Keeps spans.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Span>>>);

impl TraceExporter for Spans {
    fn export(&self, span: Span) {
        self.0.lock().unwrap().push(span);
    }
}

#[test]
fn a_script_gets_the_span_of_its_call_which_a_repeated_response_does_not_have() {
    run(async {
        let server = FakeServer::start(|_, _| text("la")).await;
        let app = settings(&server.address, &json!({ "request_headers": ["Traceparent"] }));
        let api = song("POST", &json!({ "options": { "idempotent": "optional" } }));
        let spans = Spans::default();
        let rulebook = rulebook(&app, &api).trace_exporter(spans.clone(), 0);
        let sent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        // A client waits for responses, but the server needs this thread.
        let calling = tokio::task::spawn_blocking(move || {
            let client = Client::new(rulebook).unwrap();
            for replayed in [None, Some("true")] {
                let request = client.post("/song").header("traceparent", sent).header("idempotency-key", "1");
                let response = request.json(json!({ "name": "la" })).send();
                assert_eq!((response.status(), response.header("idempotent-replayed")), (200, replayed));
            }
        });
        calling.await.unwrap();
        let requests = server.requests();
        let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
        let parameters: Json = json!(request.parameters);
        let received = TraceContext::parse(parameters["HTTP_TRACEPARENT"].as_str().unwrap()).unwrap();
        let spans = spans.0.lock().unwrap();
        let calls: Vec<_> = spans.iter().filter(|span| span.name == "php").map(|span| &span.context).collect();
        assert_eq!(calls, [&received], "{spans:?}");
        assert_eq!(received.trace_id, TraceContext::parse(sent).unwrap().trace_id);
    });
}
