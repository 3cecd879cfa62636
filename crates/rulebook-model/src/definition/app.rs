//! Reads the settings: `app.json`, and files that hold a whole API.

use super::dialect;
use super::jsonc::{Data, Member, Members, Node};
use super::keys::{APP, CONTACT, CORS, IAPI, LICENSE, LIMITS, PHALAPI, SERVER, SERVICE, TYPES};
use super::object::{CheckedObject, is_comment, named_members, wrong_kind};
use super::parsed::{App, Contact, Cors, Definition, License};
use super::syntax_error::duplicate_key;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;

/// Reads the settings and the modules of all files that have settings. Their settings are merged into one object.
pub(super) fn read(documents: Vec<Node>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    let Some(span) = documents.first().map(|node| node.span) else {
        return;
    };
    let mut merged = Members::default();
    for node in documents {
        match node.data {
            Data::Object(members) => merge(&mut merged, members, diagnostics),
            _ => {
                merged.incomplete = true;
                diagnostics.push(wrong_kind(APP.subject, "an object", &node));
            }
        }
    }
    let node = Node { data: Data::Object(merged), span };
    if let Some(object) = CheckedObject::new(&node, &APP, diagnostics) {
        read_modules(&object, definition, diagnostics);
        definition.app = settings(object, diagnostics);
    }
}

/// Adds the members of another file. A setting that both files have is a duplicate key.
fn merge(merged: &mut Members, more: Members, diagnostics: &mut Vec<Diagnostic>) {
    merged.incomplete |= more.incomplete;
    let before = merged.list.len();
    for member in more.list {
        let is_same = |old: &&Member| old.key.value == member.key.value && !is_comment(old);
        match merged.list[..before].iter().find(is_same) {
            Some(old) => {
                merged.incomplete = true;
                diagnostics.push(duplicate_key(&member.key.value, member.key.span, old.key.span));
            }
            None => merged.list.push(member),
        }
    }
}

fn read_modules(object: &CheckedObject<'_>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(Data::Object(modules)) = object.get("modules").map(|node| &node.data) {
        for Member { key, value } in named_members(modules) {
            definition.modules.extend(dialect::module(key.clone(), value, diagnostics));
        }
    }
}

fn settings(mut object: CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> App {
    let limits = object.object("limits", &LIMITS, diagnostics).map_or_else(Vec::new, |limits| {
        let value = |member: &Member| limits.integer(&member.key.value);
        limits.members().filter_map(|member| Some((member.key.clone(), value(member)?))).collect()
    });
    let (common, common_rules) = dialect::common(&mut object, diagnostics);
    let service = object.object("service", &SERVICE, diagnostics);
    App {
        service: service.as_ref().and_then(|service| service.bool("on")),
        default_service: service.as_ref().and_then(|service| service.string("default")),
        contact: object.object("contact", &CONTACT, diagnostics).filter(|it| !it.incomplete).as_ref().map(contact),
        license: object.object("license", &LICENSE, diagnostics).filter(|it| !it.incomplete).as_ref().map(license),
        servers: servers(&mut object, diagnostics),
        common,
        common_rules,
        default_types: object.object("types", &TYPES, diagnostics).and_then(|types| types.bool("default")),
        real_status: object.object("phalapi", &PHALAPI, diagnostics).and_then(|phalapi| phalapi.bool("real_status")),
        strict_status: object.object("iapi", &IAPI, diagnostics).and_then(|iapi| iapi.bool("strict_status")),
        limits,
        title: object.string("title"),
        version: object.string("version"),
        info: object.string("info"),
        base: object.string("base"),
        envelope: object.string("envelope"),
        catalogue: object.string("catalogue"),
        formats: object.strings("formats"),
        jsonp: object.bool("jsonp"),
        dispatch: object.bool("dispatch"),
        unknown: object.string("unknown"),
        timezone: object.string("timezone"),
        unbound: object.string("unbound"),
        bind: object.string("bind"),
        data: object.string("data"),
        files: object.string("files"),
        workers: object.integer("workers"),
        log: object.string("log"),
        log_format: object.string("log_format"),
        options: object.string("options"),
        compress: object.bool("compress"),
        cors: object.object("cors", &CORS, diagnostics).as_ref().map(cors),
        span: object.span,
        incomplete: object.incomplete,
    }
}

fn contact(object: &CheckedObject<'_>) -> Contact {
    Contact { name: object.string("name"), url: object.string("url"), email: object.string("email") }
}

fn cors(object: &CheckedObject<'_>) -> Cors {
    Cors {
        origins: object.strings("origins"),
        credentials: object.bool("credentials"),
        headers: object.strings("headers").map_or_else(Vec::new, |headers| headers.value),
        expose: object.strings("expose").map_or_else(Vec::new, |headers| headers.value),
        max_age: object.integer("max_age"),
        span: object.span,
        incomplete: object.incomplete,
    }
}

fn license(object: &CheckedObject<'_>) -> License {
    License {
        name: object.string("name"),
        identifier: object.string("identifier"),
        url: object.string("url"),
        span: object.span,
    }
}

fn servers(
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(Spanned<String>, Option<Spanned<String>>)> {
    let Some(Data::Array(items)) = object.get("servers").map(|node| &node.data) else {
        return Vec::new();
    };
    let mut servers = Vec::with_capacity(items.len());
    for item in items {
        let Some(server) = CheckedObject::new(item, &SERVER, diagnostics) else {
            object.incomplete = true;
            continue;
        };
        match server.string("url") {
            Some(url) => servers.push((url, server.string("info"))),
            None if server.incomplete => object.incomplete = true,
            None => {
                object.incomplete = true;
                let error = Diagnostic::new(DiagnosticCode::BadOption, item.span, "a server requires a `url`");
                diagnostics.push(error.label("`url` is missing"));
            }
        }
    }
    servers
}
