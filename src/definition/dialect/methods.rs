//! The `methods` dialect (api 3.0): modules of methods, `{"article": {"GET::read": {…}}}` at `/article/read`.

use super::super::keys::methods::{BETWEEN, ERROR, METHOD, OPTIONS, OUTPUT, PARAMETER};
use super::super::manner::METHODS;
use super::super::object::{Object, authors_own, wrong_kind};
use super::super::text::{Data, Member, Node};
use super::super::written::{Method, Module, Service};
use super::method::{Groups, error, groups, options, output, parameter};
use super::start_of;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Placed, inside};

/// Reads a file of this dialect: a module for each key at the top.
pub(super) fn read(_: &str, node: &Node, faults: &mut Vec<Diagnostic>) -> Vec<Module> {
    let Data::Object(members) = &node.data else {
        return Vec::new();
    };
    let modules = authors_own(members).filter(|member| member.key.value != "dialect");
    modules.filter_map(|member| module(member, faults)).collect()
}

/// Reads a module.
fn module(member: &Member, faults: &mut Vec<Diagnostic>) -> Option<Module> {
    let name = &member.key;
    let Data::Object(methods) = &member.value.data else {
        faults.push(wrong_kind("a module", "an object", &member.value));
        return None;
    };
    let is_segment = judge_segment(name, "module", faults);
    let services = authors_own(methods).filter_map(|member| service(&name.value, member, faults)).collect();
    is_segment.then(|| Module {
        name: name.clone(),
        info: None,
        envelope: None,
        ignore_case: None,
        repeated: None,
        services,
        manner: &METHODS,
        place: start_of(member.value.place),
    })
}

/// Reads a method of this module. Each has a URI of its own, but for those of one name.
fn service(module: &str, member: &Member, faults: &mut Vec<Diagnostic>) -> Option<Service> {
    let names = names(&member.key, faults);
    let object = Object::open(&member.value, &METHOD, faults);
    let (http, name) = names?;
    let path = Placed::new(format!("/{module}/{}", name.value), name.place);
    Some(Service { path, methods: vec![method(http, object?, faults)] })
}

/// The HTTP method and the name in the key of a method.
fn names(key: &Placed<String>, faults: &mut Vec<Diagnostic>) -> Option<(Placed<String>, Placed<String>)> {
    let Some((http, name)) = key.value.split_once(BETWEEN) else {
        let message = format!("`{}` does not say its HTTP method", key.value.escape_debug());
        let fault = Diagnostic::new(Code::UnknownMethod, key.place, message).label("expected `GET::` and a name");
        let name = key.value.rsplit(':').next().unwrap_or_default();
        faults.push(fault.help(format!("write `GET::{}`, or another HTTP method in front", name.escape_debug())));
        return None;
    };
    let http = Placed::new(http.to_owned(), inside(key, 0, http.len()));
    let name = Placed::new(name.to_owned(), inside(key, http.value.len() + BETWEEN.len(), key.value.len()));
    judge_segment(&name, "method", faults).then_some((http, name))
}

/// Whether a name is one segment of a path as it stands. Tells where it is not.
fn judge_segment(name: &Placed<String>, what: &str, faults: &mut Vec<Diagnostic>) -> bool {
    let label = match &*name.value {
        "" => "no name",
        text if text.contains(['/', '{', '}']) => "not one segment of a path",
        text if text.chars().any(char::is_control) => "it has a control character",
        _ => return true,
    };
    let message = format!("`{}` is no name of a {what}", name.value.escape_debug());
    faults.push(
        Diagnostic::new(Code::BadUri, name.place, message)
            .label(label)
            .help("the names of module and method are the two segments of the path, and hold no `/`, `{` or `}`"),
    );
    false
}

/// Reads a method out of its object.
fn method(http: Placed<String>, mut object: Object<'_>, faults: &mut Vec<Diagnostic>) -> Method {
    let parameters = object
        .named("parameters", &PARAMETER, faults, |name, object, faults| parameter(&METHODS, name, object, faults));
    let outputs =
        object.named("output", &OUTPUT, faults, |name, object, faults| output(&METHODS, name, object, faults));
    let errors = object.named("errors", &ERROR, faults, |name, object, _| error(&METHODS, name, object));
    let options = object.get("options").and_then(|node| Object::open(node, &OPTIONS, faults)).as_ref().map(options);
    let permissions = object.get(METHODS.scope);
    let (scope, whole) = permissions.map_or((Groups::new(), true), |node| groups(METHODS.scope, true, node, faults));
    Method {
        http,
        id: object.text("id"),
        info: object.text(METHODS.info),
        scope,
        parameters,
        outputs,
        errors,
        options: options.unwrap_or_default(),
        place: object.place,
        damaged: object.damaged || !whole,
    }
}
