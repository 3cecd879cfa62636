//! Tests an exporter in a program whose server does not send the last spans when it stops.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rulebook::trace::{Span, TraceExporter};
use rulebook_traces::OtlpExporter;

use super::collector::Collector;
use super::{database_server, exporter};

/// An exporter without [`TraceExporter::flush`].
struct WithoutFlush(Arc<OtlpExporter>);

impl TraceExporter for WithoutFlush {
    fn export(&self, span: Span) {
        self.0.export(span);
    }
}

#[test]
fn an_exporter_that_is_dropped_sends_the_last_spans() {
    let (collector, folder) = (Collector::start(), tempfile::tempdir().unwrap());
    let mut exporter = Arc::new(exporter(&collector, "one"));
    let server = database_server(folder.path(), |it| it.trace_exporter(WithoutFlush(Arc::clone(&exporter)), 100));
    assert_eq!(server.get("/v1/note/a").send().status(), 200);
    drop(server);
    // Threads of the server may end a little later.
    while Arc::get_mut(&mut exporter).is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    drop(exporter);
    assert!(collector.take().iter().any(|received| received.span.name == "GET /v1/note/{id}"));
}
