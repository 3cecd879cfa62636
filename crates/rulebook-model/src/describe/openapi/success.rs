//! The success responses of a method, which contain its outputs in an envelope (the format of responses).

use serde_json::{Value as Json, json};
use utoipa::openapi::Response;
use utoipa::openapi::example::{Example, ExampleBuilder};

use super::super::{example, outputs};
use super::content::{ResponseContent, response_with_contents};
use super::error_classes::{DEPRECATION_FIELDS, GENERAL_ERRORS, RATE_LIMIT, RATE_LIMIT_POLICY, REPLAYED};
use super::error_group::is_separate_from_success;
use super::operation::DescribedMethod;
use super::responses::ErrorResponses;
use super::schemas::{SchemaPlace, Schemas, with_description};
use super::{OpenapiDetail, downloads, headers, response_fields};
use crate::envelope::{self, Envelope, has_content};
use crate::model::{DeclaredError, EnvelopeName, Method, Output, Unbound};

/// The name of a component that contains a success response without content.
const COMPONENT_NAME_WITHOUT_CONTENT: &str = "NoContent";

impl ErrorResponses {
    /// Returns the success responses of a method, each with its status and, if it is the same for all methods, the name
    /// of its component. They also describe the errors that an envelope sends with the status of a success. `jsonp` and
    /// `has_rate_limits` say whether the method can respond with JSONP, and whether the number of requests to it can be
    /// limited.
    pub(super) fn success_responses(
        &self,
        name: &EnvelopeName,
        (described, declared): (DescribedMethod<'_>, &[&DeclaredError]),
        jsonp_and_rate_limits: (bool, bool),
        schemas: &mut Schemas,
    ) -> Vec<(u16, Option<&'static str>, Response)> {
        let mut responses: Vec<(u16, _, _)> = Vec::new();
        // An envelope can send several statuses as one.
        for real in described.method.statuses() {
            let with_status =
                self.responses_with_status(name, (described, declared), real, jsonp_and_rate_limits, schemas);
            for response in with_status {
                if responses.iter().all(|(status, ..)| *status != response.0) {
                    responses.push(response);
                }
            }
        }
        responses
    }

    /// Returns the success responses whose actual status is `real`.
    fn responses_with_status(
        &self,
        name: &EnvelopeName,
        (described, declared): (DescribedMethod<'_>, &[&DeclaredError]),
        real: u16,
        (jsonp, has_rate_limits): (bool, bool),
        schemas: &mut Schemas,
    ) -> Vec<(u16, Option<&'static str>, Response)> {
        let method = described.method;
        let mut responses = Vec::new();
        let Some(used) = self.envelopes.get(name) else { return responses };
        let status = envelope::response_status(&*used.envelope, real);
        let success = self.success_schema(&*used.envelope, described, real, schemas);
        let hidden = self.errors_with_success_status(name, method, declared);
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
        let all: Vec<_> = contents.chain(jsonp.then(script)).collect();
        let with_status = |status| all.iter().filter(move |content| content.status == status);
        let mut response = response_with_contents(description, with_status(status), schemas);
        response_fields::add_response_fields(&mut response, described, self.unbound, schemas);
        if method.options.download && method.options.status == status {
            downloads::add_file_content(&mut response, schemas);
        } else if method.options.download {
            // A file is sent without an envelope, and therefore with the actual status.
            let mut file = Response::new("The file");
            downloads::add_file_content(&mut file, schemas);
            response_fields::add_response_fields(&mut file, described, self.unbound, schemas);
            responses.push((method.options.status, None, file));
        }
        if self.detail == OpenapiDetail::Full && method.options.deprecation.is_some() {
            for (name, _) in DEPRECATION_FIELDS {
                // An output of the method can be the field.
                if !response.headers.contains_key(name) {
                    headers::add_header_reference(&mut response, name);
                }
            }
        }
        if has_rate_limits {
            for (name, _) in [RATE_LIMIT, RATE_LIMIT_POLICY] {
                headers::add_header_reference(&mut response, name);
            }
        }
        if method.options.idempotent.is_some() {
            headers::add_header_reference(&mut response, REPLAYED.0);
        }
        let name = response.content.is_empty().then_some(COMPONENT_NAME_WITHOUT_CONTENT);
        responses.push((status, name, response));
        if let Some(other) = all.iter().map(|content| content.status).find(|other| *other != status) {
            let response = response_with_contents("The body alone reports the outcome", with_status(other), schemas);
            responses.push((other, None, response));
        }
        responses
    }

    /// Returns the contents of errors that are sent with the status of a success: errors in the envelope of the
    /// method's API module, and errors that occur before the API module is known.
    fn errors_with_success_status(
        &self,
        name: &EnvelopeName,
        method: &Method,
        declared: &[&DeclaredError],
    ) -> Vec<ResponseContent> {
        let mut hidden = Vec::new();
        for (envelope, of_method) in self.envelopes_of_method(name) {
            let mut add = |real: u16, schema: Json| {
                let status = envelope::response_status(&*envelope.envelope, real);
                if status != real && !is_separate_from_success(status, envelope, method) {
                    hidden.push(ResponseContent::new(status, envelope.envelope.error_content_type(), schema));
                }
            };
            add(GENERAL_ERRORS.status(), envelope.error_schema.clone());
            for error in declared.iter().filter(|_| of_method) {
                add(error.status.get(), envelope.envelope.declared_error_schema(error));
            }
        }
        hidden
    }

    /// Returns the schema of a method's success response, or `None` if the response has no content. If the method
    /// returns a file, the schema describes the response with a link to the file.
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
            json!({ "anyOf": [envelope.success_schema(downloads::link_schema(), false), downloads::file_schema()] })
        } else {
            let outputs =
                outputs::response_schema(self.unbound, method, |output| output_schema(described, output, schemas));
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
    with_description(outputs::nullable_if_optional(output, schema), &output.info, None, output.example.as_ref())
}

/// Returns the name and the content of an example of a success response. Returns `None` if the method returns a file or
/// its arguments, or if no example value exists.
fn success_example(envelope: &dyn Envelope, method: &Method, unbound: Unbound) -> Option<(String, Example)> {
    if method.options.download || unbound == Unbound::Echo {
        return None;
    }
    let value = example::success_example(envelope, method)?;
    Some(("success".to_owned(), ExampleBuilder::new().summary("Success").value(Some(value)).build()))
}
