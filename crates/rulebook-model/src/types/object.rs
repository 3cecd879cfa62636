//! The type `object`: a JSON object. The attribute `fields` of the definition lists the *known* members of the object,
//! each with its type.
//!
//! Members that the definition does not list are allowed. An optional member may also be null, unless its type refuses
//! it. Two members with the same name are an error, because programs differ in which of them they use (RFC 8259 section
//! 4).

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Span;
use jiff::civil::{Date, DateTime};
use serde_json::{Map, Value as Json, json};

use super::bounds::Bounds;
use super::named_schema::add_info;
use super::nullable::optional_schema;
use super::simple_type::decode_json;
use super::table::FIELDS_ATTRIBUTE;
use super::{
    ArgumentError, ArgumentErrorKind, Arity, Check, NamedSchema, ObjectField, Structure, TypeArguments, TypeExpr,
    decode_item, first_valid_value, keep_valid_values,
};
use crate::call::{PhpArray, PhpItem, TypeMismatch, Value, is_secret_name};
use crate::constraint::{
    CONSTRAINTS_KEY, Constraint, ConstraintError, Given, Subject, Subjects, add_to_object_schema, entry_path,
    parse_constraints,
};

const CONSTRAINTS_ATTRIBUTE: &str = CONSTRAINTS_KEY;
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

