//! Converts `const` and `enum`.

use indexmap::IndexSet;
use serde_json::{Value as Json, json};

use super::kinds::{Values, allows_null, is_of_type};
use super::scalars::is_of_format;
use super::{Converter, LossKind, Place, Type, short, type_names};

/// The maximum number of constants in a union.
const MAX_CONSTANTS: usize = 200;

impl Converter<'_> {
    /// Converts a schema with a list of constants: to an `enum` if they are texts, or else to a union.
    pub(super) fn constants(&mut self, schema: &Json, constants: &[Json], place: &Place) -> Type {
        let typed = typed_constants(schema, constants);
        for (index, (constant, typed)) in constants.iter().zip(&typed).enumerate() {
            let place = if schema.get("const").is_some() { place.clone() } else { place.item(index) };
            match typed {
                Some(typed) if typed != constant => {
                    let message = format!("`{}` becomes `{}`, which `type` allows", short(constant), short(typed));
                    self.losses.widen(LossKind::KEYWORD, &place, message);
                }
                None => self.losses.add(LossKind::KEYWORD, &place, "`type` excludes the constant: it is omitted"),
                Some(_) => {}
            }
        }
        let constants: &[Json] = &typed.into_iter().flatten().collect::<Vec<_>>();
        let different: IndexSet<&Json> = constants.iter().filter(|constant| !constant.is_null()).collect();
        let values = Values::of_constants(constants);
        self.read_type_of(schema, &values);
        if constants.iter().all(|constant| is_of_format(constant, schema)) {
            self.document.read(schema, "format");
        }
        let is_nullable = constants.iter().any(Json::is_null);
        if is_nullable && !allows_null(schema) {
            self.losses.widen(LossKind::KEYWORD, place, "null is accepted, although `type` excludes it");
        }
        if constants.is_empty() {
            self.losses.widen(LossKind::KEYWORD, place, "no value is valid: null is accepted");
        }
        let converted = match different.into_iter().collect::<Vec<_>>().as_slice() {
            [] => Type::new("null"),
            [Json::Array(items)] if items.is_empty() => Type::new("array<any>").with("max", 0),
            [Json::Object(members)] if members.is_empty() => Type::new("object").with("max", 0),
            [only] if !only.is_array() && !only.is_object() => Type::new("const").with("value", (*only).clone()),
            several if several.iter().all(|constant| constant.is_string()) => {
                let words: Vec<Json> = several.iter().map(|constant| (*constant).clone()).collect();
                Type::new("enum").with("range", words)
            }
            several
                if several.len() <= MAX_CONSTANTS
                    && !several.iter().any(|constant| constant.is_array() || constant.is_object()) =>
            {
                let types = several.iter().map(|constant| json!({ "type": "const", "value": constant }));
                Type::new("union").with("of", types.collect::<Vec<_>>())
            }
            _ => {
                self.losses.widen(LossKind::KEYWORD, place, "the constants are arrays or objects, or are too many");
                Self::join(values.loose_types())
            }
        };
        Type { is_nullable, ..converted }
    }

    /// Reads the keyword `type` of a schema that can only have these values, unless the keyword excludes some.
    pub(super) fn read_type_of(&self, schema: &Json, values: &Values) {
        let mut allowed = Values { is_whole: true, ..Values::default() };
        type_names(schema).into_iter().for_each(|name| allowed.add_type(name));
        let are_kinds_allowed =
            values.kinds.iter().zip(allowed.kinds).all(|(is_possible, is_allowed)| !is_possible || is_allowed);
        let has_fractions = values.kinds[1] && !values.is_whole;
        if are_kinds_allowed && !(has_fractions && allowed.is_whole) {
            self.document.read_whole(schema, "type");
        }
    }
}

/// Returns each constant, or `None` for one that the keyword `type` of the schema excludes. A constant that is written
/// as a value of another kind, such as 1 instead of "1" in YAML, becomes a value that the type allows. If the type
/// excludes every constant, it excludes none here, so that the type is reported instead.
pub(super) fn typed_constants(schema: &Json, constants: &[Json]) -> Vec<Option<Json>> {
    let names = type_names(schema);
    let is_allowed =
        |constant: &Json| constant.is_null() || names.is_empty() || names.iter().any(|name| is_of_type(constant, name));
    let typed = |constant: &Json| match constant {
        constant if is_allowed(constant) => Some(constant.clone()),
        Json::String(text) => {
            serde_json::from_str(text).ok().filter(|value: &Json| !value.is_null() && is_allowed(value))
        }
        Json::Bool(_) | Json::Number(_) => Some(Json::String(constant.to_string())).filter(is_allowed),
        _ => None,
    };
    let typed: Vec<_> = constants.iter().map(typed).collect();
    let is_possible = typed.iter().flatten().any(|constant| !constant.is_null()) || constants.contains(&Json::Null);
    if is_possible { typed } else { constants.iter().cloned().map(Some).collect() }
}
