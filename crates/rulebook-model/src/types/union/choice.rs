//! How the type of a value is found in a union without a tag.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::call::{TypeMismatch, Value};
use crate::types::constant::constant_text;
use crate::types::number::normalized_number;
use crate::types::{Check, ObjectField, SCHEMA_REFERENCE_PREFIX, Structure};

/// How a branch is chosen for a value.
#[derive(Debug)]
pub(super) struct Choice {
    /// For each [kind](kind_index), the indexes of the branches that accept values of this kind. Several branches of a
    /// kind are limited to different constants, except for objects.
    pub(super) by_kind: [Vec<usize>; 6],
    /// The member of objects that says of which branch an object is; `None` if at most one branch accepts objects.
    pub(super) member: Option<ChoiceMember>,
}

/// A required member that all branches of objects have, each with other constants.
#[derive(Debug)]
pub(super) struct ChoiceMember {
    pub(super) name: String,
    /// The index of the branch for each constant that is a text.
    texts: HashMap<String, usize>,
    /// The other constants, each with the index of its branch.
    others: Vec<(Value<'static>, usize)>,
    /// The check of the member in each branch, and the index of the branch.
    checks: Vec<(Arc<dyn Check>, usize)>,
}

impl ChoiceMember {
    /// Returns the value of the member in an object. If the name occurs twice, the last member with this name is used.
    pub(super) fn value_in<'v, 'a>(&self, members: &'v [(Cow<'_, str>, Value<'a>)]) -> Option<&'v Value<'a>> {
        members.iter().rev().find(|(name, _)| **name == *self.name).map(|(_, value)| value)
    }

    fn branch(&self, value: &Value<'_>) -> Option<&usize> {
        match value {
            Value::Text(text) => self.texts.get(&**text),
            other => {
                let value = normalized_number(other.reborrow());
                self.others.iter().find(|(constant, _)| *constant == value).map(|(_, index)| index)
            }
        }
    }

    /// Returns the index of the branch of an object whose member is sent as a text, for example in brackets.
    pub(super) fn branch_of_text(&self, text: &str) -> Option<usize> {
        let fits = |check: &dyn Check| check.checked(check.decode(Cow::Borrowed(text))).is_ok();
        let of_check = || self.checks.iter().find(|(check, _)| fits(&**check)).map(|(_, index)| *index);
        self.texts.get(text).copied().or_else(of_check)
    }

    /// Returns the error of an object whose member has no constant of a branch. `member` is the value of the member.
    pub(super) fn mismatch(&self, member: Option<&Value<'_>>) -> TypeMismatch {
        let mut constants: Vec<_> = self.texts.iter().map(|(text, index)| (*index, text.clone())).collect();
        constants.extend(self.others.iter().map(|(constant, index)| (*index, constant.to_json().to_string())));
        constants.sort();
        let constants: Vec<_> = constants.into_iter().map(|(_, constant)| constant).collect();
        let expected = format!("one of {}", constants.join(", "));
        let mismatch = match member {
            Some(member) => TypeMismatch::new(expected, member),
            None => TypeMismatch::with_got(expected, "nothing"),
        };
        mismatch.inside(&format!(".{}", self.name))
    }

    /// Adds a constant. Returns the index of its branch if it has another one.
    fn insert(&mut self, constant: &Json, index: usize) -> Option<usize> {
        let constant = normalized_number(Value::from(constant)).into_owned();
        if let Some(other) = self.branch(&constant).copied() {
            return Some(other).filter(|other| *other != index);
        }
        match constant {
            Value::Text(text) => {
                self.texts.insert(text.into_owned(), index);
            }
            other => self.others.push((other, index)),
        }
        None
    }
}

impl Choice {
    /// Finds how a branch is chosen. Fails with the indexes of two branches of which a value can be.
    pub(super) fn new(branches: &[Arc<dyn Check>]) -> Result<Self, (usize, usize)> {
        let values: Vec<Values> = branches.iter().map(|branch| values_of(&**branch)).collect();
        let by_kind: [Vec<usize>; 6] =
            std::array::from_fn(|kind| (0..branches.len()).filter(|index| values[*index].accepts(kind)).collect());
        for (kind, indexes) in by_kind.iter().enumerate() {
            if indexes.len() < 2 || kind == OBJECT {
                continue;
            }
            let mut seen: HashMap<String, usize> = HashMap::new();
            for index in indexes {
                let Some(constants) = &values[*index].0[kind] else {
                    let other = if indexes[0] == *index { indexes[1] } else { indexes[0] };
                    return Err((other.min(*index), other.max(*index)));
                };
                for constant in constants {
                    if let Some(other) = seen.insert(constant.to_string(), *index).filter(|other| other != index) {
                        return Err((other, *index));
                    }
                }
            }
        }
        let objects = &by_kind[OBJECT];
        let member = if objects.len() < 2 { None } else { Some(choice_member(branches, objects)?) };
        Ok(Self { by_kind, member })
    }

