//! Reads the key `@return` of a method, which lists output fields with paths such as `list[].id`. The fields become
//! nested objects and arrays.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::super::super::checked_object::CheckedObject;
use super::super::super::keys::rules::{RETURN_FIELD, RETURN_TYPE_ALIASES, tree_name_of_alias};
use super::super::super::parsed::{Attribute, Field, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::{Span, Spanned};

/// The maximum number of levels in the path of a field, so that functions can recurse over nested fields.
const MAX_FIELD_DEPTH: usize = 32;

/// The outputs of a method, or the fields of an object, by their names in the order of the definition.
type OutputFields = IndexMap<String, OutputField>;

#[derive(Default)]
struct OutputField {
    name: Spanned<String>,
    /// The entry of `@return` that defines this field; `None` if there are entries only for nested fields.
    entry: Option<Field>,
    /// The items, if the field is an array because a path has `[]` after the name of the field.
    items: Option<Box<OutputField>>,
    /// The nested fields, if the field is an object because a path has `.` after the name of the field.
    fields: OutputFields,
}

pub(super) fn read_return_fields(object: &mut CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Field> {
    let mut entries = object
        .objects_by_name("@return", &RETURN_FIELD, diagnostics, |path, object, _| read_return_entry(path, object));
    for line in object.strings("@return").into_iter().flat_map(|lines| lines.value) {
        match read_annotation_line(&line) {
            Some(entry) => entries.push(entry),
            None => {
                let message = "a line of `@return` must be a type, a path and a description";
                let error = Diagnostic::new(DiagnosticCode::WrongKind, line.span, message).label("expected two words");
                diagnostics.push(error.help("write the annotation of PhalApi: `\"string list[].name The name\"`"));
                object.is_incomplete = true;
            }
        }
    }
    let mut fields = OutputFields::new();
    for entry in entries {
        let depth = entry.key.value.matches("[]").count() + entry.key.value.matches('.').count();
        if depth >= MAX_FIELD_DEPTH {
            let message = format!("fields are nested more than {MAX_FIELD_DEPTH} levels deep");
            diagnostics.push(Diagnostic::new(DiagnosticCode::BadName, entry.key.span, message).label("too deep"));
            object.is_incomplete = true;
            continue;
        }
        insert_entry(&mut fields, entry);
    }
    into_outputs(fields, diagnostics)
}

/// Reads a type, the path of a field and a description: `string title The title`, also after `@return`.
fn read_annotation_line(line: &Spanned<String>) -> Option<Field> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let text = line.value.trim_matches(BLANKS);
    let text = text.strip_prefix("@return").unwrap_or(text).trim_matches(BLANKS);
    let (term, rest) = text.split_once(BLANKS)?;
    let rest = rest.trim_start_matches(BLANKS);
    let (path, info) = rest.split_once(BLANKS).unwrap_or((rest, ""));
    let spanned = |text: &str| Spanned::new(text.to_owned(), line.span);
    Some(Field {
        key: spanned(path),
        info: Some(spanned(info.trim())).filter(|info| !info.value.is_empty()),
        r#type: TypeSpec { term: Some(spanned(term)), ..TypeSpec::default() },
        ..Field::default()
    })
}

fn read_return_entry(key: Spanned<String>, object: &CheckedObject<'_>) -> Field {
    let attribute = |name: &str| {
        let member = object.members().find(|member| member.key.value == name)?;
        Some((member.key.clone(), Spanned::new(member.value.json(), member.value.span)))
    };
    let mut term = object.string("type");
    let mut attributes: Vec<_> = ["format", "range"].into_iter().filter_map(attribute).collect();
    let is_date = |term: &Spanned<String>| without_question_mark(&term.value).eq_ignore_ascii_case("date");
    let is_timestamp = |(key, value): &(Spanned<String>, Spanned<Json>)| {
        let text = value.value.as_str().unwrap_or_default();
        key.value == "format" && text.eq_ignore_ascii_case("timestamp")
    };
    if term.as_ref().is_some_and(is_date) && attributes.iter().any(is_timestamp) {
        attributes.retain(|attribute| !is_timestamp(attribute));
        term = term.map(|term| term.map(|term| term.replace(without_question_mark(&term), "int")));
    }
    Field {
        key,
        info: object.string("desc").filter(|text| !text.value.trim().is_empty()),
        r#type: TypeSpec { term, attributes, ..TypeSpec::default() },
        example: object.json("example"),
        is_incomplete: object.is_incomplete,
        ..Field::default()
    }
}

/// Inserts an entry at its path. For example, the path `list[].id` is the field `id` of the items of `list`.
fn insert_entry(fields: &mut OutputFields, entry: Field) {
    let path = entry.key.clone();
    let new = |name: &str| OutputField { name: Spanned::new(name.to_owned(), path.span), ..OutputField::default() };
    let mut fields = fields;
    let mut steps = path.value.split('.').peekable();
    while let Some(step) = steps.next() {
        let name = step.trim_end_matches("[]");
        let mut field = fields.entry(name.to_owned()).or_insert_with(|| new(name));
        for _ in 0..(step.len() - name.len()) / 2 {
            field = field.items.get_or_insert_with(|| Box::new(new(name)));
        }
        if steps.peek().is_none() {
            field.name.span = path.span;
            field.entry = Some(entry);
            return;
        }
        fields = &mut field.fields;
    }
}

fn into_outputs(fields: OutputFields, diagnostics: &mut Vec<Diagnostic>) -> Vec<Field> {
    fields.into_values().map(|field| field.into_output(diagnostics)).collect()
}

impl OutputField {
    fn into_output(self, diagnostics: &mut Vec<Diagnostic>) -> Field {
        let key = self.name.clone();
        let entry = self.entry.clone().unwrap_or_default();
        // If the name is blank, `compile` reports the name. Without this exception, it would also report a missing
        // description.
        let is_blank = key.value.trim().is_empty();
        Field {
            info: entry.info.or_else(|| (!is_blank).then(|| key.clone())),
            r#type: self.into_type(diagnostics),
            is_incomplete: entry.is_incomplete || is_blank,
            key,
            ..entry
        }
    }

    /// Returns the type in the field's entry, combined with the array or object that its nested fields imply.
    fn into_type(self, diagnostics: &mut Vec<Diagnostic>) -> TypeSpec {
        let Self { name, entry, items, fields } = self;
        let TypeSpec { term, attributes, .. } = entry.map(|entry| entry.r#type).unwrap_or_default();
        let type_name = term.as_ref().map(|term| without_question_mark(&term.value));
        let type_name = type_name.map(|name| tree_name_of_alias(RETURN_TYPE_ALIASES, name).unwrap_or(name));
        // An annotation of PhalApi cannot list the values of an `enum`.
        let has_range = attributes.iter().any(|(key, _)| key.value == "range");
        let type_name = type_name.map(|name| if name == "enum" && !has_range { "string" } else { name });
        let span = term.as_ref().map_or(name.span, |term| term.span);
        let mark = if term.as_ref().is_some_and(|term| term.value.starts_with('?')) { "?" } else { "" };
        if items.is_none() && fields.is_empty() {
            let term = type_name.map(|type_name| Spanned::new(format!("{mark}{type_name}"), span));
            return TypeSpec { term, attributes, ..TypeSpec::default() };
        }
        let expected = if items.is_some() { "array" } else { "object" };
        if items.is_some() && !fields.is_empty() {
            let message = format!("`{}` has both items and fields", name.value);
            let error = Diagnostic::new(DiagnosticCode::BadOption, span, message).label("either an array or an object");
            diagnostics.push(error.help("write the fields of the items after `[]`: `list[].id`"));
        } else if let Some(other) = type_name.filter(|type_name| *type_name != expected) {
            let message = format!("`{}` has the type `{other}`, but there are fields below it", name.value);
            let error =
                Diagnostic::new(DiagnosticCode::BadOption, span, message).label(format!("expected `{expected}`"));
            diagnostics.push(
                error.help("the fields of an object are written `info.id`, those of the items of an array `list[].id`"),
            );
        }
        let Some(items) = items else {
            let term = Spanned::new(format!("{mark}object"), span);
            let fields = Some(Spanned::new(into_outputs(fields, diagnostics), span));
            return TypeSpec { term: Some(term), attributes, fields, ..TypeSpec::default() };
        };
        let mut array = array_type_with_item_attributes(items.into_type(diagnostics), attributes);
        array.term = array.term.map(|item| Spanned::new(format!("{mark}array<{}>", item.value), span));
        array
    }
}

/// Returns the type of an array's items with the attributes of the array, and those of the items as the attribute
/// `items`. The term of the result is the term of the items; the caller must convert it to the term of the array.
fn array_type_with_item_attributes(item: TypeSpec, mut attributes: Vec<Attribute>) -> TypeSpec {
    // The keys of a returned field contain no types.
    let TypeSpec { term, attributes: item_attributes, parts: deeper, nested, fields } = item;
    let term = term.unwrap_or_else(|| Spanned::new("any".to_owned(), Span::default()));
    let with_path = |(key, value): &Attribute| (key.clone().map(|key| format!("items.{key}")), value.clone());
    let parts = item_attributes.iter().chain(&deeper).map(with_path).collect();
    if let Some((key, _)) = item_attributes.first() {
        let span = key.span;
        let object: Map<_, _> = item_attributes.into_iter().map(|(key, value)| (key.value, value.value)).collect();
        attributes.push((Spanned::new("items".to_owned(), span), Spanned::new(Json::Object(object), span)));
    }
    TypeSpec { term: Some(term), attributes, parts, nested, fields }
}

fn without_question_mark(term: &str) -> &str {
    term.strip_prefix('?').unwrap_or(term)
}
