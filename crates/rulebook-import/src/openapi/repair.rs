//! Replaces what `rulebook check` rejects in the definition by something looser.
//!
//! The definition is checked, and each error is fixed: an invalid example or default is removed, an invalid type is
//! replaced by a looser one, and any other erroneous member is removed. This is repeated until the definition has no
//! errors. Each change is a loss at the place of the description from which the member comes.

use std::collections::HashSet;

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode, Report};
use rulebook_model::model::Api;
use serde_json::{Map, Value as Json};

use super::DefinitionFile;
use super::losses::{LossKind, Losses, Place};
use super::schema::ORIGIN_KEY;
use crate::definition::{HTTP_METHODS, MemberPath, parse, path_at, repair_rounds};

/// Changes the files until the definition has no errors. Returns the API. `root` is the description.
pub(super) fn repair(root: &Json, files: &mut [DefinitionFile], losses: &mut Losses) -> Result<Api, Report> {
    let source = |file: &DefinitionFile| ((&file.name).into(), file.text());
    let checked = repair_rounds(files, source, |file, text, errors, report| {
        // An object whose field has an error is checked without its fields, which can lead to further errors. Invalid
        // examples and defaults are removed first, and then the innermost errors.
        let has_invalid_values = report.diagnostics.iter().any(is_invalid_value);
        let errors = errors.iter().copied().filter(|error| !has_invalid_values || is_invalid_value(error));
        repair_file(root, &mut file.content, text, errors, losses)
    })?;
    Ok(checked.api)
}

fn repair_file<'e>(
    root: &Json,
    content: &mut Json,
    text: &str,
    errors: impl Iterator<Item = &'e Diagnostic>,
    losses: &mut Losses,
) -> bool {
    let Some(parsed) = parse(text) else { return false };
    let mut located: Vec<_> = errors.map(|error| (error, path_at(&parsed, error.span.start as usize))).collect();
    // An error of a constraint can be a consequence of an error of a parameter or a field.
    located.sort_by_key(|(_, path)| (constraint_end(path).is_some(), std::cmp::Reverse(path.len())));
    let mut changed = ChangedPaths::default();
    for (error, path) in located {
        // Other errors of a member that was changed, or that contains it, are found in the next round.
        if !changed.overlaps(content, &path)
            && let Some(path) = fix(root, content, &path, error, losses)
        {
            changed.insert(&path);
        }
    }
    remove_cleared_items(content, &changed);
    !changed.changed.is_empty()
}

fn is_invalid_value(error: &Diagnostic) -> bool {
    matches!(error.code, DiagnosticCode::BadExample | DiagnosticCode::BadDefault)
}

#[derive(Default)]
struct ChangedPaths {
    changed: HashSet<MemberPath>,
    /// The paths of all members that contain a changed member.
    outer: HashSet<MemberPath>,
}

impl ChangedPaths {
    fn insert(&mut self, path: &[String]) {
        self.outer.extend((0..path.len()).map(|length| path[..length].to_vec()));
        self.changed.insert(path.to_vec());
    }

    /// Returns `true` if a member was changed, or is in a changed member, or if its type contains a changed member.
    fn overlaps(&self, content: &Json, path: &[String]) -> bool {
        let is_changed = (1..=path.len()).any(|length| self.changed.contains(&path[..length]));
        // An error of an attribute, such as `closed` or a constraint, belongs to the parameter, output, field, schema
        // or method around it.
        let end = constraint_end(path);
        let around = with_origin(content, path).into_iter().find(|around| end != Some(around.len()));
        is_changed || around.is_some_and(|around| self.outer.contains(around))
    }
}

