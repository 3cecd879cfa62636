//! JSON Schemas of a method as a whole: of its outputs, for the OpenAPI document, the TypeScript declarations and the
//! Python client, and of the values that its handlers get and return.

use serde_json::{Map, Value as Json, json};

use crate::call::Value;
use crate::model::{Method, Output, Unbound};
use crate::types::{Check, Structure, add_info, is_moment, nullable_schema, optional_schema, python_type};

/// A server that echoes the arguments of calls ([`Unbound::Echo`]) has a single output, an object with them.
/// `output_schema` returns the schema of a single output of the definition.
pub(super) fn response_schema(unbound: Unbound, method: &Method, output_schema: impl FnMut(&Output) -> Json) -> Json {
    if unbound != Unbound::Echo {
        return outputs_schema(method, output_schema);
    }
    let arguments = json!({ "type": "object", "description": "The checked arguments, by their names in code" });
    json!({ "type": "object", "properties": { "args": arguments }, "required": ["args"] })
}

/// The schema of the output that is the whole body, or else of an object with the outputs as members.
fn outputs_schema(method: &Method, mut output_schema: impl FnMut(&Output) -> Json) -> Json {
    if let Some(whole) = method.whole() {
        return output_schema(whole);
    }
    let members: Map<_, _> = method.body_outputs().map(|output| (output.name.clone(), output_schema(output))).collect();
    let required = method.body_outputs().filter(|output| !output.optional).map(|output| output.name.as_str());
    json!({ "type": "object", "properties": members, "required": required.collect::<Vec<_>>() })
}

pub(super) fn nullable_if_optional(output: &Output, schema: Json) -> Json {
    if output.optional { optional_schema(&*output.r#type.check, schema) } else { schema }
}

pub(super) fn described_schema(output: &Output) -> Json {
    let mut schema = nullable_if_optional(output, output.r#type.check.schema());
    if let Json::Object(schema) = &mut schema {
        add_info(schema, &output.info);
    }
    schema
}

// The values that handlers get and return, for the types of handlers in other languages.

/// The keyword with the type in Python from which or to which the library for Python converts a value.
pub(super) const PYTHON_TYPE: &str = "x-python-type";

/// Which values the library for Python converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Converted {
    Nothing,
    /// Arguments and their items, but not the members of objects.
    Outside,
    Everything,
}

/// Returns the schema of the values that handlers get or return. It differs from the schema for clients: timestamps are
/// whole numbers, and the result of a function of the program is any value.
pub(super) fn handler_schema(check: &dyn Check, converted: Converted) -> Json {
    let mut schema = check.schema();
    let inner = match converted {
        Converted::Everything => Converted::Everything,
        Converted::Outside | Converted::Nothing => Converted::Nothing,
    };
    match check.structure() {
        Structure::Scalar => scalar_schema(check, schema, converted),
        Structure::Nullable(value) => nullable_schema(handler_schema(&*value, converted)),
        Structure::Array(item) => {
            schema["items"] = handler_schema(&*item, converted);
            schema
        }
        Structure::Map(value) => {
            schema["additionalProperties"] = handler_schema(&*value, inner);
            schema
        }
        Structure::Object(shape) => {
            for field in shape.fields {
                let mut value = handler_schema(&*field.check, inner);
                if field.optional {
                    value = optional_schema(&*field.check, value);
                }
                with_info(&mut value, &field.info);
                schema["properties"][&field.name] = value;
            }
            schema
        }
        // References lead to the schemas of handlers, too.
        Structure::Schema(_) | Structure::Union(_) | Structure::TaggedUnion { .. } => schema,
    }
}

fn scalar_schema(check: &dyn Check, mut schema: Json, converted: Converted) -> Json {
    let written = check.type_expr();
    if ["after", "callback"].iter().any(|attribute| written.attributes.contains_key(*attribute)) {
        return json!({});
    }
    if schema.as_object().is_some_and(is_moment) {
        let mut values = check.boundary_values().into_iter();
        let is_number = matches!(values.find_map(|value| check.checked(value).ok()), Some(Value::Int(_)));
        schema = json!({ "type": if is_number { "integer" } else { "string" } });
    }
    if converted != Converted::Nothing
        && let Some(python) = python_type(check)
    {
        schema[PYTHON_TYPE] = python.into();
    }
    schema
}

fn with_info(schema: &mut Json, info: &str) {
    if let Json::Object(schema) = schema {
        add_info(schema, info);
    }
}

/// Returns the schema of an object with the arguments that handlers get, by their names in code.
pub(super) fn arguments_schema(method: &Method, converted: Converted) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in &method.parameters {
        let check = &*parameter.r#type.check;
        let mut schema = handler_schema(check, converted);
        // Handlers get the default, so that the value is never missing.
        if !parameter.optional || parameter.default.is_some() {
            required.push(parameter.name.as_str());
        } else if !check.accepts_null() {
            schema = nullable_schema(schema);
        }
        with_info(&mut schema, &parameter.info);
        properties.insert(parameter.name.clone(), schema);
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Returns the schema of the value that handlers return; `None` if they return nothing, or a file.
pub(super) fn returned_schema(method: &Method, converted: Converted) -> Option<Json> {
    let schema = |output: &Output| {
        let check = &*output.r#type.check;
        let mut schema = handler_schema(check, converted);
        if output.optional {
            schema = optional_schema(check, schema);
        }
        with_info(&mut schema, &output.info);
        schema
    };
    if method.options.download {
        return None;
    }
    if let Some(whole) = method.returned_whole() {
        return Some(schema(whole));
    }
    let outputs = || method.returned_outputs();
    let properties: Map<_, _> = outputs().map(|output| (output.name.clone(), schema(output))).collect();
    let required: Vec<_> = outputs().filter(|output| !output.optional).map(|output| output.name.as_str()).collect();
    let object = || json!({ "type": "object", "properties": properties, "required": required });
    (!properties.is_empty()).then(object)
}
