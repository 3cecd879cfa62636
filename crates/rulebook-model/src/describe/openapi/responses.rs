//! The responses of an operation: the success response with the outputs of the method, and the error responses by
//! status. The envelope is the format of responses. It is set for the API or for an API module, and it can send an
//! error with a status other than the actual status of the error.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value as Json;
use utoipa::openapi::{Ref, RefOr, Response, Responses, ResponsesBuilder};

use super::content::{ResponseContent, response_with_contents};
use super::downloads;
use super::error_classes::{ErrorClass, GENERAL_ERRORS, RATE_LIMIT_HEADER, RATE_LIMIT_POLICY_HEADER};
use super::headers::{self, text_header, with_request_id_header};
use super::jsonp;
use super::sample_errors::error_examples;
use super::schemas::{Schemas, to_component_name};
use super::success::{self, success_schema};
use crate::envelope::{self, Envelope, Problem};
use crate::error::ErrorCode;
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Module};

/// Generates the responses of a document. Error responses are components of the document, so that several operations
/// can refer to the same response.
pub(super) struct ResponseComponents {
    /// The envelope of errors that occur before the server knows to which API module a request belongs.
    envelope_before_routing: EnvelopeName,
    /// The media types of the response formats other than JSON.
    format_media_types: Vec<String>,
    components: BTreeMap<String, Response>,
    /// The name of each component, by the errors that the component describes.
    component_names: HashMap<ComponentKey, String>,
    envelopes: HashMap<EnvelopeName, ErrorEnvelope>,
    /// The envelope of problem documents (RFC 9457). A client can request errors in this envelope from every API.
    problem_envelope: ErrorEnvelope,
}

/// Identifies a response component by the errors that it describes: the envelope, the status, the names of the error
/// classes, and the name, status and description of each error that the method declares.
type ComponentKey = (EnvelopeName, Option<u16>, Vec<&'static str>, Vec<(String, u16, String)>);

/// The errors that a method can respond with for one status. If the status is `None`, the group contains the errors
/// that any request can cause and for which the document has no other response.
struct ErrorGroup<'m> {
    status: Option<u16>,
    classes: Vec<&'static ErrorClass>,
    declared: Vec<&'m DeclaredError>,
}

/// An envelope, and the schema of server errors in this envelope.
struct ErrorEnvelope {
    envelope: Arc<dyn Envelope>,
    error_schema: Json,
}

impl ErrorEnvelope {
    /// Returns `true` if this envelope sends an error whose actual status is `real` with the status `status`. If
    /// `status` is `None`, returns `true` if this envelope sends the error with its actual status.
    fn sends_error_with_status(&self, real: u16, status: Option<u16>) -> bool {
        envelope::response_status(&*self.envelope, real) == status.unwrap_or(real)
    }
}

impl ResponseComponents {
    /// Creates a value without components, and adds the schemas of errors to `schemas`. Must be called before other
    /// schemas are added, so that no other schema gets the name of an error schema.
    pub(super) fn new(api: &Api, schemas: &mut Schemas) -> Self {
        let mut error_envelope = |envelope: Arc<dyn Envelope>, name| {
            let error_schema = schemas.component_reference(&[name], envelope.error_schema());
            ErrorEnvelope { envelope, error_schema }
        };
        let problem_envelope = error_envelope(Arc::new(Problem), "Problem");
        let mut used: Vec<_> = api.modules.iter().filter_map(|module| module.envelope.as_ref()).collect();
        used.push(&api.envelope);
        used.sort_by_key(|name| envelope_sort_key(name));
        used.dedup();
        let envelopes =
            used.into_iter().map(|name| (name.clone(), error_envelope(api.make_envelope(name), "ApiError"))).collect();
        let format_media_types = api.formats.iter().map(|format| format.essence().to_owned()).collect();
        let envelope_before_routing = api.envelope.clone();
        Self {
            envelope_before_routing,
            format_media_types,
            components: BTreeMap::new(),
            component_names: HashMap::new(),
            envelopes,
            problem_envelope,
        }
    }

    /// Returns the response components to which the operations refer. Must be called only once, after all operations
    /// are generated.
    pub(super) fn take_components(&mut self) -> BTreeMap<String, RefOr<Response>> {
        let components = std::mem::take(&mut self.components);
        components.into_iter().map(|(name, response)| (name, response.into())).collect()
    }

