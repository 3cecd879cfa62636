//! The dialects, which are the three formats in which the file of an API module may be written: `tree`, `methods` and
//! `rules`.
//!
//! This Rust module detects the dialect of a file and converts the file to the structures of [`super::parsed`]. All
//! later code is independent of the dialect, except for what its [`DialectSpec`] contains.

mod methods;
mod rules;
mod tree;

pub(super) use methods::read_file as read_methods_file;
pub(super) use rules::read_file as read_rules_file;
pub(super) use tree::{read_file as read_tree_file, read_tree_module};

use serde_json::{Map, Value as Json};

use super::checked_object::{CheckedObject, named_members, wrong_kind_error};
use super::dialect_spec::{DIALECTS, DialectSpec, METHODS, RULES, TREE};
use super::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use super::keys::methods::SEPARATOR;
use super::keys::{
    AFTER_ATTRIBUTE, JsonKind, KeySpec, KeyTable, MODULE, NESTED_ATTRIBUTES, NULLABLE_ATTRIBUTE, TYPE_ATTRIBUTES,
};
use super::parsed::{Attribute, DeclaredError, Field, Method, Module, NestedType, PermissionGroups, Schema, TypeSpec};
use crate::constraint::{CONSTRAINTS_KEY, entry_path};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::method_options::DeclaredOptions;
use crate::span::{Span, Spanned};

/// Reads the API modules of a file. `name` is the name of an API module for which the file does not set a name.
pub(super) type ReadFile = fn(name: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module>;

/// Reads the setting `common`. The second result is `true` if the parameters are written as rules.
pub(super) fn read_common_parameters(
    settings: &mut CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Field>, bool) {
    let members = match settings.get("common").map(|node| &node.data) {
        Some(JsonData::Object(members)) => members,
        _ => return (Vec::new(), false),
    };
    if rules::are_rules(members) {
        let rules = settings.object("common", &rules::COMMON_RULES, diagnostics);
        (rules.map_or_else(Vec::new, |object| rules::read_common_rules(&object, diagnostics)), true)
    } else {
        (DialectReader { spec: &TREE, diagnostics }.read_fields("common", TREE.parameter_keys, settings), false)
    }
}

/// The names of HTTP methods, which show that a file is in the dialect `tree` unless their values belong to another
/// one.
pub(crate) const HTTP_METHOD_NAMES: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

/// The keys which show that an object under a key such as `get` is a method or a URI of the dialect `tree`, and not a
/// class of the dialect `rules`. Some are keys of the dialect `methods`, which authors may have written by mistake.
pub(crate) const TREE_OBJECT_KEYS: [&str; 12] =
    ["/", "GET", "POST", "PUT", "DELETE", "PATCH", "in", "out", "errors", "options", "parameters", "output"];

/// Returns `true` if what the file of an API module contains can belong to some versions of the API only: not the rules
/// of PhalApi.
pub(super) fn can_have_versions(node: &JsonNode) -> bool {
    let dialect = match &node.data {
        JsonData::Object(members) => detect_dialect(members).ok(),
        _ => None,
    };
    dialect.is_some_and(|dialect| dialect.name != RULES.name)
}

pub(super) fn read_api_modules(name: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let dialect = match &node.data {
        JsonData::Array(_) => Ok(&TREE),
        JsonData::Object(members) => detect_dialect(members),
        _ => Err(wrong_kind_error("a definition", "an object or an array", node)),
    };
    match dialect {
        Ok(dialect) => (dialect.read_file)(name, node, diagnostics),
        Err(error) => {
            diagnostics.push(error);
            Vec::new()
        }
    }
}

fn detect_dialect(members: &JsonMembers) -> Result<&'static DialectSpec, Diagnostic> {
    let dialect = members.list.iter().find(|member| member.key.value == "dialect");
    if let Some(member) = dialect {
        return dialect_by_name(&member.value);
    }
    if members.list.iter().any(is_tree_member) {
        return Ok(&TREE);
    }
    let content: Vec<&JsonMember> = members.list.iter().filter(|member| !member.is_comment()).collect();
    let inner_keys = || {
        let inner_members = content.iter().filter_map(|member| match &member.value.data {
            JsonData::Object(inner) => Some(&inner.list),
            _ => None,
        });
        inner_members.flatten().map(|member| member.key.value.as_str())
    };
    if inner_keys().any(|key| key.contains(SEPARATOR)) {
        return Ok(&METHODS);
    }
    let is_tree_method = |member: &&JsonMember| is_http_method_name(&member.key.value) && !is_class(&member.value);
    // If the top-level objects contain HTTP methods or `/`, the file is probably a `tree` whose author forgot the `/`
    // above the URIs. Otherwise, it is a file of `rules`.
    let has_uris = inner_keys().any(|key| key == "/" || HTTP_METHOD_NAMES.contains(&key));
    let has_classes = content.iter().any(|member| is_object_or_empty_array(&member.value));
    let is_tree = content.iter().any(is_tree_method) || has_uris || !has_classes;
    Ok(if is_tree { &TREE } else { &RULES })
}

