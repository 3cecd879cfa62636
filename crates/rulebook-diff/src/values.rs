//! Makes values of types, which show what another type does not accept.

use std::borrow::Cow;

use rulebook_model::Value;
use rulebook_model::types::{Check, NamedSchema, is_shallow};

use crate::includes::Inclusion;

/// Valid values of a type.
#[derive(Default)]
pub(crate) struct Samples {
    /// A typical value.
    pub(crate) example: Option<Value<'static>>,
    /// Values at the limits of the type.
    pub(crate) boundary_values: Vec<Value<'static>>,
    /// The number of values at all levels of nesting, each multiplied by its level: a measure of the time that the
    /// generation of the samples has taken.
    pub(crate) work: usize,
}

impl Samples {
    pub(crate) fn of(check: &dyn Check) -> Self {
        Self::new(check.example(), check.boundary_values())
    }

    pub(crate) fn of_schema(schema: &NamedSchema) -> Self {
        Self::new(schema.example_value(), schema.boundary_values().to_vec())
    }

    fn new(example: Option<Value<'static>>, boundary_values: Vec<Value<'static>>) -> Self {
        let work = example.iter().chain(&boundary_values).map(|value| work_of(value, 1)).sum();
        Self { example, boundary_values, work }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Value<'static>> {
        self.example.iter().chain(&self.boundary_values)
    }
}

fn work_of(value: &Value<'_>, level: usize) -> usize {
    level
        + match value {
            Value::List(items) => items.iter().map(|item| work_of(item, level + 1)).sum::<usize>(),
            Value::Map(members) => members.iter().map(|(_, member)| work_of(member, level + 1)).sum(),
            _ => 0,
        }
}

/// Returns the first value that `change` makes of a sample and that the type accepts.
fn first_valid(
    check: &dyn Check,
    samples: &Samples,
    change: impl Fn(Value<'static>) -> Option<Value<'static>>,
) -> Option<Value<'static>> {
    samples.all().cloned().filter_map(change).find(|value| is_valid(check, value))
}

/// Returns `true` if a type accepts a value that requests can contain.
fn is_valid(check: &dyn Check, value: &Value<'static>) -> bool {
    is_shallow(value) && check.checked(value.clone()).is_ok()
}

/// Returns a list of the type with this item.
pub(crate) fn list_with(list: &dyn Check, samples: &Samples, item: &Value<'static>) -> Option<Value<'static>> {
    let single = Value::List(vec![item.clone()]);
    if is_valid(list, &single) {
        return Some(single);
    }
    first_valid(list, samples, |sample| match sample {
        Value::List(mut items) if !items.is_empty() => {
            items[0] = item.clone();
            Some(Value::List(items))
        }
        _ => None,
    })
}

/// The maximum length of a list that is made as an example.
const MAX_LIST_LENGTH: u64 = 1000;

/// Returns a list of the narrow type that has one item more than the wide type allows.
pub(crate) fn longer_list(wide: &dyn Check, narrow: &dyn Check, samples: &Samples) -> Option<Value<'static>> {
    let length = wide.schema().get("maxItems")?.as_u64().filter(|length| *length < MAX_LIST_LENGTH)? + 1;
    first_valid(narrow, samples, |sample| match sample {
        Value::List(items) => {
            Some(Value::List(items.into_iter().cycle().take(usize::try_from(length).ok()?).collect()))
        }
        _ => None,
    })
}

/// Returns an object of the type with this member. Without a name, it is the first member of a map.
pub(crate) fn object_with(
    object: &dyn Check,
    samples: &Samples,
    name: Option<&str>,
    value: &Value<'static>,
) -> Option<Value<'static>> {
    first_valid(object, samples, |sample| match sample {
        Value::Map(mut members) => {
            // The name of a member of a map can have a pattern, which the names of the example match.
            let known = members.first().map(|(name, _)| name.to_string());
            let name = name.map(str::to_owned).or(known).unwrap_or_else(|| "unlisted".to_owned());
            members.retain(|(known, _)| *known != name);
            members.push((Cow::Owned(name), value.clone()));
            Some(Value::Map(members))
        }
        _ => None,
    })
}

/// Returns an object of the type without this member.
pub(crate) fn object_without(object: &dyn Check, samples: &Samples, name: &str) -> Option<Value<'static>> {
    first_valid(object, samples, |sample| match sample {
        Value::Map(mut members) => {
            members.retain(|(known, _)| known != name);
            Some(Value::Map(members))
        }
        _ => None,
    })
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
