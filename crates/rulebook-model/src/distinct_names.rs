//! Chooses the names of things in generated code and in documents.
//!
//! A name depends only on what it stands for, and never on its position: in a program that uses generated code, a name
//! must not come to mean something else when the definition changes.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

/// Returns a name for each thing. `things` are the names that each can have, the best one first. A thing has the first
/// of them that no other thing can have. If others can have all of them, it has the last one, which should therefore be
/// unlike all others, as that of [`candidates`] is.
///
/// From this follows:
/// - The order of the things has no influence.
/// - A name that a thing has is never the name of another thing while the first one exists.
/// - If a thing is added or removed, another thing keeps its name, unless the two can have a name in common. While both
///   exist, neither has that name.
///
/// Names are the same if `key` returns the same for them. A reserved name is a thing that can have only this name.
#[must_use]
pub fn distinct_names(things: impl IntoIterator<Item = Vec<String>>, key: impl Fn(&str) -> String) -> Vec<String> {
    let things: Vec<Vec<String>> = things.into_iter().collect();
    // The only thing that can have a name; `None` if there are several.
    let mut owners: HashMap<String, Option<usize>> = HashMap::new();
    for (thing, names) in things.iter().enumerate() {
        for name in names {
            let owner = owners.entry(key(name)).or_insert(Some(thing));
            *owner = owner.filter(|owner| *owner == thing);
        }
    }
    let is_free = |name: &String| owners[&key(name)].is_some();
    let name = |mut names: Vec<String>| {
        let index = names.iter().position(is_free).or(names.len().checked_sub(1));
        index.map_or_else(String::new, |index| names.swap_remove(index))
    };
    things.into_iter().map(name).collect()
}

/// Returns the names that a thing can have: `names` and, after them, the last one with a hash of `text`, which no other
/// thing with these names has.
#[must_use]
pub fn candidates(mut names: Vec<String>, separator: &str, text: &str) -> Vec<String> {
    names.extend(names.last().map(|last| with_hash(last, separator, text)));
    names
}

/// Returns a name with a hash of a text (FNV-1a), after a separator.
#[must_use]
pub fn with_hash(name: &str, separator: &str, text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}{separator}{hash:08x}", name.trim_end_matches('_'))
}

/// Returns a text for each type of a union, which it has wherever it is in the union: the constants in the required
/// members of its objects, such as `on true`, or else a hash. `types` are the JSON Schemas of the types, and a notation
/// that no other type has.
#[must_use]
pub fn texts_of_union(types: impl IntoIterator<Item = (Json, String)>) -> Vec<String> {
    let texts = types.into_iter().map(|(schema, notation)| {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
        let constant = |name: &str| {
            let constant = schema["properties"][name].get("const")?;
            Some(format!("{name} {}", constant.as_str().map_or_else(|| constant.to_string(), str::to_owned)))
        };
        let constants = required.filter_map(constant).collect::<Vec<_>>().join(" ");
        let constants = (!constants.is_empty()).then_some(constants);
        constants.into_iter().chain([with_hash("", "", &notation)]).collect()
    });
    distinct_names(texts, str::to_owned)
}

/// A type without a name in the definition, or a part of one: the name after its place, and the place itself.
#[derive(Debug, Clone)]
pub struct PlaceName {
    /// The shortest name.
    pub short: String,
    /// The place in the definition, one line for each part.
    pub place: String,
}

impl PlaceName {
    /// Names what is at the top of a place.
    pub fn new(short: impl Into<String>, place: impl Into<String>) -> Self {
        Self { short: short.into(), place: place.into() }
    }

    /// Names a part, whose text in the definition is `text`.
    #[must_use]
    pub fn part(&self, short: &str, text: &str) -> Self {
        Self { short: format!("{}{short}", self.short), place: format!("{}\n{text}", self.place) }
    }
}

/// The names in a scope of generated code. The code is generated twice: the first time, to find all things that need
/// a name.
#[derive(Debug, Default)]
pub struct ScopeNames {
    /// The names that each thing can have, by its place.
    things: BTreeMap<String, Vec<String>>,
    chosen: HashMap<String, String>,
}

impl ScopeNames {
    /// Returns the name of the thing at a place: the chosen one or, before names are chosen, the first of `names`,
    /// which are those that it can have.
    pub fn name(&mut self, place: &str, names: Vec<String>) -> String {
        let name = self.chosen.get(place).or(names.first()).cloned().unwrap_or_default();
        self.things.insert(place.to_owned(), names);
        name
    }

    /// Chooses the names of all things whose names have been asked for.
    #[must_use]
    pub fn choose(self) -> Self {
        let (places, things): (Vec<_>, Vec<_>) = self.things.into_iter().unzip();
        let names = distinct_names(things, str::to_owned);
        Self { things: BTreeMap::new(), chosen: places.into_iter().zip(names).collect() }
    }
}

