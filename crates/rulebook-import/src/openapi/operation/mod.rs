//! Converts the operations of a description to methods.

mod body;
mod file_body;
mod parameter;
mod path;
mod response;
mod style;

use std::collections::{BTreeMap, HashMap, HashSet};

use rulebook_model::model::parse_date_or_time;
use serde_json::{Map, Value as Json, json};

use super::document::{Document, items, members, text};
use super::losses::{LossKind, Place};
use super::names::{cut, slug, unique_name};
use super::schema::{Converter, ORIGIN_KEY};
use super::settings;
use super::unread::is_extension;
use path::{PathTemplate, parse_path};

/// The HTTP methods of a definition, with their keys in a description.
const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("delete", "DELETE"), ("patch", "PATCH")];

/// The module of operations without a tag.
const DEFAULT_MODULE: &str = "default";

/// The maximum length of the name of a module, without a number that makes it unique. Names of files have at most 255
/// bytes.
const MAX_MODULE_BYTES: usize = 200;

/// A module of the definition.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The first tag of the operations.
    tag: String,
    pub info: String,
    /// The methods of each path.
    pub services: BTreeMap<String, Map<String, Json>>,
}

pub(super) fn convert_operations(converter: &mut Converter<'_>) -> BTreeMap<String, Module> {
    let document = converter.document;
    let place = Place::new("/paths");
    let mut operations = Operations::default();
    for (path, item) in document.read_members(document.root, "paths") {
        if is_extension(path) {
            document.record_whole(item);
            continue;
        }
        operations.convert_path(converter, path, item, &place.member(path));
    }
    // A definition has a module, also if it consists of schemas.
    if operations.modules.is_empty() {
        operations.modules.insert(DEFAULT_MODULE.to_owned(), Module::default());
    }
    for (name, module) in &mut operations.modules {
        module.info = settings::tag_info(converter, &module.tag, name);
    }
    operations.modules
}

/// The operations that have been converted.
#[derive(Default)]
struct Operations {
    modules: BTreeMap<String, Module>,
    /// The names of the modules by their tags.
    module_names: HashMap<String, String>,
    used_module_names: HashSet<String>,
    ids: HashSet<String>,
    /// The path of each service, and its module, by the path without the names of captures.
    services: HashMap<String, (PathTemplate, String)>,
}

