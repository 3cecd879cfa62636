//! The kind of handler `value`, whose outputs are in the definition, and the handler of methods without one if the
//! program serves examples ([`Unbound::Mock`](crate::Unbound::Mock)).

use std::sync::Arc;

use rulebook_model::call::Value;
use rulebook_model::definition::{JsonData, JsonNode};
use rulebook_model::describe::example::outputs_example;
use rulebook_model::model::Method;
use serde_json::Value as Json;

use super::{CompiledHandler, Context, HandledMethod, HandlerError, HandlerFuture, HandlerKind};
use crate::call::{ApiError, ArgumentSlots, Download, ReturnedValue};

/// `{"value": outputs}`: the outputs of every call. `examples` has other outputs by name, which a request selects with
/// `Prefer: example=NAME`.
pub struct ValueKind;

/// The name of the kind.
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

/// Returns an error for each output that is missing, unknown or has the wrong type.
fn output_errors(method: &Method, node: &JsonNode) -> Vec<HandlerError> {
    let check = |name: &str, output: &rulebook_model::model::Output, value: &JsonNode| {
        let json = value.json();
        let mismatch = output.r#type.check.checked(Value::from(&json)).err()?;
        if json.is_null() && output.optional {
            return None;
        }
        let path = format!("{name}{}", mismatch.path);
        let message = format!("the output `{path}` must be {}, but this is {}", mismatch.expected, mismatch.got);
        Some(HandlerError::new(message).at(value.span))
    };
    if let Some(whole) = method.whole() {
        return check("*", whole, node).into_iter().collect();
    }
    let JsonData::Object(members) = &node.data else {
        let message = format!("the outputs must be an object, but this is {}", node.describe_kind());
        return vec![HandlerError::new(message).at(node.span)];
    };
    let known = |name: &str| method.outputs.iter().any(|output| output.name == name);
    let unknown = members.list.iter().filter(|member| !known(&member.key.value)).map(|member| {
        let message = format!("the method has no output `{}`", member.key.value.escape_debug());
        HandlerError::new(message).at(member.key.span).help("declare it in `out`, or remove it")
    });
    let wrong = method.outputs.iter().filter_map(|output| match node.member(&output.name) {
        Some(value) => check(&output.name, output, value),
        None if output.optional => None,
        None => Some(HandlerError::new(format!("the output `{}` is missing", output.name)).at(node.span)),
    });
    unknown.chain(wrong).collect()
}

/// A handler whose outputs are always the same, unless the request prefers an example.
struct ValueHandler {
    value: Arc<Json>,
    /// The examples by name.
    named: Vec<(String, Arc<Json>)>,
}

impl CompiledHandler for ValueHandler {
    fn start(&self, _: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let preferred = preference(&context, "example");
        let named = preferred.as_ref().and_then(|preferred| self.named.iter().find(|(name, _)| name == preferred));
        let returned = match named {
            None => Ok(Arc::clone(&self.value)),
            Some((name, value)) => confirm(&context, "example", name).map(|()| Arc::clone(value)),
        };
        ready(returned.map(|outputs| ReturnedValue::Outputs(Box::new(outputs))))
    }

    fn has_valid_outputs(&self) -> bool {
        true
    }
}

/// The handler of a method without one: its outputs are examples. A request that prefers the status of a declared error
/// (`Prefer: code=404`) gets this error.
pub struct MockHandler {
    /// `None` if there is no example of the outputs.
    outputs: Option<Arc<Json>>,
    returns_file: bool,
    /// The names and statuses of the declared errors.
    errors: Vec<(String, u16)>,
}

impl MockHandler {
    /// Returns the handler of a method.
    pub fn new(method: &Method) -> Self {
        Self {
            outputs: outputs_example(method).map(Arc::new),
            returns_file: method.options.download,
            errors: method.errors.iter().map(|error| (error.name.clone(), error.status.get())).collect(),
        }
    }
}

impl CompiledHandler for MockHandler {
    fn start(&self, _: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let code = preference(&context, "code");
        let error = code.and_then(|code| self.errors.iter().find(|(_, status)| status.to_string() == code));
        ready(match (error, &self.outputs) {
            (Some((name, status)), _) => {
                confirm(&context, "code", &status.to_string()).and_then(|()| Err(ApiError::declared(name.clone())))
            }
            (None, _) if self.returns_file => Ok(ReturnedValue::Download(Box::new(Download::bytes("example\n")))),
            (None, Some(outputs)) => Ok(ReturnedValue::Outputs(Box::new(Arc::clone(outputs)))),
            (None, None) => Err(ApiError::internal("the outputs have no example")),
        })
    }

    fn has_valid_outputs(&self) -> bool {
        true
    }
}

fn ready(returned: Result<ReturnedValue, ApiError>) -> HandlerFuture {
    Box::pin(std::future::ready(returned))
}

/// Returns the value of a preference in the header field `Prefer` (RFC 7240 section 2).
fn preference(context: &Context, name: &str) -> Option<String> {
    let preferences = context.header("prefer")?.split(',').filter_map(|preference| preference.split(';').next());
    let values = preferences.filter_map(|preference| preference.split_once('='));
    let mut values = values.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim().trim_matches('"').to_owned())
}

/// Says in the header field `Preference-Applied` that a preference was fulfilled (RFC 7240 section 3).
fn confirm(context: &Context, name: &str, value: &str) -> Result<(), ApiError> {
    let applied = format!("{name}={value}");
    context.set_header("preference-applied", applied.as_str()).map_err(ApiError::internal)
}