/// Returns `true` if a word is in a list of words, which spaces separate.
#[cfg(feature = "documents")]
pub(crate) fn is_one_of(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn lower(name: &str) -> String {
        name.to_ascii_lowercase()
    }

    fn things(things: &[&[&str]]) -> Vec<Vec<String>> {
        things.iter().map(|names| names.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    #[test]
    fn things_have_the_first_name_that_no_other_thing_can_have() {
        for (names, expected) in [
            (&[&["id", "a.id"][..], &["page", "a.page"]][..], &["id", "page"][..]),
            (&[&["id", "a.id"], &["Id", "b.id"]], &["a.id", "b.id"]),
            (&[&["id", "a.id"], &["ID"]], &["a.id", "ID"]),
            (&[&["x", "a.x"], &["x", "a.x", "a.x.1"], &["a.x", "c"]], &["a.x", "a.x.1", "c"]),
            // A thing can have the same name twice.
            (&[&["a", "A", "b"], &["c"]], &["a", "c"]),
        ] {
            assert_eq!(distinct_names(things(names), lower), expected, "{names:?}");
        }
        assert_eq!(with_hash("a.b", ".", "a.b"), "a.b.108bf50c");
        assert_eq!(with_hash("class_", "_", "class"), "class_ab3e0bff");
    }

    #[test]
    fn types_of_a_union_are_distinguished_by_their_constants() {
        let object = |value: Json, info: &str| {
            let members = json!({ "on": { "const": value, "description": info }, "x": { "const": 1 } });
            json!({ "properties": members, "required": ["on"] })
        };
        let texts = |types: &[Json]| texts_of_union(types.iter().map(|one| (one.clone(), one.to_string())));
        let (yes, no, other) = (object(json!(true), "I"), object(json!("no"), "I"), object(json!("no"), "J"));
        assert_eq!(texts(&[yes.clone(), no.clone()]), ["on true", "on no"]);
        let hash = |one: &Json| with_hash("", "", &one.to_string());
        let list = json!({ "type": "array" });
        let expected = [hash(&no), "on true".to_owned(), hash(&other), hash(&list)];
        assert_eq!(texts(&[no, yes, other, list]), expected);
    }

    #[test]
    fn names_in_a_scope_are_chosen_when_all_things_are_known() {
        let write = |mut names: ScopeNames| {
            let both = ["x.y", "x_y"].map(|text| names.name(text, candidates(vec!["x_y".into()], "_", text)));
            (both, names)
        };
        let (first, names) = write(ScopeNames::default());
        assert_eq!(first, ["x_y", "x_y"]);
        assert_eq!(write(names.choose()).0, ["x.y", "x_y"].map(|text| with_hash("x_y", "_", text)));
    }

    /// Returns things of few different names. The last name of each is its own.
    fn random_things() -> impl Strategy<Value = Vec<Vec<String>>> {
        prop::collection::hash_set("[ab]{1,3}", 1..7).prop_flat_map(|texts| {
            let names = prop::collection::vec("[abAB]{1,2}", 1..4);
            let thing = move |text: String| {
                let identity = with_hash("", "", &text);
                names.clone().prop_map(move |names| names.into_iter().chain([identity.clone()]).collect::<Vec<_>>())
            };
            texts.into_iter().map(thing).collect::<Vec<_>>()
        })
    }

    proptest! {
        #[test]
        fn names_do_not_depend_on_positions_and_never_move(
            (all, order, kept) in random_things().prop_flat_map(|all| {
                let indexes: Vec<usize> = (0..all.len()).collect();
                let kept = prop::sample::subsequence(indexes.clone(), 0..=all.len());
                (Just(all), Just(indexes).prop_shuffle(), kept)
            })
        ) {
            let names = distinct_names(all.clone(), lower);
            let different: HashSet<String> = names.iter().map(|name| lower(name)).collect();
            prop_assert_eq!(different.len(), all.len(), "{:?}", names);
            let pick = |indexes: &[usize]| indexes.iter().map(|index| all[*index].clone()).collect::<Vec<_>>();
            let shuffled = distinct_names(pick(&order), lower);
            prop_assert!(order.iter().zip(&shuffled).all(|(index, name)| names[*index] == *name));
            let can_have = |thing: usize, name: &str| all[thing].iter().any(|other| lower(other) == lower(name));
            for (thing, name) in kept.iter().zip(distinct_names(pick(&kept), lower)) {
                let owner = names.iter().position(|other| lower(other) == lower(&name));
                prop_assert!(owner.is_none_or(|owner| owner == *thing), "{} moved", name);
                // A removed thing could have had the name that is free now.
                let is_freed = (0..all.len()).any(|other| !kept.contains(&other) && can_have(other, &name));
                prop_assert!(names[*thing] == name || is_freed, "{} was {}", name, names[*thing]);
            }
        }
    }
}
