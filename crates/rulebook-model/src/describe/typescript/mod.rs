//! The TypeScript declarations of an API, for programs that call it through the client `rulebook.js`.
//!
//! This Rust module decides which functions the client has. It generates the names of these functions, and the types of
//! their arguments and results. Types that all APIs share are in `rulebook.d.ts`, which is a part of the client. This
//! Rust module must not depend on how the client sends requests.

mod functions;
mod handlers;
mod schemas;
mod types;

use std::fmt::Write;

pub use functions::argument_names;
pub(super) use functions::is_client_member;
pub use handlers::typescript_handlers;
use schemas::{SchemaTypeNames, UsedSchemas};
use types::{TypeWriter, ValueRole, describe_value, format_doc_comment, member_name, string_literal};

use super::in_words::describe_deprecation;
use super::outputs;
use crate::envelope::{self, OutputsLocation, has_content};
use crate::model::{Api, Method, Module, Unbound};

/// Returns the TypeScript declarations of an API. They are the text of a `.d.ts` file, which must be in the same folder
/// as `rulebook.d.ts`.
#[must_use]
pub fn typescript(api: &Api) -> String {
    let methods: Vec<_> = api
        .modules
        .iter()
        .flat_map(|module| module.services.iter().map(move |service| (module, service)))
        .flat_map(|(module, service)| service.methods.iter().map(move |method| (module, method)))
        .collect();
    let functions = functions::api_interface_members(methods.iter().map(|(_, method)| *method));
    let schemas = UsedSchemas::new(&methods);
    let names = schemas.type_names();
    let signatures: String =
        methods.iter().map(|(module, method)| method_signature(api, module, method, &names)).collect();
    let api_doc_comment = format_doc_comment(&format!("{} {}", api.title, api.version), &[], 0);
    format!(
        "{api_doc_comment}\
         import type {{ Call, Calls, Download, FileArgument }} from \"./rulebook.js\";\n\n\
         /** The functions of the API: `await rulebook<Api>(url)`. */\n\
         export interface Api extends Calls<Methods> {{\n{functions}}}\n\n\
         /** The arguments, result and errors of each method, by its id. */\n\
         export interface Methods {{\n{signatures}}}\n\n\
         /** The ids of the methods. */\n\
         export type Id = keyof Methods;\n\
         {}",
        schemas.declarations(&names, |check| check.schema())
    )
}

/// Returns the member of the TypeScript interface `Methods` for a method. It contains the types of the method's
/// arguments, result and errors.
fn method_signature(api: &Api, module: &Module, method: &Method, names: &SchemaTypeNames) -> String {
    let mut text = method_doc_comment(method, 1);
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "  {}: {{\n    arguments: {};", member_name(&method.id), arguments_type(method, names));
    let _ = writeln!(text, "    result: {};", result_type(api, module, method, names));
    let errors: Vec<_> = method.errors_of_call(&api.auth_errors).map(|error| string_literal(&error.name)).collect();
    let errors = if errors.is_empty() { "never".to_owned() } else { errors.join(" | ") };
    let _ = writeln!(text, "    errors: {errors};\n  }};");
    text
}

fn arguments_type(method: &Method, names: &SchemaTypeNames) -> String {
    let writer = TypeWriter { names, role: ValueRole::Argument };
    let members: String = method
        .parameters
        .iter()
        .zip(argument_names(&method.parameters))
        .map(|(parameter, name)| {
            let schema = parameter.r#type.check.schema();
            let default: Vec<_> = parameter.default.iter().map(|default| format!("@default {default}")).collect();
            let doc_comment = format_doc_comment(&describe_value(&parameter.info, &schema), &default, 3);
            let argument = writer.write_type(&schema, 3);
            let mark = if parameter.optional { "?" } else { "" };
            let null = if parameter.optional && !parameter.r#type.check.refuses_null() { " | null" } else { "" };
            format!("{doc_comment}      {}{mark}: {argument}{null};\n", member_name(&name))
        })
        .collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{\n{members}    }}") }
}

/// Returns the type of the value to which a call resolves. This is the type of the method's outputs. If the envelope
/// (the format of responses) does not describe where the outputs are, it is the type of the whole response body.
fn result_type(api: &Api, module: &Module, method: &Method, names: &SchemaTypeNames) -> String {
    if method.options.download {
        return "Download".to_owned();
    }
    let envelope = api.make_envelope(api.envelope_name(module));
    let is_whole = method.whole().is_some();
    if !method.statuses().any(|status| has_content(envelope::response_status(&*envelope, status))) {
        return if is_whole { "undefined" } else { "{}" }.to_owned();
    }
    let outputs = outputs::response_schema(api.unbound, method, outputs::described_schema);
    let writer = TypeWriter { names, role: ValueRole::Result };
    match envelope.decoding().outputs {
        OutputsLocation::Unknown => writer.write_type(&envelope.success_schema(outputs, is_whole), 2),
        _ if !is_whole && method.body_outputs().next().is_none() && api.unbound != Unbound::Echo => "{}".to_owned(),
        _ => writer.write_type(&outputs, 2),
    }
}

fn method_doc_comment(method: &Method, level: usize) -> String {
    let tag = method.options.deprecation.as_ref().map(|deprecation| {
        format!("@deprecated {}", describe_deprecation(deprecation, str::to_owned)).trim_end().to_owned()
    });
    let sentences = method.constraints_in_words();
    let info = std::iter::once(method.info.clone()).chain(sentences).collect::<Vec<_>>().join("\n");
    format_doc_comment(&info, tag.as_slice(), level)
}
