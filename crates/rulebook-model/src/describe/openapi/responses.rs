//! The responses of an operation: the success response with the outputs of the method, and the error responses by
//! status. The envelope is the format of responses. It is set for the API or for an API module, and it can send an
//! error with a status other than the actual status of the error.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use utoipa::openapi::Response;

use super::OpenapiDetail;
use super::component_name::to_component_name;
use super::content::response_with_contents;
use super::downloads;
use super::error_classes::{ErrorClass, GENERAL_ERRORS};
use super::error_group::{ErrorEnvelope, ErrorGroup, is_separate_from_success};
use super::headers::{has_rate_limits, text_header, with_request_id_header};
use super::operation::DescribedMethod;
use super::parts::{PartIndex, PartName, Parts};
use super::response_fields;
use super::schemas::{SchemaPlace, Schemas};
use crate::envelope::{self, Envelope, Problem};
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Unbound};

/// Generates the responses of a document. Error responses are components of the document, so that several operations
/// can refer to the same response.
pub(super) struct ErrorResponses {
    /// The envelope of errors that occur before the server knows to which API module a request belongs.
    pub(super) envelope_before_routing: EnvelopeName,
    /// What methods without a handler respond with.
    pub(super) unbound: Unbound,
    /// The media types of the response formats other than JSON.
    pub(super) format_media_types: Vec<String>,
    pub(super) detail: OpenapiDetail,
    /// The index of each error response, by the errors that it describes.
    indexes: HashMap<ResponseKey, PartIndex>,
    pub(super) envelopes: HashMap<EnvelopeName, ErrorEnvelope>,
    /// The envelope of problem documents (RFC 9457). A client can request errors in this envelope from every API.
    problem_envelope: Option<ErrorEnvelope>,
}

