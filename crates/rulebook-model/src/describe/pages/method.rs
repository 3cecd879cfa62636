//! The page of a method: its parameters, responses, errors and required permissions, the panel that calls it, and how
//! the definition writes the method.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::document::{
    Block, Inline, Inlines, ListItem, PageDocument, Panel, TableRow, parse_blocks, parse_line, to_lines,
};
use super::fields::{describe_constraints, describe_type, output_field, parameter_field, pretty_json};
use super::links::{LinkTarget, errors_link, method_page_path, method_page_url, version_root};
use super::phrases::{count_with_noun, describe_scope, split_title, title};
use super::{MethodEntry, PageId, Pages};
use crate::call::{ApiError, ErrorKind, HttpMethod, ParameterError, ParameterErrorKind, Source, secret_name_patterns};
use crate::describe::example::{minimal_example, necessary_parameters, parameter_example};
use crate::describe::in_words::{describe_deprecation_dates, describe_idempotency, describe_rate_limits};
use crate::describe::snippet::credential_field_of_api;
use crate::describe::{argument_names, example, openapi, server_url, snippets};
use crate::envelope::{self, Decoding, Envelope, OutputsLocation, has_content};
use crate::error::ErrorCode;
use crate::invisible::escape_like_json;
use crate::model::{Api, Deprecation, Idempotency, Location, Method, Parameter, Unbound};
use crate::types::Arity;

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
    blocks.extend(describe_success(api, entry));
    blocks.extend(describe_echo(api, method));
    if method.body_outputs().next().is_some() && !method.options.download {
        blocks.push(Block::Fields(method.body_outputs().map(output_field).collect()));
    }
    blocks.extend(describe_response_fields(method));
    blocks.extend(success_example(api, entry));
    blocks.push(Block::heading("errors", "Errors"));
    blocks.extend(describe_errors(api, entry));
    blocks.push(definition_of_method(api, entry));
    blocks
}

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

/// The members of the object are the keys of the parameters in the definition. Generated examples have no optional
/// members.
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

// Responses: the success response with an example, the table of errors, and an example of an error response.

pub(super) const TABLE_HEADER: &[&str] = &["Error", "Status", "When", "In the body"];

/// Describes the success response of a method: its status, and where its body contains the outputs.
fn describe_success(api: &Api, MethodEntry { module, method, .. }: MethodEntry<'_>) -> Vec<Block<'static>> {
    let name = api.envelope_name(module);
    let envelope = api.make_envelope(name);
    let mut statuses: Vec<_> = method.statuses().map(|status| envelope::response_status(&*envelope, status)).collect();
    statuses.dedup();
    let without_body: Vec<_> = statuses.iter().filter(|status| !has_content(**status)).collect();
    let in_words = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(" or ");
    if method.options.download {
        return vec![Block::paragraph(format!("Status {in_words}, with the file as the body."))];
    }
    if without_body.len() == statuses.len() {
        return vec![Block::paragraph(format!("Status {in_words}, without a body."))];
    }
    let mut inlines = vec![Inline::text(format!("Status {in_words}. "))];
    inlines
        .extend(without_body.iter().map(|status| Inline::text(format!("With the status {status} without a body. "))));
    inlines.extend(location_of_outputs(&envelope.decoding(), method.whole().is_some(), name.as_str()));
    vec![Block::Paragraph(inlines)]
}

/// Describes the header fields of the success response that contain outputs, and the entity tag.
fn describe_response_fields(method: &Method) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let fields: Vec<_> = method.header_outputs().map(|(output, _)| output_field(output)).collect();
    if !fields.is_empty() {
        blocks.push(Block::paragraph("Header fields of the response:"));
        blocks.push(Block::Fields(fields));
    }
    if let Some(version) = &method.options.version {
        let is_get = method.http == HttpMethod::Get;
        let not_modified = "; with the same tag in If-None-Match, the response has the status 304 and no body";
        blocks.push(Block::Paragraph(vec![
            Inline::text("The header field "),
            Inline::code("ETag"),
            Inline::text(" contains "),
            Inline::code(version),
            Inline::text(format!(", the version of the resource{}.", if is_get { not_modified } else { "" })),
        ]));
    }
    blocks
}

