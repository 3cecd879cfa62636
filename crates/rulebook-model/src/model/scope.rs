//! Scopes: the permissions that methods require, and which methods a caller with given permissions can call.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Api, Location, Method, Parameter, ServiceQuery};
use crate::call::Value;
use crate::routing::ServicesByClass;
use crate::span::Span;
use crate::types::{AFTER_ATTRIBUTE, Check, all_referenced_schemas};

/// The permissions that a method requires, in groups. A caller needs all permissions of one group. A method without
/// groups is public.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Scope {
    /// The groups of permissions. A caller needs all permissions of one group. No group is empty.
    pub groups: Vec<Vec<Permission>>,
    /// The conditions on parameters under which a caller can call the method. At least one of them must be satisfied.
    ///
    /// Conditions exist only in an API that [`Api::for_permissions`](super::Api::for_permissions) returns, for methods
    /// whose permissions have variables. `None` for other methods, and if there are too many conditions.
    pub conditions: Option<Vec<ScopeCondition>>,
}

/// A condition on the parameters of a request. The map keys are the names of parameters in code. Each of these
/// parameters must have one of the listed values. The values are in the form in which a client sends them; a client may
/// also send another text that is decoded to the same value. An empty condition is always satisfied.
pub type ScopeCondition = BTreeMap<String, Vec<String>>;

impl Scope {
    /// Returns `true` if the method requires no permission.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.groups.is_empty()
    }

    /// Returns `true` if a permission contains a variable, which is replaced by the value of a parameter.
    #[must_use]
    pub fn has_variables(&self) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|permission| &permission.parts);
        parts.any(|part| matches!(part, PermissionPart::Variable(_)))
    }

    /// Returns `true` if a permission contains the variable for the parameter with this name in code.
    #[must_use]
    pub fn has_variable(&self, name: &str) -> bool {
        let mut parts = self.groups.iter().flatten().flat_map(|permission| &permission.parts);
        parts.any(|part| matches!(part, PermissionPart::Variable(known) if known == name))
    }
}

/// A permission that a method requires. It can contain variables in brackets: `reader`, `user[user_id]`,
/// `prefix[p].user[u].suffix`. A variable is replaced by the value of the parameter with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// The text of the permission in the definition.
    pub text: String,
    /// The fixed texts and variables of the permission, in order.
    pub parts: Vec<PermissionPart>,
    /// The position of the permission in the definition.
    pub span: Span,
}

/// A part of a permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionPart {
    /// A fixed text, which includes the brackets around variables.
    Literal(String),
    /// A variable: the name in code of the parameter whose value replaces it.
    Variable(String),
}

impl Permission {
    /// Parses a permission. The text between `[` and `]` is the name of a variable. Returns `None` if the text is
    /// empty, or if brackets are empty, nested or not closed.
    #[must_use]
    pub fn parse(text: &str, span: Span) -> Option<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, inside)) = rest.split_once('[') {
            let (variable, after) = inside.split_once(']')?;
            if before.contains(']') || variable.is_empty() || variable.contains('[') {
                return None;
            }
            literal.push_str(before);
            literal.push('[');
            parts.push(PermissionPart::Literal(std::mem::replace(&mut literal, "]".to_owned())));
            parts.push(PermissionPart::Variable(variable.to_owned()));
            rest = after;
        }
        if rest.contains(']') {
            return None;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(PermissionPart::Literal(literal));
        }
        (!parts.is_empty()).then(|| Self { text: text.to_owned(), parts, span })
    }

    /// Compares this required permission with a permission of a caller. Returns the values of the variables for which
    /// the two permissions are equal, or `None` if they differ for all values. The result is unambiguous, because a
    /// bracket follows each value, and values contain no brackets.
    #[must_use]
    pub fn match_values<'p>(&'p self, permission: &'p str) -> Option<BTreeMap<&'p str, &'p str>> {
        let mut values = BTreeMap::new();
        let mut rest = permission;
        for part in &self.parts {
            match part {
                PermissionPart::Literal(literal) => rest = rest.strip_prefix(&**literal)?,
                PermissionPart::Variable(name) => {
                    let (value, after) = rest.split_at(rest.find(VARIABLE_BRACKETS).unwrap_or(rest.len()));
                    if values.insert(&**name, value).is_some_and(|other| other != value) {
                        return None;
                    }
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(values)
    }
}

/// The characters around variables in permissions. The value of a variable cannot contain them.
const VARIABLE_BRACKETS: [char; 2] = ['[', ']'];

/// Returns the text that replaces a variable in permissions if its parameter has this value. Returns `None` if the
/// check rejects the value, if the value is an array, an object, a file or null, or if it contains a bracket.
#[must_use]
pub fn variable_text(check: &dyn Check, value: Value<'_>) -> Option<String> {
    let text = match check.checked(value).ok()? {
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Uint(uint) => uint.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Text(text) => Cow::into_owned(text),
        Value::Null | Value::List(_) | Value::Map(_) | Value::File(_) => return None,
    };
    (!text.contains(VARIABLE_BRACKETS)).then_some(text)
}

/// The maximum number of conditions of a method. If a method has more, the documents describe it without conditions.
const MAX_CONDITIONS: usize = 1_000;

/// The values of variables in permissions, by the names of the variables.
type VariableValues<'a> = BTreeMap<&'a str, &'a str>;

/// The methods of an API that a caller can call, with the [conditions](super::Scope::conditions) for this caller. Two
/// callers with equal values have the same documents, even if their permissions differ.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct CallableMethods(
    /// The access to each method that is not public, in the order of the API.
    Vec<MethodAccess>,
);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum MethodAccess {
    /// The caller can never call the method.
    Hidden,
    /// The caller can call the method under these conditions, as in [`Scope::conditions`](super::Scope::conditions).
    Callable(Option<Vec<ScopeCondition>>),
}

