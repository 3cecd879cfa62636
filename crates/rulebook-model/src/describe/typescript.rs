//! The TypeScript declarations of an API, for programs that call it through the client `rulebook.js`, and for handlers
//! in Node.
//!
//! This Rust module decides which functions the client has. It generates the names of these functions, and the types of
//! their arguments and results. Types that all APIs share are in `rulebook.d.ts`, which is a part of the client. This
//! Rust module must not depend on how the client sends requests.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::canonical::schemas_in_types;
use super::client::{FunctionNode, ReturnedValue, is_invisible_in_code, returned_value};
use super::in_words::describe_deprecation;
use super::method_schemas::{Converted, arguments_schema, handler_schema, returned_schema};
use super::snippet::is_identifier;
use crate::distinct_names::{candidates, distinct_names, is_one_of};
use crate::invisible::escape_like_json;
use crate::model::{Api, Method, Module, Parameter};
use crate::types::{
    Check, NamedSchema, branches, constants, info_with_type_description, is_moment, kinds, reference_key,
};

/// Returns the TypeScript declarations of an API. They are the text of a `.d.ts` file, which must be in the same folder
/// as `rulebook.d.ts`.
#[must_use]
pub fn typescript(api: &Api) -> String {
    let functions = api_interface_members(api.methods().map(|(.., method)| method));
    let schemas = UsedSchemas::new(api);
    let names = schemas.type_names();
    let signatures: String =
        api.methods().map(|(module, _, method)| method_signature(api, module, method, &names)).collect();
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

fn result_type(api: &Api, module: &Module, method: &Method, names: &SchemaTypeNames) -> String {
    match returned_value(api, module, method) {
        ReturnedValue::Download => "Download".to_owned(),
        ReturnedValue::Nothing => if method.whole().is_some() { "undefined" } else { "{}" }.to_owned(),
        ReturnedValue::Json(schema) => TypeWriter { names, role: ValueRole::Result }.write_type(&schema, 2),
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

// The functions of the client, in a tree: the method with the id `article.get` is the function `get` below `article`.

/// The members that every client has at the top of the tree, beside the functions of the API.
const CLIENT_MEMBERS: [&str; 2] = ["$call", "$methods"];

/// JavaScript treats an object with a method `then` as a promise.
const PROMISE_MEMBER: &str = "then";

pub(super) fn is_client_member(id: &str) -> bool {
    let first = id.split('.').next().unwrap_or_default();
    !CLIENT_MEMBERS.contains(&first) && id != PROMISE_MEMBER
}

/// Returns the names of a method's arguments, one for each parameter: the names of the parameters in code. If the name
/// of an argument is the key of another parameter, both have their full keys as names, which the client accepts for
/// every parameter.
#[must_use]
pub fn argument_names(parameters: &[Parameter]) -> Vec<String> {
    let names: Vec<_> = parameters.iter().map(|parameter| (&parameter.name, parameter.tree_key())).collect();
    let argument_name = |(index, (short, key)): (usize, &(&String, String))| {
        let mut others = names.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, names)| names);
        let is_ambiguous = others.any(|(other_short, other_key)| other_short == short || other_key == *short);
        if is_ambiguous { key.clone() } else { (*short).clone() }
    };
    names.iter().enumerate().map(argument_name).collect()
}

/// A method whose id is a reserved name is not a member; programs call this method with `$call`.
fn api_interface_members<'a>(methods: impl Iterator<Item = &'a Method>) -> String {
    let mut top = FunctionNode::default();
    for method in methods.filter(|method| is_client_member(&method.id)) {
        top.insert(&method.id, method);
    }
    let mut text = String::new();
    write_members(&top, 1, &mut text);
    text
}

fn write_members(node: &FunctionNode<&Method>, level: usize, text: &mut String) {
    let indent = "  ".repeat(level);
    for (name, node) in &node.children {
        if let Some(method) = node.function {
            text.push_str(&method_doc_comment(method, level));
        }
        let call = node.function.map(|method| format!("Call<Methods[{}]>", string_literal(&method.id)));
        let and = if call.is_some() && !node.children.is_empty() { " & " } else { "" };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{indent}{}: {}{and}", member_name(name), call.unwrap_or_default());
        if !node.children.is_empty() {
            text.push_str("{\n");
            write_members(node, level + 1, text);
            let _ = write!(text, "{indent}}}");
        }
        text.push_str(";\n");
    }
}

// Types. A TypeScript type accepts every value that the JSON Schema accepts. Rules that TypeScript cannot express, such
// as bounds and patterns, are not part of the type.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueRole {
    /// The value is an argument, which the program passes to the client.
    Argument,
    /// The value is a part of the result, which the client returns to the program, or of a call that a handler handles.
    Result,
}

