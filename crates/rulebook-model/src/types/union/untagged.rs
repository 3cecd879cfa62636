//! Unions without a tag. No value can have two of the types, so that the kind of a value, a constant, or a member of an
//! object with a constant says of which type the value is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};

use super::OF_ATTRIBUTE;
use super::kinds::{KINDS, Values, values_of};
use crate::call::{PhpArray, TypeMismatch, Value};
use crate::types::any::decode_json;
use crate::types::number::normalized_number;
use crate::types::{ArgumentError, ArgumentErrorKind, Check, NamedSchema, Structure, TypeExpr};

/// Returns the check of a union of the types `branches`.
pub(super) fn untagged_union(branches: Vec<Arc<dyn Check>>) -> Arc<dyn Check> {
    Arc::new(UntaggedUnion { branches, choice: OnceLock::new() })
}

#[derive(Debug)]
struct UntaggedUnion {
    branches: Vec<Arc<dyn Check>>,
    /// How a branch is chosen for a value. It is found when it is first needed, because a union can contain schemas
    /// that are compiled after it.
    choice: OnceLock<Choice>,
}

/// How a branch is chosen for a value.
#[derive(Debug)]
struct Choice {
    /// For each of [`KINDS`], the indexes of the branches that accept values of this kind. Several branches of a kind
    /// are limited to different constants, except for objects.
    by_kind: [Vec<usize>; 6],
    /// The member of objects that says of which branch an object is; `None` if at most one branch accepts objects.
    member: Option<ChoiceMember>,
}

