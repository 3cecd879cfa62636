//! What is answered: the outputs of a success, and refusals by their status.

use std::collections::{BTreeMap, HashMap};

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
}

const fn row(name: &'static str, codes: &'static [Code]) -> Row {
    Row { name, codes, header: None }
}

/// A parameter at fault, or nothing that can be read.
pub(super) const BAD_REQUEST: Row =
    row("BadRequest", &[Code::MissingParameter, Code::InvalidParameter, Code::Unreadable]);
/// Nobody is identified.
pub(super) const UNAUTHENTICATED: Row = Row {
    name: "Unauthenticated",
    codes: &[Code::Unauthenticated],
    header: Some(("WWW-Authenticate", "The schemes by which a client can identify itself")),
};
/// A permission is missing.
pub(super) const FORBIDDEN: Row = row("Forbidden", &[Code::Forbidden]);
/// The body does not come.
pub(super) const TIMEOUT: Row = row("Timeout", &[Code::Timeout]);
/// The query or the body is over a limit.
pub(super) const TOO_LARGE: Row = row("TooLarge", &[Code::TooLarge]);
/// The target is over a limit.
pub(super) const URI_TOO_LONG: Row = row("UriTooLong", &[Code::UriTooLong]);
/// The body is of a media type that is not read.
pub(super) const UNSUPPORTED: Row = row("UnsupportedMediaType", &[Code::UnsupportedMediaType]);
/// The header fields are over a limit.
pub(super) const HEAD_TOO_LARGE: Row = row("HeadTooLarge", &[Code::HeadTooLarge]);
/// The program failed.
pub(super) const INTERNAL: Row = row("Internal", &[Code::Internal]);
/// The same of a method that takes files.
pub(super) const INTERNAL_OR_UPLOAD: Row = row("InternalOrUpload", &[Code::Internal, Code::Upload]);
/// Nothing is there to answer.
pub(super) const NOT_IMPLEMENTED: Row = row("NotImplemented", &[Code::NotImplemented]);
/// The program cannot answer now.
pub(super) const UNAVAILABLE: Row = row("Unavailable", &[Code::Unavailable]);
/// What any request can be refused for, whatever it is for.
const OTHER: Row = Row {
    name: "Other",
    codes: &[Code::UnknownService, Code::UnknownMethod, Code::Unauthenticated, Code::ExpectationFailed],
    header: Some(("Allow", "With status 405: the methods that there are")),
};

/// The refusals of a document, each kind once for each envelope.
pub(super) struct Answers {
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
        let used = |name| api.modules.iter().any(|module| envelope_of(api, module) == name);
        for name in EnvelopeName::ALL.into_iter().filter(|name| used(*name)) {
            refusals.insert(Some(name), schemas.component(&["Refusal"], by_name(name).refusal_schema()));
        }
        Self { components: BTreeMap::new(), names: HashMap::new(), refusals }
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
            responses = responses.response(status.to_string(), self.refusal(envelope, row, &declared, schemas));
        }
        responses.response("default", self.refusal(envelope, Some(&OTHER), &[], schemas)).build()
    }

    /// A reference to the component of these refusals.
    fn refusal(
        &mut self,
        envelope: EnvelopeName,
        row: Option<&'static Row>,
        declared: &[&DeclaredError],
        schemas: &mut Schemas,
    ) -> Ref {
        let words = declared.iter().map(|own| (own.name.clone(), own.status.get(), own.info.clone())).collect();
        let key = (envelope, row.map(|row| row.name), words);
        if let Some(name) = self.names.get(&key) {
            return Ref::from_response_name(name);
        }
        let mut name = envelope.as_str().to_owned();
        for part in row.map(|row| row.name).into_iter().chain(declared.iter().map(|own| own.name.as_str())) {
            name.push('.');
            name.push_str(&name_of(part));
        }
        if self.components.contains_key(&name) {
            // There are more numbers than components.
            let free = (2..).map(|number| format!("{name}.{number}")).find(|name| !self.components.contains_key(name));
            name = free.unwrap_or(name);
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
        let own = by_name(envelope);
        let is_problem = own.refusal_type() == Problem.refusal_type();
        let shapes: [(Option<EnvelopeName>, &dyn Envelope); 2] = [(Some(envelope), &*own), (None, &Problem)];
        // An envelope whose refusals are problem documents has no other shape for them.
        for (name, shape) in shapes.into_iter().skip(usize::from(is_problem)) {
            let refusals = row.and(self.refusals.get(&name)).cloned();
            let content = refusal_content(shape, refusals, row, declared, schemas);
            response.content.insert(shape.refusal_type().to_owned(), content.into());
        }
        if let Some((name, info)) = row.and_then(|row| row.header) {
            response.headers.insert(name.to_owned(), header(info, schemas).into());
        }
        response
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
        return Response::new("Success, without content");
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
    ResponseBuilder::new().description("Success").content("application/json", content).build()
}
