//! The errors of databases, and what they become: violations of constraints are the errors that the definition names;
//! values that the database cannot store (too long, too large, or not a date) have the status 400 and name the
//! parameters that can be the cause; all others are errors of the server.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rulebook::ApiError;
use rulebook::error::ErrorCode;
use rulebook::handler_kind::settings::{object, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
use rulebook_model::call::{ParameterError, ParameterErrorKind};
use rulebook_model::model::Parameter;
use rulebook_model::span::Spanned;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::database::{Accepts, Binding, Bound, Dialect};
use crate::rules::{CHECK, COLUMN, EXCLUDE, FOREIGN_KEY, NOT_NULL, Rule, TRIGGER, UNIQUE};
use crate::value::{NamedValue, Source, SqlValue, Target};

/// The setting for errors that statements raise.
pub(crate) const ON_ERROR: &str = "on_error";

/// For violations of constraints: the setting, the kind of error, the kind of rule, and its name in messages.
const VIOLATIONS: [(&str, ErrorKind, &str, &str); 4] = [
    ("on_unique", ErrorKind::UniqueViolation, UNIQUE, "unique constraint"),
    ("on_foreign_key", ErrorKind::ForeignKeyViolation, FOREIGN_KEY, "foreign key"),
    ("on_check", ErrorKind::CheckViolation, CHECK, "check"),
    ("on_not_null", ErrorKind::NotNullViolation, NOT_NULL, "column that is never null"),
];

/// The declared errors for errors of the database. For a violation of a constraint: the setting, the constraint, and
/// the name of the error. Without a constraint, the error is that of all constraints.
#[derive(Debug, Default)]
pub(crate) struct ErrorNames {
    violations: Vec<(&'static str, Spanned<Option<String>>, String)>,
    /// The settings of the constraints that calls do not violate.
    unhandled: Vec<&'static str>,
    /// The errors that statements raise: a code or a message of the database, and the name of the error.
    raised: Vec<(String, String)>,
}

impl ErrorNames {
    pub(crate) fn read(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Self {
        let (mut violations, mut unhandled) = (Vec::new(), Vec::new());
        for (key, ..) in VIOLATIONS {
            let Some(node) = method.optional_setting(key) else { continue };
            let mut read = |constraint: Spanned<Option<String>>, node| match declared_name(method, node, key) {
                Ok(name) => violations.push((key, constraint, name)),
                Err(error) => errors.push(error),
            };
            match &node.data {
                JsonData::Bool(false) => unhandled.push(key),
                JsonData::String(_) => read(Spanned::new(None, node.span), node),
                JsonData::Object(members) => {
                    let members = members.list.iter().filter(|member| !member.is_comment());
                    members.for_each(|member| read(member.key.clone().map(Some), &member.value));
                }
                _ => {
                    let expected = "the name of an error, an object from constraints to errors, or `false`";
                    errors.push(wrong_value(node, key, expected));
                }
            }
        }
        Self { violations, unhandled, raised: read_raised(method, errors) }
    }

    pub(crate) fn has_raised(&self) -> bool {
        !self.raised.is_empty()
    }

    /// Returns `true` if a setting says what violations of its constraints mean.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        self.violations.iter().any(|(known, ..)| *known == key) || self.unhandled.contains(&key)
    }

    /// A key is the code of the error, its message, or the beginning of its message up to a colon.
    pub(crate) fn raised(&self, error: &sqlx::Error) -> Option<&str> {
        let database = error.as_database_error().filter(|_| !self.raised.is_empty())?;
        let (code, message) = (database.code().unwrap_or_default(), database.message());
        let is_raised = |key: &str| {
            key == code || message.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        self.raised.iter().find(|(key, _)| is_raised(key)).map(|(_, name)| name.as_str())
    }

    /// Returns an error for each constraint that no table has, so that its error would never be returned.
    pub(crate) fn unknown_constraints(&self, rules: &[Rule], dialect: Dialect) -> Vec<HandlerError> {
        let unknown = self.violations.iter().filter_map(|(key, constraint, _)| {
            let (.., kind, what) = VIOLATIONS.into_iter().find(|(known, ..)| known == key)?;
            let is_known = |rule: &&Rule| rule.kind == kind && !rule.table.ends_with("_sqlx_migrations");
            let known: BTreeSet<_> = rules.iter().filter(is_known).map(|rule| rule.name.as_str()).collect();
            let known = Vec::from_iter(known);
            let Some(name) = &constraint.value else {
                // A trigger can raise the errors of constraints, too, and the type of a column can be a domain with a
                // check.
                let can_raise = |rule: &Rule| {
                    let has_domain = kind == CHECK && rule.kind == COLUMN && rule.text.contains("CHECK");
                    has_domain || rule.kind == TRIGGER || rule.kind == EXCLUDE
                };
                let can_apply = !known.is_empty() || rules.iter().any(can_raise);
                let error = HandlerError::new(format!("no table has a {what}, so that `{key}` has no effect"))
                    .at(constraint.span);
                return (!can_apply).then(|| error.help("remove the setting, or add the constraint in a migration"));
            };
            // SQLite does not say which foreign key is violated, nor do the tables say the names of checks.
            if dialect == Dialect::Sqlite && matches!(kind, CHECK | FOREIGN_KEY) || known.contains(&name.as_str()) {
                return None;
            }
            let error =
                HandlerError::new(format!("no table has the {what} `{}`", name.escape_debug())).at(constraint.span);
            let plural = if kind == NOT_NULL { "columns" } else { "constraints" };
            Some(error.suggest(name, plural, &known))
        });
        unknown.collect()
    }

    pub(crate) fn named(&self, key: &str) -> Option<&str> {
        self.raised.iter().find(|(known, _)| known == key).map(|(_, name)| name.as_str())
    }

    fn declared(&self, kind: &ErrorKind, constraint: Option<&str>) -> Option<&str> {
        let (key, ..) = VIOLATIONS.iter().find(|(_, known, ..)| known == kind)?;
        let is_declared = |(known, name, _): &&(&str, Spanned<Option<String>>, String)| {
            known == key && name.value.as_ref().is_none_or(|name| Some(name.as_str()) == constraint)
        };
        self.violations.iter().find(is_declared).map(|(.., error)| error.as_str())
    }

    pub(crate) fn api_error(&self, error: &sqlx::Error) -> ApiError {
        let database = error.as_database_error();
        if let Some(database) = database.filter(|error| !matches!(error.kind(), ErrorKind::Other)) {
            return self.violation_error(database);
        }
        if let sqlx::Error::PoolTimedOut = error {
            return ApiError::unavailable("no connection to the database was available in time");
        }
        let description = database.map_or_else(|| error.to_string(), ToString::to_string);
        match ErrorClass::of(error) {
            ErrorClass::Timeout => ApiError::gateway_timeout("the database has stopped a statement at the time limit"),
            ErrorClass::Temporary | ErrorClass::Stale => ApiError::unavailable(format!("the database: {description}")),
            // The message may contain the value.
            ErrorClass::Value(_) => {
                let code = database.and_then(DatabaseError::code).unwrap_or_default();
                ApiError::internal(format!("the database cannot convert a value of a statement (error {code})"))
            }
            ErrorClass::Rejected | ErrorClass::Other => ApiError::internal(format!("the database: {description}")),
        }
    }

    fn violation_error(&self, error: &dyn DatabaseError) -> ApiError {
        let (kind, constraint) = (error.kind(), constraint_name(error));
        if let Some(name) = self.declared(&kind, constraint.as_deref()) {
            return ApiError::declared(name.to_owned());
        }
        // The message of the database may contain values of the request.
        let name = constraint.as_deref().unwrap_or("without a name");
        ApiError::internal(format!("a constraint of the database is violated, {kind:?}: {name}"))
    }
}

fn read_raised(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Vec<(String, String)> {
    let Some(node) = method.optional_setting(ON_ERROR) else { return Vec::new() };
    let help = "write an object from the messages or codes of the database to errors of the method";
    let members = object(node, ON_ERROR).map_err(|error| errors.push(error.help(help))).unwrap_or_default();
    let names = members.into_iter().filter_map(|member| {
        let name = declared_name(method, &member.value, &member.key.value);
        Some((member.key.value.clone(), name.map_err(|error| errors.push(error)).ok()?))
    });
    names.collect()
}

pub(crate) fn declared_name(method: &HandledMethod<'_>, node: &JsonNode, key: &str) -> Result<String, HandlerError> {
    let name = node.string().ok_or_else(|| wrong_value(node, key, "the name of an error"))?;
    let known: Vec<_> = method.returnable_errors();
    if known.contains(&name.value.as_str()) {
        return Ok(name.value);
    }
    let error =
        HandlerError::new(format!("the method declares no error `{}`", name.value.escape_debug())).at(name.span);
    Err(error.suggest(&name.value, "declared errors", &known))
}

/// Returns the name of the violated constraint. SQLite names the columns of a unique or a required value instead.
/// PostgreSQL reports no constraint for a required value, so that it gets the name that SQLite gives it.
fn constraint_name(error: &dyn DatabaseError) -> Option<String> {
    if let Some(postgres) = error.try_downcast_ref::<PgDatabaseError>()
        && error.kind() == ErrorKind::NotNullViolation
        && let (Some(table), Some(column)) = (postgres.table(), postgres.column())
    {
        return Some(format!("{table}.{column}"));
    }
    if let Some(name) = error.constraint() {
        return Some(name.to_owned());
    }
    let message = error.message();
    if error.try_downcast_ref::<MySqlDatabaseError>().is_some() {
        return mysql_constraint(message);
    }
    message.split_once(" constraint failed: ").map(|(_, name)| name.to_owned())
}

fn mysql_constraint(message: &str) -> Option<String> {
    // A value in the message may contain the same words, so that the last ones count.
    let quoted_after = |mark: &str, quote: char| {
        let (_, rest) = message.rsplit_once(mark)?;
        Some(rest.split(quote).next().unwrap_or_default().to_owned())
    };
    let name = quoted_after(" for key '", '\'')
        .or_else(|| quoted_after("CONSTRAINT `", '`'))
        .or_else(|| quoted_after("Check constraint '", '\''))
        .or_else(|| quoted_after("Column '", '\''))?;
    // MySQL writes the table before the name of a key, and MariaDB does not.
    Some(name.rsplit('.').next().unwrap_or_default().to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    Timeout,
    /// The same call may succeed later.
    Temporary,
    /// The tables have been changed since the statement was prepared. It had no effect, and may succeed when prepared
    /// again.
    Stale,
    /// The statement does not fit to the tables any more.
    Rejected,
    /// A value cannot be converted. `None` if it need not come from the request, such as in a division by zero.
    Value(Option<Problem>),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    TooLong,
    OutOfRange,
    Date,
    Json,
    Other,
}

impl ErrorClass {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        use sqlx::Error::{ColumnDecode, ColumnNotFound, Decode, Encode};
        match error {
            sqlx::Error::Database(error) => Self::of_database(&**error),
            ColumnDecode { .. } | Decode(_) | Encode(_) => Self::Other,
            ColumnNotFound(_) => Self::Rejected,
            _ => Self::Temporary,
        }
    }

    pub(crate) fn of_database(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        if let Some(mysql) = error.try_downcast_ref::<MySqlDatabaseError>() {
            Self::of_mysql(mysql.number())
        } else if error.try_downcast_ref::<PgDatabaseError>().is_some() {
            Self::of_postgres(&code)
        } else {
            // The lower byte of an extended code of SQLite is the primary code.
            match code.parse::<u32>().map(|code| code & 0xff) {
                Ok(1) if is_missing_in_sqlite(error.message()) => Self::Rejected,
                Ok(1) if is_json_error(error.message()) => Self::Value(Some(Problem::Json)),
                Ok(9) => Self::Timeout,
                Ok(17) => Self::Stale,
                // Busy, locked, read only, an error of the disk, a full disk, and a file that cannot be opened.
                Ok(5 | 6 | 8 | 10 | 13 | 14) => Self::Temporary,
                _ => Self::Other,
            }
        }
    }

    fn of_mysql(number: u16) -> Self {
        match number {
            // max_statement_time of MariaDB, max_execution_time of MySQL.
            1969 | 3024 => Self::Timeout,
            // Too many connections, a shutdown, a wait for a lock, a deadlock, a killed statement or connection.
            1040 | 1053 | 1205 | 1213 | 1317 | 1927 | 1290 => Self::Temporary,
            // An unknown statement, one that must be prepared again, and a table that was changed in a transaction.
            1243 | 1412 | 1615 => Self::Stale,
            // An unknown column, table, function or procedure, or a view of one.
            1054 | 1146 | 1305 | 1356 => Self::Rejected,
            1406 => Self::Value(Some(Problem::TooLong)),
            1264 | 1690 => Self::Value(Some(Problem::OutOfRange)),
            3140 | 3141 | 3143 | 4037 | 4038 | 4042 => Self::Value(Some(Problem::Json)),
            // Values that are truncated, or not a number, a date, a text of the character set, a regular expression, or
            // a search: the statement itself was accepted when the program started.
            1064 | 1139 | 1265 | 1292 | 1366 | 1367 | 1411 => Self::Value(Some(Problem::Other)),
            _ => Self::Other,
        }
    }

    fn of_postgres(code: &str) -> Self {
        match code {
            "57014" => Self::Timeout,
            // A serialization failure, a deadlock, a wait for a lock, a transaction that only reads.
            "40001" | "40P01" | "55P03" | "25006" => Self::Temporary,
            // A result of other types than the prepared one, a statement that is unknown, for example since a proxy has
            // changed the server, and a table or type that is gone while the statement is planned.
            "0A000" | "26000" | "XX000" => Self::Stale,
            "22001" => Self::Value(Some(Problem::TooLong)),
            // Also a negative limit, offset or length.
            "22003" | "2201W" | "2201X" | "22011" => Self::Value(Some(Problem::OutOfRange)),
            "22007" | "22008" => Self::Value(Some(Problem::Date)),
            "22P05" => Self::Value(Some(Problem::Json)),
            // Also a regular expression, a pattern or a search, which the database parses in each call.
            "22021" | "22025" | "22026" | "2201B" | "22P02" | "22P03" | "42601" => Self::Value(Some(Problem::Other)),
            code if code.starts_with("22") => Self::Value(None),
            // Errors of the connection, of resources, and of an operator who stops the server.
            code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => Self::Temporary,
            // Everything except missing privileges: the statement was accepted when the program started.
            code if code.starts_with("42") && code != "42501" => Self::Rejected,
            _ => Self::Other,
        }
    }
}

/// Returns `true` for the message of a missing table, column or function, which has no code of its own.
fn is_missing_in_sqlite(message: &str) -> bool {
    message.starts_with("no such ") || message.contains(" has no column named ")
}

/// Returns `true` for the message of SQLite about a text that is not JSON, or not a path in JSON.
fn is_json_error(message: &str) -> bool {
    ["malformed JSON", "bad JSON path", "JSON path error"].iter().any(|start| message.starts_with(start))
}

impl Problem {
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::TooLong => "a shorter value",
            Self::OutOfRange => "a number in the range of the database",
            Self::Date => "a date that the database can store",
            Self::Json => "a JSON value that the database can store",
            Self::Other => "a value that the database can store",
        }
    }
}

/// Describes the texts that a full-text index of SQLite searches for.
const SEARCH: &str = "a search, in which words with other characters than letters and digits are in double quotes";

/// The error of a value that is not sent to the database, because the database would reject it.
#[derive(Debug, thiserror::Error)]
#[error("the database cannot store the value of a parameter")]
pub(crate) struct InvalidValue {
    /// The index of the value in the values of the method.
    pub value: usize,
    pub expected: Cow<'static, str>,
}

/// A value that a statement binds, which comes from a parameter of the method.
struct Candidate<'a> {
    name: &'a str,
    parameter: &'a Parameter,
    value: &'a SqlValue,
    bound: &'a Bound,
}

/// `bound` are the values that the statements of the method bind. `None` for other errors.
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

fn is_quoted(value: &SqlValue, message: &str) -> bool {
    let json = value.json_text().unwrap_or_default();
    let text = json.trim_matches('"');
    ['"', '\''].iter().any(|quote| message.contains(&format!("{quote}{text}{quote}")))
}

/// The error of a text that is not a search in SQLite's syntax. `names` are the indexes of the values in searches.
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
