//! The types of handlers in Node: of their arguments and outputs, and the names of their errors.

use std::fmt::Write;

use super::method_doc_comment;
use super::schemas::UsedSchemas;
use super::types::{TypeWriter, ValueRole, format_doc_comment, member_name, string_literal};
use crate::describe::handler_schema::{Converted, arguments_schema, handler_schema, returned_schema};
use crate::model::{Api, Method};

/// The types that the file has for every API.
const START: &str = "\
import type { Call, Upload } from \"./rulebook.mjs\";

/** The handler of a method: `const get: Handler<\"note.get\"> = async ({ id }, call) => …`. */
export type Handler<Id extends keyof Methods> = (
  args: Methods[Id][\"arguments\"],
  call: Call,
) => Methods[Id][\"outputs\"] | Promise<Methods[Id][\"outputs\"]>;

/** A file that a handler returns. */
export type Download = ({ file: string } | { text: string } | { base64: string }) & {
  name?: string;
  type?: string;
  inline?: boolean;
};

/** The arguments, outputs and errors of each method, by its id. */
export interface Methods {
";

/// Returns the types of the handlers in Node for these methods, as the text of a file.
#[must_use]
pub fn typescript_handlers(api: &Api, methods: &[&Method]) -> String {
    let schemas = UsedSchemas::of_handlers(methods);
    let names = schemas.type_names();
    let writer = TypeWriter { names: &names, role: ValueRole::Result };
    let title = format!("The types of handlers of {} {}, generated from its definition.", api.title, api.version);
    let mut text = format_doc_comment(&title, &[], 0) + START;
    for method in methods {
        text.push_str(&method_doc_comment(method, 1));
        let arguments = writer.write_type(&arguments_schema(method, Converted::Nothing), 2);
        let outputs = match returned_schema(method, Converted::Nothing) {
            Some(schema) => writer.write_type(&schema, 2),
            None => if method.options.download { "Download" } else { "void" }.to_owned(),
        };
        let errors: Vec<_> = method.errors.iter().map(|error| string_literal(&error.name)).collect();
        let errors = if errors.is_empty() { "never".to_owned() } else { errors.join(" | ") };
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "  {}: {{\n    arguments: {arguments};\n    outputs: {outputs};\n    errors: {errors};\n  }};\n",
            member_name(&method.id)
        );
    }
    text + "}\n" + &schemas.declarations(&names, |check| handler_schema(check, Converted::Nothing))
}
