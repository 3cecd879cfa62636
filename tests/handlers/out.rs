//! Tests of `Out`: output types that are compared with the definition when the program starts.

use rulebook::{ApiError, Args, Context, Module, Out, Rulebook};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

async fn never<T>(_: Args<()>, _: Context) -> Result<Out<T>, ApiError> {
    Err(ApiError::internal("it is not called"))
}

async fn no_outputs(_: Args<()>, _: Context) -> Result<(), ApiError> {
    Ok(())
}

fn build(out: &Json, module: Module) -> Result<(), String> {
    let definition = json!({ "/": { "it": { "GET": { "info": "I", "out": out } } } });
    let rulebook = Rulebook::read(vec![("shop.json".into(), definition.to_string().into_bytes())]);
    rulebook.module(module).build().map(drop).map_err(|report| report.render(false))
}

/// Returns the message of the first error if a handler returns `T`, and the definition declares these outputs; an empty
/// text if there is no error.
fn mismatch<T: Serialize + DeserializeOwned + Send + 'static>(out: &Json) -> String {
    let report = build(out, Module::new("shop").get("/it", never::<T>)).err().unwrap_or_default();
    report.lines().next().unwrap_or_default().trim_start_matches("error[handler-mismatch]: ").to_owned()
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Green,
}

#[derive(Deserialize, Serialize)]
struct Thing<T> {
    value: T,
    name: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Sparse {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    name: Option<String>,
}

/// Returns the outputs `value`, of this type, and `name`, which is optional.
fn outputs(value: &str) -> Json {
    json!({ "value": { "info": "V", "type": value }, "name": { "info": "N", "type": "?string" } })
}

#[test]
fn output_types_that_agree_with_the_definition_are_accepted() {
    assert_eq!(mismatch::<Thing<String>>(&outputs("string")), "");
    assert_eq!(mismatch::<Thing<i64>>(&outputs("int")), "");
    assert_eq!(mismatch::<Thing<u8>>(&outputs("int(0,9)")), "");
    assert_eq!(mismatch::<Thing<f64>>(&outputs("float")), "");
    assert_eq!(mismatch::<Thing<bool>>(&outputs("bool")), "");
    assert_eq!(mismatch::<Thing<Colour>>(&outputs("enum(red|green)")), "");
    // A type can be narrower than the definition.
    assert_eq!(mismatch::<Thing<Colour>>(&outputs("enum(blue|green|red)")), "");
    assert_eq!(mismatch::<Thing<Vec<u32>>>(&outputs("array<uint>")), "");
    assert_eq!(mismatch::<Thing<Json>>(&outputs("array<uint>")), "");
    assert_eq!(mismatch::<Map<String, Json>>(&outputs("string")), "");
    assert_eq!(mismatch::<Sparse>(&outputs("?string")), "");
    assert_eq!(mismatch::<Vec<u32>>(&json!({ "*": { "info": "All", "type": "array<uint>" } })), "");
}

#[test]
fn the_first_mismatch_of_an_output_type_is_reported() {
    let other_type = "the handler of it.get returns another type for the output `value`: ";
    assert!(mismatch::<Thing<String>>(&outputs("int")).starts_with(other_type));
    assert!(mismatch::<Thing<i64>>(&outputs("string")).starts_with(other_type));
    assert!(mismatch::<Thing<Colour>>(&outputs("enum(blue|yellow)")).starts_with(other_type));
    assert!(mismatch::<Thing<Vec<String>>>(&outputs("array<uint>")).starts_with(other_type));
    let name = json!({ "name": { "info": "N", "type": "?string" } });
    let undeclared = "the handler of it.get returns an output `value`, which is not declared in `out`";
    assert_eq!(mismatch::<Thing<String>>(&name), undeclared);
    let mut more = outputs("string");
    more["more"] = json!({ "info": "M", "type": "string" });
    assert_eq!(mismatch::<Thing<String>>(&more), "the handler of it.get does not return the output `more`");
    let can_omit = "the handler of it.get can omit the output `value`, which is not optional: its field is an `Option`";
    assert_eq!(mismatch::<Thing<Option<String>>>(&outputs("string")), can_omit);
    assert_eq!(mismatch::<Sparse>(&outputs("string")), can_omit);
    let whole = json!({ "*": { "info": "All", "type": "array<uint>" } });
    assert!(mismatch::<Vec<String>>(&whole).starts_with("the handler of it.get returns another type"));
}

#[test]
fn a_handler_without_outputs_is_reported_if_the_definition_requires_one() {
    let module = || Module::new("shop").get("/it", no_outputs);
    let report = build(&outputs("string"), module()).unwrap_err();
    assert!(report.contains("the handler of it.get does not return the output `value`"), "{report}");
    assert_eq!(build(&json!({}), module()), Ok(()));
    assert_eq!(build(&outputs("?string"), module()), Ok(()));
}
