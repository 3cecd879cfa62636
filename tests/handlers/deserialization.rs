//! Tests that arguments are deserialized exactly as serde_json deserializes the same JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use proptest::prelude::*;
use rulebook::types::{TypeMismatch, Value};
use rulebook::{ApiError, Args, Context, Engine, Module, Rulebook, Unbound};
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use super::{call, files_with_parameters};
use support::generate::{TypeCase, choices, type_case};

/// A parameter type that accepts every value. It has no boundary values, so that handlers are not tried with values at
/// startup.
#[derive(Debug, Clone, Copy)]
struct AnyValue;

impl Type for AnyValue {
    fn name(&self) -> &str {
        "whatever"
    }

    fn info(&self) -> &str {
        "anything"
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(*self))
    }
}

impl Check for AnyValue {
    fn check(&self, _: &mut Value<'_>) -> Result<(), TypeMismatch> {
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        "anything".into()
    }

    fn schema(&self) -> Json {
        json!({})
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("whatever")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}

/// The argument type of [`debug_value`], with the only parameter `value`.
#[derive(Debug, Deserialize)]
struct Parameters<T> {
    value: T,
}

async fn debug_value<T: Debug>(Args(args): Args<Parameters<T>>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({ "value": format!("{:?}", args.value) }))
}

/// An API whose handler deserializes a type, and a function that deserializes the same type with serde_json.
struct TypeReader {
    type_name: &'static str,
    engine: Engine,
    read_with_serde_json: fn(&Json) -> Option<String>,
}

fn type_reader<T: DeserializeOwned + Debug + Send + 'static>() -> TypeReader {
    let parameters = json!({ "value": { "info": "Anything", "type": "whatever" } });
    let module = Module::new("shop").post("/it", debug_value::<T>);
    let engine = Rulebook::read(files_with_parameters(&parameters)).add_type(AnyValue).module(module).build().unwrap();
    TypeReader {
        type_name: std::any::type_name::<T>(),
        engine,
        read_with_serde_json: |json| {
            serde_json::from_str::<T>(&json.to_string()).ok().map(|value| format!("{value:?}"))
        },
    }
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum ExternallyTagged {
    Unit,
    Newtype(i64),
    Tuple(bool, String),
    Struct { content: Option<i64> },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "tag")]
#[allow(dead_code)]
enum InternallyTagged {
    Unit,
    Struct { content: i64 },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "tag", content = "content")]
#[allow(dead_code)]
enum AdjacentlyTagged {
    Unit,
    Newtype(i64),
    Tuple(bool, String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Untagged {
    Number(i64),
    Texts(Vec<String>),
    Object { content: i64 },
    Nothing,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct OptionalFields {
    content: i64,
    #[serde(default)]
    tag: String,
    flag: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct UnknownFieldsDenied {
    content: Json,
    tag: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct FlattenedMap {
    content: i64,
    #[serde(flatten)]
    remaining: BTreeMap<String, Json>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct NewtypeOfList(Vec<PairWithDefault>);

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct PairWithDefault(i64, #[serde(default)] bool);

fn type_readers() -> Vec<TypeReader> {
    vec![
        type_reader::<()>(),
        type_reader::<bool>(),
        type_reader::<i8>(),
        type_reader::<u8>(),
        type_reader::<i64>(),
        type_reader::<u64>(),
        type_reader::<i128>(),
        type_reader::<f64>(),
        type_reader::<char>(),
        type_reader::<String>(),
        type_reader::<Json>(),
        type_reader::<Option<i64>>(),
        type_reader::<Vec<Option<bool>>>(),
        type_reader::<(i64, String)>(),
        type_reader::<[bool; 2]>(),
        type_reader::<BTreeMap<String, i64>>(),
        type_reader::<BTreeMap<u8, Json>>(),
        type_reader::<BTreeMap<i64, Json>>(),
        type_reader::<BTreeMap<bool, Json>>(),
        type_reader::<BTreeMap<Option<char>, Json>>(),
        type_reader::<BTreeMap<String, Vec<ExternallyTagged>>>(),
        type_reader::<ExternallyTagged>(),
        type_reader::<InternallyTagged>(),
        type_reader::<AdjacentlyTagged>(),
        type_reader::<Untagged>(),
        type_reader::<OptionalFields>(),
        type_reader::<UnknownFieldsDenied>(),
        type_reader::<FlattenedMap>(),
        type_reader::<NewtypeOfList>(),
    ]
}

/// Generates JSON that often contains the names, variants and kinds of values of the types above.
fn arbitrary_json() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        prop::sample::select(vec![0, 1, -1, 127, 128, 255, 256, i64::MIN, i64::MAX]).prop_map(Json::from),
        Just(Json::from(u64::MAX)),
        prop::sample::select(vec![0.5, -0.0, 1.0, 1e300]).prop_map(Json::from),
    ];
    let names =
        ["a", "flag", "content", "tag", "Unit", "Newtype", "Tuple", "Struct", "1", "-1", "01", "+1", "300", "true", ""];
    let text = prop::sample::select(names.to_vec());
    let leaf =
        prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), number, text.clone().prop_map(Json::from)];
    leaf.prop_recursive(3, 16, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((text.clone(), inner), 0..4).prop_map(|members| Json::Object(
                members.into_iter().map(|(key, value)| (key.into(), value)).collect()
            )),
        ]
    })
}

/// Returns values of which each type accepts at least one.
fn accepted_values() -> Vec<Json> {
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!("a"),
        json!([]),
        json!({ "Newtype": 1 }),
        json!([1, "a"]),
        json!([true, false]),
        json!({ "7": 1 }),
        json!({ "true": 1 }),
        json!({ "a": ["Unit", { "Struct": { "content": 1 } }, { "Tuple": [true, "content"] }] }),
        json!({ "tag": "Newtype", "content": 1 }),
        json!({ "tag": "Struct", "content": 1 }),
        json!([[1, true]]),
    ]
}

