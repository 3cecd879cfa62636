//! Tests of the table of types: the completeness of the built-in types, the boundary values of types (such as the
//! smallest and the largest number), and types that programs add.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, Types, UncompiledTerm};
use serde_json::{Map, Value as Json, json};

use super::{compile, compile_type_expr, validator};

/// Returns the attributes without which a built-in type does not compile.
fn required_attributes(name: &str) -> Map<String, Json> {
    let attribute = match name {
        "callable" => ("callback".to_owned(), json!("Class::method")),
        "union" => ("of".to_owned(), json!(["int", "bool"])),
        _ => return Map::new(),
    };
    Map::from_iter([attribute])
}

/// Returns a term of a built-in type, with the arguments that the type requires.
fn term_with_required_arguments(name: &str) -> String {
    match name {
        "digest" => "digest(4)".to_owned(),
        "decimal" => "decimal(10,2)".to_owned(),
        "enum" => "enum(a|b)".to_owned(),
        "map" => "map<int>".to_owned(),
        "const" => "const(a)".to_owned(),
        other => other.to_owned(),
    }
}

#[test]
fn type_names_are_unique_and_follow_the_grammar() {
    let mut seen = HashSet::new();
    for built_in in Types::builtin().iter() {
        let name = built_in.name();
        assert!(seen.insert(name.to_owned()), "{name} occurs twice");
        let simple = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        assert!(simple && name.starts_with(|c: char| c.is_ascii_alphabetic()), "{name}");
    }
}

#[test]
fn every_built_in_type_has_a_description_of_one_sentence() {
    for built_in in Types::builtin().iter() {
        let info = built_in.info();
        assert!(info.len() > 10 && info.ends_with('.') && !info.contains('\n'), "{}: {info:?}", built_in.name());
    }
}

#[test]
fn every_built_in_type_has_a_check_a_schema_and_valid_boundary_values() {
    // `partial` needs a schema.
    for built_in in Types::builtin().iter().filter(|known| known.name() != "partial") {
        let name = built_in.name();
        let check = compile(&term_with_required_arguments(name), &required_attributes(name))
            .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let schema = check.schema();
        let validator = validator(&schema);
        let boundary_values = check.boundary_values();
        // Types of files, of objects with unknown members, and of values that a function of the program checks have no
        // boundary values.
        let has_none = ["file", "FILE", "filled_object", "callable"].contains(&name);
        assert_eq!(boundary_values.is_empty(), has_none, "{name}");
        for value in boundary_values {
            assert!(validator.is_valid(&value.to_json()), "{name}: {schema} of {value:?}");
            assert!(check.checked(value.clone()).is_ok(), "{name}: {value:?}");
        }
        assert!(!check.expected().is_empty());
        assert_eq!(compile_type_expr(&check.type_expr()).type_expr(), check.type_expr(), "{name}");
    }
}

#[test]
fn boundary_values_contain_the_smallest_and_largest_values_of_a_type() {
    let fields = json!({"fields": {"a": {"info": "A", "type": "int"}, "b": {"info": "B", "type": "?bool"}}});
    for (term, attributes, expected) in [
        ("int", json!({}), json!([i64::MIN, 0, i64::MAX])),
        ("int(3,5)", json!({}), json!([3, 5])),
        ("uint", json!({}), json!([0, u64::MAX])),
        ("float", json!({}), json!([0.5, -1.5, 0, f64::MIN, f64::MAX])),
        ("float(0,1)", json!({}), json!([0, 1, 0.5])),
        ("string(2,4)", json!({}), json!(["aa", "aaaa"])),
        ("string", json!({"regex": "^[0-9]{3}x+$"}), json!(["000x"])),
        ("enum(a|b|c)", json!({}), json!(["a", "b", "c"])),
        ("array<bool>", json!({}), json!([[], [false, true]])),
        ("array<bool>", json!({"min": 3}), json!([[false, false, false], [false, true, true]])),
        ("array<bool>", json!({"max": 1}), json!([[], [false]])),
        ("array<?bool>", json!({}), json!([[], [false, true, null]])),
        ("loose_array<bool>", json!({}), json!([[], [false, true], {"key0": false, "key1": true}])),
        (
            "loose_array<bool>",
            json!({"min": 3, "max": 3}),
            json!([[false, false, false], [false, true, true], {"key0": false, "key1": true, "key2": true}]),
        ),
        ("loose_array<bool>", json!({"max": 0}), json!([[], {}])),
        ("map<bool>", json!({}), json!([{"key1": false}, {"key2": true}, {}])),
        ("map<bool>", json!({"keys": "enum(a|b)", "min": 2}), json!([{"a": false, "b": false}])),
        ("const(5)", json!({}), json!([5])),
        ("null", json!({}), json!([null])),
        ("union", json!({"of": ["bool", "int(1,2)"]}), json!([false, true, 1, 2])),
        (
            "object",
            fields,
            json!([{"a": i64::MIN, "b": false}, {"a": 0, "b": true}, {"a": i64::MAX, "b": true}, {"a": i64::MIN}]),
        ),
    ] {
        let check = compile(term, attributes.as_object().unwrap()).unwrap();
        let boundary_values: Vec<_> =
            check.boundary_values().iter().map(rulebook_model::call::Value::to_json).collect();
        assert_eq!(json!(boundary_values), expected, "{term} {attributes}");
    }
}

