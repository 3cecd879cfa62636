//! Tests how long a server that stops waits for a collector that never responds.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rulebook::trace::SpanKind;
use rulebook::{ApiError, Args, Context, Module, Settings};
use rulebook_traces::OtlpExporter;
use serde_json::{Value as Json, json};

use super::rulebook;

/// Delays the end of an aborted handler, so that its spans end after the server has begun to send the last spans.
struct SlowDrop;

impl Drop for SlowDrop {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn a_server_that_aborts_a_request_waits_only_once() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", collector.local_addr().unwrap());
    let (begun, has_begun) = mpsc::channel();
    let never_ends = move |_: Args<()>, context: Context| {
        let begun = begun.clone();
        async move {
            let _span = context.span("slow", SpanKind::Client);
            let _delay = SlowDrop;
            begun.send(()).unwrap();
            std::future::pending::<Result<Json, ApiError>>().await
        }
    };
    let services = json!({ "slow": { "GET": { "info": "Never ends" } } });
    let engine = rulebook(&services, &json!({}))
        .module(Module::new("notes").get("/slow", never_ends))
        .trace_exporter(OtlpExporter::new(&url, "one", "1").unwrap(), 100)
        .build()
        .unwrap();
    let settings =
        Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1).with_shutdown_timeout(Duration::from_millis(100));
    let server = engine.serve(&settings).unwrap();
    let mut client = TcpStream::connect(server.addresses()[0]).unwrap();
    // The server has a span to send before it aborts the second request.
    client.write_all(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\nGET /slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    has_begun.recv().unwrap();
    let started = Instant::now();
    server.stop().unwrap();
    drop(engine);
    let waited = started.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(8)).contains(&waited), "{waited:?}");
}
