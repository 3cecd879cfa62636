//! The values that the parts of a definition accept.

use rulebook_model::call::Value;
use rulebook_model::constraint::{Constraint, Given};
use rulebook_model::model::{Api, Location, Method, Parameter};
use rulebook_model::types::Check;
use serde_json::{Map, Value as Json};

/// A part of a definition that accepts values.
pub enum Part<'a> {
    /// One type, and whether null is accepted, too.
    Type(&'a dyn Check, bool),
    /// The parameters or the outputs of a method.
    Fields(Vec<Field<'a>>, &'a [Constraint]),
}

pub struct Field<'a> {
    /// The name in requests or responses, and the one in constraints.
    names: (&'a str, &'a str),
    check: &'a dyn Check,
    is_optional: bool,
}

impl Part<'_> {
    pub fn accepts(&self, value: &Json) -> bool {
        match self {
            Self::Type(check, is_optional) => {
                (*is_optional && value.is_null()) || check.checked(Value::from(value)).is_ok()
            }
            Self::Fields(fields, constraints) => {
                value.as_object().is_some_and(|members| accepts_members(fields, constraints, members))
            }
        }
    }
}

fn accepts_members(fields: &[Field<'_>], constraints: &[Constraint], members: &Map<String, Json>) -> bool {
    let are_valid = fields.iter().all(|field| match members.get(field.names.0) {
        None => field.is_optional,
        Some(Json::Null) if field.is_optional => true,
        Some(value) => field.check.checked(Value::from(value)).is_ok(),
    });
    let values: Vec<(&str, Value<'_>)> = fields
        .iter()
        .filter_map(|field| Some((field.names.1, members.get(field.names.0).filter(|value| !value.is_null())?)))
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    let given = |name: &str| {
        let value = values.iter().find(|(known, _)| *known == name);
        value.map_or(Given::Absent, |(_, value)| Given::Value(value))
    };
    are_valid && constraints.iter().all(|constraint| constraint.check(&given, &str::to_owned).is_none())
}

/// Returns the method with a path and an HTTP method of the description.
pub fn method<'a>(api: &'a Api, path: &str, http: &str) -> Option<&'a Method> {
    let path = match path.trim_matches('/') {
        "" => "/".to_owned(),
        path => format!("/{path}"),
    };
    let mut services = api.modules.iter().flat_map(|module| &module.services);
    let service = services.find(|service| service.uri() == path)?;
    service.methods.iter().find(|method| method.http.as_str().eq_ignore_ascii_case(http))
}

pub fn parameter<'a>(method: &'a Method, location: &str, name: &str) -> Option<&'a Parameter> {
    let name = name.strip_suffix("[]").unwrap_or(name);
    method.parameters.iter().find(|parameter| {
        let found = match parameter.from {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
            _ => return false,
        };
        found == location && parameter.key.eq_ignore_ascii_case(name)
    })
}

/// Returns the body of requests; `None` if it has no parameters.
pub fn request_body(method: &Method) -> Option<Part<'_>> {
    let whole = method.parameters.iter().find(|parameter| parameter.is_whole_body());
    if let Some(whole) = whole {
        return Some(Part::Type(&*whole.r#type.check, whole.optional));
    }
    let of_body = method.parameters.iter().filter(|parameter| parameter.from == Location::Body);
    let fields: Vec<Field<'_>> = of_body
        .map(|parameter| Field {
            names: (&parameter.key, &parameter.name),
            check: &*parameter.r#type.check,
            is_optional: parameter.optional,
        })
        .collect();
    (!fields.is_empty()).then_some(Part::Fields(fields, &method.constraints))
}

/// Returns the body of responses; `None` if it has no outputs.
pub fn response_body(method: &Method) -> Option<Part<'_>> {
    if let Some(whole) = method.whole() {
        return Some(Part::Type(&*whole.r#type.check, whole.optional));
    }
    let fields = method.outputs.iter().map(|output| Field {
        names: (&output.name, &output.name),
        check: &*output.r#type.check,
        is_optional: output.optional,
    });
    let fields: Vec<Field<'_>> = fields.collect();
    (!fields.is_empty()).then_some(Part::Fields(fields, &[]))
}
