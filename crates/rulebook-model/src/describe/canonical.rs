//! Writes the model of an API as a definition in the dialect `tree`, in which the keys below `"/"` are the paths of the
//! services.
//!
//! Each field of the model is written under a key of the definition, and loading the written definition returns the
//! same model, except that all methods follow the semantics of their HTTP methods. A key whose value equals the default
//! is omitted. The functions destructure each struct except `Api` completely: if a struct gets a new field, this file
//! does not compile until it writes that field. The same functions write two forms of a definition: the full form for
//! the authors of the API, and a form for its clients, which responses to OPTIONS contain.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

use super::example::{minimal_example, type_example};
use super::parameter_format::bracket_name;
use crate::call::HttpMethod;
use crate::compile::InheritedValue;
use crate::constraint::Constraint;
use crate::diagnostic::Sources;
use crate::method_options::write_options;
use crate::model::{
    Api, DeclaredError, DefinedHandler, EnvelopeName, Method, Module, Output, OutputPlace, Parameter, ParameterType,
    Permission, RateLimit, Repeated, Schema, Scope, Segment, Service, default_method_id, default_parameter_name,
};
use crate::settings::{API_SETTINGS, SERVER_SETTINGS, one_or_many, settings_to_json};
use crate::span::Span;
use crate::types::{Check, NamedSchema, SCHEMA_REFERENCE_PREFIX, TypeExpr, replace_references};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CanonicalForm {
    /// Only keys that are allowed in a definition file.
    Full {
        /// `true` if public methods that change data are written with an empty scope.
        requires_scope: bool,
    },
    /// The keys that a client of the API needs. The settings of the server are omitted. Four keys are added:
    /// `$envelope` describes how a client decodes the members of a response, `$schema` is the JSON Schema of a
    /// parameter, `$brackets` is a field name with brackets that the parameter accepts, and `$when` contains the
    /// parameter values with which the caller may call a method.
    ForClients(SchemaReferences),
}

impl CanonicalForm {
    fn is_for_clients(self) -> bool {
        matches!(self, Self::ForClients(_))
    }

    fn full(api: &Api) -> Self {
        Self::Full { requires_scope: api.require_scope }
    }
}

/// Returns the whole API as one JSON object: the keys of `app.json`, and the key `modules`, which contains each API
/// module by its name.
#[must_use]
pub fn canonical_definition(api: &Api) -> Json {
    let form = CanonicalForm::full(api);
    let mut object = write_settings(api, form);
    object.add_unless_empty("schemas", write_schemas(&api.schemas));
    object.add_if_some("modules", Some(to_json(&ModulesObject { api, form })));
    object.into_json()
}

/// Returns the keys of `app.json` as one JSON object, without the schemas and modules.
#[must_use]
pub fn canonical_settings(api: &Api) -> Json {
    write_settings(api, CanonicalForm::full(api)).into_json()
}

pub(super) fn write_settings(api: &Api, form: CanonicalForm) -> ObjectWriter {
    let mut object = ObjectWriter::default();
    let mut values = settings_to_json(api);
    if !form.is_for_clients() {
        // The values of environment variables may be secrets, and are others on the next machine.
        values.extend(api.written_settings.clone());
    }
    let server_settings = SERVER_SETTINGS.iter().filter(|_| !form.is_for_clients());
    for setting in API_SETTINGS.iter().chain(server_settings) {
        object.add_if_some(setting.key.name, values.remove(setting.key.name));
        if form.is_for_clients() && setting.key.name == "envelope" {
            object.add_if_some("$envelope", Some(api.make_envelope(&api.envelope).decoding().to_json()));
        }
    }
    object
}

/// The API modules of an API, as the value of the key `modules`. The methods are written one by one, because all
/// methods of a large API would need much more memory as a tree of JSON values than as text.
pub(super) struct ModulesObject<'a> {
    pub(super) api: &'a Api,
    pub(super) form: CanonicalForm,
}

