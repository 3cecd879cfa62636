//! Converts `const` and `enum`.

use serde_json::{Value as Json, json};

use super::{Converter, LossKind, Place, Type};

/// The maximum number of constants in a union.
const MAX_CONSTANTS: usize = 200;

impl Converter<'_> {
    /// Converts a list of constants: to an `enum` if they are texts, or else to a union.
    pub(super) fn constants(&mut self, constants: &[Json], place: &Place) -> Type {
        let mut different: Vec<&Json> = Vec::new();
        for constant in constants.iter().filter(|constant| !constant.is_null()) {
            if !different.contains(&constant) {
                different.push(constant);
            }
        }
        let is_nullable = constants.iter().any(Json::is_null);
        let converted = match different.as_slice() {
            [] => Type::new("null"),
            [Json::Array(_) | Json::Object(_)] => self.loose_constants(place),
            [only] => Type::new("const").with("value", (*only).clone()),
            several if several.iter().all(|constant| constant.is_string()) => {
                let words: Vec<Json> = several.iter().map(|constant| (*constant).clone()).collect();
                Type::new("enum").with("range", words)
            }
            several if several.len() > MAX_CONSTANTS => self.loose_constants(place),
            several if several.iter().any(|constant| constant.is_array() || constant.is_object()) => {
                self.loose_constants(place)
            }
            several => {
                let types = several.iter().map(|constant| json!({ "type": "const", "value": constant }));
                Type::new("union").with("of", types.collect::<Vec<_>>())
            }
        };
        Type { is_nullable, ..converted }
    }

    fn loose_constants(&mut self, place: &Place) -> Type {
        self.losses.add(LossKind::Keyword, place, "the constants are arrays or objects, or are too many");
        Type::new("any")
    }
}
