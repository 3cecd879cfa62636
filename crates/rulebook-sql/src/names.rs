//! The names that the statements of a method use for values: parameters, their members (`:order.customer.id`), facts
//! about uploaded files, and the caller. A parameter that no statement uses is an error: a statement without the
//! condition on a parameter, because of a forgotten colon, would affect other rows than the request names.

use std::sync::Arc;

use rulebook::HttpMethod;
use rulebook::handler_kind::settings::texts;
use rulebook::handler_kind::{HandledMethod, HandlerError};
use rulebook::model::Versions;
use rulebook::types::{Arity, Check, Structure, Value};
use rulebook_model::constraint::{Constraint, ConstraintKind};
use rulebook_model::model::{Idempotency, Location, Method, Parameter};
use rulebook_model::span::Spanned;
use serde_json::json;

use crate::call::Step;
use crate::database::Dialect;
use crate::handler_settings::{INSERTED, SQL};
use crate::value::{FILE_FACTS, IDENTITY_NAMES, Moments, NamedValue, Source, Target, decimal_term};

/// The name before the name of a parameter, for whether the client has sent it: `:given.title`.
const GIVEN: &str = "given";

/// The name before the name of a parameter, for its value as JSON text: `:json.note`.
const JSON: &str = "json";

/// The names that the statements of a method use, without duplicates.
pub(crate) struct Names<'m, 'a> {
    method: &'m HandledMethod<'a>,
    dialect: Dialect,
    /// The maximum size of an uploaded file in bytes.
    max_file: u64,
    pub values: Vec<NamedValue>,
}

impl<'m, 'a> Names<'m, 'a> {
    pub(crate) fn new(method: &'m HandledMethod<'a>, dialect: Dialect, max_file: u64) -> Self {
        Self { method, dialect, max_file, values: Vec::new() }
    }

    /// Returns the index of a name in the statements. The error has no span.
    pub(crate) fn index_of(&mut self, name: &str) -> Result<usize, HandlerError> {
        if let Some(index) = self.values.iter().position(|value| value.name == name) {
            return Ok(index);
        }
        let value = self.find(name)?;
        self.values.push(value);
        Ok(self.values.len() - 1)
    }

    /// Adds a value that the call finds itself, and returns its index.
    pub(crate) fn computed(&mut self, name: &str, target: Target) -> usize {
        self.values.push(NamedValue::new(name, Source::Computed, target));
        self.values.len() - 1
    }

    fn find(&self, name: &str) -> Result<NamedValue, HandlerError> {
        if let Some(identity) = name.strip_prefix("identity.") {
            return match identity.split_once('.') {
                None if identity == "name" => Ok(NamedValue::new(name, Source::IdentityName, Target::Text)),
                None if identity == "permissions" => {
                    Ok(NamedValue::new(name, Source::IdentityPermissions, Target::Nested))
                }
                Some(("claims", claim)) => self.claim(name, claim),
                _ => {
                    let error = HandlerError::new(format!("the identity of a caller has no value `{name}`"));
                    Err(error.suggest(name, "values", &IDENTITY_NAMES))
                }
            };
        }
        match name.split_once('.') {
            Some((GIVEN, path)) if self.find_parameter(GIVEN).is_none() => self.given(name, path),
            Some((JSON, path)) if self.find_parameter(JSON).is_none() => self.parameter(name, path),
            _ => self.file_fact(name).unwrap_or_else(|| self.parameter(name, name)),
        }
    }