#[test]
fn deeply_nested_arrays_have_few_boundary_values() {
    let term = format!("{}enum(a|b|c|d)", "[]".repeat(30));
    let check = compile(&term, &Map::new()).unwrap();
    assert!(check.boundary_values().len() <= 3);
    assert!(check.boundary_values().iter().all(|value| value.to_json().to_string().len() < 1_000));
}

/// A type that a program adds: `even`, which accepts even whole numbers.
struct Even;

#[derive(Debug)]
struct EvenCheck(Arc<dyn Check>);

impl Type for Even {
    fn name(&self) -> &str {
        "even"
    }

    fn info(&self) -> &str {
        "An even whole number."
    }

    fn attributes(&self) -> &[&str] {
        &["params"]
    }

    fn compile(&self, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        arguments.expect_no_arguments()?;
        Ok(Arc::new(EvenCheck(compile("int", &Map::new()).unwrap())))
    }
}

impl Check for EvenCheck {
    fn decode<'a>(&self, text: std::borrow::Cow<'a, str>) -> rulebook_model::call::Value<'a> {
        self.0.decode(text)
    }

    fn check(&self, value: &mut rulebook_model::call::Value<'_>) -> Result<(), rulebook_model::call::TypeMismatch> {
        self.0.check(value)?;
        match value {
            rulebook_model::call::Value::Int(int) if *int % 2 == 0 => Ok(()),
            _ => Err(rulebook_model::call::TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> std::borrow::Cow<'static, str> {
        "an even number".into()
    }

    fn schema(&self) -> serde_json::Value {
        json!({"type": "integer", "multipleOf": 2})
    }

    fn type_expr(&self) -> rulebook_model::types::TypeExpr {
        rulebook_model::types::TypeExpr::term("even")
    }

    fn boundary_values(&self) -> Vec<rulebook_model::call::Value<'static>> {
        vec![rulebook_model::call::Value::Int(0)]
    }
}

#[test]
fn programs_can_add_types() {
    let mut types = Types::builtin();
    let before = types.iter().count();
    types.add(Arc::new(Even));
    types.add(Arc::new(Even));
    assert_eq!(types.iter().count(), before + 1, "a type with the same name is replaced");
    let compile = |term: &str, attributes: serde_json::Value| {
        let attributes = attributes.as_object().unwrap().clone();
        let timezone = jiff::tz::TimeZone::UTC;
        types.compile(UncompiledTerm {
            term,
            attributes: &attributes,
            fields: None,
            aliases: &[],
            ignores_type_case: false,
            timezone: &timezone,
            schemas: &|_| None,
            inherited_constraints: &[],
            has_missing_fields: false,
            nested_types: &[],
        })
    };
    let check = compile("array<even>", json!({})).unwrap().check;
    assert!(check.checked(rulebook_model::call::Value::from(&json!([2, 4]))).is_ok());
    assert_eq!(
        check.checked(rulebook_model::call::Value::from(&json!([2, 3]))).unwrap_err().expected,
        "an even number"
    );
    assert!(compile("even", json!({"params": {"by": 2}})).is_ok());
    assert!(compile("even", json!({"min": 2})).is_err());
    assert!(compile("even(2)", json!({})).is_err());
}
