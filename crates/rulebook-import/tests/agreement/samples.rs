//! Values at and next to the limits of a schema.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value as Json, json};

use super::source::Source;

/// The maximum number of values for one schema.
const MAX_VALUES: usize = 150;
const MAX_DEPTH: usize = 7;

/// Returns values for the schema at a place: some are valid, and others violate one keyword.
pub fn samples(source: &Source<'_>, place: &str) -> Vec<Json> {
    let mut values = of_schema(source, source.at(place).unwrap(), 0);
    values.truncate(MAX_VALUES);
    values
        .extend(json!([true, 0, -1, 1.5, "", "x", "1", [], [null], ["x"], {}, { "x": 1 }]).as_array().unwrap().clone());
    let mut different: Vec<Json> = Vec::new();
    for value in values {
        if !different.contains(&value) {
            different.push(value);
        }
    }
    different
}

fn limit(depth: usize) -> usize {
    [120, 30, 12, 6][depth.min(3)]
}

/// Returns values for a schema. The first is valid if such a value is simple.
fn of_schema(source: &Source<'_>, schema: &Json, depth: usize) -> Vec<Json> {
    if depth > MAX_DEPTH {
        return vec![json!("deep")];
    }
    let mut values = Vec::new();
    if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
        let target = Source::target(reference).and_then(|place| source.at(&place));
        values.extend(target.into_iter().flat_map(|target| of_schema(source, target, depth + 1)));
    }
    if let Some(constant) = schema.get("const") {
        values.extend([constant.clone(), json!("other")]);
    }
    for constant in schema.get("enum").and_then(Json::as_array).into_iter().flatten().take(6) {
        values.push(constant.clone());
        match constant {
            Json::String(text) => values.extend(serde_json::from_str::<Json>(text).ok()),
            other => values.push(json!(other.to_string())),
        }
    }
    let composed = composed(source, schema, depth);
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ if !values.is_empty() => Vec::new(),
        _ => implied_kinds(schema),
    };
    for kind in kinds {
        match kind {
            "string" => values.extend(texts(schema)),
            "integer" | "number" => values.extend(numbers(schema, kind == "integer")),
            "boolean" => values.extend([json!(true), json!(false)]),
            "array" => values.extend(arrays(source, schema, depth)),
            "object" if composed.is_empty() => values.extend(objects(source, schema, depth, &Map::new())),
            _ => {}
        }
    }
    values.extend(composed);
    values.push(Json::Null);
    values.truncate(limit(depth));
    values
}

fn implied_kinds(schema: &Json) -> Vec<&'static str> {
    let has = |keys: &[&str]| keys.iter().any(|key| schema.get(*key).is_some());
    let rows: [(&str, &[&str]); 4] = [
        ("object", &["properties", "required", "additionalProperties", "patternProperties", "minProperties", "not"]),
        ("array", &["items", "minItems", "maxItems", "uniqueItems"]),
        ("string", &["pattern", "minLength", "maxLength", "format"]),
        ("number", &["minimum", "maximum", "multipleOf"]),
    ];
    rows.iter().filter(|(_, keys)| has(keys)).map(|(kind, _)| *kind).collect()
}

/// Returns values for `allOf`, `oneOf` and `anyOf`, with the members that the schema has next to them.
fn composed(source: &Source<'_>, schema: &Json, depth: usize) -> Vec<Json> {
    let list = |key: &str| schema.get(key).and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let mut values = Vec::new();
    let parts: Vec<Vec<Json>> = list("allOf").iter().map(|part| of_schema(source, part, depth + 1)).collect();
    let merged = |index: usize, value: &Json| {
        let mut all = Map::new();
        for (other, part) in parts.iter().enumerate() {
            let value = if other == index { Some(value) } else { part.first() };
            all.extend(value.and_then(Json::as_object).cloned().unwrap_or_default());
        }
        all
    };
    for (index, part) in parts.iter().enumerate() {
        for value in part {
            match value {
                Json::Object(_) => {
                    values.extend(objects(source, schema, depth, &merged(index, value)).into_iter().take(2));
                }
                other => values.push(other.clone()),
            }
        }
    }
    if let Some(first) = parts.first().and_then(|part| part.first()).filter(|first| first.is_object()) {
        values.extend(objects(source, schema, depth, &merged(0, first)));
    }
    for branch in ["oneOf", "anyOf"].into_iter().flat_map(list) {
        for value in of_schema(source, branch, depth + 1) {
            match &value {
                Json::Object(members) => values.extend(objects(source, schema, depth, members).into_iter().take(3)),
                other => values.push(other.clone()),
            }
            if let (Some(tag), Some(members)) = (schema["discriminator"]["propertyName"].as_str(), value.as_object()) {
                let key = branch["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
                let mut members = members.clone();
                members.insert(tag.to_owned(), json!(key));
                values.push(members.into());
            }
        }
    }
    values
}

fn texts(schema: &Json) -> Vec<Json> {
    let mut texts: Vec<String> = Vec::new();
    let known = match schema.get("format").and_then(Json::as_str).unwrap_or_default() {
        "date" => &["2024-02-29", "2023-02-29", "2024-2-9"][..],
        "date-time" => &["2024-02-29T10:00:00Z", "2024-02-29", "2024-02-29 10:00:00", "2024-02-29T10:00:00.5+01:00"],
        "decimal" => &["12.50", "-1", "1.234"],
        "email" => &["a@b.example", "a@b", "a"],
        "uuid" => &["123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"],
        "ipv4" | "ipv6" | "ip" => &["127.0.0.1", "::1", "1.2.3"],
        "uri" | "url" | "uri-reference" => &["https://a.example/b", "/b", "a b"],
        _ => &["abc"],
    };
    texts.extend(known.iter().map(|text| (*text).to_owned()));
    if let Some(pattern) = schema.get("pattern").and_then(Json::as_str) {
        let inner = pattern.trim_start_matches('^').trim_end_matches('$');
        if let Ok(strategy) = proptest::string::string_regex(inner) {
            let mut runner = TestRunner::deterministic();
            let generated = (0..3).filter_map(|_| Some(strategy.new_tree(&mut runner).ok()?.current()));
            texts.splice(0..0, generated);
        }
    }
    for keyword in ["minLength", "maxLength"] {
        let Some(length) = schema.get(keyword).and_then(Json::as_u64).filter(|length| *length < 5000) else { continue };
        let around = [length, length + 1, length.saturating_sub(1)];
        let at = texts.len().min(usize::from(texts[0] != "abc"));
        texts.splice(at..at, around.map(|length| "é".repeat(usize::try_from(length).unwrap())));
    }
    texts.extend(["".to_owned(), "a b".to_owned(), "A1".to_owned(), "12".to_owned()]);
    texts.into_iter().map(Json::from).collect()
}

fn numbers(schema: &Json, is_whole: bool) -> Vec<Json> {
    let mut numbers = Vec::new();
    for keyword in ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"] {
        let Some(bound) = schema.get(keyword).filter(|bound| bound.is_number()) else { continue };
        numbers.push(bound.clone());
        match bound.as_i64() {
            Some(bound) => {
                numbers.extend([bound.checked_add(1), bound.checked_sub(1)].into_iter().flatten().map(Json::from));
            }
            None => numbers.extend([1.0, -1.0].map(|step| json!(bound.as_f64().unwrap() + step))),
        }
        numbers.extend([0.5, -0.5].map(|step| json!(bound.as_f64().unwrap() + step)));
    }
    let usual = json!([1, 0, -1, 1.5, 1.0, 300, 70000, 2_147_483_648_i64, -2_147_483_649_i64, 4_294_967_296_i64]);
    numbers.extend(usual.as_array().unwrap().clone());
    if is_whole {
        numbers.extend([json!(i64::MAX), json!(i64::MIN), json!(u64::MAX)]);
    }
    numbers
}