impl Serialize for ModulesObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { api, form } = *self;
        let module_object = |module| ModuleObject { api, module, form };
        serializer.collect_map(api.modules.iter().map(|module| (&module.name, module_object(module))))
    }
}

/// Returns a definition file that contains one service of the API and the keys of its API module. What the module
/// inherits from the API is also written: its envelope (the format of responses) and its limits of requests. A file
/// without these keys would have the default envelope and no limits.
#[must_use]
pub fn canonical_service_definition(api: &Api, module: &Module, service: &Service) -> Json {
    write_service(api, module, service, CanonicalForm::full(api)).into_json()
}

pub(super) fn write_service(api: &Api, module: &Module, service: &Service, form: CanonicalForm) -> ObjectWriter {
    let mut object = ObjectWriter::default();
    object.add_if_some("module", Some(module.name.as_str()));
    let inherited = InheritedSettings {
        envelope: (api.envelope != EnvelopeName::default()).then_some(&api.envelope),
        rate_limits: Some(&*api.rate_limits).filter(|limits| !limits.is_empty()),
    };
    let mut used = schemas_of_methods(&service.methods);
    used.sort_by(|one, other| one.name.cmp(&other.name));
    let schemas = used.iter().map(|schema| (schema.name.clone(), write_named_schema(schema))).collect();
    write_module_settings(&mut object, module, inherited, schemas);
    let services = ServicesObjects { services: std::slice::from_ref(service), form };
    object.0.extend(services.root_methods());
    object.add_unless_empty("/", to_json(&services));
    if let CanonicalForm::ForClients(references) = form {
        object.add_if_some("$envelope", Some(api.make_envelope(api.envelope_name(module)).decoding().to_json()));
        object.add_unless_empty("$defs", json_schemas(&used, references));
    }
    object
}

/// An API module. The name of the module is not in the object, because it is the key of the object.
struct ModuleObject<'a> {
    api: &'a Api,
    module: &'a Module,
    form: CanonicalForm,
}

impl Serialize for ModuleObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { api, module, form } = *self;
        let services = ServicesObjects { services: &module.services, form };
        let mut settings = ObjectWriter::default();
        let inherited = InheritedSettings::default();
        write_module_settings(&mut settings, module, inherited, write_schemas(&module.schemas));
        let mut object = serializer.serialize_map(None)?;
        for (key, value) in settings.0.into_iter().chain(services.root_methods()) {
            object.serialize_entry(&key, &value)?;
        }
        if services.services_with_path().next().is_some() {
            object.serialize_entry("/", &services)?;
        }
        if let (CanonicalForm::ForClients(_), Some(envelope)) = (form, &module.envelope) {
            object.serialize_entry("$envelope", &api.make_envelope(envelope).decoding().to_json())?;
        }
        object.end()
    }
}

/// The settings of the API that are written in API modules that do not set them.
#[derive(Clone, Copy, Default)]
struct InheritedSettings<'a> {
    envelope: Option<&'a EnvelopeName>,
    rate_limits: Option<&'a [RateLimit]>,
}

/// Writes the keys of an API module, except its services. `schemas` replace those of the module.
fn write_module_settings(object: &mut ObjectWriter, module: &Module, inherited: InheritedSettings<'_>, schemas: Json) {
    let Module { name: _, info, envelope, ignore_case, repeated, rate_limits, schemas: _, services: _, span: _ } =
        module;
    object.add_if_some("info", info.as_deref());
    object.add_if_some("envelope", envelope.as_ref().or(inherited.envelope).map(EnvelopeName::as_str));
    object.add_if_some("ignore_case", ignore_case.then_some(true));
    object.add_unless_default("repeated", repeated.into(), Repeated::default().into());
    object.add_if_some("rate_limit", rate_limits.as_deref().or(inherited.rate_limits).map(one_or_many));
    object.add_unless_empty("schemas", schemas);
}

