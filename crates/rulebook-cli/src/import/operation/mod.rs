//! Converts the operations of a description to methods.

mod body;
mod parameter;
mod path;
mod response;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value as Json, json};

use super::document::{is_true, items, members, text};
use super::losses::{LossKind, Place};
use super::names::{slug, unique_name};
use super::schema::{Converter, ORIGIN_KEY};
use super::security;
use path::{PathTemplate, parse_path};

/// The HTTP methods of a definition, with their keys in a description.
const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("delete", "DELETE"), ("patch", "PATCH")];

/// The keys of a path besides its operations, which are read elsewhere.
const PATH_KEYS: [&str; 5] = ["$ref", "description", "parameters", "servers", "summary"];

/// The keys of an operation that are read, or reported, here.
const OPERATION_KEYS: [&str; 12] = [
    "callbacks",
    "deprecated",
    "description",
    "externalDocs",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "security",
    "servers",
    "summary",
    "tags",
];

/// The module of operations without a tag.
const DEFAULT_MODULE: &str = "default";

/// A module of the definition.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The first tag of the operations.
    pub tag: String,
    /// The methods of each path.
    pub services: BTreeMap<String, Map<String, Json>>,
}

/// Converts all operations. Returns the modules by their names.
pub(super) fn convert_operations(converter: &mut Converter<'_>) -> BTreeMap<String, Module> {
    let root = converter.document.root;
    let place = Place::new("/paths");
    let mut operations = Operations::default();
    for (path, item) in members(root.get("paths")) {
        if path.starts_with("x-") {
            continue;
        }
        operations.convert_path(converter, path, item, &place.member(path));
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
        let (item, item_place) = match converter.document.resolve(item, place) {
            Ok(resolved) => resolved,
            Err(reference) => {
                converter.losses.add(LossKind::Reference, place, format!("`{reference}` leads nowhere"));
                return;
            }
        };
        for key in members(Some(item)).keys().filter(|key| !key.starts_with("x-")) {
            let is_method = METHODS.iter().any(|(name, _)| name == key);
            // Every service with GET has HEAD, and the server handles OPTIONS.
            let is_implied = (key == "head" && item.get("get").is_some()) || key == "options";
            if !is_method && !is_implied && !PATH_KEYS.contains(&key.as_str()) {
                let message = "a definition has no such HTTP method: the operation is omitted";
                converter.losses.add(LossKind::Method, &item_place.member(key), message);
            }
        }
        if item.get("servers").is_some() {
            converter.losses.add(LossKind::Server, &item_place.member("servers"), "servers belong to the whole API");
        }
        if METHODS.iter().all(|(key, _)| item.get(*key).is_none()) {
            return;
        }
        let template = match parse_path(path) {
            Ok(template) => template,
            Err(why) => {
                converter.losses.add(LossKind::Path, place, format!("{why}: its operations are omitted"));
                return;
            }
        };
        if !template.notes.is_empty() {
            converter.losses.add(LossKind::Path, place, template.notes.join("; "));
        }
        let shape = template.shape();
        let tag = METHODS.iter().filter_map(|(key, _)| item.get(*key)).find_map(first_tag).unwrap_or_default();
        let (template, module) = match self.services.get(&shape) {
            Some((first, module)) => (template.with_captures_of(first), module.clone()),
            None => {
                let module = self.module_name(tag);
                self.services.insert(shape, (template.clone(), module.clone()));
                (template, module)
            }
        };
        let shared = items(item.get("parameters"));
        for (key, method) in METHODS {
            let Some(operation) = item.get(key) else { continue };
            let operation_place = item_place.member(key);
            let context = OperationContext { template: &template, method, item_place: &item_place, shared };
            let converted = self.convert_operation(converter, operation, &operation_place, &context);
            let entry = self.modules.entry(module.clone()).or_default();
            let methods = entry.services.entry(template.text()).or_default();
            methods.entry(ORIGIN_KEY).or_insert_with(|| item_place.as_str().into());
            if methods.contains_key(method) {
                let message = "another path has the same segments: the operation is omitted";
                converter.losses.add(LossKind::Path, &operation_place, message);
                continue;
            }
            methods.insert(method.to_owned(), converted.into());
            if entry.tag.is_empty() {
                tag.clone_into(&mut entry.tag);
            }
            for (index, other) in items(operation.get("tags")).iter().enumerate() {
                if other.as_str().is_some_and(|other| other != tag) {
                    let message = format!("the operation is in the module `{module}`");
                    converter.losses.add(LossKind::Tag, &operation_place.member("tags").item(index), message);
                }
            }
        }
    }

    /// Returns the name of the module for a tag.
    fn module_name(&mut self, tag: &str) -> String {
        if let Some(name) = self.module_names.get(tag) {
            return name.clone();
        }
        let name = slug(tag, '-');
        // The file `app.json` has the settings.
        let name = if name.is_empty() || name == "app" { format!("{DEFAULT_MODULE}{name}") } else { name };
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
        report_operation(converter, operation, place);
        let mut method = Map::new();
        if let Some(id) = text(operation, "operationId") {
            let usable: String = id.split_whitespace().collect::<Vec<_>>().join("_");
            if self.ids.insert(usable.clone()) {
                if usable != id {
                    converter.losses.add(LossKind::Name, &place.member("operationId"), format!("the id is `{usable}`"));
                }
                method.insert("id".to_owned(), usable.into());
            } else {
                converter.losses.add(LossKind::Name, &place.member("operationId"), "another operation has this id");
            }
        }
        method.insert("info".to_owned(), operation_info(operation, context).into());
        let scope = security::scope(converter, operation, place);
        if !scope.is_empty() {
            method.insert("scope".to_owned(), scope.into());
        }
        let parameters = parameter::convert_parameters(converter, operation, place, context);
        if !parameters.is_empty() {
            method.insert("in".to_owned(), parameters.into());
        }
        let responses = response::convert_responses(converter, operation, place);
        if !responses.outputs.is_empty() {
            method.insert("out".to_owned(), responses.outputs.into());
        }
        if !responses.errors.is_empty() {
            method.insert("errors".to_owned(), responses.errors.into());
        }
        let mut options = responses.options;
        if is_true(operation, "deprecated") {
            options.insert("deprecated".to_owned(), json!(true));
        }
        if !options.is_empty() {
            method.insert("options".to_owned(), options.into());
        }
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

fn first_tag(operation: &Json) -> Option<&str> {
    items(operation.get("tags")).iter().find_map(Json::as_str)
}

/// Returns the description of a method: the summary and the description of the operation.
fn operation_info(operation: &Json, context: &OperationContext<'_, '_>) -> String {
    match (text(operation, "summary"), text(operation, "description")) {
        (Some(summary), Some(description)) if summary != description => format!("{summary}\n\n{description}"),
        (Some(only), _) | (_, Some(only)) => only.to_owned(),
        (None, None) => match text(operation, "operationId") {
            Some(id) => id.to_owned(),
            None => format!("{} /{}", context.method, context.template.text()),
        },
    }
}

/// Reports the parts of an operation that a method does not have.
fn report_operation(converter: &mut Converter<'_>, operation: &Json, place: &Place) {
    for key in members(Some(operation)).keys().filter(|key| !key.starts_with("x-")) {
        let (kind, message) = match key.as_str() {
            "callbacks" => {
                for name in members(operation.get("callbacks")).keys() {
                    let place = place.member("callbacks").member(name);
                    converter.losses.add(LossKind::Callback, &place, "a definition has no callbacks");
                }
                continue;
            }
            "servers" => (LossKind::Server, "servers belong to the whole API"),
            "externalDocs" => (LossKind::Annotation, "the definition has no such note"),
            known if OPERATION_KEYS.contains(&known) => continue,
            _ => (LossKind::Annotation, "the key is unknown"),
        };
        converter.losses.add(kind, &place.member(key), message);
    }
}
