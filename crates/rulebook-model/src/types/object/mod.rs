//! The type `object`: a JSON object. The attribute `fields` of the definition lists the *known* members of the object,
//! each with its type.
//!
//! Members that the definition does not list are allowed. An optional member may also be null, unless its type refuses
//! it. Two members with the same name are an error, because programs differ in which of them they use (RFC 8259 section
//! 4).

mod compile;
mod fulfill;
mod members;
mod samples;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

pub(in crate::types) use compile::compile;
pub(in crate::types) use members::{refuse_repeated_members, refuse_repeated_members_within};
use samples::example_of;

use crate::call::{PhpArray, PhpItem, TypeMismatch, Value};
use crate::constraint::{CONSTRAINTS_KEY, Constraint, add_to_object_schema};
use crate::types::any::decode_json;
use crate::types::bounds::Bounds;
use crate::types::check::{decode_item, first_valid_value, keep_valid_values};
use crate::types::named_schema::add_info;
use crate::types::nullable::optional_schema;
use crate::types::table::FIELDS_ATTRIBUTE;
use crate::types::{Check, NamedSchema, ObjectField, Structure, TypeExpr};

pub(in crate::types) const CONSTRAINTS_ATTRIBUTE: &str = CONSTRAINTS_KEY;
const CLOSED_ATTRIBUTE: &str = "closed";

#[derive(Debug)]
struct ObjectCheck {
    /// The known members in the order of the definition, or `None` if the definition has no attribute `fields`.
    fields: Option<Vec<ObjectField>>,
    indexes: HashMap<Box<str>, usize>,
    required_count: usize,
    member_count: Bounds<u64>,
    /// `true` if objects can have only the known members.
    is_closed: bool,
    constraints: Vec<Constraint>,
}

/// The members of an object type, from which another type can be derived.
#[derive(Debug, Clone)]
pub struct ObjectShape {
    /// The known members, in the order of the definition.
    pub fields: Vec<ObjectField>,
    /// `true` if objects can have only the known members.
    pub is_closed: bool,
    /// The minimum number of members.
    pub min: Option<u64>,
    /// The maximum number of members.
    pub max: Option<u64>,
    /// The constraints between the members.
    pub constraints: Vec<Constraint>,
}

impl ObjectShape {
    /// Returns the attribute and the message of the error if no object has an allowed number of members.
    pub(super) fn count_error(&self) -> Option<(&'static str, String)> {
        let required = self.fields.iter().filter(|field| !field.optional).count() as u64;
        let known = self.fields.len() as u64;
        if let Some(max) = self.max.filter(|max| *max < required) {
            return Some(("max", format!("it has {required} required members, but `max` is {max}")));
        }
        let min = self.min.filter(|min| self.is_closed && *min > known)?;
        Some(("min", format!("it is closed and has at most {known} members, but at least {min} are required")))
    }
}

pub(in crate::types) fn object_check(shape: ObjectShape) -> Arc<dyn Check> {
    let ObjectShape { fields, is_closed, min, max, constraints } = shape;
    Arc::new(ObjectCheck::new(Some(fields), is_closed, Bounds { min, max }, constraints))
}

impl ObjectCheck {
    fn new(
        fields: Option<Vec<ObjectField>>,
        is_closed: bool,
        member_count: Bounds<u64>,
        constraints: Vec<Constraint>,
    ) -> Self {
        let names = fields.iter().flatten().enumerate();
        let indexes = names.map(|(index, field)| (field.name.as_str().into(), index)).collect();
        let required_count = fields.iter().flatten().filter(|field| !field.optional).count();
        Self { fields, indexes, required_count, member_count, is_closed, constraints }
    }

    fn fields(&self) -> &[ObjectField] {
        self.fields.as_deref().unwrap_or_default()
    }

    fn constraints_in_words(&self) -> impl Iterator<Item = String> {
        self.constraints.iter().map(|constraint| constraint.in_words(&str::to_owned))
    }
}

