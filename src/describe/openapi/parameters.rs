//! The parameters of an operation that do not stand in its body.

use serde_json::Value as Json;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, Required};

use super::super::example;
use super::files;
use super::schemas::{Schemas, described};
use super::text::{Place, Style, default, shown, text};
use crate::call::{Http, Value};
use crate::model::{self, From, Method};

/// The header fields that OpenAPI's parameters cannot describe (Parameter Object, `name`).
const UNDESCRIBED: [&str; 3] = ["accept", "content-type", "authorization"];

/// Where in a request a parameter stands, as OpenAPI says it; none where that is the body.
pub(in crate::describe) fn place(http: Http, parameter: &model::Parameter) -> Option<Place> {
    match parameter.from {
        From::Path | From::Position(_) => Some(Place::Path),
        From::Query => Some(Place::Query),
        From::Any if !has_body(http) => Some(Place::Query),
        From::Header => Some(Place::Header),
        From::Cookie => Some(Place::Cookie),
        From::Any | From::Body => None,
    }
}

/// Whether requests of this method bring their parameters in a body.
fn has_body(http: Http) -> bool {
    !matches!(http, Http::Get | Http::Delete)
}

/// Whether a parameter is a header field that has no place among an operation's parameters.
pub(super) fn is_undescribed(parameter: &model::Parameter) -> bool {
    parameter.from == From::Header && UNDESCRIBED.contains(&parameter.key.as_str())
}

/// The parameters at a path: `segments` are those of its segments by their names there, in order.
pub(super) fn parameters(
    method: &Method,
    segments: &[(&str, &model::Parameter)],
    schemas: &mut Schemas,
) -> Vec<Parameter> {
    let mut described: Vec<Parameter> =
        segments.iter().map(|(name, own)| parameter(name, own, Place::Path, method, schemas)).collect();
    for own in method.parameters.iter().filter(|own| !is_undescribed(own)) {
        let Some(place) = place(method.http, own).filter(|place| *place != Place::Path) else { continue };
        let twice = described.iter().any(|other| other.name == own.key && other.parameter_in == stands(place));
        // Of two that one field could fill, the first gets it.
        if !twice {
            described.push(parameter(&own.key, own, place, method, schemas));
        }
    }
    let asked = |other: &Parameter| other.name.eq_ignore_ascii_case("X-Requested-With");
    if method.options.download && !described.iter().any(asked) {
        described.push(files::wanted(schemas));
    }
    described
}

fn stands(place: Place) -> ParameterIn {
    match place {
        Place::Path => ParameterIn::Path,
        // No parameter stands in a form.
        Place::Query | Place::Form => ParameterIn::Query,
        Place::Header => ParameterIn::Header,
        Place::Cookie => ParameterIn::Cookie,
    }
}

fn parameter(name: &str, own: &model::Parameter, place: Place, method: &Method, schemas: &mut Schemas) -> Parameter {
    let is_required = place == Place::Path || !own.optional;
    let text = text(&own.r#type, place, is_required);
    let info = match &text.note {
        Some(note) => format!("{}\n\n{note}", own.info),
        None => own.info.clone(),
    };
    let schema = schemas.of_type(&[name, &method.id], text.schema);
    let shown = example::of_parameter(own).and_then(|value| shown(&own.r#type, &text.style, value));
    // What is no text by itself may be written as one that its place cannot hold.
    let fits = |shown: &Json| text.style == Style::Json || example::fits(own.from, &Value::from(shown));
    let shown = shown.filter(fits);
    let default = default(own, &text.style).filter(fits);
    let schema = with_values(schema, own, default, shown.as_ref());
    // What is shown here is what tools fill in and send: nothing that may as well be left out.
    let sent = shown.filter(|_| is_required || own.example.is_some());
    let (style, explode) = text.style.words(place);
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(stands(place))
        .description(Some(info))
        .required(if is_required { Required::True } else { Required::False })
        .style(style)
        .explode(explode);
    let schema = schemas.place(schema);
    if text.style == Style::Json {
        parameter.content("application/json", ContentBuilder::new().schema(Some(schema)).example(sent).build()).build()
    } else {
        parameter.schema(Some(schema)).example(sent).build()
    }
}

/// A schema with a parameter's default, and what shows it; its words stand beside it.
fn with_values(schema: Json, own: &model::Parameter, default: Option<Json>, shown: Option<&Json>) -> Json {
    let shown = shown.filter(|_| example::is_beside_default(own));
    let mut schema = described(schema, &own.info, default, shown);
    if let Json::Object(members) = &mut schema {
        members.remove("description");
    }
    schema
}