pub(super) fn object_check(shape: ObjectShape) -> Arc<dyn Check> {
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

/// The object has at least one member if `is_filled` is `true`.
pub(super) fn compile(is_filled: bool, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let mut errors: Vec<ArgumentError> = Vec::new();
    let is_file = |field: &&ObjectField| matches!(field.check.arity(), Arity::File | Arity::Files);
    for field in arguments.fields.unwrap_or_default().iter().filter(is_file) {
        let error = arguments.error(format!("the member `{}` cannot be a file", field.name));
        let error = error.at(&format!("{FIELDS_ATTRIBUTE}.{}", field.name));
        errors.push(error.help("make the file a parameter: files are sent as parts of a multipart body"));
    }
    let is_closed = is_closed(arguments).unwrap_or_else(|error| {
        errors.push(error);
        false
    });
    let member_count = Bounds::from_arguments(arguments, false);
    let member_count = if is_filled { member_count.and_then(Bounds::with_default_min_one) } else { member_count };
    let member_count = member_count.unwrap_or_else(|error| {
        errors.push(error);
        Bounds { min: None, max: None }
    });
    let mut constraints = arguments.inherited_constraints.to_vec();
    if let Some(json) = arguments.attributes.get(CONSTRAINTS_ATTRIBUTE) {
        let fields = arguments.fields.unwrap_or_default();
        let (declared, more) = parse_field_constraints(json, fields, arguments.has_missing_fields);
        constraints.extend(declared);
        errors.extend(more);
    }
    let fields = arguments.fields.map(<[ObjectField]>::to_vec);
    let object = ObjectCheck::new(fields, is_closed, member_count, constraints);
    let shape = object.object_shape();
    let shape = shape.map(|shape| ObjectShape { is_closed: is_closed && !arguments.has_missing_fields, ..shape });
    errors.extend(shape.and_then(|shape| shape.count_error()).map(|(attribute, message)| {
        let message = format!("no object is valid: {message}");
        ArgumentError::new(ArgumentErrorKind::Bounds, message).at(attribute).help("change the bounds, or the fields")
    }));
    match ArgumentError::join(errors) {
        Some(error) => Err(error),
        None => Ok(Arc::new(object)),
    }
}

fn is_closed(arguments: &TypeArguments<'_>) -> Result<bool, ArgumentError> {
    match arguments.attributes.get(CLOSED_ATTRIBUTE) {
        None => Ok(false),
        Some(Json::Bool(true)) if arguments.fields.is_none() && !arguments.has_missing_fields => {
            let error = arguments.error("a closed object has only the members in `fields`, which is missing");
            Err(error.at(CLOSED_ATTRIBUTE).help("add `fields`, or remove `closed`"))
        }
        Some(Json::Bool(is_closed)) => Ok(*is_closed),
        Some(_) => Err(arguments.error("`closed` must be true or false").at(CLOSED_ATTRIBUTE)),
    }
}

/// Reads the constraints between fields, and returns all errors. Some fields may be missing because of an error.
fn parse_field_constraints(
    json: &Json,
    fields: &[ObjectField],
    has_missing_fields: bool,
) -> (Vec<Constraint>, Vec<ArgumentError>) {
    let subject = |field: &ObjectField| Subject {
        name: field.name.clone(),
        is_always_given: !field.optional,
        default: None,
        check: Arc::clone(&field.check),
    };
    let subjects = Subjects {
        list: fields.iter().map(subject).collect(),
        is_complete: !has_missing_fields,
        help_if_empty: "the object has no fields",
    };
    let (constraints, errors) = parse_constraints(json, &subjects);
    let to_argument_error = |error: ConstraintError| {
        let entry = error.entry.map(|index| entry_path(index, error.part.as_deref()));
        let attribute = entry.unwrap_or_else(|| CONSTRAINTS_ATTRIBUTE.to_owned());
        ArgumentError::new(ArgumentErrorKind::Constraint, error.message).at(&attribute).help(error.help)
    };
    (constraints, errors.into_iter().map(to_argument_error).collect())
}

/// The maximum number of members whose names are compared with each other, which allocates no memory.
const MAX_COMPARED_MEMBERS: usize = 32;

/// Fails if two members of an object have the same name: programs differ in which of them they use.
pub(super) fn refuse_repeated_members(members: &[(Cow<'_, str>, Value<'_>)]) -> Result<(), TypeMismatch> {
    let repeated = if members.len() <= MAX_COMPARED_MEMBERS {
        members.iter().enumerate().find(|(at, (name, _))| members[..*at].iter().any(|(other, _)| other == name))
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        members.iter().enumerate().find(|(_, (name, _))| !seen.insert(&**name))
    };
    match repeated {
        Some((_, (name, _))) => {
            Err(TypeMismatch::with_got("one member with this name", "several").inside(&format!(".{name}")))
        }
        None => Ok(()),
    }
}

/// Fails if two members of an object have the same name in a value without a type, at any depth.
pub(super) fn refuse_repeated_members_within(value: &Value<'_>) -> Result<(), TypeMismatch> {
    match value {
        Value::List(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            refuse_repeated_members_within(item).map_err(|mismatch| mismatch.inside(&format!("[{index}]")))
        }),
        Value::Map(members) => {
            refuse_repeated_members(members)?;
            members.iter().try_for_each(|(name, member)| {
                refuse_repeated_members_within(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))
            })
        }
        _ => Ok(()),
    }
}

impl ObjectCheck {
    /// Returns the known member with this name, and its index. `next` is the index at which clients usually send it.
    #[inline]
    fn field(&self, name: &str, next: usize) -> Option<(usize, &ObjectField)> {
        match self.fields().get(next) {
            Some(field) if field.name == name => Some((next, field)),
            _ => self.field_in_any_order(name),
        }
    }

    #[cold]
    fn field_in_any_order(&self, name: &str) -> Option<(usize, &ObjectField)> {
        self.indexes.get(name).map(|index| (*index, &self.fields()[*index]))
    }

