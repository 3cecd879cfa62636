//! The commands that print what is generated from a definition: `rulebook openapi` (the API as an OpenAPI document),
//! `rulebook schema` (the JSON Schema of definition files), `rulebook types` (TypeScript declarations, Rust types or
//! the Python client of the API, or the types of handlers in Python or Node) and `rulebook routes` (the methods of the
//! API with their paths).

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rulebook::Rulebook;
use rulebook_model::definition;
use rulebook_model::describe::{self, ModulePart, OpenapiDetail, OpenapiVersion};
use rulebook_model::model::{Api, Method, Service, Versions};
use rulebook_model::schema::{KnownNames, SchemaKind, schema, schema_with_names};

#[cfg(feature = "new")]
use crate::kinds::with_handler_kinds;
#[cfg(feature = "client")]
use crate::remote::{ClientOptions, document_url, parse_server_url, print_transfer_error};
use crate::{AddHandlers, Choice, Exit, Settings, choice_parser, output};

/// Print the OpenAPI document of the API.
#[derive(Debug, Args)]
pub(super) struct OpenapiOptions {
    /// Describe only this module of the API.
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
    /// Describe only what a generator of clients needs: bodies in JSON, and one response for all errors of the server.
    #[arg(long)]
    lean: bool,
    #[command(flatten)]
    api_version: ApiVersion,
    /// The version of OpenAPI. Schemas in the version 3.0 can accept more values than the server, because it has fewer
    /// keywords.
    #[arg(long = "as", value_name = "VERSION", value_parser = choice_parser(VERSIONS), default_value = "3.1")]
    version: OpenapiVersion,
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const VERSIONS: &[Choice<OpenapiVersion>] = &[
    ("3.0", "OpenAPI 3.0", OpenapiVersion::V3_0),
    ("3.1", "OpenAPI 3.1, as the server has it at `/openapi.json`", OpenapiVersion::V3_1),
    ("3.2", "OpenAPI 3.2", OpenapiVersion::V3_2),
];

pub(super) fn print_openapi(app: AddHandlers<'_>, settings: &Settings, options: &OpenapiOptions) -> Result<Exit, Exit> {
    // The document depends on the definition only. Whether the program has the right handlers is checked by
    // `rulebook check --bound` and `rulebook serve`.
    let api = options.api_version.of(&settings.load_api(app)?)?;
    let part = match &options.module {
        None => None,
        Some(name) => {
            let names = || api.modules.iter().map(|module| module.name.as_str());
            let Some(index) = names().position(|module| module == name) else {
                let help = output::did_you_mean(name, names());
                let why = format!("--module {name}: there is no module of this name{help}");
                return Err(output::print_usage_error(why));
            };
            Some(ModulePart::whole_module(&api, index))
        }
    };
    let detail = if options.lean { OpenapiDetail::Lean } else { OpenapiDetail::Full };
    let document = describe::openapi_part(&api, part.as_ref(), detail);
    let document = describe::convert_openapi(document, options.version);
    Ok(output::write_document(&output::format_json(&document), options.output.as_deref()))
}

/// Print the JSON Schema of definition files, for completion and checks in editors. It knows the types and the kinds of
/// handlers of this program, and the schemas of the definition.
#[derive(Debug, Args)]
pub(super) struct SchemaOptions {
    /// The kind of file that the schema describes.
    #[arg(value_name = "KIND", value_parser = choice_parser(KINDS), default_value = "all")]
    kind: SchemaKind,
}

const KINDS: &[Choice<SchemaKind>] = &[
    ("tree", "A file with modules in the dialect `tree`", SchemaKind::Tree),
    ("methods", "A file with modules in the dialect `methods`", SchemaKind::Methods),
    ("rules", "A file with modules in the dialect `rules`", SchemaKind::Rules),
    ("app", "`app.json`, or a single document with a whole API", SchemaKind::Settings),
    ("all", "Any file of a definition", SchemaKind::AnyFile),
    ("tests", "A file with tests, which `rulebook test` runs", SchemaKind::Tests),
];

pub(super) fn print_schema(app: AddHandlers<'_>, settings: &Settings, options: &SchemaOptions) -> Exit {
    let mut names = app(Rulebook::read(Vec::new())).known_names();
    // The definition may have errors, or not exist yet.
    let definition = definition::load(&settings.api).definition;
    let modules = definition.modules.iter().flat_map(|module| &module.schemas);
    let schemas = definition.app.schemas.iter().chain(modules);
    names.types.extend(schemas.map(|schema| schema.name.value.clone()));
    names.types.sort();
    names.types.dedup();
    output::print_to_stdout(&schema_text(options.kind, &names))
}

#[cfg(feature = "new")]
pub(super) fn new_project_schema(kind: SchemaKind) -> String {
    let names = with_handler_kinds(Rulebook::read(Vec::new())).known_names();
    schema_text(kind, &names)
}

fn schema_text(kind: SchemaKind, names: &KnownNames) -> String {
    let schema = match kind {
        SchemaKind::Tests => schema(kind),
        _ => schema_with_names(kind, names),
    };
    format!("{schema:#}\n")
}

const PROCESS_KIND: &str = "process";

/// Print TypeScript declarations of the API, for its client rulebook.js, or a client in another language.
#[derive(Debug, Args)]
pub(super) struct TypesOptions {
    /// The language.
    #[arg(long, value_name = "LANGUAGE", value_enum, default_value_t)]
    lang: Language,
    /// Print the types of the handlers of the kind `process` in this language: of their arguments, outputs and errors.
    #[arg(long)]
    handlers: bool,
    /// Write to this file instead of standard output; an existing file is replaced atomically.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    api_version: ApiVersion,
    /// URL of a server (`https://host`) that serves the API; the definition is then not needed on this machine.
    #[cfg(feature = "client")]
    #[arg(long, value_name = "URL", value_parser = parse_server_url, conflicts_with = "handlers")]
    from: Option<url::Url>,
    #[cfg(feature = "client")]
    #[command(flatten)]
    client: ClientOptions,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Language {
    /// Declarations for rulebook.js
    #[default]
    #[value(name = "typescript")]
    TypeScript,
    /// A client for Python 3.11 and later, without other packages
    Python,
    /// Types for programs that call the API, with the crates serde and serde_json
    Rust,
}

impl Language {
    fn types(self, api: &Api) -> String {
        match self {
            Self::TypeScript => describe::typescript(api),
            Self::Python => describe::python(api),
            Self::Rust => rulebook_build::rust_code(api, rulebook_build::Purpose::Types),
        }
    }
}

fn handler_types(language: Language, api: &Api) -> Result<String, Exit> {
    let default = api.handlers.as_ref().and_then(|handlers| handlers.default.as_ref());
    let is_in_process = |method: &&Method| {
        method.handler.as_ref().or(default).is_some_and(|handler| handler.setting(PROCESS_KIND).is_some())
    };
    let methods = api.services().flat_map(|service| &service.methods);
    let methods: Vec<&Method> = methods.filter(is_in_process).collect();
    if methods.is_empty() {
        return Err(output::print_usage_error(format!("no method has a handler of the kind `{PROCESS_KIND}`")));
    }
    match language {
        Language::TypeScript => Ok(describe::typescript_handlers(api, &methods)),
        Language::Python => Ok(describe::python_handlers(api, &methods)),
        Language::Rust => Err(output::print_usage_error("handlers in Rust get their types from a build script")),
    }
}

pub(super) fn print_types(app: AddHandlers<'_>, settings: &Settings, options: &TypesOptions) -> Result<Exit, Exit> {
    if options.handlers {
        let text = handler_types(options.lang, &settings.load_api(app)?)?;
        return Ok(output::write_document(&text, options.output.as_deref()));
    }
    #[cfg(feature = "client")]
    let fetch = |name: &str, method: &str, url: &url::Url, media_type| {
        let fetched = options.client.create_client(name.to_owned())?.fetch_document(method, url, media_type);
        fetched.map(|(document, _)| document).map_err(|error| print_transfer_error(&error))
    };
    #[cfg(feature = "client")]
    let text = match (&options.from, options.lang) {
        // The server generates these from its definition.
        (Some(server), Language::TypeScript) => {
            let declarations = ("text/plain", "it does not contain TypeScript declarations");
            let text = fetch("api.d.ts", "GET", &document_url(server, "/docs/api.d.ts"), declarations)?;
            String::from_utf8_lossy(&text).into_owned()
        }
        (Some(server), language) => {
            let json = ("application/json", "it does not contain the definition of an API");
            let definition = fetch("definition", "OPTIONS", server, json)?;
            language.types(&settings.read_api(definition, app)?)
        }
        (None, language) => language.types(&options.api_version.of(&settings.load_api(app)?)?),
    };
    #[cfg(not(feature = "client"))]
    let text = options.lang.types(&options.api_version.of(&settings.load_api(app)?)?);
    Ok(output::write_document(&text, options.output.as_deref()))
}

/// List the methods: HTTP method, path, id and scope.
#[derive(Debug, Args)]
pub(super) struct RoutesOptions {
    /// List only methods whose id contains this text.
    #[arg(value_name = "TEXT")]
    filter: Option<String>,
    #[command(flatten)]
    api_version: ApiVersion,
}

pub(super) fn print_routes(app: AddHandlers<'_>, settings: &Settings, options: &RoutesOptions) -> Result<Exit, Exit> {
    let api = options.api_version.of(&settings.load_api(app)?)?;
    let base = api.base.trim_end_matches('/');
    let mut rows: Vec<[String; 4]> = api
        .methods()
        .map(|(_, service, method)| table_row(base, service, method))
        .filter(|[_, _, id, _]| options.filter.as_ref().is_none_or(|text| id.contains(text)))
        .collect();
    if let Some(text) = options.filter.as_ref().filter(|_| rows.is_empty()) {
        output::print_to_stderr(&format!("no method has an id that contains `{text}`\n"));
        return Err(Exit::ErrorsReported);
    }
    rows.sort_by(|a, b| (&a[1], &a[0]).cmp(&(&b[1], &b[0])));
    Ok(output::print_to_stdout(&output::table(&rows)))
}

/// Returns the columns of the table row for a method: HTTP method, path, id, and scope (the permissions that a caller
/// needs). The path includes the parameters that follow it as positional segments.
fn table_row(base: &str, service: &Service, method: &Method) -> [String; 4] {
    let uri = service.uri();
    let mut path = format!("{base}{}", if uri == "/" && !base.is_empty() { "" } else { &uri });
    for parameter in method.positions() {
        let slash = if path.ends_with('/') { "" } else { "/" };
        path += &format!("{slash}{{{}{}}}", parameter.name, if parameter.optional { "?" } else { "" });
    }
    let groups = method.scope.groups.iter().map(|group| {
        let texts: Vec<_> = group.iter().map(|permission| permission.text.as_str()).collect();
        texts.join(" and ")
    });
    let scope = groups.collect::<Vec<_>>().join(", or ");
    [method.http.as_str().to_owned(), path, method.id.clone(), scope]
}

/// Which version of the API a command describes.
#[derive(Debug, Args)]
pub(super) struct ApiVersion {
    /// Version of the API, if it has several [default: the version for requests that name none].
    #[arg(long, value_name = "NAME")]
    api_version: Option<String>,
}

impl ApiVersion {
    pub(super) fn of(&self, api: &Api) -> Result<Api, Exit> {
        let Some(name) = &self.api_version else { return Ok(api.default_version().into_owned()) };
        api.in_version(name).ok_or_else(|| {
            let names: Vec<_> = api.versions.iter().flat_map(Versions::names).collect();
            let known = match &*names {
                [] => "the API has no versions".to_owned(),
                names => format!("the versions are {}", names.join(", ")),
            };
            output::print_usage_error(format!("--api-version {name}: there is no version of this name; {known}"))
        })
    }
}
