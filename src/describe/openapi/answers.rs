//! What is answered: the outputs of a success, and refusals by their status.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{Header, HeaderBuilder, Ref, RefOr, Response, Responses, ResponsesBuilder};

use super::files;
use super::jsonp;
use super::rows::{OTHER, RATE_LIMIT, RATE_LIMIT_POLICY, Row};
use super::samples::sample;
use super::schemas::{Schemas, name_of};
use super::shown::{Shown, response_of};
use super::success::{self, success};
use crate::call::Refusal;
use crate::envelope::{self, Envelope, JsonMembers, Problem};
use crate::error::Code;
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Module};

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

/// What a component describes: in which envelope, of which status, which refusals of the engine, and which declared
/// errors with which words.
type Key = (EnvelopeName, Option<u16>, Vec<&'static str>, Vec<(String, u16, String)>);

/// What a method may be refused for with one status; without one, with any that is not described beside it.
struct Refused<'m> {
    status: Option<u16>,
    rows: Vec<&'static Row>,
    declared: Vec<&'m DeclaredError>,
}

/// A shape of answers, and the schema of the engine's refusals in it.
struct Shape {
    envelope: Arc<dyn Envelope>,
    refusals: Json,
}

impl Shape {
    /// Whether a refusal whose status is really `real` has this one; none stands for its own.
    fn tells(&self, real: u16, status: Option<u16>) -> bool {
        envelope::status(&*self.envelope, real) == status.unwrap_or(real)
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

    /// All refusals that are referred to, by name: once, when all are.
    pub(super) fn components(&mut self) -> BTreeMap<String, RefOr<Response>> {
        let components = std::mem::take(&mut self.components);
        components.into_iter().map(|(name, response)| (name, response.into())).collect()
    }

    /// What a method answers: a success, its own errors, and the engine's refusals of these `rows`.
    pub(super) fn answers(
        &mut self,
        (api, module, method): (&Api, &Module, &Method),
        rows: &[&'static Row],
        schemas: &mut Schemas,
    ) -> Responses {
        let envelope = api.envelope_of(module);
        let mut responses = self.successes(envelope, method, method.answers_jsonp(api.jsonp), schemas);
        let statuses = self.statuses(envelope, method, rows);
        for (status, response) in files::beside(method).into_iter().filter(|(own, _)| !statuses.contains(own)) {
            responses = responses.response(status.to_string(), named(response));
        }
        for status in statuses {
            let refused = self.refused(envelope, method, rows, status);
            responses = responses.response(status.to_string(), self.refusal(envelope, &refused, &method.id, schemas));
        }
        let other = Refused { status: None, rows: vec![&OTHER], declared: Vec::new() };
        responses.response("default", self.refusal(envelope, &other, &method.id, schemas)).build()
    }

    /// The shape of a method's answers, and that before its module is known where it is another one.
    fn shapes_of(&self, name: &EnvelopeName) -> Vec<(&Shape, bool)> {
        let early = (self.early != *name).then_some(&self.early);
        let names = [Some(name), early].into_iter().flatten();
        names.filter_map(|one| Some((self.shapes.get(one)?, one == name))).collect()
    }

    /// The statuses of a method's refusals: the real ones, which problem documents have in every envelope, and those
    /// that envelopes make of them. One that is no error's stands beside the success.
    fn statuses(&self, name: &EnvelopeName, method: &Method, rows: &[&'static Row]) -> Vec<u16> {
        let of_rows = rows.iter().map(|row| row.status());
        let mut statuses: Vec<u16> = of_rows.chain(method.errors.iter().map(|error| error.status.get())).collect();
        let real = statuses.clone();
        for (shape, _) in self.shapes_of(name) {
            let hidden = real.iter().copied().chain([OTHER.status()]).filter(|real| !shape.tells(*real, None));
            let told = hidden.map(|real| envelope::status(&*shape.envelope, real));
            statuses.extend(told.filter(|told| is_apart(*told, shape, method)));
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// What a method may be refused for with this status, in some shape.
    fn refused<'m>(&self, name: &EnvelopeName, method: &'m Method, rows: &[&'static Row], status: u16) -> Refused<'m> {
        let any = |real: u16, is_early: bool| {
            let shapes = self.shapes_of(name);
            shapes.iter().filter(|(_, own)| *own || is_early).any(|(shape, _)| shape.tells(real, Some(status)))
        };
        let mut rows: Vec<_> =
            rows.iter().copied().filter(|row| row.status() == status || any(row.status(), row.is_early)).collect();
        if OTHER.status() != status && any(OTHER.status(), OTHER.is_early) {
            rows.push(&OTHER);
        }
        let declared = method.errors.iter();
        let declared = declared.filter(|error| error.status.get() == status || any(error.status.get(), false));
        Refused { status: Some(status), rows, declared: declared.collect() }
    }

    /// The success of a method, and beside it what is answered with the status of a success and is none.
    fn successes(&self, name: &EnvelopeName, method: &Method, jsonp: bool, schemas: &mut Schemas) -> ResponsesBuilder {
        let mut responses = ResponsesBuilder::new();
        let Some(own) = self.shapes.get(name) else { return responses };
        let status = envelope::status(&*own.envelope, method.options.status);
        let success = success(&*own.envelope, method, schemas);
        let hidden = self.hidden(name, method);
        let beside = hidden.iter().any(|shown| shown.status == status);
        let words = match (&success, beside) {
            (None, _) => "Success, without content",
            (Some(_), false) if method.options.download => "The file, or a link to it",
            (Some(_), false) => "Success",
            (Some(_), true) => "Success, or a refusal that the body alone tells",
        };
        let succeeded = success.map(|schema| Shown {
            examples: success::example(&*own.envelope, method).into_iter().collect(),
            ..Shown::one(status, own.envelope.success_type(), schema)
        });
        let told = succeeded.into_iter().chain(hidden).flat_map(|shown| shown.and_in(&self.formats));
        let all: Vec<_> = told.chain(jsonp.then(jsonp::script)).collect();
        let mut response = response_of(words, all.iter().filter(|shown| shown.status == status), schemas);
        if method.options.download && method.options.status == status {
            files::add(&mut response);
        } else if method.options.download {
            // A file is in no envelope, and so its status is the real one.
            let mut file = Response::new("The file");
            files::add(&mut file);
            responses = responses.response(method.options.status.to_string(), named(file));
        }
        if !method.scope.is_public() {
            for (name, _) in [RATE_LIMIT, RATE_LIMIT_POLICY] {
                response.headers.insert(name.to_owned(), RefOr::Ref(component_of(name)));
            }
        }
        responses = responses.response(status.to_string(), named(response));
        if let Some(other) = all.iter().map(|shown| shown.status).find(|other| *other != status) {
            let words = "What the body alone tells";
            let response = response_of(words, all.iter().filter(|shown| shown.status == other), schemas);
            responses = responses.response(other.to_string(), named(response));
        }
        responses
    }

    /// The refusals that have the status of a success, in the method's envelope and in that before a module is known.
    fn hidden(&self, name: &EnvelopeName, method: &Method) -> Vec<Shown> {
        let mut hidden = Vec::new();
        for (shape, own) in self.shapes_of(name) {
            let mut hide = |real: u16, schema: Json| {
                let status = envelope::status(&*shape.envelope, real);
                if status != real && !is_apart(status, shape, method) {
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
    fn refusal(&mut self, envelope: &EnvelopeName, refused: &Refused<'_>, id: &str, schemas: &mut Schemas) -> Ref {
        let Refused { status, rows, declared } = refused;
        let names: Vec<_> = rows.iter().map(|row| row.name).collect();
        let words = declared.iter().map(|own| (own.name.clone(), own.status.get(), own.info.clone())).collect();
        let key = (envelope.clone(), *status, names, words);
        if let Some(name) = self.names.get(&key) {
            return Ref::from_response_name(name);
        }
        let parts = key.2.iter().copied().chain(declared.iter().map(|own| own.name.as_str()));
        let words = parts.map(name_of).collect::<Vec<_>>().join(".");
        let mut name = format!("{}.{words}", envelope.as_str());
        if self.components.contains_key(&name) {
            // Errors of one name that mean different things are told apart by whose they are.
            name = format!("{}.{}.{words}", envelope.as_str(), name_of(id));
        }
        while self.components.contains_key(&name) {
            name.push('_');
        }
        let response = self.response(envelope, refused, schemas);
        self.components.insert(name.clone(), response);
        let reference = Ref::from_response_name(&name);
        self.names.insert(key, name);
        reference
    }

    fn response(&self, envelope: &EnvelopeName, refused: &Refused<'_>, schemas: &mut Schemas) -> Response {
        // An envelope whose refusals are problem documents has no other shape for them.
        let problems = |shape: &Shape| shape.envelope.refusal_type() == Problem.refusal_type();
        let shapes = self.shapes_of(envelope);
        let own = shapes.iter().filter_map(|(shape, own)| Some((*shape, refused.shown(shape, *own)?)));
        let own = own.flat_map(|(shape, shown)| shown.and_in(&self.formats).skip(usize::from(problems(shape))));
        let shown: Vec<_> = own.chain(refused.shown(&self.problems, true)).collect();
        let all = shapes.iter().map(|(shape, _)| *shape).chain([&self.problems]).collect::<Vec<_>>();
        let words = refused.words(&all);
        let mut response = response_of(&words, shown.iter(), schemas);
        let rows = refused.rows.iter().filter(|row| refused.status.is_none_or(|status| status == row.status()));
        for (name, info) in rows.flat_map(|row| row.headers) {
            response.headers.insert((*name).to_owned(), header(info, schemas).into());
        }
        named(response)
    }
}

/// Whether refusals with this status are described apart from the success.
fn is_apart(status: u16, shape: &Shape, method: &Method) -> bool {
    status >= 400 && status != envelope::status(&*shape.envelope, method.options.status)
}

impl Refused<'_> {
    /// What they are in this shape, if any has it; declared errors only in that of the method's `own` envelope.
    fn shown(&self, shape: &Shape, own: bool) -> Option<Shown> {
        let tells = |real: u16| shape.tells(real, self.status);
        let rows = self.rows.iter().filter(|row| own || row.is_early);
        let codes: Vec<Code> =
            rows.flat_map(|row| row.codes).copied().filter(|code| tells(code.status().get())).collect();
        let declared = self.declared.iter().copied().filter(|error| own && tells(error.status.get()));
        let declared: Vec<_> = declared.collect();
        let of_errors = declared.iter().map(|error| shape.envelope.declared_schema(&error.name, error.status));
        let of_engine = (!codes.is_empty()).then(|| shape.refusals.clone());
        let any: Vec<_> = of_errors.chain(of_engine).collect();
        (!any.is_empty()).then(|| Shown {
            status: self.status.unwrap_or_default(),
            media_type: shape.envelope.refusal_type().to_owned(),
            any,
            examples: examples_of(&*shape.envelope, &codes, &declared),
        })
    }

    /// What they say in some of these shapes.
    fn words(&self, shapes: &[&Shape]) -> String {
        let told = |code: &&Code| shapes.iter().any(|shape| shape.tells(code.status().get(), self.status));
        let codes = self.rows.iter().flat_map(|row| row.codes).filter(told).map(|code| code.title());
        self.declared.iter().map(|own| own.info.as_str()).chain(codes).collect::<Vec<_>>().join("; ")
    }
}

/// Where an envelope stands among those of a document: first the built-in ones, then others by name.
fn place_of(name: &EnvelopeName) -> (usize, &str) {
    let known = EnvelopeName::ALL.iter().position(|known| known == name);
    (known.unwrap_or(EnvelopeName::ALL.len()), name.as_str())
}

/// What the header field of all answers is called among the components.
const REQUEST_ID: &str = "RequestId";

/// The header fields that several answers have.
pub(super) fn headers(api: &Api, schemas: &mut Schemas) -> BTreeMap<String, RefOr<Header>> {
    let id = header("Under what the request stands in the log: the client's own name for it, or the server's", schemas);
    let mut methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
    let is_counted = methods.any(|method| !method.scope.is_public());
    let counted = [RATE_LIMIT, RATE_LIMIT_POLICY].into_iter().filter(|_| is_counted);
    let counted: Vec<_> = counted.map(|(name, info)| (name.replace('-', ""), header(info, schemas).into())).collect();
    files::headers(api, schemas).into_iter().chain(counted).chain([(REQUEST_ID.to_owned(), id.into())]).collect()
}

/// A reference to the component of a header field: it has the name of the field without its dashes.
fn component_of(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{}", name.replace('-', "")))
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
fn examples_of(shape: &dyn Envelope, codes: &[Code], declared: &[&DeclaredError]) -> Vec<(String, Example)> {
    let mut examples = Vec::new();
    let mut example = |name: &str, summary: &str, refusal: &Refusal| {
        let value =
            shown(shape, refusal).map(|value| ExampleBuilder::new().summary(summary).value(Some(value)).build());
        examples.extend(value.map(|example| (name.to_owned(), example)));
    };
    for code in codes {
        example(code.row().name, code.title(), &sample(*code));
    }
    for error in declared {
        let refusal = Refusal::declared(error.name.clone()).with_status(error.status).with_words(&error.info);
        example(&error.name, &error.info, &refusal);
    }
    examples
}

/// A refusal as it is answered.
pub(in crate::describe) fn shown(shape: &dyn Envelope, refusal: &Refusal) -> Option<Json> {
    let mut members = JsonMembers::new();
    shape.refusal(refusal, &mut members).ok()?;
    serde_json::from_slice(&members.finish()).ok()
}