/// A required member that all branches of objects have, each with other constants.
#[derive(Debug)]
struct ChoiceMember {
    name: String,
    /// The index of the branch for each constant that is a text.
    texts: HashMap<String, usize>,
    /// The other constants, each with the index of its branch.
    others: Vec<(Value<'static>, usize)>,
}

impl ChoiceMember {
    fn branch(&self, value: &Value<'_>) -> Option<&usize> {
        match value {
            Value::Text(text) => self.texts.get(&**text),
            other => {
                let value = normalized_number(other.reborrow());
                self.others.iter().find(|(constant, _)| *constant == value).map(|(_, index)| index)
            }
        }
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

/// The characters with which a JSON value begins (RFC 8259 section 3).
const JSON_OPENINGS: [char; 17] = ['[', '{', '"', 't', 'f', 'n', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

/// The index of arrays in [`KINDS`].
const ARRAY: usize = 4;
/// The index of objects in [`KINDS`].
const OBJECT: usize = 5;

impl Choice {
    /// Finds how a branch is chosen. Fails with the indexes of two branches of which a value can be.
    fn new(branches: &[Arc<dyn Check>]) -> Result<Self, (usize, usize)> {
        let values: Vec<Values> = branches.iter().map(|branch| values_of(&**branch)).collect();
        let by_kind: [Vec<usize>; 6] =
            std::array::from_fn(|kind| (0..branches.len()).filter(|index| values[*index].kinds[kind]).collect());
        for (kind, indexes) in by_kind.iter().enumerate() {
            if indexes.len() < 2 || kind == OBJECT {
                continue;
            }
            let mut seen: HashMap<String, usize> = HashMap::new();
            for index in indexes {
                let Some(constants) = &values[*index].constants else {
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
    fn branches(&self, value: &Value<'_>) -> &[usize] {
        let Some(kind) = kind_index(value) else { return &[] };
        let (Value::Map(members), Some(choice)) = (value, &self.member) else { return &self.by_kind[kind] };
        // If the name of a member occurs twice, the last member with this name is used.
        let member = members.iter().rev().find(|(name, _)| **name == *choice.name);
        let index = member.and_then(|(_, value)| choice.branch(value));
        index.map_or(&[], std::slice::from_ref)
    }
}

/// Finds a required member that all objects of the branches `objects` have, each with other constants. Fails with the
/// indexes of two branches if no member is such a member.
fn choice_member(branches: &[Arc<dyn Check>], objects: &[usize]) -> Result<ChoiceMember, (usize, usize)> {
    let mut conflict = (objects[0], objects[1]);
    let first = branches[objects[0]].object_shape().map(|shape| shape.fields).unwrap_or_default();
    for name in first.into_iter().map(|field| field.name) {
        let mut found = ChoiceMember { name: name.clone(), texts: HashMap::new(), others: Vec::new() };
        let is_choice = objects.iter().all(|index| {
            let shape = branches[*index].object_shape();
            let fields = shape.map(|shape| shape.fields).unwrap_or_default();
            let field = fields.into_iter().find(|field| field.name == name && !field.optional);
            let constants = field.and_then(|field| values_of(&*field.check).constants);
            constants.is_some_and(|constants| {
                constants.iter().all(|constant| match found.insert(constant, *index) {
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

/// Returns the index in [`KINDS`] of a value's kind; `None` for files.
fn kind_index(value: &Value<'_>) -> Option<usize> {
    Some(match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => 2,
        Value::Text(_) => 3,
        Value::List(_) => ARRAY,
        Value::Map(_) => OBJECT,
        Value::File(_) => return None,
    })
}

impl UntaggedUnion {
    fn choice(&self) -> &Choice {
        self.choice.get_or_init(|| {
            // A union whose branches overlap is an error of the definition, so that it never checks a value.
            Choice::new(&self.branches).unwrap_or(Choice { by_kind: Default::default(), member: None })
        })
    }

    fn join(&self, phrase: impl Fn(&dyn Check) -> Cow<'static, str>) -> String {
        self.branches.iter().map(|branch| phrase(&**branch)).collect::<Vec<_>>().join(", or ")
    }
}

impl Check for UntaggedUnion {
    /// If one of the types is an array or an object, JSON becomes the value that it denotes. Any other text becomes a
    /// value of the first type that it fits. It never becomes an array with one item, because a union can be the type
    /// of the items.
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        let by_kind = &self.choice().by_kind;
        let is_structured = !by_kind[ARRAY].is_empty() || !by_kind[OBJECT].is_empty();
        if is_structured && text.trim_start().starts_with(JSON_OPENINGS) {
            let json = decode_json(Cow::Borrowed(&*text), &JSON_OPENINGS);
            let is_decoded = !matches!(&json, Value::Text(same) if *same == text);
            if is_decoded && kind_index(&json).is_some_and(|kind| !by_kind[kind].is_empty()) {
                return json.into_owned();
            }
        }
        let is_scalar = |index: &usize| by_kind[..ARRAY].iter().any(|indexes| indexes.contains(index));
        for branch in (0..self.branches.len()).filter(is_scalar).map(|index| &self.branches[index]) {
            let value = branch.decode(Cow::Borrowed(&*text));
            if branch.checked(value.reborrow()).is_ok() {
                return branch.decode(text);
            }
        }
        Value::Text(text)
    }

    /// The brackets of an object have names, those of an array have indexes.
    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        let Choice { by_kind, member } = self.choice();
        let of_member = |choice: &ChoiceMember| choice.texts.get(array.text(&choice.name)?).copied();
        let of_object = member.as_ref().map_or(by_kind[OBJECT].first().copied(), of_member);
        let of_array = by_kind[ARRAY].first().copied();
        let branch = if array.has_only_indexes() { of_array.or(of_object) } else { of_object.or(of_array) };
        match branch {
            Some(index) => self.branches[index].decode_array(array),
            None => array.into_value(),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match self.choice().branches(value) {
            [] => {}
            [only] => {
                return self.branches[*only].check(value).map_err(|mut mismatch| {
                    if mismatch.path.is_empty() {
                        mismatch.expected = self.expected();
                    }
                    mismatch
                });
            }
            // The branches are constants, so that no deep value is checked twice.
            several => {
                let fits = |index: &&usize| self.branches[**index].checked(value.reborrow()).is_ok();
                if let Some(index) = several.iter().find(fits) {
                    return self.branches[*index].check(value);
                }
            }
        }
        Err(TypeMismatch::new(self.expected(), value))
    }

    fn expected(&self) -> Cow<'static, str> {
        self.join(|branch| branch.expected()).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        self.join(|branch| branch.in_words()).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.branches.iter().flat_map(|branch| branch.referenced_schemas()).collect()
    }

    fn late_error(&self) -> Option<ArgumentError> {
        let (one, other) = Choice::new(&self.branches).err()?;
        let term = |index: usize| self.branches[index].type_expr().term;
        let message = format!("a value can be both `{}` and `{}`", term(one), term(other));
        let error = ArgumentError::new(ArgumentErrorKind::Overlap, message).at(OF_ATTRIBUTE);
        let both_objects = [one, other].iter().all(|index| values_of(&*self.branches[*index]).kinds[OBJECT]);
        Some(error.help(if both_objects {
            "give each a required field with another `const`, or add `tag` to the union"
        } else {
            "the types must differ in the kind of their JSON values, or be constants"
        }))
    }

    fn field_count(&self) -> usize {
        self.branches.iter().map(|branch| branch.field_count()).fold(0, usize::saturating_add)
    }

    fn structure(&self) -> Structure {
        Structure::Union(self.branches.clone())
    }

    fn schema(&self) -> Json {
        json!({ "oneOf": self.branches.iter().map(|branch| branch.schema()).collect::<Vec<_>>() })
    }

    fn type_expr(&self) -> TypeExpr {
        let mut type_expr = TypeExpr::term("union");
        let of = self.branches.iter().map(|branch| branch.type_expr().into_json()).collect();
        type_expr.attributes.insert(OF_ATTRIBUTE.to_owned(), of);
        type_expr
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.branches.iter().flat_map(|branch| branch.boundary_values()).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        self.branches.iter().find_map(|branch| branch.example())
    }

    fn text_for(&self, value: &str) -> Option<String> {
        self.branches.iter().find_map(|branch| branch.text_for(value))
    }

    fn accepts_null(&self) -> bool {
        self.branches.iter().any(|branch| branch.accepts_null())
    }
}

/// The names of the kinds are in the order of [`kind_index`].
const _: () = assert!(KINDS.len() == OBJECT + 1);
