//! The types of handlers in Python: of their arguments and outputs, and the names of their errors.

use super::types::{TypeWriter, Values, docstring, string_literal, to_class_name};
use crate::describe::canonical::schemas_in_types;
use crate::describe::method_schemas::{Converted, arguments_schema, handler_schema, returned_schema};
use crate::distinct_names::{PlaceName, ScopeNames};
use crate::model::{Api, Method};

const IMPORTS: &str = "\
from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
from uuid import UUID

from rulebook import Upload
";

const DOWNLOAD: &str = "\
class Download(TypedDict):
    \"\"\"A file: its path in the folder of files, its text, or its bytes in base64.\"\"\"

    file: NotRequired[str]
    text: NotRequired[str]
    base64: NotRequired[str]
    name: NotRequired[str]
    type: NotRequired[str]
    inline: NotRequired[bool]
";

const ARGUMENTS: Values = Values {
    schema: |check| handler_schema(check, Converted::Nothing),
    converted: |python, _| python.to_owned(),
    file: "Upload",
    suffix: "Argument",
};

const OUTPUTS: Values = Values {
    schema: |check| handler_schema(check, Converted::Everything),
    converted: |python, json| format!("{python} | {json}"),
    file: "Upload",
    suffix: "",
};

/// Returns the types of the handlers in Python for these methods, as the text of a file.
#[must_use]
pub fn python_handlers(api: &Api, methods: &[&Method]) -> String {
    let arguments = schemas_in_types(methods.iter().flat_map(|method| method.argument_checks()));
    let outputs = schemas_in_types(methods.iter().flat_map(|method| method.output_checks()));
    let place =
        |method: &Method, end: &str| PlaceName::new(to_class_name(&method.id) + end, format!("{}\n{end}", method.id));
    let write = |names: ScopeNames| {
        let mut types = TypeWriter::new(&arguments, names, ARGUMENTS);
        for method in methods {
            let about = format!("The arguments of `{}`: {}", method.id, method.info);
            types.declare_typed_dict(
                &place(method, "Arguments"),
                &about,
                &arguments_schema(method, Converted::Outside),
            );
        }
        let (mut declarations, names) = types.finish();
        let mut types = TypeWriter::new(&outputs, names, OUTPUTS);
        for method in methods {
            declare_outputs(&mut types, method, &place(method, "Outputs"));
            let errors: Vec<_> = method.errors.iter().map(|error| string_literal(&error.name)).collect();
            if !errors.is_empty() {
                let about = format!("The errors of `{}`.", method.id);
                types.declare_alias(&place(method, "Error"), &about, &format!("Literal[{}]", errors.join(", ")));
            }
        }
        let (more, names) = types.finish();
        declarations.extend(more);
        (declarations, names)
    };
    let (_, names) = write(ScopeNames::default());
    let (mut declarations, _) = write(names.choose());
    if methods.iter().any(|method| method.options.download) {
        declarations.insert(0, DOWNLOAD.to_owned());
    }
    let title = format!("{} {}", api.title, api.version);
    let header = format!("The types of handlers of {title}, generated from its definition, for Python 3.11 and later.");
    let body = declarations.iter().map(|text| text.trim_end()).collect::<Vec<_>>().join("\n\n\n");
    format!("{}\n{IMPORTS}\n\n{body}\n", docstring(&header, 0))
}

fn declare_outputs(types: &mut TypeWriter<'_>, method: &Method, place: &PlaceName) {
    let about = format!("The outputs of `{}`.", method.id);
    let schema = returned_schema(method, Converted::Everything);
    match schema {
        Some(schema) if method.returned_whole().is_none() => {
            types.declare_typed_dict(place, &about, &schema);
        }
        Some(schema) => {
            let content = types.type_of(&schema, &place.part("Value", "value"));
            types.declare_alias(place, &about, &content);
        }
        None => {
            let content = if method.options.download { "Download" } else { "None" };
            types.declare_alias(place, &about, content);
        }
    }
}
