//! Generates the Rust code of an API: a Rust module for each API module, with the arguments, outputs and errors of its
//! methods, and the struct of their handlers.

use rulebook_model::distinct_names::{PlaceName, ScopeNames, candidates, distinct_names};
use rulebook_model::model::{Api, DeclaredError, Method, Module, Parameter, Service};
use rulebook_model::types::Arity;

use crate::identifier::{camel_case, snake_case, variant_names};
use crate::types::{
    Field, JSON, Role, SchemaPaths, TypeWriter, VALUE_TRAITS, doc_comment, indented, name_of_part, option, schema_name,
    struct_code, text_enum, visible, with_constraints, write_schemas,
};

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
            let methods = write_methods(module, &mut types);
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

fn write_shared(api: &Api, mut types: TypeWriter<'_>) -> (Vec<String>, ScopeNames) {
    write_schemas(&api.schemas, &mut types);
    types.finish()
}

fn module_code(module: &Module, name: &str, mut types: TypeWriter<'_>) -> (String, ScopeNames) {
    write_schemas(&module.schemas, &mut types);
    let mut methods: Vec<MethodCode<'_>> = write_methods(module, &mut types);
    methods.retain(needs_function);
    if types.purpose == Purpose::Handlers && !methods.is_empty() {
        let item = handlers_code(module, &methods, &mut types);
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

/// The path of the type that a handler receives besides its arguments.
const CONTEXT: &str = "::rulebook::Context";

struct Handler<'a> {
    code: &'a MethodCode<'a>,
    function: String,
    future: String,
}

/// Returns the struct `Handlers`, which has a field for the function of each method.
///
/// The functions have type parameters of their own, so that any function, in any file, can be a handler. The bounds of
/// `into_module` say which arguments, outputs and errors it must have.
fn handlers_code(module: &Module, methods: &[MethodCode<'_>], types: &mut TypeWriter<'_>) -> String {
    let handlers: Vec<Handler<'_>> = methods
        .iter()
        .map(|code| {
            let mut name = |end| types.name(&name_in_method(&code.signature.name, end));
            Handler { code, function: name("Function"), future: name("Future") }
        })
        .collect();
    let doc = format!(
        "The handlers of the API module `{}`: a function for each method.\n\nA function takes the arguments of its \
         method and the context of the call,\nand returns the outputs or an error of the method.",
        module.name
    );
    let functions = handlers.iter().map(|handler| handler.function.as_str()).collect::<Vec<_>>().join(", ");
    let futures = handlers.iter().map(|handler| handler.future.as_str()).collect::<Vec<_>>().join(", ");
    let fields: String = handlers.iter().map(field).collect();
    let bounds: String = handlers.iter().map(bounds).collect();
    let bindings: String = handlers.iter().map(binding).collect();
    let (doc, name) = (doc_comment(&doc), &module.name);
    format!(
        "{doc}#[derive(Clone)]\npub struct Handlers<{functions}> {{\n{fields}}}\n\n\
         impl<{functions}> Handlers<{functions}> {{\n    \
         /// Binds each function to its method.\n    #[must_use]\n    #[track_caller]\n    \
         pub fn into_module<{futures}>(self) -> ::rulebook::Module\n    where\n{bounds}    {{\n        \
         ::rulebook::Module::new({name:?})\n{bindings}    }}\n}}\n"
    )
}

fn field(handler: &Handler<'_>) -> String {
    let code = handler.code;
    let doc = doc_comment(&format!("{}: {}", code.title, code.method.info));
    indented(&format!("{doc}pub {}: {},", code.signature.name, handler.function))
}

fn bounds(handler: &Handler<'_>) -> String {
    let Handler { code, function, future } = handler;
    let Signature { arguments, outputs, error, .. } = &code.signature;
    format!(
        "        {function}: Fn({arguments}, {CONTEXT}) -> {future} + Clone + Send + Sync + 'static,\n        \
         {future}: Future<Output = Result<{outputs}, {error}>> + Send + 'static,\n"
    )
}

fn binding(handler: &Handler<'_>) -> String {
    let MethodCode { uri, binding, signature: Signature { name, arguments, error, .. }, .. } = handler.code;
    let call = match &**error {
        API_ERROR => format!("(self.{name})(arguments, context)"),
        error => format!(
            "let future = (self.{name})(arguments, context);\n                \
             async move {{ future.await.map_err({error}::into_api_error) }}"
        ),
    };
    let argument = format!("::rulebook::Args(arguments): ::rulebook::Args<{arguments}>");
    format!(
        "            .{binding}({uri:?}, move |{argument}, context: {CONTEXT}| {{\n                {call}\n            \
         }})\n"
    )
}

/// A method, and its Rust types. In the dialect `rules`, a service has one method for GET and POST.
struct MethodCode<'a> {
    method: &'a Method,
    uri: String,
    /// The method as documents write it: `GET /article`.
    title: String,
    /// The function of `Module` that binds a handler to the method: `get`, or `any` for GET and POST.
    binding: String,
    signature: Signature,
}

fn title(method: &Method, uri: &str, is_shared: bool) -> String {
    let http = if is_shared { "GET and POST" } else { method.http.as_str() };
    format!("`{http} {}`", uri.replace('`', "'"))
}

fn write_methods<'a>(module: &'a Module, types: &mut TypeWriter<'_>) -> Vec<MethodCode<'a>> {
    let mut methods = Vec::new();
    for service in &module.services {
        let shared = shared_method(service);
        for method in &service.methods {
            let is_shared = shared.is_some() && ["GET", "POST"].contains(&method.http.as_str());
            if !is_shared || method.http.as_str() != "POST" {
                methods.push((service, method, is_shared));
            }
        }
    }
    let names = methods.iter().map(|(_, method, is_shared)| names_of_method(module, method, *is_shared));
    // The names of types are in camel case, in which other names can be the same.
    let names = distinct_names(names, camel_case);
    let methods = methods.into_iter().zip(names);
    methods.map(|((service, method, is_shared), name)| write_method(service, method, is_shared, name, types)).collect()
}

/// Returns the names that the function of a method can have.
fn names_of_method(module: &Module, method: &Method, is_shared: bool) -> Vec<String> {
    let id = match method.id.split_once('.').unwrap_or((&method.id, "")) {
        (first, rest) if first.eq_ignore_ascii_case(&module.name) => rest,
        _ => &method.id,
    };
    let id = if is_shared { id.strip_suffix(".get").unwrap_or(id) } else { id };
    let http = method.http.as_str().to_ascii_lowercase();
    candidates(vec![snake_case(id, &http), snake_case(&method.id, &http)], "_", &method.id)
}

/// The ends of the names of the types that each method has.
const TYPES_OF_METHOD: [&str; 5] = ["Arguments", "Outputs", "Error", "Function", "Future"];

fn name_in_method(name: &str, end: &str) -> PlaceName {
    PlaceName::new(camel_case(name) + end, format!("{name}\n{end}"))
}

fn name_of_value(name: &str, end: &str, value: &str) -> PlaceName {
    let mut place = name_in_method(name, end);
    let part = name_of_part(&PlaceName::new("", ""), value).short;
    // A value never has the name of a type that the method itself can have.
    if !TYPES_OF_METHOD.contains(&part.as_str()) {
        place.short = camel_case(name);
    }
    place.part(&part, value)
}

/// Returns the GET method of a service if it differs from the POST method in nothing that handlers see.
fn shared_method(service: &Service) -> Option<&Method> {
    let find = |http: &str| service.methods.iter().find(|method| method.http.as_str() == http);
    let (get, post) = (find("GET")?, find("POST")?);
    let parameters = |method: &Method| -> Vec<_> {
        let parts = |parameter: &Parameter| (parameter.name.clone(), parameter.r#type.clone(), parameter.optional);
        method.parameters.iter().map(parts).collect()
    };
    let outputs = |method: &Method| -> Vec<_> {
        method.returned_outputs().map(|output| (output.name.clone(), output.r#type.clone(), output.optional)).collect()
    };
    let errors = |method: &Method| -> Vec<_> { method.errors.iter().map(|error| error.name.clone()).collect() };
    let is_same = get.info == post.info
        && get.options.download == post.options.download
        && parameters(get) == parameters(post)
        && outputs(get) == outputs(post)
        && errors(get) == errors(post);
    is_same.then_some(get)
}

fn write_method<'a>(
    service: &Service,
    method: &'a Method,
    is_shared: bool,
    name: String,
    types: &mut TypeWriter<'_>,
) -> MethodCode<'a> {
    let uri = service.uri();
    let title = title(method, &uri, is_shared);
    let arguments = write_arguments(method, &name, &title, types);
    let outputs = write_outputs(method, &name, &title, types);
    let error = match method.errors[..] {
        [] => API_ERROR.to_owned(),
        _ => write_error(method, &name, &title, types),
    };
    let binding = if is_shared { "any".to_owned() } else { method.http.as_str().to_ascii_lowercase() };
    let (id, info) = (method.id.clone(), one_line(first_paragraph(&method.info)));
    MethodCode { method, uri, title, binding, signature: Signature { name, id, arguments, outputs, error, info } }
}

fn write_arguments(method: &Method, function: &str, title: &str, types: &mut TypeWriter<'_>) -> String {
    if method.parameters.is_empty() {
        return "()".to_owned();
    }
    let name = types.name(&name_in_method(function, "Arguments"));
    let is_file = |parameter: &Parameter| matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files);
    let has_files = types.purpose == Purpose::Handlers && method.parameters.iter().any(is_file);
    types.add_item_first(|types| {
        let fields: Vec<_> =
            method.parameters.iter().map(|parameter| argument_field(parameter, function, types)).collect();
        let doc = format!("The arguments of {title}: {}", first_paragraph(&method.info));
        let doc = with_constraints(&doc, "parameters", method.constraints_in_words().into_iter());
        struct_code(&name, &doc, if has_files { "#[derive(Debug, Deserialize)]\n" } else { VALUE_TRAITS }, &fields)
    });
    name
}

fn argument_field(parameter: &Parameter, function: &str, types: &mut TypeWriter<'_>) -> Field {
    let check = &parameter.r#type.check;
    let has_function =
        ["callback", "after"].iter().any(|attribute| parameter.r#type.written.attributes.contains_key(*attribute));
    let is_for_handlers = types.purpose == Purpose::Handlers;
    let mut attributes = "";
    let file = if is_for_handlers { "::rulebook::Upload" } else { "Vec<u8>" };
    let rust_type = match check.arity() {
        Arity::File | Arity::Files if !is_for_handlers => {
            attributes = "#[serde(skip)]\n";
            if check.arity() == Arity::File { file.to_owned() } else { format!("Vec<{file}>") }
        }
        Arity::File => file.to_owned(),
        Arity::Files => format!("Vec<{file}>"),
        // The function of the program may return any value.
        Arity::One | Arity::Many if has_function => JSON.to_owned(),
        Arity::One | Arity::Many => {
            let name = name_of_value(function, "Arguments", &parameter.name);
            types.rust_type(check, Role::Argument, &name, &parameter.info)
        }
    };
    // Handlers receive the default, so that the value is never missing.
    let may_be_missing = parameter.optional && !(is_for_handlers && parameter.default.is_some());
    let rust_type = if may_be_missing { option(rust_type) } else { rust_type };
    Field { name: parameter.name.clone(), info: parameter.info.clone(), rust_type, attributes }
}

fn write_outputs(method: &Method, function: &str, title: &str, types: &mut TypeWriter<'_>) -> String {
    if method.options.download {
        return "::rulebook::Download".to_owned();
    }
    // Other programs read the outputs in the body, and handlers return all of them.
    let outputs: Vec<_> = match types.purpose {
        Purpose::Handlers => method.returned_outputs().collect(),
        Purpose::Types => method.body_outputs().collect(),
    };
    if outputs.is_empty() {
        return "()".to_owned();
    }
    let place = name_in_method(function, "Outputs");
    let name = types.name(&place);
    if let [whole] = outputs[..]
        && whole.is_whole()
    {
        let doc = format!("The response of {title}: {}", whole.info);
        if whole.optional {
            types.add_item_first(|types| {
                let inner = types.rust_type(&whole.r#type.check, Role::Output, &place.part("Value", "Value"), &doc);
                format!("{}pub type {name} = {};\n", doc_comment(&doc), option(inner))
            });
        } else {
            types.write_type(&whole.r#type.check, Role::Output, &place, &doc);
        }
        return name;
    }
    types.add_item_first(|types| {
        let mut field = |output: &rulebook_model::model::Output| {
            let part = name_of_value(function, "Outputs", if output.is_whole() { "body" } else { &output.name });
            let rust_type = types.rust_type(&output.r#type.check, Role::Output, &part, &output.info);
            let rust_type = if output.optional { option(rust_type) } else { rust_type };
            Field { name: output.name.clone(), info: output.info.clone(), rust_type, attributes: "" }
        };
        let fields: Vec<_> = outputs.iter().map(|output| field(output)).collect();
        struct_code(&name, &format!("The outputs of {title}"), VALUE_TRAITS, &fields)
    });
    name
}

fn write_error(method: &Method, function: &str, title: &str, types: &mut TypeWriter<'_>) -> String {
    let name = types.name(&name_in_method(function, "Error"));
    let doc = format!("The errors of {title}");
    let item = match types.purpose {
        Purpose::Handlers => handler_error(&method.errors, &name, &doc),
        Purpose::Types => {
            let names: Vec<_> = method.errors.iter().map(|error| error.name.clone()).collect();
            text_enum(&names, &name, &doc)
        }
    };
    types.add_item(item);
    name
}

/// Returns the enum of the errors that a handler can return. Every error that becomes an `ApiError` becomes this error
/// too, so that handlers can use `?`.
fn handler_error(errors: &[DeclaredError], name: &str, doc: &str) -> String {
    let names: Vec<&str> = errors.iter().map(|error| error.name.as_str()).collect();
    let variants: Vec<_> = errors.iter().zip(variant_names(&names, &["Other", "Self"])).collect();
    let declared: String =
        variants.iter().map(|(error, variant)| indented(&format!("{}{variant},", doc_comment(&error.info)))).collect();
    let arms: String = variants
        .iter()
        .map(|(error, variant)| {
            format!("            Self::{variant} => ::rulebook::ApiError::declared({:?}),\n", error.name)
        })
        .collect();
    format!(
        r#"{doc}#[derive(Debug)]
pub enum {name} {{
{declared}    /// Another error, or an error with more members than its name.
    Other(::rulebook::ApiError),
}}

impl {name} {{
    /// Adds a member to the error response.
    #[must_use]
    pub fn with_member(self, name: &'static str, value: impl Into<::serde_json::Value>) -> Self {{
        Self::Other(self.into_api_error().with_member(name, value))
    }}

    /// Returns the error that ends the call.
    #[must_use]
    pub fn into_api_error(self) -> ::rulebook::ApiError {{
        match self {{
{arms}            Self::Other(error) => error,
        }}
    }}
}}

impl<E: Into<::rulebook::ApiError>> From<E> for {name} {{
    fn from(error: E) -> Self {{
        Self::Other(error.into())
    }}
}}
"#,
        doc = doc_comment(doc)
    )
}

fn first_paragraph(info: &str) -> &str {
    info.split("\n\n").next().unwrap_or_default()
}
