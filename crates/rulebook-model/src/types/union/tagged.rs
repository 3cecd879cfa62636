//! Unions with a tag: objects of several schemas, in which the value of a member says of which schema an object is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value as Json, json};

use super::choice::{constants_of, tag_field};
use super::{OF_ATTRIBUTE, TAG_ATTRIBUTE, join_branches};
use crate::call::{PhpArray, TypeMismatch, Value};
use crate::definition::keys::is_comment_key;
use crate::types::any::decode_json;
use crate::types::check::first_valid_value;
use crate::types::constant::constant_text;
use crate::types::failed_type::contains_failed_type;
use crate::types::object::object_check;
use crate::types::{
    ArgumentError, ArgumentErrorKind, Check, NamedSchema, ObjectField, ObjectShape, SCHEMA_REFERENCE_PREFIX, Structure,
    TypeExpr, nested_type_path,
};

/// Returns the check of a union. `branches` has the type of the objects for each value of the member `tag`.
pub(super) fn tagged_union(tag: &str, branches: Vec<(String, Arc<dyn Check>)>) -> Arc<dyn Check> {
    let indexes = branches.iter().enumerate().map(|(index, (value, _))| (value.clone(), index)).collect();
    Arc::new(TaggedUnion { tag: tag.to_owned(), branches, indexes, objects: OnceLock::new() })
}

#[derive(Debug)]
struct TaggedUnion {
    tag: String,
    /// The values of the tag, each with the type of the objects with this tag.
    branches: Vec<(String, Arc<dyn Check>)>,
    /// The index in `branches` of each value of the tag.
    indexes: HashMap<String, usize>,
    /// For each branch, the check of the objects with their tag. It is created when it is first needed, because a union
    /// can contain schemas that are compiled after it.
    objects: OnceLock<Vec<TaggedObject>>,
}

/// The objects with one value of the tag.
#[derive(Debug)]
struct TaggedObject {
    check: Arc<dyn Check>,
    schema: TaggedSchema,
}

/// How the JSON Schema of the objects with one value of the tag is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TaggedSchema {
    /// The type of the branch itself contains the tag with its value.
    Branch,
    /// The type of the branch permits the tag, but not only with its value.
    BranchWithTag,
    /// The type of the branch does not permit the tag, so that it is repeated with the tag.
    Object,
}

impl TaggedObject {
    fn new(tag: &str, value: &str, branch: &Arc<dyn Check>) -> Self {
        let Some(mut shape) = branch.object_shape() else {
            return Self { check: Arc::clone(branch), schema: TaggedSchema::Branch };
        };
        let tag_field = tag_field(tag, value);
        let declared = shape.fields.iter_mut().find(|field| field.name == tag);
        let schema = match declared {
            Some(field) if !field.optional && constants_of(&*field.check) == Some(vec![json!(value)]) => {
                return Self { check: Arc::clone(branch), schema: TaggedSchema::Branch };
            }
            Some(field) => {
                *field = ObjectField { info: std::mem::take(&mut field.info), ..tag_field };
                TaggedSchema::BranchWithTag
            }
            None => {
                shape.fields.insert(0, tag_field);
                if shape.is_closed { TaggedSchema::Object } else { TaggedSchema::BranchWithTag }
            }
        };
        Self { check: object_check(shape), schema }
    }

    fn schema(&self, tag: &str, value: &str, branch: &dyn Check) -> Json {
        match self.schema {
            TaggedSchema::Branch => branch.schema(),
            TaggedSchema::Object => self.check.schema(),
            TaggedSchema::BranchWithTag => json!({ "allOf": [branch.schema(), {
                "type": "object",
                "properties": { (tag): constant_text(value).schema() },
                "required": [tag]
            }] }),
        }
    }
}

impl TaggedUnion {
    fn objects(&self) -> &[TaggedObject] {
        self.objects.get_or_init(|| {
            self.branches.iter().map(|(value, branch)| TaggedObject::new(&self.tag, value, branch)).collect()
        })
    }

    /// Returns the check of the objects whose tag has this value.
    fn object(&self, value: &str) -> Option<&dyn Check> {
        let index = self.indexes.get(value)?;
        Some(&*self.objects()[*index].check)
    }

    /// Returns the values of the tag, each with the reference to its branch, for the branches that are schemas of the
    /// definition and contain the tag.
    fn mapping(&self) -> Map<String, Json> {
        let entry = |((value, branch), object): (&(String, Arc<dyn Check>), &TaggedObject)| {
            let Structure::Schema(schema) = branch.structure() else { return None };
            let reference = json!(format!("{SCHEMA_REFERENCE_PREFIX}{}", schema.key()));
            (object.schema == TaggedSchema::Branch).then(|| (value.clone(), reference))
        };
        self.branches.iter().zip(self.objects()).filter_map(entry).collect()
    }
}

