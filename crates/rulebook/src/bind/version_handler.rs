//! Handlers in the versions of an API. A handler serves all versions that its method has: it gets the parameters of all
//! of them, of which those that a version does not have are absent, and the response has only the outputs of the
//! version. Members of objects that a version does not have are removed from both.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rulebook_model::model::{Api, Method, Output, Parameter};
use rulebook_model::types::{Check, Structure};
use serde_json::Value as Json;

use crate::call::{ApiError, ArgumentSlot, ArgumentSlots, ReturnedValue, Value};
use crate::handler::{BodyAccess, CompiledHandler, Context, HandlerFuture, OutputsCheck};
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
    let settings = match action {
        // Two methods have the same handler if the address of the function is the same.
        Action::Handler { handler, .. } if !is_whole => format!("{:p}", Arc::as_ptr(handler).cast::<()>()).into(),
        Action::Defined { settings, .. } if !is_whole => settings.clone(),
        _ => return action.clone(),
    };
    let names =
        |method: &Method| method.outputs.iter().map(|output| output.name.as_str().into()).collect::<Box<[Box<str>]>>();
    let handler = VersionHandler {
        action: action.clone(),
        names: whole.parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        arguments,
        outputs: (method.outputs.len() < whole.outputs.len() || !members.is_empty()).then(|| {
            let has_whole_body = whole.outputs.iter().all(Output::is_whole);
            Arc::new(VersionOutputs { names: names(method), has_whole_body, members })
        }),
    };
    Action::Defined { handler: Arc::new(handler), settings }
}