impl Api {
    /// Returns the part of the API that a caller with these permissions can call. It contains public methods, and
    /// methods with a permission group of which the caller has all permissions, for at least some values of the
    /// variables. Services without methods and API modules without services are omitted.
    ///
    /// Scopes keep their groups, and get the [conditions](super::Scope::conditions) for this caller. A condition
    /// contains a value of a variable only if a request can send that value, which is so if the check of the parameter
    /// returns a [text](crate::types::Check::text_for) for it. If a type has the attribute `after`, other texts may be
    /// converted to the value; conditions do not contain these texts.
    #[must_use]
    pub fn for_permissions(&self, permissions: &[Box<str>]) -> Self {
        self.limited_to(&self.callable_methods(permissions))
    }

    /// Returns the methods that a caller with these permissions can call. This function is much faster than
    /// [`Api::for_permissions`], because it does not copy the API.
    #[must_use]
    pub fn callable_methods(&self, permissions: &[Box<str>]) -> CallableMethods {
        let methods = self.methods().map(|(.., method)| method).filter(|method| !method.scope.is_public());
        let access = methods.map(|method| match method_conditions(method, permissions) {
            Some(conditions) if conditions.is_empty() => MethodAccess::Hidden,
            conditions => MethodAccess::Callable(conditions.filter(|_| method.scope.has_variables())),
        });
        CallableMethods(access.collect())
    }

    /// Returns the part of the API that consists of the public methods and these methods, as
    /// [`Api::for_permissions`] does. The methods must have been found in the same API.
    #[must_use]
    pub fn limited_to(&self, callable: &CallableMethods) -> Self {
        let mut api = self.clone();
        let mut access = callable.0.iter();
        for module in &mut api.modules {
            for service in &mut module.services {
                service.methods.retain_mut(|method| {
                    if method.scope.is_public() {
                        return true;
                    }
                    let Some(MethodAccess::Callable(conditions)) = access.next() else { return false };
                    method.scope.conditions.clone_from(conditions);
                    true
                });
            }
            module.services.retain(|service| !service.methods.is_empty());
        }
        api.modules.retain(|module| !module.services.is_empty());
        if api.modules.len() < self.modules.len() || !callable.0.is_empty() {
            api.retain_used_schemas();
        }
        api.retain_known_successors();
        if !api.has_default_service() {
            api.service = ServiceQuery { default: None, ..api.service };
        }
        api
    }

    /// Removes the schemas to which no method refers. They may belong to methods that the caller cannot see.
    fn retain_used_schemas(&mut self) {
        let mut used = BTreeSet::new();
        for (.., method) in self.methods() {
            for check in method.argument_checks().chain(method.output_checks()) {
                used.extend(all_referenced_schemas(check).into_iter().map(|schema| schema.key().to_owned()));
            }
        }
        self.schemas.retain(|schema| used.contains(&schema.key));
        for module in &mut self.modules {
            module.schemas.retain(|schema| used.contains(&schema.key));
        }
    }