impl Check for TaggedUnion {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['{'])
    }

    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        match array.text(&self.tag).and_then(|value| self.object(value)) {
            Some(object) => object.decode_array(array),
            None => array.into_value(),
        }
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Map(members) = &*value else {
            return Err(TypeMismatch::new(self.expected(), value));
        };
        // If the name of a member occurs twice, the last member with this name is used.
        let tag = members.iter().rev().find(|(name, _)| **name == *self.tag).map(|(_, tag)| tag);
        let object = match tag {
            Some(Value::Text(text)) => self.object(text),
            _ => None,
        };
        let Some(object) = object else {
            let values: Vec<_> = self.branches.iter().map(|(value, _)| value.as_str()).collect();
            let expected = format!("one of {}", values.join(", "));
            let mismatch = match tag {
                Some(tag) => TypeMismatch::new(expected, tag),
                None => TypeMismatch::with_got(expected, "nothing"),
            };
            return Err(mismatch.inside(&format!(".{}", self.tag)));
        };
        object.check(value)
    }

    fn expected(&self) -> Cow<'static, str> {
        "an object".into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        let words = |(value, branch): &(String, Arc<dyn Check>)| format!("{value} ({})", branch.in_words());
        format!("an object whose {} is {}", self.tag, join_branches(self.branches.iter().map(words))).into()
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.branches.iter().flat_map(|(_, branch)| branch.referenced_schemas()).collect()
    }

    fn late_error(&self) -> Option<ArgumentError> {
        let errors = self.branches.iter().enumerate().filter(|(_, (_, branch))| !contains_failed_type(branch));
        let errors = errors.filter_map(|(index, (value, branch))| {
            let path = nested_type_path(OF_ATTRIBUTE, index);
            let error = |message: String| ArgumentError::new(ArgumentErrorKind::Invalid, message).at(&path);
            let term = branch.type_expr().term;
            let Some(ObjectShape { fields, .. }) = branch.object_shape() else {
                let error = error(format!("`{}` is not a type of objects", term.escape_debug()));
                return Some(error.help("a union with `tag` contains schemas of objects; or remove `tag`"));
            };
            let of_objects = self.objects()[index].check.object_shape();
            if let Some((_, message)) = of_objects.as_ref().and_then(ObjectShape::count_error) {
                let tag = self.tag.escape_debug();
                let message =
                    format!("with the tag `{tag}`, no object of `{}` is valid: {message}", term.escape_debug());
                let error = ArgumentError::new(ArgumentErrorKind::Bounds, message).at(&path);
                return Some(error.help("the tag is one of the members; change the bounds of the schema"));
            }
            let declared = fields.iter().find(|field| field.name == self.tag)?;
            let is_valid = declared.check.checked(Value::Text(Cow::Borrowed(value))).is_ok();
            if is_valid || contains_failed_type(&declared.check) {
                return None;
            }
            let (tag, value) = (self.tag.escape_debug(), value.escape_debug());
            let error =
                error(format!("the tag `{tag}` cannot be `{value}`, because the field `{tag}` of `{term}` refuses it"));
            Some(error.help("rename the value of the tag, or let the field accept it"))
        });
        ArgumentError::join(errors.collect())
    }

    fn structure(&self) -> Structure {
        Structure::TaggedUnion { tag: self.tag.clone(), branches: self.branches.clone() }
    }

    fn schema(&self) -> Json {
        let branches = self.branches.iter().zip(self.objects());
        let schemas = branches.map(|((value, branch), object)| object.schema(&self.tag, value, &**branch));
        // The OpenAPI document completes the discriminator, which can only refer to components.
        let mut discriminator = json!({ "propertyName": self.tag });
        let mapping = self.mapping();
        if !mapping.is_empty() {
            discriminator["mapping"] = Json::Object(mapping);
        }
        json!({ "oneOf": schemas.collect::<Vec<_>>(), "discriminator": discriminator })
    }

    fn type_expr(&self) -> TypeExpr {
        let branches = self.branches.iter();
        // A definition ignores a member whose name begins like a comment, unless its value is an object.
        let of = branches.map(|(value, branch)| {
            let branch = branch.type_expr();
            (value.clone(), if is_comment_key(value) { branch.into_object() } else { branch.into_json() })
        });
        TypeExpr::term("union")
            .with(TAG_ATTRIBUTE, Some(self.tag.as_str()))
            .with(OF_ATTRIBUTE, Some(of.collect::<Json>()))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let of_branch = |((value, branch), object): (&(String, Arc<dyn Check>), &TaggedObject)| {
            // The branch of a schema around this one has no values, because they would never end.
            let values = branch.boundary_values();
            values
                .into_iter()
                .filter_map(|object| with_tag(object, &self.tag, value))
                .filter(|value| object.check.checked(value.clone()).is_ok())
                .collect::<Vec<_>>()
        };
        self.branches.iter().zip(self.objects()).flat_map(of_branch).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let examples = self.branches.iter().filter_map(|(value, branch)| with_tag(branch.example()?, &self.tag, value));
        first_valid_value(self, examples)
    }
}

/// Adds a tag to an object, or replaces it. Returns `None` if the value is not an object.
fn with_tag(object: Value<'static>, tag: &str, value: &str) -> Option<Value<'static>> {
    let Value::Map(mut members) = object else { return None };
    let value = Value::Text(Cow::Owned(value.to_owned()));
    match members.iter_mut().find(|(name, _)| *name == tag) {
        Some((_, declared)) => *declared = value,
        None => members.insert(0, (Cow::Owned(tag.to_owned()), value)),
    }
    Some(Value::Map(members))
}