    /// Returns the responses of a method: the success response, the errors that the method declares, and the server
    /// errors of the classes `classes`.
    pub(super) fn operation_responses(
        &mut self,
        (api, module, method): (&Api, &Module, &Method),
        classes: &[&'static ErrorClass],
        schemas: &mut Schemas,
    ) -> Responses {
        let envelope = api.envelope_name(module);
        let mut responses = self.success_responses(envelope, method, method.allows_jsonp(api.jsonp), schemas);
        let statuses = self.error_statuses(envelope, method, classes);
        let conditional = downloads::conditional_responses(method);
        for (status, response) in conditional.into_iter().filter(|(status, _)| !statuses.contains(status)) {
            responses = responses.response(status.to_string(), with_request_id_header(response));
        }
        for status in statuses {
            let errors = self.error_group(envelope, method, classes, status);
            responses = responses
                .response(status.to_string(), self.error_component_reference(envelope, &errors, &method.id, schemas));
        }
        let other = ErrorGroup { status: None, classes: vec![&GENERAL_ERRORS], declared: Vec::new() };
        responses.response("default", self.error_component_reference(envelope, &other, &method.id, schemas)).build()
    }

    /// Returns the envelopes of a method's responses. The envelope of the method's API module is marked with `true`. If
    /// the envelope of errors that occur before the API module is known is a different envelope, it is also returned,
    /// marked with `false`. `name` is the name of the API module's envelope.
    fn envelopes_of_method(&self, name: &EnvelopeName) -> Vec<(&ErrorEnvelope, bool)> {
        let envelope_before_routing = (self.envelope_before_routing != *name).then_some(&self.envelope_before_routing);
        let names = [Some(name), envelope_before_routing].into_iter().flatten();
        names.filter_map(|used| Some((self.envelopes.get(used)?, used == name))).collect()
    }

    /// Returns the statuses of a method's error responses: the actual statuses of the errors, which problem documents
    /// always have, and the different statuses that envelopes send. If an envelope sends an error with the status of a
    /// success, that status is not included, because the success response also describes the error.
    fn error_statuses(&self, name: &EnvelopeName, method: &Method, classes: &[&'static ErrorClass]) -> Vec<u16> {
        let of_classes = classes.iter().map(|class| class.status());
        let mut statuses: Vec<u16> = of_classes.chain(method.errors.iter().map(|error| error.status.get())).collect();
        let real = statuses.clone();
        for (envelope, _) in self.envelopes_of_method(name) {
            let hidden = real
                .iter()
                .copied()
                .chain([GENERAL_ERRORS.status()])
                .filter(|real| !envelope.sends_error_with_status(*real, None));
            let sent = hidden.map(|real| envelope::response_status(&*envelope.envelope, real));
            statuses.extend(sent.filter(|status| is_separate_from_success(*status, envelope, method)));
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// Returns the errors that a method can send with the status `status` in any of the method's envelopes.
    fn error_group<'m>(
        &self,
        name: &EnvelopeName,
        method: &'m Method,
        classes: &[&'static ErrorClass],
        status: u16,
    ) -> ErrorGroup<'m> {
        let is_sent = |real: u16, can_precede_routing: bool| {
            let envelopes = self.envelopes_of_method(name);
            let used = envelopes.iter().filter(|(_, of_method)| *of_method || can_precede_routing);
            used.into_iter().any(|(envelope, _)| envelope.sends_error_with_status(real, Some(status)))
        };
        let is_in_group =
            |class: &ErrorClass| class.status() == status || is_sent(class.status(), class.can_precede_routing);
        let mut classes: Vec<_> = classes.iter().copied().filter(|class| is_in_group(class)).collect();
        if GENERAL_ERRORS.status() != status && is_sent(GENERAL_ERRORS.status(), GENERAL_ERRORS.can_precede_routing) {
            classes.push(&GENERAL_ERRORS);
        }
        let declared = method.errors.iter();
        let declared = declared.filter(|error| error.status.get() == status || is_sent(error.status.get(), false));
        ErrorGroup { status: Some(status), classes, declared: declared.collect() }
    }

    /// Returns the success responses of a method. They also describe the errors that an envelope sends with the status
    /// of a success.
    fn success_responses(
        &self,
        name: &EnvelopeName,
        method: &Method,
        jsonp: bool,
        schemas: &mut Schemas,
    ) -> ResponsesBuilder {
        let mut responses = ResponsesBuilder::new();
        let Some(used) = self.envelopes.get(name) else { return responses };
        let status = envelope::response_status(&*used.envelope, method.options.status);
        let success = success_schema(&*used.envelope, method, schemas);
        let hidden = self.errors_with_success_status(name, method);
        let has_errors = hidden.iter().any(|content| content.status == status);
        let description = match (&success, has_errors) {
            (None, _) => "Success, without content",
            (Some(_), false) if method.options.download => "The file, or a link to it",
            (Some(_), false) => "Success",
            (Some(_), true) => "Success, or an error that only the body reports",
        };
        let success = success.map(|schema| ResponseContent {
            examples: success::success_example(&*used.envelope, method).into_iter().collect(),
            ..ResponseContent::new(status, used.envelope.success_content_type(), schema)
        });
        let contents =
            success.into_iter().chain(hidden).flat_map(|content| content.in_json_and_formats(&self.format_media_types));
        let all: Vec<_> = contents.chain(jsonp.then(jsonp::script_content)).collect();
        let with_status = |status| all.iter().filter(move |content| content.status == status);
        let mut response = response_with_contents(description, with_status(status), schemas);
        if method.options.download && method.options.status == status {
            downloads::add_file_content(&mut response);
        } else if method.options.download {
            // A file is sent without an envelope, and therefore with the actual status.
            let mut file = Response::new("The file");
            downloads::add_file_content(&mut file);
            responses = responses.response(method.options.status.to_string(), with_request_id_header(file));
        }
        if !method.scope.is_public() {
            for (name, _) in [RATE_LIMIT_HEADER, RATE_LIMIT_POLICY_HEADER] {
                headers::add_header_reference(&mut response, name);
            }
        }
        responses = responses.response(status.to_string(), with_request_id_header(response));
        if let Some(other) = all.iter().map(|content| content.status).find(|other| *other != status) {
            let response = response_with_contents("The body alone reports the outcome", with_status(other), schemas);
            responses = responses.response(other.to_string(), with_request_id_header(response));
        }
        responses
    }

    /// Returns the contents of errors that are sent with the status of a success: errors in the envelope of the
    /// method's API module, and errors that occur before the API module is known.
    fn errors_with_success_status(&self, name: &EnvelopeName, method: &Method) -> Vec<ResponseContent> {
        let mut hidden = Vec::new();
        for (envelope, of_method) in self.envelopes_of_method(name) {
            let mut add = |real: u16, schema: Json| {
                let status = envelope::response_status(&*envelope.envelope, real);
                if status != real && !is_separate_from_success(status, envelope, method) {
                    hidden.push(ResponseContent::new(status, envelope.envelope.error_content_type(), schema));
                }
            };
            add(GENERAL_ERRORS.status(), envelope.error_schema.clone());
            for error in method.errors.iter().filter(|_| of_method) {
                add(error.status.get(), envelope.envelope.declared_error_schema(&error.name, error.status));
            }
        }
        hidden
    }

    /// Returns a reference to the response component that describes these errors. If no such component exists, it is
    /// added. `id` is the id of the method.
    fn error_component_reference(
        &mut self,
        envelope: &EnvelopeName,
        errors: &ErrorGroup<'_>,
        id: &str,
        schemas: &mut Schemas,
    ) -> Ref {
        let ErrorGroup { status, classes, declared } = errors;
        let names: Vec<_> = classes.iter().map(|class| class.component_suffix).collect();
        let declared_keys =
            declared.iter().map(|error| (error.name.clone(), error.status.get(), error.info.clone())).collect();
        let key = (envelope.clone(), *status, names, declared_keys);
        if let Some(name) = self.component_names.get(&key) {
            return Ref::from_response_name(name);
        }
        let parts = key.2.iter().copied().chain(declared.iter().map(|error| error.name.as_str()));
        let parts = parts.map(to_component_name).collect::<Vec<_>>().join(".");
        let mut name = format!("{}.{parts}", envelope.as_str());
        if self.components.contains_key(&name) {
            // Two methods can declare different errors with the same name, so that the name of the component needs the
            // id of the method.
            name = format!("{}.{}.{parts}", envelope.as_str(), to_component_name(id));
        }
        while self.components.contains_key(&name) {
            name.push('_');
        }
        let response = self.error_response(envelope, errors, schemas);
        self.components.insert(name.clone(), response);
        let reference = Ref::from_response_name(&name);
        self.component_names.insert(key, name);
        reference
    }

    /// Returns the response that contains these errors in the method's envelopes and as problem documents.
    fn error_response(&self, envelope: &EnvelopeName, errors: &ErrorGroup<'_>, schemas: &mut Schemas) -> Response {
        // If the envelope itself sends problem documents, the content of problem documents must not be added twice.
        let sends_problems = |used: &ErrorEnvelope| used.envelope.error_content_type() == Problem.error_content_type();
        let envelopes = self.envelopes_of_method(envelope);
        let in_envelopes =
            envelopes.iter().filter_map(|(used, of_method)| Some((*used, errors.error_content(used, *of_method)?)));
        let in_envelopes = in_envelopes.flat_map(|(used, content)| {
            content.in_json_and_formats(&self.format_media_types).skip(usize::from(sends_problems(used)))
        });
        let contents: Vec<_> = in_envelopes.chain(errors.error_content(&self.problem_envelope, true)).collect();
        let all = envelopes.iter().map(|(used, _)| *used).chain([&self.problem_envelope]).collect::<Vec<_>>();
        let mut response = response_with_contents(&errors.describe_errors(&all), contents.iter(), schemas);
        let classes = errors.classes.iter();
        let classes = classes.filter(|class| errors.status.is_none_or(|status| status == class.status()));
        for (name, info) in classes.flat_map(|class| class.headers) {
            response.headers.insert((*name).to_owned(), text_header(info, schemas).into());
        }
        with_request_id_header(response)
    }
}

/// Returns `true` if errors with this status have a separate response in the document. Otherwise the success response
/// describes them.
fn is_separate_from_success(status: u16, used: &ErrorEnvelope, method: &Method) -> bool {
    status >= 400 && status != envelope::response_status(&*used.envelope, method.options.status)
}

impl ErrorGroup<'_> {
    /// Returns the content of these errors in the envelope `used`, or `None` if the envelope sends no error of this
    /// group with the group's status. `of_method` is `true` for the envelope of the method's API module. Only this
    /// envelope is used for errors that the method declares.
    fn error_content(&self, used: &ErrorEnvelope, of_method: bool) -> Option<ResponseContent> {
        let is_sent = |real: u16| used.sends_error_with_status(real, self.status);
        let classes = self.classes.iter().filter(|class| of_method || class.can_precede_routing);
        let codes: Vec<ErrorCode> =
            classes.flat_map(|class| class.codes).copied().filter(|code| is_sent(code.status().get())).collect();
        let declared = self.declared.iter().copied().filter(|error| of_method && is_sent(error.status.get()));
        let declared: Vec<_> = declared.collect();
        let of_method = declared.iter().map(|error| used.envelope.declared_error_schema(&error.name, error.status));
        let of_engine = (!codes.is_empty()).then(|| used.error_schema.clone());
        let alternatives: Vec<_> = of_method.chain(of_engine).collect();
        (!alternatives.is_empty()).then(|| ResponseContent {
            status: self.status.unwrap_or_default(),
            media_type: used.envelope.error_content_type().to_owned(),
            alternatives,
            examples: error_examples(&*used.envelope, &codes, &declared),
        })
    }

    /// Returns the titles of the errors that these envelopes send with the status of this group.
    fn describe_errors(&self, envelopes: &[&ErrorEnvelope]) -> String {
        let is_sent = |code: &&ErrorCode| {
            envelopes.iter().any(|used| used.sends_error_with_status(code.status().get(), self.status))
        };
        let codes = self.classes.iter().flat_map(|class| class.codes).filter(is_sent).map(|code| code.title());
        self.declared.iter().map(|error| error.info.as_str()).chain(codes).collect::<Vec<_>>().join("; ")
    }
}

/// Returns the sort key of an envelope. Built-in envelopes come first, in a fixed order, followed by the envelopes of
/// the program, ordered by name.
fn envelope_sort_key(name: &EnvelopeName) -> (usize, &str) {
    let built_in = EnvelopeName::ALL.iter().position(|known| known == name);
    (built_in.unwrap_or(EnvelopeName::ALL.len()), name.as_str())
}
