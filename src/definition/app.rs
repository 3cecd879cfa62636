//! The settings: `app.json`, and documents that hold a whole API.

use super::dialect;
use super::keys::{APP, CONTACT, CORS, IAPI, LICENSE, LIMITS, PHALAPI, SERVER, SERVICE, TYPES};
use super::object::{Object, authors_own, is_remark, wrong_kind};
use super::syntax::duplicate;
use super::text::{Data, Member, Members, Node};
use super::written::{App, Contact, Cors, Definition, License};
use crate::diagnostic::{Code, Diagnostic};
use crate::place::Placed;

/// Reads the settings of all documents that hold some as if they stood in one,
/// and the modules in them.
pub(super) fn read(documents: Vec<Node>, definition: &mut Definition, faults: &mut Vec<Diagnostic>) {
    let Some(place) = documents.first().map(|node| node.place) else {
        return;
    };
    let mut one = Members::default();
    for node in documents {
        match node.data {
            Data::Object(members) => join(&mut one, members, faults),
            _ => {
                one.damaged = true;
                faults.push(wrong_kind(APP.what, "an object", &node));
            }
        }
    }
    let node = Node { data: Data::Object(one), place };
    if let Some(object) = Object::open(&node, &APP, faults) {
        modules(&object, definition, faults);
        definition.app = settings(object, faults);
    }
}

/// Adds the members of one more document. Each setting stands in one of them.
fn join(one: &mut Members, more: Members, faults: &mut Vec<Diagnostic>) {
    one.damaged |= more.damaged;
    let before = one.list.len();
    for member in more.list {
        let same = |old: &&Member| old.key.value == member.key.value && !is_remark(old);
        match one.list[..before].iter().find(same) {
            Some(old) => {
                one.damaged = true;
                faults.push(duplicate(&member.key.value, member.key.place, old.key.place));
            }
            None => one.list.push(member),
        }
    }
}

fn modules(object: &Object<'_>, definition: &mut Definition, faults: &mut Vec<Diagnostic>) {
    if let Some(Data::Object(modules)) = object.get("modules").map(|node| &node.data) {
        for Member { key, value } in authors_own(modules) {
            definition.modules.extend(dialect::module(key.clone(), value, faults));
        }
    }
}

/// Takes the settings out of their object.
fn settings(mut object: Object<'_>, faults: &mut Vec<Diagnostic>) -> App {
    let limits = object.object("limits", &LIMITS, faults).map_or_else(Vec::new, |limits| {
        let value = |member: &Member| limits.whole(&member.key.value);
        limits.members().filter_map(|member| Some((member.key.clone(), value(member)?))).collect()
    });
    let (common, common_rules) = dialect::common(&mut object, faults);
    let service = object.object("service", &SERVICE, faults);
    App {
        service: service.as_ref().and_then(|service| service.flag("on")),
        default_service: service.as_ref().and_then(|service| service.text("default")),
        contact: object.object("contact", &CONTACT, faults).filter(|object| !object.damaged).as_ref().map(contact),
        license: object.object("license", &LICENSE, faults).filter(|object| !object.damaged).as_ref().map(license),
        servers: servers(&mut object, faults),
        common,
        common_rules,
        default_types: object.object("types", &TYPES, faults).and_then(|types| types.flag("default")),
        real_status: object.object("phalapi", &PHALAPI, faults).and_then(|phalapi| phalapi.flag("real_status")),
        strict_status: object.object("iapi", &IAPI, faults).and_then(|iapi| iapi.flag("strict_status")),
        limits,
        title: object.text("title"),
        version: object.text("version"),
        info: object.text("info"),
        base: object.text("base"),
        envelope: object.text("envelope"),
        catalogue: object.text("catalogue"),
        formats: object.texts("formats"),
        jsonp: object.flag("jsonp"),
        dispatch: object.flag("dispatch"),
        unknown: object.text("unknown"),
        timezone: object.text("timezone"),
        unbound: object.text("unbound"),
        bind: object.text("bind"),
        data: object.text("data"),
        files: object.text("files"),
        workers: object.whole("workers"),
        log: object.text("log"),
        log_format: object.text("log_format"),
        options: object.text("options"),
        compress: object.flag("compress"),
        cors: object.object("cors", &CORS, faults).as_ref().map(cors),
        place: object.place,
        damaged: object.damaged,
    }
}

fn contact(object: &Object<'_>) -> Contact {
    Contact { name: object.text("name"), url: object.text("url"), email: object.text("email") }
}

fn cors(object: &Object<'_>) -> Cors {
    Cors {
        origins: object.texts("origins"),
        credentials: object.flag("credentials"),
        headers: object.texts("headers").map_or_else(Vec::new, |headers| headers.value),
        expose: object.texts("expose").map_or_else(Vec::new, |headers| headers.value),
        max_age: object.whole("max_age"),
        place: object.place,
        damaged: object.damaged,
    }
}

fn license(object: &Object<'_>) -> License {
    License {
        name: object.text("name"),
        identifier: object.text("identifier"),
        url: object.text("url"),
        place: object.place,
    }
}

/// Reads `servers`.
fn servers(object: &mut Object<'_>, faults: &mut Vec<Diagnostic>) -> Vec<(Placed<String>, Option<Placed<String>>)> {
    let Some(Data::List(items)) = object.get("servers").map(|node| &node.data) else {
        return Vec::new();
    };
    let mut servers = Vec::with_capacity(items.len());
    for item in items {
        let Some(server) = Object::open(item, &SERVER, faults) else {
            object.damaged = true;
            continue;
        };
        match server.text("url") {
            Some(url) => servers.push((url, server.text("info"))),
            None if server.damaged => object.damaged = true,
            None => {
                object.damaged = true;
                let fault = Diagnostic::new(Code::BadOption, item.place, "a server has a `url`");
                faults.push(fault.label("`url` is missing"));
            }
        }
    }
    servers
}
