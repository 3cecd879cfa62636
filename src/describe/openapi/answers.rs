//! What is answered: the outputs of a success, and refusals by their status.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{
    Content, ContentBuilder, Header, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, Responses, ResponsesBuilder,
};

use super::samples::sample;
use super::schemas::{Schemas, described, name_of};
use crate::call::Refusal;
use crate::envelope::{Envelope, JsonMembers, Problem, by_name};
use crate::error::Code;
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Module};
use crate::types::nullable_schema;

/// Refusals of the engine that share a status.
pub(super) struct Row {
    /// What their component is called.
    name: &'static str,
    /// Which they are; the first one's status is that of all.
    codes: &'static [Code],
    /// A header field that they have, and what it says.
    header: Option<(&'static str, &'static str)>,
    /// Whether it may be before the module is known, so that they are in the API's envelope.
    is_early: bool,
}

const fn row(name: &'static str, codes: &'static [Code]) -> Row {
    Row { name, codes, header: None, is_early: false }
}

const fn early(name: &'static str, codes: &'static [Code]) -> Row {
    Row { is_early: true, ..row(name, codes) }
}

/// A parameter at fault, or nothing that can be read.
pub(super) const BAD_REQUEST: Row =
    early("BadRequest", &[Code::MissingParameter, Code::InvalidParameter, Code::Unreadable]);
/// Nobody is identified.
pub(super) const UNAUTHENTICATED: Row = Row {
    header: Some(("WWW-Authenticate", "The schemes by which a client can identify itself")),
    ..row("Unauthenticated", &[Code::Unauthenticated])
};
/// A permission is missing.
pub(super) const FORBIDDEN: Row = row("Forbidden", &[Code::Forbidden]);
/// The body does not come.
pub(super) const TIMEOUT: Row = row("Timeout", &[Code::Timeout]);
/// The query or the body is over a limit.
pub(super) const TOO_LARGE: Row = row("TooLarge", &[Code::TooLarge]);
/// The target is over a limit.
pub(super) const URI_TOO_LONG: Row = early("UriTooLong", &[Code::UriTooLong]);
/// The body is of a media type that is not read.
pub(super) const UNSUPPORTED: Row = row("UnsupportedMediaType", &[Code::UnsupportedMediaType]);
/// The header fields are over a limit.
pub(super) const HEAD_TOO_LARGE: Row = early("HeadTooLarge", &[Code::HeadTooLarge]);
/// The program failed.
pub(super) const INTERNAL: Row = early("Internal", &[Code::Internal]);
/// The same of a method that takes files.
pub(super) const INTERNAL_OR_UPLOAD: Row = early("InternalOrUpload", &[Code::Internal, Code::Upload]);
/// Nothing is there to answer.
pub(super) const NOT_IMPLEMENTED: Row = row("NotImplemented", &[Code::NotImplemented]);
/// The program cannot answer now.
pub(super) const UNAVAILABLE: Row = row("Unavailable", &[Code::Unavailable]);
/// What any request can be refused for, whatever it is for.
const OTHER: Row = Row {
    header: Some(("Allow", "With status 405: the methods that there are")),
    ..early("Other", &[Code::UnknownService, Code::UnknownMethod, Code::Unauthenticated, Code::ExpectationFailed])
};

/// The refusals of a document, each kind once for each envelope.
pub(super) struct Answers {
    /// The envelope of refusals before a module is known.
    early: EnvelopeName,
    components: BTreeMap<String, Response>,
    /// The components' names by what they describe.
    names: HashMap<Key, String>,
    /// What the refusals of an envelope are, by the name of the envelope; of problem documents by none.
    refusals: HashMap<Option<EnvelopeName>, Json>,
}

