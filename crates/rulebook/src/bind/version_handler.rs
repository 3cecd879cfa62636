//! Handlers in the versions of an API. A handler serves all versions that its method has: it gets the parameters of all
//! of them, of which those that a version does not have are absent, and the response has only the outputs of the
//! version.

use std::collections::HashMap;
use std::sync::Arc;

use rulebook_model::model::{Api, Method};
use serde_json::Value as Json;

use crate::call::{ApiError, ArgumentSlot, ArgumentSlots, ReturnedValue};
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
    let is_whole = method.parameters.len() == whole.parameters.len() && method.outputs.len() == whole.outputs.len();
    let (handler, settings) = match action {
        Action::Echo => return Action::Echo,
        Action::NotImplemented => return Action::NotImplemented,
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
    let slot = |name: &str| whole.parameters.iter().position(|parameter| parameter.name == name);
    let slots: Box<[usize]> = method.parameters.iter().filter_map(|parameter| slot(&parameter.name)).collect();
    let names =
        |method: &Method| method.outputs.iter().map(|output| output.name.as_str().into()).collect::<Box<[Box<str>]>>();
    let handler = VersionHandler {
        handler,
        names: whole.parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        slots,
        outputs: (method.outputs.len() < whole.outputs.len()).then(|| names(method)),
    };
    Action::Defined { handler: Arc::new(handler), settings }
}

/// Runs the handler of a method for a version of the method.
struct VersionHandler {
    handler: WholeHandler,
    /// The names of the parameters of all versions.
    names: Box<[Box<str>]>,
    /// For each parameter of the version, its index in `names`.
    slots: Box<[usize]>,
    /// The names of the outputs of the version, if other versions have more.
    outputs: Option<Box<[Box<str>]>>,
}

/// A handler for all versions of a method.
enum WholeHandler {
    Function(Arc<dyn Handler>, Box<[bool]>),
    Defined(Arc<dyn CompiledHandler>),
}

impl CompiledHandler for VersionHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        let mut values = vec![ArgumentSlot::Absent; self.names.len()];
        for (slot, value) in self.slots.iter().zip(arguments.values) {
            values[*slot] = value;
        }
        let arguments = ArgumentSlots { names: &self.names, values };
        let started = match &self.handler {
            WholeHandler::Function(handler, nullable) => handler.start(arguments, nullable, context),
            WholeHandler::Defined(handler) => Ok(handler.start(arguments, context)),
        };
        match (started, self.outputs.clone()) {
            (Ok(running), None) => running,
            (Ok(running), Some(outputs)) => Box::pin(async move { outputs_of_version(running.await?, &outputs) }),
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

/// Removes the outputs that a version does not have.
fn outputs_of_version(returned: ReturnedValue, names: &[Box<str>]) -> Result<ReturnedValue, ApiError> {
    let ReturnedValue::Outputs(outputs) = returned else { return Ok(returned) };
    let mut json = outputs.to_json().map_err(ApiError::internal)?;
    if let Json::Object(members) = &mut json {
        members.retain(|name, _| names.iter().any(|known| **known == **name));
    }
    Ok(ReturnedValue::Outputs(Box::new(json)))
}
