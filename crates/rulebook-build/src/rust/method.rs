//! The arguments, outputs and errors of methods.

use rulebook_model::distinct_names::{PlaceName, candidates, distinct_names};
use rulebook_model::model::{DeclaredError, Method, Module, Parameter, Service};
use rulebook_model::types::Arity;

use super::objects::{Field, VALUE_TRAITS, doc_comment, indented, name_of_part, struct_code, with_constraints};
use super::samples::{JSON, Role};
use super::type_writer::{TypeWriter, option};
use super::unions::text_enum;
use super::{API_ERROR, Purpose, Signature, one_line};
use crate::distinct_names::variant_names;
use crate::identifier::{camel_case, snake_case};

/// A method, and its Rust types. In the dialect `rules`, a service has one method for GET and POST.
pub(super) struct MethodCode<'a> {
    pub(super) method: &'a Method,
    pub(super) uri: String,
    /// The method as documents write it: `GET /article`.
    pub(super) title: String,
    /// The function of `Module` that binds a handler to the method: `get`, or `any` for GET and POST.
    pub(super) binding: String,
    /// The handler of the method.
    pub(super) signature: Signature,
}

fn title(method: &Method, uri: &str, is_shared: bool) -> String {
    let http = if is_shared { "GET and POST" } else { method.http.as_str() };
    format!("`{http} {}`", uri.replace('`', "'"))
}

/// Writes the types of the methods of an API module.
pub(super) fn write_methods<'a>(module: &'a Module, types: &mut TypeWriter<'_>) -> Vec<MethodCode<'a>> {
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

/// Names one of the types of the method with the function `name`.
pub(super) fn name_in_method(name: &str, end: &str) -> PlaceName {
    PlaceName::new(camel_case(name) + end, format!("{name}\n{end}"))
}

/// Names the type of a parameter or of an output.
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

/// Returns the first paragraph of a description.
fn first_paragraph(info: &str) -> &str {
    info.split("\n\n").next().unwrap_or_default()
}
