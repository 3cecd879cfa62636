//! Compiles the outputs that are header fields, the entity tag and the statuses of a method for its responses.

use http::HeaderName;
use rulebook_model::model::{Method, Output, OutputPlace, ResponseField, ValueSource};

use crate::plan::{PlannedField, ResponseFields};

/// Returns what the outputs of a method are besides the body; `None` if they are only in the body.
pub(super) fn plan_response_fields(method: &Method) -> Option<ResponseFields> {
    let fields: Box<[_]> =
        method.header_outputs().filter_map(|(output, field)| plan_field(method, output, field)).collect();
    let version = method.options.version.as_ref().and_then(|name| method.named_value(name));
    let has_status = method.outputs.iter().any(|output| output.place == OutputPlace::Status);
    if fields.is_empty() && version.is_none() && !has_status {
        return None;
    }
    let sources = fields.iter().filter_map(|field| field.template.as_ref()).flat_map(|(_, sources)| sources);
    let parameters = sources.filter_map(|source| match source {
        ValueSource::Parameter(slot) => Some(*slot),
        _ => None,
    });
    Some(ResponseFields {
        parameters: parameters.collect(),
        fields,
        version: version.map(|version| version.source),
        statuses: if has_status { method.statuses().collect() } else { Box::default() },
        has_whole_body: method.whole().is_some(),
        is_get: method.http.as_str() == "GET",
    })
}

/// Returns `None` only for names that the definition cannot contain.
fn plan_field(method: &Method, output: &Output, field: &ResponseField) -> Option<PlannedField> {
    let template = match &field.template {
        None => None,
        Some(template) => {
            let source = |name: &str| method.named_value(name).map(|value| value.source);
            Some((template.clone(), template.names().map(source).collect::<Option<_>>()?))
        }
    };
    Some(PlannedField {
        name: HeaderName::try_from(&field.name).ok()?,
        output: output.name.as_str().into(),
        is_optional: output.optional,
        has_http_date: field.has_http_date(),
        template,
    })
}