impl Operations {
    fn convert_path<'a>(&mut self, converter: &mut Converter<'a>, path: &str, item: &'a Json, place: &Place) {
        let template = match parse_path(path) {
            Ok(template) => template,
            Err(why) => {
                converter.losses.add(LossKind::PATH, place, format!("{why}: its operations are omitted"));
                return;
            }
        };
        let document = converter.document;
        let Some((item, item_place)) = converter.resolve(item, place, "its operations are") else { return };
        let operations = METHODS.iter().filter_map(|(key, method)| Some((*key, *method, item.get(*key)?)));
        let operations: Vec<_> = operations.filter(|(.., operation)| operation.is_object()).collect();
        if operations.is_empty() {
            return;
        }
        if !template.notes.is_empty() {
            converter.losses.add(LossKind::PATH, place, template.notes.join("; "));
        }
        let shape = template.shape();
        let tag = operations.iter().find_map(|(_, _, operation)| first_tag(operation)).unwrap_or_default();
        let (template, module) = match self.services.get(&shape) {
            Some((first, module)) => (template.with_captures_of(first), module.clone()),
            None => {
                let module = self.module_name(tag);
                self.services.insert(shape, (template.clone(), module.clone()));
                (template, module)
            }
        };
        let shared = document.read_items(item, "parameters");
        for (key, method, operation) in operations {
            let operation_place = item_place.member(key);
            let services = self.modules.get(&module).map(|module| &module.services);
            let methods = services.and_then(|services| services.get(&template.text()));
            if methods.is_some_and(|methods| methods.contains_key(method)) {
                let message = "another path has the same segments: the operation is omitted";
                converter.losses.add(LossKind::PATH, &operation_place, message);
                continue;
            }
            document.record(operation);
            let context = OperationContext { template: &template, method, item_place: &item_place, shared };
            let converted = self.convert_operation(converter, operation, &operation_place, &context);
            let entry = self.modules.entry(module.clone()).or_default();
            let methods = entry.services.entry(template.text()).or_default();
            methods.entry(ORIGIN_KEY).or_insert_with(|| item_place.as_str().into());
            methods.insert(method.to_owned(), converted.into());
            if entry.tag.is_empty() {
                tag.clone_into(&mut entry.tag);
            }
            read_tags(converter, operation, &operation_place, (tag, &module));
        }
    }

    fn module_name(&mut self, tag: &str) -> String {
        if let Some(name) = self.module_names.get(tag) {
            return name.clone();
        }
        let slug = slug(tag, '-');
        let name = cut(&slug, MAX_MODULE_BYTES).trim_end_matches('-');
        // The file `app.json` has the settings.
        let name = if name.is_empty() || name == "app" { format!("{DEFAULT_MODULE}{name}") } else { name.to_owned() };
        let name = unique_name(&name, &mut self.used_module_names);
        self.module_names.insert(tag.to_owned(), name.clone());
        name
    }

    fn convert_operation<'a>(
        &mut self,
        converter: &mut Converter<'a>,
        operation: &'a Json,
        place: &Place,
        context: &OperationContext<'a, '_>,
    ) -> Map<String, Json> {
        let document = converter.document;
        let mut method = Map::new();
        if let Some(id) = document.read_text(operation, "operationId") {
            let usable: String = id.split_whitespace().collect::<Vec<_>>().join("_");
            if self.ids.insert(usable.clone()) {
                if usable != id {
                    converter.losses.add(LossKind::NAME, &place.member("operationId"), format!("the id is `{usable}`"));
                }
                method.insert("id".to_owned(), usable.into());
            } else {
                converter.losses.add(LossKind::NAME, &place.member("operationId"), "another operation has this id");
            }
        }
        method.insert("info".to_owned(), operation_info(document, operation, context).into());
        let scope = settings::scope(converter, operation, place);
        let parameters = parameter::convert_parameters(converter, operation, place, context);
        let mut responses = response::convert_responses(converter, operation, place);
        if document.read_flag(operation, "deprecated") {
            responses.options.insert("deprecated".to_owned(), json!(true));
            if let Some(sunset) =
                document.read_text(operation, "x-sunset").filter(|it| parse_date_or_time(it).is_some())
            {
                responses.options.insert("sunset".to_owned(), json!(sunset));
            }
        }
        let parts: [(&str, Json); 6] = [
            ("scope", scope.into()),
            ("in", parameters.entries.into()),
            ("constraints", parameters.constraints.into()),
            ("out", responses.outputs.into()),
            ("errors", responses.errors.into()),
            ("options", responses.options.into()),
        ];
        let is_empty = |part: &Json| items(Some(part)).is_empty() && members(Some(part)).is_empty();
        let parts = parts.into_iter().filter(|(_, part)| !is_empty(part));
        method.extend(parts.map(|(key, part)| (key.to_owned(), part)));
        method.insert(ORIGIN_KEY.to_owned(), place.as_str().into());
        method
    }
}

/// Where an operation is.
struct OperationContext<'a, 'c> {
    template: &'c PathTemplate,
    /// The HTTP method.
    method: &'static str,
    /// The place of the path.
    item_place: &'c Place,
    /// The parameters of all operations of the path.
    shared: &'a [Json],
}

/// Reads the tags of an operation, of which the first one of its path has become the module.
fn read_tags(converter: &mut Converter<'_>, operation: &Json, place: &Place, (tag, module): (&str, &str)) {
    for (index, other) in converter.document.read_items(operation, "tags").iter().enumerate() {
        let place = place.member("tags").item(index);
        if other != tag {
            converter.losses.add(LossKind::TAG, &place, format!("the operation is in the module `{module}`"));
            continue;
        }
        converter.document.record(other);
        if slug(tag, '-').len() > MAX_MODULE_BYTES {
            converter.losses.add(LossKind::NAME, &place, format!("the tag is too long: the module is `{module}`"));
        }
    }
}

fn first_tag(operation: &Json) -> Option<&str> {
    items(operation.get("tags")).iter().find_map(Json::as_str)
}

/// Returns the description of a method: the summary and the description of the operation.
fn operation_info(document: Document<'_>, operation: &Json, context: &OperationContext<'_, '_>) -> String {
    match (document.read_text(operation, "summary"), document.read_text(operation, "description")) {
        (Some(summary), Some(description)) if summary != description => format!("{summary}\n\n{description}"),
        (Some(only), _) | (_, Some(only)) => only.to_owned(),
        (None, None) => match text(operation, "operationId") {
            Some(id) => id.to_owned(),
            None => format!("{} /{}", context.method, context.template.text()),
        },
    }
}