fn arrays(source: &Source<'_>, schema: &Json, depth: usize) -> Vec<Json> {
    let item = schema.get("items").filter(|items| items.is_object());
    let items = item.map_or_else(|| vec![json!("x"), json!(1)], |item| of_schema(source, item, depth + 1));
    let first = items.first().cloned().unwrap_or_default();
    let count = |keyword: &str| schema.get(keyword).and_then(Json::as_u64).filter(|count| *count < 500);
    let repeated = |count: u64| Json::Array(vec![first.clone(); usize::try_from(count).unwrap()]);
    let min = count("minItems").unwrap_or(1);
    let mut arrays = vec![repeated(min.max(1))];
    for count in [count("minItems"), count("maxItems")].into_iter().flatten() {
        arrays.extend([count, count + 1, count.saturating_sub(1)].map(repeated));
    }
    arrays.extend([json!([]), repeated(2)]);
    for one in &items {
        let mut array = vec![first.clone(); usize::try_from(min.saturating_sub(1)).unwrap()];
        array.push(one.clone());
        arrays.push(array.into());
    }
    if let Some(several) = items.get(..2) {
        arrays.push(several.to_vec().into());
    }
    for prefix in schema.get("prefixItems").and_then(Json::as_array).into_iter().flatten() {
        arrays.extend(of_schema(source, prefix, depth + 1).into_iter().map(|one| json!([one])));
    }
    arrays
}

/// Returns objects with the members of a schema and with others.
fn objects(source: &Source<'_>, schema: &Json, depth: usize, others: &Map<String, Json>) -> Vec<Json> {
    let properties = schema.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
    let values: Vec<(&String, Vec<Json>)> =
        properties.iter().map(|(name, member)| (name, of_schema(source, member, depth + 1))).collect();
    let mut all = others.clone();
    all.extend(values.iter().map(|(name, values)| ((*name).clone(), values[0].clone())));
    let required: Vec<&str> =
        schema.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    let mut least = others.clone();
    for name in &required {
        let value = all.get(*name).cloned().unwrap_or_else(|| json!("x"));
        least.insert((*name).to_owned(), value);
    }
    let mut objects: Vec<Json> = vec![least.clone().into(), all.clone().into()];
    for name in all.keys().chain(least.keys()) {
        let mut without = if required.contains(&name.as_str()) { least.clone() } else { all.clone() };
        without.remove(name);
        objects.push(without.into());
    }
    let longest = values.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    // The values of all members come in turns, so that each has some in a limited number of objects.
    for index in 0..longest {
        for (name, values) in &values {
            if let Some(value) = values.get(index) {
                let mut object = least.clone();
                object.insert((*name).clone(), value.clone());
                objects.push(object.into());
            }
        }
    }
    let mut other_values = vec![json!("x"), json!(1), Json::Null];
    if let Some(common) = schema.get("additionalProperties").filter(|common| common.is_object()) {
        other_values.splice(0..0, of_schema(source, common, depth + 1));
    }
    for (index, value) in other_values.into_iter().enumerate().take(20) {
        let mut object = least.clone();
        object.insert(["other", "X-1"][index % 2].to_owned(), value);
        objects.insert(index.min(objects.len()) + 2, object.into());
    }
    let count = |keyword: &str| schema.get(keyword).and_then(Json::as_u64).filter(|count| *count < 50);
    for count in [count("minProperties"), count("maxProperties")].into_iter().flatten() {
        for count in [count.saturating_sub(1), count, count + 1] {
            let members = (0..count).map(|index| (format!("m{index}"), json!("x")));
            objects.push(members.collect::<Map<_, _>>().into());
        }
    }
    objects
}
