//! The responses of an operation: the success with the outputs, and the errors by status.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;
use utoipa::openapi::{Ref, RefOr, Response, Responses, ResponsesBuilder};

use super::content::{ResponseContent, response_of};
use super::downloads;
use super::error_classes::{ErrorClass, OTHER, RATE_LIMIT, RATE_LIMIT_POLICY};
use super::headers::{self, header, with_request_id};
use super::jsonp;
use super::sample_errors::error_examples;
use super::schemas::{Schemas, component_name};
use super::success::{self, success};
use crate::envelope::{self, Envelope, Problem};
use crate::error::ErrorCode;
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Module};

/// The responses of a document. Error responses are components, which several operations can refer to.
pub(super) struct ResponseComponents {
    /// The envelope of errors that occur before the module of a request is known.
    before_module_envelope: EnvelopeName,
    /// The media types of responses besides JSON.
    formats: Vec<String>,
    components: BTreeMap<String, Response>,
    /// The names of the components, by the errors that they describe.
    names: HashMap<ComponentKey, String>,
    envelopes: HashMap<EnvelopeName, ErrorEnvelope>,
    /// The envelope of problem documents, which a client can request from every API.
    problems: ErrorEnvelope,
}

/// The errors that a component describes: the envelope, the status, the names of the error classes, and the name,
/// status and description of each declared error.
type ComponentKey = (EnvelopeName, Option<u16>, Vec<&'static str>, Vec<(String, u16, String)>);

/// The errors that a method can respond with for one status. If the status is `None`, these are the errors that every
/// method can have and that are not described separately.
struct ErrorGroup<'m> {
    status: Option<u16>,
    classes: Vec<&'static ErrorClass>,
    declared: Vec<&'m DeclaredError>,
}

/// An envelope and the schema of the server's errors in it.
struct ErrorEnvelope {
    envelope: Arc<dyn Envelope>,
    schema: Json,
}

impl ErrorEnvelope {
    /// Returns `true` if an error with the actual status `real` is sent with `status`, or with its actual status if
    /// `status` is `None`.
    fn sends_with(&self, real: u16, status: Option<u16>) -> bool {
        envelope::status(&*self.envelope, real) == status.unwrap_or(real)
    }
}

impl ResponseComponents {
    /// Creates an empty set of components. The schemas of errors are added first, so that no other schema gets their
    /// names.
    pub(super) fn new(api: &Api, schemas: &mut Schemas) -> Self {
        let mut error_envelope = |envelope: Arc<dyn Envelope>, name| {
            let schema = schemas.component(&[name], envelope.error_schema());
            ErrorEnvelope { envelope, schema }
        };
        let problems = error_envelope(Arc::new(Problem), "Problem");
        let mut used: Vec<_> = api.modules.iter().filter_map(|module| module.envelope.as_ref()).collect();
        used.push(&api.envelope);
        used.sort_by_key(|name| order_of(name));
        used.dedup();
        let envelopes =
            used.into_iter().map(|name| (name.clone(), error_envelope(api.make_envelope(name), "ApiError"))).collect();
        let formats = api.formats.iter().map(|format| format.essence().to_owned()).collect();
        let before_module_envelope = api.envelope.clone();
        Self {
            before_module_envelope,
            formats,
            components: BTreeMap::new(),
            names: HashMap::new(),
            envelopes,
            problems,
        }
    }

    /// Returns the components that the operations refer to. Must be called only once, after the last operation.
    pub(super) fn take_components(&mut self) -> BTreeMap<String, RefOr<Response>> {
        let components = std::mem::take(&mut self.components);
        components.into_iter().map(|(name, response)| (name, response.into())).collect()
    }