/// The value of the key `/`, without the service of the root path: its methods are keys of the API module.
struct ServicesObjects<'a> {
    services: &'a [Service],
    form: CanonicalForm,
}

impl<'a> ServicesObjects<'a> {
    fn root_methods(&self) -> impl Iterator<Item = (String, Json)> + use<'a> {
        let form = self.form;
        self.services
            .iter()
            .filter(|service| service.path.is_empty())
            .flat_map(move |service| write_methods(service, form))
    }

    fn services_with_path(&self) -> impl Iterator<Item = &'a Service> + use<'a> {
        self.services.iter().filter(|service| !service.path.is_empty())
    }
}

impl Serialize for ServicesObjects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let methods = |service| write_methods(service, self.form).collect::<Map<_, _>>();
        serializer.collect_map(self.services_with_path().map(|service| (service.uri().split_off(1), methods(service))))
    }
}

fn write_methods(service: &Service, form: CanonicalForm) -> impl Iterator<Item = (String, Json)> {
    let Service { path, methods, span: _ } = service;
    methods.iter().map(move |method| (method.http.as_str().to_owned(), write_method(method, path, form)))
}

fn to_json(object: &impl Serialize) -> Json {
    serde_json::to_value(object).unwrap_or_default()
}

fn write_method(method: &Method, path: &[Segment], form: CanonicalForm) -> Json {
    let Method {
        id,
        http,
        info,
        scope,
        parameters,
        outputs,
        errors,
        constraints,
        handler,
        options,
        follows_http_semantics: _,
        span: _,
    } = method;
    let mut object = ObjectWriter::default();
    object.add_unless_default("id", id, &default_method_id(path, *http));
    object.add_if_some("info", Some(info.as_str()));
    match form {
        CanonicalForm::Full { requires_scope: true } if *http != HttpMethod::Get => {
            object.add_if_some("scope", Some(write_scope(scope)));
        }
        _ => object.add_unless_empty("scope", write_scope(scope)),
    }
    if form.is_for_clients() {
        object.add_if_some("$when", scope.conditions.as_ref().map(|when| json!(when)));
    }
    let parameters = parameters.iter().map(|parameter| (parameter.tree_key(), write_parameter(parameter, form)));
    object.add_unless_empty("in", Json::Object(parameters.collect()));
    let outputs = outputs.iter().filter(|output| output.place != OutputPlace::Status);
    let outputs = outputs.map(|output| (output.name.clone(), write_output(output)));
    object.add_unless_empty("out", Json::Object(outputs.collect()));
    let errors = errors.iter().map(|error| (error.name.clone(), write_error(error)));
    object.add_unless_empty("errors", Json::Object(errors.collect()));
    object.add_unless_empty("constraints", constraints.iter().map(Constraint::to_json).collect());
    // Clients do not see queries, addresses and commands.
    let handler = handler.as_ref().filter(|_| !form.is_for_clients());
    object.add_if_some("handler", handler.map(DefinedHandler::to_json));
    object.add_unless_empty("options", write_options(options));
    object.into_json()
}

fn write_scope(scope: &Scope) -> Json {
    // `conditions` depends on the caller and is not part of the definition.
    let Scope { groups, conditions: _ } = scope;
    let texts = |group: &Vec<Permission>| group.iter().map(|permission| permission.text.as_str()).collect::<Json>();
    groups.iter().map(texts).collect()
}