/// Says that the response contains the arguments instead of the outputs, if the API is served without handlers.
fn describe_echo(api: &Api, method: &Method) -> Option<Block<'static>> {
    if api.unbound != Unbound::Echo || method.options.download {
        return None;
    }
    Some(Block::Paragraph(vec![
        Inline::text("This server runs without handlers: instead of the outputs, the response has one output "),
        Inline::code("args"),
        Inline::text(", an object with the arguments of the call."),
    ]))
}

/// `None` if the response has no body, if its body is a file, or if it contains the arguments of the call.
fn success_example(api: &Api, MethodEntry { module, method, .. }: MethodEntry<'_>) -> Option<Block<'static>> {
    let envelope = api.make_envelope(api.envelope_name(module));
    let status =
        method.statuses().map(|status| envelope::response_status(&*envelope, status)).find(|it| has_content(*it));
    if method.options.download || api.unbound == Unbound::Echo || status.is_none() {
        return None;
    }
    example::success_example(&*envelope, method).map(|json| json_code_block("Example of a response", &json))
}

/// `whole` is `true` if the method has a single output, which is the whole body.
fn location_of_outputs(decoding: &Decoding, whole: bool, envelope: &str) -> Inlines<'static> {
    let code = |name: &str| Inline::code(name.to_owned());
    match decoding.outputs {
        OutputsLocation::Body if whole => vec![Inline::text("The output is the body.")],
        OutputsLocation::Body => vec![Inline::text("The outputs are the members of the body.")],
        OutputsLocation::Members { whole: member, .. } | OutputsLocation::Member(member) if whole => {
            vec![Inline::text("The output is the member "), code(member), Inline::text(" of the body.")]
        }
        OutputsLocation::Members { except, .. } => {
            let mut inlines = vec![Inline::text("The outputs are members of the body, beside ")];
            for (index, name) in except.iter().enumerate() {
                inlines.extend((index > 0).then(|| Inline::text(" and ")));
                inlines.push(code(name));
            }
            inlines.push(Inline::text("."));
            inlines
        }
        OutputsLocation::Member(member) => {
            vec![Inline::text("The outputs are in the member "), code(member), Inline::text(" of the body.")]
        }
        OutputsLocation::Unknown => {
            vec![Inline::text("The body has the format "), code(envelope), Inline::text(".")]
        }
    }
}

