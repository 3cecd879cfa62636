//! Tests that types with requirements that are hard to fulfill have examples: lengths, patterns, numbers of members,
//! and constraints between members.

use proptest::prelude::*;
use rulebook_model::constraint::ConstraintKind;
use serde_json::{Map, Value as Json, json};

use super::compile;

/// Returns the example of a type. Fails if the type has none, or if the example is not valid.
fn example_of(term: &str, attributes: &Json) -> Json {
    let check = compile(term, attributes.as_object().unwrap())
        .unwrap_or_else(|errors| panic!("{term} {attributes}: {errors:?}"));
    let example = check.example().unwrap_or_else(|| panic!("{term} {attributes} has no example"));
    assert!(check.checked(example.clone()).is_ok(), "{term} {attributes}: {example:?}");
    example.to_json()
}

#[test]
fn texts_have_examples_of_every_length_and_pattern() {
    let regex = |pattern: &str| json!({ "regex": pattern });
    for (term, attributes) in [
        ("string(1001)", json!({})),
        ("string(2000,3000)", json!({})),
        ("string(5000)", json!({})),
        ("string(10000,20000)", json!({})),
        ("text", json!({})),
        ("digest(2000)", json!({})),
        ("digest(10000)", json!({})),
        ("loose_string(2000)", json!({})),
        ("string(3)", regex("^(a|bb|ccc)$")),
        ("string(7)", regex("^(abc|de)*$")),
        ("string(11)", regex("^(abc|de)+x{0,2}$")),
        ("string(2000,3000)", regex("^[a-z]+$")),
        ("string(300,310)", regex("^[a-z]+-[0-9]{2}$")),
        ("string(99)", regex("^([a-z]{3}-)*[a-z]{1,3}$")),
        ("string(50)", regex("[0-9]$")),
        ("string(50)", regex("^[0-9]")),
        ("string(50)", regex("/[A-Z]{3}/")),
        ("string(200)", regex("^.*end$")),
        ("string(4)", regex(r"^\p{Cyrillic}+$")),
        ("string(4)", regex(r"^[^\x00-\x7F]+$")),
        ("string", regex(r"^\w.\w\b.\B.$")),
        ("string", regex(r"a\b.\bc")),
        ("string", regex(r"\Bend")),
        ("string", regex(r"/^a$\s^b$/m")),
        ("string", regex("^(?:[a-f]{2}:){5}[a-f]{2}$")),
        ("string", regex("^[^a-z]$")),
        ("string(0,3)", regex("^(?:long|longer|abc)$")),
        ("string(20,30)", regex(r"^(\+[0-9]{1,3} )?[0-9 ]+$")),
        ("varchar(50,60,alphanumeric)", json!({})),
        ("varchar(50,60,letters)", json!({})),
        ("varchar(5,5,text_id)", json!({})),
        ("varchar(30,40,numeric)", json!({})),
        ("varchar(30,40,mail)", json!({})),
        ("varchar(3,9,mail)", json!({})),
        ("varchar(1,4,ip)", json!({})),
        ("varchar(100,120,url)", json!({})),
        ("varchar(60,70,filename)", json!({})),
        ("varchar(36,36,uuid)", json!({})),
        ("filename", json!({ "range": ["a?b/**/c.{json,txt}"] })),
        ("filename", json!({ "range": ["[0-9]*/[!a-z]x", "?"] })),
        ("date", json!({ "min": "2024-02-29", "max": "2024-02-29" })),
        ("datetime", json!({ "min": "2030-01-01T00:00:00Z", "max": 1_900_000_000 })),
    ] {
        example_of(term, &attributes);
    }
}

#[test]
fn collections_have_examples_of_every_size() {
    let fields = |count: usize, mark: &str| -> Json {
        let field = |number: usize| (format!("f{number}"), json!({ "info": "F", "type": format!("{mark}int") }));
        (0..count).map(field).collect::<Map<_, _>>().into()
    };
    for (term, attributes, size) in [
        ("array<int>", json!({ "min": 1000 }), 1000),
        ("array<object>", json!({ "min": 100, "fields": fields(5, "") }), 100),
        ("array<array<int>>", json!({ "min": 20, "items": { "min": 20 } }), 20),
        ("map<int>", json!({ "min": 100 }), 100),
        ("map<int>", json!({ "min": 3, "keys": "enum(a|b|c)" }), 3),
        ("map<int>", json!({ "min": 100, "keys": "string(1,3)" }), 100),
        ("map<int>", json!({ "min": 50, "keys": { "type": "string", "regex": "^[a-z]{2}$" } }), 50),
        ("map<int>", json!({ "min": 10, "keys": "uuid" }), 10),
        ("map<int>", json!({ "min": 10, "keys": "date" }), 10),
        ("object", json!({ "min": 100 }), 100),
        ("object", json!({ "min": 3, "fields": fields(1, "") }), 3),
        ("object", json!({ "min": 2, "max": 2, "fields": fields(5, "?") }), 2),
        ("object", json!({ "min": 3, "max": 4, "closed": true, "fields": fields(6, "?") }), 4),
    ] {
        let example = example_of(term, &attributes);
        let got = example.as_array().map_or_else(|| example.as_object().unwrap().len(), Vec::len);
        assert_eq!(got, size, "{term} {attributes}: {example}");
    }
}

