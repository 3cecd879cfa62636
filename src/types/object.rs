//! `object`: JSON's objects, with known members or without.
//!
//! Members that are not known pass. A member that may be missing may be null
//! too. Of a member that stands twice the last counts, as with most JSON readers.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::any::decode_json;
use super::bounds::Bounds;
use super::check::{example, passing};
use super::nullable::nullable_schema;
use super::{ArgumentError, Arguments, Check, Field, Takes, Written};
use crate::call::{Mismatch, Value};

#[derive(Debug)]
struct Object {
    count: Bounds<u64>,
    /// The known members, in the order in which they are written; none where no `fields` are.
    fields: Option<Vec<Field>>,
    /// Where each of them stands in that order.
    places: HashMap<String, usize>,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    Ok(Arc::new(read(arguments)?))
}

/// An object that is not empty.
pub(super) fn filled(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    let object = read(arguments)?;
    Ok(Arc::new(Object { count: object.count.filled()?, ..object }))
}

fn read(arguments: &Arguments<'_>) -> Result<Object, ArgumentError> {
    arguments.no_terms()?;
    let is_file = |field: &&Field| matches!(field.check.takes(), Takes::File | Takes::Files);
    if let Some(field) = arguments.fields.and_then(|fields| fields.iter().find(is_file)) {
        let error = arguments.bad(format!("the member `{}` is a file", field.name)).at("fields");
        return Err(error.help("a file is a parameter of its own: it comes in a part of a multipart body"));
    }
    let fields = arguments.fields.map(<[Field]>::to_vec);
    let places = fields.iter().flatten().enumerate().map(|(place, field)| (field.name.clone(), place)).collect();
    Ok(Object { count: Bounds::read(arguments, false)?, fields, places })
}

/// The members of an object with the last one alone where a name stands more than once.
pub(super) fn last_of_each<'a>(mut members: Vec<(Cow<'a, str>, Value<'a>)>) -> Vec<(Cow<'a, str>, Value<'a>)> {
    let mut seen = HashSet::with_capacity(members.len());
    let last: Vec<bool> = members.iter().rev().map(|(name, _)| seen.insert(&**name)).collect();
    if seen.len() < members.len() {
        drop(seen);
        let mut last = last.into_iter().rev();
        members.retain(|_| last.next().unwrap_or(true));
    }
    members
}

impl Object {
    fn fields(&self) -> &[Field] {
        self.fields.as_deref().unwrap_or_default()
    }

