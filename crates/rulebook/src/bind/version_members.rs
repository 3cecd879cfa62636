//! The members of objects in responses that a version does not have, although other versions have them.

use std::collections::HashSet;
use std::sync::Arc;

use rulebook_model::types::{Check, Structure};
use serde_json::Value as Json;

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
        self.lacks_new_members(&mut HashSet::new())
    }

    /// As [`VersionedType::lacks_members`], except in the schemas in `known`.
    fn lacks_new_members(&self, known: &mut HashSet<String>) -> bool {
        if let Structure::Schema(schema) = self.whole.structure()
            && !known.insert(schema.key().to_owned())
        {
            return false;
        }
        match self.parts() {
            Parts::None => false,
            Parts::Items(items) => items.lacks_new_members(known),
            Parts::Members(lacking, members) => {
                !lacking.is_empty() || members.iter().any(|(_, member)| member.lacks_new_members(known))
            }
            Parts::OneOf(types) => types.iter().any(|one| one.lacks_new_members(known)),
            Parts::ByTag(_, types) => types.iter().any(|(_, one)| one.lacks_new_members(known)),
        }
    }

    /// Removes the members that the version does not have from a value.
    pub(super) fn remove_members(&self, json: &mut Json) {
        match (self.parts(), json) {
            (Parts::Items(items), Json::Array(values)) => {
                values.iter_mut().for_each(|value| items.remove_members(value));
            }
            (Parts::Items(items), Json::Object(values)) => {
                values.values_mut().for_each(|value| items.remove_members(value));
            }
            (Parts::Members(lacking, members), Json::Object(values)) => {
                values.retain(|name, _| !lacking.contains(name));
                for (name, member) in &members {
                    values.get_mut(name).into_iter().for_each(|value| member.remove_members(value));
                }
            }
            (Parts::OneOf(types), json) => {
                let found = types.iter().find(|one| one.whole.checked(Value::from(&*json)).is_ok());
                found.into_iter().for_each(|one| one.remove_members(json));
            }
            (Parts::ByTag(tag, types), json) => {
                let found = types.iter().find(|(value, _)| json.get(&tag).is_some_and(|given| given == value.as_str()));
                found.into_iter().for_each(|(_, one)| one.remove_members(json));
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

/// Returns what the values of a type consist of that are not null. Values that not every version has are optional.
fn structure(check: &Arc<dyn Check>) -> Structure {
    match check.structure() {
        Structure::Schema(schema) => structure(&schema.check),
        Structure::Nullable(inner) => structure(&inner),
        structure => structure,
    }
}
