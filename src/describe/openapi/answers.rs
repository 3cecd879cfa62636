//! What is answered: the outputs of a success, and refusals by their status.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{Header, HeaderBuilder, Ref, RefOr, Response, Responses, ResponsesBuilder};

use super::files;
use super::jsonp;
use super::samples::sample;
use super::schemas::{Schemas, name_of};
use super::shown::{Shown, response_of};
use super::success::success;
use crate::call::Refusal;
use crate::envelope::{Envelope, JsonMembers, Problem};
use crate::error::Code;
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Module};

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
/// Whoever is identified has made too many requests.
pub(super) const TOO_MANY: Row = Row {
    header: Some(("Retry-After", "Seconds until another try makes sense")),
    ..row("TooManyRequests", &[Code::TooManyRequests])
};
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
    ..early(
        "Other",
        &[
            Code::UnknownService,
            Code::UnknownMethod,
            Code::Unauthenticated,
            Code::TooManyRequests,
            Code::ExpectationFailed,
        ],
    )
};

/// The refusals of a document, each kind once for each envelope.
pub(super) struct Answers {
    /// The envelope of refusals before a module is known.
    early: EnvelopeName,
    /// The media types of answers beside JSON.
    formats: Vec<String>,
    components: BTreeMap<String, Response>,
    /// The components' names by what they describe.
    names: HashMap<Key, String>,
    shapes: HashMap<EnvelopeName, Shape>,
    /// Problem documents, which any envelope's refusals can be.
    problems: Shape,
}

