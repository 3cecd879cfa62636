//! The model as a definition again, in the tree dialect.
//!
//! Every field of the model has a key here, and what is written loads to the
//! same model. What says nothing, because it is what would hold without it, is
//! left out. Structs are taken apart as a whole, so that a new field does not
//! compile until it is written. One walk writes for the author of a definition
//! and for its clients.

use serde_json::{Map, Value as Json, json};

use crate::error::texts::CatalogueName;
use crate::format::Offered;
use crate::model::{
    Api, Audience, Contact, Cors, DEFAULT_TIMEZONE, DEFAULT_TITLE, DEFAULT_VERSION, DeclaredError, EnvelopeName,
    License, Limits, LogFormat, Method, MethodOptions, Module, Origins, Output, Parameter, ParameterType, Permission,
    Repeated, Scope, Segment, Server, Service, ServiceQuery, Unbound, UnknownParameters, derived_id, derived_name,
};
use crate::types::Written;

/// Who reads what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// The author: all of the definition, and nothing else.
    Author,
    /// A client of the API. It is told the JSON Schema of every parameter, and nothing of the machine that serves.
    Client,
}

/// The whole API in one document: the keys of `app.json` and `"modules": {name: tree}`.
#[must_use]
pub fn canonical(api: &Api) -> Json {
    write_api(api, Reader::Author).json()
}

/// The whole API for this reader.
pub(super) fn write_api(api: &Api, reader: Reader) -> Keys {
    let Api {
        title,
        version,
        info,
        contact,
        license,
        servers,
        base,
        envelope,
        catalogue,
        formats,
        jsonp,
        service,
        dispatch,
        real_status,
        strict_status,
        unknown,
        timezone,
        default_types,
        limits,
        unbound,
        bind,
        data,
        files,
        workers,
        log,
        log_format,
        options,
        compress,
        cors,
        modules,
        place: _,
    } = api;
    let mut keys = Keys::default();
    keys.unless("title", title, DEFAULT_TITLE);
    keys.unless("version", version, DEFAULT_VERSION);
    keys.some("info", info.as_deref());
    keys.some("contact", contact.as_ref().map(write_contact));
    keys.some("license", license.as_ref().map(write_license));
    keys.filled("servers", Json::Array(servers.iter().map(write_server).collect()));
    keys.unless("base", base, "/");
    keys.unless("envelope", envelope.as_str(), EnvelopeName::default().as_str());
    keys.unless("catalogue", catalogue.as_str(), CatalogueName::default().as_str());
    keys.filled("formats", formats.iter().map(Offered::name).collect());
    keys.some("jsonp", jsonp.then_some(true));
    keys.filled("service", write_service_query(service));
    keys.some("dispatch", dispatch.then_some(true));
    keys.some("phalapi", real_status.then(|| json!({ "real_status": true })));
    keys.some("iapi", strict_status.then(|| json!({ "strict_status": true })));
    keys.unless("unknown", unknown.as_str(), UnknownParameters::default().as_str());
    keys.unless("timezone", timezone, DEFAULT_TIMEZONE);
    keys.some("types", (!default_types).then(|| json!({ "default": false })));
    keys.filled("limits", write_limits(limits));
    keys.unless("options", options.as_str(), Audience::default().as_str());
    if reader == Reader::Author {
        keys.unless("unbound", unbound.as_str(), Unbound::default().as_str());
        keys.some("bind", bind.as_deref());
        keys.some("data", data.as_deref());
        keys.some("files", files.as_deref());
        keys.some("workers", *workers);
        keys.some("log", log.as_deref());
        keys.unless("log_format", log_format.as_str(), LogFormat::default().as_str());
        keys.some("compress", (!compress).then_some(false));
        keys.some("cors", cors.as_ref().map(write_cors));
    }
    let modules = modules.iter().map(|module| (module.name.clone(), write_module(module, reader)));
    keys.some("modules", Some(Json::Object(modules.collect())));
    keys
}

