//! Property tests with generated types and values. A check must accept a value exactly if the schema of the type
//! accepts the value, and the canonical notation of a type must compile to the same type.

use std::borrow::Cow;

use proptest::prelude::*;
use rulebook_model::call::Value;
use rulebook_model::types::Check;
use serde_json::{Map, Value as Json, json};

use super::{compile, compile_type_expr};
use support::schema_validator::{is_beyond_schemas, is_exact, plain_validator, unusual_keyword, validator};

/// A generated type: the term (the text of the type), and the attributes beside it.
pub(super) type GeneratedType = (String, Map<String, Json>);

fn without_attributes(term: impl Into<String>) -> GeneratedType {
    (term.into(), Map::new())
}

fn with_attributes(term: impl Into<String>, attributes: &Json) -> GeneratedType {
    (term.into(), attributes.as_object().unwrap().clone())
}

/// Returns one, both or none of the attributes `min` and `max`. `min` is included if bit 0 of `which` is set, and `max`
/// if bit 1 is set.
fn bounds<T: Into<Json> + PartialOrd + Copy>(low: T, high: T, which: u8) -> Map<String, Json> {
    let (low, high) = if low <= high { (low, high) } else { (high, low) };
    let mut bounds = Map::new();
    if which & 1 != 0 {
        bounds.insert("min".to_owned(), low.into());
    }
    if which & 2 != 0 {
        bounds.insert("max".to_owned(), high.into());
    }
    bounds
}

/// Returns a bound of a decimal number with four digits after the point, in units of the last one.
fn in_ten_thousandths((name, units): (String, Json)) -> (String, Json) {
    let units = units.as_i64().unwrap_or_default();
    let sign = if units < 0 { "-" } else { "" };
    (name, json!(format!("{sign}{}.{:04}", units.abs() / 10_000, units.abs() % 10_000)))
}