fn write_parameter(parameter: &Parameter, form: CanonicalForm) -> Json {
    let Parameter {
        from: _,
        key: _,
        name,
        info,
        r#type,
        optional,
        default,
        example,
        message,
        // It follows from the option `version`.
        is_entity_tag: _,
        span: _,
        type_span: _,
    } = parameter;
    let mut object = ObjectWriter::default();
    object.add_if_some("info", Some(info.as_str()));
    object.add_type(r#type, *optional);
    object.add_unless_default("name", name, default_parameter_name(&parameter.tree_key()));
    object.add_if_some("default", default.clone());
    object.add_if_some("example", example.clone());
    object.add_if_some("message", message.as_deref());
    if let CanonicalForm::ForClients(references) = form {
        object.add_if_some("$schema", Some(client_schema(&*r#type.check, references)));
        object.add_if_some("$brackets", bracket_name(parameter));
    }
    object.into_json()
}

fn write_output(output: &Output) -> Json {
    let Output { name: _, place, info, r#type, optional, example, span: _ } = output;
    let mut object = ObjectWriter::default();
    object.add_if_some("info", Some(info.as_str()));
    object.add_type(r#type, *optional);
    if let OutputPlace::Header(field) = place {
        object.add_if_some("header", Some(field.name.as_str()));
        object.add_if_some("value", field.template.as_ref().map(ToString::to_string));
    }
    object.add_if_some("example", example.clone());
    object.into_json()
}

fn write_error(error: &DeclaredError) -> Json {
    let DeclaredError { name: _, status, info, number, span: _ } = error;
    let mut object = ObjectWriter::default();
    object.add_if_some("status", Some(status.get()));
    object.add_if_some("info", Some(info.as_str()));
    object.add_if_some("number", *number);
    object.into_json()
}

#[derive(Default)]
pub(crate) struct ObjectWriter(Map<String, Json>);

impl ObjectWriter {
    pub(crate) fn add_if_some(&mut self, key: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    fn add_unless_default(&mut self, key: &str, text: &str, default: &str) {
        self.add_if_some(key, (text != default).then_some(text));
    }

    fn add_unless_empty(&mut self, key: &str, value: Json) {
        let is_empty = match &value {
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.is_empty(),
            _ => false,
        };
        self.add_if_some(key, (!is_empty).then_some(value));
    }

    /// Adds the key `type`, which contains the type expression, and the keys of the type's attributes, such as `min`.
    fn add_type(&mut self, r#type: &ParameterType, optional: bool) {
        let ParameterType { written: TypeExpr { term, attributes }, check: _ } = r#type;
        let mark = if optional { "?" } else { "" };
        self.add_if_some("type", Some(format!("{mark}{term}")));
        self.0.extend(attributes.clone());
    }

    pub(crate) fn into_json(self) -> Json {
        Json::Object(self.0)
    }

    pub(super) fn into_entries(self) -> Map<String, Json> {
        self.0
    }
}

/// How JSON Schemas in a document refer to the schemas of the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SchemaReferences {
    /// By the keys of the schemas, which are unique in the API.
    ByKey,
    /// By the names, which are unique in an API module and do not depend on schemas of other modules.
    ByName,
}

fn client_schema(check: &dyn Check, references: SchemaReferences) -> Json {
    let mut schema = check.schema();
    rename_references(&mut schema, check, references);
    schema
}

/// Returns the JSON Schemas of schemas, as the value of `$defs`, to which the references in `$schema` lead.
pub(super) fn json_schemas(schemas: &[Arc<NamedSchema>], references: SchemaReferences) -> Json {
    let json_schema = |named: &Arc<NamedSchema>| {
        let mut schema = named.schema();
        // Forms begin with it when a reader adds a value of the schema.
        if named.example.is_none()
            && let (Some(example), Json::Object(members)) = (type_example(&*named.check), &mut schema)
        {
            members.insert("examples".to_owned(), json!([minimal_example(&*named.check, example)]));
        }
        rename_references(&mut schema, &*named.check, references);
        let name = if references == SchemaReferences::ByKey { named.key() } else { &named.name };
        (name.to_owned(), schema)
    };
    schemas.iter().map(json_schema).collect()
}

/// Changes the references in the JSON Schema of a type, which contain the keys of schemas.
fn rename_references(schema: &mut Json, check: &dyn Check, references: SchemaReferences) {
    let referenced = check.referenced_schemas();
    if references == SchemaReferences::ByName && !referenced.is_empty() {
        replace_references(schema, &mut |key| {
            let named = referenced.iter().find(|named| named.key() == key);
            format!("{SCHEMA_REFERENCE_PREFIX}{}", named.map_or(key, |named| &named.name))
        });
    }
}

/// Returns the schemas to which the parameters and outputs of methods refer, directly or through other schemas.
pub(super) fn schemas_of_methods<'m>(methods: impl IntoIterator<Item = &'m Method>) -> Vec<Arc<NamedSchema>> {
    let types = methods.into_iter().flat_map(|method| method.argument_checks().chain(method.output_checks()));
    schemas_in_types(types).into_values().collect()
}

/// Returns the schemas to which several types refer, directly or through other schemas, by their keys. The time that
/// this takes is proportional to the number of references.
pub(super) fn schemas_in_types<'c>(
    types: impl IntoIterator<Item = &'c dyn Check>,
) -> BTreeMap<String, Arc<NamedSchema>> {
    let mut all: BTreeMap<String, Arc<NamedSchema>> = BTreeMap::new();
    let mut waiting: Vec<Arc<NamedSchema>> = Vec::new();
    for check in types {
        waiting.extend(check.referenced_schemas());
        while let Some(schema) = waiting.pop() {
            if !all.contains_key(schema.key()) {
                waiting.extend(schema.check.referenced_schemas());
                all.insert(schema.key().to_owned(), schema);
            }
        }
    }
    all
}

pub(super) fn write_schemas(schemas: &[Schema]) -> Json {
    let write = |schema: &Schema| {
        let Schema { name, key: _, info, r#type, example, extends: _, span: _ } = schema;
        (name.clone(), write_schema(info, &r#type.written, example.as_ref()))
    };
    Json::Object(schemas.iter().map(write).collect())
}

fn write_named_schema(schema: &NamedSchema) -> Json {
    let NamedSchema { name: _, key: _, first_key: _, info, check, example, depth: _, samples: _, recursive_example: _ } =
        schema;
    write_schema(info, &check.type_expr(), example.as_ref())
}

fn write_schema(info: &str, written: &TypeExpr, example: Option<&Json>) -> Json {
    let mut object = ObjectWriter::default();
    object.add_if_some("info", Some(info));
    object.add_if_some("type", Some(written.term.as_str()));
    for (name, value) in &written.attributes {
        object.add_if_some(name, Some(value.clone()));
    }
    object.add_if_some("example", example.cloned());
    object.into_json()
}

/// Returns the [`canonical_definition`] of an API, in which each method has the key `$origins` with the file and line
/// of each value that is not written in the method. Readers of the definition ignore this key.
#[must_use]
pub fn canonical_definition_with_origins(api: &Api, inherited: &[InheritedValue], sources: &Sources) -> Json {
    let mut by_method: HashMap<(u32, u32), Vec<&InheritedValue>> = HashMap::new();
    for value in inherited {
        by_method.entry((value.method.file, value.method.start)).or_default().push(value);
    }
    let line = |span: Span| {
        let source = sources.get(span.file)?;
        Some(Json::from(format!("{}:{}", source.path.display(), source.locate(span).line)))
    };
    let mut definition = canonical_definition(api);
    for (module, service, method) in api.methods() {
        let values = by_method.get(&(method.span.file, method.span.start)).into_iter().flatten();
        let schemas = schemas_of_methods(std::slice::from_ref(method)).into_iter().filter_map(|used| {
            let declared = module.schemas.iter().chain(&api.schemas).find(|schema| schema.key == used.key())?;
            Some((format!("schemas.{}", used.name), line(declared.span)?))
        });
        let origins: Map<_, _> =
            values.filter_map(|value| Some((value.key.clone(), line(value.from)?))).chain(schemas).collect();
        let module = &mut definition["modules"][&module.name];
        let service = if service.path.is_empty() { module } else { &mut module["/"][service.uri().split_off(1)] };
        if !origins.is_empty() {
            service[method.http.as_str()]["$origins"] = origins.into();
        }
    }
    definition
}
