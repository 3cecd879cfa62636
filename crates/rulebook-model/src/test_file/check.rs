//! Compares the tests of a file with the API: its methods and parameters, and the names of saved values.

use super::saved::{names, unknown_name};
use super::{Call, Step, Test, keys, test_error};
use crate::definition::{JsonData, JsonMember, JsonNode};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::error::codes::ERROR_CODES;
use crate::model::{Api, Method};

/// Returns the errors in tests that can be found without calling the API.
#[must_use]
pub fn check(tests: &[Test], api: &Api) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    for test in tests {
        let mut saved: Vec<String> = Vec::new();
        for step in &test.steps {
            check_call(step, api, &mut errors);
            for node in texts_before_response(step) {
                check_names(node, &saved, &mut errors);
            }
            saved.extend(step.save.iter().map(|member| member.key.value.clone()));
            errors.extend(step.save.iter().filter_map(wrong_place));
        }
    }
    errors
}

fn check_call(step: &Step, api: &Api, errors: &mut Vec<Diagnostic>) {
    match &step.call {
        Call::Request(_, target) => {
            if let Some(argument) = step.with.first() {
                let message = "`with` is for the methods of the API, which have parameters";
                let help = "write the arguments in the path, its query, `headers` or `body`, or the id of the method in \
                            `call`";
                errors.push(Diagnostic::new(DiagnosticCode::BadTest, argument.key.span, message).help(help));
            }
            if !target.string().is_some_and(|target| target.value.starts_with('/')) {
                errors.push(test_error(target, "a path must begin with `/`".to_owned()).help(keys::CALL_HELP));
            }
        }
        Call::Method(id) => {
            let services = api.services();
            let methods = services.flat_map(|service| &service.methods);
            let Some(method) = methods.clone().find(|method| method.id == id.value) else {
                let message = format!("the API has no method with the id `{}`", id.value);
                let error = Diagnostic::new(DiagnosticCode::BadTest, id.span, message).help(keys::CALL_HELP);
                errors.push(error.suggest(&id.value, methods.map(|method| method.id.as_str())));
                return;
            };
            errors.extend(step.with.iter().filter_map(|argument| unknown_parameter(argument, method)));
            errors.extend(unknown_error(step, method, api));
            errors.extend(unknown_outputs(step, method));
            if let Some(body) = &step.body {
                let error = test_error(body, "`body` is for requests with a path".to_owned());
                errors.push(error.help("write the arguments of the method in `with`"));
            }
        }
    }
}

fn unknown_parameter(argument: &JsonMember, method: &Method) -> Option<Diagnostic> {
    let known = || method.parameters.iter().map(|parameter| parameter.name.as_str());
    let name = argument.key.value.as_str();
    if known().any(|known| known == name) {
        return None;
    }
    let message = format!("the method `{}` has no parameter `{name}`", method.id);
    let list: Vec<_> = known().map(|name| format!("`{name}`")).collect();
    let help = if list.is_empty() { "it has no parameters".to_owned() } else { format!("it has {}", list.join(", ")) };
    let error = Diagnostic::new(DiagnosticCode::BadTest, argument.key.span, message).help(help);
    Some(error.suggest(name, known()))
}

/// Returns an error if a step expects an error that its method never returns.
fn unknown_error(step: &Step, method: &Method, api: &Api) -> Option<Diagnostic> {
    let expected = step.expect.error.as_ref()?;
    let declared = || method.errors_of_call(&api.auth_errors).map(|error| error.name.as_str());
    let known = || declared().chain(ERROR_CODES.iter().map(|row| row.name));
    let message = format!("the method `{}` declares no error `{}`", method.id, expected.value);
    let error = Diagnostic::new(DiagnosticCode::BadTest, expected.span, message);
    let help =
        format!("add it to the errors of the method, or write one of {}", known().collect::<Vec<_>>().join(", "));
    known().all(|name| name != expected.value).then(|| error.help(help).suggest(&expected.value, known()))
}

/// Returns an error for each output that a step expects, and that its method does not have.
fn unknown_outputs(step: &Step, method: &Method) -> Vec<Diagnostic> {
    let names = || method.outputs.iter().map(|output| output.name.as_str());
    let unknown = |member: &&JsonMember| !member.is_comment() && names().all(|name| name != member.key.value);
    let expected = match step.expect.out.as_ref().map(|node| &node.data) {
        Some(JsonData::Object(members)) if method.whole().is_none() => members.list.as_slice(),
        _ => &[],
    };
    let error = |name: &str, span| {
        let message = format!("the method `{}` has no output `{name}`", method.id);
        let error = Diagnostic::new(DiagnosticCode::BadTest, span, message);
        error.help(format!("it has {}", names().collect::<Vec<_>>().join(", "))).suggest(name, names())
    };
    let unknown_outputs = expected.iter().filter(unknown).map(|member| error(&member.key.value, member.key.span));
    let saved = step.save.iter().filter_map(|member| {
        let place = member.value.string().filter(|place| method.whole().is_none() && place.value != "*")?;
        let first = place.value.split('.').next().unwrap_or_default();
        names().all(|name| name != first).then(|| error(first, place.span))
    });
    unknown_outputs.chain(saved).collect()
}

/// Returns all values of a step that can contain the names of saved values.
fn texts_before_response(step: &Step) -> impl Iterator<Item = &JsonNode> {
    let target = if let Call::Request(_, target) = &step.call { Some(target) } else { None };
    let expect = &step.expect;
    let members = step.with.iter().chain(&step.headers).chain(&expect.headers).map(|member| &member.value);
    let single = target.into_iter().chain(step.caller.iter().flatten()).chain(&step.body);
    single.chain(&expect.out).chain(&expect.body).chain(members)
}

fn check_names(node: &JsonNode, saved: &[String], errors: &mut Vec<Diagnostic>) {
    match &node.data {
        JsonData::String(text) => {
            let unknown = names(text).filter(|found| !saved.iter().any(|known| known == found.name));
            errors.extend(unknown.map(|found| unknown_name(node, found.name, &found.range, saved)));
        }
        JsonData::Array(items) => items.iter().for_each(|item| check_names(item, saved, errors)),
        JsonData::Object(members) => {
            members.list.iter().for_each(|member| check_names(&member.value, saved, errors));
        }
        _ => {}
    }
}

fn wrong_place(member: &JsonMember) -> Option<Diagnostic> {
    let node = &member.value;
    let is_place = node.string().is_some() || node.member("header").is_some_and(|field| field.string().is_some());
    let message = format!("`{}` must be saved from an output or a header field", member.key.value);
    let help = "write the name of an output, a path such as `notes.0.id`, `*` for all, or `{\"header\": \"etag\"}`";
    (!is_place).then(|| test_error(node, message).help(help))
}
