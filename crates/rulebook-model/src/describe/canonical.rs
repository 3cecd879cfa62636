//! Writes the model of an API as a definition in the tree dialect.
//!
//! Every field of the model has a key here, and a definition that was written
//! loads to the same model. Keys whose value equals the default are left out.
//! Structs are destructured completely, so that a new field does not compile
//! until this module writes it. One walk serves two forms: the full definition,
//! for its author, and the part that clients of the API need, for OPTIONS.

use serde_json::{Map, Value as Json, json};

use crate::model::{
    Api, DeclaredError, EnvelopeName, Method, MethodOptions, Module, Output, Parameter, ParameterType, Permission,
    Repeated, Scope, Segment, Service, default_id, default_name,
};
use crate::settings::SETTINGS;
use crate::types::TypeExpr;

/// The keys that a canonical definition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CanonicalForm {
    /// The keys that a definition file can have, and no others.
    Full,
    /// What a client of the API needs: without the settings of the server, and with the decoding of envelopes
    /// (`$envelope`), the JSON Schema of every parameter (`$schema`) and the values for which the caller may call a
    /// method (`$when`).
    ForClients,
}

/// Returns the whole API as one document: the keys of `app.json` and `"modules": {name: tree}`.
#[must_use]
pub fn canonical(api: &Api) -> Json {
    write_api(api, CanonicalForm::Full).json()
}

/// Writes the whole API in this form.
pub(super) fn write_api(api: &Api, form: CanonicalForm) -> ObjectWriter {
    let mut object = ObjectWriter::default();
    for setting in SETTINGS.iter().filter(|setting| form == CanonicalForm::Full || !setting.is_internal) {
        object.if_some(setting.key.name, (setting.write)(api));
        if form == CanonicalForm::ForClients && setting.key.name == "envelope" {
            object.if_some("$envelope", Some(api.make_envelope(&api.envelope).decoding().to_json()));
        }
    }
    let modules = api.modules.iter().map(|module| (module.name.clone(), write_module(api, module, form)));
    object.if_some("modules", Some(Json::Object(modules.collect())));
    object
}

/// Returns one service as a definition file of its own: the keys of its module, and this service. An envelope that the
/// module inherits from the API is written too, since the file alone would have the default one.
#[must_use]
pub fn canonical_service(api: &Api, module: &Module, service: &Service) -> Json {
    write_service(api, module, service, CanonicalForm::Full).json()
}

/// Writes one service as a definition file of its own, in this form.
pub(super) fn write_service(api: &Api, module: &Module, service: &Service, form: CanonicalForm) -> ObjectWriter {
    let mut object = ObjectWriter::default();
    object.if_some("module", Some(module.name.as_str()));
    let inherited = (api.envelope != EnvelopeName::default()).then_some(&api.envelope);
    write_into(&mut object, module, module.envelope.as_ref().or(inherited), std::slice::from_ref(service), form);
    if form == CanonicalForm::ForClients {
        object.if_some("$envelope", Some(api.make_envelope(api.envelope_name(module)).decoding().to_json()));
    }
    object
}

/// Writes a module as the object of a tree, without its name.
fn write_module(api: &Api, module: &Module, form: CanonicalForm) -> Json {
    let mut object = ObjectWriter::default();
    write_into(&mut object, module, module.envelope.as_ref(), &module.services, form);
    if let (CanonicalForm::ForClients, Some(envelope)) = (form, &module.envelope) {
        object.if_some("$envelope", Some(api.make_envelope(envelope).decoding().to_json()));
    }
    object.json()
}

/// Writes the keys of a module in this form, with this envelope and only these of its services.
fn write_into(
    object: &mut ObjectWriter,
    module: &Module,
    envelope: Option<&EnvelopeName>,
    services: &[Service],
    form: CanonicalForm,
) {
    let Module { name: _, info, envelope: _, ignore_case, repeated, services: _, span: _ } = module;
    object.if_some("info", info.as_deref());
    object.if_some("envelope", envelope.map(EnvelopeName::as_str));
    object.if_some("ignore_case", ignore_case.then_some(true));
    object.unless_default("repeated", repeated.as_str(), Repeated::default().as_str());
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
    object.unless_empty("/", Json::Object(paths));
}