    /// Removes the successors of deprecated methods that are not in this API.
    fn retain_known_successors(&mut self) {
        let methods = || self.services().flat_map(|service| &service.methods);
        if methods().all(|method| method.options.deprecation.is_none()) {
            return;
        }
        let ids: BTreeSet<String> = methods().map(|method| method.id.clone()).collect();
        let services = self.modules.iter_mut().flat_map(|module| &mut module.services);
        for method in services.flat_map(|service| &mut service.methods) {
            if let Some(deprecation) = &mut method.options.deprecation {
                deprecation.successor.take_if(|id| !ids.contains(&id.value));
                // The methods of other versions are not compared with the permissions.
                deprecation.other_successor.take_if(|method| !method.is_public);
            }
        }
    }

    /// Returns `true` if the service that [`ServiceQuery::default`] names is in this API.
    fn has_default_service(&self) -> bool {
        let Some(default) = &self.service.default else { return false };
        let mut classes = ServicesByClass::new(self.catalogue.version());
        for (index, service) in self.services().enumerate() {
            classes.insert(&service.path, index);
        }
        classes.find(&default.value).is_ok()
    }
}

/// Returns the conditions under which a caller with these permissions can call a method: none if it never can, and
/// `None` if there are too many.
fn method_conditions(method: &Method, permissions: &[Box<str>]) -> Option<Vec<ScopeCondition>> {
    let groups = method.scope.groups.iter();
    let groups: Vec<_> = groups.map(|group| group_conditions(method, group, permissions)).collect();
    if groups.iter().flatten().flatten().any(BTreeMap::is_empty) {
        return Some(vec![ScopeCondition::new()]);
    }
    let groups = groups.into_iter().collect::<Option<Vec<_>>>()?;
    let mut conditions: Vec<ScopeCondition> = groups.into_iter().flatten().collect();
    let mut known = BTreeSet::new();
    conditions.retain(|condition| known.insert(condition.clone()));
    for (name, values) in conditions.iter_mut().flatten() {
        if let Some(parameter) = method.parameter(name) {
            values.iter_mut().for_each(|value| *value = request_text_for_value(parameter, value).unwrap_or_default());
        }
    }
    (conditions.len() <= MAX_CONDITIONS).then_some(conditions)
}

/// Returns the conditions under which the caller has all permissions of a group; `None` if there are too many.
fn group_conditions(method: &Method, group: &[Permission], permissions: &[Box<str>]) -> Option<Vec<ScopeCondition>> {
    let tables: Vec<_> = group.iter().map(|required| possible_variable_values(method, required, permissions)).collect();
    if tables.iter().any(Vec::is_empty) {
        return Some(Vec::new());
    }
    // Each permission has a table of variable values for which the caller has it. The tables of permissions that share
    // a variable are joined to one table. The resulting tables are independent of each other.
    let mut independent: Vec<Vec<VariableValues<'_>>> = Vec::new();
    for mut table in tables {
        let (related, others) = independent.into_iter().partition(|other| shares_variable(other, &table));
        independent = others;
        for other in related {
            table = join_value_tables(&other, &table)?;
        }
        if table.is_empty() {
            return Some(Vec::new());
        }
        independent.push(table);
    }
    let mut conditions = vec![ScopeCondition::new()];
    for table in independent {
        let alternatives = conditions_from_table(&table);
        if conditions.len().saturating_mul(alternatives.len()) > MAX_CONDITIONS {
            return None;
        }
        let both = |one: &ScopeCondition, other: &ScopeCondition| {
            one.iter().chain(other).map(|(name, values)| (name.clone(), values.clone())).collect()
        };
        conditions = conditions.iter().flat_map(|one| alternatives.iter().map(|other| both(one, other))).collect();
    }
    Some(conditions)
}

/// Returns the values of all variables in the permission `required` for which the caller has this permission.
fn possible_variable_values<'a>(
    method: &'a Method,
    required: &'a Permission,
    permissions: &'a [Box<str>],
) -> Vec<VariableValues<'a>> {
    let is_possible = |values: &VariableValues<'_>| {
        values.iter().all(|(name, value)| {
            method.parameter(name).is_some_and(|parameter| request_text_for_value(parameter, value).is_some())
        })
    };
    let values = permissions.iter().filter_map(|permission| required.match_values(permission)).filter(is_possible);
    values.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns `true` if a variable is in both tables. All rows of a table have the same variables.
