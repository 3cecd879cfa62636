//! The `tree` dialect: URIs in each other, and aicra's flat list of methods.

use super::super::keys::{FLAT, MODULE, URI};
use super::super::manner::TREE;
use super::super::object::{Object, authors_own};
use super::super::text::{Data, Node};
use super::super::written::{Module, Service};
use super::method::{method, opened};
use super::start_of;
use crate::diagnostic::{Code, Diagnostic};
use crate::place::{Place, Placed};

/// Reads a file of this dialect: one module.
pub(super) fn read(name: &str, node: &Node, faults: &mut Vec<Diagnostic>) -> Vec<Module> {
    let name = Placed::new(name.to_owned(), start_of(node.place));
    match &node.data {
        Data::List(items) => vec![list(name, items, node.place, faults)],
        _ => module(name, node, faults).into_iter().collect(),
    }
}

/// Reads a module that is called `name` unless it says otherwise.
pub fn module(name: Placed<String>, node: &Node, faults: &mut Vec<Diagnostic>) -> Option<Module> {
    let object = Object::open(node, &MODULE, faults)?;
    // Of a file this is known; a module of a whole API says it here.
    if let Some(dialect) = object.text("dialect").filter(|dialect| dialect.value != "tree") {
        let fault = Diagnostic::new(
            Code::UnknownDialect,
            dialect.place,
            "the modules of a whole API are written in the dialect `tree`",
        );
        faults.push(fault.help("leave `dialect` out, or give the module a file of its own"));
    }
    let mut services = Vec::new();
    service("", None, &object, &mut services, faults);
    Some(Module {
        name: object.text("module").unwrap_or(name),
        info: object.text("info"),
        envelope: object.text("envelope"),
        ignore_case: object.flag("ignore_case"),
        repeated: object.text("repeated"),
        services,
        manner: &TREE,
        place: start_of(node.place),
    })
}

/// Reads the methods of the URI `path`, and the URIs under it.
fn service(
    path: &str,
    place: Option<Place>,
    object: &Object<'_>,
    services: &mut Vec<Service>,
    faults: &mut Vec<Diagnostic>,
) {
    let mut methods = Vec::new();
    for member in object.members() {
        let word = &member.key.value;
        if word.bytes().all(|byte| byte.is_ascii_uppercase()) {
            methods.extend(method(member.key.clone(), &member.value, faults));
        }
    }
    if let Some(first) = methods.first() {
        let path = if path.is_empty() { "/" } else { path };
        services.push(Service { path: Placed::new(path.to_owned(), place.unwrap_or(first.http.place)), methods });
    }
    let Some(Data::Object(below)) = object.get("/").map(|node| &node.data) else {
        return;
    };
    for member in authors_own(below) {
        if let Some(object) = Object::open(&member.value, &URI, faults) {
            let path = format!("{path}/{}", member.key.value);
            service(&path, Some(member.key.place), &object, services, faults);
        }
    }
}

/// Reads a flat list of methods with their paths.
fn list(name: Placed<String>, items: &[Node], place: Place, faults: &mut Vec<Diagnostic>) -> Module {
    Module {
        name,
        info: None,
        envelope: None,
        ignore_case: None,
        repeated: None,
        services: items.iter().filter_map(|item| listed(item, faults)).collect(),
        manner: &TREE,
        place: start_of(place),
    }
}

/// Reads one method of a flat list.
fn listed(item: &Node, faults: &mut Vec<Diagnostic>) -> Option<Service> {
    let object = Object::open(item, &FLAT, faults)?;
    let (http, path) = (object.text("method"), object.text("path"));
    let damaged = object.damaged;
    for (code, key, found) in [(Code::UnknownMethod, "method", http.is_some()), (Code::BadUri, "path", path.is_some())]
    {
        if !found && !damaged {
            faults.push(
                Diagnostic::new(code, item.place, format!("this service has no `{key}`"))
                    .help("a service of a list has `method` and `path`"),
            );
        }
    }
    let method = opened(http?, object, faults);
    Some(Service { path: path?, methods: vec![method] })
}
