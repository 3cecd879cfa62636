//! What a method returns: fields by their paths, put into each other.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::super::super::keys::rules::{RETURN, RETURN_TYPES, meaning};
use super::super::super::object::Object;
use super::super::super::written::{Attribute, Output, TypeText};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// The most levels that a path has. Readers of the fields may recurse.
const MAX_DEPTH: usize = 32;

/// Fields that stand beside each other, in the order of the text.
#[derive(Default)]
struct Fields {
    list: Vec<Field>,
    by_name: HashMap<String, usize>,
}

/// A field, and what stands in it.
#[derive(Default)]
struct Field {
    name: Placed<String>,
    said: Option<Said>,
    /// What each item of it is, where paths go on with `[]`.
    items: Option<Box<Field>>,
    fields: Fields,
}

/// What is said of a field.
struct Said {
    term: Option<Placed<String>>,
    info: Option<Placed<String>>,
    attributes: Vec<(Placed<String>, Placed<Json>)>,
    example: Option<Placed<Json>>,
    place: Place,
    damaged: bool,
}

/// Reads `@return`.
pub(super) fn returns(object: &mut Object<'_>, faults: &mut Vec<Diagnostic>) -> Vec<Output> {
    let said = object.named("@return", &RETURN, faults, |path, object, _| (path, said(object)));
    let mut fields = Fields::default();
    for (path, said) in said {
        let depth = path.value.matches("[]").count() + path.value.matches('.').count();
        if depth >= MAX_DEPTH {
            let message = format!("fields nest at most {MAX_DEPTH} deep");
            faults.push(Diagnostic::new(Code::BadName, path.place, message).label("too deep"));
            object.damaged = true;
            continue;
        }
        fields.put(&path, said);
    }
    fields.outputs(faults)
}

fn said(object: &Object<'_>) -> Said {
    let attribute = |name: &str| {
        let member = object.members().find(|member| member.key.value == name)?;
        Some((member.key.clone(), Placed::new(member.value.json(), member.value.place)))
    };
    let mut term = object.text("type");
    let mut attributes: Vec<_> = ["format", "range"].into_iter().filter_map(attribute).collect();
    let is_date = |term: &Placed<String>| bare(&term.value).eq_ignore_ascii_case("date");
    let in_seconds = |(key, value): &(Placed<String>, Placed<Json>)| {
        let text = value.value.as_str().unwrap_or_default();
        key.value == "format" && text.eq_ignore_ascii_case("timestamp")
    };
    if term.as_ref().is_some_and(is_date) && attributes.iter().any(in_seconds) {
        attributes.retain(|attribute| !in_seconds(attribute));
        term = term.map(|term| term.map(|term| term.replace(bare(&term), "int")));
    }
    Said {
        term,
        info: object.text("desc").filter(|text| !text.value.trim().is_empty()),
        attributes,
        example: object.json("example"),
        place: object.place,
        damaged: object.damaged,
    }
}

impl Fields {
    /// Puts what is said of a path to its place: `list[].id` into the items of `list`.
    fn put(&mut self, path: &Placed<String>, said: Said) {
        let mut fields = self;
        let mut steps = path.value.split('.').peekable();
        while let Some(step) = steps.next() {
            let name = step.trim_end_matches("[]");
            let mut field = fields.of(name, path.place);
            for _ in 0..(step.len() - name.len()) / 2 {
                let new = || Box::new(Field { name: Placed::new(name.to_owned(), path.place), ..Field::default() });
                field = field.items.get_or_insert_with(new);
            }
            if steps.peek().is_none() {
                field.name.place = path.place;
                field.said = Some(said);
                return;
            }
            fields = &mut field.fields;
        }
    }

    /// The field of this name.
    fn of(&mut self, name: &str, place: Place) -> &mut Field {
        let Self { list, by_name } = self;
        let index = *by_name.entry(name.to_owned()).or_insert(list.len());
        if index == list.len() {
            list.push(Field { name: Placed::new(name.to_owned(), place), ..Field::default() });
        }
        // The table holds indices of the list only.
        &mut list[index]
    }

