//! The responses of an operation: the success response with the outputs of the method, and the error responses by
//! status. The envelope is the format of responses. It is set for the API or for an API module, and it can send an
//! error with a status other than the actual status of the error.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use utoipa::openapi::{RefOr, Response};

use super::content::response_with_contents;
use super::error_classes::{ErrorClass, GENERAL_ERRORS};
use super::error_group::{ErrorEnvelope, ErrorGroup, is_separate_from_success};
use super::headers::{has_rate_limits, text_header, with_request_id_header};
use super::parts::{PartIndex, PartName, Parts};
use super::schemas::{Schemas, to_component_name};
use super::{downloads, success};
use crate::envelope::{self, Envelope, Problem};
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Module, Unbound};

/// Generates the responses of a document. Error responses are components of the document, so that several operations
/// can refer to the same response.
pub(super) struct ResponseComponents {
    /// The envelope of errors that occur before the server knows to which API module a request belongs.
    pub(super) envelope_before_routing: EnvelopeName,
    /// What methods without a handler respond with.
    pub(super) unbound: Unbound,
    /// The media types of the response formats other than JSON.
    pub(super) format_media_types: Vec<String>,
    components: BTreeMap<String, Response>,
    /// The name of each component, by the errors that the component describes.
    component_names: HashMap<ComponentKey, Rc<str>>,
    pub(super) envelopes: HashMap<EnvelopeName, ErrorEnvelope>,
    /// The envelope of problem documents (RFC 9457). A client can request errors in this envelope from every API.
    problem_envelope: ErrorEnvelope,
}

/// Identifies a response component by the errors that it describes: the envelope, the status, the names of the error
/// classes, and the name, status, description and number of each declared error.
type ComponentKey = (EnvelopeName, Option<u16>, Vec<&'static str>, Vec<(String, u16, String, Option<u32>)>);

#[derive(Clone)]
pub(super) enum OperationResponse {
    /// A part of the document, which can be shared with other operations.
    Part(PartIndex),
    /// The name of a response component that describes errors.
    ErrorComponent(Rc<str>),
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
            unbound: api.unbound,
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

    /// Returns the responses of a method, by status: the success response, the errors that the method declares, and the
    /// server errors of the classes `classes`. Success responses are added to `parts`.
    pub(super) fn operation_responses<'a>(
        &mut self,
        (api, module, method): (&Api, &'a Module, &'a Method),
        classes: &[ErrorClass],
        (parts, schemas): (&mut Parts<'a>, &mut Schemas),
    ) -> BTreeMap<String, OperationResponse> {
        let envelope = api.envelope_name(module);
        let declared: Vec<_> = method.errors_of_call(&api.auth_errors).collect();
        let statuses = self.error_statuses(envelope, method, &declared, classes);
        let limited = has_rate_limits(api, module, method);
        let mut described =
            self.success_responses(envelope, (method, &declared), (method.allows_jsonp(api.jsonp), limited), schemas);
        let conditional = downloads::conditional_responses(method).into_iter();
        described.extend(conditional.filter(|(status, ..)| !statuses.contains(status)));
        let mut responses = BTreeMap::new();
        for (status, base, response) in described {
            let name = PartName {
                base,
                is_meaningful_alone: base != success::COMPONENT_NAME,
                module: &module.name,
                method_id: &method.id,
            };
            let index = parts.find_or_add(&with_request_id_header(response), name, schemas);
            responses.insert(status.to_string(), OperationResponse::Part(index));
        }
        let groups = statuses.into_iter().map(|status| self.error_group(envelope, &declared, classes, status));
        // The response of all other statuses describes general errors, so that they need no responses of their own.
        let groups: Vec<_> = groups.filter(|errors| !errors.contains_only_general_errors()).collect();
        let other = ErrorGroup { status: None, classes: vec![GENERAL_ERRORS], declared: Vec::new() };
        for errors in groups.iter().chain([&other]) {
            let status = errors.status.map_or_else(|| "default".to_owned(), |status| status.to_string());
            let component = self.error_component_name(envelope, errors, &method.id, schemas);
            responses.insert(status, OperationResponse::ErrorComponent(component));
        }
        responses
    }

    /// Returns the envelopes of a method's responses. The envelope of the method's API module is marked with `true`. If
    /// the envelope of errors that occur before the API module is known is a different envelope, it is also returned,
    /// marked with `false`. `name` is the name of the API module's envelope.
    pub(super) fn envelopes_of_method(&self, name: &EnvelopeName) -> Vec<(&ErrorEnvelope, bool)> {
        let envelope_before_routing = (self.envelope_before_routing != *name).then_some(&self.envelope_before_routing);
        let names = [Some(name), envelope_before_routing].into_iter().flatten();
        names.filter_map(|used| Some((self.envelopes.get(used)?, used == name))).collect()
    }

    /// Returns the statuses of a method's error responses: the actual statuses of the errors, which problem documents
    /// always have, and the different statuses that envelopes send. If an envelope sends an error with the status of a
    /// success, that status is not included, because the success response also describes the error.
    fn error_statuses(
        &self,
        name: &EnvelopeName,
        method: &Method,
        declared: &[&DeclaredError],
        classes: &[ErrorClass],
    ) -> Vec<u16> {
        let of_classes = classes.iter().map(ErrorClass::status);
        let mut statuses: Vec<u16> = of_classes.chain(declared.iter().map(|error| error.status.get())).collect();
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
        declared: &[&'m DeclaredError],
        classes: &[ErrorClass],
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
            classes.push(GENERAL_ERRORS);
        }
        let declared = declared.iter().copied();
        let declared = declared.filter(|error| error.status.get() == status || is_sent(error.status.get(), false));
        ErrorGroup { status: Some(status), classes, declared: declared.collect() }
    }

    /// Returns the name of the response component that describes these errors. If no such component exists, it is
    /// added. `id` is the id of the method.
    fn error_component_name(
        &mut self,
        envelope: &EnvelopeName,
        errors: &ErrorGroup<'_>,
        id: &str,
        schemas: &mut Schemas,
    ) -> Rc<str> {
        let ErrorGroup { status, classes, declared } = errors;
        let names: Vec<_> = classes.iter().map(|class| class.component_suffix).collect();
        let declared_keys = declared
            .iter()
            .map(|error| (error.name.clone(), error.status.get(), error.info.clone(), error.number))
            .collect();
        let key = (envelope.clone(), *status, names, declared_keys);
        if let Some(name) = self.component_names.get(&key) {
            return Rc::clone(name);
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
        let name: Rc<str> = name.into();
        self.component_names.insert(key, Rc::clone(&name));
        name
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

/// Returns the sort key of an envelope. Built-in envelopes come first, in a fixed order, followed by the envelopes of
/// the program, ordered by name.
fn envelope_sort_key(name: &EnvelopeName) -> (usize, &str) {
    let built_in = EnvelopeName::ALL.iter().position(|known| known == name);
    (built_in.unwrap_or(EnvelopeName::ALL.len()), name.as_str())
}
