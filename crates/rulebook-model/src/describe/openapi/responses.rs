//! The responses of an operation: the success response with the outputs of the method, and the error responses by
//! status. The envelope is the format of responses. It is set for the API or for an API module, and it can send an
//! error with a status other than the actual status of the error.

use std::collections::{BTreeMap, HashMap};
use std::iter;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::{ContentBuilder, Response};

use super::errors::{
    DEPRECATION_FIELDS, ErrorClass, ErrorEnvelope, ErrorGroup, GENERAL_ERRORS, RATE_LIMIT, RATE_LIMIT_POLICY, REPLAYED,
    is_separate_from_success,
};
use super::operation::{DescribedMethod, PartIndex, PartName, Parts};
use super::response_headers::{file_schema, has_rate_limits, link_schema, text_header, with_request_id_header};
use super::schemas::{SchemaPlace, Schemas, to_component_name, with_description};
use super::{OpenapiDetail, response_headers};
use crate::describe::{example, method_schemas};
use crate::envelope::{self, Envelope, Problem, has_content};
use crate::model::{Api, DeclaredError, EnvelopeName, Method, Output, Unbound};

/// Error responses are components of the document, so that several operations can refer to the same response.
pub(super) struct ErrorResponses {
    /// The envelope of errors that occur before the server knows to which API module a request belongs.
    envelope_before_routing: EnvelopeName,
    /// What methods without a handler respond with.
    pub(super) unbound: Unbound,
    /// The media types of the response formats other than JSON.
    format_media_types: Vec<String>,
    pub(super) detail: OpenapiDetail,
    indexes: HashMap<ResponseKey, PartIndex>,
    pub(super) envelopes: HashMap<EnvelopeName, ErrorEnvelope>,
    /// The envelope of problem documents (RFC 9457). A client can request errors in this envelope from every API.
    problem_envelope: Option<ErrorEnvelope>,
}

/// The errors of a response: the module if a method declares one of them, the envelope, the status, the names of the
/// error classes, and the name, status, description and number of each declared error.
type ResponseKey = (String, EnvelopeName, Option<u16>, Vec<&'static str>, Vec<(String, u16, String, Option<u32>)>);

const MAX_NAME_LENGTH: usize = 48;

/// A method, with what its responses depend on.
struct ResponseContext<'m> {
    described: DescribedMethod<'m>,
    envelope: &'m EnvelopeName,
    declared: Vec<&'m DeclaredError>,
    classes: &'m [ErrorClass],
    /// `true` if the method can respond with JSONP.
    jsonp: bool,
    /// `true` if the number of requests to the method can be limited.
    has_rate_limits: bool,
}

