//! Reads methods, parameters, outputs and declared errors. The functions of this file are shared by all dialects.

use super::super::checked_object::{CheckedObject, wrong_kind_error};
use super::super::dialect_spec::DialectSpec;
use super::super::jsonc::{JsonData, JsonNode};
use super::super::keys::KeyTable;
use super::super::parsed::{DeclaredError, Field, Method, PermissionGroups, Schema};
use super::type_spec::read_type;
use crate::diagnostic::Diagnostic;
use crate::method_options::DeclaredOptions;
use crate::span::Spanned;

pub(super) fn read_method(
    spec: &DialectSpec,
    http_method: Spanned<String>,
    mut object: CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Method {
    let before = diagnostics.len();
    let parameters = read_fields(spec, spec.parameters_key, spec.parameter_keys, &mut object, diagnostics);
    let outputs = read_fields(spec, spec.outputs_key, spec.output_keys, &mut object, diagnostics);
    let errors = read_errors(spec, "errors", &mut object, diagnostics);
    let options = object.get("options").and_then(|node| CheckedObject::new(node, spec.option_keys, diagnostics));
    let scope = read_scope(spec, &mut object, diagnostics);
    Method {
        http_method,
        id: object.string("id"),
        info: object.string(spec.info_key),
        scope,
        parameters,
        outputs,
        errors,
        constraints: object.get("constraints").cloned(),
        handler: object.get("handler").cloned(),
        options: options.as_ref().map(|object| DeclaredOptions::read(object, false)).unwrap_or_default(),
        span: object.span,
        is_incomplete: object.is_incomplete,
        has_errors: object.is_incomplete || diagnostics.len() > before,
    }
}

/// Reads the scope of a method; `None` if the method has none.
pub(super) fn read_scope(
    spec: &DialectSpec,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<PermissionGroups> {
    let before = diagnostics.len();
    let groups = read_permission_groups(spec, object.get(spec.scope_key)?, diagnostics);
    object.is_incomplete |= diagnostics.len() > before;
    Some(groups)
}

/// Reads the groups of permissions in an array. Invalid groups are reported and omitted.
pub(crate) fn read_permission_groups(
    spec: &DialectSpec,
    node: &JsonNode,
    diagnostics: &mut Vec<Diagnostic>,
) -> PermissionGroups {
    let key = spec.scope_key;
    let mut groups = PermissionGroups::new();
    let JsonData::Array(items) = &node.data else { return groups };
    for group in items {
        let permissions = match &group.data {
            JsonData::Array(permissions) => permissions.as_slice(),
            JsonData::String(_) if spec.allows_single_permissions => std::slice::from_ref(group),
            _ => {
                let expected = match spec.allows_single_permissions {
                    true => "a string or an array of strings",
                    false => "an array of strings",
                };
                let error = wrong_kind_error(&format!("each group of `{key}`"), expected, group);
                diagnostics.push(error.help(format!(
                    "`{key}` is an OR of ANDs: `[[\"a\", \"b\"], [\"c\"]]` requires both `a` and `b`, or else `c`"
                )));
                continue;
            }
        };
        let others = permissions.iter().filter(|permission| !matches!(permission.data, JsonData::String(_)));
        diagnostics
            .extend(others.map(|other| wrong_kind_error(&format!("each permission of `{key}`"), "a string", other)));
        let all: Vec<_> = permissions.iter().filter_map(JsonNode::string).collect();
        // A group is kept only if all its permissions are valid, because a shorter group would require less of callers.
        if all.len() == permissions.len() {
            groups.push(Spanned::new(all, group.span));
        }
    }
    groups
}

/// Reads the parameters, outputs or fields under `key`, whose keys are in `keys`.
pub(super) fn read_fields(
    spec: &DialectSpec,
    key: &str,
    keys: &'static KeyTable,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Field> {
    object.objects_by_name(key, keys, diagnostics, |key, object, diagnostics| Field {
        key,
        name: object.string("name"),
        info: object.string(spec.info_key),
        header: object.string("header"),
        r#type: read_type(spec, object, diagnostics),
        optional: object.bool("optional"),
        default: object.json("default"),
        example: object.json("example"),
        message: object.string("message"),
        is_incomplete: object.is_incomplete,
    })
}

pub(super) fn read_errors(
    spec: &DialectSpec,
    key: &str,
    object: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<DeclaredError> {
    object.objects_by_name(key, spec.error_keys, diagnostics, |name, object, _| DeclaredError {
        name,
        status: object.integer("status"),
        info: object.string(spec.info_key),
        number: object.integer("number"),
        is_incomplete: object.is_incomplete,
    })
}

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
