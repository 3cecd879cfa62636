//! Reads files in the dialect `tree`, in which URIs are nested, and files with the flat list of methods that the
//! framework aicra uses.

use super::super::checked_object::{CheckedObject, named_members};
use super::super::dialect_spec::TREE;
use super::super::jsonc::{JsonData, JsonNode};
use super::super::keys::{METHOD, METHOD_LIST_ENTRY, MODULE, URI};
use super::super::parsed::{Module, Service};
use super::{DialectReader, first_byte_span};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::{Span, Spanned};

/// Reads a file of this dialect, which contains one API module.
pub(in crate::definition) fn read_file(name: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let name = Spanned::new(name.to_owned(), first_byte_span(node.span));
    match &node.data {
        // A flat list of methods, each with its path, is one API module.
        JsonData::Array(items) => vec![Module {
            services: items.iter().filter_map(|item| read_list_entry(item, diagnostics)).collect(),
            ..Module::new(name, &TREE, first_byte_span(node.span))
        }],
        _ => read_tree_module(name, node, diagnostics).into_iter().collect(),
    }
}

/// Reads an API module. `name` is its name if the file does not set the key `module`.
pub fn read_tree_module(name: Spanned<String>, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Option<Module> {
    let mut object = CheckedObject::new(node, &MODULE, diagnostics)?;
    // The dialect of the file has been detected before, so an API module in the file of a whole API cannot set another
    // dialect.
    if let Some(dialect) = object.string("dialect").filter(|dialect| dialect.value != "tree") {
        let error = Diagnostic::new(
            DiagnosticCode::UnknownDialect,
            dialect.span,
            "the modules in a file of a whole API must be in the dialect `tree`",
        );
        diagnostics.push(error.help("remove `dialect`, or move the module to a file of its own"));
    }
    let mut services = Vec::new();
    collect_services("", None, &object, &mut services, diagnostics);
    let schemas = DialectReader { spec: &TREE, diagnostics }.read_schemas("schemas", &mut object);
    Some(Module {
        name: object.string("module").unwrap_or(name),
        info: object.string("info"),
        envelope: object.string("envelope"),
        ignore_case: object.bool("ignore_case"),
        repeated: object.string("repeated"),
        rate_limit: object.get("rate_limit").cloned(),
        scope: object.get("scope").cloned(),
        schemas,
        services,
        spec: &TREE,
        is_incomplete: object.is_incomplete,
        span: first_byte_span(node.span),
    })
}

/// Adds the service at `path`, if the path has methods, and all services below this path to `services`.
fn collect_services(
    path: &str,
    span: Option<Span>,
    object: &CheckedObject<'_>,
    services: &mut Vec<Service>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut methods = Vec::new();
    for member in object.members() {
        let is_method = member.key.value.bytes().all(|byte| byte.is_ascii_uppercase());
        if let Some(method) = is_method.then(|| CheckedObject::new(&member.value, &METHOD, diagnostics)).flatten() {
            methods.push(DialectReader { spec: &TREE, diagnostics }.read_method(member.key.clone(), method));
        }
    }
    // Most services have few methods, so that unused capacity would need much memory in large definitions.
    methods.shrink_to_fit();
    if let Some(first) = methods.first() {
        let path = if path.is_empty() { "/" } else { path };
        services.push(Service { path: Spanned::new(path.to_owned(), span.unwrap_or(first.http_method.span)), methods });
    }
    let Some(JsonData::Object(below)) = object.get("/").map(|node| &node.data) else {
        return;
    };
    for member in named_members(below) {
        if let Some(object) = CheckedObject::new(&member.value, &URI, diagnostics) {
            let path = format!("{path}/{}", member.key.value);
            collect_services(&path, Some(member.key.span), &object, services, diagnostics);
        }
    }
}

fn read_list_entry(item: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Option<Service> {
    let object = CheckedObject::new(item, &METHOD_LIST_ENTRY, diagnostics)?;
    let (http, path) = (object.string("method"), object.string("path"));
    let required =
        [(DiagnosticCode::UnknownMethod, "method", http.is_some()), (DiagnosticCode::BadUri, "path", path.is_some())];
    for (code, key, _) in required.into_iter().filter(|(.., is_present)| !is_present && !object.is_incomplete) {
        let error = Diagnostic::new(code, item.span, format!("this entry has no `{key}`"));
        diagnostics.push(error.help("each entry of a method list requires `method` and `path`"));
    }
    let method = DialectReader { spec: &TREE, diagnostics }.read_method(http?, object);
    Some(Service { path: path?, methods: vec![method] })
}