fn json_code_block(title: &'static str, json: &Json) -> Block<'static> {
    Block::Code { title: Some(title), language: "json".into(), text: pretty_json(json).into(), server: None }
}

fn describe_errors<'a>(api: &'a Api, MethodEntry { module, method, .. }: MethodEntry<'a>) -> Vec<Block<'a>> {
    let envelope = api.make_envelope(api.envelope_name(module));
    let declared: Vec<ApiError> = method.errors_of_call(&api.auth_errors).map(openapi::sample_declared_error).collect();
    let rows: Vec<_> = method
        .errors_of_call(&api.auth_errors)
        .zip(&declared)
        .map(|(error, sample)| {
            error_table_row(vec![Inline::code(&error.name)], to_lines(parse_blocks(&error.info)), sample, &*envelope)
        })
        .collect();
    let mut codes = openapi::possible_error_codes(api, module, method);
    codes.retain(|code| *code != ErrorCode::MissingParameter || can_miss_parameter(method));
    let server_error_rows = codes.iter().map(|code| {
        let sample = openapi::sample_error(*code);
        let link = errors_link(Some(code.row().name));
        let name = vec![Inline::Link(link, vec![Inline::code(code.row().name)])];
        error_table_row(name, vec![vec![Inline::text(code.title())]], &sample, &*envelope)
    });
    let server_error_rows: Vec<_> = server_error_rows.collect();
    // The samples of errors of parameters name a parameter that the method may not have.
    let is_of_parameter = |code: &ErrorCode| [ErrorCode::MissingParameter, ErrorCode::InvalidParameter].contains(code);
    let sample = codes.iter().find(|code| !is_of_parameter(code)).map(|code| openapi::sample_error(*code));
    let example = declared.into_iter().next().or_else(|| parameter_error(method)).or(sample);
    let mut blocks = Vec::new();
    if rows.is_empty() {
        blocks.push(Block::paragraph("This method has no errors of its own."));
    } else {
        blocks.push(Block::table(TABLE_HEADER, rows));
    }
    blocks.extend(
        example
            .and_then(|error| openapi::error_body(&*envelope, &error))
            .map(|json| json_code_block("Example of an error", &json)),
    );
    let count = count_with_noun(server_error_rows.len(), "error", "errors");
    let of_all_methods = vec![
        Inline::text("Some "),
        Inline::Link(errors_link(None), vec![Inline::text("errors of the server")]),
        Inline::text(" can occur for any request."),
    ];
    blocks.push(Block::Folded {
        id: "server-errors",
        summary: format!("{count} of the server, which many methods have").into(),
        blocks: vec![Block::table(TABLE_HEADER, server_error_rows), Block::Paragraph(of_all_methods)],
    });
    blocks
}

/// Returns `true` if a request without this parameter is an error. A parameter in the URI template is never missing,
/// because a request without the path segment would have a different path.
fn is_needed(parameter: &Parameter) -> bool {
    !parameter.optional && parameter.default.is_none() && parameter.from != Location::Path
}

/// Returns `true` if a request can lack a parameter that the method requires, always or because of a constraint.
fn can_miss_parameter(method: &Method) -> bool {
    method.parameters.iter().any(is_needed) || !method.constraints.is_empty()
}

/// Returns the error of a request in which a parameter outside of the path is missing or, if none is required, in which
/// a parameter has the value `x`. Returns `None` if each parameter can be omitted and accepts this value.
fn parameter_error(method: &Method) -> Option<ApiError> {
    let rejects = |parameter: &&Parameter| {
        let check = &parameter.r#type.check;
        check.arity() == Arity::One && check.checked(check.decode("x".into())).is_err()
    };
    let is_outside = |parameter: &&Parameter| parameter.from.source() != Source::Path;
    let missing = method.parameters.iter().filter(is_outside).find(|parameter| is_needed(parameter));
    let missing = missing.map(|parameter| (parameter, ParameterErrorKind::Missing, None));
    let invalid = || {
        let parameter = method.parameters.iter().find(rejects)?;
        Some((parameter, ParameterErrorKind::Invalid, Some("\"x\"".to_owned())))
    };
    let (parameter, kind, got) = missing.or_else(invalid)?;
    let (name, expected) = (parameter.request_name(), parameter.r#type.check.expected());
    let error = ParameterError {
        message: parameter.message.as_deref().map(Into::into),
        ..ParameterError::new(kind, name, parameter.from.source(), expected).with_got(got)
    };
    Some(ApiError::new(ErrorKind::Parameters { errors: vec![error], truncated: false }))
}

fn error_table_row<'a>(
    name: Inlines<'a>,
    when: Vec<Inlines<'a>>,
    sample: &ApiError,
    envelope: &dyn Envelope,
) -> TableRow<'a> {
    let status = envelope::response_status(envelope, sample.status().get());
    let body = openapi::error_body(envelope, sample);
    let body = body.and_then(|body| identifying_error_member(&envelope.decoding(), &body));
    let body = body.map(|member| vec![Inline::code(member)]);
    let cells = vec![vec![name], vec![vec![Inline::text(status.to_string())]], when, body.into_iter().collect()];
    TableRow { id: None, cells }
}

/// Returns a member such as `"code": "forbidden"`; `None` if the envelope has no such member.
pub(super) fn identifying_error_member(decoding: &Decoding, body: &Json) -> Option<String> {
    let name = decoding.error.code.or(decoding.error.status)?;
    Some(format!("\"{name}\": {}", body.get(name)?))
}

/// Returns the codes of all server errors, in the order of the table of error codes.
pub(super) fn all_error_codes() -> impl Iterator<Item = ErrorCode> {
    crate::error::codes::ERROR_CODES.iter().map(|row| row.code)
}

// The section for the authors of the API: how the definition writes the method.

/// Describes the method in the definition's notation, and with the names in code. The section is folded, because
/// callers of the API do not need it.
fn definition_of_method<'a>(api: &Api, MethodEntry { module, method, .. }: MethodEntry<'a>) -> Block<'a> {
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
