//! What a method answers: an example of a success, its errors and those of the engine, an example of a refusal.

use serde_json::Value as Json;

use super::place::To;
use super::sheet::{Block, Row, Span, Words};
use super::types::pretty;
use super::words::wire_name;
use super::{Entry, Page, Pages};
use crate::call::{Fault, FaultKind, Reason, Refusal, Source};
use crate::describe::{example, openapi};
use crate::envelope::{self, Envelope, has_content};
use crate::error::Code;
use crate::model::{Api, Method};

/// The cells of a refusal.
const HEAD: &[&str] = &["Error", "Status", "In the body", "When"];

/// A success as it is answered.
pub(super) fn success(api: &Api, Entry { module, method, .. }: Entry<'_>) -> Vec<Block<'static>> {
    let name = api.envelope_of(module);
    let shape = api.shape(name);
    let status = envelope::status(&*shape, method.options.status);
    let words = |rest: &str| Block::own(format!("Status {status}{rest}"));
    if method.options.download {
        return vec![words(", with the file as the body.")];
    }
    if !has_content(status) {
        return vec![words(", without a body.")];
    }
    let mut blocks = vec![Block::Paragraph(vec![
        Span::own(format!("Status {status}, in the envelope ")),
        Span::code(name.as_str().to_owned()),
        Span::own("."),
    ])];
    blocks.extend(example::of_success(&*shape, method).map(|json| code("Success", &json)));
    blocks
}

fn code(title: &'static str, json: &Json) -> Block<'static> {
    Block::Code { title: Some(title), language: "json".into(), text: pretty(json).into(), server: None }
}

/// What a method is refused for.
pub(super) fn errors<'a>(pages: &'a Pages, Entry { module, method, .. }: Entry<'a>) -> Vec<Block<'a>> {
    let api = &*pages.api;
    let shape = api.shape(api.envelope_of(module));
    let declared: Vec<Refusal> = method
        .errors
        .iter()
        .map(|own| Refusal::declared(own.name.clone()).with_status(own.status).with_words(&own.info))
        .collect();
    let mut rows: Vec<_> = method
        .errors
        .iter()
        .zip(&declared)
        .map(|(own, refusal)| row(vec![Span::code(&own.name)], vec![Span::said(&own.info)], refusal, &*shape))
        .collect();
    let codes = openapi::refusals(api, method);
    let of_engine = codes.iter().map(|code| {
        let refusal = openapi::sample(*code);
        let link = To::Page(pages.path(Page::Errors), Some(code.row().name));
        let name = vec![Span::Link(link, vec![Span::code(code.row().name)])];
        row(name, vec![Span::own(code.title())], &refusal, &*shape)
    });
    rows.extend(of_engine);
    let shown = declared.into_iter().next().or_else(|| missing(method));
    let shown = shown.or_else(|| codes.first().map(|code| openapi::sample(*code)));
    let mut blocks = vec![Block::Table { head: HEAD, rows }];
    let general = vec![
        Span::own("Any request can be refused for "),
        Span::Link(pages.to(Page::Errors), vec![Span::own("what has nothing to do with the method")]),
        Span::own(" too."),
    ];
    blocks.push(Block::Paragraph(general));
    blocks.extend(shown.and_then(|refusal| openapi::shown(&*shape, &refusal)).map(|json| code("Refusal", &json)));
    blocks
}

/// The refusal of a call without its first parameter that cannot be left out. One without a segment is of another path.
fn missing(method: &Method) -> Option<Refusal> {
    let own = method.parameters.iter().find(|own| !own.optional && own.from.source() != Source::Path)?;
    let fault = Fault {
        kind: FaultKind::Missing,
        parameter: wire_name(own).to_owned(),
        source: own.from.source(),
        expected: own.r#type.check.expected(),
        got: None,
        message: own.message.as_deref().map(Into::into),
        broken: None,
    };
    Some(Refusal::new(Reason::Parameters { faults: vec![fault], truncated: false }))
}

fn row<'a>(name: Words<'a>, when: Words<'a>, refusal: &Refusal, shape: &dyn Envelope) -> Row<'a> {
    let status = envelope::status(shape, refusal.status().get());
    let body = openapi::shown(shape, refusal).and_then(|body| told(&body)).map(|told| vec![Span::code(told)]);
    let cells = vec![vec![name], vec![vec![Span::own(status.to_string())]], body.into_iter().collect(), vec![when]];
    Row { id: None, cells }
}

/// By which member a body tells the refusal from others.
pub(super) fn told(body: &Json) -> Option<String> {
    let number = |name: &str| body.get(name).filter(|value| value.is_number()).map(|value| (name.to_owned(), value));
    let text = || body.get("code").filter(|value| value.is_string()).map(|value| ("code".to_owned(), value));
    let (name, value) = number("error").or_else(|| number("ret")).or_else(text)?;
    Some(format!("\"{name}\": {value}"))
}

/// The classes of refusals in the order of their table.
pub(super) fn all() -> impl Iterator<Item = Code> {
    crate::error::codes::TABLE.iter().map(|row| row.code)
}
