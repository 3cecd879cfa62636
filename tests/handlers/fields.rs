//! Tests the values that the fields of a handler's argument type have, for arguments that are present, omitted or null.

use std::fmt::Debug;

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use super::{build, call, files_with_parameters};

/// Calls a handler with the argument type `T`, and returns its arguments in the format of `Debug`.
fn handler_arguments<T: DeserializeOwned + Debug + Send + 'static>(parameters: &Json, arguments: &Json) -> String {
    async fn debug_arguments<T: Debug>(Args(given): Args<T>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({ "given": format!("{given:?}") }))
    }
    let engine = build(files_with_parameters(parameters), [Module::new("shop").post("/it", debug_arguments::<T>)]);
    match call(&engine, "it.post", arguments).outputs() {
        Ok(outputs) => outputs["given"].as_str().unwrap().to_owned(),
        Err(error) => panic!("{arguments}: {error}; {:?}", error.log()),
    }
}

/// Checks for each case that the handler's argument, in the format of `Debug`, is the expected text.
pub fn assert_arguments<T: DeserializeOwned + Debug + Send + 'static>(parameters: &Json, cases: &[(Json, &str)]) {
    for (arguments, expected) in cases {
        assert_eq!(handler_arguments::<T>(parameters, arguments), *expected, "{arguments}");
    }
}

#[test]
fn optional_and_nullable_parameters_become_options() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        required: i64,
        optional: Option<i64>,
        nullable: Option<Option<i64>>,
        with_default: i64,
        nullable_with_default: Option<i64>,
    }
    let parameters = json!({
        "required": { "info": "Required", "type": "int" },
        "optional": { "info": "May be missing", "type": "?int" },
        "nullable": { "info": "May be missing or null", "type": "?int" },
        "with_default": { "info": "Has a default", "type": "int", "default": 7 },
        "nullable_with_default": { "info": "Has a default and does not need it", "type": "?int", "default": "8" }
    });
    assert_arguments::<Parameters>(
        &parameters,
        &[
            (
                json!({ "required": 1 }),
                "Parameters { required: 1, optional: None, nullable: None, with_default: 7, nullable_with_default: Some(8) }",
            ),
            (
                json!({ "required": 1, "optional": null, "nullable": null, "with_default": null, "nullable_with_default": null }),
                "Parameters { required: 1, optional: None, nullable: Some(None), with_default: 7, nullable_with_default: Some(8) }",
            ),
            (
                json!({ "required": 1, "optional": 2, "nullable": 3, "with_default": 4, "nullable_with_default": 5 }),
                "Parameters { required: 1, optional: Some(2), nullable: Some(Some(3)), with_default: 4, nullable_with_default: Some(5) }",
            ),
        ],
    );
}

#[test]
fn null_is_a_value_of_a_nullable_type() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        optional_any: Option<Json>,
        nullable_any: Option<Option<Json>>,
        any: Json,
    }
    let parameters = json!({
        "optional_any": { "info": "Anything", "type": "any" },
        "nullable_any": { "info": "Anything or nothing", "type": "?any" },
        "any": { "info": "Anything", "type": "any" }
    });
    assert_arguments::<Parameters>(
        &parameters,
        &[
            (
                json!({ "optional_any": null, "nullable_any": null, "any": null }),
                "Parameters { optional_any: None, nullable_any: Some(None), any: Null }",
            ),
            (
                json!({ "optional_any": 1, "any": 2 }),
                "Parameters { optional_any: Some(Number(1)), nullable_any: None, any: Number(2) }",
            ),
        ],
    );
}

