//! The page of a method: its parameters, responses, errors and required permissions, and the panel that calls it.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::document::{Block, Inline, Inlines, ListItem, PageDocument, Panel};
use super::fields::{output_field, parameter_field};
use super::links::{LinkTarget, method_page_path, method_page_url, version_root};
use super::parse_markdown::{parse_blocks, parse_line};
use super::phrases::{describe_scope, split_title, title};
use super::{MethodEntry, PageId, Pages, method_definition, responses};
use crate::call::{HttpMethod, secret_name_patterns};
use crate::describe::example::{minimal_example, necessary_parameters, parameter_example};
use crate::describe::in_words::{describe_deprecation_dates, describe_idempotency, describe_rate_limits};
use crate::describe::snippet::credential_field_of_api;
use crate::describe::{server_url, snippets};
use crate::invisible::escape_like_json;
use crate::model::{Api, Deprecation, Idempotency, Method, Parameter};

pub(super) fn method_page(pages: &Pages, index: usize) -> PageDocument<'_> {
    let entry = pages.method_entry(index);
    let module_page = pages.page_link(PageId::Module { module: pages.methods[index].module_index, part: 0 });
    let mut blocks = vec![Block::Address(entry.method.http, full_path(entry))];
    let (title_line, rest) = split_title(&entry.method.info);
    // The title has no links.
    let has_link = parse_line(title_line).iter().any(|inline| matches!(inline, Inline::Link(..)));
    blocks.extend(parse_blocks(if has_link { &entry.method.info } else { rest }));
    blocks.extend(method_blocks(&pages.api, entry));
    let mut page = PageDocument::new(pages, pages.page_path(PageId::Method(index)), "", blocks);
    let title = title(&entry.method.info);
    page.heading = vec![Inline::quoted(title.clone())];
    page.title = title.into();
    page.breadcrumbs.push((module_page, vec![Inline::quoted(&entry.module.name)]));
    page.panel = Some(method_panel(pages, entry));
    page
}

/// Returns the HTTP method and the longest path of a method.
pub(super) fn method_heading(entry: MethodEntry<'_>) -> Inlines<'_> {
    vec![Inline::HttpMethod(entry.method.http), Inline::text(" "), Inline::code(full_path(entry))]
}

fn full_path<'a>(MethodEntry { uri, method, .. }: MethodEntry<'a>) -> Cow<'a, str> {
    method_paths(uri, method).into_iter().next().map_or(Cow::Borrowed(uri), Cow::Owned)
}

/// Describes a method, without its title and its description.
pub(super) fn method_blocks<'a>(api: &'a Api, entry: MethodEntry<'a>) -> Vec<Block<'a>> {
    let method = entry.method;
    let mut blocks = vec![Block::Facts(method_facts(api, entry))];
    blocks.push(Block::heading("parameters", "Parameters"));
    if method.parameters.is_empty() {
        blocks.push(Block::paragraph("This method has no parameters."));
    } else {
        blocks.push(Block::Fields(
            method.parameters.iter().map(|parameter| parameter_field(method, parameter)).collect(),
        ));
    }
    let constraints = method.constraints_in_words();
    if !constraints.is_empty() {
        blocks.push(Block::paragraph("Between the parameters:"));
        let item = |text: String| ListItem::new(vec![Inline::quoted(text)]);
        blocks.push(Block::List(constraints.into_iter().map(item).collect()));
    }
    blocks.push(Block::heading("response", "Response"));
    blocks.extend(responses::describe_success(api, entry));
    blocks.extend(responses::describe_echo(api, method));
    if method.body_outputs().next().is_some() && !method.options.download {
        blocks.push(Block::Fields(method.body_outputs().map(output_field).collect()));
    }
    blocks.extend(responses::describe_response_fields(method));
    blocks.extend(responses::success_example(api, entry));
    blocks.push(Block::heading("errors", "Errors"));
    blocks.extend(responses::describe_errors(api, entry));
    blocks.push(method_definition::definition_of_method(api, entry));
    blocks
}