    /// An object of the `index`-th extreme of each member, or of its last one;
    /// without those that may be missing where `all` is false.
    fn extreme(&self, extremes: &[Vec<Value<'static>>], index: usize, all: bool) -> Option<Value<'static>> {
        self.fields()
            .iter()
            .zip(extremes)
            .filter(|(field, _)| all || !field.optional)
            .map(|(field, extremes)| {
                let value = extremes.get(index).or(extremes.last())?;
                Some((Cow::Owned(field.name.clone()), value.clone()))
            })
            .collect::<Option<_>>()
            .map(Value::Map)
    }

    /// An object of these members, and of others where they are too few.
    fn shown(&self, wanted: impl Fn(&Field) -> bool) -> Option<Value<'static>> {
        let mut members = Vec::new();
        for field in self.fields().iter().filter(|field| wanted(field)) {
            let declared = field.example.as_ref().map(Value::from);
            match declared.or_else(|| field.check.example()) {
                Some(value) => members.push((Cow::Owned(field.name.clone()), value)),
                None if field.optional => {}
                None => return None,
            }
        }
        let least = if self.fields.is_none() && self.count.max != Some(0) { 1 } else { 0 };
        let least = self.count.min.unwrap_or(0).max(least);
        let numbered = (2..=MORE).map(|number| format!("key{number}"));
        let names = std::iter::once("key".to_owned()).chain(numbered);
        let mut names = names.filter(|name| !self.places.contains_key(name));
        while (members.len() as u64) < least {
            members.push((Cow::Owned(names.next()?), Value::Text(Cow::Borrowed("value"))));
        }
        Some(Value::Map(members))
    }
}

/// The most members that are added to an example.
const MORE: u64 = 64;

impl Check for Object {
    fn decode<'a>(&self, text: Cow<'a, str>) -> Value<'a> {
        decode_json(text, &['{'])
    }

    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let Value::Map(members) = value else {
            return Err(Mismatch::new(self.expected(), &value));
        };
        let mut members = last_of_each(members);
        if !self.count.holds(members.len()) {
            return Err(Mismatch::new(self.expected(), &Value::Map(members)));
        }
        let mut found = vec![false; self.fields().len()];
        for (name, member) in &mut members {
            let Some(&place) = self.places.get(&**name) else {
                continue;
            };
            found[place] = true;
            let field = &self.fields()[place];
            let value = std::mem::replace(member, Value::Null);
            if !(field.optional && value == Value::Null) {
                let checked = field.check.check(value);
                *member = checked.map_err(|mismatch| mismatch.inside(&format!(".{name}")))?;
            }
        }
        match self.fields().iter().zip(found).find(|(field, found)| !found && !field.optional) {
            Some((missing, _)) => {
                let mismatch = Mismatch::with_got(missing.check.expected(), "nothing");
                Err(mismatch.inside(&format!(".{}", missing.name)))
            }
            None => Ok(Value::Map(members)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("an object{}", self.count.count("member")).into()
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        if !self.fields().is_empty() {
            let properties: Map<_, _> =
                self.fields().iter().map(|field| (field.name.clone(), describe(field))).collect();
            schema.insert("properties".to_owned(), Json::Object(properties));
            let required: Vec<_> = self.fields().iter().filter(|field| !field.optional).collect();
            if !required.is_empty() {
                let names: Vec<_> = required.into_iter().map(|field| &field.name).collect();
                schema.insert("required".to_owned(), json!(names));
            }
        }
        self.count.describe(&mut schema, "minProperties", "maxProperties");
        Json::Object(schema)
    }

    fn written(&self) -> Written {
        let mut written = self.count.attributes("object");
        if let Some(fields) = &self.fields {
            let fields: Map<_, _> = fields.iter().map(|field| (field.name.clone(), write(field))).collect();
            written.attributes.insert("fields".to_owned(), Json::Object(fields));
        }
        written
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let extremes: Vec<_> = self.fields().iter().map(|field| field.check.extremes()).collect();
        let most = extremes.iter().map(Vec::len).max().unwrap_or(0);
        let mut candidates: Vec<_> =
            (0..most.max(1)).filter_map(|index| self.extreme(&extremes, index, true)).collect();
        candidates.extend(self.extreme(&extremes, 0, false));
        passing(self, candidates)
    }

    fn example(&self) -> Option<Value<'static>> {
        let all = self.shown(|_| true);
        let required = self.shown(|field| !field.optional);
        example(self, [all, required].into_iter().flatten())
    }
}

/// A member in the schema, with what documents want to know of it.
fn describe(field: &Field) -> Json {
    let mut schema = field.check.schema();
    if field.optional && !field.check.takes_null() {
        schema = nullable_schema(schema);
    }
    if let Json::Object(schema) = &mut schema {
        if !field.info.is_empty() {
            schema.insert("description".to_owned(), json!(field.info));
        }
        if let Some(example) = &field.example {
            schema.insert("examples".to_owned(), json!([example]));
        }
    }
    schema
}

/// A member as the definition writes it.
fn write(field: &Field) -> Json {
    let written = field.check.written();
    let optional = if field.optional { "?" } else { "" };
    let mut json = Map::new();
    json.insert("info".to_owned(), json!(field.info));
    json.insert("type".to_owned(), json!(format!("{optional}{}", written.term)));
    json.extend(written.attributes);
    if let Some(example) = &field.example {
        json.insert("example".to_owned(), example.clone());
    }
    Json::Object(json)
}