/// Returns the attributes of an object with these fields, written as `name type`, and these constraints.
fn object(fields: &[&str], constraints: &Json) -> Json {
    let fields = fields.iter().map(|field| {
        let (name, term) = field.split_once(' ').unwrap();
        let attributes = term.split_once(' ').map_or(json!({}), |(_, more)| serde_json::from_str(more).unwrap());
        let mut field = json!({ "info": "F", "type": term.split(' ').next() });
        field.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
        (name.to_owned(), field)
    });
    json!({ "fields": fields.collect::<Map<_, _>>(), "constraints": constraints })
}

#[test]
fn objects_have_examples_that_fulfill_their_constraints() {
    let dates = ["since date", "until date"];
    let optional = ["a ?int", "b ?int", "c ?int"];
    for (fields, constraints, expected) in [
        (&dates[..], json!([{ "less": ["since", "until"] }]), json!({ "since": "2026-05-17", "until": "2026-05-18" })),
        (&dates, json!([{ "at_most": ["since", "until"] }]), json!({ "since": "2026-05-17", "until": "2026-05-17" })),
        (&["a int", "b int"], json!([{ "less": ["b", "a"] }]), json!({ "a": 1, "b": 0 })),
        (
            &["a int(1,3)", "b int(1,3)", "c int(1,3)"],
            json!([{ "less": ["a", "b"] }, { "less": ["b", "c"] }]),
            json!({ "a": 1, "b": 2, "c": 3 }),
        ),
        (&["a int(0,100)", "b int(0,10)"], json!([{ "less": ["a", "b"] }]), Json::Null),
        (&["a int(50,60)", "b int(0,51)"], json!([{ "less": ["a", "b"] }]), json!({ "a": 50, "b": 51 })),
        (
            &["a decimal(10,2)", "b decimal(6,3)"],
            json!([{ "less": ["a", "b"] }]),
            json!({ "a": "12.50", "b": "999.999" }),
        ),
        (&["a float(0,1)", "b float(0,1)"], json!([{ "less": ["a", "b"] }]), json!({ "a": 0.5, "b": 0.6 })),
        (
            &[
                r#"a datetime {"min": "2020-01-01T00:00:00Z", "max": "2020-01-01T00:00:01Z"}"#,
                r#"b datetime {"max": "2020-01-01T00:00:01Z"}"#,
            ],
            json!([{ "less": ["a", "b"] }]),
            json!({ "a": "2020-01-01T00:00:00Z", "b": "2020-01-01T00:00:01Z" }),
        ),
        (
            &[r#"a datetime {"format": "timestamp"}"#, r#"b datetime {"format": "timestamp"}"#],
            json!([{ "less": ["b", "a"] }]),
            json!({ "a": "2026-05-17T14:30:00Z", "b": "2026-05-16T14:30:00Z" }),
        ),
        (&["a string", "b string(2,3)"], json!([{ "equal": ["a", "b"] }]), json!({ "a": "abc", "b": "abc" })),
        (&["a enum(x|y)", "b enum(z|y)"], json!([{ "equal": ["a", "b"] }]), json!({ "a": "y", "b": "y" })),
        (&["a int(1,9)", "b float(7,20)"], json!([{ "equal": ["a", "b"] }]), Json::Null),
        (&["a int(1,2)", "b ?int(0,1)"], json!([{ "less": ["a", "b"] }]), json!({ "a": 1 })),
        (&optional, json!([{ "exactly_one": ["a", "b", "c"] }]), json!({ "a": 1 })),
        (&optional, json!([{ "at_most_one": ["a", "b"] }]), json!({ "a": 1, "c": 1 })),
        (&optional, json!([{ "exactly_one": ["a", "b"] }, { "requires": { "a": ["b"] } }]), json!({ "b": 1, "c": 1 })),
        (&optional, json!([{ "exactly_one": ["a", "b"] }, { "together": ["a", "c"] }]), json!({ "a": 1, "c": 1 })),
        (&optional, json!([{ "at_least_one": ["a", "b"] }, { "at_most_one": ["a", "c"] }]), json!({ "a": 1, "b": 1 })),
        (
            &["a ?int(5,9)", "b ?int(0,5)", "c ?int"],
            json!([{ "less": ["a", "b"] }, { "together": ["a", "c"] }, { "at_least_one": ["b", "c"] }]),
            json!({ "a": 7, "c": 1 }),
        ),
    ] {
        let attributes = object(fields, &constraints);
        let example = example_of("object", &attributes);
        assert!(expected.is_null() || example == expected, "{attributes}: {example}");
        let array = json!({ "min": 2, "fields": attributes["fields"], "items": { "constraints": constraints } });
        example_of("array<object>", &array);
    }
}

#[test]
fn types_without_values_have_no_examples() {
    for (term, attributes) in [
        ("string(5)", json!({ "regex": r"^a\b\Ba{4}$" })),
        ("object", object(&["a int(5,9)", "b int(0,5)"], &json!([{ "less": ["a", "b"] }]))),
    ] {
        let check = compile(term, attributes.as_object().unwrap()).unwrap();
        assert_eq!(check.example(), None, "{term} {attributes}");
    }
}

/// A pattern, and the length of a text that it matches.
type PatternAndLength = (String, usize);

/// Generates patterns without assertions.
fn patterns() -> impl Strategy<Value = PatternAndLength> {
    let leaf = prop_oneof![
        "[a-z0-9]{1,3}".prop_map(|text| {
            let length = text.len();
            (text, length)
        }),
        prop::sample::select(vec!["[a-z]", "[0-9]", r"\w", ".", "[^a-y]", "[é-ü]"])
            .prop_map(|class| (class.to_owned(), 1)),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        let repeated =
            (inner.clone(), 0_usize..4, 0_usize..6, 0_usize..6).prop_map(|((pattern, length), min, times, more)| {
                let (times, max) = (min + times, min + times + more);
                let bounds = if more == 5 { format!("{{{min},}}") } else { format!("{{{min},{max}}}") };
                (format!("(?:{pattern}){bounds}"), length * times)
            });
        let either =
            (prop::collection::vec(inner.clone(), 1..4), any::<prop::sample::Index>()).prop_map(|(branches, index)| {
                let length = index.get(&branches).1;
                let branches: Vec<_> = branches.into_iter().map(|(pattern, _)| pattern).collect();
                (format!("(?:{})", branches.join("|")), length)
            });
        let one_after_the_other = prop::collection::vec(inner, 1..4).prop_map(|parts| {
            (parts.iter().map(|(pattern, _)| pattern.as_str()).collect(), parts.iter().map(|(_, length)| length).sum())
        });
        prop_oneof![repeated, either, one_after_the_other]
    })
}

