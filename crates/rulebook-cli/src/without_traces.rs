//! The setting `traces`, if the program was compiled without the feature `traces`.

use rulebook::trace::{Span, TraceExporter};
use rulebook_model::model::Api;

/// An exporter that no program has.
pub(super) enum NoExporter {}

impl TraceExporter for NoExporter {
    fn export(&self, _: Span) {
        match *self {}
    }
}

/// Fails if the setting `traces` is used, because the traces would be missing.
pub(super) fn open_exporter(api: &Api, url: Option<&str>) -> Result<Option<NoExporter>, String> {
    match (&api.traces, url) {
        (None, None) => Ok(None),
        _ => Err("`traces` is set, but this program was compiled without the feature `traces`".to_owned()),
    }
}
