//! Compares the JSON Schemas of types of single values, such as `int(1,5)` and `mail`.

use std::cmp::Ordering;

use rulebook_model::Value;
use rulebook_model::types::Check;
use serde_json::{Map, Value as Json};

use crate::includes::{Inclusion, all, any};
use crate::strings::{Automata, includes_strings};

/// Compares two types that have the same notation, apart from `min` and `max`. Returns `None` if they have another one.
pub(crate) fn differ_only_in_bounds(wide: &dyn Check, narrow: &dyn Check) -> Option<Inclusion> {
    let [mut wide_expr, mut narrow_expr] = [wide.type_expr(), narrow.type_expr()];
    let mut bound = |name: &str| (wide_expr.attributes.remove(name), narrow_expr.attributes.remove(name));
    let (min, max) = (bound("min"), bound("max"));
    if wide_expr != narrow_expr || !wide.referenced_schemas().is_empty() {
        return None;
    }
    let is_within = |(wide_bound, narrow_bound): (Option<Json>, Option<Json>), outside: Ordering| match (
        wide_bound,
        narrow_bound,
    ) {
        (None, _) => Some(true),
        (Some(wide_bound), Some(narrow_bound)) if wide_bound == narrow_bound => Some(true),
        (Some(_), None) => Some(false),
        (Some(wide_bound), Some(narrow_bound)) => {
            let order = narrow.compare(&Value::from(&narrow_bound), &Value::from(&wide_bound))?;
            Some(order != outside)
        }
    };
    match (is_within(min, Ordering::Less), is_within(max, Ordering::Greater)) {
        (Some(true), Some(true)) => Some(Inclusion::Included),
        (Some(_), Some(_)) => Some(Inclusion::Unknown),
        _ => None,
    }
}

/// Returns whether the schema `wide` accepts every value of the schema `narrow`. Both have no references.
pub(crate) fn includes_single_values(automata: &mut Automata, wide: &Json, narrow: &Json) -> Inclusion {
    let (Some(wide), Some(narrow)) = (alternatives(wide), alternatives(narrow)) else { return Inclusion::Unknown };
    all(narrow.iter().map(|narrow| any(wide.iter().map(|wide| wide.includes(narrow, automata)))))
}

/// A part of a JSON Schema that accepts values of one kind.
#[derive(Debug)]
pub(crate) struct Alternative {
    pub(crate) kind: String,
    pub(crate) keywords: Map<String, Json>,
}

/// The keywords that describe values, and do not restrict them.
const ANNOTATIONS: [&str; 6] = ["description", "examples", "default", "title", "contentMediaType", "discriminator"];

const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// Splits a schema into one part for each kind of value. Returns `None` if the schema cannot be split.
pub(crate) fn alternatives(schema: &Json) -> Option<Vec<Alternative>> {
    let mut keywords = schema.as_object()?.clone();
    keywords.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
    let kinds: Vec<String> = match keywords.remove("type") {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().map(|kind| Some(kind.as_str()?.to_owned())).collect::<Option<_>>()?,
        _ => {
            let nested = keywords.remove("anyOf").or_else(|| keywords.remove("oneOf"));
            return match nested {
                Some(Json::Array(schemas)) if keywords.is_empty() => {
                    let nested: Option<Vec<_>> = schemas.iter().map(alternatives).collect();
                    Some(nested?.into_iter().flatten().collect())
                }
                Some(_) => None,
                None => alternatives_of_values(&keywords),
            };
        }
    };
    Some(kinds.into_iter().map(|kind| Alternative { kind, keywords: keywords.clone() }).collect())
}