fn write_method(method: &Method, path: &[Segment], form: CanonicalForm) -> Json {
    let Method { id, http, info, scope, parameters, outputs, errors, options, span: _ } = method;
    let mut object = ObjectWriter::default();
    object.unless_default("id", id, &default_id(path, *http));
    object.if_some("info", Some(info.as_str()));
    object.unless_empty("scope", write_scope(scope));
    if form == CanonicalForm::ForClients {
        object.if_some("$when", scope.conditions.as_ref().map(|when| json!(when)));
    }
    let parameters = parameters.iter().map(|parameter| (parameter.tree_key(), write_parameter(parameter, form)));
    object.unless_empty("in", Json::Object(parameters.collect()));
    let outputs = outputs.iter().map(|output| (output.name.clone(), write_output(output)));
    object.unless_empty("out", Json::Object(outputs.collect()));
    let errors = errors.iter().map(|error| (error.name.clone(), write_error(error)));
    object.unless_empty("errors", Json::Object(errors.collect()));
    object.unless_empty("options", write_options(options));
    object.json()
}

fn write_scope(scope: &Scope) -> Json {
    // `when` depends on the caller and is not part of the definition.
    let Scope { groups, conditions: _ } = scope;
    let texts = |group: &Vec<Permission>| group.iter().map(|permission| permission.text.as_str()).collect::<Json>();
    groups.iter().map(texts).collect()
}

fn write_parameter(parameter: &Parameter, form: CanonicalForm) -> Json {
    let Parameter { from: _, key: _, name, info, r#type, optional, default, example, message, span: _, type_span: _ } =
        parameter;
    let mut object = ObjectWriter::default();
    object.if_some("info", Some(info.as_str()));
    object.r#type(r#type, *optional);
    object.unless_default("name", name, default_name(&parameter.tree_key()));
    object.if_some("default", default.clone());
    object.if_some("example", example.clone());
    object.if_some("message", message.as_deref());
    if form == CanonicalForm::ForClients {
        object.if_some("$schema", Some(r#type.check.schema()));
    }
    object.json()
}

fn write_output(output: &Output) -> Json {
    let Output { name: _, info, r#type, optional, example, span: _ } = output;
    let mut object = ObjectWriter::default();
    object.if_some("info", Some(info.as_str()));
    object.r#type(r#type, *optional);
    object.if_some("example", example.clone());
    object.json()
}

fn write_error(error: &DeclaredError) -> Json {
    let DeclaredError { name: _, status, info, span: _ } = error;
    json!({ "status": status.get(), "info": info })
}

fn write_options(options: &MethodOptions) -> Json {
    let MethodOptions { status, download, jsonp, deprecated } = options;
    let mut object = ObjectWriter::default();
    let default = MethodOptions::default();
    object.if_some("status", (*status != default.status).then_some(*status));
    object.if_some("download", download.then_some(true));
    object.if_some("jsonp", *jsonp);
    object.if_some("deprecated", deprecated.then_some(true));
    object.json()
}

/// Builds a JSON object key by key.
#[derive(Default)]
pub(super) struct ObjectWriter(Map<String, Json>);

impl ObjectWriter {
    /// Adds the key if there is a value.
    pub(super) fn if_some(&mut self, key: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    /// Adds the key unless the text equals the default.
    fn unless_default(&mut self, key: &str, text: &str, default: &str) {
        self.if_some(key, (text != default).then_some(text));
    }

    /// Adds the key unless the value is an empty list or an empty object.
    fn unless_empty(&mut self, key: &str, value: Json) {
        let is_empty = match &value {
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.is_empty(),
            _ => false,
        };
        self.if_some(key, (!is_empty).then_some(value));
    }

    /// Adds the keys of a type: its type expression and the attributes beside it.
    fn r#type(&mut self, r#type: &ParameterType, optional: bool) {
        let ParameterType { written: TypeExpr { term, attributes }, check: _ } = r#type;
        let mark = if optional { "?" } else { "" };
        self.if_some("type", Some(format!("{mark}{term}")));
        self.0.extend(attributes.clone());
    }

    pub(super) fn json(self) -> Json {
        Json::Object(self.0)
    }
}