#[derive(Clone, Copy)]
struct TypeWriter<'n> {
    names: &'n SchemaTypeNames,
    role: ValueRole,
}

impl TypeWriter<'_> {
    /// `level` is the indentation of the current line, in steps of two spaces.
    fn write_type(self, schema: &Json, level: usize) -> String {
        let Json::Object(keywords) = schema else { return "unknown".to_owned() };
        if let Some(key) = reference_key(schema) {
            return self.names.get(key, self.role).to_owned();
        }
        if let Some(values) = constants(schema) {
            return union_type(values.iter().map(literal_type));
        }
        if let Some(branches) = branches(schema) {
            return union_type(branches.iter().map(|schema| self.write_type(schema, level)));
        }
        match (keywords.get("type"), keywords.get("allOf")) {
            (None, Some(Json::Array(parts))) => {
                let parts: Vec<_> = parts.iter().map(|schema| self.write_type(schema, level)).collect();
                parts.join(" & ")
            }
            (None, _) => "unknown".to_owned(),
            (kind, _) => union_type(kinds(kind).into_iter().map(|kind| self.type_of_kind(kind, keywords, level))),
        }
    }

    fn type_of_kind(self, kind: &str, schema: &Map<String, Json>, level: usize) -> String {
        let is_file = kind == "string" && schema.get("format").is_some_and(|format| format == "binary");
        let name = match (kind, self.role) {
            (_, ValueRole::Argument) if is_file => "FileArgument",
            (_, ValueRole::Result) if is_file => "Upload",
            ("string", ValueRole::Argument) if is_moment(schema) => "string | Date",
            ("integer", ValueRole::Argument) => "number | bigint",
            ("integer" | "number", _) => "number",
            ("string" | "boolean" | "null", _) => kind,
            ("array", _) => return self.array_type(schema.get("items"), level),
            ("object", _) => return self.object_type(schema, level),
            _ => "unknown",
        };
        name.to_owned()
    }

    fn array_type(self, items: Option<&Json>, level: usize) -> String {
        let items = items.map_or_else(|| "unknown".to_owned(), |items| self.write_type(items, level));
        match self.role {
            ValueRole::Argument => format!("ReadonlyArray<{items}>"),
            ValueRole::Result => format!("Array<{items}>"),
        }
    }

    fn object_type(self, schema: &Map<String, Json>, level: usize) -> String {
        let Some(Json::Object(properties)) = schema.get("properties") else {
            let others = schema.get("additionalProperties").map(|others| self.write_type(others, level));
            return format!("{{ [name: string]: {} }}", others.as_deref().unwrap_or("unknown"));
        };
        let required = schema.get("required").and_then(Json::as_array).into_iter().flatten();
        let required: HashSet<&str> = required.filter_map(Json::as_str).collect();
        let indent = "  ".repeat(level + 1);
        let members: String = properties
            .iter()
            .map(|(name, schema)| {
                let about = schema.get("description").and_then(Json::as_str);
                let about = about.map(|about| format_doc_comment(about, &[], level + 1)).unwrap_or_default();
                let mark = if required.contains(name.as_str()) { "" } else { "?" };
                format!("{about}{indent}{}{mark}: {};\n", member_name(name), self.write_type(schema, level + 1))
            })
            .collect();
        format!("{{\n{members}{}}}", "  ".repeat(level))
    }
}

/// Returns the union of several TypeScript types, without duplicates.
fn union_type(types: impl Iterator<Item = String>) -> String {
    let mut seen = HashSet::new();
    let all: Vec<String> = types.filter(|r#type| seen.insert(r#type.clone())).collect();
    match all.as_slice() {
        // A schema without alternatives accepts no value.
        [] => "never".to_owned(),
        // The type `unknown` includes all other types.
        all if all.iter().any(|r#type| r#type == "unknown") => "unknown".to_owned(),
        all => all.join(" | "),
    }
}

/// Returns the TypeScript type that only contains the value `json`. For an array or an object, this is `unknown`.
fn literal_type(json: &Json) -> String {
    match json {
        Json::String(text) => string_literal(text),
        Json::Bool(_) | Json::Number(_) | Json::Null => json.to_string(),
        Json::Array(_) | Json::Object(_) => "unknown".to_owned(),
    }
}

/// Formats a TypeScript string literal. Every JSON string is also a valid string literal in TypeScript.
fn string_literal(text: &str) -> String {
    escape_invisible(&Json::from(text).to_string())
}

fn escape_invisible(text: &str) -> String {
    escape_like_json(text, is_invisible_in_code)
}

/// Formats the name of a member. The name is quoted, unless it is an identifier.
fn member_name(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { string_literal(name) }
}

fn describe_value(info: &str, schema: &Json) -> String {
    schema.as_object().map_or_else(|| info.to_owned(), |schema| info_with_type_description(info, schema))
}

/// `tags`, such as `@deprecated`, follow the text. The text cannot end the comment or add tags.
fn format_doc_comment(text: &str, tags: &[String], level: usize) -> String {
    let indent = "  ".repeat(level);
    let text = text.replace("*/", "*\\/");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.map(|line| if line.starts_with('@') { format!("\\{line}") } else { line.to_owned() });
    let tags = tags.iter().map(|tag| tag.replace("*/", "*\\/"));
    let lines: Vec<_> = lines.chain(tags).map(|line| escape_invisible(&line)).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines: String = lines.iter().map(|line| format!("{indent} * {line}\n")).collect();
            format!("{indent}/**\n{lines}{indent} */\n")
        }
    }
}