/// Returns `true` if the type accepts the value. Fails if the handler and serde_json accept different values, or
/// deserialize the value differently.
fn accepts_like_serde_json(reader: &TypeReader, value: &Json) -> Result<bool, TestCaseError> {
    let expected = (reader.read_with_serde_json)(value);
    let response = call(&reader.engine, "it.post", &json!({ "value": value }));
    let got = response.get("value").map(|text| text.as_str().unwrap().to_owned());
    let why = response.error().and_then(ApiError::log);
    prop_assert_eq!(&got, &expected, "{} from {}: {:?}", reader.type_name, value, why);
    Ok(expected.is_some())
}

#[test]
fn handlers_accept_exactly_the_values_that_serde_json_accepts() {
    let readers = type_readers();
    for reader in &readers {
        let taken: Vec<_> =
            accepted_values().iter().map(|value| accepts_like_serde_json(reader, value).unwrap()).collect();
        assert!(taken.contains(&true), "{} takes none of the values that are there for it", reader.type_name);
    }
    let config = support::random::cases(1_000);
    proptest!(config, |(value in arbitrary_json())| {
        for reader in &readers {
            accepts_like_serde_json(reader, &value)?;
        }
    });
}

#[test]
fn a_map_of_all_arguments_equals_the_arguments_that_echo_returns() {
    async fn return_arguments(Args(all): Args<Map<String, Json>>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({ "args": all }))
    }
    // proptest stores earlier counterexamples in the folder `proptest-regressions` and tries them first.
    let persistence = ProptestConfig::default().failure_persistence;
    let config = ProptestConfig { failure_persistence: persistence, ..support::random::cases(256) };
    proptest!(config, |(mut choices in choices())| {
        let (mut parameters, mut arguments) = (Map::new(), Map::new());
        for number in 0..choices.below(6) {
            let TypeCase { term, attributes, value, .. } = type_case(2, false, &mut choices);
            let name = format!("p{number}");
            let mut parameter = attributes;
            parameter.insert("info".to_owned(), "A parameter".into());
            parameter.insert("type".to_owned(), term.into());
            parameters.insert(name.clone(), parameter.into());
            arguments.insert(name, value.unwrap());
        }
        let (parameters, arguments) = (Json::Object(parameters), Json::Object(arguments));
        let rulebook = Rulebook::read(files_with_parameters(&parameters)).module(Module::new("shop").post("/it", return_arguments));
        // Generated types may name a function that only a program provides. With echo, a missing function leaves values
        // unchanged, so that the function here returns its value unchanged too.
        let bound = rulebook.callable("Class::method", |value, _| Ok(value.clone())).build().unwrap();
        let echo = Rulebook::read(files_with_parameters(&parameters)).unbound(Unbound::Echo).build().unwrap();
        let got = call(&bound, "it.post", &arguments).outputs().unwrap();
        let echoed = call(&echo, "it.post", &arguments).outputs().unwrap();
        prop_assert_eq!(got, echoed);
    });
}

/// Types of crates for decimal numbers, such as `rust_decimal::Decimal`, read whatever the format contains.
#[derive(Debug, Clone, PartialEq)]
struct Decimal(String);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DecimalVisitor;
        impl serde::de::Visitor<'_> for DecimalVisitor {
            type Value = Decimal;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number, or the text of one")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse::<f64>().map_err(E::custom)?;
                Ok(Decimal(text.to_owned()))
            }
        }
        deserializer.deserialize_any(DecimalVisitor)
    }
}

#[test]
fn decimals_are_read_by_types_that_parse_texts() {
    let parameters = json!({ "value": { "info": "A price", "type": "decimal(10,2)", "min": 0 } });
    let module = |module: Module| Rulebook::read(files_with_parameters(&parameters)).module(module).build();
    let engine = module(Module::new("shop").post("/it", debug_value::<Decimal>)).unwrap();
    let text = call(&engine, "it.post", &json!({ "value": "12.5" })).outputs().unwrap();
    assert_eq!(text, json!({ "value": "Decimal(\"12.50\")" }));
    assert!(module(Module::new("shop").post("/it", debug_value::<f64>)).is_err(), "a number does not read texts");
}