    /// Returns the value of a claim. Its type is known if all authenticators that declare claims give it the same type.
    fn claim(&self, name: &str, claim: &str) -> Result<NamedValue, HandlerError> {
        let value = |target| NamedValue::new(name, Source::IdentityClaim(claim.to_owned()), target);
        let declared = &self.method.api.claims;
        let found = declared
            .iter()
            .filter_map(|claims| claims.find(claim))
            .map(|(known, path)| member_type(&known.r#type.check, &known.name, &path));
        let (types, errors): (Vec<_>, Vec<_>) = found.partition(Result::is_ok);
        if types.is_empty() && !declared.is_empty() {
            let names = declared.iter().flat_map(|claims| &claims.claims).map(|claim| claim.name.as_str());
            let unknown = HandlerError::new(format!("the setting `auth` declares no claim `{claim}`"));
            let unknown = unknown.suggest(claim, "claims", &names.collect::<Vec<_>>());
            return Err(errors.into_iter().find_map(Result::err).unwrap_or(unknown));
        }
        let is_declared_by_all = types.len() == declared.len();
        let mut types = types.into_iter().flatten().flatten();
        Ok(match types.next() {
            Some(check) if is_declared_by_all && types.all(|other| other.type_expr() == check.type_expr()) => {
                typed(value(Target::of_argument(&*check)), &check)
            }
            _ => value(Target::Any),
        })
    }

    /// Splits a name at its dots: the index of the parameter, and the names of the members in it.
    fn split(&self, name: &str) -> Result<(usize, Vec<String>), HandlerError> {
        if let Some(index) = self.find_parameter(name) {
            return Ok((index, Vec::new()));
        }
        let mut names = name.split('.');
        let parameter = names.next().unwrap_or_default();
        let index = self.find_parameter(parameter).ok_or_else(|| self.unknown_name(parameter))?;
        Ok((index, names.map(str::to_owned).collect()))
    }

    /// Returns the value that says whether the client has sent a parameter or a member of one. `path` is its name.
    fn given(&self, name: &str, path: &str) -> Result<NamedValue, HandlerError> {
        let (index, path) = self.split(path)?;
        let parameter = &self.method.method.parameters[index];
        member_type(&parameter.r#type.check, &parameter.name, &path)?;
        if parameter.default.is_some() && path.is_empty() {
            let message = format!(
                "`{}` has a default, so that it has a value whether the client sends it or not",
                parameter.name
            );
            return Err(HandlerError::new(message).help("remove the `default`, and make the parameter optional"));
        }
        Ok(NamedValue::new(name, Source::Given(index, path), Target::Bool))
    }

    /// Returns the value of a parameter or of a member of one. `path` is its name, and `name` that in the statement.
    fn parameter(&self, name: &str, path: &str) -> Result<NamedValue, HandlerError> {
        let is_json = name != path;
        let (index, path) = self.split(path)?;
        let parameter = &self.method.method.parameters[index];
        let mut request = parameter.clone();
        if !path.is_empty() {
            // Error responses name the member.
            request.key = format!("{}.{}", parameter.request_name(), path.join("."));
        }
        let value = |target| NamedValue {
            request: Some(request),
            is_json,
            ..NamedValue::new(name, Source::Parameter(index, path.clone()), target)
        };
        let Some(check) = member_type(&parameter.r#type.check, &parameter.name, &path)? else {
            return Ok(value(Target::Any));
        };
        let target = match check.arity() {
            Arity::File => Target::Binary,
            Arity::Files => return Err(list_of_files_error(parameter)),
            _ => Target::of_argument(&*check),
        };
        let max_bytes = check.max_size().bytes.filter(|_| target == Target::Binary);
        if let Some(max) = max_bytes.filter(|max| *max > self.max_file) {
            let limit = self.max_file;
            let message =
                format!("`{name}` can be a file of {max} bytes, but a statement accepts files of {limit} bytes");
            return Err(HandlerError::new(message).help("reduce the `max` of the parameter, or set `max_file`"));
        }
        if self.dialect == Dialect::Mysql && !is_json && target == Target::Any {
            let message =
                format!("`:{name}` can have several types, and the database does not say whether it expects JSON");
            let help = format!("write `:json.{name}` for JSON, or declare the type of the parameter, such as `string`");
            return Err(HandlerError::new(message).help(help));
        }
        Ok(NamedValue { max_bytes, ..typed(value(target), &check) })
    }

    /// Returns a fact about the uploaded file of a parameter, such as its size: `file.size`.
    fn file_fact(&self, name: &str) -> Option<Result<NamedValue, HandlerError>> {
        let (parameter, fact) = name.rsplit_once('.')?;
        let index = self.find_parameter(parameter)?;
        let parameter = &self.method.method.parameters[index];
        match parameter.r#type.check.arity() {
            Arity::File => {}
            Arity::Files => return Some(Err(list_of_files_error(parameter))),
            _ => return None,
        }
        let Some((_, fact, target)) = FILE_FACTS.into_iter().find(|(known, ..)| *known == fact) else {
            let error = HandlerError::new(format!("an uploaded file has no value `{fact}`"));
            return Some(Err(error.suggest(fact, "values", &FILE_FACTS.map(|(known, ..)| known))));
        };
        let request = Some(parameter.clone());
        Some(Ok(NamedValue { request, ..NamedValue::new(name, Source::FileFact(index, fact), target) }))
    }

    fn find_parameter(&self, name: &str) -> Option<usize> {
        self.method.method.parameters.iter().position(|parameter| parameter.name == name)
    }

    fn unknown_name(&self, name: &str) -> HandlerError {
        if name == INSERTED {
            let error = HandlerError::new("no earlier statement of the list inserts a row");
            return error.help("write the `insert` before the statements that use `:inserted`");
        }
        let parameters = self.method.method.parameters.iter().map(|parameter| parameter.name.as_str());
        let error = HandlerError::new(format!("the method has no parameter `{name}`"));
        error.suggest(name, "names", &parameters.chain(IDENTITY_NAMES).collect::<Vec<_>>())
    }
}

fn typed(value: NamedValue, check: &Arc<dyn Check>) -> NamedValue {
    let is_accepted = |uint: u64| check.checked(Value::Uint(uint)).is_ok();
    let exceeds_i64 = value.target == Target::Integer && (is_accepted(u64::MAX) || is_accepted(1 << 63));
    NamedValue { decimal: decimal_term(&**check), moments: Moments::of(check), exceeds_i64, ..value }
}

/// Returns the parameter of a method that a setting names.
pub(crate) fn named_parameter<'m>(
    method: &HandledMethod<'m>,
    name: &Spanned<String>,
) -> Result<&'m Parameter, HandlerError> {
    let parameters = &method.method.parameters;
    parameters.iter().find(|parameter| parameter.name == name.value).ok_or_else(|| {
        let known: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let error = HandlerError::new(format!("the method has no parameter `{}`", name.value.escape_debug()));
        error.at(name.span).suggest(&name.value, "parameters", &known)
    })
}

