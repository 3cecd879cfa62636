//! The names that the statements of a method use for values: parameters, facts about uploaded files, and the caller.

use rulebook::handler_kind::{HandledMethod, HandlerError};
use rulebook::types::{Arity, Value};
use rulebook_model::model::Parameter;

use crate::moments::Moments;
use crate::target::{Target, decimal_term};
use crate::value::{FILE_FACTS, IDENTITY_NAMES, NamedValue, Source};

/// The names that the statements of a method use, without duplicates.
pub(crate) struct Names<'m, 'a> {
    method: &'m HandledMethod<'a>,
    /// The maximum size of an uploaded file in bytes.
    max_file: u64,
    /// What is known about the values of the names.
    pub values: Vec<NamedValue>,
}

impl<'m, 'a> Names<'m, 'a> {
    pub(crate) fn new(method: &'m HandledMethod<'a>, max_file: u64) -> Self {
        Self { method, max_file, values: Vec::new() }
    }

    /// Returns the index of a name in the statements. The error has no span.
    pub(crate) fn index_of(&mut self, name: &str) -> Result<usize, HandlerError> {
        if let Some(index) = self.values.iter().position(|value| value.name == name) {
            return Ok(index);
        }
        let value = self.parameter(name).or_else(|| self.file_fact(name)).unwrap_or_else(|| {
            let identity = IDENTITY_NAMES.iter().find(|(known, ..)| *known == name);
            let (_, source, target) = identity.ok_or_else(|| self.unknown_name(name))?;
            Ok(NamedValue::new(name, *source, *target))
        })?;
        self.values.push(value);
        Ok(self.values.len() - 1)
    }

    fn parameter(&self, name: &str) -> Option<Result<NamedValue, HandlerError>> {
        let index = self.find_parameter(name)?;
        let parameter = &self.method.method.parameters[index];
        let check = &parameter.r#type.check;
        let target = match check.arity() {
            Arity::File => Target::Binary,
            Arity::Files => return Some(Err(list_of_files_error(parameter))),
            _ => Target::of_argument(&**check),
        };
        let max_bytes = check.max_size().bytes.filter(|_| target == Target::Binary);
        if let Some(max) = max_bytes.filter(|max| *max > self.max_file) {
            let limit = self.max_file;
            let message =
                format!("`{name}` can be a file of {max} bytes, but a statement accepts files of {limit} bytes");
            return Some(Err(HandlerError::new(message).help("reduce the `max` of the parameter, or set `max_file`")));
        }
        let is_accepted = |uint: u64| check.checked(Value::Uint(uint)).is_ok();
        let exceeds_i64 = target == Target::Integer && (is_accepted(u64::MAX) || is_accepted(1 << 63));
        let request = Some(parameter.clone());
        let value = NamedValue::new(name, Source::Parameter(index), target);
        let decimal = decimal_term(&**check);
        Some(Ok(NamedValue { decimal, moments: Moments::of(check), exceeds_i64, max_bytes, request, ..value }))
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
        let identity = IDENTITY_NAMES.map(|(name, ..)| name);
        if name.starts_with("identity.") {
            let error = HandlerError::new(format!("the identity of a caller has no value `{name}`"));
            return error.suggest(name, "values", &identity);
        }
        let parameters = self.method.method.parameters.iter().map(|parameter| parameter.name.as_str());
        let error = HandlerError::new(format!("the method has no parameter `{name}`"));
        error.suggest(name, "names", &parameters.chain(identity).collect::<Vec<_>>())
    }
}

fn list_of_files_error(parameter: &Parameter) -> HandlerError {
    let message = format!("`{}` is a list of uploaded files, which cannot be a value of a statement", parameter.name);
    HandlerError::new(message).help("declare a parameter of the type `file`, so that each call has one file")
}