fn fix(
    root: &Json,
    content: &mut Json,
    path: &[String],
    error: &Diagnostic,
    losses: &mut Losses,
) -> Option<MemberPath> {
    let place = origin(content, path);
    let message = error.message.lines().next().unwrap_or_default();
    match error.code {
        DiagnosticCode::Syntax | DiagnosticCode::DuplicateKey | DiagnosticCode::MissingDefinition => None,
        DiagnosticCode::BadExample | DiagnosticCode::BadDefault => {
            let (key, kind) = match error.code {
                DiagnosticCode::BadExample => ("example", LossKind::EXAMPLE),
                _ => ("default", LossKind::DEFAULT),
            };
            let changed = remove_nearest(content, path, key)?;
            losses.add(kind, &place_of_value(root, &place, key), message);
            Some(changed)
        }
        DiagnosticCode::EndlessSchema => {
            let schema = content.pointer_mut(pointer(path).as_str())?;
            let count = make_references_optional(schema);
            if count == 0 {
                loosen(schema, "any");
            }
            let change = if count == 0 { "the type is `any`" } else { "its references are made optional" };
            losses.widen(LossKind::TYPE, &place, format!("{message}: {change}"));
            Some(path.to_vec())
        }
        DiagnosticCode::BadScope | DiagnosticCode::UnknownScopeVariable => {
            // Without its scope, the method would be public.
            let count = path.iter().position(|key| HTTP_METHODS.contains(&key.as_str()))? + 1;
            losses.add(LossKind::SECURITY, &place, format!("{message}: the operation is omitted"));
            remove(content, &path[..count])
        }
        DiagnosticCode::BadConstraint => {
            losses.widen(LossKind::CONSTRAINT, &place, format!("{message}: it is omitted"));
            remove(content, &path[..constraint_end(path).unwrap_or(path.len())])
        }
        code => {
            let is_type = matches!(
                code,
                DiagnosticCode::UnionOverlap
                    | DiagnosticCode::BadTypeArgument
                    | DiagnosticCode::BadBounds
                    | DiagnosticCode::MissingRange
                    | DiagnosticCode::UnknownType
                    | DiagnosticCode::BadOption
                    | DiagnosticCode::OptionalCapture
            );
            if is_type && let Some((changed, term)) = loosen_nearest(content, path) {
                losses.widen(LossKind::TYPE, &place, format!("{message}: the type is `{term}`"));
                return Some(changed);
            }
            // Items of arrays have no place of their own: the whole array is removed.
            let is_array = |at: &usize| content.pointer(pointer(&path[..*at]).as_str()).is_some_and(Json::is_array);
            let count = path.iter().position(|key| is_index(key)).filter(is_array).unwrap_or(path.len());
            let kind = match code {
                DiagnosticCode::BadUri | DiagnosticCode::UriCollision | DiagnosticCode::ReservedName => LossKind::PATH,
                DiagnosticCode::BadName | DiagnosticCode::NameCollision | DiagnosticCode::IdCollision => LossKind::NAME,
                _ => LossKind::TYPE,
            };
            let message = format!("{message}: it is omitted");
            match kind {
                LossKind::TYPE => losses.widen(kind, &place, message),
                _ => losses.add(kind, &place, message),
            }
            remove(content, &path[..count])
        }
    }
}

/// Returns the place of the example or the default at `place`: of this value, of its schema, or of the media type
/// around it. Returns `place` if it has no such value.
fn place_of_value(root: &Json, place: &Place, key: &str) -> Place {
    let parent = place.as_str().rsplit_once('/').map(|(parent, _)| Place::new(parent));
    let around = [Some(place.clone()), Some(place.member("schema")), parent];
    let places = around.iter().flatten().flat_map(|around| [around.member(key), around.member(&format!("{key}s"))]);
    places.into_iter().find(|place| root.pointer(place.as_str()).is_some()).unwrap_or_else(|| place.clone())
}

/// Returns the place in the description from which the member at `path` comes.
fn origin(content: &Json, path: &[String]) -> Place {
    let around = with_origin(content, path).first().map(|around| pointer(around).member(ORIGIN_KEY));
    let origin = around.and_then(|origin| content.pointer(origin.as_str())?.as_str());
    origin.map(Place::new).unwrap_or_default()
}

/// Returns the paths of the members around the member at `path`, and its own, that come from a place in the
/// description, from the innermost to the outermost.
fn with_origin<'p>(content: &Json, path: &'p [String]) -> Vec<&'p [String]> {
    let has_origin = |path: &&[String]| content.pointer(pointer(path).member(ORIGIN_KEY).as_str()).is_some();
    (1..=path.len()).rev().map(|length| &path[..length]).filter(has_origin).collect()
}