/// Generates types that do not contain other generated types as items or members.
fn types_without_nested_types() -> impl Strategy<Value = GeneratedType> {
    let exact = prop::sample::select(vec![
        "any",
        "int",
        "uint",
        "id",
        "float",
        "bool",
        "string",
        "text",
        "hash",
        "digest(4)",
        "digest(40)",
        "alphanumeric",
        "letters",
        "phone",
        "uuid",
        "time",
        "enum(a|b|true|0)",
        "enum(date)",
        "text_id",
        "truthy",
        "loose_int",
        "loose_string",
        "mail",
        "url",
        "ip",
        "date",
        "datetime",
        "loose_float",
        "numeric",
        "decimal(10,2)",
        "decimal(38,0)",
        "decimal(3,3)",
        "decimal(1,0)",
        "array",
        "object",
        "varchar(0,4,alphanumeric)",
        "varchar(1,12,text_id)",
        "varchar(3,9,mail)",
        "varchar(1,5,numeric)",
        "loose_array",
        "filled_array",
        "filled_array<int>",
        "filled_object",
    ]);
    let whole = prop_oneof![-12_i64..12, -1_000..100_000_i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    let natural = prop_oneof![0_i64..12, 0..2_147_483_647_i64];
    let units = (-20_000_i64..99_999, 0_i64..99_999);
    let float =
        prop_oneof![-3.0..3.0, (-4..4).prop_map(f64::from), any::<f64>().prop_filter("finite", |f| f.is_finite())];
    let length = 0_u64..6;
    let words = prop::collection::hash_set("[ab|,) ]{0,3}", 1..4);
    let regex = prop::sample::select(vec!["^a", "/^[a-z]+$/i", r"\d", r"/\w$/u", "^.{0,3}$"]);
    prop_oneof![
        4 => exact.prop_map(without_attributes),
        1 => (whole.clone(), whole.clone(), 0_u8..4).prop_map(|(a, b, which)| ("int".to_owned(), bounds(a, b, which))),
        1 => (whole.clone(), whole, 0_u8..4).prop_map(|(a, b, which)| ("loose_int".to_owned(), bounds(a, b, which))),
        1 => (natural.clone(), natural, 0_u8..4, prop::sample::select(vec!["uint", "id", "text_id"]))
            .prop_map(|(a, b, which, name)| (name.to_owned(), bounds(a, b, which))),
        1 => (float.clone(), float, 0_u8..4, prop::sample::select(vec!["float", "loose_float"]))
            .prop_map(|(a, b, which, name)| (name.to_owned(), bounds(a, b, which))),
        1 => (length.clone(), length, 0_u8..4, prop::sample::select(vec!["string", "loose_string", "object", "array"]))
            .prop_map(|(a, b, which, name)| (name.to_owned(), bounds(a, b, which))),
        1 => (units, 0_u8..4).prop_map(|((a, b), which)| {
            ("decimal(9,4)".to_owned(), bounds(a, b, which).into_iter().map(in_ten_thousandths).collect())
        }),
        1 => words.prop_map(|words| with_attributes("enum", &json!({ "range": words }))),
        1 => (regex, prop::sample::select(vec!["string", "loose_string", "string(1,3)"]))
            .prop_map(|(regex, name)| with_attributes(name, &json!({ "regex": regex }))),
        1 => prop::sample::select(vec!["date", "datetime"])
            .prop_map(|name| with_attributes(name, &json!({ "min": "2015-01-31", "max": "2020-02-29", "format": "timestamp" }))),
    ]
}

/// Generates every kind of type except `file`.
pub(super) fn type_strategy() -> impl Strategy<Value = GeneratedType> {
    types_without_nested_types().prop_recursive(3, 12, 3, |inner| {
        let optional = prop::sample::select(vec!["", "?"]);
        let field = (inner.clone(), optional.clone()).prop_map(|((term, attributes), optional)| {
            let mut field = Map::new();
            field.insert("info".to_owned(), json!("A member"));
            field.insert("type".to_owned(), json!(format!("{optional}{term}")));
            field.extend(attributes);
            Json::Object(field)
        });
        let fields = prop::collection::btree_map("[a-c]", field, 0..3);
        prop_oneof![
            (inner, optional, prop::sample::select(vec!["array", "loose_array"]), 0_u64..3, 0_u64..3, 0_u8..4)
                .prop_map(|((term, mut own), optional, name, a, b, which)| {
                    let mut all = bounds(a, b, which);
                    all.extend(own.remove("fields").map(|fields| ("fields".to_owned(), fields)));
                    if !own.is_empty() {
                        all.insert("items".to_owned(), Json::Object(own));
                    }
                    (format!("{name}<{optional}{term}>"), all)
                }),
            fields.prop_map(|fields| with_attributes("object", &json!({ "fields": fields }))),
        ]
    })
}

/// Generates texts, many of which are valid for some type.
fn text_strategy() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "",
        "a",
        "ab",
        "A1",
        "true",
        "false",
        "null",
        "ok",
        "No",
        "0",
        "1",
        "-0",
        "+5",
        "007",
        "5.",
        ".5",
        "1e3",
        "-1.5",
        "1e309",
        "-0012",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "date",
        "ab12",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "0612345678",
        "+33 612345678",
        "a@b.c",
        "http://a",
        "http://256.1.1.1",
        "http://127.1",
        "http://a:99999",
        "http://a@b:80/?c#d",
        "http://@",
        "Ada <a@b.c>",
        "\"a b\"@c",
        "a@[1.2.3.4]",
        "::1",
        "1.2.3.4",
        "00000000-0000-0000-0000-000000000000",
        "2015-01-31",
        "2016-02-29 10:00:00",
        "2015-02-29",
        "2015-02-29T10:00:00Z",
        "2015-01-30T23:59:59-10:00",
        "2020-03-01T00:00:00+14:00",
        "2016-12-31T23:59:60Z",
        "12:30",
        "12:30:61",
        "2020-02-29T00:00:00Z",
        "2020-02-29T00:00:00.5+01:00",
        "2020-02-29T00:00:00.5Z",
        "[1]",
        "{\"a\":1}",
        "é",
        "😀😀",
    ]);
    let number = prop_oneof![any::<i64>().prop_map(|n| n.to_string()), (-20_i64..20).prop_map(|n| n.to_string())];
    prop_oneof![4 => known.prop_map(str::to_owned), 2 => number, 1 => "[+-]?0{0,2}[0-9]{0,11}", 1 => "\\PC{0,4}"]
}

/// Generates JSON values, many of which are valid for some type.
fn json_strategy() -> impl Strategy<Value = Json> {
    let number = prop_oneof![
        (-14_i64..14).prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-8_i32..8).prop_map(|n| Json::from(f64::from(n) / 2.0)),
        any::<f64>().prop_map(Json::from),
        prop::sample::select(vec![
            1e3,
            -0.0,
            9_007_199_254_740_993.0,
            -9_223_372_036_854_775_808.0,
            9_223_372_036_854_775_807.0,
            1e19,
            1e300
        ])
        .prop_map(Json::from),
    ];
    let leaf = prop_oneof![1 => Just(Json::Null), 1 => any::<bool>().prop_map(Json::from), 3 => number, 4 => text_strategy().prop_map(Json::from)];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|members| json!(members)),
        ]
    })
}

