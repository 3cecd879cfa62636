//! Writes the model of an API as a definition in the dialect `tree`, in which the keys below `"/"` are the paths of the
//! services.
//!
//! Each field of the model is written under a key of the definition, and loading the written definition returns the
//! same model. A key whose value equals the default is omitted. The functions destructure each struct completely: if a
//! struct gets a new field, this file does not compile until it writes that field. The same functions write two forms
//! of a definition: the full form for the authors of the API, and a form for its clients, which responses to OPTIONS
//! contain.

use serde_json::{Map, Value as Json, json};

use crate::model::{
    Api, DeclaredError, EnvelopeName, Method, MethodOptions, Module, Output, Parameter, ParameterType, Permission,
    Repeated, Scope, Segment, Service, default_method_id, default_parameter_name,
};
use crate::settings::SETTINGS;
use crate::types::TypeExpr;

/// Selects the keys that are written in a canonical definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CanonicalForm {
    /// Only keys that are allowed in a definition file.
    Full,
    /// The keys that a client of the API needs. The settings of the server are omitted. Three keys are added:
    /// `$envelope` describes how a client decodes the members of a response, `$schema` is the JSON Schema of a
    /// parameter, and `$when` contains the parameter values with which the caller may call a method.
    ForClients,
}

/// Returns the whole API as one JSON object: the keys of `app.json`, and the key `modules`, which contains each API
/// module by its name.
#[must_use]
pub fn canonical_definition(api: &Api) -> Json {
    write_api(api, CanonicalForm::Full).into_json()
}

/// Writes the whole API as a definition in the form `form`.
pub(super) fn write_api(api: &Api, form: CanonicalForm) -> ObjectWriter {
    let mut object = ObjectWriter::default();
    for setting in SETTINGS.iter().filter(|setting| form == CanonicalForm::Full || !setting.is_internal) {
        object.add_if_some(setting.key.name, (setting.to_json)(api));
        if form == CanonicalForm::ForClients && setting.key.name == "envelope" {
            object.add_if_some("$envelope", Some(api.make_envelope(&api.envelope).decoding().to_json()));
        }
    }
    let modules = api.modules.iter().map(|module| (module.name.clone(), write_module(api, module, form)));
    object.add_if_some("modules", Some(Json::Object(modules.collect())));
    object
}

/// Returns a definition file that contains one service of the API and the keys of its API module. If the module
/// inherits its envelope (the format of responses) from the API, the envelope is also written, because a file without
/// this key would have the default envelope.
#[must_use]
pub fn canonical_service_definition(api: &Api, module: &Module, service: &Service) -> Json {
    write_service(api, module, service, CanonicalForm::Full).into_json()
}

/// Writes a definition file that contains one service of the API, in the form `form`.
pub(super) fn write_service(api: &Api, module: &Module, service: &Service, form: CanonicalForm) -> ObjectWriter {
    let mut object = ObjectWriter::default();
    object.add_if_some("module", Some(module.name.as_str()));
    let inherited = (api.envelope != EnvelopeName::default()).then_some(&api.envelope);
    write_module_keys(&mut object, module, module.envelope.as_ref().or(inherited), std::slice::from_ref(service), form);
    if form == CanonicalForm::ForClients {
        object.add_if_some("$envelope", Some(api.make_envelope(api.envelope_name(module)).decoding().to_json()));
    }
    object
}

/// Returns an API module as a JSON object. The name of the module is not in the object, because it is the key of the
/// object.
fn write_module(api: &Api, module: &Module, form: CanonicalForm) -> Json {
    let mut object = ObjectWriter::default();
    write_module_keys(&mut object, module, module.envelope.as_ref(), &module.services, form);
    if let (CanonicalForm::ForClients, Some(envelope)) = (form, &module.envelope) {
        object.add_if_some("$envelope", Some(api.make_envelope(envelope).decoding().to_json()));
    }
    object.into_json()
}