/// What a component describes: in which envelope, which refusals of the engine, and which declared errors with which
/// words.
type Key = (EnvelopeName, Option<&'static str>, Vec<(String, u16, String)>);

impl Answers {
    /// None yet. The schemas of refusals are made first, so that no other has their names.
    pub(super) fn new(api: &Api, schemas: &mut Schemas) -> Self {
        let mut refusals = HashMap::from([(None, schemas.component(&["Problem"], Problem.refusal_schema()))]);
        let used = |name| api.envelope == name || api.modules.iter().any(|module| module.envelope == Some(name));
        for name in EnvelopeName::ALL.into_iter().filter(|name| used(*name)) {
            refusals.insert(Some(name), schemas.component(&["Refusal"], by_name(name).refusal_schema()));
        }
        Self { early: api.envelope, components: BTreeMap::new(), names: HashMap::new(), refusals }
    }

    /// All refusals that are referred to, by name.
    pub(super) fn components(self) -> BTreeMap<String, RefOr<Response>> {
        self.components.into_iter().map(|(name, response)| (name, response.into())).collect()
    }

    /// What a method answers: a success, its own errors, and the engine's refusals of these `rows`.
    pub(super) fn answers(
        &mut self,
        (api, module, method): (&Api, &Module, &Method),
        rows: &[&'static Row],
        schemas: &mut Schemas,
    ) -> Responses {
        let envelope = envelope_of(api, module);
        let mut responses =
            ResponsesBuilder::new().response(method.options.status.to_string(), success(envelope, method, schemas));
        let mut statuses: Vec<u16> = rows.iter().map(|row| row.status()).collect();
        statuses.extend(method.errors.iter().map(|error| error.status.get()));
        statuses.sort_unstable();
        statuses.dedup();
        for status in statuses {
            let row = rows.iter().find(|row| row.status() == status).copied();
            let declared: Vec<_> = method.errors.iter().filter(|error| error.status.get() == status).collect();
            responses =
                responses.response(status.to_string(), self.refusal(envelope, row, &declared, &method.id, schemas));
        }
        responses.response("default", self.refusal(envelope, Some(&OTHER), &[], &method.id, schemas)).build()
    }

    /// A reference to the component of these refusals, of the method `id`.
    fn refusal(
        &mut self,
        envelope: EnvelopeName,
        row: Option<&'static Row>,
        declared: &[&DeclaredError],
        id: &str,
        schemas: &mut Schemas,
    ) -> Ref {
        let words = declared.iter().map(|own| (own.name.clone(), own.status.get(), own.info.clone())).collect();
        let key = (envelope, row.map(|row| row.name), words);
        if let Some(name) = self.names.get(&key) {
            return Ref::from_response_name(name);
        }
        let parts = row.map(|row| row.name).into_iter().chain(declared.iter().map(|own| own.name.as_str()));
        let words = parts.map(name_of).collect::<Vec<_>>().join(".");
        let mut name = format!("{}.{words}", envelope.as_str());
        if self.components.contains_key(&name) {
            // Errors of one name that mean different things are told apart by whose they are.
            name = format!("{}.{}.{words}", envelope.as_str(), name_of(id));
        }
        while self.components.contains_key(&name) {
            name.push('_');
        }
        let response = self.response(envelope, row, declared, schemas);
        self.components.insert(name.clone(), response);
        let reference = Ref::from_response_name(&name);
        self.names.insert(key, name);
        reference
    }

    fn response(
        &self,
        envelope: EnvelopeName,
        row: Option<&'static Row>,
        declared: &[&DeclaredError],
        schemas: &mut Schemas,
    ) -> Response {
        let mut words: Vec<&str> = declared.iter().map(|own| own.info.as_str()).collect();
        words.extend(row.iter().flat_map(|row| row.codes).map(|code| code.title()));
        let mut response = ResponseBuilder::new().description(words.join("; ")).build();
        let mut names = vec![Some(envelope)];
        if row.is_some_and(|row| row.is_early) && self.early != envelope {
            names.push(Some(self.early));
        }
        // An envelope whose refusals are problem documents has no other shape for them.
        names.retain(|name| name.is_some_and(|name| by_name(name).refusal_type() != Problem.refusal_type()));
        names.push(None);
        for name in names {
            let shape = name.map_or_else(|| Arc::new(Problem) as Arc<dyn Envelope>, by_name);
            let refusals = row.and(self.refusals.get(&name)).cloned();
            let content = refusal_content(&*shape, refusals, row, declared, schemas);
            // The module's own envelope comes first where both are of one media type.
            response.content.entry(shape.refusal_type().to_owned()).or_insert(content.into());
        }
        if let Some((name, info)) = row.and_then(|row| row.header) {
            response.headers.insert(name.to_owned(), header(info, schemas).into());
        }
        named(response)
    }
}

impl Row {
    fn status(&self) -> u16 {
        self.codes.first().map_or(500, |code| code.status().get())
    }
}

/// The shape of a module's answers.
fn envelope_of(api: &Api, module: &Module) -> EnvelopeName {
    module.envelope.unwrap_or(api.envelope)
}

/// What the header field of all answers is called among the components.
const REQUEST_ID: &str = "RequestId";

/// The header fields that several answers have.
pub(super) fn headers(schemas: &mut Schemas) -> BTreeMap<String, RefOr<Header>> {
    let id = header("Under what the request stands in the log: the client's own name for it, or the server's", schemas);
    BTreeMap::from([(REQUEST_ID.to_owned(), id.into())])
}

/// An answer with the name of its request, as all have it.
fn named(mut response: Response) -> Response {
    let id = Ref::new(format!("#/components/headers/{REQUEST_ID}"));
    response.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(id));
    response
}

fn header(info: &str, schemas: &mut Schemas) -> Header {
    let schema = schemas.place(json!({ "type": "string" }));
    HeaderBuilder::new().schema(Some(schema)).description(Some(info)).build()
}

/// Refusals in one shape: any of the engine's where there are `refusals`, or one of the declared errors.
fn refusal_content(
    shape: &dyn Envelope,
    refusals: Option<Json>,
    row: Option<&Row>,
    declared: &[&DeclaredError],
    schemas: &mut Schemas,
) -> Content {
    let own = declared.iter().map(|error| shape.declared_schema(error));
    let mut all: Vec<_> = own.chain(refusals).collect();
    let schema = if all.len() > 1 { json!({ "anyOf": all }) } else { all.pop().unwrap_or_default() };
    let mut content = ContentBuilder::new().schema(Some(schemas.place(schema))).build();
    let mut example = |name: &str, summary: &str, refusal: &Refusal| {
        if let Some(value) = shown(shape, refusal) {
            let example = ExampleBuilder::new().summary(summary).value(Some(value)).build();
            content.examples.insert(name.to_owned(), example.into());
        }
    };
    for code in row.iter().flat_map(|row| row.codes) {
        example(code.row().name, code.title(), &sample(*code));
    }
    for error in declared {
        let refusal = Refusal::declared(error.name.clone()).with_status(error.status).with_words(&error.info);
        example(&error.name, &error.info, &refusal);
    }
    content
}

/// A refusal as it is answered.
fn shown(shape: &dyn Envelope, refusal: &Refusal) -> Option<Json> {
    let mut members = JsonMembers::new();
    shape.refusal(refusal, &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}

/// The outputs in their envelope.
fn success(envelope: EnvelopeName, method: &Method, schemas: &mut Schemas) -> Response {
    // RFC 9110 sections 15.3.5 and 15.3.6: no content.
    if matches!(method.options.status, 204 | 205) {
        return named(Response::new("Success, without content"));
    }
    let whole = method.outputs.iter().find(|output| output.name == "*");
    let schema = |output: &crate::model::Output, schemas: &mut Schemas| {
        let names = [&*output.name, &*format!("{}.{}", method.id, output.name)];
        // The whole of an answer has no name that says anything.
        let names = if output.name == "*" { &names[1..] } else { &names[..] };
        let mut schema = schemas.of_type(names, output.r#type.check.schema());
        if output.optional && !output.r#type.check.takes_null() {
            schema = nullable_schema(schema);
        }
        described(schema, &output.info, None, output.example.as_ref())
    };
    let outputs = match whole {
        Some(output) => schema(output, schemas),
        None => {
            let members: Map<_, _> =
                method.outputs.iter().map(|output| (output.name.clone(), schema(output, schemas))).collect();
            let required = method.outputs.iter().filter(|output| !output.optional).map(|output| output.name.as_str());
            json!({ "type": "object", "properties": members, "required": required.collect::<Vec<_>>() })
        }
    };
    let schema = by_name(envelope).success_schema(outputs, whole.is_some());
    let schema = schemas.compact(&[&format!("{}.answer", method.id)], schema);
    let content = ContentBuilder::new().schema(Some(schemas.place(schema))).build();
    named(ResponseBuilder::new().description("Success").content("application/json", content).build())
}