fn shares_variable(one: &[VariableValues<'_>], other: &[VariableValues<'_>]) -> bool {
    one.first().zip(other.first()).is_some_and(|(one, other)| one.keys().any(|name| other.contains_key(name)))
}

/// Combines each pair of rows in which shared variables have the same values. Returns `None` if there are too many.
fn join_value_tables<'a>(one: &[VariableValues<'a>], other: &[VariableValues<'a>]) -> Option<Vec<VariableValues<'a>>> {
    let mut joined = Vec::new();
    for left in one {
        let agrees = |right: &&VariableValues<'_>| {
            right.iter().all(|(name, value)| left.get(name).is_none_or(|left_value| left_value == value))
        };
        for right in other.iter().filter(agrees) {
            joined.push(left.iter().chain(right).map(|(name, value)| (*name, *value)).collect());
            if joined.len() > MAX_CONDITIONS {
                return None;
            }
        }
    }
    Some(joined)
}

/// Converts the rows of a table to conditions. If it has only one variable, one condition lists all values.
fn conditions_from_table(rows: &[VariableValues<'_>]) -> Vec<ScopeCondition> {
    let condition = |row: &VariableValues<'_>| {
        row.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect()
    };
    match rows.first().map(BTreeMap::len) {
        Some(1) => {
            let mut one = ScopeCondition::new();
            for (name, value) in rows.iter().flatten() {
                one.entry((*name).to_owned()).or_default().push((*value).to_owned());
            }
            vec![one]
        }
        _ => rows.iter().map(condition).collect(),
    }
}

/// The result of comparing a permission that a method requires with a permission of a caller.
#[derive(Debug, Clone, PartialEq)]
pub enum PermissionMatch<'a> {
    /// The permissions differ for all values of the variables.
    Different,
    /// A request can require the permission of the caller.
    Possible,
    /// No request can require the permission of the caller, because the value of a variable is not a value of its
    /// parameter.
    ImpossibleValue {
        /// The parameter.
        parameter: &'a Parameter,
        /// The value in the permission of the caller.
        value: &'a str,
        /// The text that stands for this value in permissions. `None` if the type of the parameter rejects the value.
        normalized: Option<String>,
    },
}

/// Compares a permission in the scope of a method with a permission of a caller.
#[must_use]
pub fn match_permission<'a>(method: &'a Method, required: &'a Permission, permission: &'a str) -> PermissionMatch<'a> {
    let Some(values) = required.match_values(permission) else { return PermissionMatch::Different };
    for (name, value) in values {
        let Some(parameter) = method.parameter(name) else { return PermissionMatch::Different };
        let check = &*parameter.r#type.check;
        // Functions may convert other texts to the value, and these texts are unknown.
        let has_functions = check.type_expr().attributes.contains_key(AFTER_ATTRIBUTE);
        if !has_functions && request_text_for_value(parameter, value).is_none() {
            let normalized = variable_text(check, check.decode(Cow::Borrowed(value)));
            let normalized = normalized.filter(|text| text != value);
            return PermissionMatch::ImpossibleValue { parameter, value, normalized };
        }
    }
    PermissionMatch::Possible
}

/// Returns a text that a request can send so that the parameter has this value, or `None` if there is no such text.
fn request_text_for_value(parameter: &Parameter, value: &str) -> Option<String> {
    let check = &*parameter.r#type.check;
    let text = check.text_for(value)?;
    let is_sendable = match parameter.from {
        // A request with an empty segment omits the parameter.
        Location::Path | Location::Position(_) => !text.is_empty(),
        // Servers remove whitespace around the value of a header field (RFC 9110 section 5.5).
        Location::Header => text.trim_matches([' ', '\t']) == text && !text.contains(['\r', '\n', '\0']),
        Location::Query | Location::Body | Location::WholeBody | Location::Any | Location::Cookie => true,
    };
    let decoded = variable_text(check, check.decode(Cow::Borrowed(&text)));
    (is_sendable && decoded.is_some_and(|decoded| decoded == value)).then_some(text)
}
