//! Handlers in the versions of an API. A handler serves all versions that its method has: it gets the parameters of all
//! of them, of which those that a version does not have are absent, and the response has only the outputs of the
//! version. Members of objects that a version does not have are removed from both.

use std::collections::HashMap;
use std::sync::Arc;

use rulebook_model::model::{Api, Method, Output, Parameter};
use serde_json::Value as Json;

use super::version_members::VersionedType;
use crate::call::{ApiError, ArgumentSlot, ArgumentSlots, ReturnedValue, Value};
use crate::handler::{BodyAccess, CompiledHandler, Context, Handler, HandlerFuture, OutputsCheck};
use crate::plan::Action;

/// Returns the actions of the methods that a version has. `actions` are those of the methods of the whole API.
pub fn actions_of_version(api: &Api, actions: &[Action], version: &Api) -> Vec<Action> {
    let known: HashMap<_, _> =
        api.methods().zip(actions).map(|((.., method), action)| (place(method), (method, action))).collect();
    let actions = version.methods().map(|(.., method)| match known.get(&place(method)) {
        Some((whole, action)) => action_of_version(whole, action, method),
        None => Action::NotImplemented,
    });
    actions.collect()
}

/// Identifies a method of the definition.
fn place(method: &Method) -> (u32, u32, &str) {
    (method.span.file, method.span.start, method.http.as_str())
}

fn action_of_version(whole: &Method, action: &Action, method: &Method) -> Action {
    let arguments: Box<[_]> =
        method.parameters.iter().filter_map(|parameter| VersionedArgument::new(whole, parameter)).collect();
    let members = types_without_members(whole, method);
    let is_whole = method.parameters.len() == whole.parameters.len()
        && method.outputs.len() == whole.outputs.len()
        && arguments.iter().all(|argument| argument.members.is_none())
        && members.is_empty();
    let (handler, settings) = match action {
        Action::Echo => return Action::Echo,
        Action::NotImplemented => return Action::NotImplemented,
        Action::Unavailable => return Action::Unavailable,
        Action::Handler { handler, nullable } if is_whole => {
            return Action::Handler { handler: Arc::clone(handler), nullable: nullable.clone() };
        }
        Action::Defined { handler, settings } if is_whole => {
            return Action::Defined { handler: Arc::clone(handler), settings: settings.clone() };
        }
        // Two methods have the same handler if the address of the function is the same.
        Action::Handler { handler, nullable } => (
            WholeHandler::Function(Arc::clone(handler), nullable.clone()),
            format!("{:p}", Arc::as_ptr(handler).cast::<()>()).into(),
        ),
        Action::Defined { handler, settings } => (WholeHandler::Defined(Arc::clone(handler)), settings.clone()),
    };
    let names =
        |method: &Method| method.outputs.iter().map(|output| output.name.as_str().into()).collect::<Box<[Box<str>]>>();
    let handler = VersionHandler {
        handler,
        names: whole.parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        arguments,
        outputs: (method.outputs.len() < whole.outputs.len() || !members.is_empty()).then(|| {
            let has_whole_body = whole.outputs.iter().all(Output::is_whole);
            Arc::new(VersionOutputs { names: names(method), has_whole_body, members })
        }),
    };
    Action::Defined { handler: Arc::new(handler), settings }
}

