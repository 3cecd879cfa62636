//! The types of values in Schema Objects of OpenAPI 3.0, where a schema has one type, which can be nullable.

use serde_json::{Map, Value as Json, json};

use super::schema::{ANNOTATIONS, Converted};

/// The keywords that apply only to values of certain types.
pub(super) const KEYWORDS_OF_TYPES: [(&[&str], &[&str]); 4] = [
    (&["string"], &["minLength", "maxLength", "pattern", "format"]),
    (&["integer", "number"], &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    (&["array"], &["items", "minItems", "maxItems", "uniqueItems"]),
    (&["object"], &["properties", "required", "additionalProperties", "minProperties", "maxProperties"]),
];

/// Returns the schema of the value null. In OpenAPI 3.0, null is a value of another type that is nullable.
fn null_schema() -> Json {
    json!({ "type": "string", "nullable": true, "enum": [null] })
}

/// Adds the keyword `type`. In OpenAPI 3.0, it is the name of one type other than `null`.
pub(super) fn add_type(names: Option<&Json>, to: &mut Converted) {
    let names: Vec<&str> = match names {
        None => return,
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        Some(name) => name.as_str().into_iter().collect(),
    };
    let accepts_null = names.contains(&"null");
    let kinds: Vec<&str> = names.into_iter().filter(|name| *name != "null").collect();
    match kinds.as_slice() {
        [] if accepts_null => {
            let Json::Object(null) = null_schema() else { return };
            let is_free = null.keys().all(|keyword| !to.keywords.contains_key(keyword));
            if is_free { to.keywords.extend(null) } else { to.add_to_all_of(Json::Object(null)) }
        }
        [] => to.add("not", json!({})),
        [kind] => {
            let of_kind = schema_of_kind(kind, accepts_null);
            let others = std::mem::take(&mut to.keywords);
            to.keywords = of_kind;
            to.keywords.extend(others);
        }
        kinds => {
            let branches = kinds.iter().enumerate().map(|(index, kind)| {
                let mut branch = schema_of_kind(kind, accepts_null && index == 0);
                branch.extend(keywords_of_kind(kind, &to.keywords));
                Json::Object(branch)
            });
            let branches: Vec<Json> = branches.collect();
            let is_of_type = |name: &str| KEYWORDS_OF_TYPES.iter().any(|(_, keywords)| keywords.contains(&name));
            to.keywords.retain(|keyword, _| !is_of_type(keyword));
            to.add("anyOf", branches.into());
        }
    }
}

fn schema_of_kind(kind: &str, accepts_null: bool) -> Map<String, Json> {
    let mut keywords = Map::from_iter([("type".to_owned(), kind.into())]);
    if accepts_null {
        keywords.insert("nullable".to_owned(), true.into());
    }
    // An array needs this keyword in OpenAPI 3.0.
    if kind == "array" {
        keywords.insert("items".to_owned(), json!({}));
    }
    keywords
}

/// Returns those of the keywords that apply to values of one type.
fn keywords_of_kind<'k>(kind: &str, all: &'k Map<String, Json>) -> impl Iterator<Item = (String, Json)> + use<'k> {
    let row = KEYWORDS_OF_TYPES.iter().find(|(kinds, _)| kinds.contains(&kind));
    let keywords = row.map_or(&[][..], |(_, keywords)| keywords);
    let of_kind = all.iter().filter(move |(keyword, _)| keywords.contains(&keyword.as_str()));
    of_kind.map(|(keyword, value)| (keyword.clone(), value.clone()))
}

/// Makes the only other branch of an `anyOf` with null nullable, if that is exact. If the schema consists of it and of
/// annotations, it replaces the schema.
pub(super) fn merge_null(keywords: &mut Map<String, Json>) {
    let Some(Json::Array(branches)) = keywords.get_mut("anyOf") else { return };
    let null = null_schema();
    let Some(index) = branches.iter().position(|branch| *branch == null).filter(|_| branches.len() == 2) else {
        return;
    };
    let Some(Json::Object(other)) = branches.get_mut(1 - index) else { return };
    let is_simple = !["allOf", "anyOf", "oneOf", "not", "$ref"].iter().any(|keyword| other.contains_key(*keyword));
    if !is_simple || !other.contains_key("type") {
        return;
    }
    other.insert("nullable".to_owned(), true.into());
    if let Some(Json::Array(values)) = other.get_mut("enum")
        && !values.contains(&Json::Null)
    {
        values.push(Json::Null);
    }
    let mut merged = std::mem::take(other);
    branches.remove(index);
    let is_annotation = |keyword: &str| ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-");
    if keywords.keys().all(|keyword| keyword == "anyOf" || is_annotation(keyword)) {
        keywords.shift_remove("anyOf");
        merged.extend(std::mem::take(keywords));
        *keywords = merged;
    } else {
        keywords.insert("anyOf".to_owned(), json!([merged]));
    }
}