    /// Returns the responses of a method: the success, its declared errors, and the server's errors of these classes.
    pub(super) fn responses(
        &mut self,
        (api, module, method): (&Api, &Module, &Method),
        classes: &[&'static ErrorClass],
        schemas: &mut Schemas,
    ) -> Responses {
        let envelope = api.envelope_name(module);
        let mut responses = self.successes(envelope, method, method.allows_jsonp(api.jsonp), schemas);
        let statuses = self.error_statuses(envelope, method, classes);
        let conditional = downloads::conditional_responses(method);
        for (status, response) in conditional.into_iter().filter(|(status, _)| !statuses.contains(status)) {
            responses = responses.response(status.to_string(), with_request_id(response));
        }
        for status in statuses {
            let errors = self.error_group(envelope, method, classes, status);
            responses = responses.response(status.to_string(), self.reference(envelope, &errors, &method.id, schemas));
        }
        let other = ErrorGroup { status: None, classes: vec![&OTHER], declared: Vec::new() };
        responses.response("default", self.reference(envelope, &other, &method.id, schemas)).build()
    }

    /// Returns the envelopes of a method's responses: its own envelope, marked with `true`, and the envelope of errors
    /// that occur before the module is known, marked with `false`, if it is a different one.
    fn envelopes_of(&self, name: &EnvelopeName) -> Vec<(&ErrorEnvelope, bool)> {
        let before_module_envelope = (self.before_module_envelope != *name).then_some(&self.before_module_envelope);
        let names = [Some(name), before_module_envelope].into_iter().flatten();
        names.filter_map(|used| Some((self.envelopes.get(used)?, used == name))).collect()
    }

    /// Returns the statuses of a method's error responses: the actual statuses, which problem documents always have,
    /// and the statuses that the envelopes send instead. If an envelope sends an error with the status of a success,
    /// the error is described together with the success.
    fn error_statuses(&self, name: &EnvelopeName, method: &Method, classes: &[&'static ErrorClass]) -> Vec<u16> {
        let of_classes = classes.iter().map(|class| class.status());
        let mut statuses: Vec<u16> = of_classes.chain(method.errors.iter().map(|error| error.status.get())).collect();
        let real = statuses.clone();
        for (envelope, _) in self.envelopes_of(name) {
            let hidden = real.iter().copied().chain([OTHER.status()]).filter(|real| !envelope.sends_with(*real, None));
            let sent = hidden.map(|real| envelope::status(&*envelope.envelope, real));
            statuses.extend(sent.filter(|status| is_separate(*status, envelope, method)));
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// Returns the errors that a method can send with this status in any of its envelopes.
    fn error_group<'m>(
        &self,
        name: &EnvelopeName,
        method: &'m Method,
        classes: &[&'static ErrorClass],
        status: u16,
    ) -> ErrorGroup<'m> {
        let is_sent = |real: u16, is_early: bool| {
            let envelopes = self.envelopes_of(name);
            let used = envelopes.iter().filter(|(_, of_method)| *of_method || is_early);
            used.into_iter().any(|(envelope, _)| envelope.sends_with(real, Some(status)))
        };
        let is_in_group = |class: &ErrorClass| class.status() == status || is_sent(class.status(), class.is_early);
        let mut classes: Vec<_> = classes.iter().copied().filter(|class| is_in_group(class)).collect();
        if OTHER.status() != status && is_sent(OTHER.status(), OTHER.is_early) {
            classes.push(&OTHER);
        }
        let declared = method.errors.iter();
        let declared = declared.filter(|error| error.status.get() == status || is_sent(error.status.get(), false));
        ErrorGroup { status: Some(status), classes, declared: declared.collect() }
    }

    /// Returns the success of a method, and the errors that are sent with the status of a success.
    fn successes(&self, name: &EnvelopeName, method: &Method, jsonp: bool, schemas: &mut Schemas) -> ResponsesBuilder {
        let mut responses = ResponsesBuilder::new();
        let Some(used) = self.envelopes.get(name) else { return responses };
        let status = envelope::status(&*used.envelope, method.options.status);
        let success = success(&*used.envelope, method, schemas);
        let hidden = self.hidden_errors(name, method);
        let has_errors = hidden.iter().any(|content| content.status == status);
        let description = match (&success, has_errors) {
            (None, _) => "Success, without content",
            (Some(_), false) if method.options.download => "The file, or a link to it",
            (Some(_), false) => "Success",
            (Some(_), true) => "Success, or an error that only the body reports",
        };
        let success = success.map(|schema| ResponseContent {
            examples: success::example(&*used.envelope, method).into_iter().collect(),
            ..ResponseContent::new(status, used.envelope.success_content_type(), schema)
        });
        let contents = success.into_iter().chain(hidden).flat_map(|content| content.in_json_and(&self.formats));
        let all: Vec<_> = contents.chain(jsonp.then(jsonp::script)).collect();
        let with_status = |status| all.iter().filter(move |content| content.status == status);
        let mut response = response_of(description, with_status(status), schemas);
        if method.options.download && method.options.status == status {
            downloads::add_file(&mut response);
        } else if method.options.download {
            // A file is sent without an envelope, and therefore with the actual status.
            let mut file = Response::new("The file");
            downloads::add_file(&mut file);
            responses = responses.response(method.options.status.to_string(), with_request_id(file));
        }
        if !method.scope.is_public() {
            for (name, _) in [RATE_LIMIT, RATE_LIMIT_POLICY] {
                headers::add_to(&mut response, name);
            }
        }
        responses = responses.response(status.to_string(), with_request_id(response));
        if let Some(other) = all.iter().map(|content| content.status).find(|other| *other != status) {
            let response = response_of("The body alone reports the outcome", with_status(other), schemas);
            responses = responses.response(other.to_string(), with_request_id(response));
        }
        responses
    }

    /// Returns the errors that are sent with the status of a success, in the envelope of the method and in the envelope
    /// of errors that occur before the module is known.
    fn hidden_errors(&self, name: &EnvelopeName, method: &Method) -> Vec<ResponseContent> {
        let mut hidden = Vec::new();
        for (envelope, of_method) in self.envelopes_of(name) {
            let mut add = |real: u16, schema: Json| {
                let status = envelope::status(&*envelope.envelope, real);
                if status != real && !is_separate(status, envelope, method) {
                    hidden.push(ResponseContent::new(status, envelope.envelope.error_content_type(), schema));
                }
            };
            add(OTHER.status(), envelope.schema.clone());
            for error in method.errors.iter().filter(|_| of_method) {
                add(error.status.get(), envelope.envelope.declared_error_schema(&error.name, error.status));
            }
        }
        hidden
    }

    /// Returns a reference to the component for these errors. The component is added if it does not exist. `id` is the
    /// id of the method.
    fn reference(&mut self, envelope: &EnvelopeName, errors: &ErrorGroup<'_>, id: &str, schemas: &mut Schemas) -> Ref {
        let ErrorGroup { status, classes, declared } = errors;
        let names: Vec<_> = classes.iter().map(|class| class.name).collect();
        let declared_keys =
            declared.iter().map(|error| (error.name.clone(), error.status.get(), error.info.clone())).collect();
        let key = (envelope.clone(), *status, names, declared_keys);
        if let Some(name) = self.names.get(&key) {
            return Ref::from_response_name(name);
        }
        let parts = key.2.iter().copied().chain(declared.iter().map(|error| error.name.as_str()));
        let parts = parts.map(component_name).collect::<Vec<_>>().join(".");
        let mut name = format!("{}.{parts}", envelope.as_str());
        if self.components.contains_key(&name) {
            // Methods can declare different errors with the same name.
            name = format!("{}.{}.{parts}", envelope.as_str(), component_name(id));
        }
        while self.components.contains_key(&name) {
            name.push('_');
        }
        let response = self.error_response(envelope, errors, schemas);
        self.components.insert(name.clone(), response);
        let reference = Ref::from_response_name(&name);
        self.names.insert(key, name);
        reference
    }

    /// Returns the response with these errors in an envelope, and as problem documents.
    fn error_response(&self, envelope: &EnvelopeName, errors: &ErrorGroup<'_>, schemas: &mut Schemas) -> Response {
        // If the envelope itself sends problem documents, their content must not be added again.
        let sends_problems = |used: &ErrorEnvelope| used.envelope.error_content_type() == Problem.error_content_type();
        let envelopes = self.envelopes_of(envelope);
        let in_envelopes =
            envelopes.iter().filter_map(|(used, of_method)| Some((*used, errors.content(used, *of_method)?)));
        let in_envelopes = in_envelopes
            .flat_map(|(used, content)| content.in_json_and(&self.formats).skip(usize::from(sends_problems(used))));
        let contents: Vec<_> = in_envelopes.chain(errors.content(&self.problems, true)).collect();
        let all = envelopes.iter().map(|(used, _)| *used).chain([&self.problems]).collect::<Vec<_>>();
        let mut response = response_of(&errors.description(&all), contents.iter(), schemas);
        let classes = errors.classes.iter();
        let classes = classes.filter(|class| errors.status.is_none_or(|status| status == class.status()));
        for (name, info) in classes.flat_map(|class| class.headers) {
            response.headers.insert((*name).to_owned(), header(info, schemas).into());
        }
        with_request_id(response)
    }
}

/// Returns `true` if errors with this status have a separate response, which is not described with the success.
fn is_separate(status: u16, used: &ErrorEnvelope, method: &Method) -> bool {
    status >= 400 && status != envelope::status(&*used.envelope, method.options.status)
}

impl ErrorGroup<'_> {
    /// Returns the content of these errors in an envelope, or `None` if the envelope sends none of them with this
    /// status. Declared errors are sent only in the envelope of the method.
    fn content(&self, used: &ErrorEnvelope, of_method: bool) -> Option<ResponseContent> {
        let is_sent = |real: u16| used.sends_with(real, self.status);
        let classes = self.classes.iter().filter(|class| of_method || class.is_early);
        let codes: Vec<ErrorCode> =
            classes.flat_map(|class| class.codes).copied().filter(|code| is_sent(code.status().get())).collect();
        let declared = self.declared.iter().copied().filter(|error| of_method && is_sent(error.status.get()));
        let declared: Vec<_> = declared.collect();
        let of_method = declared.iter().map(|error| used.envelope.declared_error_schema(&error.name, error.status));
        let of_engine = (!codes.is_empty()).then(|| used.schema.clone());
        let any: Vec<_> = of_method.chain(of_engine).collect();
        (!any.is_empty()).then(|| ResponseContent {
            status: self.status.unwrap_or_default(),
            media_type: used.envelope.error_content_type().to_owned(),
            any,
            examples: error_examples(&*used.envelope, &codes, &declared),
        })
    }

    /// Returns the titles of the errors that these envelopes send with this status.
    fn description(&self, envelopes: &[&ErrorEnvelope]) -> String {
        let is_sent =
            |code: &&ErrorCode| envelopes.iter().any(|used| used.sends_with(code.status().get(), self.status));
        let codes = self.classes.iter().flat_map(|class| class.codes).filter(is_sent).map(|code| code.title());
        self.declared.iter().map(|error| error.info.as_str()).chain(codes).collect::<Vec<_>>().join("; ")
    }
}

/// Returns the sort key of an envelope: the built-in envelopes come first, then those of the program by name.
fn order_of(name: &EnvelopeName) -> (usize, &str) {
    let built_in = EnvelopeName::ALL.iter().position(|known| known == name);
    (built_in.unwrap_or(EnvelopeName::ALL.len()), name.as_str())
}