    /// Checks each member. Returns the number of required members; `None` if a name may occur twice, because the
    /// members are not in the order of the definition, or because several members are unknown.
    fn check_members(&self, members: &mut [(Cow<'_, str>, Value<'_>)]) -> Result<Option<usize>, TypeMismatch> {
        let (mut required, mut unknown, mut next, mut is_in_order) = (0, 0, 0, true);
        for (name, member) in members {
            let Some((index, field)) = self.field(name, next) else {
                if self.is_closed {
                    let mismatch = TypeMismatch::new("no member with this name", member);
                    return Err(mismatch.inside(&format!(".{name}")));
                }
                unknown += 1;
                refuse_repeated_members_within(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))?;
                continue;
            };
            is_in_order &= index >= next;
            next = index + 1;
            required += usize::from(!field.optional);
            if field.optional && matches!(member, Value::Null) && !field.check.refuses_null() {
                continue;
            }
            field.check.check(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))?;
        }
        Ok((is_in_order && unknown <= 1).then_some(required))
    }

    fn count_required(&self, members: &[(Cow<'_, str>, Value<'_>)]) -> usize {
        let known = members.iter().filter_map(|(name, _)| self.indexes.get(&**name));
        known.filter(|index| !self.fields()[**index].optional).count()
    }

    fn missing_member(&self, members: &[(Cow<'_, str>, Value<'_>)]) -> Option<&ObjectField> {
        let is_missing = |name: &str| members.iter().all(|(member, _)| member != name);
        self.fields().iter().find(|field| !field.optional && is_missing(&field.name))
    }

    fn broken_constraint(&self, members: &[(Cow<'_, str>, Value<'_>)]) -> Option<TypeMismatch> {
        let given = |name: &str| given_member(members, name);
        self.constraints.iter().find_map(|constraint| {
            let broken = constraint.check(&given, &str::to_owned)?;
            let mut mismatch = match given(broken.name) {
                // The value can be the same as the secret value with which it is compared.
                Given::Value(_) if constraint.names.iter().any(|name| is_secret_name(name)) => {
                    TypeMismatch::with_got(broken.expected, "a hidden value")
                }
                Given::Value(value) => TypeMismatch::new(broken.expected, value),
                Given::Absent | Given::Invalid => TypeMismatch::with_got(broken.expected, "nothing"),
            };
            mismatch.message.clone_from(&constraint.message);
            Some(mismatch.inside(&format!(".{}", broken.name)))
        })
    }
}

/// Returns whether an object has a member with this name, and its value. A member that is null is not given.
fn given_member<'v>(members: &'v [(Cow<'_, str>, Value<'v>)], name: &str) -> Given<'v> {
    match members.iter().find(|(member, _)| *member == name) {
        None | Some((_, Value::Null)) => Given::Absent,
        Some((_, value)) => Given::Value(value),
    }
}

const MAX_ADDED_MEMBERS: u64 = 1000;

impl ObjectCheck {
    /// Returns an object in which each member has its boundary value at `index`, or its last one. `boundary_values` has
    /// those of each known member.
    fn boundary_object(
        &self,
        boundary_values: &[Vec<Value<'static>>],
        index: usize,
        includes_optional: bool,
    ) -> Option<Value<'static>> {
        self.fields()
            .iter()
            .zip(boundary_values)
            // An optional member without boundary values, such as one with the type of an object around it, is omitted.
            .filter(|(field, values)| !field.optional || includes_optional && !values.is_empty())
            .map(|(field, boundary_values)| {
                let value = boundary_values.get(index).or(boundary_values.last())?;
                Some((Cow::Owned(field.name.clone()), value.clone()))
            })
            .collect::<Option<_>>()
            .map(Value::Map)
    }

    /// `examples` has those of all known members.
    fn example_object(
        &self,
        examples: &[Option<Value<'static>>],
        is_selected: impl Fn(&ObjectField) -> bool,
    ) -> Option<Value<'static>> {
        let mut members = Vec::new();
        for (field, example) in self.fields().iter().zip(examples).filter(|(field, _)| is_selected(field)) {
            match example {
                Some(value) => members.push((Cow::Owned(field.name.clone()), value.clone())),
                None if field.optional => {}
                None => return None,
            }
        }
        Some(Value::Map(members))
    }

