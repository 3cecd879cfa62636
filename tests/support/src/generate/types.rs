//! Generates random types. Each has a value that is valid for the type.

use serde_json::{Map, Value as Json, json};

use super::Choices;

/// A type as a definition specifies it, with a valid value.
#[derive(Debug, Clone)]
pub struct TypeCase {
    /// The text of the type, such as `array<int>`, without `?`.
    pub term: String,
    /// The attributes of the type, such as `min`, including `fields`.
    pub attributes: Map<String, Json>,
    /// A JSON value that is valid for the type; `None` for files.
    pub value: Option<Json>,
    /// A text in a request that is valid for the type; `None` if no such text is known.
    pub text: Option<&'static str>,
}

/// Types without attributes. Each has a valid JSON value, and a valid text in a request.
const PLAIN_TYPES: &[(&str, &str, &str)] = &[
    ("string", r#""lorem""#, "ipsum"),
    ("any", r#"{"a": [1, null]}"#, "[1]"),
    ("mixed", "true", "x"),
    ("int", "-7", "7"),
    ("int(-5,5)", "0", "-5"),
    ("uint", "18446744073709551615", "0"),
    ("id", "23", "2147483647"),
    ("float", "0.5", "1e3"),
    ("float64", "-2", "-0.25"),
    ("decimal(10,2)", r#""12.50""#, "-7.5"),
    ("decimal(20,0)", r#""12345678901234567890""#, "0"),
    ("bool", "true", "false"),
    ("string(3)", r#""äöü""#, "abc"),
    ("string(1,20)", r#""a""#, "ab cd"),
    ("string(1, 20)", r#""a""#, "ab cd"),
    ("varchar(2,5)", r#""abcd""#, "ab"),
    ("varchar(2,9,alphanumeric)", r#""abcd""#, "ab_1"),
    ("text", r#""lorem\nipsum""#, ""),
    ("hash", r#""da39a3ee5e6b4b0d3255bfef95601890afd80709""#, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"),
    ("digest(4)", r#""00ff""#, "abcd"),
    ("alphanumeric", r#""a-b_c.1""#, "x"),
    ("letters", r#""Jean-Luc P""#, "x"),
    ("mail", r#""we@example.org""#, "a.b@example.com"),
    ("phone", r#""0123456789""#, "+33 123456789"),
    ("url", r#""https://example.org/a?b""#, "http://example.com"),
    ("uuid", r#""123e4567-e89b-12d3-a456-426614174000""#, "123e4567-e89b-12d3-a456-426614174000"),
    ("ip", r#""::1""#, "127.0.0.1"),
    ("date", r#""2024-02-29""#, "1999-12-31"),
    ("datetime", r#""2024-02-29T12:00:00Z""#, "2024-02-29 12:00:00"),
    ("time", r#""23:59""#, "00:00:01"),
    ("enum(a|b|c)", r#""b""#, "c"),
    // Words can be the names of schemas.
    ("enum(Person|Local|x)", r#""Local""#, "x"),
    ("const(Node)", r#""Node""#, "Node"),
    ("text_id", "23", "23"),
    ("truthy", "true", "off"),
    ("loose_int", "3", "+3"),
    ("loose_float", "1.5", ".5"),
    ("loose_string", r#""x""#, "x"),
    ("filename", r#""a/b.txt""#, "图/é.png"),
    ("filename(public/**|*.json)", r#""public/a/b""#, "a.json"),
    ("numeric", "1.5", "-2"),
    ("varchar(5,9,mail)", r#""a@b.cc""#, "a@b.cc"),
    ("varchar(2,5,numeric)", r#""-1.5""#, "100"),
    ("loose_array", r#"{"a": 1}"#, "x"),
    ("loose_array<int>", "[1]", "1"),
    ("array", "[1]", "x"),
    ("object", r#"{"a": 1}"#, r#"{"a": 2}"#),
    ("filled_array", "[1]", "x"),
    ("filled_object", r#"{"a": 1}"#, r#"{"a": 2}"#),
    ("const(draft)", r#""draft""#, "draft"),
    ("const(5)", "5", "5"),
    ("const(-1.5)", "-1.5", "-1.5"),
    ("const(true)", "true", "true"),
    ("map<int>", r#"{"a": 1}"#, r#"{"b": 2}"#),
    ("map<?string(1,3)>", r#"{"a": null, "b": "c"}"#, "{}"),
    ("map<array<bool>>", "{}", r#"{"b": [true]}"#),
];

/// Types with attributes. Each has a valid JSON value.
const TYPES_WITH_ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("string", r#"{"min": 2, "max": 5}"#, r#""abc""#),
    ("string", r#"{"max": 5, "regex": "/^[a-z]+$/i"}"#, r#""aBc""#),
    ("int", r#"{"min": 1}"#, "3"),
    ("float", r#"{"min": 0.5, "max": 1.5}"#, "1"),
    ("decimal(6,3)", r#"{"min": 0}"#, r#""0.125""#),
    ("decimal(6,3)", r#"{"min": "-1.5", "max": 999}"#, r#""999""#),
    ("enum", r#"{"range": ["a", "b c", "d|e"]}"#, r#""b c""#),
    ("filename", r#"{"range": ["a b/*", "{c,d}/**"]}"#, r#""a b/c""#),
    ("datetime", r#"{"format": "timestamp"}"#, r#""2024-02-29T12:00:00Z""#),
    ("callable", r#"{"callback": "Class::method", "params": {"least": 3}}"#, r#""x""#),
    ("callable", r#"{"callback": ["Class", "method"]}"#, "[1]"),
    ("array<int>", r#"{"min": 1, "max": 3}"#, "[1, 2]"),
    ("array<string>", r#"{"format": "explode", "separator": ";"}"#, r#"["a"]"#),
    ("array<int>", r#"{"format": "explode"}"#, "[1, 2]"),
    ("array<string(0,3)>", r#"{"format": "list", "max": 2}"#, r#"["a", "b"]"#),
    ("const", r#"{"value": "(a)"}"#, r#""(a)""#),
    ("const", r#"{"value": "5"}"#, r#""5""#),
    ("map<string>", r#"{"keys": "string(1,3)", "min": 1, "max": 2}"#, r#"{"abc": "x"}"#),
    ("map<int>", r#"{"keys": {"type": "string", "regex": "/^[a-z]+$/"}, "items": {"max": 9}}"#, r#"{"a": 9}"#),
    ("map<object>", r#"{"fields": {"a": {"info": "A", "type": "int"}}}"#, r#"{"x": {"a": 1}}"#),
    ("union", r#"{"of": ["int", "bool", "enum(a|b)", "const(c)"]}"#, r#""c""#),
    ("union", r#"{"of": ["?float", "array<int>", {"type": "string", "min": 2, "max": 5}]}"#, "[1]"),
    ("union", r#"{"of": ["map<int>", "filled_array<string>", "const(1)", "const(2)"]}"#, r#"{"a": 1}"#),
    ("array<union>", r#"{"items": {"of": ["int", "null"]}}"#, "[1, null]"),
    ("union", r#"{"of": ["int", "const(Tone)", {"type": "enum", "range": ["Person", "Shape"]}]}"#, r#""Shape""#),
    ("date", r#"{"min": "2014-03-01", "max": "2020-02-29"}"#, r#""2016-02-29""#),
    ("datetime", r#"{"max": "2020-02-29T12:00:00+02:00"}"#, r#""2015-01-31""#),
    ("loose_float", r#"{"min": 0.5}"#, r#""1.5""#),
    ("loose_int", r#"{"min": -5, "max": 5}"#, r#""+5""#),
    ("text_id", r#"{"max": 9}"#, r#""5""#),
    ("loose_string", r#"{"min": 2, "max": 3}"#, "12"),
    ("loose_string", r#"{"min": 2}"#, "0.5"),
    ("object", r#"{"min": 1, "max": 2}"#, r#"{"a": 1}"#),
    ("map<numeric>", r#"{"keys": "enum(a|b|c)", "min": 1, "max": 2}"#, r#"{"a": "null"}"#),
    ("union", r#"{"of": ["?enum(a|b)", "const(c)"]}"#, r#""c""#),
    ("union", r#"{"of": ["?const(a)", {"type": "union", "of": ["bool", "const(b)"]}, "const(1)"]}"#, r#""b""#),
    ("union", r#"{"of": ["numeric", "array<numeric>"]}"#, r#"["null"]"#),
    (
        "union",
        r#"{"of": [
            {"type": "?object", "fields": {"k": {"info": "K", "type": "const(a)"}}},
            {"type": "object", "fields": {"k": {"info": "K", "type": "enum(b|c)"}, "x": {"info": "X", "type": "?int"}}},
            {"type": "union", "tag": "k", "of": {"d": {"type": "object", "fields": {"y": {"info": "Y", "type": "id"}}}}}
        ]}"#,
        r#"{"k": "d", "y": 1}"#,
    ),
    (
        "union",
        r#"{"tag": "kind", "of": {
            "one": {"type": "object", "min": 2, "max": 3, "closed": true, "fields": {
                "a": {"info": "A", "type": "?int"}, "b": {"info": "B", "type": "?bool"}
            }}
        }}"#,
        r#"{"kind": "one", "a": 1}"#,
    ),
    (
        "union",
        r#"{"of": ["int", {"type": "object", "closed": true, "fields": {"a": {"info": "A", "type": "string(1,3)"}}}]}"#,
        r#"{"a": "x"}"#,
    ),
    (
        "union",
        r#"{"tag": "kind", "of": {
            "one": {"type": "object", "fields": {"b": {"info": "B", "type": "?int(0,9)"}}},
            "x-ray": {"type": "filled_object", "max": 9}, "x-comment": "ignored", "$comment": "ignored"
        }}"#,
        r#"{"kind": "one", "b": 1}"#,
    ),
    (
        "array<union>",
        r#"{"items": {"of": ["bool", {"type": "array<object>", "max": 2, "fields": {"a": {"info": "A", "type": "id"}}}]}}"#,
        r#"[true, [{"a": 1}]]"#,
    ),
];

/// Returns a random type with at most `depth` levels of items and fields. The type can be a file if `files` is `true`.
pub fn type_case(depth: usize, files: bool, choices: &mut Choices) -> TypeCase {
    let kinds = match (depth, files) {
        (0, _) => 7,
        (_, false) => 11,
        (_, true) => 13,
    };
    match choices.below(kinds) {
        0..=4 => random_plain_type(choices),
        5 | 6 => random_type_with_attributes(choices),
        7 => random_array_type(depth, choices),
        8 | 9 => random_object_type(depth, choices),
        10 => random_map_type(depth, choices),
        _ => random_file_type(choices),
    }
}

fn parse_json(json: &str) -> Json {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn parse_attributes(json: &str) -> Map<String, Json> {
    match parse_json(json) {
        Json::Object(map) => map,
        other => panic!("{other} is not an object"),
    }
}

fn random_plain_type(choices: &mut Choices) -> TypeCase {
    let (term, value, text) = PLAIN_TYPES[choices.below(PLAIN_TYPES.len())];
    TypeCase { term: term.to_owned(), attributes: Map::new(), value: Some(parse_json(value)), text: Some(text) }
}

fn random_type_with_attributes(choices: &mut Choices) -> TypeCase {
    let (term, attributes_json, value) = TYPES_WITH_ATTRIBUTES[choices.below(TYPES_WITH_ATTRIBUTES.len())];
    TypeCase {
        term: term.to_owned(),
        attributes: parse_attributes(attributes_json),
        value: Some(parse_json(value)),
        text: None,
    }
}

/// Returns the attributes of an array or a map whose items have the attributes `own`.
fn item_attributes(mut own: Map<String, Json>) -> Map<String, Json> {
    let fields = own.remove("fields");
    let mut attributes = Map::new();
    if !own.is_empty() {
        attributes.insert("items".to_owned(), Json::Object(own));
    }
    attributes.extend(fields.map(|fields| ("fields".to_owned(), fields)));
    attributes
}

fn random_map_type(depth: usize, choices: &mut Choices) -> TypeCase {
    let item = type_case(depth - 1, false, choices);
    let mut attributes = item_attributes(item.attributes);
    if choices.once_in(3) {
        attributes.insert("keys".to_owned(), json!(choices.of(&["enum(a|b|c)", "alphanumeric", "string(1,9)"])));
    }
    let mark = if choices.once_in(4) { "?" } else { "" };
    let value = item.value.map(|value| json!({ "a": value }));
    TypeCase { term: format!("map<{mark}{}>", item.term), attributes, value, text: None }
}

fn random_array_type(depth: usize, choices: &mut Choices) -> TypeCase {
    let item = type_case(depth - 1, false, choices);
    let attributes = item_attributes(item.attributes);
    let mark = if choices.once_in(4) { "?" } else { "" };
    TypeCase {
        term: match choices.below(2) {
            0 => format!("array<{mark}{}>", item.term),
            _ => format!("[]{mark}{}", item.term),
        },
        attributes,
        value: item.value.map(|value| json!([value])),
        text: None,
    }
}

fn random_object_type(depth: usize, choices: &mut Choices) -> TypeCase {
    let mut fields = Map::new();
    let mut value = Some(Map::new());
    for number in 0..=choices.below(3) {
        let name = format!("field{number}");
        let field = type_case(depth - 1, false, choices);
        let mark = if choices.once_in(3) { "?" } else { "" };
        let mut written = Map::new();
        written.insert("info".to_owned(), json!(format!("Field {number}")));
        written.insert("type".to_owned(), json!(format!("{mark}{}", field.term)));
        written.extend(field.attributes);
        if let Some(example) = field.value.clone().filter(|_| choices.once_in(4)) {
            written.insert("example".to_owned(), example);
        }
        if let (Some(members), Some(member)) = (&mut value, field.value) {
            members.insert(name.clone(), member);
        }
        fields.insert(name, Json::Object(written));
    }
    let mut attributes = Map::new();
    if choices.once_in(4) {
        attributes.insert("closed".to_owned(), json!(true));
    }
    if choices.once_in(4) {
        attributes.insert("max".to_owned(), json!(fields.len()));
    }
    if fields.len() > 1 && choices.once_in(2) {
        let constraint = random_constraint(&mut fields, &mut value, choices);
        attributes.insert("constraints".to_owned(), json!([constraint]));
    }
    attributes.insert("fields".to_owned(), Json::Object(fields));
    TypeCase { term: "object".to_owned(), attributes, value: value.map(Json::Object), text: None }
}

/// Returns a constraint between the first two fields, which become optional. Often one of them is `numeric`, whose text
/// `null` is null. `value` is the object with all members, and becomes one that fulfills the constraint.
fn random_constraint(
    fields: &mut Map<String, Json>,
    value: &mut Option<Map<String, Json>>,
    choices: &mut Choices,
) -> Json {
    let mut names = Vec::new();
    for (name, field) in fields.iter_mut().take(2) {
        if choices.once_in(2) {
            *field = json!({ "info": "A number", "type": "?numeric" });
            value.iter_mut().for_each(|members| drop(members.insert(name.clone(), json!(1))));
        }
        let term = field["type"].as_str().unwrap_or_default().trim_start_matches('?');
        field["type"] = json!(format!("?{term}"));
        names.push(name.clone());
    }
    let (one, other) = (names[0].as_str(), names[1].as_str());
    let kind = choices.of(&["exactly_one", "at_most_one", "at_least_one", "together", "requires"]);
    if kind == "requires" {
        return json!({ "requires": { one: [other] } });
    }
    if kind.ends_with("_one") {
        value.iter_mut().for_each(|members| drop(members.remove(other)));
    }
    json!({ kind: names })
}

fn random_file_type(choices: &mut Choices) -> TypeCase {
    let beside = choices.of(&["{}", r#"{"max": 1000, "range": ["image/*", "text/plain"], "ext": ["png", "txt"]}"#]);
    let (term, attributes) = match choices.of(&["file", "FILE", "array<file>"]) {
        "array<file>" => ("array<file>", json!({ "min": 1, "items": parse_attributes(beside) })),
        term => (term, Json::Object(parse_attributes(beside))),
    };
    let attributes = attributes.as_object().cloned().unwrap_or_default();
    TypeCase { term: term.to_owned(), attributes, value: None, text: None }
}