impl Check for ObjectCheck {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['{'])
    }

    /// The keys are the names of members, even numbers. A list whose names have no keys (`x[]`) is not an object.
    fn decode_array<'a>(&self, array: PhpArray<'a>) -> Value<'a> {
        if array.is_list() && array.has_appended_items() {
            return array.into_value();
        }
        let members = array.into_items().into_iter().map(|(key, item)| {
            let name = key.into_text();
            let value = match (self.indexes.get(&*name), item) {
                (Some(index), item) => decode_item(&*self.fields()[*index].check, item),
                (None, PhpItem::Value(value)) => value,
                (None, PhpItem::Array(array)) => array.into_value(),
            };
            (name, value)
        });
        Value::Map(members.collect())
    }

    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let Value::Map(members) = value else {
            return Err(TypeMismatch::new(self.expected(), value));
        };
        if !self.member_count.contains_count(members.len()) {
            refuse_repeated_members(members)?;
            return Err(TypeMismatch::new(self.expected(), value));
        }
        let required = self.check_members(members)?;
        if required.is_none() {
            refuse_repeated_members(members)?;
        }
        let required = required.unwrap_or_else(|| self.count_required(members));
        // No name occurs twice, so that the number of required members is sufficient.
        if required < self.required_count
            && let Some(missing) = self.missing_member(members)
        {
            let mismatch = TypeMismatch::with_got(missing.check.expected(), "nothing");
            return Err(mismatch.inside(&format!(".{}", missing.name)));
        }
        self.broken_constraint(members).map_or(Ok(()), Err)
    }

    fn in_words(&self) -> Cow<'static, str> {
        let closed = if self.is_closed { " without other members" } else { "" };
        let object = format!("{}{closed}", self.expected());
        std::iter::once(object).chain(self.constraints_in_words()).collect::<Vec<_>>().join("; ").into()
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("an object{}", self.member_count.count_phrase("member")).into()
    }

    fn members(&self) -> &[ObjectField] {
        self.fields()
    }

    fn object_shape(&self) -> Option<ObjectShape> {
        let Bounds { min, max } = self.member_count;
        let (fields, constraints) = (self.fields().to_vec(), self.constraints.clone());
        Some(ObjectShape { fields, is_closed: self.is_closed, min, max, constraints })
    }

    fn structure(&self) -> Structure {
        self.object_shape().map_or(Structure::Scalar, Structure::Object)
    }

    fn referenced_schemas(&self) -> Vec<Arc<NamedSchema>> {
        self.fields().iter().flat_map(|field| field.check.referenced_schemas()).collect()
    }

    fn schema(&self) -> Json {
        let mut schema = json!({ "type": "object" });
        if !self.fields().is_empty() {
            schema["properties"] =
                self.fields().iter().map(|field| (field.name.clone(), member_schema(field))).collect();
        }
        if self.required_count > 0 {
            let required = self.fields().iter().filter(|field| !field.optional);
            schema["required"] = required.map(|field| field.name.as_str()).collect();
        }
        if self.is_closed {
            schema["additionalProperties"] = json!(false);
        }
        self.member_count.insert_keywords(&mut schema, "minProperties", "maxProperties");
        let reads_null_text = |name: &str| {
            let index = self.indexes.get(name);
            index.is_some_and(|index| self.fields()[*index].check.reads_null_text())
        };
        add_to_object_schema(&mut schema, &self.constraints, &str::to_owned, &reads_null_text);
        if !self.constraints.is_empty() {
            let sentences: Vec<_> = self.constraints_in_words().collect();
            schema["description"] = json!(format!("Between the members: {}", sentences.join("; ")));
        }
        schema
    }

    fn type_expr(&self) -> TypeExpr {
        let constraints: Vec<_> = self.constraints.iter().map(Constraint::to_json).collect();
        let definition = |field: &ObjectField| (field.name.clone(), member_definition(field));
        let fields = self.fields.as_ref().map(|fields| fields.iter().map(definition).collect::<Json>());
        let type_expr = self.member_count.type_expr_with_attributes("object");
        type_expr
            .with(CLOSED_ATTRIBUTE, self.is_closed.then_some(true))
            .with(CONSTRAINTS_ATTRIBUTE, Some(constraints).filter(|constraints| !constraints.is_empty()))
            .with(FIELDS_ATTRIBUTE, fields)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let boundary_values: Vec<_> = self.fields().iter().map(|field| field.check.boundary_values()).collect();
        let max_values = boundary_values.iter().map(Vec::len).max().unwrap_or(0);
        let mut candidates: Vec<_> =
            (0..max_values.max(1)).filter_map(|index| self.boundary_object(&boundary_values, index, true)).collect();
        candidates.extend(self.boundary_object(&boundary_values, 0, false));
        let candidates = candidates.into_iter().map(|candidate| self.fulfill_constraints(candidate)).collect();
        keep_valid_values(self, candidates)
    }

    fn example(&self) -> Option<Value<'static>> {
        // Each example is generated once, because the time would double at each level of nested objects.
        let examples: Vec<_> = self.fields().iter().map(example_of).collect();
        let all = self.example_object(&examples, |_| true);
        let required = self.example_object(&examples, |field| !field.optional);
        let candidates = [all, required].into_iter().flatten();
        let candidates = candidates.map(|candidate| self.with_added_members(self.fulfill_constraints(candidate)));
        first_valid_value(self, candidates)
    }
}

fn member_schema(field: &ObjectField) -> Json {
    let mut schema = field.check.schema();
    if field.optional {
        schema = optional_schema(&*field.check, schema);
    }
    if let Json::Object(schema) = &mut schema {
        add_info(schema, &field.info);
        if let Some(example) = &field.example {
            schema.insert("examples".to_owned(), json!([example]));
        }
    }
    schema
}

fn member_definition(field: &ObjectField) -> Json {
    let type_expr = field.check.type_expr();
    let optional = if field.optional { "?" } else { "" };
    let mut json = Map::new();
    json.insert("info".to_owned(), json!(field.info));
    json.insert("type".to_owned(), json!(format!("{optional}{}", type_expr.term)));
    json.extend(type_expr.attributes);
    if let Some(example) = &field.example {
        json.insert("example".to_owned(), example.clone());
    }
    Json::Object(json)
}