fn list_of_files_error(parameter: &Parameter) -> HandlerError {
    let message = format!("`{}` is a list of uploaded files, which cannot be a value of a statement", parameter.name);
    HandlerError::new(message).help("declare a parameter of the type `file`, so that each call has one file")
}

/// What a type says about the member of its values that has a certain name.
enum Member {
    /// Its type, if the definition contains it.
    Known(Option<Arc<dyn Check>>),
    /// The values have only other members, with these names.
    Unknown(Vec<String>),
    /// The values have no members.
    NoObject,
}

/// `None` if the definition does not contain the type of the member. `parameter` is the name of the value.
fn member_type(
    check: &Arc<dyn Check>,
    parameter: &str,
    path: &[String],
) -> Result<Option<Arc<dyn Check>>, HandlerError> {
    let (mut check, mut owner) = (Arc::clone(check), parameter.to_owned());
    for name in path {
        match member(&*check, name) {
            Member::Known(Some(found)) => check = found,
            Member::Known(None) => return Ok(None),
            Member::Unknown(known) => {
                let known: Vec<_> = known.iter().map(String::as_str).collect();
                let error = HandlerError::new(format!("the object `{owner}` has no field `{name}`"));
                return Err(error.suggest(name, "fields", &known));
            }
            Member::NoObject => {
                let error = HandlerError::new(format!("`{owner}` is not an object, so that it has no field `{name}`"));
                return Err(error.help(format!("its values are {}", check.in_words())));
            }
        }
        owner = format!("{owner}.{name}");
    }
    Ok(Some(check))
}

