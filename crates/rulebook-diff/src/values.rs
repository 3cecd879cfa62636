//! Makes values of types, which show what another type does not accept.

use std::borrow::Cow;

use rulebook_model::Value;
use rulebook_model::types::{Check, Structure};

use crate::includes::Inclusion;

/// Returns valid values of a type, beginning with the typical one.
pub(crate) fn samples(check: &dyn Check) -> impl Iterator<Item = Value<'static>> {
    check.example().into_iter().chain(check.boundary_values())
}

/// Returns a list of the type with this item.
pub(crate) fn list_with(list: &dyn Check, item: &Value<'static>) -> Option<Value<'static>> {
    let mut lists = samples(list).filter_map(|sample| match sample {
        Value::List(mut items) if !items.is_empty() => {
            items[0] = item.clone();
            Some(Value::List(items))
        }
        _ => None,
    });
    let single = Value::List(vec![item.clone()]);
    let is_valid = |value: &Value<'static>| list.checked(value.clone()).is_ok();
    Some(single).filter(is_valid).or_else(|| lists.find(is_valid))
}

/// The maximum length of a list that is made as an example.
const MAX_LIST_LENGTH: u64 = 1000;

/// Returns a list of the narrow type that has one item more than the wide type allows.
pub(crate) fn longer_list(wide: &dyn Check, narrow: &dyn Check) -> Option<Value<'static>> {
    let length = wide.schema().get("maxItems")?.as_u64().filter(|length| *length < MAX_LIST_LENGTH)? + 1;
    let mut lists = samples(narrow).filter_map(|sample| match sample {
        Value::List(items) => {
            Some(Value::List(items.into_iter().cycle().take(usize::try_from(length).ok()?).collect()))
        }
        _ => None,
    });
    lists.find(|list| narrow.checked(list.clone()).is_ok())
}

/// Returns an object of the type with this member. Without a name, the member has a name that the type does not list.
pub(crate) fn object_with(object: &dyn Check, name: Option<&str>, value: &Value<'static>) -> Option<Value<'static>> {
    let objects = samples(object).filter_map(|sample| match sample {
        Value::Map(mut members) => {
            // The name of a member of a map can have a pattern, which the names of the example match.
            let known = members.first().map(|(name, _)| name.to_string());
            let is_map = matches!(object.structure(), Structure::Map(_));
            let name = name.map(str::to_owned).or(known.filter(|_| is_map)).unwrap_or_else(|| "unlisted".to_owned());
            members.retain(|(known, _)| *known != name);
            members.push((Cow::Owned(name), value.clone()));
            Some(Value::Map(members))
        }
        _ => None,
    });
    objects.into_iter().find(|value| object.checked(value.clone()).is_ok())
}

/// Returns an object of the type without this member.
pub(crate) fn object_without(object: &dyn Check, name: &str) -> Option<Value<'static>> {
    let mut objects = samples(object).filter_map(|sample| match sample {
        Value::Map(mut members) => {
            members.retain(|(known, _)| known != name);
            Some(Value::Map(members))
        }
        _ => None,
    });
    objects.find(|value| object.checked(value.clone()).is_ok())
}

/// Adds the tag of a union to a value of one of its branches.
pub(crate) fn with_member(inclusion: Inclusion, tag: &str, value: &str) -> Inclusion {
    match inclusion {
        Inclusion::Excluded(Some(Value::Map(mut members))) => {
            members.retain(|(name, _)| name != tag);
            members.push((Cow::Owned(tag.to_owned()), Value::Text(Cow::Owned(value.to_owned()))));
            Inclusion::Excluded(Some(Value::Map(members)))
        }
        other => other,
    }
}
