//! The table of types.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook::types::{ArgumentError, Arguments, Check, TermText, Type, Types};
use serde_json::{Map, Value as Json, json};

use super::{compile, compile_written, judge};

/// What stands beside the term of a type that needs it.
fn attributes(name: &str) -> Map<String, Json> {
    let callback = (name == "callable").then(|| ("callback".to_owned(), json!("Class::method")));
    callback.into_iter().collect()
}

/// A term for each type that needs more than its name.
fn term(name: &str) -> String {
    match name {
        "digest" => "digest(4)".to_owned(),
        "enum" => "enum(a|b)".to_owned(),
        other => other.to_owned(),
    }
}

#[test]
fn names_are_unique_and_of_the_grammar() {
    let mut seen = HashSet::new();
    for built_in in Types::builtin().iter() {
        let name = built_in.name();
        assert!(seen.insert(name.to_owned()), "{name} stands twice");
        let simple = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        assert!(simple && name.starts_with(|c: char| c.is_ascii_alphabetic()), "{name}");
    }
}

#[test]
fn every_type_is_documented() {
    for built_in in Types::builtin().iter() {
        let info = built_in.info();
        assert!(info.len() > 10 && info.ends_with('.') && !info.contains('\n'), "{}: {info:?}", built_in.name());
    }
}

#[test]
fn every_type_has_a_check_a_schema_and_extremes_that_pass() {
    for built_in in Types::builtin().iter() {
        let name = built_in.name();
        let check = compile(&term(name), &attributes(name)).unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let schema = check.schema();
        let judge = judge(&schema);
        let extremes = check.extremes();
        // Of members that nothing is known of there is no example, nor of what only a function knows.
        let none = ["file", "FILE", "filled_object", "callable"].contains(&name);
        assert_eq!(extremes.is_empty(), none, "{name}");
        for extreme in extremes {
            assert!(judge.is_valid(&extreme.to_json()), "{name}: {schema} of {extreme:?}");
            assert!(check.check(extreme.clone()).is_ok(), "{name}: {extreme:?}");
        }
        assert!(!check.expected().is_empty());
        assert_eq!(compile_written(&check.written()).written(), check.written(), "{name}");
    }
}

#[test]
fn extremes_are_at_the_edges() {
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
        (
            "object",
            fields,
            json!([{"a": i64::MIN, "b": false}, {"a": 0, "b": true}, {"a": i64::MAX, "b": true}, {"a": i64::MIN}]),
        ),
    ] {
        let check = compile(term, attributes.as_object().unwrap()).unwrap();
        let extremes: Vec<_> = check.extremes().iter().map(rulebook::Value::to_json).collect();
        assert_eq!(json!(extremes), expected, "{term} {attributes}");
    }
}

#[test]
fn deep_lists_have_few_extremes() {
    let term = format!("{}enum(a|b|c|d)", "[]".repeat(30));
    let check = compile(&term, &Map::new()).unwrap();
    assert!(check.extremes().len() <= 3);
    assert!(check.extremes().iter().all(|extreme| extreme.to_json().to_string().len() < 1_000));
}

/// A type of a user's own: `even`, an `int` that can be halved.
struct Even;

#[derive(Debug)]
struct EvenCheck(Arc<dyn Check>);

impl Type for Even {
    fn name(&self) -> &str {
        "even"
    }

    fn info(&self) -> &str {
        "A whole number that can be halved."
    }

    fn attributes(&self) -> &[&str] {
        &["params"]
    }

    fn compile(&self, arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        arguments.no_terms()?;
        Ok(Arc::new(EvenCheck(compile("int", &Map::new()).unwrap())))
    }
}

impl Check for EvenCheck {
    fn decode<'a>(&self, text: std::borrow::Cow<'a, str>) -> rulebook::Value<'a> {
        self.0.decode(text)
    }

    fn check<'a>(&self, value: rulebook::Value<'a>) -> Result<rulebook::Value<'a>, rulebook::Mismatch> {
        match self.0.check(value)? {
            rulebook::Value::Int(int) if int % 2 == 0 => Ok(rulebook::Value::Int(int)),
            other => Err(rulebook::Mismatch::new(self.expected(), &other)),
        }
    }

    fn expected(&self) -> std::borrow::Cow<'static, str> {
        "an even number".into()
    }

    fn schema(&self) -> serde_json::Value {
        json!({"type": "integer", "multipleOf": 2})
    }

    fn written(&self) -> rulebook::types::Written {
        rulebook::types::Written::term("even")
    }

    fn extremes(&self) -> Vec<rulebook::Value<'static>> {
        vec![rulebook::Value::Int(0)]
    }
}

#[test]
fn users_add_types_of_their_own() {
    let mut types = Types::builtin();
    let before = types.iter().count();
    types.add(Arc::new(Even));
    types.add(Arc::new(Even));
    assert_eq!(types.iter().count(), before + 1, "one of the same name is replaced");
    let compile = |term: &str, attributes: serde_json::Value| {
        let attributes = attributes.as_object().unwrap().clone();
        let timezone = jiff::tz::TimeZone::UTC;
        types.compile(TermText {
            term,
            attributes: &attributes,
            fields: None,
            words: &[],
            any_case: false,
            timezone: &timezone,
        })
    };
    let check = compile("array<even>", json!({})).unwrap().check;
    assert!(check.check(rulebook::Value::from(&json!([2, 4]))).is_ok());
    assert_eq!(check.check(rulebook::Value::from(&json!([2, 3]))).unwrap_err().expected, "an even number");
    assert!(compile("even", json!({"params": {"by": 2}})).is_ok());
    assert!(compile("even", json!({"min": 2})).is_err());
    assert!(compile("even(2)", json!({})).is_err());
}