/// One service as a definition file of its own: what its module says, and this service. The envelope that a module
/// has from its API is written, since a file alone does not know it.
#[must_use]
pub fn canonical_service(api: &Api, module: &Module, service: &Service) -> Json {
    write_alone(api, module, service, Reader::Author).json()
}

/// A service as a definition file of its own for this reader.
pub(super) fn write_alone(api: &Api, module: &Module, service: &Service, reader: Reader) -> Keys {
    let mut keys = Keys::default();
    keys.some("module", Some(module.name.as_str()));
    let inherited = (api.envelope != EnvelopeName::default()).then_some(&api.envelope);
    write_into(&mut keys, module, module.envelope.as_ref().or(inherited), std::slice::from_ref(service), reader);
    keys
}

fn write_contact(contact: &Contact) -> Json {
    let Contact { name, url, email } = contact;
    let mut keys = Keys::default();
    keys.some("name", name.as_deref());
    keys.some("url", url.as_deref());
    keys.some("email", email.as_deref());
    keys.json()
}

fn write_license(license: &License) -> Json {
    let License { name, identifier, url } = license;
    let mut keys = Keys::default();
    keys.some("name", Some(name.as_str()));
    keys.some("identifier", identifier.as_deref());
    keys.some("url", url.as_deref());
    keys.json()
}

fn write_server(server: &Server) -> Json {
    let Server { url, info } = server;
    let mut keys = Keys::default();
    keys.some("url", Some(url.as_str()));
    keys.some("info", info.as_deref());
    keys.json()
}

fn write_service_query(query: &ServiceQuery) -> Json {
    let ServiceQuery { on, default } = query;
    let mut keys = Keys::default();
    keys.some("on", on.then_some(true));
    keys.some("default", default.as_ref().map(|default| default.value.as_str()));
    keys.json()
}

fn write_cors(cors: &Cors) -> Json {
    let Cors { origins, credentials, headers, expose, max_age } = cors;
    let mut keys = Keys::default();
    keys.some(
        "origins",
        Some(match origins {
            Origins::Any => json!(["*"]),
            Origins::These(origins) => json!(origins),
        }),
    );
    keys.some("credentials", credentials.then_some(true));
    keys.filled("headers", json!(headers));
    keys.filled("expose", json!(expose));
    keys.some("max_age", (*max_age != Cors::DEFAULT_MAX_AGE).then_some(*max_age));
    keys.json()
}

fn write_limits(limits: &Limits) -> Json {
    let mut keys = Keys::default();
    for ((key, limit), (_, default)) in limits.entries().into_iter().zip(Limits::default().entries()) {
        keys.some(key, (limit != default).then_some(limit));
    }
    keys.json()
}

/// A module as the object of a tree, its name left out.
fn write_module(module: &Module, reader: Reader) -> Json {
    let mut keys = Keys::default();
    write_into(&mut keys, module, module.envelope.as_ref(), &module.services, reader);
    keys.json()
}

/// What a module says for this reader, with this envelope and these of its services.
fn write_into(keys: &mut Keys, module: &Module, envelope: Option<&EnvelopeName>, services: &[Service], reader: Reader) {
    let Module { name: _, info, envelope: _, ignore_case, repeated, services: _, place: _ } = module;
    keys.some("info", info.as_deref());
    keys.some("envelope", envelope.map(EnvelopeName::as_str));
    keys.some("ignore_case", ignore_case.then_some(true));
    keys.unless("repeated", repeated.as_str(), Repeated::default().as_str());
    let mut paths = Map::new();
    for service in services {
        let Service { path, methods, place: _ } = service;
        let methods =
            methods.iter().map(|method| (method.http.as_str().to_owned(), write_method(method, path, reader)));
        if path.is_empty() {
            keys.0.extend(methods);
        } else {
            paths.insert(service.uri().split_off(1), Json::Object(methods.collect()));
        }
    }
    keys.filled("/", Json::Object(paths));
}