fn dialect_by_name(node: &JsonNode) -> Result<&'static DialectSpec, Diagnostic> {
    let JsonData::String(name) = &node.data else {
        return Err(wrong_kind_error("`dialect`", "a string", node));
    };
    let names = DIALECTS.iter().map(|dialect| dialect.name);
    match DIALECTS.iter().find(|dialect| dialect.name == name) {
        Some(dialect) => Ok(dialect),
        None => Err(Diagnostic::new(DiagnosticCode::UnknownDialect, node.span, format!("unknown dialect `{name}`"))
            .help(format!("the dialects are {}", quoted_list(names.clone())))
            .suggest(name, names)),
    }
}

/// Returns `true` for what only the dialect `tree` has: `/`, a setting of the module, schemas, a limit of requests, or
/// an object with `info` under a name in upper case or of an HTTP method.
fn is_tree_member(member: &JsonMember) -> bool {
    let key = &member.key.value;
    let is_uppercase = key.bytes().all(|byte| byte.is_ascii_uppercase());
    key == "/"
        || match &member.value.data {
            JsonData::Object(inner) if key == "schemas" => inner.list.iter().any(is_described),
            JsonData::Object(inner) if key == "rate_limit" => inner.list.iter().any(is_number_of_requests),
            JsonData::Object(inner) => {
                (is_uppercase || is_http_method_name(key)) && inner.list.iter().any(is_description_member)
            }
            _ => MODULE.keys.iter().any(|known| known.name == key),
        }
}

fn is_http_method_name(key: &str) -> bool {
    HTTP_METHOD_NAMES.iter().any(|name| name.eq_ignore_ascii_case(key))
}

/// Returns `true` for the number of requests of a limit. In a class of the dialect `rules`, the value would be an
/// object.
fn is_number_of_requests(member: &JsonMember) -> bool {
    member.key.value == "requests" && matches!(member.value.data, JsonData::Number(_))
}

fn is_described(member: &JsonMember) -> bool {
    matches!(&member.value.data, JsonData::Object(inner) if inner.list.iter().any(is_description_member))
}

fn is_description_member(member: &JsonMember) -> bool {
    member.key.value == "info" && matches!(member.value.data, JsonData::String(_))
}

/// Returns `true` if the value of a key such as `Post` is a class of the dialect `rules`: all its members are methods,
/// which are objects, or have keys that begin with `@`.
fn is_class(node: &JsonNode) -> bool {
    let is_class_member = |member: &JsonMember| {
        let key = member.key.value.as_str();
        key.starts_with('@') || (is_object_or_empty_array(&member.value) && !TREE_OBJECT_KEYS.contains(&key))
    };
    match &node.data {
        JsonData::Object(members) => {
            let mut content = members.list.iter().filter(|member| !member.is_comment()).peekable();
            content.peek().is_some() && content.all(is_class_member)
        }
        _ => is_object_or_empty_array(node),
    }
}

