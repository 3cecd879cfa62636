//! Arguments are deserialized as serde_json deserializes the same JSON.

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

/// A type that accepts everything and has no example values, so that handlers are not tested at startup.
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
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, TypeMismatch> {
        Ok(value)
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

#[derive(Debug, Deserialize)]
struct Parameters<T> {
    a: T,
}

async fn show<T: Debug>(Args(it): Args<Parameters<T>>, _: Context) -> Result<Json, ApiError> {
    Ok(json!({ "a": format!("{:?}", it.a) }))
}

/// An API whose handler deserializes a `T`, and the same with serde_json.
struct Reader {
    name: &'static str,
    engine: Engine,
    read: fn(&Json) -> Option<String>,
}

fn reader<T: DeserializeOwned + Debug + Send + 'static>() -> Reader {
    let parameters = json!({ "a": { "info": "Anything", "type": "whatever" } });
    let module = Module::new("shop").post("/it", show::<T>);
    let engine = Rulebook::read(files_with_parameters(&parameters)).add_type(AnyValue).module(module).build().unwrap();
    Reader {
        name: std::any::type_name::<T>(),
        engine,
        read: |json| serde_json::from_str::<T>(&json.to_string()).ok().map(|value| format!("{value:?}")),
    }
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
enum Outside {
    A,
    B(i64),
    C(bool, String),
    D { x: Option<i64> },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "t")]
#[allow(dead_code)]
enum Inside {
    A,
    B { x: i64 },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "t", content = "x")]
#[allow(dead_code)]
enum Beside {
    A,
    B(i64),
    C(bool, String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[allow(dead_code)]
enum Either {
    Number(i64),
    Texts(Vec<String>),
    Object { x: i64 },
    Nothing,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Plain {
    x: i64,
    #[serde(default)]
    t: String,
    a: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Strict {
    x: Json,
    t: Option<Json>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Flat {
    x: i64,
    #[serde(flatten)]
    rest: BTreeMap<String, Json>,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct New(Vec<New2>);

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct New2(i64, #[serde(default)] bool);

fn readers() -> Vec<Reader> {
    vec![
        reader::<()>(),
        reader::<bool>(),
        reader::<i8>(),
        reader::<u8>(),
        reader::<i64>(),
        reader::<u64>(),
        reader::<i128>(),
        reader::<f64>(),
        reader::<char>(),
        reader::<String>(),
        reader::<Json>(),
        reader::<Option<i64>>(),
        reader::<Vec<Option<bool>>>(),
        reader::<(i64, String)>(),
        reader::<[bool; 2]>(),
        reader::<BTreeMap<String, i64>>(),
        reader::<BTreeMap<u8, Json>>(),
        reader::<BTreeMap<i64, Json>>(),
        reader::<BTreeMap<bool, Json>>(),
        reader::<BTreeMap<Option<char>, Json>>(),
        reader::<BTreeMap<String, Vec<Outside>>>(),
        reader::<Outside>(),
        reader::<Inside>(),
        reader::<Beside>(),
        reader::<Either>(),
        reader::<Plain>(),
        reader::<Strict>(),
        reader::<Flat>(),
        reader::<New>(),
    ]
}

/// JSON that often has the names and kinds of the types above.
fn json_values() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        prop::sample::select(vec![0, 1, -1, 127, 128, 255, 256, i64::MIN, i64::MAX]).prop_map(Json::from),
        Just(Json::from(u64::MAX)),
        prop::sample::select(vec![0.5, -0.0, 1.0, 1e300]).prop_map(Json::from),
    ];
    let names = ["a", "x", "t", "A", "B", "C", "D", "1", "-1", "01", "+1", "300", "true", ""];
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

/// Values of which each type accepts at least one.
fn taken_values() -> Vec<Json> {
    vec![
        json!(null),
        json!(true),
        json!(7),
        json!("a"),
        json!([]),
        json!({ "B": 1 }),
        json!([1, "a"]),
        json!([true, false]),
        json!({ "7": 1 }),
        json!({ "true": 1 }),
        json!({ "a": ["A", { "D": { "x": 1 } }, { "C": [true, "x"] }] }),
        json!({ "t": "B", "x": 1 }),
        json!([[1, true]]),
    ]
}

/// Returns whether the type accepts the value. Fails if the handler and serde_json differ.
fn agree(reader: &Reader, value: &Json) -> Result<bool, TestCaseError> {
    let expected = (reader.read)(value);
    let response = call(&reader.engine, "it.post", &json!({ "a": value }));
    let got = response.get("a").map(|text| text.as_str().unwrap().to_owned());
    let why = response.error().and_then(ApiError::log);
    prop_assert_eq!(&got, &expected, "{} from {}: {:?}", reader.name, value, why);
    Ok(expected.is_some())
}

#[test]
fn every_type_accepts_the_values_that_serde_json_accepts() {
    let readers = readers();
    for reader in &readers {
        let taken: Vec<_> = taken_values().iter().map(|value| agree(reader, value).unwrap()).collect();
        assert!(taken.contains(&true), "{} takes none of the values that are there for it", reader.name);
    }
    let config = support::random::cases(1_000);
    proptest!(config, |(value in json_values())| {
        for reader in &readers {
            agree(reader, &value)?;
        }
    });
}

#[test]
fn a_map_of_all_arguments_equals_the_output_of_an_echoing_method() {
    async fn all(Args(all): Args<Map<String, Json>>, _: Context) -> Result<Json, ApiError> {
        Ok(json!({ "args": all }))
    }
    // Earlier counterexamples are in `proptest-regressions`.
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
        let rulebook = Rulebook::read(files_with_parameters(&parameters)).module(Module::new("shop").post("/it", all));
        // If no handler is bound, values pass a missing function unchanged.
        let bound = rulebook.callable("Class::method", |value, _| Ok(value.clone())).build().unwrap();
        let echo = Rulebook::read(files_with_parameters(&parameters)).unbound(Unbound::Echo).build().unwrap();
        let got = call(&bound, "it.post", &arguments).outputs().unwrap();
        let echoed = call(&echo, "it.post", &arguments).outputs().unwrap();
        prop_assert_eq!(got, echoed);
    });
}