    /// Returns the indexes of the branches of which a value can be.
    pub(super) fn branches(&self, value: &Value<'_>) -> &[usize] {
        let Some(kind) = kind_index(value) else { return &[] };
        let (Value::Map(members), Some(choice)) = (value, &self.member) else { return &self.by_kind[kind] };
        let index = choice.value_in(members).and_then(|value| choice.branch(value));
        index.map_or(&[], std::slice::from_ref)
    }
}

/// Finds a required member that all objects of the branches `objects` have, each with other constants. Fails with the
/// indexes of two branches if no member is such a member.
fn choice_member(branches: &[Arc<dyn Check>], objects: &[usize]) -> Result<ChoiceMember, (usize, usize)> {
    let mut conflict = (objects[0], objects[1]);
    let lists = objects.iter().flat_map(|index| {
        // Objects without known fields have no such member.
        let lists = field_lists(&*branches[*index]).unwrap_or_else(|| vec![Vec::new()]);
        lists.into_iter().map(|fields| (*index, fields))
    });
    let lists: Vec<(usize, Vec<ObjectField>)> = lists.collect();
    for name in lists.iter().take(1).flat_map(|(_, fields)| fields).map(|field| &field.name) {
        let (texts, others, checks) = (HashMap::new(), Vec::new(), Vec::new());
        let mut found = ChoiceMember { name: name.clone(), texts, others, checks };
        let is_choice = lists.iter().all(|(index, fields)| {
            let field = fields.iter().find(|field| field.name == *name && !field.optional);
            field.is_some_and(|field| {
                let constants = constants_of(&*field.check).unwrap_or_default();
                found.checks.push((Arc::clone(&field.check), *index));
                !constants.is_empty()
                    && constants.iter().all(|constant| match found.insert(constant, *index) {
                        Some(other) => {
                            conflict = (other, *index);
                            false
                        }
                        None => true,
                    })
            })
        });
        if is_choice {
            return Ok(found);
        }
    }
    Err(conflict)
}

/// Returns the fields of each type of objects that `check` accepts; `None` if their fields are not known.
fn field_lists(check: &dyn Check) -> Option<Vec<Vec<ObjectField>>> {
    match check.structure() {
        Structure::Object(shape) => Some(vec![shape.fields]),
        Structure::Schema(schema) => field_lists(&*schema.check),
        Structure::Nullable(check) => field_lists(&*check),
        Structure::Union(branches) => {
            let objects = branches.iter().filter(|branch| values_of(&***branch).accepts(OBJECT));
            Some(objects.map(|branch| field_lists(&**branch)).collect::<Option<Vec<_>>>()?.concat())
        }
        Structure::TaggedUnion { tag, branches } => {
            let of_branch = |(value, branch): &(String, Arc<dyn Check>)| {
                let mut fields = branch.object_shape()?.fields;
                fields.retain(|field| field.name != tag);
                fields.insert(0, tag_field(&tag, value));
                Some(fields)
            };
            branches.iter().map(of_branch).collect()
        }
        Structure::Scalar | Structure::Array(_) | Structure::Map(_) => None,
    }
}

/// Returns the field with the tag of a union in the objects whose tag has this value.
pub(super) fn tag_field(tag: &str, value: &str) -> ObjectField {
    let check = constant_text(value);
    ObjectField { name: tag.to_owned(), info: String::new(), optional: false, check, example: None }
}

/// The kinds of JSON values. A whole number is a number.
pub(super) const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

pub(super) const NULL: usize = 0;
pub(super) const ARRAY: usize = 4;
pub(super) const OBJECT: usize = 5;

/// Returns the index in [`KINDS`] of a value's kind; `None` for files.
pub(super) fn kind_index(value: &Value<'_>) -> Option<usize> {
    Some(match value {
        Value::Null => NULL,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => ARRAY,
        Value::Map(_) => OBJECT,
        Value::File(_) => return None,
    })
}

/// What is known of the values of a type: for each of [`KINDS`], the constants that the values of this kind are, or
/// `None` if they are not constants.
pub(super) struct Values([Option<Vec<Json>>; 6]);

/// Returns what is known of the values that `check` accepts.
pub(super) fn values_of(check: &dyn Check) -> Values {
    values_of_schema(&check.schema(), check)
}

/// Returns all values that `check` accepts, if they are constants. The JSON Schema of a type that refers to schemas is
/// not used, because these schemas may contain the union whose JSON Schema depends on the constants.
pub(in crate::types) fn constants_of(check: &dyn Check) -> Option<Vec<Json>> {
    match check.structure() {
        Structure::Scalar if check.referenced_schemas().is_empty() => values_of(check).constants(),
        Structure::Schema(schema) => constants_of(&*schema.check),
        Structure::Nullable(check) => constants_of(&*check).map(|constants| [constants, vec![Json::Null]].concat()),
        Structure::Union(branches) => {
            let constants: Option<Vec<_>> = branches.iter().map(|branch| constants_of(&**branch)).collect();
            constants.map(|constants| constants.concat())
        }
        _ => None,
    }
}

/// Returns the kinds of the values that are valid against a JSON Schema, whose references lead to the schemas of
/// `check`. References form no circle, because schemas that refer to themselves directly are errors.
fn values_of_schema(schema: &Json, check: &dyn Check) -> Values {
    if let Some(key) = schema.get("$ref").and_then(Json::as_str).and_then(|r| r.strip_prefix(SCHEMA_REFERENCE_PREFIX)) {
        let referenced = check.referenced_schemas();
        let target = referenced.iter().find(|schema| schema.key() == key);
        return target.map_or_else(Values::anything, |target| values_of_schema(&target.check.schema(), &*target.check));
    }
    let branches = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)?.as_array());
    if let Some(branches) = branches {
        let mut values = Values::of_constants(&[]);
        branches.iter().for_each(|branch| values.add(&values_of_schema(branch, check)));
        return values;
    }
    let constants = match (schema.get("const"), schema.get("enum")) {
        (Some(constant), _) => Some(std::slice::from_ref(constant)),
        (None, Some(Json::Array(constants))) => Some(constants.as_slice()),
        _ => None,
    };
    if let Some(constants) = constants {
        return Values::of_constants(constants);
    }
    // The parts of `allOf` describe objects with a tag.
    let names = match schema.get("type") {
        Some(Json::String(name)) => vec![name.as_str()],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ if schema.get("allOf").is_some() => vec!["object"],
        _ => return Values::anything(),
    };
    let mut values = Values::of_constants(&[]);
    for name in names {
        match name {
            "null" => values.add(&Values::of_constants(&[Json::Null])),
            "boolean" => values.add(&Values::of_constants(&[json!(false), json!(true)])),
            name => {
                let name = if name == "integer" { "number" } else { name };
                KINDS
                    .iter()
                    .zip(&mut values.0)
                    .filter(|(kind, _)| **kind == name)
                    .for_each(|(_, values)| *values = None);
            }
        }
    }
    values
}

impl Values {
    fn anything() -> Self {
        Self([const { None }; 6])
    }

    fn of_constants(constants: &[Json]) -> Self {
        let is_of = |kind: usize, json: &Json| kind_index(&Value::from(json)) == Some(kind);
        Self(std::array::from_fn(|kind| Some(constants.iter().filter(|json| is_of(kind, json)).cloned().collect())))
    }

    /// Adds the values of another type.
    fn add(&mut self, other: &Self) {
        for (values, more) in self.0.iter_mut().zip(&other.0) {
            *values = values.take().zip(more.as_ref()).map(|(values, more)| [&values[..], more].concat());
        }
    }

    /// Returns `true` if a value can have the kind with this index in [`KINDS`].
    pub(super) fn accepts(&self, kind: usize) -> bool {
        self.0[kind].as_ref().is_none_or(|constants| !constants.is_empty())
    }

    /// Returns all values, if they are constants.
    pub(super) fn constants(self) -> Option<Vec<Json>> {
        self.0.into_iter().collect::<Option<Vec<_>>>().map(|constants| constants.concat())
    }
}
