//! Unions without a tag. No value can have two of the types, so that the kind of a value, a constant, or a member of an
//! object with a constant says of which type the value is.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};

use super::choice::{ARRAY, Choice, ChoiceMember, KINDS, NULL, OBJECT, kind_index, values_of};
use super::{OF_ATTRIBUTE, join_branches, join_words};
use crate::call::{PhpArray, TypeMismatch, Value};
use crate::types::any::decode_json;
use crate::types::failed_type::contains_failed_type;
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

/// The characters with which a JSON value begins (RFC 8259 section 3).
const JSON_OPENINGS: [char; 17] = ['[', '{', '"', 't', 'f', 'n', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

impl UntaggedUnion {
    fn choice(&self) -> &Choice {
        self.choice.get_or_init(|| {
            // A union whose branches overlap is an error of the definition, so that it never checks a value.
            Choice::new(&self.branches).unwrap_or(Choice { by_kind: Default::default(), member: None })
        })
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
        let of_member = |choice: &ChoiceMember| choice.branch_of_text(array.text(&choice.name)?);
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
            [] => {
                // An object is nearest to the types of objects, which differ in this member.
                if let (Value::Map(members), Some(choice)) = (&*value, &self.choice().member) {
                    return Err(choice.mismatch(choice.value_in(members)));
                }
            }
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
        join_branches(self.branches.iter().map(|branch| branch.expected().into_owned())).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let words = |branch: &Arc<dyn Check>| match values_of(&**branch).constants().as_deref() {
            // Only a type that is not one of several has "always" the same value.
            Some([Json::String(text)]) => text.clone(),
            Some([constant]) => constant.to_string(),
            _ => branch.in_words().into_owned(),
        };
        join_words(self.branches.iter().map(words)).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.branches.iter().flat_map(|branch| branch.referenced_schemas()).collect()
    }

    fn late_error(&self) -> Option<ArgumentError> {
        // Nothing is known of the values of a type with an error.
        let branches = self.branches.iter().filter(|branch| !contains_failed_type(branch)).cloned().collect::<Vec<_>>();
        let (one, other) = Choice::new(&branches).err()?;
        let term = |index: usize| branches[index].type_expr().term;
        let message = format!("a value can be both `{}` and `{}`", term(one), term(other));
        let error = ArgumentError::new(ArgumentErrorKind::Overlap, message).at(OF_ATTRIBUTE);
        let [one, other] = [one, other].map(|index| values_of(&*branches[index]));
        let common: Vec<usize> = (0..KINDS.len()).filter(|kind| one.accepts(*kind) && other.accepts(*kind)).collect();
        Some(error.help(if common == [NULL] {
            "let only one of them accept null: a `?` before a type is enough for the union"
        } else if common.contains(&OBJECT) {
            "give each a required field with another `const`, or add `tag` to the union"
        } else {
            "the types must differ in the kind of their JSON values, or be constants"
        }))
    }

    fn structure(&self) -> Structure {
        Structure::Union(self.branches.clone())
    }

    fn schema(&self) -> Json {
        json!({ "oneOf": self.branches.iter().map(|branch| branch.schema()).collect::<Vec<_>>() })
    }

    fn type_expr(&self) -> TypeExpr {
        let of: Json = self.branches.iter().map(|branch| branch.type_expr().into_json()).collect();
        TypeExpr::term("union").with(OF_ATTRIBUTE, Some(of))
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

    fn reads_null_text(&self) -> bool {
        self.branches.iter().any(|branch| branch.reads_null_text())
    }
}