/// Writes the keys of an API module. `envelope` and `services` replace the envelope and the services of the module.
fn write_module_keys(
    object: &mut ObjectWriter,
    module: &Module,
    envelope: Option<&EnvelopeName>,
    services: &[Service],
    form: CanonicalForm,
) {
    let Module { name: _, info, envelope: _, ignore_case, repeated, services: _, span: _ } = module;
    object.add_if_some("info", info.as_deref());
    object.add_if_some("envelope", envelope.map(EnvelopeName::as_str));
    object.add_if_some("ignore_case", ignore_case.then_some(true));
    object.add_unless_default("repeated", repeated.as_str(), Repeated::default().as_str());
    let mut paths = Map::new();
    for service in services {
        let Service { path, methods, span: _ } = service;
        let methods = methods.iter().map(|method| (method.http.as_str().to_owned(), write_method(method, path, form)));
        if path.is_empty() {
            object.0.extend(methods);
        } else {
            paths.insert(service.uri().split_off(1), Json::Object(methods.collect()));
        }
    }
    object.add_unless_empty("/", Json::Object(paths));
}

fn write_method(method: &Method, path: &[Segment], form: CanonicalForm) -> Json {
    let Method { id, http, info, scope, parameters, outputs, errors, options, span: _ } = method;
    let mut object = ObjectWriter::default();
    object.add_unless_default("id", id, &default_method_id(path, *http));
    object.add_if_some("info", Some(info.as_str()));
    object.add_unless_empty("scope", write_scope(scope));
    if form == CanonicalForm::ForClients {
        object.add_if_some("$when", scope.conditions.as_ref().map(|when| json!(when)));
    }
    let parameters = parameters.iter().map(|parameter| (parameter.tree_key(), write_parameter(parameter, form)));
    object.add_unless_empty("in", Json::Object(parameters.collect()));
    let outputs = outputs.iter().map(|output| (output.name.clone(), write_output(output)));
    object.add_unless_empty("out", Json::Object(outputs.collect()));
    let errors = errors.iter().map(|error| (error.name.clone(), write_error(error)));
    object.add_unless_empty("errors", Json::Object(errors.collect()));
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
    let Parameter { from: _, key: _, name, info, r#type, optional, default, example, message, span: _, type_span: _ } =
        parameter;
    let mut object = ObjectWriter::default();
    object.add_if_some("info", Some(info.as_str()));
    object.add_type(r#type, *optional);
    object.add_unless_default("name", name, default_parameter_name(&parameter.tree_key()));
    object.add_if_some("default", default.clone());
    object.add_if_some("example", example.clone());
    object.add_if_some("message", message.as_deref());
    if form == CanonicalForm::ForClients {
        object.add_if_some("$schema", Some(r#type.check.schema()));
    }
    object.into_json()
}

fn write_output(output: &Output) -> Json {
    let Output { name: _, info, r#type, optional, example, span: _ } = output;
    let mut object = ObjectWriter::default();
    object.add_if_some("info", Some(info.as_str()));
    object.add_type(r#type, *optional);
    object.add_if_some("example", example.clone());
    object.into_json()
}

fn write_error(error: &DeclaredError) -> Json {
    let DeclaredError { name: _, status, info, span: _ } = error;
    json!({ "status": status.get(), "info": info })
}

fn write_options(options: &MethodOptions) -> Json {
    let MethodOptions { status, download, jsonp, deprecated } = options;
    let mut object = ObjectWriter::default();
    let default = MethodOptions::default();
    object.add_if_some("status", (*status != default.status).then_some(*status));
    object.add_if_some("download", download.then_some(true));
    object.add_if_some("jsonp", *jsonp);
    object.add_if_some("deprecated", deprecated.then_some(true));
    object.into_json()
}

/// A JSON object to which keys are added.
#[derive(Default)]
pub(super) struct ObjectWriter(Map<String, Json>);

impl ObjectWriter {
    /// Adds the key if `value` is not `None`.
    pub(super) fn add_if_some(&mut self, key: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    /// Adds the key unless `text` equals `default`.
    fn add_unless_default(&mut self, key: &str, text: &str, default: &str) {
        self.add_if_some(key, (text != default).then_some(text));
    }

    /// Adds the key unless `value` is an empty array or an empty object.
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

    pub(super) fn into_json(self) -> Json {
        Json::Object(self.0)
    }
}
