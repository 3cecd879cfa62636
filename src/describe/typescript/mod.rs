//! The API as TypeScript declarations, for programs that call it by the client `rulebook.js`.
//!
//! In charge of which functions the client has for an API, what they are called,
//! and the types of what they take and give. What all APIs have in common stands
//! in `rulebook.d.ts`, beside the client. Must not know how the client calls.

mod names;
mod shape;
mod tree;

use std::fmt::Write;

use serde_json::Value as Json;

pub use names::argument_names;
use shape::{Side, comment, literal, member, type_of};

use super::outputs;
use crate::envelope::{self, has_content};
use crate::model::{Api, EnvelopeName, Method, Module, Output};

/// The declarations of an API, as the text of a `.d.ts` file that stands beside `rulebook.d.ts`.
#[must_use]
pub fn typescript(api: &Api) -> String {
    let methods: Vec<_> = api
        .modules
        .iter()
        .flat_map(|module| module.services.iter().map(move |service| (module, service)))
        .flat_map(|(module, service)| service.methods.iter().map(move |method| (module, method)))
        .collect();
    let functions = tree::functions(methods.iter().map(|(_, method)| *method));
    let signatures: String = methods.iter().map(|(module, method)| signature(api, module, method)).collect();
    let about = comment(&format!("{} {}", api.title, api.version), &[], 0);
    format!(
        "{about}\
         import type {{ Call, Calls, Download, FileArgument }} from \"./rulebook.js\";\n\n\
         /** The functions of the API: `await rulebook<Api>(url)`. */\n\
         export interface Api extends Calls<Methods> {{\n{functions}}}\n\n\
         /** What each method takes and gives, by its id. */\n\
         export interface Methods {{\n{signatures}}}\n\n\
         /** The ids of the methods. */\n\
         export type Id = keyof Methods;\n"
    )
}

/// What a method takes and gives.
fn signature(api: &Api, module: &Module, method: &Method) -> String {
    let mut text = about(method, 1);
    // Writing to a String does not fail.
    let _ = writeln!(text, "  {}: {{\n    arguments: {};", member(&method.id), arguments(method));
    let _ = writeln!(text, "    answer: {};", answer(api, module, method));
    let errors: Vec<_> = method.errors.iter().map(|error| literal(&error.name)).collect();
    let errors = if errors.is_empty() { "never".to_owned() } else { errors.join(" | ") };
    let _ = writeln!(text, "    errors: {errors};\n  }};");
    text
}

fn arguments(method: &Method) -> String {
    let names = argument_names(&method.parameters);
    let members: String = method
        .parameters
        .iter()
        .zip(names)
        .map(|(parameter, name)| {
            let default: Vec<_> = parameter.default.iter().map(|default| format!("@default {default}")).collect();
            let about = comment(&parameter.info, &default, 3);
            let shape = type_of(&parameter.r#type.check.schema(), Side::Argument, 3);
            let (mark, null) = if parameter.optional { ("?", " | null") } else { ("", "") };
            format!("{about}      {}{mark}: {shape}{null};\n", member(&name))
        })
        .collect();
    if members.is_empty() { "{}".to_owned() } else { format!("{{\n{members}    }}") }
}

/// What a call resolves to: the outputs, or all of the body in an envelope that the client does not know.
fn answer(api: &Api, module: &Module, method: &Method) -> String {
    if method.options.download {
        return "Download".to_owned();
    }
    let name = api.envelope_of(module);
    let shape = api.shape(name);
    let is_whole = method.whole().is_some();
    if !has_content(envelope::status(&*shape, method.options.status)) {
        return if is_whole { "undefined" } else { "{}" }.to_owned();
    }
    let outputs = outputs::schema(method, schema);
    if is_known(name) {
        if !is_whole && method.outputs.is_empty() {
            return "{}".to_owned();
        }
        return type_of(&outputs, Side::Answer, 2);
    }
    type_of(&shape.success_schema(outputs, is_whole), Side::Answer, 2)
}

/// Whether the client takes outputs out of this envelope.
fn is_known(envelope: &EnvelopeName) -> bool {
    ["aicra", "phalapi", "iapi", "plain"].contains(&envelope.as_str())
}

/// An output's schema with what documents want to know of it.
fn schema(output: &Output) -> Json {
    let mut schema = outputs::or_null(output, output.r#type.check.schema());
    if let Json::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), output.info.as_str().into());
    }
    schema
}

/// What a method does, as a comment.
fn about(method: &Method, level: usize) -> String {
    let tag = method.options.deprecated.then(|| "@deprecated".to_owned());
    comment(&method.info, tag.as_slice(), level)
}
