//! The names that the statements of a method use for values: parameters, facts about uploaded files, and the caller.

use std::sync::Arc;

use rulebook::handler_kind::{HandledMethod, HandlerError};
use rulebook::types::{Arity, Check, Value};
use rulebook_model::model::Parameter;

use crate::database::Dialect;
use crate::member::member_type;
use crate::moments::Moments;
use crate::steps::INSERTED;
use crate::target::{Target, decimal_term};
use crate::value::{FILE_FACTS, IDENTITY_NAMES, NamedValue, Source};

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
    /// What is known about the values of the names.
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

/// Adds what the type of a value says about it.
fn typed(value: NamedValue, check: &Arc<dyn Check>) -> NamedValue {
    let is_accepted = |uint: u64| check.checked(Value::Uint(uint)).is_ok();
    let exceeds_i64 = value.target == Target::Integer && (is_accepted(u64::MAX) || is_accepted(1 << 63));
    NamedValue { decimal: decimal_term(&**check), moments: Moments::of(check), exceeds_i64, ..value }
}

fn list_of_files_error(parameter: &Parameter) -> HandlerError {
    let message = format!("`{}` is a list of uploaded files, which cannot be a value of a statement", parameter.name);
    HandlerError::new(message).help("declare a parameter of the type `file`, so that each call has one file")
}
