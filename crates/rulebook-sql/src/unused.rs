//! Finds the parameters that a handler does not use. A statement without the condition on a parameter, because of a
//! forgotten colon, would affect other rows than the request names.

use rulebook::HttpMethod;
use rulebook::handler_kind::settings::texts;
use rulebook::handler_kind::{HandledMethod, HandlerError};
use rulebook::model::Versions;
use rulebook::types::{Check, Structure};
use rulebook_model::constraint::{Constraint, ConstraintKind};
use rulebook_model::model::{Idempotency, Location, Method, Parameter};

use crate::call::Step;
use crate::database::Dialect;
use crate::handler_settings::SQL;
use crate::value::{NamedValue, Source};

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
        let known: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        if known.iter().any(|one| name.value.split('.').next() == Some(*one)) {
            let name_of = if name.value.contains('.') { ", or need not use, the member" } else { " the parameter" };
            let error = HandlerError::new(format!("the handler uses{name_of} `{}`", name.value)).at(name.span);
            errors.push(error.help("remove the name from `unused`"));
        } else {
            let error = HandlerError::new(format!("the method has no parameter `{}`", name.value.escape_debug()));
            errors.push(error.at(name.span).suggest(&name.value, "parameters", &known));
        }
    }
    for (name, parameter, is_error) in unused {
        if is_error && !is_listed(&name) {
            errors.push(unused_error(&name, parameter, steps, dialect));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Returns the names of the required members, such as `order.id`, of an object of which the handler uses only others.
/// `name` is that of the object, and `paths` are the names that lead from it to what the handler uses.
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

/// Returns the error for a parameter, or for a member of it, with this name.
fn unused_error(name: &str, parameter: &Parameter, steps: &[Step], dialect: Dialect) -> HandlerError {
    let quoted = steps.iter().flat_map(|step| &step.variants).find_map(|it| it.help_for_quoted(name, dialect));
    let column = name.rsplit('.').next().unwrap_or(name);
    let help = quoted.unwrap_or_else(|| format!("write `:{name}` in a statement, such as `where {column} = :{name}`"));
    let intended = format!("if the handler does not need the value, add `\"{UNUSED}\": [\"{name}\"]` to the handler");
    HandlerError::new(format!("the handler does not use the parameter `{name}`"))
        .at(parameter.span)
        .help(format!("{help}; {intended}"))
}