/// A response with its status and, if it is the same for all methods, the name of its component.
type StatusResponse = (u16, Option<&'static str>, Response);

impl ErrorResponses {
    /// Must be called before other schemas are added, so that no other schema gets the name of an error schema.
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
        let is_full = self.detail == OpenapiDetail::Full;
        let context = ResponseContext {
            described,
            envelope: api.envelope_name(module),
            declared: method.errors_of_call(&api.auth_errors).collect(),
            classes,
            jsonp: is_full && method.allows_jsonp(api.jsonp),
            has_rate_limits: is_full && has_rate_limits(api, module, method),
        };
        let statuses = self.error_statuses(&context);
        let mut success = self.success_responses(&context, schemas);
        let conditional = response_headers::conditional_responses(method, schemas).into_iter();
        let conditional = conditional.filter(|(status, ..)| !statuses.contains(status));
        success.extend(conditional.map(|(status, base, response)| (status, Some(base), response)));
        success.extend(response_headers::not_modified_response(method, self.unbound, schemas));
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
        let groups = statuses.into_iter().map(|status| self.error_group(&context, status));
        // The response of all other statuses describes general errors, so that they need no responses of their own.
        let has_response = |errors: &ErrorGroup<'_>| match self.detail {
            OpenapiDetail::Full => !errors.contains_only_general_errors(),
            OpenapiDetail::Lean => !errors.declared.is_empty(),
        };
        let groups: Vec<_> = groups.filter(has_response).collect();
        let other = ErrorGroup { status: None, classes: vec![GENERAL_ERRORS], declared: Vec::new() };
        for errors in groups.iter().chain([&other]) {
            let status = errors.status.map_or_else(|| "default".to_owned(), |status| status.to_string());
            let index = self.error_index(&context, errors, (parts, schemas));
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

    /// The envelope `name` of the method's API module is marked with `true`. The envelope of errors that occur before
    /// the API module is known follows, marked with `false`, if it is a different one.
    fn envelopes_of_method(&self, name: &EnvelopeName) -> Vec<(&ErrorEnvelope, bool)> {
        let envelope_before_routing = (self.envelope_before_routing != *name).then_some(&self.envelope_before_routing);
        let names = [Some(name), envelope_before_routing].into_iter().flatten();
        names.filter_map(|used| Some((self.envelopes.get(used)?, used == name))).collect()
    }

    /// The actual statuses of the errors, which problem documents always have, and the different statuses that
    /// envelopes send. The status of a success is not included, because the success response also describes the error.
    fn error_statuses(&self, context: &ResponseContext<'_>) -> Vec<u16> {
        let of_classes = context.classes.iter().map(ErrorClass::status);
        let declared = context.declared.iter().map(|error| error.status.get());
        let mut statuses: Vec<u16> = of_classes.chain(declared).collect();
        let real = statuses.clone();
        for (envelope, _) in self.envelopes_of_method(context.envelope) {
            let hidden = real
                .iter()
                .copied()
                .chain([GENERAL_ERRORS.status()])
                .filter(|real| !envelope.sends_error_with_status(*real, None));
            let sent = hidden.map(|real| envelope::response_status(&*envelope.envelope, real));
            statuses
                .extend(sent.filter(|status| is_separate_from_success(*status, envelope, context.described.method)));
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }

    /// Returns the errors that a method can send with the status `status` in any of the method's envelopes.
    fn error_group<'m>(&self, context: &ResponseContext<'m>, status: u16) -> ErrorGroup<'m> {
        let is_sent = |real: u16, can_precede_routing: bool| {
            let envelopes = self.envelopes_of_method(context.envelope);
            let used = envelopes.iter().filter(|(_, of_method)| *of_method || can_precede_routing);
            used.into_iter().any(|(envelope, _)| envelope.sends_error_with_status(real, Some(status)))
        };
        let is_in_group =
            |class: &ErrorClass| class.status() == status || is_sent(class.status(), class.can_precede_routing);
        let mut classes: Vec<_> = context.classes.iter().copied().filter(|class| is_in_group(class)).collect();
        if GENERAL_ERRORS.status() != status && is_sent(GENERAL_ERRORS.status(), GENERAL_ERRORS.can_precede_routing) {
            classes.push(GENERAL_ERRORS);
        }
        let declared = context.declared.iter().copied();
        let declared = declared.filter(|error| error.status.get() == status || is_sent(error.status.get(), false));
        ErrorGroup { status: Some(status), classes, declared: declared.collect() }
    }

    /// Returns the index of the response that describes these errors. If no such response exists, it is added.
    fn error_index(
        &mut self,
        ResponseContext { described, envelope, .. }: &ResponseContext<'_>,
        errors: &ErrorGroup<'_>,
        (parts, schemas): (&mut Parts, &mut Schemas),
    ) -> PartIndex {
        let DescribedMethod { module, name, .. } = *described;
        let ErrorGroup { status, classes, declared } = errors;
        let suffixes: Vec<_> = classes.iter().map(|class| class.component_suffix).collect();
        let declared_keys = declared
            .iter()
            .map(|error| (error.name.clone(), error.status.get(), error.info.clone(), error.number))
            .collect();
        // The names of declared errors are those of a module.
        let scope = if declared.is_empty() { String::new() } else { module.name.clone() };
        let key = (scope.clone(), (*envelope).clone(), *status, suffixes, declared_keys);
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

/// Built-in envelopes come first, in a fixed order, followed by those of the program, by name.
fn envelope_sort_key(name: &EnvelopeName) -> (usize, &str) {
    let built_in = EnvelopeName::ALL.iter().position(|known| known == name);
    (built_in.unwrap_or(EnvelopeName::ALL.len()), name.as_str())
}

// Success responses, which contain the outputs of a method in an envelope.

const COMPONENT_NAME_WITHOUT_CONTENT: &str = "NoContent";

impl ErrorResponses {
    /// The responses also describe the errors that an envelope sends with the status of a success.
    fn success_responses(&self, context: &ResponseContext<'_>, schemas: &mut Schemas) -> Vec<StatusResponse> {
        let mut responses: Vec<StatusResponse> = Vec::new();
        // An envelope can send several statuses as one.
        for real in context.described.method.statuses() {
            for response in self.responses_with_status(context, real, schemas) {
                if responses.iter().all(|(status, ..)| *status != response.0) {
                    responses.push(response);
                }
            }
        }
        responses
    }

    fn responses_with_status(
        &self,
        context: &ResponseContext<'_>,
        real: u16,
        schemas: &mut Schemas,
    ) -> Vec<StatusResponse> {
        let described = context.described;
        let method = described.method;
        let mut responses = Vec::new();
        let Some(used) = self.envelopes.get(context.envelope) else { return responses };
        let status = envelope::response_status(&*used.envelope, real);
        let success = self.success_schema(&*used.envelope, described, real, schemas);
        let hidden = self.errors_with_success_status(context);
        let has_errors = hidden.iter().any(|content| content.status == status);
        let description = match (&success, has_errors) {
            (None, _) => "Success, without content",
            (Some(_), false) if method.options.download => "The file, or a link to it",
            (Some(_), false) => "Success",
            (Some(_), true) => "Success, or an error that only the body reports",
        };
        let has_example = self.detail == OpenapiDetail::Full;
        let example = has_example.then(|| success_example(&*used.envelope, method, self.unbound)).flatten();
        let success = success.map(|schema| ResponseContent {
            examples: example.into_iter().collect(),
            ..ResponseContent::new(status, used.envelope.success_content_type(), schema)
        });
        let contents =
            success.into_iter().chain(hidden).flat_map(|content| content.in_json_and_formats(&self.format_media_types));
        // The schema of a script does not depend on the body that the script contains.
        let script = || ResponseContent::new(200, "text/javascript", json!({ "type": "string" }));
        let all: Vec<_> = contents.chain(context.jsonp.then(script)).collect();
        let with_status = |status| all.iter().filter(move |content| content.status == status);
        let mut response = response_with_contents(description, with_status(status), schemas);
        response_headers::add_response_fields(&mut response, described, self.unbound, schemas);
        if method.options.download && method.options.status == status {
            response_headers::add_file_content(&mut response, schemas);
        } else if method.options.download {
            // A file is sent without an envelope, and therefore with the actual status.
            let mut file = Response::new("The file");
            response_headers::add_file_content(&mut file, schemas);
            response_headers::add_response_fields(&mut file, described, self.unbound, schemas);
            responses.push((method.options.status, None, file));
        }
        if self.detail == OpenapiDetail::Full && method.options.deprecation.is_some() {
            for (name, _) in DEPRECATION_FIELDS {
                // An output of the method can be the field.
                if !response.headers.contains_key(name) {
                    response_headers::add_header_reference(&mut response, name);
                }
            }
        }
        if context.has_rate_limits {
            for (name, _) in [RATE_LIMIT, RATE_LIMIT_POLICY] {
                response_headers::add_header_reference(&mut response, name);
            }
        }
        if method.options.idempotent.is_some() {
            response_headers::add_header_reference(&mut response, REPLAYED.0);
        }
        let name = response.content.is_empty().then_some(COMPONENT_NAME_WITHOUT_CONTENT);
        responses.push((status, name, response));
        if let Some(other) = all.iter().map(|content| content.status).find(|other| *other != status) {
            let response = response_with_contents("The body alone reports the outcome", with_status(other), schemas);
            responses.push((other, None, response));
        }
        responses
    }

    /// Returns the errors in the envelope of the method's API module, and those that occur before the API module is
    /// known.
    fn errors_with_success_status(&self, context: &ResponseContext<'_>) -> Vec<ResponseContent> {
        let mut hidden = Vec::new();
        for (envelope, of_method) in self.envelopes_of_method(context.envelope) {
            let mut add = |real: u16, schema: Json| {
                let status = envelope::response_status(&*envelope.envelope, real);
                if status != real && !is_separate_from_success(status, envelope, context.described.method) {
                    hidden.push(ResponseContent::new(status, envelope.envelope.error_content_type(), schema));
                }
            };
            add(GENERAL_ERRORS.status(), envelope.error_schema.clone());
            for error in context.declared.iter().filter(|_| of_method) {
                add(error.status.get(), envelope.envelope.declared_error_schema(error));
            }
        }
        hidden
    }

    /// `None` without content. If the method returns a file, this is the response with a link to the file.
    fn success_schema(
        &self,
        envelope: &dyn Envelope,
        described: DescribedMethod<'_>,
        real: u16,
        schemas: &mut Schemas,
    ) -> Option<Json> {
        let method = described.method;
        if !has_content(envelope::response_status(envelope, real)) {
            return None;
        }
        let schema = if method.options.download {
            json!({ "anyOf": [envelope.success_schema(link_schema(), false), file_schema()] })
        } else {
            let outputs = method_schemas::response_schema(self.unbound, method, |output| {
                output_schema(described, output, schemas)
            });
            envelope.success_schema(outputs, method.whole().is_some())
        };
        let place = SchemaPlace { method: described.name, part: "result", key: "" };
        Some(match self.detail {
            OpenapiDetail::Full => schemas.inline_or_component(place, schema),
            OpenapiDetail::Lean => schemas.component_reference(place, schema),
        })
    }
}

fn output_schema(described: DescribedMethod<'_>, output: &Output, schemas: &mut Schemas) -> Json {
    let (part, key) = if output.is_whole() { ("output", "") } else { ("result", &*output.name) };
    let place = SchemaPlace { method: described.name, part, key };
    let check = &*output.r#type.check;
    let schema = schemas.add_referenced(check.schema(), check, place);
    let schema = schemas.type_schema_or_reference(place, schema);
    with_description(method_schemas::nullable_if_optional(output, schema), &output.info, None, output.example.as_ref())
}

/// `None` if the method returns a file or its arguments, or if no example value exists.
fn success_example(envelope: &dyn Envelope, method: &Method, unbound: Unbound) -> Option<(String, Example)> {
    if method.options.download || unbound == Unbound::Echo {
        return None;
    }
    let value = example::success_example(envelope, method)?;
    Some(("success".to_owned(), ExampleBuilder::new().summary("Success").value(Some(value)).build()))
}

// The content of responses: several envelopes can send the same status. Then the contents in all of these envelopes are
// combined to one response.

/// The possible bodies of the responses that have the same status and the same media type.
pub(super) struct ResponseContent {
    pub(super) status: u16,
    pub(super) media_type: String,
    /// The schemas of the possible bodies. Each body matches at least one of these schemas.
    pub(super) alternatives: Vec<Json>,
    pub(super) examples: Vec<(String, Example)>,
}

impl ResponseContent {
    pub(super) fn new(status: u16, media_type: &str, schema: Json) -> Self {
        Self { status, media_type: media_type.to_owned(), alternatives: vec![schema], examples: Vec::new() }
    }

    /// `formats` are the media types of the other formats.
    fn in_json_and_formats(self, formats: &[String]) -> impl Iterator<Item = Self> {
        let others: Vec<_> = formats
            .iter()
            // The examples are in JSON, so that they are omitted from the other formats.
            .map(|format| Self {
                media_type: format.clone(),
                alternatives: self.alternatives.clone(),
                examples: Vec::new(),
                ..self
            })
            .collect();
        iter::once(self).chain(others)
    }
}

/// Returns a response whose content can be any of `contents`. Contents with the same media type are merged.
fn response_with_contents<'s>(
    description: &str,
    contents: impl Iterator<Item = &'s ResponseContent>,
    schemas: &mut Schemas,
) -> Response {
    let mut by_type: Vec<(&str, Vec<&Json>, BTreeMap<&String, &Example>)> = Vec::new();
    for ResponseContent { media_type, alternatives, examples, .. } in contents {
        let media_type = media_type_essence(media_type);
        let index = by_type.iter().position(|(other, ..)| *other == media_type).unwrap_or_else(|| {
            by_type.push((media_type, Vec::new(), BTreeMap::new()));
            by_type.len() - 1
        });
        let (_, schemas, by_name) = &mut by_type[index];
        schemas.extend(alternatives);
        // If two examples have the same name, the first example is kept. It is in the envelope of the method's API
        // module.
        examples.iter().for_each(|(name, example)| {
            by_name.entry(name).or_insert(example);
        });
    }
    let mut response = Response::new(description);
    for (media_type, alternatives, examples) in by_type {
        let schema = if let [one] = alternatives[..] { one.clone() } else { json!({ "anyOf": alternatives }) };
        let mut content = ContentBuilder::new().schema(Some(schemas.add_with_placeholder(schema))).build();
        content.examples = examples.into_iter().map(|(name, example)| (name.clone(), example.clone().into())).collect();
        response.content.insert(media_type.to_owned(), content.into());
    }
    response
}

/// Returns a media type without its parameters (RFC 9110 section 8.3.1).
fn media_type_essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or(media_type)
}