/// Splits a schema without types: an `enum`, a `const`, or a schema whose keywords are for any value.
fn alternatives_of_values(keywords: &Map<String, Json>) -> Option<Vec<Alternative>> {
    let values = match (keywords.get("enum"), keywords.get("const")) {
        (Some(Json::Array(values)), None) => values.clone(),
        (None, Some(value)) => vec![value.clone()],
        (None, None) if keywords.is_empty() => {
            let any = KINDS.map(|kind| Alternative { kind: kind.to_owned(), keywords: Map::new() });
            return Some(any.into());
        }
        _ => return None,
    };
    let of_value = |value: Json| {
        let keywords = [("const".to_owned(), value.clone())].into_iter().collect();
        Alternative { kind: kind_of(&value).to_owned(), keywords }
    };
    Some(values.into_iter().map(of_value).collect())
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

impl Alternative {
    pub(crate) fn of_strings(keywords: Map<String, Json>) -> Self {
        Self { kind: "string".to_owned(), keywords }
    }

    fn includes(&self, narrow: &Self, automata: &mut Automata) -> Inclusion {
        let is_whole_number = self.kind == "number" && narrow.kind == "integer";
        let is_whole_value = |values: &[Json]| values.iter().all(|value| value.is_i64() || value.is_u64());
        let has_whole_values = self.kind == "integer"
            && narrow.kind == "number"
            && narrow.values().is_some_and(|values| is_whole_value(&values));
        if self.kind != narrow.kind && !is_whole_number && !has_whole_values {
            return Inclusion::Unknown;
        }
        if self.keywords.is_empty() || self.keywords == narrow.keywords {
            return Inclusion::Included;
        }
        match &*self.kind {
            "string" => includes_strings(automata, self, narrow),
            "number" | "integer" => self.includes_numbers(narrow),
            "boolean" | "null" => self.includes_listed_values(narrow).unwrap_or(Inclusion::Unknown),
            _ => Inclusion::Unknown,
        }
    }

    /// Returns the only values of the schema; `None` if they are not listed.
    pub(crate) fn values(&self) -> Option<Vec<Json>> {
        match (self.keywords.get("enum"), self.keywords.get("const")) {
            (Some(Json::Array(values)), _) => Some(values.clone()),
            (None, Some(value)) => Some(vec![value.clone()]),
            _ => None,
        }
    }

    /// Compares the lists of values, if the wide schema has only such a list.
    pub(crate) fn includes_listed_values(&self, narrow: &Self) -> Option<Inclusion> {
        let values = self.values().filter(|_| self.keywords.len() == 1)?;
        let narrow = narrow.values()?;
        let missing = narrow.into_iter().find(|value| !values.contains(value));
        Some(missing.map_or(Inclusion::Included, |value| Inclusion::Excluded(Some(Value::from(&value).into_owned()))))
    }

    fn includes_numbers(&self, narrow: &Self) -> Inclusion {
        if let Some(inclusion) = self.includes_listed_values(narrow) {
            return inclusion;
        }
        let known = ["minimum", "maximum", "format"];
        if self.keywords.keys().any(|keyword| !known.contains(&keyword.as_str())) {
            return Inclusion::Unknown;
        }
        let as_number = |json: &Json| json.as_number().cloned();
        let bound = |keywords: &Map<String, Json>, name: &str| keywords.get(name).and_then(as_number);
        // `compare` compares whole numbers exactly.
        let compare = |one: &serde_json::Number, other: &serde_json::Number| {
            let [one, other] = [one, other].map(|number| Json::Number(number.clone()));
            rulebook_model::types::compare_numbers(&Value::from(&one), &Value::from(&other))
        };
        let limits = |narrow_limit: Option<serde_json::Number>, limit: Option<serde_json::Number>, outside| match limit
        {
            None => true,
            Some(limit) => narrow_limit.is_some_and(|narrow| compare(&narrow, &limit).is_some_and(|it| it != outside)),
        };
        let values: Option<Vec<_>> = narrow.values().map(|values| values.iter().filter_map(as_number).collect());
        let is_included = |name: &str, outside: Ordering| match &values {
            Some(values) => {
                values.iter().all(|value| limits(Some(value.clone()), bound(&self.keywords, name), outside))
            }
            None => limits(bound(&narrow.keywords, name), bound(&self.keywords, name), outside),
        };
        match is_included("minimum", Ordering::Less) && is_included("maximum", Ordering::Greater) {
            true => Inclusion::Included,
            false => Inclusion::Unknown,
        }
    }
}