/// Returns the outputs in which a version lacks members of objects, each with its type.
fn types_without_members(whole: &Method, method: &Method) -> Vec<(Box<str>, VersionedType)> {
    let versioned = method.outputs.iter().filter_map(|output| {
        let known = whole.outputs.iter().find(|known| known.name == output.name)?;
        let (whole, version) = (Arc::clone(&known.r#type.check), Arc::clone(&output.r#type.check));
        Some((output.name.as_str().into(), VersionedType { whole, version }))
    });
    versioned.filter(|(_, versioned)| versioned.lacks_members()).collect()
}

/// Runs the handler of a method for a version of the method.
struct VersionHandler {
    handler: WholeHandler,
    /// The names of the parameters of all versions.
    names: Box<[Box<str>]>,
    /// The parameters of the version, in their order.
    arguments: Box<[VersionedArgument]>,
    /// The outputs of the version, if other versions have more.
    outputs: Option<Arc<VersionOutputs>>,
}

/// A parameter that a version has.
struct VersionedArgument {
    /// Its index among the parameters of all versions.
    slot: usize,
    /// Its type, if the version lacks members of objects.
    members: Option<VersionedType>,
}

impl VersionedArgument {
    fn new(whole: &Method, parameter: &Parameter) -> Option<Self> {
        let slot = whole.parameters.iter().position(|known| known.name == parameter.name)?;
        let [whole, version] = [&whole.parameters[slot], parameter].map(|it| Arc::clone(&it.r#type.check));
        Some(Self { slot, members: Some(VersionedType { whole, version }).filter(VersionedType::lacks_members) })
    }
}

/// What a version has of the outputs of a method.
struct VersionOutputs {
    names: Box<[Box<str>]>,
    /// `true` if the only output is the whole body, so that handlers return its value.
    has_whole_body: bool,
    /// The outputs in which the version lacks members of objects.
    members: Vec<(Box<str>, VersionedType)>,
}

/// A handler for all versions of a method.
enum WholeHandler {
    Function(Arc<dyn Handler>, Box<[bool]>),
    Defined(Arc<dyn CompiledHandler>),
}

impl CompiledHandler for VersionHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let mut values = vec![ArgumentSlot::Absent; self.names.len()];
        for (VersionedArgument { slot, members }, mut value) in self.arguments.iter().zip(arguments.values) {
            if let (Some(members), ArgumentSlot::Value(value)) = (members, &mut value) {
                members.remove_members(value, |of| &*of.version);
            }
            values[*slot] = value;
        }
        let arguments = ArgumentSlots { names: &self.names, values };
        let started = match &self.handler {
            WholeHandler::Function(handler, nullable) => handler.start(arguments, nullable, context),
            WholeHandler::Defined(handler) => Ok(handler.start(arguments, context)),
        };
        match (started, self.outputs.clone()) {
            (Ok(running), None) => running,
            (Ok(running), Some(outputs)) => Box::pin(async move { outputs.keep(running.await?) }),
            (Err(error), _) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn outputs_check(&self) -> OutputsCheck {
        match &self.handler {
            // The types of functions are compared with the definition when the program starts.
            WholeHandler::Function(..) => OutputsCheck::Known,
            WholeHandler::Defined(handler) => handler.outputs_check(),
        }
    }

    fn body_access(&self) -> BodyAccess {
        match &self.handler {
            WholeHandler::Function(..) => BodyAccess::None,
            WholeHandler::Defined(handler) => handler.body_access(),
        }
    }
}

impl VersionOutputs {
    /// Removes the outputs that the version does not have, and the members of objects that it does not have.
    fn keep(&self, returned: ReturnedValue) -> Result<ReturnedValue, ApiError> {
        let ReturnedValue::Outputs(outputs) = returned else { return Ok(returned) };
        let mut json = outputs.to_json().map_err(ApiError::internal)?;
        if self.has_whole_body {
            self.members.iter().for_each(|(_, versioned)| remove_members(versioned, &mut json));
        } else if let Json::Object(members) = &mut json {
            members.retain(|name, _| self.names.iter().any(|known| **known == **name));
            for (name, versioned) in &self.members {
                members.get_mut(&**name).into_iter().for_each(|value| remove_members(versioned, value));
            }
        }
        Ok(ReturnedValue::Outputs(Box::new(json)))
    }
}

/// Removes the members that a version does not have from an output.
fn remove_members(versioned: &VersionedType, output: &mut Json) {
    let mut value = Value::from(&*output);
    versioned.remove_members(&mut value, |of| &*of.whole);
    *output = value.to_json();
}
