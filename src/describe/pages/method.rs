//! The page of a method: what it takes, what it answers, who may call it, and how.

use super::contents::trail;
use super::sheet::{Block, Row, Sheet, Span, Words};
use super::types::{self, output, r#type, value};
use super::words::{scope, stands, wire_name};
use super::{Entry, Page, Pages, answers};
use crate::describe::{example, server, snippets};
use crate::model::{Method, Parameter};

/// Whose cells a parameter has.
const HEAD: &[&str] = &["Name", "In", "Type", "Required", "Default", "Description"];

pub(super) fn sheet(pages: &Pages, index: usize) -> Sheet<'_> {
    let entry = pages.entry(index);
    let Entry { module, uri, method } = entry;
    let mut blocks = vec![Block::Lead(vec![Span::said(method.info.trim())])];
    blocks.push(Block::Facts(facts(pages, index, entry)));
    blocks.push(Block::heading("parameters", "Parameters"));
    if method.parameters.is_empty() {
        blocks.push(Block::own("It takes none."));
    } else {
        blocks.push(Block::Table { head: HEAD, rows: method.parameters.iter().map(parameter).collect() });
        let nested: Vec<_> = method.parameters.iter().filter_map(types::parameter).collect();
        if !nested.is_empty() {
            blocks.push(Block::List(nested));
        }
    }
    blocks.push(Block::heading("call", "Call it"));
    let server = server(&pages.api);
    for snippet in snippets(&pages.api, uri, method) {
        blocks.push(Block::Code {
            title: Some(snippet.title),
            language: snippet.language.into(),
            text: snippet.text.into(),
            server: Some(server.clone()),
        });
    }
    blocks.push(Block::heading("answer", "Answer"));
    if !method.outputs.is_empty() && !method.options.download {
        blocks.push(Block::List(method.outputs.iter().map(output).collect()));
    }
    blocks.extend(answers::success(&pages.api, entry));
    blocks.push(Block::heading("errors", "Errors"));
    blocks.extend(answers::errors(pages, entry));
    // Last, so that nothing on the page moves when the form comes.
    blocks.push(Block::Form { id: &method.id, uri });
    let module_page = pages.to(Page::Module { module: pages.methods[index].module, part: 0 });
    Sheet {
        path: pages.path(Page::Method(index)),
        name: method.id.as_str().into(),
        heading: vec![Span::Http(method.http), Span::own(" "), Span::code(uri)],
        trail: vec![trail(pages), (module_page, vec![Span::said(&module.name)])],
        query: "",
        blocks,
    }
}

/// What holds for the method as a whole.
fn facts<'a>(
    pages: &'a Pages,
    index: usize,
    Entry { module, uri, method }: Entry<'a>,
) -> Vec<(&'static str, Words<'a>)> {
    let module_page = pages.to(Page::Module { module: pages.methods[index].module, part: 0 });
    let mut facts = vec![
        ("Id", vec![Span::code(&method.id)]),
        ("Module", vec![Span::Link(module_page, vec![Span::said(&module.name)])]),
        ("Permission", scope(method)),
    ];
    let paths = paths(uri, method);
    if let [one] = &paths[..]
        && one == uri
    {
        // The heading says it.
    } else {
        let between = |path: String| [Span::own(", "), Span::code(path)];
        facts.push(("Paths", paths.into_iter().flat_map(between).skip(1).collect()));
    }
    if method.options.deprecated {
        facts.push(("Deprecated", vec![Span::own("clients should turn away from it")]));
    }
    if method.options.download {
        facts.push((
            "Download",
            vec![
                Span::own("answers with a file; with the header field "),
                Span::code("X-Requested-With: XMLHttpRequest"),
                Span::own(" with a link to it"),
            ],
        ));
    }
    if method.answers_jsonp(pages.api.jsonp) {
        let query = vec![
            Span::own("answers a script with "),
            Span::code("?callback=NAME"),
            Span::own(", to nobody in particular"),
        ];
        facts.push(("JSONP", query));
    }
    facts
}

/// The paths at which a method is described: with all of its positions, then without those at the end that may be
/// left out.
fn paths(uri: &str, method: &Method) -> Vec<String> {
    let positions = method.positions();
    let optional = positions.iter().rev().take_while(|own| own.optional).count();
    let path = |length: usize| {
        let start = if positions.is_empty() || length == 0 { uri } else { uri.trim_end_matches('/') };
        positions[..length].iter().fold(start.to_owned(), |path, own| format!("{path}/{{{}}}", own.name))
    };
    (0..=optional).map(|left_out| path(positions.len() - left_out)).collect()
}

/// A parameter as a row of the table.
fn parameter(own: &Parameter) -> Row<'_> {
    let written = &own.r#type.written;
    let mut name = vec![vec![Span::code(wire_name(own))]];
    if own.name != wire_name(own) {
        name.push(vec![Span::own("in code "), Span::code(&own.name)]);
    }
    let types = vec![r#type(&written.term, &written.attributes), vec![Span::said(own.r#type.check.expected())]];
    let default = own.default.iter().map(|default| vec![Span::code(value(default))]).collect();
    let mut description = vec![vec![Span::said(&own.info)]];
    // The default stands beside it already.
    if let Some(example) = example::of_parameter(own).filter(|example| own.default.as_ref() != Some(example)) {
        description.push(vec![Span::own("example: "), Span::code(value(&example))]);
    }
    let required = if own.optional || own.default.is_some() { Span::own("no") } else { Span::Mark("yes") };
    Row { id: None, cells: vec![name, vec![vec![stands(own.from)]], types, vec![vec![required]], default, description] }
}