/// What a component describes: in which envelope, which refusals of the engine, and which declared errors with which
/// words.
type Key = (EnvelopeName, Option<&'static str>, Vec<(String, u16, String)>);

/// A shape of answers, and the schema of the engine's refusals in it.
struct Shape {
    envelope: Arc<dyn Envelope>,
    refusals: Json,
}

impl Shape {
    /// Whether an answer of the status `real` has another one.
    fn hides(&self, real: u16) -> bool {
        self.envelope.status(real) != real
    }
}

impl Answers {
    /// None yet. The schemas of refusals are made first, so that no other has their names.
    pub(super) fn new(api: &Api, schemas: &mut Schemas) -> Self {
        let mut shape = |envelope: Arc<dyn Envelope>, name| {
            let refusals = schemas.component(&[name], envelope.refusal_schema());
            Shape { envelope, refusals }
        };
        let problems = shape(Arc::new(Problem), "Problem");
        let mut used: Vec<_> = api.modules.iter().filter_map(|module| module.envelope.as_ref()).collect();
        used.push(&api.envelope);
        used.sort_by_key(|name| place_of(name));
        used.dedup();
        let shapes = used.into_iter().map(|name| (name.clone(), shape(api.shape(name), "Refusal"))).collect();
        let formats = api.formats.iter().map(|format| format.essence().to_owned()).collect();
        let early = api.envelope.clone();
        Self { early, formats, components: BTreeMap::new(), names: HashMap::new(), shapes, problems }
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
        let envelope = module.envelope.as_ref().unwrap_or(&api.envelope);
        let mut statuses: Vec<u16> = rows.iter().map(|row| row.status()).collect();
        statuses.extend(method.errors.iter().map(|error| error.status.get()));
        statuses.sort_unstable();
        statuses.dedup();
        let mut responses = self.successes(envelope, method, method.answers_jsonp(api.jsonp), schemas);
        for (status, response) in files::beside(method).into_iter().filter(|(own, _)| !statuses.contains(own)) {
            responses = responses.response(status.to_string(), named(response));
        }
        for status in statuses {
            let row = rows.iter().find(|row| row.status() == status).copied();
            let declared: Vec<_> = method.errors.iter().filter(|error| error.status.get() == status).collect();
            responses =
                responses.response(status.to_string(), self.refusal(envelope, row, &declared, &method.id, schemas));
        }
        responses.response("default", self.refusal(envelope, Some(&OTHER), &[], &method.id, schemas)).build()
    }

    /// The success of a method, and beside it what is answered with the status of a success and is none.
    fn successes(&self, name: &EnvelopeName, method: &Method, jsonp: bool, schemas: &mut Schemas) -> ResponsesBuilder {
        let mut responses = ResponsesBuilder::new();
        let Some(own) = self.shapes.get(name) else { return responses };
        let status = own.envelope.status(method.options.status);
        let success = success(&*own.envelope, method, schemas);
        let hidden = self.hidden(name, method);
        let beside = hidden.iter().any(|shown| shown.status == status);
        let words = match (&success, beside) {
            (None, _) => "Success, without content",
            (Some(_), false) if method.options.download => "The file, or a link to it",
            (Some(_), false) => "Success",
            (Some(_), true) => "Success, or a refusal that the body alone tells",
        };
        let succeeded = success.map(|schema| Shown::one(status, own.envelope.success_type(), schema));
        let told = succeeded.into_iter().chain(hidden).flat_map(|shown| shown.and_in(&self.formats));
        let all: Vec<_> = told.chain(jsonp.then(jsonp::script)).collect();
        let mut response = response_of(words, all.iter().filter(|shown| shown.status == status), schemas);
        if method.options.download {
            files::add(&mut response);
        }
        responses = responses.response(status.to_string(), named(response));
        if let Some(other) = all.iter().map(|shown| shown.status).find(|other| *other != status) {
            let words = "What the body alone tells";
            let response = response_of(words, all.iter().filter(|shown| shown.status == other), schemas);
            responses = responses.response(other.to_string(), named(response));
        }
        responses
    }

    /// The refusals whose status is not the real one, in the method's envelope and in that before a module is known.
    fn hidden(&self, name: &EnvelopeName, method: &Method) -> Vec<Shown> {
        let mut names = vec![name, &self.early];
        names.dedup();
        let mut hidden = Vec::new();
        for (shape, own) in names.into_iter().filter_map(|other| Some((self.shapes.get(other)?, other == name))) {
            let mut hide = |real: u16, schema: Json| {
                if shape.hides(real) {
                    let status = shape.envelope.status(real);
                    hidden.push(Shown::one(status, shape.envelope.refusal_type(), schema));
                }
            };
            hide(OTHER.status(), shape.refusals.clone());
            for error in method.errors.iter().filter(|_| own) {
                hide(error.status.get(), shape.envelope.declared_schema(&error.name, error.status));
            }
        }
        hidden
    }

    /// A reference to the component of these refusals, of the method `id`.
    fn refusal(
        &mut self,
        envelope: &EnvelopeName,
        row: Option<&'static Row>,
        declared: &[&DeclaredError],
        id: &str,
        schemas: &mut Schemas,
    ) -> Ref {
        let words = declared.iter().map(|own| (own.name.clone(), own.status.get(), own.info.clone())).collect();
        let key = (envelope.clone(), row.map(|row| row.name), words);
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
        envelope: &EnvelopeName,
        row: Option<&'static Row>,
        declared: &[&DeclaredError],
        schemas: &mut Schemas,
    ) -> Response {
        let mut words: Vec<&str> = declared.iter().map(|own| own.info.as_str()).collect();
        words.extend(row.iter().flat_map(|row| row.codes).map(|code| code.title()));
        let mut names = vec![envelope];
        if row.is_some_and(|row| row.is_early) && self.early != *envelope {
            names.push(&self.early);
        }
        // An envelope whose refusals are problem documents has no other shape for them.
        let problems = |shape: &Shape| shape.envelope.refusal_type() == Problem.refusal_type();
        let status = row.map(Row::status).or_else(|| declared.first().map(|own| own.status.get()));
        let shapes = names.into_iter().filter_map(|name| self.shapes.get(name));
        let shapes = shapes.filter(|shape| !status.is_some_and(|status| shape.hides(status)));
        let shown = |shape: &Shape| {
            let of_errors = declared.iter().map(|error| shape.envelope.declared_schema(&error.name, error.status));
            Shown {
                status: status.unwrap_or_default(),
                media_type: shape.envelope.refusal_type().to_owned(),
                any: of_errors.chain(row.map(|_| shape.refusals.clone())).collect(),
                examples: examples_of(&*shape.envelope, row, declared),
            }
        };
        let own = shapes.flat_map(|shape| {
            let skip = usize::from(problems(shape));
            shown(shape).and_in(&self.formats).skip(skip)
        });
        let shown: Vec<_> = own.chain([shown(&self.problems)]).collect();
        let mut response = response_of(&words.join("; "), shown.iter(), schemas);
        if let Some((name, info)) = row.and_then(|row| row.header) {
            response.headers.insert(name.to_owned(), header(info, schemas).into());
        }
        named(response)
    }
}

/// Where an envelope stands among those of a document: first the built-in ones, then others by name.
fn place_of(name: &EnvelopeName) -> (usize, &str) {
    let known = EnvelopeName::ALL.iter().position(|known| known == name);
    (known.unwrap_or(EnvelopeName::ALL.len()), name.as_str())
}

impl Row {
    fn status(&self) -> u16 {
        self.codes.first().map_or(500, |code| code.status().get())
    }
}

/// What the header field of all answers is called among the components.
const REQUEST_ID: &str = "RequestId";

/// The header fields that several answers have.
pub(super) fn headers(api: &Api, schemas: &mut Schemas) -> BTreeMap<String, RefOr<Header>> {
    let id = header("Under what the request stands in the log: the client's own name for it, or the server's", schemas);
    files::headers(api, schemas).into_iter().chain([(REQUEST_ID.to_owned(), id.into())]).collect()
}

/// An answer with the name of its request, as all have it.
fn named(mut response: Response) -> Response {
    let id = Ref::new(format!("#/components/headers/{REQUEST_ID}"));
    response.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(id));
    response
}

pub(super) fn header(info: &str, schemas: &mut Schemas) -> Header {
    let schema = schemas.place(json!({ "type": "string" }));
    HeaderBuilder::new().schema(Some(schema)).description(Some(info)).build()
}

/// Examples of refusals in one shape, by name.
fn examples_of(shape: &dyn Envelope, row: Option<&Row>, declared: &[&DeclaredError]) -> Vec<(String, Example)> {
    let mut examples = Vec::new();
    let mut example = |name: &str, summary: &str, refusal: &Refusal| {
        let value =
            shown(shape, refusal).map(|value| ExampleBuilder::new().summary(summary).value(Some(value)).build());
        examples.extend(value.map(|example| (name.to_owned(), example)));
    };
    for code in row.iter().flat_map(|row| row.codes) {
        example(code.row().name, code.title(), &sample(*code));
    }
    for error in declared {
        let refusal = Refusal::declared(error.name.clone()).with_status(error.status).with_words(&error.info);
        example(&error.name, &error.info, &refusal);
    }
    examples
}

/// A refusal as it is answered.
fn shown(shape: &dyn Envelope, refusal: &Refusal) -> Option<Json> {
    let mut members = JsonMembers::new();
    shape.refusal(refusal, &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}