#[test]
fn parameters_become_numbers_of_every_width() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        u8: u8,
        u16: u16,
        u32: u32,
        u64: u64,
        u128: u128,
        i8: i8,
        i16: i16,
        i32: i32,
        i64: i64,
        i128: i128,
        f32: f32,
        f64: f64,
        whole: f64,
    }
    let bounds = [
        ("u8", 0, i64::from(u8::MAX)),
        ("u16", 0, u16::MAX.into()),
        ("u32", 0, u32::MAX.into()),
        ("i8", i8::MIN.into(), i8::MAX.into()),
        ("i16", i16::MIN.into(), i16::MAX.into()),
        ("i32", i32::MIN.into(), i32::MAX.into()),
        ("i64", i64::MIN, i64::MAX),
        ("i128", i64::MIN, i64::MAX),
    ];
    let mut parameters = json!({
        "u64": { "info": "A number", "type": "uint" },
        "u128": { "info": "A number", "type": "uint" },
        "f32": { "info": "A number", "type": "float", "min": -3.0e38, "max": 3.0e38 },
        "f64": { "info": "A number", "type": "float" },
        "whole": { "info": "A number", "type": "int(0,9)" }
    });
    for (name, min, max) in bounds {
        parameters[name] = json!({ "info": "A number", "type": format!("int({min},{max})") });
    }
    let at = |which: fn(&(&'static str, i64, i64)) -> i64, large: u64, float: f64, whole: i64| {
        let mut arguments = json!({ "u64": large, "u128": large, "f32": float, "f64": float, "whole": whole });
        for bound in &bounds {
            arguments[bound.0] = json!(which(bound));
        }
        arguments
    };
    assert_arguments::<Parameters>(
        &parameters,
        &[
            (
                at(|bound| bound.1, 0, -0.5, 0),
                "Parameters { u8: 0, u16: 0, u32: 0, u64: 0, u128: 0, i8: -128, i16: -32768, i32: -2147483648, \
                 i64: -9223372036854775808, i128: -9223372036854775808, f32: -0.5, f64: -0.5, whole: 0.0 }",
            ),
            (
                at(|bound| bound.2, u64::MAX, 1e30, 9),
                "Parameters { u8: 255, u16: 65535, u32: 4294967295, u64: 18446744073709551615, u128: 18446744073709551615, \
                 i8: 127, i16: 32767, i32: 2147483647, i64: 9223372036854775807, i128: 9223372036854775807, \
                 f32: 1e30, f64: 1e30, whole: 9.0 }",
            ),
        ],
    );
}

#[test]
fn parameters_become_enums() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        colour: Colour,
        colours: Vec<Colour>,
        shape: Option<Shape>,
    }
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
        #[serde(other)]
        Another,
    }
    /// An externally tagged enum: in JSON, it is an object whose only member is named after the variant.
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Shape {
        Circle {
            radius: i64,
        },
        Square(i64),
        #[serde(other)]
        Nothing,
    }
    let parameters = json!({
        "colour": { "info": "A colour", "type": "enum(red|green|blue)" },
        "colours": { "info": "Colours", "type": "array<enum(red|green)>" },
        "shape": { "info": "A shape", "type": "?enum(a|b)" }
    });
    assert_arguments::<Parameters>(
        &parameters,
        &[
            (
                json!({ "colour": "red", "colours": ["green", "red"] }),
                "Parameters { colour: Red, colours: [Green, Red], shape: None }",
            ),
            (
                json!({ "colour": "blue", "colours": [], "shape": "b" }),
                "Parameters { colour: Another, colours: [], shape: Some(Nothing) }",
            ),
        ],
    );
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Shapes {
        shapes: Vec<Shape>,
    }
    let parameters = json!({ "shapes": { "info": "Shapes", "type": "array", "max": 3 } });
    // The definition gives the items of this array no type, so that an enum cannot accept all of them: building the API
    // fails.
    let invalid = std::panic::catch_unwind(|| handler_arguments::<Shapes>(&parameters, &json!({ "shapes": [] })));
    assert!(invalid.is_err(), "any item is not a shape");
}

