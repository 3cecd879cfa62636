//! The values of the fields of an argument type.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value as Json, json};

use super::{build, call, files_with_parameters};

/// The arguments of a handler with the argument type `T`, as `Debug` shows them.
fn given<T: DeserializeOwned + Debug + Send + 'static>(parameters: &Json, arguments: &Json) -> String {
    async fn show<T: Debug>(Args(given): Args<T>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({ "given": format!("{given:?}") }))
    }
    let engine = build(files_with_parameters(parameters), [Module::new("shop").post("/it", show::<T>)]);
    match call(&engine, "it.post", arguments).outputs() {
        Ok(outputs) => outputs["given"].as_str().unwrap().to_owned(),
        Err(error) => panic!("{arguments}: {error}; {:?}", error.log()),
    }
}

/// Compares the arguments of the handler with those expected.
fn check<T: DeserializeOwned + Debug + Send + 'static>(parameters: &Json, cases: &[(Json, &str)]) {
    for (arguments, expected) in cases {
        assert_eq!(given::<T>(parameters, arguments), *expected, "{arguments}");
    }
}

#[test]
fn plain_optional_and_nullable() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        a: i64,
        b: Option<i64>,
        c: Option<Option<i64>>,
        d: i64,
        e: Option<i64>,
    }
    let parameters = json!({
        "a": { "info": "Required", "type": "int" },
        "b": { "info": "May be missing", "type": "?int" },
        "c": { "info": "May be missing or null", "type": "?int" },
        "d": { "info": "Has a default", "type": "int", "default": 7 },
        "e": { "info": "Has a default and does not need it", "type": "?int", "default": "8" }
    });
    check::<Parameters>(
        &parameters,
        &[
            (json!({ "a": 1 }), "Parameters { a: 1, b: None, c: None, d: 7, e: Some(8) }"),
            (
                json!({ "a": 1, "b": null, "c": null, "d": null, "e": null }),
                "Parameters { a: 1, b: None, c: Some(None), d: 7, e: Some(8) }",
            ),
            (
                json!({ "a": 1, "b": 2, "c": 3, "d": 4, "e": 5 }),
                "Parameters { a: 1, b: Some(2), c: Some(Some(3)), d: 4, e: Some(5) }",
            ),
        ],
    );
}

#[test]
fn null_for_a_nullable_type() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        a: Option<Json>,
        b: Option<Option<Json>>,
        c: Json,
    }
    let parameters = json!({
        "a": { "info": "Anything", "type": "any" },
        "b": { "info": "Anything or nothing", "type": "?any" },
        "c": { "info": "Anything", "type": "any" }
    });
    check::<Parameters>(
        &parameters,
        &[
            (json!({ "a": null, "b": null, "c": null }), "Parameters { a: None, b: Some(None), c: Null }"),
            (json!({ "a": 1, "c": 2 }), "Parameters { a: Some(Number(1)), b: None, c: Number(2) }"),
        ],
    );
}

#[test]
fn numbers_of_every_width() {
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
    check::<Parameters>(
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
fn enums() {
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
    /// An externally tagged enum: the name of the only member is the variant.
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
    check::<Parameters>(
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
    // The items of an array without an item type are not known at startup: a mismatch is an internal error.
    let invalid = std::panic::catch_unwind(|| given::<Shapes>(&parameters, &json!({ "shapes": [] })));
    assert!(invalid.is_err(), "any item is not a shape");
}

#[test]
fn nested_objects_and_lists() {
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
    check::<Parameters>(
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
fn renamed_fields_and_aliases() {
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
    struct Whole(Renamed);
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
    check::<Whole>(
        &parameters,
        &[(
            json!({ "the-first": 1, "number-two": 2, "drei": 3 }),
            "Whole(Renamed { the_first: 1, number_two: 2, the_third: 3, the_fifth: None })",
        )],
    );
    let invalid = std::panic::catch_unwind(|| given::<Parameters>(&parameters, &json!({})));
    assert!(invalid.is_err(), "`number two` is no parameter");
}

#[test]
fn newtypes_and_types_that_parse_a_text() {
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
    check::<Parameters>(
        &parameters,
        &[(
            json!({ "id": 5, "letter": "ß", "when": "2024-02-29", "address": "::1" }),
            "Parameters { id: Id(5), letter: 'ß', when: \"2024-02-29\", address: ::1, nothing: Nothing }",
        )],
    );
}

#[test]
fn maps_and_flattened_structs() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        a: i64,
        #[serde(flatten)]
        page: Page,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Page {
        from: u32,
        count: Option<u8>,
    }
    let parameters = json!({
        "a": { "info": "One", "type": "int" },
        "from": { "info": "Where to begin", "type": "id" },
        "count": { "info": "How many", "type": "?int(1,100)" }
    });
    check::<Parameters>(
        &parameters,
        &[
            (json!({ "a": 1, "from": 2, "count": 3 }), "Parameters { a: 1, page: Page { from: 2, count: Some(3) } }"),
            (json!({ "a": 1, "from": 2 }), "Parameters { a: 1, page: Page { from: 2, count: None } }"),
        ],
    );
    check::<BTreeMap<String, Json>>(
        &parameters,
        &[(json!({ "a": 1, "from": 2 }), r#"{"a": Number(1), "from": Number(2)}"#)],
    );
    check::<BTreeMap<String, Option<i64>>>(
        &parameters,
        &[(json!({ "a": 1, "from": 2, "count": null }), r#"{"a": Some(1), "count": None, "from": Some(2)}"#)],
    );
    check::<Json>(&parameters, &[(json!({ "a": 1, "from": 2 }), r#"Object {"a": Number(1), "from": Number(2)}"#)]);
}

#[test]
fn names_of_members_are_deserialized_as_from_json() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Parameters {
        counts: HashMap<u8, i64>,
    }
    let fields = json!({ "7": { "info": "Of seven", "type": "int" } });
    let parameters = json!({ "counts": { "info": "How often", "type": "object", "fields": fields } });
    check::<Parameters>(&parameters, &[(json!({ "counts": { "7": 3 } }), "Parameters { counts: {7: 3} }")]);
}

#[test]
fn handlers_without_arguments() {
    #[derive(Debug, Deserialize)]
    struct Unit;
    #[derive(Debug, Deserialize)]
    struct Empty {}
    let parameters = json!({ "a": { "info": "One", "type": "?int" } });
    check::<()>(&parameters, &[(json!({ "a": 1 }), "()"), (json!({}), "()")]);
    check::<Unit>(&parameters, &[(json!({ "a": 1 }), "Unit")]);
    check::<Empty>(&parameters, &[(json!({ "a": 1 }), "Empty")]);
}
