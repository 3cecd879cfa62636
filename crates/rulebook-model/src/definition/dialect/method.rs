//! Reads methods, parameters, outputs and declared errors. The functions of this file are shared by all dialects.

use super::super::checked_object::{CheckedObject, wrong_kind_error};
use super::super::dialect_spec::{DialectSpec, TREE};
use super::super::jsonc::{JsonData, JsonNode};
use super::super::keys::{ERROR, METHOD, OPTIONS, OUTPUT, PARAMETER};
use super::super::parsed::{DeclaredError, DeclaredOptions, Method, Output, Parameter, Schema};
use super::type_spec::read_type;
use crate::diagnostic::Diagnostic;
use crate::span::Spanned;

/// The scope of a method as the definition writes it: groups of permissions. A caller needs all permissions of one
/// group.
pub(super) type PermissionGroups = Vec<Spanned<Vec<Spanned<String>>>>;

/// Reads a method of the dialect `tree`. If the value is not an object, reports the value and returns `None`.
pub(super) fn read_tree_method(
    http: Spanned<String>,
    node: &JsonNode,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Method> {
    CheckedObject::new(node, &METHOD, diagnostics).map(|object| read_checked_tree_method(http, object, diagnostics))
}

/// Reads a method of the dialect `tree` from an object whose keys have been checked.
pub(super) fn read_checked_tree_method(
    http: Spanned<String>,
    mut object: CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Method {
    let parameters = object.objects_by_name("in", &PARAMETER, diagnostics, read_tree_parameter);
    let outputs = object.objects_by_name("out", &OUTPUT, diagnostics, |name, object, diagnostics| {
        read_output(&TREE, name, object, diagnostics)
    });
    let errors =
        object.objects_by_name("errors", &ERROR, diagnostics, |name, object, _| read_error(&TREE, name, object));
    let options = object.get("options").and_then(|node| CheckedObject::new(node, &OPTIONS, diagnostics));
    let (scope, is_complete) = object.get(TREE.scope_key).map_or((PermissionGroups::new(), true), |node| {
        read_permission_groups(TREE.scope_key, false, node, diagnostics)
    });
    Method {
        http_method: http,
        id: object.string("id"),
        info: object.string("info"),
        scope,
        parameters,
        outputs,
        errors,
        constraints: object.get("constraints").cloned(),
        handler: object.get("handler").cloned(),
        options: options.as_ref().map(self::read_options).unwrap_or_default(),
        span: object.span,
        is_incomplete: object.is_incomplete || !is_complete,
    }
}

/// Reads the object under the key `options` of a method.
pub(super) fn read_options(object: &CheckedObject<'_>) -> DeclaredOptions {
    DeclaredOptions {
        status: object.integer("status"),
        download: object.bool("download"),
        jsonp: object.bool("jsonp"),
        has_jsonp_on_post: false,
        deprecated: object.bool("deprecated"),
        rate_limit: object.get("rate_limit").cloned(),
        cost: object.integer("cost"),
        idempotent: object.string("idempotent"),
    }
}

/// Reads the groups of permissions in the array under `key`. The second result is `false` if an invalid group was
/// omitted. If `allows_single_permission` is `true`, a permission outside of a group counts as a group with this
/// permission only.
pub(super) fn read_permission_groups(
    key: &str,
    allows_single_permission: bool,
    node: &JsonNode,
    diagnostics: &mut Vec<Diagnostic>,
) -> (PermissionGroups, bool) {
    let mut groups = PermissionGroups::new();
    let mut is_complete = true;
    let JsonData::Array(items) = &node.data else {
        return (groups, false);
    };
    for group in items {
        let permissions = match &group.data {
            JsonData::Array(permissions) => permissions.as_slice(),
            JsonData::String(_) if allows_single_permission => std::slice::from_ref(group),
            _ => {
                let expected =
                    if allows_single_permission { "a string or an array of strings" } else { "an array of strings" };
                let error = wrong_kind_error(&format!("each group of `{key}`"), expected, group);
                diagnostics.push(error.help(format!(
                    "`{key}` is an OR of ANDs: `[[\"a\", \"b\"], [\"c\"]]` requires both `a` and `b`, or else `c`"
                )));
                is_complete = false;
                continue;
            }
        };
        let mut all = Vec::with_capacity(permissions.len());
        for permission in permissions {
            match &permission.data {
                JsonData::String(text) => all.push(Spanned::new(text.clone(), permission.span)),
                _ => {
                    diagnostics.push(wrong_kind_error(&format!("each permission of `{key}`"), "a string", permission));
                    is_complete = false;
                }
            }
        }
        // A group is kept only if all its permissions are valid, because a shorter group would require less of callers.
        if all.len() == permissions.len() {
            groups.push(Spanned::new(all, group.span));
        }
    }
    (groups, is_complete)
}

/// Reads a parameter in the dialect `tree`.
pub(super) fn read_tree_parameter(
    key: Spanned<String>,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Parameter {
    read_parameter(&TREE, key, object, diagnostics)
}

/// Reads a parameter in the dialect `spec`.
pub(super) fn read_parameter(
    spec: &DialectSpec,
    key: Spanned<String>,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Parameter {
    let r#type = read_type(spec, object, diagnostics);
    Parameter {
        key,
        name: object.string("name"),
        info: object.string(spec.info_key),
        r#type,
        optional: object.bool("optional"),
        default: object.json("default"),
        example: object.json("example"),
        message: object.string("message"),
        span: object.span,
        is_incomplete: object.is_incomplete,
    }
}

/// Reads an output, or a field of an object, in the dialect `spec`.
pub(super) fn read_output(
    spec: &DialectSpec,
    name: Spanned<String>,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Output {
    let r#type = read_type(spec, object, diagnostics);
    Output {
        name,
        info: object.string(spec.info_key),
        r#type,
        code_name: object.string("name"),
        default: object.json("default"),
        example: object.json("example"),
        span: object.span,
        is_incomplete: object.is_incomplete,
    }
}

/// Reads the schemas under the key `key` of an object, in the dialect `spec`.
pub(in crate::definition) fn read_schemas(
    spec: &DialectSpec,
    key: &str,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Schema> {
    object.objects_by_name(key, spec.schema_keys, diagnostics, |name, object, diagnostics| {
        let mut r#type = read_type(spec, object, diagnostics);
        if r#type.term.is_none() && !object.has_key("type") {
            r#type.term = Some(Spanned::new("object".to_owned(), name.span));
        }
        let names = |key: &str| object.strings(key).map(|names| names.value).unwrap_or_default();
        Schema {
            info: object.string(spec.info_key),
            r#type,
            extends: names("extends"),
            without: names("without"),
            example: object.json("example"),
            source: object.to_json(),
            is_incomplete: object.is_incomplete,
            name,
        }
    })
}

/// Reads the declaration of an error that the handler of a method may return.
pub(super) fn read_error(spec: &DialectSpec, name: Spanned<String>, object: &CheckedObject<'_>) -> DeclaredError {
    DeclaredError {
        name,
        status: object.integer("status"),
        info: object.string(spec.info_key),
        number: object.integer("number"),
        span: object.span,
        is_incomplete: object.is_incomplete,
    }
}