fn pointer(path: &[String]) -> Place {
    path.iter().fold(Place::default(), |place, key| place.member(key))
}

fn is_index(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_digit())
}

fn constraint_end(path: &[String]) -> Option<usize> {
    let list = (1..path.len()).rfind(|at| path[at - 1] == "constraints" && is_index(&path[*at]))?;
    Some(list + 1)
}

/// Removes the member at `path`. An item of an array is replaced by null, so that the indexes of the others stay valid.
fn remove(content: &mut Json, path: &[String]) -> Option<MemberPath> {
    let (key, parent) = path.split_last()?;
    match content.pointer_mut(pointer(parent).as_str())? {
        Json::Array(items) => *items.get_mut(key.parse::<usize>().ok()?)? = Json::Null,
        other => drop(other.as_object_mut()?.shift_remove(key)?),
    }
    Some(path.to_vec())
}

/// Removes the items that [`remove`] has replaced by null, and the arrays that become empty.
fn remove_cleared_items(content: &mut Json, changed: &ChangedPaths) {
    for path in &changed.changed {
        let Some((_, array_path)) = path.split_last() else { continue };
        let Some(Json::Array(items)) = content.pointer_mut(pointer(array_path).as_str()) else { continue };
        items.retain(|item| !item.is_null());
        if items.is_empty() {
            remove(content, array_path);
        }
    }
}

/// Removes the member `key` of the innermost object on a path that has it.
fn remove_nearest(content: &mut Json, path: &[String], key: &str) -> Option<MemberPath> {
    let key = [key.to_owned()];
    let mut around = with_origin(content, path).into_iter();
    around.find(|around| remove(content, &[*around, &key].concat()).is_some()).map(<[String]>::to_vec)
}

/// Replaces the type of the innermost parameter, output, field or schema on a path by a looser one. Returns its path
/// and the new type; `None` if no type is looser.
fn loosen_nearest(content: &mut Json, path: &[String]) -> Option<(MemberPath, String)> {
    let path = *with_origin(content, path).first()?;
    let value = content.pointer_mut(pointer(path).as_str())?;
    let is_schema = path.len() == 2 && path[0] == "schemas";
    let term = value.get("type").and_then(Json::as_str);
    if term.is_none() && !is_schema {
        return None;
    }
    let is_capture = path.last()?.starts_with('{');
    let optional = if term.is_some_and(|term| term.starts_with('?')) && !is_capture { "?" } else { "" };
    let looser = if is_capture { "string".to_owned() } else { format!("{optional}any") };
    if term == Some(&looser) && value.as_object()?.len() <= 3 {
        return None;
    }
    loosen(value, &looser);
    Some((path.to_vec(), looser))
}

/// Replaces the type of a parameter, an output, a field or a schema, and removes its attributes.
fn loosen(value: &mut Json, term: &str) {
    let Some(object) = value.as_object_mut() else { return };
    let mut looser = Map::new();
    for key in ["info", "name"] {
        looser.extend(object.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    looser.insert("type".to_owned(), term.into());
    looser.extend(object.shift_remove(ORIGIN_KEY).map(|value| (ORIGIN_KEY.to_owned(), value)));
    *object = looser;
}

/// Makes the fields of a schema that are schemas optional. Returns their number.
fn make_references_optional(schema: &mut Json) -> usize {
    let Some(fields) = schema.get_mut("fields").and_then(Json::as_object_mut) else { return 0 };
    let mut count = 0;
    for field in fields.values_mut() {
        let Some(term) = field.get("type").and_then(Json::as_str) else { continue };
        let is_array = term.starts_with("array<") && field.get("min").is_none();
        let is_open = term.starts_with(|char: char| char.is_ascii_uppercase() || char == '_') || term == "object";
        if !is_array && (is_open || !term.starts_with('?')) {
            let optional = format!("?{term}");
            field["type"] = optional.into();
            count += 1;
        }
    }
    count
}