fn write_method(method: &Method, path: &[Segment], reader: Reader) -> Json {
    let Method { id, http, info, scope, parameters, outputs, errors, options, place: _ } = method;
    let mut keys = Keys::default();
    keys.unless("id", id, &derived_id(path, *http));
    keys.some("info", Some(info.as_str()));
    keys.filled("scope", write_scope(scope));
    if reader == Reader::Client {
        keys.some("$when", scope.when.as_ref().map(|ways| json!(ways)));
    }
    let parameters = parameters.iter().map(|parameter| (parameter.written_key(), write_parameter(parameter, reader)));
    keys.filled("in", Json::Object(parameters.collect()));
    let outputs = outputs.iter().map(|output| (output.name.clone(), write_output(output)));
    keys.filled("out", Json::Object(outputs.collect()));
    let errors = errors.iter().map(|error| (error.name.clone(), write_error(error)));
    keys.filled("errors", Json::Object(errors.collect()));
    keys.filled("options", write_options(options));
    keys.json()
}

fn write_scope(scope: &Scope) -> Json {
    // In which way somebody meets them is not of the definition.
    let Scope { groups, when: _ } = scope;
    let texts = |group: &Vec<Permission>| group.iter().map(|permission| permission.text.as_str()).collect::<Json>();
    groups.iter().map(texts).collect()
}

fn write_parameter(parameter: &Parameter, reader: Reader) -> Json {
    let Parameter { from: _, key: _, name, info, r#type, optional, default, example, message, place: _, type_place: _ } =
        parameter;
    let mut keys = Keys::default();
    keys.some("info", Some(info.as_str()));
    keys.r#type(r#type, *optional);
    keys.unless("name", name, derived_name(&parameter.written_key()));
    keys.some("default", default.clone());
    keys.some("example", example.clone());
    keys.some("message", message.as_deref());
    if reader == Reader::Client {
        keys.some("$schema", Some(r#type.check.schema()));
    }
    keys.json()
}

fn write_output(output: &Output) -> Json {
    let Output { name: _, info, r#type, optional, example, place: _ } = output;
    let mut keys = Keys::default();
    keys.some("info", Some(info.as_str()));
    keys.r#type(r#type, *optional);
    keys.some("example", example.clone());
    keys.json()
}

fn write_error(error: &DeclaredError) -> Json {
    let DeclaredError { name: _, status, info, place: _ } = error;
    json!({ "status": status.get(), "info": info })
}

fn write_options(options: &MethodOptions) -> Json {
    let MethodOptions { status, download, jsonp, deprecated } = options;
    let mut keys = Keys::default();
    let default = MethodOptions::default();
    keys.some("status", (*status != default.status).then_some(*status));
    keys.some("download", download.then_some(true));
    keys.some("jsonp", *jsonp);
    keys.some("deprecated", deprecated.then_some(true));
    keys.json()
}

/// An object being written, key by key.
#[derive(Default)]
pub(super) struct Keys(Map<String, Json>);

impl Keys {
    /// Writes what is there.
    pub(super) fn some(&mut self, key: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
    }

    /// Writes a text that is not what holds anyway.
    fn unless(&mut self, key: &str, text: &str, default: &str) {
        self.some(key, (text != default).then_some(text));
    }

    /// Writes a list or an object that is not empty.
    fn filled(&mut self, key: &str, value: Json) {
        let is_empty = match &value {
            Json::Array(items) => items.is_empty(),
            Json::Object(members) => members.is_empty(),
            _ => false,
        };
        self.some(key, (!is_empty).then_some(value));
    }

    /// Writes a type: its term and the attributes beside it.
    fn r#type(&mut self, r#type: &ParameterType, optional: bool) {
        let ParameterType { written: Written { term, attributes }, check: _ } = r#type;
        let mark = if optional { "?" } else { "" };
        self.some("type", Some(format!("{mark}{term}")));
        self.0.extend(attributes.clone());
    }

    pub(super) fn json(self) -> Json {
        Json::Object(self.0)
    }
}
