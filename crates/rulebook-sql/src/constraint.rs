//! Converts errors of a database to errors of the API: violations of constraints to the errors that the definition
//! names, and all others to errors of the server.

use std::collections::BTreeSet;

use rulebook::ApiError;
use rulebook::handler_kind::settings::{object, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
use rulebook_model::span::Spanned;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::mysql::MySqlDatabaseError;
use sqlx::postgres::PgDatabaseError;

use crate::database::Dialect;
use crate::error_class::ErrorClass;
use crate::rules::{CHECK, COLUMN, EXCLUDE, FOREIGN_KEY, NOT_NULL, Rule, TRIGGER, UNIQUE};

/// The setting for errors that statements raise.
pub(crate) const ON_ERROR: &str = "on_error";

const VIOLATION_KEYS: [&str; 4] = ["on_unique", "on_foreign_key", "on_check", "on_not_null"];

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
        for key in VIOLATION_KEYS {
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

    /// Returns `true` if the method names errors by the codes and messages of the database.
    pub(crate) fn has_raised(&self) -> bool {
        !self.raised.is_empty()
    }

    /// Returns `true` if a setting says what violations of its constraints mean.
    pub(crate) fn mentions(&self, key: &str) -> bool {
        self.violations.iter().any(|(known, ..)| *known == key) || self.unhandled.contains(&key)
    }

    /// Returns the declared error for an error that a statement has raised: a key is its code, its message, or the
    /// beginning of its message up to a colon.
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
            let (kind, what) = match *key {
                "on_unique" => (UNIQUE, "unique constraint"),
                "on_not_null" => (NOT_NULL, "column that is never null"),
                "on_check" => (CHECK, "check"),
                _ => (FOREIGN_KEY, "foreign key"),
            };
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

    /// Returns the declared error of a key in `on_error`.
    pub(crate) fn named(&self, key: &str) -> Option<&str> {
        self.raised.iter().find(|(known, _)| known == key).map(|(_, name)| name.as_str())
    }

    fn declared(&self, kind: &ErrorKind, constraint: Option<&str>) -> Option<&str> {
        let key = match kind {
            ErrorKind::UniqueViolation => "on_unique",
            ErrorKind::ForeignKeyViolation => "on_foreign_key",
            ErrorKind::CheckViolation => "on_check",
            ErrorKind::NotNullViolation => "on_not_null",
            _ => return None,
        };
        let is_declared = |(known, name, _): &&(&str, Spanned<Option<String>>, String)| {
            *known == key && name.value.as_ref().is_none_or(|name| Some(name.as_str()) == constraint)
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

/// Reads the setting `on_error`.
fn read_raised(method: &HandledMethod<'_>, errors: &mut Vec<HandlerError>) -> Vec<(String, String)> {
    let Some(node) = method.optional_setting(ON_ERROR) else { return Vec::new() };
    let members = match object(node, ON_ERROR) {
        Ok(members) => members,
        Err(error) => {
            let help = "write an object from the messages or codes of the database to errors of the method";
            errors.push(error.help(help));
            return Vec::new();
        }
    };
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
