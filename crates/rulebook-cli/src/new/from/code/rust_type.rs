//! Chooses the Rust types of arguments and outputs.

use rulebook_model::call::Value;
use rulebook_model::model::{Output, Parameter, ParameterType};
use rulebook_model::types::Arity;

/// Returns the Rust type of a parameter's values. When a program starts, the type is tested with the boundary values of
/// the parameter's type; the result is chosen by the same values.
pub(super) fn type_of_parameter(parameter: &Parameter) -> String {
    let check = &parameter.r#type.check;
    let has_function = ["callback", "after"].iter().any(|key| parameter.r#type.written.attributes.contains_key(*key));
    let name = match check.arity() {
        Arity::File => "Upload".to_owned(),
        Arity::Files => "Vec<Upload>".to_owned(),
        // The function of the program may return any value.
        Arity::One | Arity::Many if has_function => return "Option<Value>".to_owned(),
        Arity::One | Arity::Many => {
            let values: Vec<_> =
                check.boundary_values().into_iter().filter_map(|value| check.check(value).ok()).collect();
            type_of_values(&values, item_schema_exists(&parameter.r#type))
        }
    };
    let is_nullable = name.starts_with("Option<");
    if parameter.optional && parameter.default.is_none() && !is_nullable { format!("Option<{name}>") } else { name }
}

/// Returns the Rust type of an output's values.
pub(super) fn type_of_output(output: &Output) -> String {
    let values = output.r#type.check.boundary_values();
    let name = type_of_values(&values, item_schema_exists(&output.r#type));
    if output.optional && !name.starts_with("Option<") { format!("Option<{name}>") } else { name }
}

/// Returns `true` if the type is an array whose items have a type. The items of other arrays may be anything.
fn item_schema_exists(r#type: &ParameterType) -> bool {
    r#type.check.schema().get("items").is_some_and(serde_json::Value::is_object)
}

/// Returns the narrowest type that can hold all values.
fn type_of_values(values: &[Value<'_>], has_typed_items: bool) -> String {
    let present: Vec<&Value<'_>> = values.iter().filter(|value| **value != Value::Null).collect();
    let all = |test: fn(&Value<'_>) -> bool| !present.is_empty() && present.iter().all(|value| test(value));
    let name = if all(|value| matches!(value, Value::Bool(_))) {
        "bool".to_owned()
    } else if all(|value| matches!(value, Value::Int(_))) {
        "i64".to_owned()
    } else if all(|value| matches!(value, Value::Uint(_)) || matches!(value, Value::Int(number) if *number >= 0)) {
        "u64".to_owned()
    } else if all(|value| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Float(_))) {
        "f64".to_owned()
    } else if all(|value| matches!(value, Value::Text(_))) {
        "String".to_owned()
    } else if all(|value| matches!(value, Value::List(_))) {
        let items = present.iter().flat_map(|value| if let Value::List(items) = value { &items[..] } else { &[] });
        let items: Vec<Value<'_>> = items.cloned().collect();
        let item = if has_typed_items { type_of_values(&items, false) } else { "Value".to_owned() };
        format!("Vec<{item}>")
    } else if all(|value| matches!(value, Value::Map(_))) {
        "Map<String, Value>".to_owned()
    } else {
        "Value".to_owned()
    };
    // A `Value` can be null itself.
    if present.len() < values.len() && name != "Value" { format!("Option<{name}>") } else { name }
}