// The types of the schemas of a definition, and their names.

/// Words that TypeScript does not allow as the name of a type, or not in a module, and names in every declaration.
const RESERVED_NAMES: &str = "\
    any as await bigint boolean break case catch class const continue debugger default delete do else enum \
    export extends false finally for function if implements import in infer instanceof interface intrinsic keyof \
    let never new null number object package private protected public readonly return static string super switch \
    symbol this throw true try typeof undefined unique unknown using var void while with yield Api Array Call \
    Calls Download FileArgument Handler Id Methods ReadonlyArray Upload";

/// The schemas that the arguments and the results of an API's methods contain, by their keys.
struct UsedSchemas {
    arguments: BTreeMap<String, Arc<NamedSchema>>,
    results: BTreeMap<String, Arc<NamedSchema>>,
}

impl UsedSchemas {
    fn new(api: &Api) -> Self {
        let arguments = schemas_in_types(api.methods().flat_map(|(.., method)| method.argument_checks()));
        Self { arguments, results: schemas_in_types(api.methods().flat_map(|(.., method)| method.output_checks())) }
    }

    /// Returns the schemas in the arguments and outputs of handlers, which have the same types.
    fn of_handlers(methods: &[&Method]) -> Self {
        let arguments = methods.iter().flat_map(|method| method.argument_checks());
        let outputs = methods.iter().flat_map(|method| method.output_checks());
        Self { arguments: BTreeMap::new(), results: schemas_in_types(arguments.chain(outputs)) }
    }

    fn type_names(&self) -> SchemaTypeNames {
        SchemaTypeNames::new(&self.results.keys().chain(self.arguments.keys()).map(String::as_str).collect())
    }

    /// Returns the declarations of the types. `schema_of` returns the schema of the values that a check accepts.
    fn declarations(&self, names: &SchemaTypeNames, schema_of: fn(&dyn Check) -> Json) -> String {
        let declarations = |schemas: &BTreeMap<String, Arc<NamedSchema>>, role: ValueRole| -> String {
            schemas.values().map(|named| declaration(named, &schema_of(&*named.check), names, role)).collect()
        };
        declarations(&self.results, ValueRole::Result) + &declarations(&self.arguments, ValueRole::Argument)
    }
}

fn declaration(named: &NamedSchema, schema: &Json, names: &SchemaTypeNames, role: ValueRole) -> String {
    let comment = format_doc_comment(&describe_value(&named.info, schema), &[], 0);
    let content = TypeWriter { names, role }.write_type(schema, 0);
    format!("\n{comment}export type {} = {content};\n", names.get(named.key(), role))
}

/// The names of the types of an API's schemas. All are different, and none is used for anything else.
struct SchemaTypeNames {
    results: HashMap<String, String>,
    arguments: HashMap<String, String>,
}

impl SchemaTypeNames {
    fn new(keys: &BTreeSet<&str>) -> Self {
        let names = |(key, end): (&str, &str)| {
            let name = to_identifier(key) + end;
            let mark = if is_one_of(RESERVED_NAMES, &name) { "_" } else { "" };
            candidates(vec![name + mark], "_", &format!("{key}\n{end}"))
        };
        let things = ["", "Argument"].into_iter().flat_map(|end| keys.iter().map(move |key| (*key, end)));
        let mut names = distinct_names(things.map(names), str::to_owned).into_iter();
        let mut names = || keys.iter().map(|key| (*key).to_owned()).zip(names.by_ref()).collect();
        Self { results: names(), arguments: names() }
    }

    /// Arguments have a type of their own, because they can be read-only arrays and large integers.
    fn get(&self, key: &str, role: ValueRole) -> &str {
        let names = match role {
            ValueRole::Argument => &self.arguments,
            ValueRole::Result => &self.results,
        };
        names.get(key).map_or("unknown", String::as_str)
    }
}

fn to_identifier(key: &str) -> String {
    let name: String = key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

// The types of handlers in Node: of their arguments and outputs, and the names of their errors.

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
