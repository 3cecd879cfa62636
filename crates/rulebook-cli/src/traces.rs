//! Sends traces of requests to an OpenTelemetry collector.

use rulebook::handler_kind::expand_variables;
use rulebook_model::model::Api;
use rulebook_traces::OtlpExporter;

/// Opens the exporter to the collector in the setting `traces`; returns `None` without the setting. `url` is the value
/// of the flag or the environment variable, which replaces the address in the definition.
///
/// # Errors
/// Fails if the address is invalid. The error is a message, which does not contain the address.
pub(super) fn open_exporter(api: &Api, url: Option<&str>) -> Result<Option<OtlpExporter>, String> {
    let url = match (url, &api.traces) {
        (Some(url), _) if url.trim().is_empty() => return Ok(None),
        (Some(url), _) => url.to_owned(),
        (None, Some(defined)) => {
            expand_variables(&defined.value, defined.span).map_err(|error| format!("traces: {}", error.message))?
        }
        (None, None) => return Ok(None),
    };
    let exporter = OtlpExporter::new(&url, &api.title, &api.version);
    exporter.map(Some).map_err(|error| format!("traces: {error}"))
}
