//! Reads files in the dialect `methods`, which comes from the framework api 3.0: `{"article": {"GET::read": {…}}}`
//! defines the method `GET /article/read`.

use super::super::checked_object::{CheckedObject, named_members, wrong_kind_error};
use super::super::dialect_spec::METHODS;
use super::super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::super::keys::methods::{METHOD, MODULE, SEPARATOR};
use super::super::parsed::{Module, Service};
use super::{DialectReader, first_byte_span};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::span::Spanned;

/// Reads a file of this dialect. Each key of the file's top level is the name of an API module.
pub(in crate::definition) fn read_file(_: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let JsonData::Object(members) = &node.data else {
        return Vec::new();
    };
    let modules = named_members(members).filter(|member| member.key.value != "dialect");
    modules.filter_map(|member| read_api_module(member, diagnostics)).collect()
}

fn read_api_module(member: &JsonMember, diagnostics: &mut Vec<Diagnostic>) -> Option<Module> {
    let name = &member.key;
    let JsonData::Object(methods) = &member.value.data else {
        diagnostics.push(wrong_kind_error("a module", "an object", &member.value));
        return None;
    };
    let is_segment = check_path_segment(name, "module", diagnostics);
    let is_setting = |member: &&JsonMember| MODULE.find(&member.key.value).is_some();
    let services = named_members(methods).filter(|member| !is_setting(member));
    let services = services.filter_map(|member| read_service(&name.value, member, diagnostics)).collect();
    let settings = methods.list.iter().filter(is_setting).cloned().collect();
    let settings = JsonMembers { list: settings, is_incomplete: false };
    let settings =
        JsonNode { data: JsonData::Object(settings), span: member.value.span, escaped: None, expanded: None };
    let mut settings = CheckedObject::new(&settings, &MODULE, diagnostics)?;
    let schemas = DialectReader { spec: &METHODS, diagnostics }.read_schemas("schemas", &mut settings);
    is_segment.then(|| Module {
        envelope: settings.string("envelope"),
        rate_limit: settings.get("rate_limit").cloned(),
        scope: settings.get(METHODS.scope_key).cloned(),
        schemas,
        services,
        is_incomplete: settings.is_incomplete,
        ..Module::new(name.clone(), &METHODS, first_byte_span(member.value.span))
    })
}

/// Reads a method as a service that has only this method. Services with the same path are merged later.
fn read_service(module: &str, member: &JsonMember, diagnostics: &mut Vec<Diagnostic>) -> Option<Service> {
    let names = split_method_key(&member.key, diagnostics);
    let object = CheckedObject::new(&member.value, &METHOD, diagnostics);
    let (http, name) = names?;
    let path = Spanned::new(format!("/{module}/{}", name.value), name.span);
    Some(Service { path, methods: vec![DialectReader { spec: &METHODS, diagnostics }.read_method(http, object?)] })
}

/// Splits a key such as `GET::read` into the HTTP method and the name. Reports other keys and returns `None`.
fn split_method_key(
    key: &Spanned<String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<(Spanned<String>, Spanned<String>)> {
    let Some((http, name)) = key.value.split_once(SEPARATOR) else {
        let message = format!("`{}` has no HTTP method", key.value.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::UnknownMethod, key.span, message)
            .label("expected an HTTP method, `::` and a name");
        let name = key.value.rsplit(':').next().unwrap_or_default();
        diagnostics.push(error.help(format!("write `GET::{}`, or another HTTP method", name.escape_debug())));
        return None;
    };
    let name_start = http.len() + SEPARATOR.len();
    let http = Spanned::new(http.to_owned(), key.part(0, http.len()));
    let name = Spanned::new(name.to_owned(), key.part(name_start, key.value.len()));
    check_path_segment(&name, "method", diagnostics).then_some((http, name))
}

/// Reports a name that cannot be one segment of a path, and returns `false`.
fn check_path_segment(name: &Spanned<String>, named_object: &str, diagnostics: &mut Vec<Diagnostic>) -> bool {
    let label = match &*name.value {
        "" => "empty name",
        text if text.contains(['/', '{', '}']) => "not one segment of a path",
        text if text.chars().any(char::is_control) => "contains a control character",
        _ => return true,
    };
    let message = format!("`{}` is not a valid {named_object} name", name.value.escape_debug());
    diagnostics.push(Diagnostic::new(DiagnosticCode::BadUri, name.span, message).label(label).help(
        "the names of the module and of the method are the two segments of the path, and cannot contain \
         `/`, `{` or `}`",
    ));
    false
}
