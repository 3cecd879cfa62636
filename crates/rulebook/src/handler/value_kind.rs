//! The kind of handler `value`, whose outputs are in the definition, and the handler of methods without one if the
//! program serves examples ([`Unbound::Mock`](crate::Unbound::Mock)).

use std::sync::Arc;

use http::{HeaderValue, header};
use rulebook_model::call::Value;
use rulebook_model::definition::{JsonData, JsonNode};
use rulebook_model::describe::example::{outputs_without_example, returned_example};
use rulebook_model::model::{Method, Output};
use serde_json::Value as Json;

use super::{CompiledHandler, Context, HandledMethod, HandlerError, HandlerFuture, HandlerKind, OutputsCheck};
use crate::call::{ApiError, ArgumentSlots, Download, ReturnedValue, applied_preference, preferred_value};

/// `{"value": outputs}`: the outputs of every call. `examples` has other outputs by name, which a request selects with
/// `Prefer: example=NAME`.
pub struct ValueKind;

const VALUE: &str = "value";
/// The setting with the named outputs.
const EXAMPLES: &str = "examples";

impl HandlerKind for ValueKind {
    fn name(&self) -> &str {
        VALUE
    }

    fn settings(&self) -> &[&str] {
        &[EXAMPLES]
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        if method.method.options.download {
            let error = HandlerError::new("a method that returns a file cannot have a `value`");
            return Err(vec![error.help("remove `handler`, or the option `download`")]);
        }
        let mut errors = Vec::new();
        let mut outputs = |node: &JsonNode| {
            errors.extend(output_errors(method.method, node));
            Arc::new(node.json())
        };
        let value = outputs(method.setting(VALUE));
        let mut named = Vec::new();
        match method.optional_setting(EXAMPLES) {
            None => {}
            Some(JsonNode { data: JsonData::Object(members), .. }) => {
                named.extend(members.list.iter().map(|member| (member.key.value.clone(), outputs(&member.value))));
            }
            Some(other) => {
                let message = format!("`examples` must be an object, but this is {}", other.describe_kind());
                errors.push(HandlerError::new(message).at(other.span).help("name each example: `{\"empty\": {…}}`"));
            }
        }
        if errors.is_empty() { Ok(Arc::new(ValueHandler { value, named })) } else { Err(errors) }
    }
}

fn output_errors(method: &Method, node: &JsonNode) -> Vec<HandlerError> {
    let check = |name: &str, output: &Output, value: &JsonNode| {
        let json = value.json();
        let mismatch = output.r#type.check.checked(Value::from(&json)).err()?;
        if json.is_null() && output.optional {
            return None;
        }
        let path = format!("{name}{}", mismatch.path);
        let message = format!("the output `{path}` must be {}, but this is {}", mismatch.expected, mismatch.got);
        Some(HandlerError::new(message).at(value.span))
    };
    if let Some(whole) = method.returned_whole() {
        return check("*", whole, node).into_iter().collect();
    }
    let JsonData::Object(members) = &node.data else {
        let message = format!("the outputs must be an object, but this is {}", node.describe_kind());
        return vec![HandlerError::new(message).at(node.span)];
    };
    let known = |name: &str| method.returned_outputs().any(|output| output.name == name);
    let unknown = members.list.iter().filter(|member| !known(&member.key.value)).map(|member| {
        let message = format!("the method has no output `{}`", member.key.value.escape_debug());
        HandlerError::new(message).at(member.key.span).help("declare it in `out`, or remove it")
    });
    let wrong = method.returned_outputs().filter_map(|output| match node.member(&output.name) {
        Some(value) => check(&output.name, output, value),
        None if output.optional => None,
        None => Some(HandlerError::new(format!("the output `{}` is missing", output.name)).at(node.span)),
    });
    unknown.chain(wrong).collect()
}

/// A handler whose outputs are always the same, unless the request prefers an example.
struct ValueHandler {
    value: Arc<Json>,
    named: Vec<(String, Arc<Json>)>,
}