/// Returns the panel with the form that calls the method, and with code in several languages that calls it.
fn method_panel<'a>(pages: &'a Pages, MethodEntry { module, uri, method }: MethodEntry<'a>) -> Panel<'a> {
    let server = server_url(&pages.api, pages.listening_url.get().map(String::as_str));
    let samples = snippets(&pages.api, &server, uri, method).into_iter().map(|snippet| {
        let (language, text) = (snippet.language.into(), snippet.text.into());
        (snippet.title, Block::Code { title: None, language, text, server: Some(server.clone()) })
    });
    let credential = credential_field_of_api(&pages.api).map(|(name, value)| format!("{name}: {value}"));
    let necessary = necessary_parameters(method);
    let is_necessary = |parameter: &&Parameter| necessary.iter().any(|one| std::ptr::eq(*one, *parameter));
    let (values, examples): (Vec<_>, Vec<_>) = method.parameters.iter().partition(is_necessary);
    Panel {
        id: &method.id,
        heading: method_heading(MethodEntry { module, uri, method }),
        uri,
        credential,
        is_public: method.scope.is_public(),
        is_safe: method.http == HttpMethod::Get && method.follows_http_semantics,
        values: examples_as_json(method, &values),
        examples: examples_as_json(method, &examples),
        secret_names: secret_name_patterns(),
        samples: samples.collect(),
    }
}

/// Returns the examples of parameters as JSON, by the keys of the parameters in the definition. Generated examples have
/// no optional members.
fn examples_as_json(method: &Method, parameters: &[&Parameter]) -> String {
    let example = |parameter: &&Parameter| {
        let example = parameter_example(method, parameter)?;
        let is_generated = parameter.example.is_none() && parameter.default.is_none();
        let check = &*parameter.r#type.check;
        Some((parameter.tree_key(), if is_generated { minimal_example(check, example) } else { example }))
    };
    let values = Json::Object(parameters.iter().filter_map(example).collect());
    // The page must not contain characters that change the direction of text.
    escape_like_json(&values.to_string(), |character| !matches!(character, ' '..='~'))
}

fn method_facts<'a>(
    api: &Api,
    MethodEntry { module, uri, method }: MethodEntry<'a>,
) -> Vec<(&'static str, Inlines<'a>)> {
    let mut facts = vec![("Access", describe_scope(method)), ("Id", vec![Inline::code(&method.id)])];
    let paths = method_paths(uri, method);
    // Most methods have only one path. The heading of the page contains this path.
    if paths.len() > 1 {
        let with_separator = |path: &String| [Inline::text(", "), Inline::code(path.clone())];
        facts.push(("Paths", paths.iter().flat_map(with_separator).skip(1).collect()));
    }
    let limits = describe_rate_limits(api, module, method);
    if !limits.is_empty() {
        facts.push(("Rate limit", vec![Inline::text(limits.join(" "))]));
    }
    if let Some(text) = describe_idempotency(api, method) {
        facts.push((Idempotency::HEADER, parse_line(&text)));
    }
    if let Some(deprecation) = &method.options.deprecation {
        facts.push(("Deprecated", deprecation_fact(api, deprecation)));
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
    if method.allows_jsonp(api.jsonp) {
        let info = vec![
            Inline::text("with "),
            Inline::code("?callback=NAME"),
            Inline::text(" the response is a script that calls this function; the caller is anonymous"),
        ];
        facts.push(("JSONP", info));
    }
    facts
}

/// Describes since when a method is deprecated and until when it is available, with a link to what replaces it.
fn deprecation_fact<'a>(api: &Api, deprecation: &'a Deprecation) -> Inlines<'a> {
    let dates = describe_deprecation_dates(deprecation);
    let text = if dates.is_empty() { "new clients should not call this method".to_owned() } else { dates };
    let mut inlines = vec![Inline::text(text)];
    if deprecation.sunset.is_some() {
        inlines.push(Inline::text("; after that, it responds with the status 410"));
    }
    if let Some(successor) = &deprecation.successor {
        let page = LinkTarget::Page(method_page_path(&successor.value), None);
        let link = Inline::Link(page, vec![Inline::code(&successor.value)]);
        inlines.extend([Inline::text("; use "), link, Inline::text(" instead")]);
    }
    if let (Some(successor), Some(versions)) = (&deprecation.other_successor, &api.versions) {
        let version = version_root(versions, &successor.version);
        let page = LinkTarget::Version(format!("{version}{}", method_page_url(&successor.id).trim_start_matches('/')));
        let link = Inline::Link(page, vec![Inline::code(&successor.id)]);
        let words = Inline::text(format!(" of version {} instead", successor.version));
        inlines.extend([Inline::text("; use "), link, words]);
    }
    inlines
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
