//! The section of a method's page that is for the authors of the API: how the definition writes the method.

use serde_json::{Map, Value as Json};

use super::MethodEntry;
use super::document::{Block, Inline, Inlines, TableRow};
use super::types::{describe_constraints, describe_type};
use crate::describe::argument_names;
use crate::model::{Api, Method};

/// Returns the section with the types of the definition, in the definition's notation, and the names in code. It is
/// folded, because callers of the API do not need it.
pub(super) fn definition_of_method<'a>(api: &Api, MethodEntry { module, method, .. }: MethodEntry<'a>) -> Block<'a> {
    let format = api.envelope_name(module).as_str().to_owned();
    let mut blocks = vec![Block::Facts(vec![("Response format", vec![Inline::code(format)])])];
    let rows = definition_rows(method);
    if !rows.is_empty() {
        blocks.push(Block::table(&["Key", "Type", "Name in handlers", "Name in rulebook.js"], rows));
    }
    Block::Folded { id: "definition", summary: "In the definition, for the authors of the API".into(), blocks }
}

fn definition_rows(method: &Method) -> Vec<TableRow<'_>> {
    let mut rows = Vec::new();
    for (parameter, argument) in method.parameters.iter().zip(argument_names(&method.parameters)) {
        let written = &parameter.r#type.written;
        let key = parameter.tree_key();
        let names = [vec![Inline::code(&parameter.name)], vec![Inline::code(argument)]];
        add_rows(key, parameter.optional, &written.term, &written.attributes, names, &mut rows);
    }
    for output in &method.outputs {
        let written = &output.r#type.written;
        let names = [vec![Inline::code(&output.name)], Vec::new()];
        let key = format!("out: {}", output.name);
        add_rows(key, output.optional, &written.term, &written.attributes, names, &mut rows);
    }
    rows
}

/// Adds a row for a type, and a row for each member of an object, in the order of the definition.
fn add_rows<'a>(
    key: String,
    is_optional: bool,
    term: &'a str,
    attributes: &'a Map<String, Json>,
    names: [Inlines<'a>; 2],
    rows: &mut Vec<TableRow<'a>>,
) {
    let mut described = describe_type(term, attributes);
    described.extend(describe_constraints(attributes));
    if !is_optional {
        described.push(Inline::text(", required"));
    }
    let members = attributes.get("fields").and_then(Json::as_object);
    let [in_handlers, argument] = names;
    let inner_key = |name: &str| format!("{key}.{name}");
    let inner: Vec<_> = members.into_iter().flatten().map(|(name, member)| (inner_key(name), member)).collect();
    let cell = |inlines: Inlines<'a>| if inlines.is_empty() { Vec::new() } else { vec![inlines] };
    let cells = vec![vec![vec![Inline::code(key)]], vec![described], cell(in_handlers), cell(argument)];
    rows.push(TableRow { id: None, cells });
    for (key, member) in inner {
        let Some(attributes) = member.as_object() else { continue };
        let written = attributes.get("type").and_then(Json::as_str).unwrap_or_default();
        let (term, is_optional) = written.strip_prefix('?').map_or((written, false), |term| (term, true));
        add_rows(key, is_optional, term, attributes, [Vec::new(), Vec::new()], rows);
    }
}
