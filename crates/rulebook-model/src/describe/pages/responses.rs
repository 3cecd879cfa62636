//! The responses on the page of a method: the success response with an example, the table of errors, and an example of
//! an error response.

use serde_json::Value as Json;

use super::MethodEntry;
use super::document::{Block, Inline, Inlines, TableRow};
use super::fields::output_field;
use super::links::errors_link;
use super::parse_markdown::{parse_blocks, to_lines};
use super::phrases::count_with_noun;
use super::types::pretty_json;
use crate::call::{ApiError, ErrorKind, HttpMethod, ParameterError, ParameterErrorKind, Source};
use crate::describe::{example, openapi};
use crate::envelope::{self, Decoding, Envelope, OutputsLocation, has_content};
use crate::error::ErrorCode;
use crate::model::{Api, Location, Method, Parameter, Unbound};
use crate::types::Arity;

/// The column headings of the table of errors.
pub(super) const TABLE_HEADER: &[&str] = &["Error", "Status", "When", "In the body"];

/// Describes the success response of a method: its status, and where its body contains the outputs.
pub(super) fn describe_success(api: &Api, MethodEntry { module, method, .. }: MethodEntry<'_>) -> Vec<Block<'static>> {
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
pub(super) fn describe_response_fields(method: &Method) -> Vec<Block<'_>> {
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
pub(super) fn describe_echo(api: &Api, method: &Method) -> Option<Block<'static>> {
    if api.unbound != Unbound::Echo || method.options.download {
        return None;
    }
    Some(Block::Paragraph(vec![
        Inline::text("This server runs without handlers: instead of the outputs, the response has one output "),
        Inline::code("args"),
        Inline::text(", an object with the arguments of the call."),
    ]))
}

/// Returns an example of the body of the success response. Returns `None` if the response has no body, if its body is a
/// file, or if it contains the arguments of the call instead of the outputs.
pub(super) fn success_example(
    api: &Api,
    MethodEntry { module, method, .. }: MethodEntry<'_>,
) -> Option<Block<'static>> {
    let envelope = api.make_envelope(api.envelope_name(module));
    let status =
        method.statuses().map(|status| envelope::response_status(&*envelope, status)).find(|it| has_content(*it));
    if method.options.download || api.unbound == Unbound::Echo || status.is_none() {
        return None;
    }
    example::success_example(&*envelope, method).map(|json| json_code_block("Example of a response", &json))
}

/// Describes which members of the response body contain the outputs. `whole` is `true` if the method has a single
/// output, which is the whole body.
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

pub(super) fn describe_errors<'a>(api: &'a Api, MethodEntry { module, method, .. }: MethodEntry<'a>) -> Vec<Block<'a>> {
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

/// Returns the member of an error body that identifies the error, such as `"code": "forbidden"`. Returns `None` if the
/// envelope (the format of responses) has no such member.
pub(super) fn identifying_error_member(decoding: &Decoding, body: &Json) -> Option<String> {
    let name = decoding.error.code.or(decoding.error.status)?;
    Some(format!("\"{name}\": {}", body.get(name)?))
}

/// Returns the codes of all server errors, in the order of the table of error codes.
pub(super) fn all_error_codes() -> impl Iterator<Item = ErrorCode> {
    crate::error::codes::ERROR_CODES.iter().map(|row| row.code)
}