fn member(check: &dyn Check, name: &str) -> Member {
    match check.structure() {
        Structure::Nullable(inner) => member(&*inner, name),
        Structure::Schema(schema) => member(&*schema.check, name),
        Structure::Map(value) => Member::Known(Some(value)),
        Structure::Object(shape) => match shape.fields.iter().find(|field| field.name == name) {
            Some(field) => Member::Known(Some(Arc::clone(&field.check))),
            None if shape.fields.is_empty() => Member::Known(None),
            None => Member::Unknown(shape.fields.into_iter().map(|field| field.name).collect()),
        },
        Structure::TaggedUnion { tag, branches } => {
            let mut known = vec![tag];
            for (_, branch) in branches {
                match member(&*branch, name) {
                    Member::Unknown(names) => known.extend(names),
                    // Objects of several types may have the member.
                    Member::Known(_) | Member::NoObject => return Member::Known(None),
                }
            }
            if known[0] == name { Member::Known(None) } else { Member::Unknown(known) }
        }
        _ if check.schema() == json!({}) => Member::Known(None),
        _ => Member::NoObject,
    }
}

/// The setting with the names of the parameters, and of members of objects, that the handler does not use on purpose.
pub(crate) const UNUSED: &str = "unused";

/// Returns an error for each parameter that is not used, and for each required member of an object whose other members
/// are used by a method that changes something, unless the setting `unused` names it. `values` are the values
/// that the statements, the choices and the page use.
pub(crate) fn unused_parameters(
    method: &HandledMethod<'_>,
    values: &[NamedValue],
    steps: &[Step],
    dialect: Dialect,
) -> Result<(), Vec<HandlerError>> {
    let parameters = &method.method.parameters;
    let is_used = |index: usize| {
        values.iter().any(|value| match &value.source {
            Source::Parameter(used, _) | Source::FileFact(used, _) => *used == index,
            // Of a value that is always given, this says nothing.
            Source::Given(used, path) => *used == index && (parameters[index].optional || !path.is_empty()),
            Source::IdentityName | Source::IdentityPermissions | Source::IdentityClaim(_) | Source::Computed => false,
        })
    };
    let members = |index: usize| {
        let paths = values.iter().filter_map(|value| match &value.source {
            Source::Parameter(used, path) if *used == index => Some(&path[..]),
            _ => None,
        });
        let paths: Vec<_> = paths.collect();
        let parameter = &parameters[index];
        let mut unused = unused_members(&*parameter.r#type.check, &parameter.name, &paths);
        // A member that only some versions have is optional in the API of all versions.
        let versions = method.api.versions.iter().filter(|_| !paths.is_empty()).flat_map(Versions::names);
        for version in versions.filter_map(|name| method.api.in_version(name)) {
            let of_version = version.methods().flat_map(|(.., method)| &method.parameters);
            for same in of_version.filter(|one| one.span == parameter.span && one.name == parameter.name) {
                unused.extend(unused_members(&*same.r#type.check, &same.name, &paths));
            }
        }
        unused.sort();
        unused.dedup();
        unused
    };
    let listed = method.optional_setting(UNUSED).map_or(Ok(Vec::new()), |node| texts(node, UNUSED))?;
    let is_listed = |name: &str| listed.iter().any(|one| one.value == name);
    let changes = method.method.http != HttpMethod::Get;
    let mut errors = Vec::new();
    let mut unused = Vec::new();
    for (index, parameter) in parameters.iter().enumerate() {
        if is_used(index) {
            unused.extend(members(index).into_iter().map(|name| (name, parameter, changes)));
        } else {
            let is_error = !needs_no_handler(method, parameter, is_used);
            unused.push((parameter.name.clone(), parameter, is_error));
        }
    }
    for name in &listed {
        if unused.iter().any(|(unused, ..)| *unused == name.value) {
            continue;
        }
        if parameters.iter().any(|parameter| name.value.split('.').next() == Some(&parameter.name)) {
            let name_of = if name.value.contains('.') { ", or need not use, the member" } else { " the parameter" };
            let error = HandlerError::new(format!("the handler uses{name_of} `{}`", name.value)).at(name.span);
            errors.push(error.help("remove the name from `unused`"));
        } else {
            errors.extend(named_parameter(method, name).err());
        }
    }
    for (name, parameter, is_error) in unused {
        if is_error && !is_listed(&name) {
            errors.push(unused_error(&name, parameter, steps, dialect));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Returns the names of the required members of an object, such as `order.id`, that the handler does not use although
/// it uses other members. `name` is the name of the object, and `paths` are the names that lead from it to the values
/// that the handler uses.
fn unused_members(check: &dyn Check, name: &str, paths: &[&[String]]) -> Vec<String> {
    match check.structure() {
        Structure::Nullable(inner) => unused_members(&*inner, name, paths),
        Structure::Schema(schema) => unused_members(&*schema.check, name, paths),
        Structure::Object(shape) if !paths.iter().any(|path| path.is_empty()) => {
            let is_used = |name: &str| paths.iter().any(|path| path[0] == name);
            let fields = shape.fields.iter().filter(|field| !field.optional || is_used(&field.name));
            fields
                .filter(|field| is_used(&field.name) || !is_equal_to_used(&shape.constraints, &field.name, is_used))
                .flat_map(|field| {
                    let name = format!("{name}.{}", field.name);
                    let below = paths.iter().filter(|path| path[0] == field.name).map(|path| &path[1..]);
                    let below: Vec<_> = below.collect();
                    if below.is_empty() { vec![name] } else { unused_members(&*field.check, &name, &below) }
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Returns `true` if the server reads a parameter, or compares it with one that the handler uses, or if another method
/// that has the same parameter uses it: of the parameters that several methods share, each may use only some. But a
/// method that changes something uses those that are required.
fn needs_no_handler(
    HandledMethod { method, api, .. }: &HandledMethod<'_>,
    parameter: &Parameter,
    is_used: impl Fn(usize) -> bool,
) -> bool {
    let name = &parameter.name;
    let of_versions = api.versions.as_ref().and_then(|versions| versions.header.as_deref());
    let of_repeats = method.options.idempotent.map(|_| Idempotency::HEADER);
    let is_read_by_server = parameter.from == Location::Header
        && of_versions.into_iter().chain(of_repeats).any(|field| field.eq_ignore_ascii_case(&parameter.key));
    let is_named = |name: &str| method.parameters.iter().position(|it| it.name == name).is_some_and(&is_used);
    let handler = |method: &Method| method.handler.as_ref().map(|handler| handler.span);
    let mut others = api.methods().map(|(_, _, other)| other).filter(|other| handler(other) != handler(method));
    let uses = |other: &Method| {
        let statements = other.handler.as_ref().filter(|handler| handler.setting(SQL).is_some());
        let text = statements.map(|handler| handler.to_json().to_string()).unwrap_or_default();
        let names_it =
            text.contains(&format!(":{name}")) || text.contains(&format!("\"{name}\"")) || text.contains("\"file\"");
        (names_it || statements.is_none()) && other.parameters.iter().any(|it| it.span == parameter.span)
    };
    let may_ignore = parameter.optional || parameter.default.is_some() || method.http == HttpMethod::Get;
    let is_equal = is_equal_to_used(&method.constraints, name, is_named);
    is_read_by_server || is_equal || (may_ignore && others.any(uses))
}

/// Returns `true` if a value must be equal to one that is used, directly or by others.
fn is_equal_to_used(constraints: &[Constraint], name: &str, is_used: impl Fn(&str) -> bool) -> bool {
    let mut equal = vec![name];
    let mut known = 0;
    while known < equal.len() {
        known = equal.len();
        let kinds = constraints.iter().filter(|constraint| constraint.kind == ConstraintKind::Equal);
        let names = kinds.filter(|it| it.names.iter().any(|name| equal.contains(&name.as_str())));
        let names: Vec<_> = names.flat_map(|it| it.names.iter().map(String::as_str)).collect();
        let added: Vec<_> = names.into_iter().filter(|name| !equal.contains(name)).collect();
        equal.extend(added);
        equal.sort_unstable();
        equal.dedup();
    }
    equal.iter().any(|name| is_used(name))
}

fn unused_error(name: &str, parameter: &Parameter, steps: &[Step], dialect: Dialect) -> HandlerError {
    let quoted = steps.iter().flat_map(|step| &step.variants).find_map(|it| it.help_for_quoted(name, dialect));
    let column = name.rsplit('.').next().unwrap_or(name);
    let help = quoted.unwrap_or_else(|| format!("write `:{name}` in a statement, such as `where {column} = :{name}`"));
    let intended = format!("if the handler does not need the value, add `\"{UNUSED}\": [\"{name}\"]` to the handler");
    HandlerError::new(format!("the handler does not use the parameter `{name}`"))
        .at(parameter.span)
        .help(format!("{help}; {intended}"))
}