fn assert_check_agrees_with_schema(check: &dyn Check, value: &Json) -> Result<(), TestCaseError> {
    let schema = check.schema();
    let is_valid = check.checked(Value::from(value)).is_ok();
    let is_beyond = !is_valid && is_beyond_schemas(check, value);
    prop_assert!(is_beyond || is_valid == validator(&schema).is_valid(value), "{} of {}", schema, value);
    let plain = plain_validator(&schema).is_valid(value);
    if is_exact(&schema) {
        prop_assert!(is_beyond || is_valid == plain, "plain {} of {}", schema, value);
    } else {
        prop_assert!(!is_valid || plain, "plain {} of {}", schema, value);
    }
    Ok(())
}

#[test]
fn the_length_of_a_loose_string_limits_its_numbers() {
    let numbers =
        [json!(0), json!(-0.0), json!(9), json!(10), json!(-1), json!(-10), json!(999), json!(1000), json!(0.5)];
    for (min, max) in (0..4).flat_map(|min| (min..4).map(move |max| (min, max))) {
        let check = compile(&format!("loose_string({min},{max})"), &Map::new()).unwrap();
        for number in &numbers {
            assert_check_agrees_with_schema(&*check, number).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(support::random::cases(512))]

    #[test]
    fn checks_and_schemas_accept_the_same_generated_values((term, attributes) in type_strategy(), values in prop::collection::vec(json_strategy(), 8)) {
        let check = compile(&term, &attributes).unwrap();
        for value in &values {
            assert_check_agrees_with_schema(&*check, value)?;
        }
    }

    /// Each boundary value is tested. If it is an array or an object, it is also tested with one item or member
    /// replaced by a random value. Completely random values are rarely valid.
    #[test]
    fn checks_and_schemas_agree_on_changed_boundary_values((term, attributes) in type_strategy(), other in json_strategy()) {
        let check = compile(&term, &attributes).unwrap();
        for boundary_value in check.boundary_values() {
            prop_assert!(check.checked(boundary_value.clone()).is_ok(), "{} rejects {:?}", term, boundary_value);
            let json = boundary_value.to_json();
            assert_check_agrees_with_schema(&*check, &json)?;
            let parts = match &json {
                Json::Array(items) => items.len(),
                Json::Object(members) => members.len(),
                _ => 0,
            };
            for part in 0..parts {
                let mut changed = json.clone();
                match &mut changed {
                    Json::Array(items) => items[part] = other.clone(),
                    Json::Object(members) => *members.values_mut().nth(part).unwrap() = other.clone(),
                    _ => {}
                }
                assert_check_agrees_with_schema(&*check, &changed)?;
            }
        }
    }

    #[test]
    fn check_and_schema_agree_on_decoded_texts((term, attributes) in type_strategy(), text in text_strategy()) {
        let check = compile(&term, &attributes).unwrap();
        let decoded = check.decode(Cow::Borrowed(&text));
        prop_assert_eq!(&decoded, &check.decode(Cow::Owned(text.clone())));
        let json = decoded.to_json();
        let is_valid = check.checked(decoded).is_ok();
        let is_beyond = !is_valid && is_beyond_schemas(&*check, &json);
        prop_assert!(is_beyond || is_valid == validator(&check.schema()).is_valid(&json), "{} of {:?}", term, text);
    }

    #[test]
    fn schemas_have_only_keywords_that_usual_validators_support((term, attributes) in type_strategy()) {
        let schema = compile(&term, &attributes).unwrap().schema();
        prop_assert_eq!(unusual_keyword(&schema), None, "{}", schema);
        // Some validators have regular expressions without lookarounds. Only the expressions of definitions need them.
        let has_lookaround = ["(?=", "(?!", "(?<"].iter().any(|start| schema.to_string().contains(start));
        let has_regex = Json::Object(attributes).to_string().contains("\"regex\"");
        prop_assert!(has_regex || !has_lookaround, "{}", schema);
    }

    #[test]
    fn canonical_notation_of_generated_types_compiles_to_the_same_type((term, attributes) in type_strategy()) {
        let check = compile(&term, &attributes).unwrap();
        let type_expr = check.type_expr();
        let again = compile_type_expr(&type_expr);
        prop_assert_eq!(again.type_expr(), type_expr, "{} {:?}", term, attributes);
        prop_assert_eq!(again.schema(), check.schema());
        prop_assert_eq!(again.expected(), check.expected());
        prop_assert_eq!(again.arity(), check.arity());
    }
}