impl CompiledHandler for ValueHandler {
    fn start(&self, _: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        if self.named.is_empty() {
            return ready(Ok(ReturnedValue::Outputs(Box::new(Arc::clone(&self.value)))));
        }
        let named = find_preferred(&context, "example", &self.named, |(name, _)| name.clone());
        let outputs = named.map(|named| named.map_or(&self.value, |(_, value)| value));
        ready(outputs.map(|outputs| ReturnedValue::Outputs(Box::new(Arc::clone(outputs)))))
    }

    fn outputs_check(&self) -> OutputsCheck {
        OutputsCheck::Known
    }
}

/// The handler of a method without one: its outputs are examples. A request that prefers the status of a declared error
/// (`Prefer: code=404`) gets this error.
pub struct MockHandler {
    /// The outputs; `None` if the method returns a file.
    outputs: Option<Arc<Json>>,
    /// The statuses that a request can select with `Prefer: code=…`, each with the name of its declared error; `None`
    /// for the success.
    statuses: Vec<(u16, Option<String>)>,
}

impl MockHandler {
    /// Fails for each output of which no example can be generated.
    pub fn new(method: &Method) -> Result<Self, Vec<HandlerError>> {
        let outputs = match returned_example(method) {
            _ if method.options.download => None,
            Some(outputs) => Some(Arc::new(outputs)),
            None => return Err(outputs_without_example(method).map(|output| example_error(method, output)).collect()),
        };
        let successes = method.statuses().map(|status| (status, None));
        let errors = method.errors.iter().map(|error| (error.status.get(), Some(error.name.clone())));
        Ok(Self { outputs, statuses: successes.chain(errors).collect() })
    }
}

fn example_error(method: &Method, output: &Output) -> HandlerError {
    let (name, term) = (output.name.escape_debug(), &output.r#type.written.term);
    let message = format!("no example of the output `{name}` of {} can be generated from the type `{term}`", method.id);
    let help = "add an `example` to the output, or a `handler` to the method, such as `{\"value\": {…}}`";
    HandlerError::new(message).at(output.span).help(help)
}

impl CompiledHandler for MockHandler {
    fn start(&self, _: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let preferred = find_preferred(&context, "code", &self.statuses, |(status, _)| status.to_string());
        ready(preferred.and_then(|preferred| match (preferred, &self.outputs) {
            (Some((_, Some(error))), _) => Err(ApiError::declared(error.clone())),
            (_, None) => Ok(ReturnedValue::Download(Box::new(Download::bytes("example\n")))),
            (preferred, Some(outputs)) => {
                preferred.map_or(Ok(()), |(status, _)| context.set_status(*status))?;
                Ok(ReturnedValue::Outputs(Box::new(Arc::clone(outputs))))
            }
        }))
    }

    fn outputs_check(&self) -> OutputsCheck {
        OutputsCheck::Known
    }
}

fn ready(returned: Result<ReturnedValue, ApiError>) -> HandlerFuture {
    Box::pin(std::future::ready(returned))
}

/// Returns the option that the request prefers in the header field `Prefer` (RFC 7240), for example the example whose
/// name is in `example=empty`. `text` returns the value by which a request selects an option. Returns `None` if the
/// request prefers no option, or an unknown one, which is ignored (RFC 7240 section 2). Sets `Vary` for caches, and
/// `Preference-Applied` if the preference is fulfilled.
fn find_preferred<'o, T>(
    context: &Context,
    preference: &str,
    options: &'o [T],
    text: impl Fn(&T) -> String,
) -> Result<Option<&'o T>, ApiError> {
    context.append_header(header::VARY, HeaderValue::from_static("prefer"))?;
    let preferred = context.head().and_then(|head| preferred_value(head.header_values("prefer"), preference));
    let Some(preferred) = preferred else { return Ok(None) };
    let found = options.iter().find(|option| text(option) == preferred);
    if let Some(applied) = found.and_then(|_| applied_preference(preference, &preferred)) {
        context.set_header("preference-applied", applied)?;
    }
    Ok(found)
}
