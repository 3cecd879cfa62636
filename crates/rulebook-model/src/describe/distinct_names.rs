//! Chooses names of an OpenAPI document that stay distinct in the code that generators write for it. Generators remove
//! the signs from names and change their case, so that `iapi.NoRoom` and `iapi.no_room` are the same name to them.
//!
//! A name depends only on what it stands for, and never on its position: in a program that uses generated code, a name
//! must not come to mean something else when a method is added to the definition.

use std::collections::{HashMap, HashSet};

/// The names that a thing can have, from the shortest one.
#[derive(Debug, Clone)]
pub(super) struct NameCandidates {
    names: Vec<String>,
    /// A text that distinguishes the thing from others with the same names.
    identity: String,
}

impl NameCandidates {
    /// `names` must contain a name. If other things have all of these names too, a hash of `identity` becomes a part of
    /// the name.
    pub(super) fn new(names: Vec<String>, identity: impl Into<String>) -> Self {
        Self { names, identity: identity.into() }
    }

    fn at(&self, level: usize, index: usize) -> String {
        let last = self.names.last().map(String::as_str).unwrap_or_default();
        match level.checked_sub(self.names.len()) {
            None => self.names[level].clone(),
            Some(0) => with_hash(last, &self.identity),
            // Equal things have no other difference.
            Some(_) => format!("{}.{index}", with_hash(last, &self.identity)),
        }
    }

    fn last_level(&self) -> usize {
        self.names.len() + 1
    }
}

/// Returns a name for each thing: the first of its names that neither another thing nor a name in `reserved` is the
/// same as. `reserved` contains the results of [`folded`].
pub(super) fn distinct_names(things: &[NameCandidates], reserved: &HashSet<String>) -> Vec<String> {
    let mut levels = vec![0; things.len()];
    let mut names: Vec<String> = things.iter().enumerate().map(|(index, thing)| thing.at(0, index)).collect();
    loop {
        let keys: Vec<String> = names.iter().map(|name| folded(name)).collect();
        let mut sharing: HashMap<&str, Vec<usize>> = HashMap::new();
        keys.iter().enumerate().for_each(|(index, key)| sharing.entry(key).or_default().push(index));
        let has_next_name = |index: &usize| levels[*index] + 1 < things[*index].names.len();
        let mut changed = Vec::new();
        for (key, indexes) in sharing {
            let is_reserved = reserved.contains(key);
            if indexes.len() == 1 && !is_reserved {
                continue;
            }
            // A thing without another name keeps its name if all others have one. This does not depend on the order.
            let last = indexes.iter().filter(|index| !has_next_name(index)).count();
            let keeps_name = |index: &usize| last == 1 && !is_reserved && !has_next_name(index);
            let can_change = |index: &usize| levels[*index] < things[*index].last_level();
            changed.extend(indexes.into_iter().filter(|index| !keeps_name(index)).filter(can_change));
        }
        if changed.is_empty() {
            return names;
        }
        for index in changed {
            levels[index] += 1;
            names[index] = things[index].at(levels[index], index);
        }
    }
}

/// Returns what a generator can keep of a name: its letters and digits, in lower case.
pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

/// Returns a name with a hash of a text (FNV-1a).
pub(super) fn with_hash(name: &str, text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{name}.{hash:08x}")
}

/// Converts a text to a name of a component or an operation. Such a name can contain ASCII letters, digits, `.`, `-`
/// and `_` (OpenAPI 3.1.1 section 4.8.7). Braces are removed, and other letters become their code points, such as
/// `u4e2d`.
pub(super) fn to_component_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !matches!(char, '{' | '}')) {
        match char {
            char if char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_') => name.push(char),
            char if char.is_alphanumeric() => name.push_str(&format!("u{:x}", u32::from(char))),
            _ => name.push('_'),
        }
    }
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(things: &[&[&str]], reserved: &[&str]) -> Vec<String> {
        let thing = |names: &&[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            NameCandidates::new(names.clone(), names.concat())
        };
        let things: Vec<_> = things.iter().map(thing).collect();
        distinct_names(&things, &reserved.iter().map(|name| folded(name)).collect())
    }

    #[test]
    fn names_that_a_generator_could_not_distinguish_become_longer() {
        for (things, reserved, expected) in [
            (&[&["id", "a.id"][..], &["page", "a.page"]][..], &[][..], &["id", "page"][..]),
            (&[&["id", "a.id"], &["Id", "b.id"]], &[], &["a.id", "b.id"]),
            (&[&["id", "a.id"], &["ID"]], &[], &["a.id", "ID"]),
            (&[&["id", "a.id"], &["page"]], &["ID"], &["a.id", "page"]),
            // The second name of one thing is the first name of another.
            (&[&["x", "a.x"], &["x", "b.x"], &["a_x", "c"]], &[], &["a.x", "b.x", "c"]),
            (&[&["a.b"], &["a_b"], &["ab2"]], &[], &["a.b.108bf50c", "a_b.1ba46871", "ab2"]),
        ] {
            assert_eq!(names(things, reserved), expected, "{things:?}");
        }
    }

    #[test]
    fn names_do_not_depend_on_the_order_of_things() {
        let things: &[&[&str]] = &[&["id", "a.id"], &["ID", "a_id"], &["page"], &["pa.ge", "b.page"], &["a.id"]];
        let mut reversed = things.to_vec();
        reversed.reverse();
        let mut of_reversed = names(&reversed, &["page"]);
        of_reversed.reverse();
        let of_things = names(things, &["page"]);
        assert_eq!(of_things, of_reversed);
        let keys: HashSet<String> = of_things.iter().map(|name| folded(name)).collect();
        assert_eq!(keys.len(), things.len(), "{of_things:?}");
    }

    #[test]
    fn texts_become_names_of_components() {
        for (text, name) in [("a.{id}.get", "a.id.get"), ("a$1%", "a_1_"), ("", "_"), ("中é", "u4e2due9")] {
            assert_eq!(to_component_name(text), name);
        }
    }
}
