//! Errors of values of a request that the database cannot store: too long, too large, or not a date. The response has
//! the status 400, with the names of the parameters that can be the cause.

use std::borrow::Cow;

use rulebook::ApiError;
use rulebook::error::ErrorCode;
use rulebook_model::call::{ParameterError, ParameterErrorKind};
use rulebook_model::model::Parameter;
use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::database::{Accepts, Binding, Bound};
use crate::error_class::{ErrorClass, Problem};
use crate::target::Target;
use crate::value::{NamedValue, Source, SqlValue};

/// Describes the texts that a full-text index of SQLite searches for.
const SEARCH: &str = "a search, in which words with other characters than letters and digits are in double quotes";

/// The error of a value that is not sent to the database, because the database would reject it.
#[derive(Debug, thiserror::Error)]
#[error("the database cannot store the value of a parameter")]
pub(crate) struct InvalidValue {
    /// The index of the value in the values of the method.
    pub value: usize,
    /// A description of the values that the database can store.
    pub expected: Cow<'static, str>,
}

/// A value that a statement binds, which comes from a parameter of the method.
struct Candidate<'a> {
    name: &'a str,
    parameter: &'a Parameter,
    value: &'a SqlValue,
    bound: &'a Bound,
}

/// Returns the error of a call with a value that the database cannot store, and `None` for other errors. `bound` are
/// the values that the statements of the method bind.
pub(crate) fn invalid_value<'a>(
    error: &sqlx::Error,
    names: &'a [NamedValue],
    values: &'a [SqlValue],
    bound: impl Iterator<Item = &'a Bound>,
) -> Option<ApiError> {
    if let sqlx::Error::Encode(source) = error {
        let InvalidValue { value, expected } = source.downcast_ref()?;
        if let Source::IdentityClaim(claim) = &names[*value].source {
            return Some(claim_error(claim, &format!("expected {expected}")));
        }
        let parameter = names[*value].request.as_ref()?;
        return Some(ApiError::parameters(vec![parameter_error(parameter, expected.clone())]));
    }
    let database = error.as_database_error()?;
    let (code, message) = (database.code().unwrap_or_default(), database.message());
    let bound: Vec<_> = bound.collect();
    let claims = bound.iter().filter_map(|bound| match (&names[bound.value].source, values.get(bound.value)?) {
        (Source::IdentityClaim(claim), value) if *value != SqlValue::Null => Some((claim, value)),
        _ => None,
    });
    let claims: Vec<_> = claims.collect();
    let claim_error = |(claim, _): &(&String, _)| claim_error(claim, &format!("error {code}"));
    let ErrorClass::Value(Some(problem)) = ErrorClass::of_database(database) else {
        return claims.first().filter(|_| is_other_kind(message)).map(claim_error);
    };
    if let Some(quoted) = claims.iter().find(|(_, value)| is_quoted(value, message)) {
        return Some(claim_error(quoted));
    }
    let candidate = |bound: &'a Bound| {
        let NamedValue { name, request, .. } = &names[bound.value];
        Some(Candidate { name, parameter: request.as_ref()?, value: values.get(bound.value)?, bound })
    };
    let candidates: Vec<_> = bound.into_iter().filter_map(candidate).collect();
    let error = error_of_causes(database, problem, &candidates);
    if let (None, Some(claim)) = (&error, claims.first()) {
        return Some(claim_error(claim));
    }
    // Without values of the request, the values in the database are the cause.
    candidates.first()?;
    // The value can be a part of an expression of another type.
    let given = candidates.iter().filter(|candidate| !matches!(candidate.value, SqlValue::Null | SqlValue::Bool(_)));
    let error = error
        .or_else(|| error_of(problem, &distinct(given)))
        .unwrap_or_else(|| ApiError::plain(ErrorCode::InvalidParameter));
    Some(error.with_log(format!("the database cannot store a value of the request (error {code})")))
}

/// Returns the error of a claim that the database cannot store: its issuer or the author of the definition has made it.
fn claim_error(claim: &str, reason: &str) -> ApiError {
    let claim = claim.escape_debug();
    ApiError::internal(format_args!(
        "the database cannot store the claim `{claim}` of the caller ({reason}); declare a type that the column accepts \
         for it, in the setting `claims` of its issuer"
    ))
}

/// Returns `true` for the message of SQLite about a value of another kind than that of the column.
fn is_other_kind(message: &str) -> bool {
    message == "datatype mismatch" || message.starts_with("cannot store ")
}

/// Returns `true` if the message of a database quotes a value.
fn is_quoted(value: &SqlValue, message: &str) -> bool {
    let json = value.json_text().unwrap_or_default();
    let text = json.trim_matches('"');
    ['"', '\''].iter().any(|quote| message.contains(&format!("{quote}{text}{quote}")))
}