    /// Adds generated members to an object that has too few members, or that would be an empty example.
    fn with_added_members(&self, object: Value<'static>) -> Value<'static> {
        let Value::Map(mut members) = object else { return object };
        let min = if self.fields.is_none() && self.member_count.max != Some(0) { 1 } else { 0 };
        let min = self.member_count.min.unwrap_or(0).max(min);
        let numbered = (2..=MAX_ADDED_MEMBERS).map(|number| format!("key{number}"));
        let names = std::iter::once("key".to_owned()).chain(numbered);
        let mut names = names.filter(|name| !self.indexes.contains_key(name.as_str()) && !self.is_closed);
        while (members.len() as u64) < min
            && let Some(name) = names.next()
        {
            members.push((Cow::Owned(name), Value::Text(Cow::Borrowed("value"))));
        }
        Value::Map(members)
    }
}

/// Returns the example that the definition gives for a member, or else a generated one.
fn example_of(field: &ObjectField) -> Option<Value<'static>> {
    field.example.as_ref().map(Value::from).or_else(|| field.check.example())
}

const MAX_DISTANCE: usize = 8;

#[derive(Debug)]
struct Candidate {
    value: Value<'static>,
    /// The form of the value that the check of the type returns.
    checked: Value<'static>,
}

/// Returns values for each type, beginning with its preferred one. The values near the limits of one type are also
/// those of the others, so that the types can have equal values, and different values in any order.
fn candidate_values(checks: &[&dyn Check], preferred: &[Option<Value<'static>>]) -> Vec<Vec<Candidate>> {
    let distance = i64::try_from(checks.len().min(MAX_DISTANCE)).unwrap_or(0);
    let near = |value: &Value<'static>| -> Vec<Value<'static>> {
        let steps = (1..=distance).chain((1..=distance).map(|step| -step));
        std::iter::once(value.clone()).chain(steps.flat_map(|steps| shifted(value, steps))).collect()
    };
    let typical = checks.iter().flat_map(|check| check.example().into_iter().chain(check.boundary_values()));
    let typical: Vec<Value<'static>> = preferred.iter().flatten().cloned().chain(typical).collect();
    let all: Vec<Value<'static>> = typical.iter().cloned().chain(typical.iter().flat_map(near)).collect();
    let of_type = |(check, preferred): (&&dyn Check, &Option<Value<'static>>)| {
        let first = preferred.iter().flat_map(near);
        let mut seen = HashSet::new();
        let values = first.chain(all.iter().cloned()).filter(|value| seen.insert(value.to_json().to_string()));
        let candidate = |value: Value<'static>| Some(Candidate { checked: check.checked(value.clone()).ok()?, value });
        values.filter_map(candidate).collect()
    };
    checks.iter().zip(preferred).map(of_type).collect()
}

/// Returns values that are greater than a number or a date by a number of steps, which can be negative.
fn shifted(value: &Value<'static>, steps: i64) -> Vec<Value<'static>> {
    match value {
        Value::Int(int) => int.checked_add(steps).map(Value::Int).into_iter().collect(),
        Value::Uint(uint) => uint.checked_add_signed(steps).map(Value::Uint).into_iter().collect(),
        Value::Float(float) => {
            let steps = steps as f64;
            [float + steps, (float * 10.0 + steps) / 10.0].map(Value::Float).into()
        }
        Value::Text(text) => {
            let texts = [shifted_by_days(text, steps), shifted_by_seconds(text, steps)];
            texts.into_iter().flatten().map(|text| Value::Text(text.into())).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns a text that begins with a date (`YYYY-MM-DD`) with another date.
fn shifted_by_days(text: &str, days: i64) -> Option<String> {
    let (date, rest) = text.split_at_checked("YYYY-MM-DD".len())?;
    let date: Date = date.parse().ok()?;
    Some(format!("{}{rest}", date.checked_add(Span::new().days(days)).ok()?))
}

/// Returns a text that begins with a date and a time (`YYYY-MM-DDThh:mm:ss`) with another time.
fn shifted_by_seconds(text: &str, seconds: i64) -> Option<String> {
    let (date_and_time, rest) = text.split_at_checked("YYYY-MM-DDThh:mm:ss".len())?;
    let (date, after_date) = date_and_time.split_at_checked("YYYY-MM-DD".len())?;
    let (separator, time) = after_date.split_at_checked(1)?;
    let date_time: DateTime = format!("{date}T{time}").parse().ok()?;
    let shifted = date_time.checked_add(Span::new().seconds(seconds)).ok()?;
    Some(format!("{}{separator}{}{rest}", shifted.date(), shifted.time()))
}

// The search that changes generated objects so that they fulfill the constraints between their members, and have an
// allowed number of members, first chooses which members the object has, and then the values of the members that
// constraints compare. It prefers the members and values of the generated object.

/// The maximum number of choices that are tried for one object.
const MAX_STEPS: u32 = 20_000;
/// The maximum number of known members of an object for which the search is made. It is recursive.
const MAX_MEMBERS: usize = 500;

impl ObjectCheck {
    /// Returns an object with other members or values that fulfills the constraints, or else the object itself.
    fn fulfill_constraints(&self, object: Value<'static>) -> Value<'static> {
        let Value::Map(members) = object else { return object };
        if self.broken_constraint(&members).is_none() && self.member_count.contains_count(members.len()) {
            return Value::Map(members);
        }
        let is_searched = self.fields().len() <= MAX_MEMBERS;
        match is_searched.then(|| Search::new(self, &members).choose_members(0)).flatten() {
            None => Value::Map(members),
            Some(values) => {
                let named = self.fields().iter().zip(values);
                Value::Map(named.filter_map(|(field, value)| Some((Cow::Owned(field.name.clone()), value?))).collect())
            }
        }
    }
}

/// The values of an object's known members, in the order of the definition. `None` stands for an omitted member.
type MemberValues = Vec<Option<Value<'static>>>;

struct Search<'o> {
    object: &'o ObjectCheck,
    /// The value that each known member has if it is given.
    values: MemberValues,
    /// Whether each known member is in the generated object.
    was_given: Vec<bool>,
    /// The indexes of the known members in the order in which the search decides whether they are given.
    order: Vec<usize>,
    /// Whether each known member is given; `None` if this is not decided.
    given: Vec<Option<bool>>,
    /// The index of each compared member, and the values that it can have.
    candidates: Vec<(usize, Vec<Candidate>)>,
    left_steps: u32,
}

impl<'o> Search<'o> {
    fn new(object: &'o ObjectCheck, members: &[(Cow<'_, str>, Value<'static>)]) -> Self {
        let fields = object.fields();
        // A member that is null is not given.
        let given_value = |name: &str| {
            let member = members.iter().find(|(member, value)| *member == name && *value != Value::Null);
            member.map(|(_, value)| value.clone())
        };
        let given_values: MemberValues = fields.iter().map(|field| given_value(&field.name)).collect();
        let was_given = given_values.iter().map(Option::is_some).collect();
        let values =
            fields.iter().zip(given_values).map(|(field, value)| value.or_else(|| example_of(field))).collect();
        let is_named =
            |index: &usize| object.constraints.iter().any(|constraint| constraint.names.contains(&fields[*index].name));
        let (named, others): (Vec<usize>, Vec<usize>) = (0..fields.len()).partition(is_named);
        let given = vec![None; fields.len()];
        let order = named.into_iter().chain(others).collect();
        Self { object, values, was_given, order, given, candidates: Vec::new(), left_steps: MAX_STEPS }
    }

    /// Decides which members are given, from the position `at` in the order. Returns the values of all members.
    fn choose_members(&mut self, at: usize) -> Option<MemberValues> {
        self.left_steps = self.left_steps.checked_sub(1)?;
        let Some(&index) = self.order.get(at) else { return self.choose_values() };
        let field = &self.object.fields()[index];
        let options: &[bool] = match (field.optional, &self.values[index], self.was_given[index]) {
            (false, Some(_), _) => &[true],
            (false, None, _) => return None,
            (true, None, _) => &[false],
            (true, Some(_), true) => &[true, false],
            (true, Some(_), false) => &[false, true],
        };
        for &option in options {
            self.given[index] = Some(option);
            if self.has_possible_count() && self.fulfills_decided_constraints() {
                let found = self.choose_members(at + 1);
                if found.is_some() {
                    return found;
                }
            }
        }
        self.given[index] = None;
        None
    }

    /// Returns `false` if the object cannot have an allowed number of members. One that is not closed can have others.
    fn has_possible_count(&self) -> bool {
        let count = self.given.iter().filter(|given| **given == Some(true)).count() as u64;
        let possible = self.given.iter().zip(&self.values);
        let possible = possible.filter(|(given, value)| given.unwrap_or(value.is_some())).count() as u64;
        let usable = self.values.iter().flatten().count() as u64;
        let min = self.object.member_count.min.unwrap_or(0);
        let min = if self.object.is_closed { min } else { min.min(usable) };
        possible >= min && self.object.member_count.max.is_none_or(|max| count <= max)
    }

    /// Checks those constraints for which the set of given members is already decided. Values are not compared.
    fn fulfills_decided_constraints(&self) -> bool {
        let is_given = |name: &str| self.object.indexes.get(name).and_then(|index| self.given[*index]);
        let given = |name: &str| if is_given(name) == Some(true) { Given::Invalid } else { Given::Absent };
        let mut constraints = self.object.constraints.iter();
        constraints.all(|constraint| {
            constraint.names.iter().any(|name| is_given(name).is_none())
                || constraint.check(&given, &str::to_owned).is_none()
        })
    }

    /// Returns the values of all members after it is decided which of them are given.
    fn choose_values(&mut self) -> Option<MemberValues> {
        let object = self.object;
        let compares = |name: &String| {
            object
                .constraints
                .iter()
                .any(|constraint| constraint.kind.compares_values() && constraint.names.contains(name))
        };
        let fields = object.fields();
        let compared =
            (0..fields.len()).filter(|index| self.given[*index] == Some(true) && compares(&fields[*index].name));
        let compared: Vec<usize> = compared.collect();
        let checks: Vec<_> = compared.iter().map(|index| &*fields[*index].check).collect();
        let preferred: Vec<_> = compared.iter().map(|index| self.values[*index].clone()).collect();
        self.candidates = compared.into_iter().zip(candidate_values(&checks, &preferred)).collect();
        let mut chosen = Vec::new();
        if !self.choose_value(&mut chosen) {
            return None;
        }
        let mut values: MemberValues = self
            .values
            .iter()
            .zip(&self.given)
            .map(|(value, given)| value.clone().filter(|_| *given == Some(true)))
            .collect();
        for ((index, candidates), choice) in self.candidates.iter().zip(chosen) {
            values[*index] = Some(candidates[choice].value.clone());
        }
        Some(values)
    }

    /// Chooses the values of the compared members after those in `chosen`, which has the index of each candidate.
    fn choose_value(&mut self, chosen: &mut Vec<usize>) -> bool {
        let Some((_, candidates)) = self.candidates.get(chosen.len()) else { return true };
        for candidate in 0..candidates.len() {
            let Some(left) = self.left_steps.checked_sub(1) else { return false };
            self.left_steps = left;
            chosen.push(candidate);
            if self.fulfills_comparisons(chosen) && self.choose_value(chosen) {
                return true;
            }
            chosen.pop();
        }
        false
    }

    /// Values that are not chosen are not compared.
    fn fulfills_comparisons(&self, chosen: &[usize]) -> bool {
        let given = |name: &str| {
            let Some(index) = self.object.indexes.get(name) else { return Given::Absent };
            let mut values = self.candidates.iter().zip(chosen);
            match values.find(|((compared, _), _)| compared == index) {
                Some(((_, candidates), choice)) => Given::Value(&candidates[*choice].checked),
                None if self.given[*index] == Some(true) => Given::Invalid,
                None => Given::Absent,
            }
        };
        let mut constraints = self.object.constraints.iter().filter(|constraint| constraint.kind.compares_values());
        constraints.all(|constraint| constraint.check(&given, &str::to_owned).is_none())
    }
}
