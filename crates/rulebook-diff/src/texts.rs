//! Compares how types read texts: fields of the query and of forms, header fields and cookies contain texts only.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rulebook_model::Value;
use rulebook_model::types::{Check, Structure, TypeExpr};
use serde_json::Value as Json;

use crate::includes::{Comparison, address};
use crate::single_values::alternatives;

/// Returns `true` if two types make values of the same kinds of texts, also in the parts that both have. Otherwise, a
/// value of one type may be read as another one by the other type: 7 is a number for `int`, and a string for `string`.
pub(crate) fn reads_texts_alike(types: &mut Comparison, wide: &Arc<dyn Check>, narrow: &Arc<dyn Check>) -> bool {
    let mut compared = HashSet::new();
    let mut waiting = vec![(Arc::clone(wide), Arc::clone(narrow))];
    while let Some((wide, narrow)) = waiting.pop() {
        let (wide, narrow) = (types.without_schema(&wide), types.without_schema(&narrow));
        // Types can contain themselves, but a pair of types is compared once.
        if !compared.insert((address(&wide), address(&narrow))) {
            continue;
        }
        if !types.can_work(1) {
            return false;
        }
        match (wide.structure(), narrow.structure()) {
            (Structure::Nullable(inner), _) => waiting.push((inner, narrow)),
            (_, Structure::Nullable(inner)) => waiting.push((wide, inner)),
            _ if !are_alike(&*wide, &*narrow) => return false,
            (Structure::Array(wide_part), Structure::Array(narrow_part))
            | (Structure::Map(wide_part), Structure::Map(narrow_part)) => waiting.push((wide_part, narrow_part)),
            (Structure::Object(wide_shape), Structure::Object(narrow_shape)) => {
                let known: HashMap<_, _> = wide_shape.fields.iter().map(|it| (&it.name, &it.check)).collect();
                let common = narrow_shape.fields.iter().filter_map(|it| Some((*known.get(&it.name)?, &it.check)));
                waiting.extend(common.map(|(wide, narrow)| (Arc::clone(wide), Arc::clone(narrow))));
            }
            (Structure::TaggedUnion { branches, .. }, Structure::TaggedUnion { branches: narrow_branches, .. }) => {
                let known: HashMap<_, _> = branches.into_iter().collect();
                let common = narrow_branches.into_iter().filter_map(|(tag, it)| Some((known.get(&tag)?, it)));
                waiting.extend(common.map(|(wide, narrow)| (Arc::clone(wide), narrow)));
            }
            _ => {}
        }
    }
    true
}

/// Returns `true` if two types make values of the same kinds of texts, apart from their parts.
fn are_alike(wide: &dyn Check, narrow: &dyn Check) -> bool {
    let are_objects = matches!((wide.structure(), narrow.structure()), (Structure::Object(_), Structure::Object(_)));
    wide.arity() == narrow.arity()
        && reads_null(wide) == reads_null(narrow)
        // The notation and the schema of an object contain those of its members.
        && (are_objects
            || text_attributes(wide) == text_attributes(narrow) && kinds(&wide.schema()) == kinds(&narrow.schema()))
}

/// Returns `true` if a type reads the text `null` as null.
fn reads_null(check: &dyn Check) -> bool {
    check.decode("null".into()) == Value::Null
}

/// Returns the attributes of a type that say how it reads a text.
fn text_attributes(check: &dyn Check) -> [Option<Json>; 2] {
    let TypeExpr { attributes, .. } = check.type_expr();
    ["format", "separator"].map(|name| attributes.get(name).cloned())
}

/// Returns the kinds of the values that a schema accepts, such as `string`; `None` if they are not known.
fn kinds(schema: &Json) -> Option<Vec<String>> {
    if schema.get("$ref").is_some() {
        return Some(vec!["object".to_owned()]);
    }
    let mut kinds: Vec<String> = alternatives(schema)?.into_iter().map(|alternative| alternative.kind).collect();
    kinds.iter_mut().filter(|kind| *kind == "integer").for_each(|kind| "number".clone_into(kind));
    kinds.retain(|kind| kind != "null");
    kinds.sort_unstable();
    kinds.dedup();
    Some(kinds)
}