/// Returns the error of a call with a text that is not a search in the syntax of SQLite, and `None` for other errors.
/// `names` are the indexes of the values that are part of a search.
pub(crate) fn invalid_search(
    error: &sqlx::Error,
    names: &[usize],
    named: &[NamedValue],
    values: &[SqlValue],
) -> Option<ApiError> {
    let message = error.as_database_error()?.message();
    // A column in a search that does not exist is reported like one in the statement.
    let column = message.strip_prefix("no such column: ");
    let is_of_search = message.starts_with("fts5: ")
        || ["unterminated string", "unknown special query"].iter().any(|start| message.starts_with(start));
    let is_cause = |index: &&usize| match &values[**index] {
        SqlValue::Text(text) => is_of_search || column.is_some_and(|column| text.contains(column)),
        _ => false,
    };
    let causes = names.iter().filter(is_cause).filter_map(|index| named[*index].request.as_ref());
    let errors: Vec<_> = causes.map(|parameter| parameter_error(parameter, SEARCH)).collect();
    if errors.is_empty() { None } else { Some(ApiError::parameters(errors)) }
}

/// Returns the error of a parameter whose value the database cannot store. `expected` describes the other values.
pub(crate) fn parameter_error(parameter: &Parameter, expected: impl Into<Cow<'static, str>>) -> ParameterError {
    let (kind, source) = (ParameterErrorKind::Invalid, parameter.from.source());
    let mut error = ParameterError::new(kind, parameter.request_name(), source, expected);
    error.message = parameter.message.as_deref().map(Into::into);
    error
}

/// Returns the error of the parameter that is the cause, or of all that can be it; `None` if none can.
fn error_of_causes(database: &dyn DatabaseError, problem: Problem, candidates: &[Candidate<'_>]) -> Option<ApiError> {
    let out_of_range = |candidate: &&Candidate<'_>| match (candidate.bound.accepts, candidate.value) {
        (Accepts::Integer { min, max, .. }, SqlValue::Int(int)) => !(min..=max).contains(int),
        _ => false,
    };
    if problem == Problem::OutOfRange
        && let Some(candidate) = candidates.iter().find(out_of_range)
        && let Accepts::Integer { min, max, .. } = candidate.bound.accepts
    {
        let expected = format!("a whole number from {min} to {max}");
        return Some(ApiError::parameters(vec![parameter_error(candidate.parameter, expected)]));
    }
    let column = database.try_downcast_ref::<MySqlDatabaseError>().and_then(|error| mysql_column(error.message()));
    let is_named = |candidate: &&Candidate<'_>| Some(candidate.name) == column;
    let causes = match candidates.iter().find(is_named) {
        Some(candidate) => vec![candidate.parameter],
        None => possible_causes(problem, candidates),
    };
    error_of(problem, &causes)
}

/// Returns the error of the parameters that can be the cause.
fn error_of(problem: Problem, causes: &[&Parameter]) -> Option<ApiError> {
    let expected = |cause: &&Parameter| {
        let others: Vec<_> =
            causes.iter().filter(|other| !std::ptr::eq(**other, *cause)).map(|other| other.request_name()).collect();
        match others.is_empty() {
            true => problem.expected().to_owned(),
            false => format!("{}, here or in {}", problem.expected(), others.join(", ")),
        }
    };
    let errors: Vec<_> = causes.iter().map(|cause| parameter_error(cause, expected(cause))).collect();
    (!errors.is_empty()).then(|| ApiError::parameters(errors))
}

/// Returns the parameters whose values can be the cause.
fn possible_causes<'a>(problem: Problem, candidates: &[Candidate<'a>]) -> Vec<&'a Parameter> {
    let has_type = |candidate: &Candidate<'_>| match problem {
        Problem::Date => candidate.bound.accepts == Accepts::Time,
        Problem::Json => matches!(candidate.bound.binding, Binding::Json | Binding::JsonArray),
        _ => true,
    };
    let is_number = |candidate: &Candidate<'_>| {
        candidate.bound.target == Target::Decimal
            || matches!(candidate.value, SqlValue::Int(_) | SqlValue::Uint(_) | SqlValue::Float(_))
    };
    let is_possible = |candidate: &Candidate<'_>| match candidate.value {
        SqlValue::Null | SqlValue::Bool(_) => false,
        // An array of PostgreSQL can contain numbers or texts.
        SqlValue::Nested(_) if candidate.bound.binding == Binding::Array => true,
        _ => is_number(candidate) == (problem == Problem::OutOfRange),
    };
    let mut possible: Vec<_> = candidates.iter().filter(|candidate| is_possible(candidate)).collect();
    if possible.iter().any(|candidate| has_type(candidate)) {
        possible.retain(|candidate| has_type(candidate));
    }
    distinct(possible)
}

/// Returns the parameters of candidates, each once.
fn distinct<'c, 'a: 'c>(candidates: impl IntoIterator<Item = &'c Candidate<'a>>) -> Vec<&'a Parameter> {
    let mut causes: Vec<&Parameter> = Vec::new();
    for candidate in candidates {
        if causes.iter().all(|known| !std::ptr::eq(*known, candidate.parameter)) {
            causes.push(candidate.parameter);
        }
    }
    causes
}

/// Returns the name of the column in a message of MySQL or MariaDB, such as "Data too long for column 'title' at row 1"
/// or "Incorrect date value: 'x' for column `main`.`note`.`day` at row 1".
fn mysql_column(message: &str) -> Option<&str> {
    // A value in the message may contain the same words, so that the last ones count.
    let (_, rest) = message.rsplit_once(" for column ")?;
    let (column, _) = rest.rsplit_once(" at row ")?;
    let name = column.trim_matches(['\'', '`']).rsplit(['.', '`']).next()?;
    (!name.is_empty()).then_some(name)
}