fn types_without_members(whole: &Method, method: &Method) -> Vec<(Box<str>, VersionedType)> {
    let versioned = method.outputs.iter().filter_map(|output| {
        let known = whole.outputs.iter().find(|known| known.name == output.name)?;
        let (whole, version) = (Arc::clone(&known.r#type.check), Arc::clone(&output.r#type.check));
        Some((output.name.as_str().into(), VersionedType { whole, version }))
    });
    versioned.filter(|(_, versioned)| versioned.lacks_members()).collect()
}

struct VersionHandler {
    /// The handler of the method in all versions.
    action: Action,
    names: Box<[Box<str>]>,
    arguments: Box<[VersionedArgument]>,
    /// The outputs of the version, if other versions have more.
    outputs: Option<Arc<VersionOutputs>>,
}

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

struct VersionOutputs {
    names: Box<[Box<str>]>,
    /// `true` if the only output is the whole body, so that handlers return its value.
    has_whole_body: bool,
    /// The outputs in which the version lacks members of objects.
    members: Vec<(Box<str>, VersionedType)>,
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
        match (self.action.start(arguments, context), self.outputs.clone()) {
            (Ok(running), None) => running,
            (Ok(running), Some(outputs)) => Box::pin(async move { outputs.keep(running.await?) }),
            (Err(error), _) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn outputs_check(&self) -> OutputsCheck {
        self.action.outputs_check()
    }

    fn body_access(&self) -> BodyAccess {
        self.action.body_access()
    }
}

impl VersionOutputs {
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

fn remove_members(versioned: &VersionedType, output: &mut Json) {
    let mut value = Value::from(&*output);
    versioned.remove_members(&mut value, |of| &*of.whole);
    *output = value.to_json();
}

/// The type of a value in all versions, and in one of them. Both differ only in the members of objects.
#[derive(Clone)]
struct VersionedType {
    pub(super) whole: Arc<dyn Check>,
    pub(super) version: Arc<dyn Check>,
}

enum Parts {
    None,
    /// The type of all items of an array, or of all members of a map.
    Items(VersionedType),
    /// The members: the names of those that the version does not have, and the others.
    Members(Vec<String>, Vec<(String, VersionedType)>),
    OneOf(Vec<VersionedType>),
    /// The types of objects, by the value of the member with this name.
    ByTag(String, Vec<(String, VersionedType)>),
}

impl VersionedType {
    fn lacks_members(&self) -> bool {
        let (mut known, mut waiting) = (HashSet::new(), vec![self.clone()]);
        while let Some(one) = waiting.pop() {
            // Schemas can contain themselves.
            if schema_key(&one.whole).is_some_and(|key| !known.insert(key)) {
                continue;
            }
            match one.parts() {
                Parts::None => {}
                Parts::Items(items) => waiting.push(items),
                Parts::Members(lacking, _) if !lacking.is_empty() => return true,
                Parts::Members(_, members) | Parts::ByTag(_, members) => {
                    waiting.extend(members.into_iter().map(|(_, member)| member));
                }
                Parts::OneOf(types) => waiting.extend(types),
            }
        }
        false
    }

    /// Removes the members that the version does not have from a value that `check` of the type has accepted.
    fn remove_members(&self, value: &mut Value<'_>, check: fn(&Self) -> &dyn Check) {
        match (self.parts(), value) {
            (Parts::Items(items), Value::List(values)) => {
                values.iter_mut().for_each(|value| items.remove_members(value, check));
            }
            (Parts::Items(items), Value::Map(values)) => {
                values.iter_mut().for_each(|(_, value)| items.remove_members(value, check));
            }
            (Parts::Members(lacking, members), Value::Map(values)) => {
                values.retain(|(name, _)| !lacking.iter().any(|lacking| lacking == name));
                for (name, value) in values {
                    let member = members.iter().find(|(known, _)| known == name);
                    member.into_iter().for_each(|(_, member)| member.remove_members(value, check));
                }
            }
            (Parts::OneOf(types), value) => {
                let found = types.iter().find(|one| check(one).checked(value.reborrow()).is_ok());
                found.into_iter().for_each(|one| one.remove_members(value, check));
            }
            (Parts::ByTag(tag, types), value) => {
                let is_it =
                    |members: &[(_, _)], name: &str| members.contains(&(tag.as_str().into(), Value::from(name)));
                let found = types.iter().find(|(name, _)| matches!(&*value, Value::Map(list) if is_it(list, name)));
                found.into_iter().for_each(|(_, one)| one.remove_members(value, check));
            }
            _ => {}
        }
    }

    fn parts(&self) -> Parts {
        match (structure(&self.whole), structure(&self.version)) {
            (Structure::Array(whole), Structure::Array(version)) | (Structure::Map(whole), Structure::Map(version)) => {
                Parts::Items(Self { whole, version })
            }
            (Structure::Object(whole), Structure::Object(version)) => {
                let (mut lacking, mut members) = (Vec::new(), Vec::new());
                for field in whole.fields {
                    match version.fields.iter().find(|known| known.name == field.name) {
                        None => lacking.push(field.name),
                        Some(known) => {
                            let version = Arc::clone(&known.check);
                            members.push((field.name, Self { whole: field.check, version }));
                        }
                    }
                }
                Parts::Members(lacking, members)
            }
            (Structure::Union(whole), Structure::Union(version)) => {
                let pairs = whole.into_iter().zip(version);
                Parts::OneOf(pairs.map(|(whole, version)| Self { whole, version }).collect())
            }
            (Structure::TaggedUnion { tag, branches }, Structure::TaggedUnion { branches: version, .. }) => {
                let pairs = branches.into_iter().zip(version);
                let pairs = pairs.map(|((value, whole), (_, version))| (value, Self { whole, version }));
                Parts::ByTag(tag, pairs.collect())
            }
            _ => Parts::None,
        }
    }
}

/// Returns the key of the schema to which a type refers, perhaps with null.
fn schema_key(check: &Arc<dyn Check>) -> Option<String> {
    match check.structure() {
        Structure::Schema(schema) => Some(schema.key().to_owned()),
        Structure::Nullable(inner) => schema_key(&inner),
        _ => None,
    }
}

/// Returns the structure of the values of a type that are not null. Values that only some versions have are optional.
fn structure(check: &Arc<dyn Check>) -> Structure {
    match check.structure() {
        Structure::Schema(schema) => structure(&schema.check),
        Structure::Nullable(inner) => structure(&inner),
        structure => structure,
    }
}
