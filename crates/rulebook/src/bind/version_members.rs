//! The members of objects that a version does not have, although other versions have them.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::types::{Check, Structure};

use crate::call::Value;

/// The type of a value in all versions, and in one of them. Both differ only in the members of objects.
#[derive(Clone)]
pub(super) struct VersionedType {
    pub(super) whole: Arc<dyn Check>,
    pub(super) version: Arc<dyn Check>,
}

/// The parts of a versioned type.
enum Parts {
    None,
    /// The type of all items of an array, or of all members of a map.
    Items(VersionedType),
    /// The members: the names of those that the version does not have, and the others.
    Members(Vec<String>, Vec<(String, VersionedType)>),
    /// The types of which a value has one.
    OneOf(Vec<VersionedType>),
    /// The types of objects, by the value of the member with this name.
    ByTag(String, Vec<(String, VersionedType)>),
}

impl VersionedType {
    /// Returns `true` if the version lacks members of objects.
    pub(super) fn lacks_members(&self) -> bool {
        let (mut known, mut waiting) = (HashSet::new(), vec![self.clone()]);
        while let Some(one) = waiting.pop() {
            // Schemas can contain themselves.
            if schema_key(&one.whole).is_some_and(|key| !known.insert(key)) {
                continue;
            }
            match one.parts() {
                Parts::None => {}
                Parts::Items(items) => waiting.push(items),
                Parts::Members(lacking, _) if !lacking.is_empty() => return true,
                Parts::Members(_, members) | Parts::ByTag(_, members) => {
                    waiting.extend(members.into_iter().map(|(_, member)| member));
                }
                Parts::OneOf(types) => waiting.extend(types),
            }
        }
        false
    }

    /// Removes the members that the version does not have from a value that `check` of the type has accepted.
    pub(super) fn remove_members(&self, value: &mut Value<'_>, check: fn(&Self) -> &dyn Check) {
        match (self.parts(), value) {
            (Parts::Items(items), Value::List(values)) => {
                values.iter_mut().for_each(|value| items.remove_members(value, check));
            }
            (Parts::Items(items), Value::Map(values)) => {
                values.iter_mut().for_each(|(_, value)| items.remove_members(value, check));
            }
            (Parts::Members(lacking, members), Value::Map(values)) => {
                values.retain(|(name, _)| !lacking.iter().any(|lacking| lacking == name));
                for (name, value) in values {
                    let member = members.iter().find(|(known, _)| known == name);
                    member.into_iter().for_each(|(_, member)| member.remove_members(value, check));
                }
            }
            (Parts::OneOf(types), value) => {
                let found = types.iter().find(|one| check(one).checked(value.reborrow()).is_ok());
                found.into_iter().for_each(|one| one.remove_members(value, check));
            }
            (Parts::ByTag(tag, types), value) => {
                let is_it =
                    |members: &[(_, _)], name: &str| members.contains(&(tag.as_str().into(), Value::from(name)));
                let found = types.iter().find(|(name, _)| matches!(&*value, Value::Map(list) if is_it(list, name)));
                found.into_iter().for_each(|(_, one)| one.remove_members(value, check));
            }
            _ => {}
        }
    }

    fn parts(&self) -> Parts {
        match (structure(&self.whole), structure(&self.version)) {
            (Structure::Array(whole), Structure::Array(version)) | (Structure::Map(whole), Structure::Map(version)) => {
                Parts::Items(Self { whole, version })
            }
            (Structure::Object(whole), Structure::Object(version)) => {
                let (mut lacking, mut members) = (Vec::new(), Vec::new());
                for field in whole.fields {
                    match version.fields.iter().find(|known| known.name == field.name) {
                        None => lacking.push(field.name),
                        Some(known) => {
                            let version = Arc::clone(&known.check);
                            members.push((field.name, Self { whole: field.check, version }));
                        }
                    }
                }
                Parts::Members(lacking, members)
            }
            (Structure::Union(whole), Structure::Union(version)) => {
                let pairs = whole.into_iter().zip(version);
                Parts::OneOf(pairs.map(|(whole, version)| Self { whole, version }).collect())
            }
            (Structure::TaggedUnion { tag, branches }, Structure::TaggedUnion { branches: version, .. }) => {
                let pairs = branches.into_iter().zip(version);
                let pairs = pairs.map(|((value, whole), (_, version))| (value, Self { whole, version }));
                Parts::ByTag(tag, pairs.collect())
            }
            _ => Parts::None,
        }
    }
}

/// Returns the key of the schema to which a type refers, perhaps with null.
fn schema_key(check: &Arc<dyn Check>) -> Option<String> {
    match check.structure() {
        Structure::Schema(schema) => Some(schema.key().to_owned()),
        Structure::Nullable(inner) => schema_key(&inner),
        _ => None,
    }
}

/// Returns what the values of a type consist of that are not null. Values that not every version has are optional.
fn structure(check: &Arc<dyn Check>) -> Structure {
    match check.structure() {
        Structure::Schema(schema) => structure(&schema.check),
        Structure::Nullable(inner) => structure(&inner),
        structure => structure,
    }
}