#[test]
fn objects_and_lists_become_nested_structs_and_vectors() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        person: Person,
        people: Vec<Person>,
        grid: Vec<Vec<i64>>,
        pair: (i64, i64),
        maybe: Vec<Option<String>>,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Person {
        name: String,
        age: Option<u8>,
    }
    let person = json!({
        "name": { "info": "The name", "type": "string" },
        "age": { "info": "In years", "type": "?int(0,200)" }
    });
    let parameters = json!({
        "person": { "info": "One", "type": "object", "fields": person },
        "people": { "info": "More", "type": "array<object>", "fields": person },
        "grid": { "info": "Numbers", "type": "array<array<int>>" },
        "pair": { "info": "Two numbers", "type": "array<int>", "min": 2, "max": 2 },
        "maybe": { "info": "Texts", "type": "array<?string>" }
    });
    assert_arguments::<Parameters>(
        &parameters,
        &[(
            json!({
                "person": { "name": "Ada" },
                "people": [{ "name": "Bo", "age": 200 }, { "name": "Cy", "age": null }],
                "grid": [[1, 2], []],
                "pair": [3, 4],
                "maybe": ["x", null]
            }),
            "Parameters { person: Person { name: \"Ada\", age: None }, people: [Person { name: \"Bo\", age: Some(200) }, \
             Person { name: \"Cy\", age: None }], grid: [[1, 2], []], pair: (3, 4), maybe: [Some(\"x\"), None] }",
        )],
    );
}

#[test]
fn renamed_fields_and_aliases_get_their_parameters() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    #[allow(dead_code)]
    struct Parameters {
        the_first: i64,
        #[serde(rename = "number two")]
        the_second: i64,
        #[serde(alias = "three", alias = "drei")]
        the_third: i64,
        #[serde(skip)]
        not_a_parameter: i64,
        #[serde(default)]
        the_fifth: Option<i64>,
    }
    let parameters = json!({
        "the-first": { "info": "One", "type": "int" },
        "2": { "info": "Two", "type": "int", "name": "number-two" },
        "drei": { "info": "Three", "type": "int" },
        "the-fifth": { "info": "Five", "type": "?int" }
    });
    #[derive(Debug, Deserialize)]
    #[serde(transparent)]
    #[allow(dead_code)]
    struct TransparentWrapper(Renamed);
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    #[allow(dead_code)]
    struct Renamed {
        the_first: i64,
        number_two: i64,
        #[serde(alias = "three", alias = "drei")]
        the_third: i64,
        #[serde(default)]
        the_fifth: Option<i64>,
    }
    assert_arguments::<TransparentWrapper>(
        &parameters,
        &[(
            json!({ "the-first": 1, "number-two": 2, "drei": 3 }),
            "TransparentWrapper(Renamed { the_first: 1, number_two: 2, the_third: 3, the_fifth: None })",
        )],
    );
    let invalid = std::panic::catch_unwind(|| handler_arguments::<Parameters>(&parameters, &json!({})));
    assert!(invalid.is_err(), "`number two` is no parameter");
}

#[test]
fn parameters_become_newtypes_and_types_that_parse_text() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        id: Id,
        letter: char,
        when: Box<str>,
        address: std::net::IpAddr,
        nothing: Nothing,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Id(u32);
    #[derive(Debug, Deserialize)]
    #[serde(from = "Option<String>")]
    struct Nothing;
    impl From<Option<String>> for Nothing {
        fn from(_: Option<String>) -> Self {
            Self
        }
    }
    let parameters = json!({
        "id": { "info": "An id", "type": "id" },
        "letter": { "info": "One letter", "type": "string(1)" },
        "when": { "info": "A day", "type": "date" },
        "address": { "info": "An address", "type": "ip" },
        "nothing": { "info": "Whatever", "type": "?string" }
    });
    assert_arguments::<Parameters>(
        &parameters,
        &[(
            json!({ "id": 5, "letter": "ß", "when": "2024-02-29", "address": "::1" }),
            "Parameters { id: Id(5), letter: 'ß', when: \"2024-02-29\", address: ::1, nothing: Nothing }",
        )],
    );
}