/// Identifies an error response by the errors that it describes: the envelope, the status, the names of the error
/// classes, and the name, status, description and number of each declared error. The first text is the module, if a
/// method declares one of the errors.
type ResponseKey = (String, EnvelopeName, Option<u16>, Vec<&'static str>, Vec<(String, u16, String, Option<u32>)>);

/// The maximum length of a name that consists of the names of errors.
const MAX_NAME_LENGTH: usize = 48;

impl ErrorResponses {
    /// Creates a value without responses, and adds the schemas of errors to `schemas`. Must be called before other
    /// schemas are added, so that no other schema gets the name of an error schema.
    pub(super) fn new(api: &Api, detail: OpenapiDetail, schemas: &mut Schemas) -> Self {
        let mut error_envelope = |envelope: Arc<dyn Envelope>, owner: &str, part| {
            let place = SchemaPlace { method: owner, part, key: "" };
            let error_schema = schemas.component_reference(place, envelope.error_schema());
            ErrorEnvelope { envelope, error_schema }
        };
        let is_full = detail == OpenapiDetail::Full;
        let problem_envelope = is_full.then(|| error_envelope(Arc::new(Problem), "", "Problem"));
        let mut used: Vec<_> = api.modules.iter().filter_map(|module| module.envelope.as_ref()).collect();
        used.push(&api.envelope);
        used.sort_by_key(|name| envelope_sort_key(name));
        used.dedup();
        let envelopes = used.into_iter().map(|name| {
            // The envelope of the API has a name that does not change when a module gets another envelope.
            let (owner, part) = if *name == api.envelope { ("", "ApiError") } else { (name.as_str(), "Error") };
            (name.clone(), error_envelope(api.make_envelope(name), owner, part))
        });
        let envelopes = envelopes.collect();
        let formats = api.formats.iter().filter(|_| is_full);
        Self {
            envelope_before_routing: api.envelope.clone(),
            unbound: api.unbound,
            format_media_types: formats.map(|format| format.essence().to_owned()).collect(),
            detail,
            indexes: HashMap::new(),
            envelopes,
            problem_envelope,
        }
    }

    /// Returns the responses of a method, by status: the success response, the errors that the method declares, and the
    /// server errors of the classes `classes`. The responses are added to `parts`.
    pub(super) fn operation_responses(
        &mut self,
        api: &Api,
        described: DescribedMethod<'_>,
        classes: &[ErrorClass],
        (parts, schemas): (&mut Parts, &mut Schemas),
    ) -> BTreeMap<String, PartIndex> {
        let DescribedMethod { module, method, name } = described;
        let envelope = api.envelope_name(module);
        let declared: Vec<_> = method.errors_of_call(&api.auth_errors).collect();
        let statuses = self.error_statuses(envelope, method, &declared, classes);
        let is_full = self.detail == OpenapiDetail::Full;
        let limited = is_full && has_rate_limits(api, module, method);
        let jsonp = is_full && method.allows_jsonp(api.jsonp);
        let mut success = self.success_responses(envelope, (described, &declared), (jsonp, limited), schemas);
        let conditional = downloads::conditional_responses(method, schemas).into_iter();
        let conditional = conditional.filter(|(status, ..)| !statuses.contains(status));
        success.extend(conditional.map(|(status, base, response)| (status, Some(base), response)));
        success.extend(response_fields::not_modified_response(method, self.unbound, schemas));
        let mut responses = BTreeMap::new();
        for (status, base, response) in success {
            let with_status = format!("{name}.{status}");
            let (scope, candidates) = match base {
                Some(base) => (String::new(), vec![base.to_owned(), with_status]),
                // A response without outputs is the same for several methods.
                None if method.outputs.is_empty() => {
                    let of_module = format!("{}.Success", to_component_name(&module.name));
                    (module.name.clone(), vec![of_module, with_status])
                }
                None => (name.to_owned(), vec![with_status]),
            };
            let name = PartName { scope, candidates, is_always_component: false };
            let index = parts.find_or_add(&self.with_general_headers(response), name, schemas);
            responses.insert(status.to_string(), index);
        }
        let groups = statuses.into_iter().map(|status| self.error_group(envelope, &declared, classes, status));
        // The response of all other statuses describes general errors, so that they need no responses of their own.
        let has_response = |errors: &ErrorGroup<'_>| match self.detail {
            OpenapiDetail::Full => !errors.contains_only_general_errors(),
            OpenapiDetail::Lean => !errors.declared.is_empty(),
        };
        let groups: Vec<_> = groups.filter(has_response).collect();
        let other = ErrorGroup { status: None, classes: vec![GENERAL_ERRORS], declared: Vec::new() };
        for errors in groups.iter().chain([&other]) {
            let status = errors.status.map_or_else(|| "default".to_owned(), |status| status.to_string());
            let index = self.error_index(envelope, errors, described, (parts, schemas));
            responses.insert(status, index);
        }
        responses
    }

    /// Adds the header fields that every response has. A lean document describes no header fields of responses.
    fn with_general_headers(&self, mut response: Response) -> Response {
        if self.detail == OpenapiDetail::Full {
            return with_request_id_header(response);
        }
        response.headers.clear();
        response
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

    /// Returns the index of the response that describes these errors. If no such response exists, it is added.
    fn error_index(
        &mut self,
        envelope: &EnvelopeName,
        errors: &ErrorGroup<'_>,
        DescribedMethod { module, name, .. }: DescribedMethod<'_>,
        (parts, schemas): (&mut Parts, &mut Schemas),
    ) -> PartIndex {
        let ErrorGroup { status, classes, declared } = errors;
        let suffixes: Vec<_> = classes.iter().map(|class| class.component_suffix).collect();
        let declared_keys = declared
            .iter()
            .map(|error| (error.name.clone(), error.status.get(), error.info.clone(), error.number))
            .collect();
        // The names of declared errors are those of a module.
        let scope = if declared.is_empty() { String::new() } else { module.name.clone() };
        let key = (scope.clone(), envelope.clone(), *status, suffixes, declared_keys);
        if let Some(index) = self.indexes.get(&key) {
            return *index;
        }
        let names = match declared.as_slice() {
            [] => [&[envelope.as_str()], &*key.3].concat(),
            declared => {
                let names = declared.iter().map(|error| error.name.as_str());
                [module.name.as_str()].into_iter().chain(names).collect()
            }
        };
        let joined = names.into_iter().map(to_component_name).collect::<Vec<_>>().join(".");
        let status = status.map_or_else(|| "default".to_owned(), |status| status.to_string());
        let joined = Some(joined).filter(|name| name.len() <= MAX_NAME_LENGTH);
        let candidates = joined.into_iter().chain([format!("{name}.{status}")]).collect();
        let response = self.error_response(envelope, errors, schemas);
        let index = parts.find_or_add(&response, PartName { scope, candidates, is_always_component: true }, schemas);
        self.indexes.insert(key, index);
        index
    }

    /// Returns the response that contains these errors in the method's envelopes and as problem documents.
    fn error_response(&self, envelope: &EnvelopeName, errors: &ErrorGroup<'_>, schemas: &mut Schemas) -> Response {
        // If the envelope itself sends problem documents, the content of problem documents must not be added twice.
        let sends_problems = |used: &ErrorEnvelope| used.envelope.error_content_type() == Problem.error_content_type();
        let envelopes = self.envelopes_of_method(envelope);
        let in_envelopes =
            envelopes.iter().filter_map(|(used, of_method)| Some((*used, errors.error_content(used, *of_method)?)));
        let problem = self.problem_envelope.as_ref();
        let mut contents: Vec<_> = in_envelopes
            .flat_map(|(used, content)| {
                let skipped = usize::from(sends_problems(used) && problem.is_some());
                content.in_json_and_formats(&self.format_media_types).skip(skipped)
            })
            .collect();
        let has_examples = !contents.is_empty();
        contents.extend(problem.and_then(|used| errors.error_content(used, true)).map(|mut content| {
            // The same errors have examples in the envelope.
            if has_examples {
                content.examples.clear();
            }
            content
        }));
        if self.detail == OpenapiDetail::Lean {
            contents.iter_mut().for_each(|content| content.examples.clear());
        }
        let all = envelopes.iter().map(|(used, _)| *used).chain(problem).collect::<Vec<_>>();
        let description = match (self.detail, errors.status) {
            (OpenapiDetail::Lean, None) => "Any other error".to_owned(),
            _ => errors.describe_errors(&all),
        };
        let mut response = response_with_contents(&description, contents.iter(), schemas);
        if self.detail == OpenapiDetail::Lean {
            return response;
        }
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
