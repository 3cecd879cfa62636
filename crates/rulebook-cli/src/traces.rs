//! Sends traces of requests to an OpenTelemetry collector.

use rulebook::Validated;

use super::output::Failure;

/// Adds the exporter to the collector in the setting `traces`, if there is one. `url` is the value of the flag or the
/// environment variable, which replaces the address in the definition. Without `percent`, the setting `trace_percent`
/// determines how many requests begin a trace. The error does not contain the address.
#[cfg(feature = "traces")]
pub(super) fn add_exporter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    let failure = |why: &str| Failure::Usage(format!("traces: {why}"));
    let api = &validated.api;
    let url = match (url, &api.traces) {
        (Some(url), _) if url.trim().is_empty() => return Ok(validated),
        (Some(url), _) => url.to_owned(),
        (None, Some(defined)) => rulebook::handler_kind::expand_variables(&defined.value, defined.span)
            .map_err(|error| failure(&error.message))?,
        (None, None) => return Ok(validated),
    };
    let exporter = rulebook_traces::OtlpExporter::new(&url, &api.title, &api.version);
    let exporter = exporter.map_err(|error| failure(&error.to_string()))?;
    let percent = api.trace_percent.unwrap_or(100);
    Ok(validated.trace_exporter(exporter, percent))
}

/// Fails if the setting `traces` is used, because the traces would be missing.
#[cfg(not(feature = "traces"))]
pub(super) fn add_exporter(validated: Validated, url: Option<&str>) -> Result<Validated, Failure> {
    let why = "`traces` is set, but this program was compiled without the feature `traces`";
    match (&validated.api.traces, url) {
        (None, None) => Ok(validated),
        _ => Err(Failure::Usage(why.to_owned())),
    }
}
