//! Compares how types read texts: fields of the query and of forms, header fields and cookies contain texts only.

use std::collections::HashSet;

use rulebook_model::Value;
use rulebook_model::types::{Check, Structure, TypeExpr};
use serde_json::Value as Json;

use crate::single_values::alternatives;

/// The pairs of schemas that are compared already.
type Compared = HashSet<(String, String)>;

/// Returns `true` if two types make values of the same kinds of texts, also in the parts that both have. Otherwise, a
/// value of one type may be read as another one by the other type: 7 is a number for `int`, and a string for `string`.
pub(crate) fn reads_texts_alike(wide: &dyn Check, narrow: &dyn Check) -> bool {
    are_alike(wide, narrow, &mut Compared::new())
}

fn are_alike(wide: &dyn Check, narrow: &dyn Check, compared: &mut Compared) -> bool {
    let parts_are_alike = match (wide.structure(), narrow.structure()) {
        (Structure::Schema(wide_schema), Structure::Schema(narrow_schema)) => {
            let pair = (wide_schema.key().to_owned(), narrow_schema.key().to_owned());
            return !compared.insert(pair) || are_alike(&*wide_schema.check, &*narrow_schema.check, compared);
        }
        (Structure::Schema(schema), _) => return are_alike(&*schema.check, narrow, compared),
        (_, Structure::Schema(schema)) => return are_alike(wide, &*schema.check, compared),
        (Structure::Nullable(inner), _) => return are_alike(&*inner, narrow, compared),
        (_, Structure::Nullable(inner)) => return are_alike(wide, &*inner, compared),
        (Structure::Array(wide_part), Structure::Array(narrow_part))
        | (Structure::Map(wide_part), Structure::Map(narrow_part)) => are_alike(&*wide_part, &*narrow_part, compared),
        (Structure::Object(wide_shape), Structure::Object(narrow_shape)) => narrow_shape.fields.iter().all(|field| {
            let known = wide_shape.fields.iter().find(|known| known.name == field.name);
            known.is_none_or(|known| are_alike(&*known.check, &*field.check, compared))
        }),
        (Structure::TaggedUnion { branches, .. }, Structure::TaggedUnion { branches: narrow_branches, .. }) => {
            narrow_branches.iter().all(|(tag, branch)| {
                let known = branches.iter().find(|(known, _)| known == tag);
                known.is_none_or(|(_, known)| are_alike(&**known, &**branch, compared))
            })
        }
        _ => true,
    };
    parts_are_alike
        && wide.arity() == narrow.arity()
        && text_attributes(wide) == text_attributes(narrow)
        && reads_null(wide) == reads_null(narrow)
        && kinds(&wide.schema()) == kinds(&narrow.schema())
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