    fn outputs(self, faults: &mut Vec<Diagnostic>) -> Vec<Output> {
        self.list.into_iter().map(|field| field.output(faults)).collect()
    }
}

impl Field {
    fn output(mut self, faults: &mut Vec<Diagnostic>) -> Output {
        let name = self.name.clone();
        let said = self.said.as_mut();
        // A name that says nothing is told as a name, and is told once.
        let is_blank = name.value.trim().is_empty();
        let info = said.and_then(|said| said.info.take()).or_else(|| (!is_blank).then(|| name.clone()));
        let example = self.said.as_mut().and_then(|said| said.example.take());
        let (place, damaged) = self.said.as_ref().map_or((name.place, false), |said| (said.place, said.damaged));
        Output { r#type: self.r#type(faults), name, info, example, place, damaged: damaged || is_blank }
    }

    /// The type that is said, with what the paths tell of it.
    fn r#type(self, faults: &mut Vec<Diagnostic>) -> TypeText {
        let Self { name, said, items, fields } = self;
        let (term, attributes) = said.map_or((None, Vec::new()), |said| (said.term, said.attributes));
        let word = term.as_ref().map(|term| bare(&term.value));
        let meant = word.map(|word| meaning(RETURN_TYPES, word).unwrap_or(word));
        let place = term.as_ref().map_or(name.place, |term| term.place);
        let mark = if term.as_ref().is_some_and(|term| term.value.starts_with('?')) { "?" } else { "" };
        if items.is_none() && fields.list.is_empty() {
            let term = meant.map(|meant| Placed::new(format!("{mark}{meant}"), place));
            return TypeText { term, attributes, ..TypeText::default() };
        }
        let holds = if items.is_some() { "array" } else { "object" };
        if items.is_some() && !fields.list.is_empty() {
            let message = format!("`{}` has both items and fields", name.value);
            let fault = Diagnostic::new(Code::BadOption, place, message).label("an array or an object");
            faults.push(fault.help("the fields of items are written behind `[]`: `list[].id`"));
        } else if let Some(other) = meant.filter(|meant| *meant != holds) {
            let message = format!("`{}` is said to be `{other}`, but other fields stand in it", name.value);
            let fault = Diagnostic::new(Code::BadOption, place, message).label(format!("expected `{holds}`"));
            faults.push(fault.help("the fields of an object are written `info.id`, of items of an array `list[].id`"));
        }
        let Some(items) = items else {
            let term = Placed::new(format!("{mark}object"), place);
            let fields = Some(Placed::new(fields.outputs(faults), place));
            return TypeText { term: Some(term), attributes, fields, ..TypeText::default() };
        };
        let mut list = beside(items.r#type(faults), attributes);
        list.term = list.term.map(|item| Placed::new(format!("{mark}array<{}>", item.value), place));
        list
    }
}

/// The type of items with what stands beside it put into `items`, beside what is said of their array.
fn beside(item: TypeText, mut attributes: Vec<Attribute>) -> TypeText {
    let TypeText { term, attributes: own, items: deeper, fields } = item;
    let term = term.unwrap_or_else(|| Placed::new("any".to_owned(), Place::default()));
    let inside = |(key, value): &Attribute| (key.clone().map(|key| format!("items.{key}")), value.clone());
    let items = own.iter().chain(&deeper).map(inside).collect();
    if let Some((key, _)) = own.first() {
        let place = key.place;
        let held: Map<_, _> = own.into_iter().map(|(key, value)| (key.value, value.value)).collect();
        attributes.push((Placed::new("items".to_owned(), place), Placed::new(Json::Object(held), place)));
    }
    TypeText { term: Some(term), attributes, items, fields }
}

/// A type without the mark that it may be missing.
fn bare(term: &str) -> &str {
    term.strip_prefix('?').unwrap_or(term)
}