/// Returns `true` for the values of classes and of their methods. PHP writes an empty array as `[]`.
fn is_object_or_empty_array(node: &JsonNode) -> bool {
    match &node.data {
        JsonData::Object(_) => true,
        JsonData::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Returns the span of the first byte of a value. Diagnostics show this span if the whole value is too long.
fn first_byte_span(span: Span) -> Span {
    span.slice(0, 1)
}

fn quoted_list(names: impl Iterator<Item = &'static str>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Reads what files of a dialect contain, and reports its errors.
pub(crate) struct DialectReader<'r> {
    pub(crate) spec: &'static DialectSpec,
    pub(crate) diagnostics: &'r mut Vec<Diagnostic>,
}

impl DialectReader<'_> {
    fn read_method(&mut self, http_method: Spanned<String>, mut object: CheckedObject<'_>) -> Method {
        let spec = self.spec;
        let before = self.diagnostics.len();
        let parameters = self.read_fields(spec.parameters_key, spec.parameter_keys, &mut object);
        let outputs = self.read_fields(spec.outputs_key, spec.output_keys, &mut object);
        let errors = self.read_errors("errors", &mut object);
        let options =
            object.get("options").and_then(|node| CheckedObject::new(node, spec.option_keys, self.diagnostics));
        let scope = self.read_scope(&mut object);
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
            has_errors: object.is_incomplete || self.diagnostics.len() > before,
        }
    }

    /// Reads the scope of a method; `None` if the method has none.
    fn read_scope(&mut self, object: &mut CheckedObject<'_>) -> Option<PermissionGroups> {
        let before = self.diagnostics.len();
        let groups = read_permission_groups(self.spec, object.get(self.spec.scope_key)?, self.diagnostics);
        object.is_incomplete |= self.diagnostics.len() > before;
        Some(groups)
    }

    /// Reads the parameters, outputs or fields under `key`, whose keys are in `keys`.
    fn read_fields(&mut self, key: &str, keys: &'static KeyTable, object: &mut CheckedObject<'_>) -> Vec<Field> {
        let spec = self.spec;
        object.objects_by_name(key, keys, self.diagnostics, |key, object, diagnostics| Field {
            key,
            name: object.string("name"),
            info: object.string(spec.info_key),
            header: object.string("header"),
            r#type: DialectReader { spec, diagnostics }.read_type(object),
            optional: object.bool("optional"),
            default: object.json("default"),
            example: object.json("example"),
            message: object.string("message"),
            is_incomplete: object.is_incomplete,
        })
    }

    fn read_errors(&mut self, key: &str, object: &mut CheckedObject<'_>) -> Vec<DeclaredError> {
        let spec = self.spec;
        object.objects_by_name(key, spec.error_keys, self.diagnostics, |name, object, _| DeclaredError {
            name,
            status: object.integer("status"),
            info: object.string(spec.info_key),
            number: object.integer("number"),
            is_incomplete: object.is_incomplete,
        })
    }

    pub(in crate::definition) fn read_schemas(&mut self, key: &str, object: &mut CheckedObject<'_>) -> Vec<Schema> {
        let spec = self.spec;
        object.objects_by_name(key, spec.schema_keys, self.diagnostics, |name, object, diagnostics| {
            let mut r#type = DialectReader { spec, diagnostics }.read_type(object);
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

    fn read_type(&mut self, object: &mut CheckedObject<'_>) -> TypeSpec {
        let mut r#type = TypeSpec { term: object.string("type"), ..TypeSpec::default() };
        let attributes = self.read_attributes("", object, &mut r#type);
        let outermost = attributes_in(&[&AFTER_ATTRIBUTE, &NULLABLE_ATTRIBUTE], object);
        r#type.attributes = attributes.into_iter().chain(outermost).collect();
        if let Some(span) = object.get("fields").map(|node| node.span) {
            r#type.fields = Some(Spanned::new(self.read_fields("fields", self.spec.field_keys, object), span));
        }
        r#type
    }

    /// Returns the attributes of a type, or those of an array's items. Adds the parts of their values to `type`, with
    /// paths that begin with `prefix`, such as `items.`.
    fn read_attributes(
        &mut self,
        prefix: &str,
        object: &mut CheckedObject<'_>,
        r#type: &mut TypeSpec,
    ) -> Vec<Attribute> {
        // The attributes of items come before those of the array, and the most deeply nested ones first.
        let items = self.read_items(prefix, object, r#type);
        r#type.parts.extend(constraint_entries(prefix, object));
        let nested = NESTED_ATTRIBUTES.iter();
        let nested: Vec<_> =
            nested.filter_map(|attribute| self.read_nested_types(prefix, attribute, object, r#type)).collect();
        attributes_in(&[&TYPE_ATTRIBUTES], object).into_iter().chain(nested).chain(items).collect()
    }

    /// Returns the attribute `items` of a type, and adds the attributes in it to the parts of the type.
    fn read_items(&mut self, prefix: &str, object: &mut CheckedObject<'_>, r#type: &mut TypeSpec) -> Option<Attribute> {
        let member = object.members().find(|member| member.key.value == "items")?;
        let mut items = object.object("items", self.spec.item_keys, self.diagnostics)?;
        let prefix = format!("{prefix}items.");
        let attributes = self.read_attributes(&prefix, &mut items, r#type);
        object.is_incomplete |= items.is_incomplete;
        let json: Map<_, _> = attributes.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
        let with_path = |(key, value): Attribute| (key.map(|key| format!("{prefix}{key}")), value);
        r#type.parts.extend(attributes.into_iter().map(with_path));
        Some((member.key.clone(), Spanned::new(Json::Object(json), member.value.span)))
    }

    /// Returns an attribute whose value is a type or several types, and adds these types to `type`.
    fn read_nested_types(
        &mut self,
        prefix: &str,
        attribute: &KeySpec,
        object: &mut CheckedObject<'_>,
        r#type: &mut TypeSpec,
    ) -> Option<Attribute> {
        let member = object.members().find(|member| member.key.value == attribute.name)?;
        let path = format!("{prefix}{}", attribute.name);
        let mut read = |name: Option<&str>, node: &JsonNode| {
            let nested = self.read_nested_type(&path, name, node);
            object.is_incomplete |= nested.is_incomplete;
            r#type.nested.push(nested);
            node.json()
        };
        let json = match (attribute.kind, &member.value.data) {
            (JsonKind::Types(_), JsonData::Array(types)) => types.iter().map(|node| read(None, node)).collect(),
            (JsonKind::Types(_), JsonData::Object(types)) => {
                let read_member =
                    |JsonMember { key, value }: &JsonMember| (key.value.clone(), read(Some(&key.value), value));
                Json::Object(named_members(types).map(read_member).collect())
            }
            (JsonKind::Type(_), _) => read(None, &member.value),
            _ => return None,
        };
        if let JsonData::Object(members) = &member.value.data {
            object.is_incomplete |= members.is_incomplete;
        }
        Some((member.key.clone(), Spanned::new(json, member.value.span)))
    }

    /// Reads a type in an attribute. A value that is neither a term nor an object is reported.
    pub(crate) fn read_nested_type(&mut self, attribute: &str, name: Option<&str>, node: &JsonNode) -> NestedType {
        let (r#type, is_incomplete) = match &node.data {
            JsonData::String(_) => (Some(TypeSpec { term: node.string(), ..TypeSpec::default() }), false),
            JsonData::Object(_) => match CheckedObject::new(node, self.spec.nested_type_keys, self.diagnostics) {
                Some(mut object) => {
                    let r#type = self.read_type(&mut object);
                    (Some(r#type), object.is_incomplete)
                }
                None => (None, true),
            },
            _ => {
                let subject = format!("each type in `{attribute}`");
                self.diagnostics.push(wrong_kind_error(&subject, "a string or an object", node));
                (None, true)
            }
        };
        let (attribute, name) = (attribute.to_owned(), name.map(str::to_owned));
        NestedType { attribute, name, r#type, span: node.span, is_incomplete }
    }
}

/// Returns the attributes of an object whose keys are in these tables, without those that contain types.
fn attributes_in(tables: &[&'static KeyTable], object: &CheckedObject<'_>) -> Vec<Attribute> {
    let is_attribute = |member: &&JsonMember| tables.iter().any(|table| table.find(&member.key.value).is_some());
    let to_attribute = |member: &JsonMember| (member.key.clone(), Spanned::new(member.value.json(), member.value.span));
    object.members().filter(is_attribute).map(to_attribute).collect()
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

/// Returns the entries of the attribute `constraints`, and their keys and names, by their paths.
fn constraint_entries(prefix: &str, object: &CheckedObject<'_>) -> Vec<Attribute> {
    let Some(JsonNode { data: JsonData::Array(entries), .. }) = object.get(CONSTRAINTS_KEY) else { return Vec::new() };
    let part = |index: usize, part: Option<&str>, span: Span, json: Json| {
        (Spanned::new(format!("{prefix}{}", entry_path(index, part)), span), Spanned::new(json, span))
    };
    let parts = |(index, entry): (usize, &JsonNode)| {
        let texts = entry.texts().into_iter().map(|(text, span)| part(index, Some(text), span, Json::Null));
        [part(index, None, entry.span, entry.json())].into_iter().chain(texts).collect::<Vec<_>>()
    };
    entries.iter().enumerate().flat_map(parts).collect()
}
