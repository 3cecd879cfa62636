//! Generates the Rust code of an API: a Rust module for each API module.

mod handlers;
mod method;
mod objects;
mod recursion;
mod samples;
mod schemas;
mod type_writer;
mod unions;

use rulebook_model::distinct_names::{ScopeNames, candidates, distinct_names};
use rulebook_model::model::{Api, Module};

use crate::identifier::snake_case;
use method::MethodCode;
use objects::{doc_comment, indented, visible};
use schemas::{SchemaPaths, schema_name};
use type_writer::TypeWriter;

/// For whom the Rust code of an API is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// For the program that serves the API: types and handlers, which use the crate `rulebook`.
    Handlers,
    /// For other programs that send or receive values of the API: types only, which use the crates `serde` and
    /// `serde_json`.
    Types,
}

/// The line above every generated Rust module, for programs that do not use all of its items. Names that are spelled
/// out have the letters of the definition.
const LINTS: &str = "#[allow(dead_code, non_camel_case_types, non_snake_case, clippy::all)]\n";

/// The type of the errors of a method that declares none.
const API_ERROR: &str = "::rulebook::ApiError";

/// The Rust module with the schemas of the API. Its types are visible beside the modules of the API.
const SHARED_MODULE: &str = "shared";

/// Returns the Rust code of an API. The schemas of the API are types at its top. Each API module is a Rust module with
/// the types of its schemas, and the arguments, outputs and errors of its methods.
///
/// ```
/// use rulebook_build::{Purpose, rust_code};
///
/// let text = r#"{ "/": { "hello": { "GET": { "id": "greeting.greet", "info": "Greets",
///     "in": { "GET@name": { "info": "The name", "type": "string(1,40)" } },
///     "out": { "greeting": { "info": "The greeting", "type": "string" } } } } } }"#;
/// let api = rulebook_model::read(vec![("greeting.json".into(), text.into())])?;
/// let code = rust_code(&api, Purpose::Types);
/// assert!(code.contains("pub struct GreetArguments {"));
/// assert!(code.contains("pub struct GreetOutputs {"));
/// # Ok::<(), rulebook_model::diagnostic::Report>(())
/// ```
#[must_use]
pub fn rust_code(api: &Api, purpose: Purpose) -> String {
    let (paths, mut names) = names_of_types(api, purpose);
    let shared = match write_shared(api, TypeWriter::new(&paths, None, names.remove(0), purpose)).0 {
        items if items.is_empty() => String::new(),
        items => format!(
            "\n{LINTS}mod {SHARED_MODULE} {{\n{}}}\n#[allow(unused_imports)]\npub use {SHARED_MODULE}::*;\n",
            indented(&with_imports(&items))
        ),
    };
    let modules = api.modules.iter().zip(module_names(api, &[SHARED_MODULE])).zip(names).enumerate();
    let modules = modules.map(|(index, ((module, name), names))| {
        module_code(module, &name, TypeWriter::new(&paths, Some(index), names, purpose)).0
    });
    let modules: String = modules.collect();
    let title = format!("{} {}", api.title, api.version);
    format!(
        "// The Rust code of {}. It is generated from the definition: do not edit it.\n{shared}{modules}",
        one_line(&title)
    )
}

/// Returns where the types of schemas are, and the names of all types: those of the schemas of the API, and those of
/// each API module.
fn names_of_types(api: &Api, purpose: Purpose) -> (SchemaPaths, Vec<ScopeNames>) {
    let paths = SchemaPaths::new(api, |_, schema| schema_name(schema).short);
    let types = |scope| TypeWriter::new(&paths, scope, ScopeNames::default(), purpose);
    let modules = api.modules.iter().enumerate();
    let of_modules = modules.map(|(index, module)| module_code(module, "", types(Some(index))).1);
    let names = std::iter::once(write_shared(api, types(None)).1).chain(of_modules);
    let mut names: Vec<ScopeNames> = names.map(ScopeNames::choose).collect();
    let paths = SchemaPaths::new(api, |scope, schema| {
        let place = schema_name(schema);
        names[scope.map_or(0, |index| index + 1)].name(&place.place, vec![place.short])
    });
    (paths, names)
}

/// A handler of an API module: a function, and the types of its arguments and results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The name of the handler's field in the struct `Handlers`.
    pub name: String,
    /// The id of the method.
    pub id: String,
    /// The type of the arguments, `()` if the method has no parameters.
    pub arguments: String,
    /// The type of the outputs, `()` if the method has no outputs.
    pub outputs: String,
    /// The type of the errors.
    pub error: String,
    /// The first paragraph of the method's description, in one line.
    pub info: String,
}

/// Returns the names of the Rust modules for the API modules, and the handlers of each.
#[must_use]
pub fn signatures(api: &Api) -> Vec<(String, Vec<Signature>)> {
    let (paths, names) = names_of_types(api, Purpose::Handlers);
    let modules =
        api.modules.iter().zip(module_names(api, &[SHARED_MODULE])).zip(names.into_iter().skip(1)).enumerate();
    modules
        .map(|(index, ((module, name), names))| {
            let mut types = TypeWriter::new(&paths, Some(index), names, Purpose::Handlers);
            let methods = method::write_methods(module, &mut types);
            (name, methods.into_iter().filter(needs_function).map(|method| method.signature).collect())
        })
        .collect()
}

/// Returns `false` if the definition chooses the handler of the method.
fn needs_function(method: &MethodCode<'_>) -> bool {
    method.method.handler.is_none()
}

/// Returns the names of the Rust modules for the API modules. A name in `reserved` gets a number.
#[must_use]
pub fn module_names(api: &Api, reserved: &[&str]) -> Vec<String> {
    let names = api.modules.iter().map(|module| {
        let name = snake_case(&module.name, "module");
        let name = if reserved.contains(&name.as_str()) { name + "_2" } else { name };
        candidates(vec![name], "_", &module.name)
    });
    distinct_names(names, str::to_owned)
}

/// Returns a text without line breaks, for a comment.
fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Writes the types of the schemas of the API. Returns them, and their names.
fn write_shared(api: &Api, mut types: TypeWriter<'_>) -> (Vec<String>, ScopeNames) {
    schemas::write_schemas(&api.schemas, &mut types);
    types.finish()
}

/// Returns the Rust module for an API module, and the names of its types.
fn module_code(module: &Module, name: &str, mut types: TypeWriter<'_>) -> (String, ScopeNames) {
    schemas::write_schemas(&module.schemas, &mut types);
    let mut methods: Vec<MethodCode<'_>> = method::write_methods(module, &mut types);
    methods.retain(needs_function);
    if types.purpose == Purpose::Handlers && !methods.is_empty() {
        let item = handlers::handlers_code(module, &methods, &mut types);
        types.add_item(item);
    }
    let info = module.info.as_deref().map(|info| format!("\n\n{info}")).unwrap_or_default();
    let doc = doc_comment(&format!("The API module `{}`.{info}", module.name));
    let (items, names) = types.finish();
    (format!("\n{doc}{LINTS}pub mod {name} {{\n{}}}\n", indented(&with_imports(&items))), names)
}

/// Returns the items of a Rust module, after the traits that they derive.
fn with_imports(items: &[String]) -> String {
    let items = items.join("\n");
    let traits: Vec<&str> = ["Deserialize", "Serialize"].into_iter().filter(|name| items.contains(name)).collect();
    match traits.as_slice() {
        [] => items,
        [only] => format!("use ::serde::{only};\n\n{items}"),
        all => format!("use ::serde::{{{}}};\n\n{items}", all.join(", ")),
    }
}
