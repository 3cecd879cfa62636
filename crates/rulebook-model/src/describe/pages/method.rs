//! The page of a method, with the parameters, example calls, responses, errors and required permissions of the method.

use super::contents::contents_link;
use super::document::{Block, Inline, Inlines, PageDocument, TableRow};
use super::phrases::{describe_location, describe_scope, request_name};
use super::types::{self, describe_type, json_line, output_item};
use super::{MethodEntry, PageId, Pages, responses};
use crate::describe::{argument_names, example, server_url, snippets};
use crate::model::{Method, Parameter};

/// The column headings of the table of parameters.
const TABLE_HEADER: &[&str] = &["Name", "In", "Type", "Required", "Default", "Description"];

pub(super) fn method_page(pages: &Pages, index: usize) -> PageDocument<'_> {
    let entry = pages.method_entry(index);
    let MethodEntry { module, uri, method } = entry;
    let mut blocks = vec![Block::Lead(vec![Inline::quoted(method.info.trim())])];
    blocks.push(Block::Facts(method_facts(pages, index, entry)));
    blocks.push(Block::heading("parameters", "Parameters"));
    if method.parameters.is_empty() {
        blocks.push(Block::paragraph("This method has no parameters."));
    } else {
        let names = argument_names(&method.parameters);
        let rows = method.parameters.iter().zip(names).map(|(parameter, name)| parameter_table_row(parameter, name));
        blocks.push(Block::Table { head: TABLE_HEADER, rows: rows.collect() });
        let members: Vec<_> = method.parameters.iter().filter_map(types::parameter_item).collect();
        if !members.is_empty() {
            blocks.push(Block::List(members));
        }
    }
    blocks.push(Block::heading("call", "Call it"));
    let server = server_url(&pages.api);
    for snippet in snippets(&pages.api, uri, method) {
        blocks.push(Block::Code {
            title: Some(snippet.title),
            language: snippet.language.into(),
            text: snippet.text.into(),
            server: Some(server.clone()),
        });
    }
    blocks.push(Block::heading("response", "Response"));
    if !method.outputs.is_empty() && !method.options.download {
        blocks.push(Block::List(method.outputs.iter().map(output_item).collect()));
    }
    blocks.extend(responses::describe_success(&pages.api, entry));
    blocks.push(Block::heading("errors", "Errors"));
    blocks.extend(responses::describe_errors(pages, entry));
    // The form is the last block of the page. A script adds the form after the page is shown, and content below it
    // would move.
    blocks.push(Block::Form { id: &method.id, uri });
    let module_page = pages.page_link(PageId::Module { module: pages.methods[index].module_index, part: 0 });
    PageDocument {
        path: pages.page_path(PageId::Method(index)),
        title: method.id.as_str().into(),
        heading: vec![Inline::HttpMethod(method.http), Inline::text(" "), Inline::code(uri)],
        breadcrumbs: vec![contents_link(pages), (module_page, vec![Inline::quoted(&module.name)])],
        query: "",
        blocks,
    }
}

/// Returns facts about the method, each with a label.
fn method_facts<'a>(
    pages: &'a Pages,
    index: usize,
    MethodEntry { module, uri, method }: MethodEntry<'a>,
) -> Vec<(&'static str, Inlines<'a>)> {
    let module_page = pages.page_link(PageId::Module { module: pages.methods[index].module_index, part: 0 });
    let mut facts = vec![
        ("Id", vec![Inline::code(&method.id)]),
        ("Module", vec![Inline::Link(module_page, vec![Inline::quoted(&module.name)])]),
        ("Access", describe_scope(method)),
    ];
    let paths = method_paths(uri, method);
    // Most methods have only one path. The heading of the page contains this path.
    if paths.len() != 1 || paths[0] != uri {
        let with_separator = |path: String| [Inline::text(", "), Inline::code(path)];
        facts.push(("Paths", paths.into_iter().flat_map(with_separator).skip(1).collect()));
    }
    if method.options.deprecated {
        facts.push(("Deprecated", vec![Inline::text("new clients should not call this method")]));
    }
    if method.options.download {
        facts.push((
            "Download",
            vec![
                Inline::text("the response is a file, or a link to it if the request has the header field "),
                Inline::code("X-Requested-With: XMLHttpRequest"),
            ],
        ));
    }
    if method.allows_jsonp(pages.api.jsonp) {
        let info = vec![
            Inline::text("with "),
            Inline::code("?callback=NAME"),
            Inline::text(" the response is a script that calls this function; the caller is anonymous"),
        ];
        facts.push(("JSONP", info));
    }
    facts
}

/// Returns the paths of a method, beginning with the path that contains all positional parameters. If the last
/// positional parameters are optional, the other paths omit one or more of these parameters.
fn method_paths(uri: &str, method: &Method) -> Vec<String> {
    let positions = method.positions();
    let optional = positions.iter().rev().take_while(|position| position.optional).count();
    let path = |length: usize| {
        let start = if positions.is_empty() || length == 0 { uri } else { uri.trim_end_matches('/') };
        positions[..length].iter().fold(start.to_owned(), |path, position| format!("{path}/{{{}}}", position.name))
    };
    (0..=optional).map(|omitted| path(positions.len() - omitted)).collect()
}

/// Returns the row that describes a parameter in the table of parameters. `argument` is the name of the parameter in
/// the JavaScript client.
fn parameter_table_row(parameter: &Parameter, argument: String) -> TableRow<'_> {
    let written = &parameter.r#type.written;
    let mut name = vec![vec![Inline::code(request_name(parameter))]];
    if argument != request_name(parameter) {
        name.push(vec![Inline::text("in rulebook.js: "), Inline::code(argument)]);
    }
    let expected = Inline::quoted(parameter.r#type.check.expected());
    let types = vec![describe_type(&written.term, &written.attributes), vec![expected]];
    let default = parameter.default.iter().map(|default| vec![Inline::code(json_line(default))]).collect();
    let mut description = vec![vec![Inline::quoted(&parameter.info)]];
    // An example that is equal to the default is omitted.
    let example = example::parameter_example(parameter).filter(|example| parameter.default.as_ref() != Some(example));
    if let Some(example) = example {
        description.push(vec![Inline::text("example: "), Inline::code(json_line(&example))]);
    }
    let is_optional = parameter.optional || parameter.default.is_some();
    let required = if is_optional { Inline::text("no") } else { Inline::Mark("yes") };
    let cells =
        vec![name, vec![vec![describe_location(parameter.from)]], types, vec![vec![required]], default, description];
    TableRow { id: None, cells }
}