/// Generates the fields of an object, and a value of each; `None` for a field that is omitted.
fn fields_with_values() -> impl Strategy<Value = Vec<(i64, i64, Option<i64>)>> {
    let field = (0_i64..30, 0_i64..30, 0_i64..30, prop::option::weighted(0.8, Just(())));
    prop::collection::vec(field, 2..6).prop_map(|fields| {
        let field = |(a, b, c, given): (i64, i64, i64, Option<()>)| {
            let mut sorted = [a, b, c];
            sorted.sort_unstable();
            (sorted[0], sorted[2], given.map(|()| sorted[1]))
        };
        fields.into_iter().map(field).collect()
    })
}

proptest! {
    #![proptest_config(support::random::cases(256))]

    #[test]
    fn a_pattern_has_an_example_of_each_length_that_its_texts_have((pattern, length) in patterns()) {
        let regex = json!({ "regex": format!("^(?:{pattern})$") });
        let term = format!("string({length})");
        // The pattern can be too large.
        prop_assume!(length <= 2_000);
        if let Ok(check) = compile(&term, regex.as_object().unwrap()) {
            let example = check.example();
            prop_assert!(example.is_some(), "{term} {regex}");
        }
    }

    /// The constraints are those that a random object fulfills, so that there is an example.
    #[test]
    fn an_object_has_an_example_if_values_fulfill_its_constraints(
        fields in fields_with_values(),
        kinds in prop::collection::vec((0_usize..8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..5),
    ) {
        let name = |index: usize| format!("f{index}");
        let written = fields.iter().enumerate().map(|(index, (min, max, _))| {
            (name(index), json!({ "info": "F", "type": format!("?int({min},{max})") }))
        });
        let written: Map<_, _> = written.collect();
        let is_fulfilled = |kind, one: usize, other: usize| {
            let (one, other) = (fields[one].2, fields[other].2);
            match kind {
                ConstraintKind::ExactlyOne => one.is_some() != other.is_some(),
                ConstraintKind::OneOrMore => one.is_some() || other.is_some(),
                ConstraintKind::OneOrNone => one.is_none() || other.is_none(),
                ConstraintKind::Together => one.is_some() == other.is_some(),
                ConstraintKind::Requires => one.is_none() || other.is_some(),
                ConstraintKind::Less => one.zip(other).is_none_or(|(one, other)| one < other),
                ConstraintKind::LessOrEqual => one.zip(other).is_none_or(|(one, other)| one <= other),
                ConstraintKind::Equal => one.zip(other).is_none_or(|(one, other)| one == other),
            }
        };
        let constraints = kinds.into_iter().filter_map(|(kind, one, other)| {
            let ((kind, key), one, other) = (ConstraintKind::KEYS[kind], one.index(fields.len()), other.index(fields.len()));
            let names = [name(one), name(other)];
            let names = if kind == ConstraintKind::Requires { json!({ (names[0].as_str()): [names[1]] }) } else { json!(names) };
            (one != other && is_fulfilled(kind, one, other)).then(|| json!({ (key): names }))
        });
        let attributes = json!({ "fields": written, "constraints": constraints.collect::<Vec<_>>() });
        let check = compile("object", attributes.as_object().unwrap()).unwrap();
        let example = check.example();
        prop_assert!(example.as_ref().is_some_and(|example| check.checked(example.clone()).is_ok()), "{attributes}: {example:?}");
    }
}
