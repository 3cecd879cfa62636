//! PostgreSQL. Every value is bound as a text, which the statement casts to the type that PostgreSQL has found for the
//! parameter, so that a value of each type of PostgreSQL can be bound.

use rulebook::handler_kind::HandlerError;
use sqlx::postgres::{
    PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition, PgStatement, PgTransactionManager, PgTypeInfo,
    PgTypeKind,
};
use sqlx::{Column as _, ConnectOptions, Either, Executor, Statement as _, TransactionManager, TypeInfo};
use url::Url;

use super::postgres_value::base_type;
use super::prepared::{check_placeholders, statement_error};
use super::{Accepts, Binding, Column, ColumnType, PrepareError, Prepared};
use crate::release::SAVEPOINT;
use crate::settings::without_unknown_parameters;
use crate::statement::{Rendered, Statement};
use crate::target::Target;
use crate::value::NamedValue;

/// Makes the server look every second whether the client of a running statement is gone. Older servers have no such
/// setting.
pub(super) const CHECK_CLIENT: &str =
    "SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'";

/// The rows that the current transaction has deleted, by the name of the table.
pub(super) const DELETED_ROWS: &str = "SELECT CASE WHEN schemaname = current_schema() THEN relname::text ELSE schemaname || '.' || relname END, \
     n_tup_del::text FROM pg_stat_xact_user_tables WHERE n_tup_del > 0";

pub(super) fn options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let url = Url::parse(url).map_err(|error| sqlx::Error::Configuration(error.into()))?;
    Ok(PgConnectOptions::from_url(&without_unknown_parameters(url))?.disable_statement_logging())
}

/// The type of a parameter, and how its values are bound.
#[derive(PartialEq)]
struct ParameterType {
    /// The type in SQL, to which the text is cast.
    name: String,
    binding: Binding,
    accepts: Accepts,
}

impl ParameterType {
    /// Returns `true` if the type is a whole number of less than 64 bits. Comparing it with a number of 64 bits finds
    /// no row if the number is too large; casting the number would be an error.
    fn is_short(&self) -> bool {
        matches!(self.accepts, Accepts::Integer { .. })
    }
}

/// Prepares a statement: first as it is, so that PostgreSQL finds the types of the parameters, and then with casts.
pub(super) async fn prepare(
    connection: &mut PgConnection,
    statement: &Statement,
    values: &[NamedValue],
) -> Result<Prepared, PrepareError> {
    let infos = inferred_types(connection, statement, values).await?;
    let names: Vec<_> = statement.names().collect();
    let (mut types, mut errors) = (Vec::new(), Vec::new());
    for (index, info) in infos.iter().enumerate() {
        match parameter_type(connection, &values[names[index]], info).await? {
            Ok(found) => types.push(found),
            Err(error) => errors.push(error.at(statement.parameter_span(index))),
        }
    }
    if !errors.is_empty() {
        return Err(PrepareError::Definition(errors));
    }
    // Parameters share a value if their name and their type are the same.
    let slot = |index: usize, name: usize| {
        let is_same = |other: &usize| names[*other] == name && types[*other] == types[index];
        (0..index).find(is_same).unwrap_or(index)
    };
    let cast = |widens: bool| {
        statement.render(slot, |position, index| {
            let found = &types[index];
            let name = if found.is_short() && widens { "bigint" } else { found.name.as_str() };
            let text = if found.binding == Binding::Bytes { "" } else { "::text" };
            format!("(${}{text}::{name})", position + 1)
        })
    };
    let mut widens = true;
    let mut rendered = cast(widens);
    let mut prepared = prepare_text(connection, &rendered.sql).await;
    // A function may exist for short numbers only.
    if matches!(prepared, Err(sqlx::Error::Database(_))) && types.iter().any(ParameterType::is_short) {
        rendered = cast(false);
        widens = false;
        prepared = prepare_text(connection, &rendered.sql).await;
    }
    let prepared = prepared.map_err(|error| rejected(error, statement, &rendered))?;
    let mut prepared =
        Prepared::new(&prepared, statement, &rendered, values, |name, info| Column::new(name, column_type(info)))?;
    for (position, found) in rendered.positions.iter().zip(&types) {
        let bound = &mut prepared.bound[*position];
        bound.binding = found.binding;
        bound.accepts = match found.accepts {
            Accepts::Integer { min, max, .. } => Accepts::Integer { min, max, is_strict: !widens },
            other => other,
        };
    }
    Ok(prepared)
}

/// Returns the type that PostgreSQL has found for each parameter in the order of the text.
async fn inferred_types(
    connection: &mut PgConnection,
    statement: &Statement,
    values: &[NamedValue],
) -> Result<Vec<PgTypeInfo>, PrepareError> {
    let shared = statement.render(|_, name| name, |position, _| format!("${}", position + 1));
    let first_error = match types_of_placeholders(connection, &shared).await {
        Ok(types) => return types_of_parameters(&types, statement, &shared),
        Err(error) => error,
    };
    // PostgreSQL does not find the type of `$1` in `$1 is null`, even if `$1` is in other places. So each place gets a
    // placeholder, and a type that follows from the definition where PostgreSQL finds none.
    let names: Vec<_> = statement.names().collect();
    let mut casts = vec![""; names.len()];
    loop {
        let placeholder = |position: usize, index: usize| format!("(${}{})", position + 1, casts[index]);
        let separate = statement.render(|index, _| index, placeholder);
        let error = match types_of_placeholders(connection, &separate).await {
            Ok(types) => return types_of_parameters(&types, statement, &separate),
            Err(error) => error,
        };
        match untyped_placeholder(&error).filter(|index| casts.get(*index).is_some_and(|cast| cast.is_empty())) {
            Some(index) => {
                casts[index] = match values[names[index]].target {
                    Target::Integer => "::bigint",
                    Target::Number => "::float8",
                    Target::Decimal => "::numeric",
                    Target::Bool => "::boolean",
                    Target::Binary => "::bytea",
                    _ => "::text",
                };
            }
            None if untyped_placeholder(&first_error).is_some() => return Err(rejected(error, statement, &separate)),
            None => return Err(rejected(first_error, statement, &shared)),
        }
    }
}

pub(super) async fn describe(connection: &mut PgConnection, sql: &str) -> Result<Vec<Column>, sqlx::Error> {
    let prepared = prepare_text(connection, sql).await?;
    Ok(prepared.columns().iter().map(|column| Column::new(column.name(), column_type(column.type_info()))).collect())
}

/// Prepares a statement. If this fails while a release is prepared, the transaction continues behind its migrations.
async fn prepare_text<'q>(connection: &mut PgConnection, sql: &'q str) -> Result<PgStatement<'q>, sqlx::Error> {
    let prepared = (&mut *connection).prepare(sql).await;
    if prepared.is_err() && PgTransactionManager::get_transaction_depth(connection) > 0 {
        connection.execute(format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}").as_str()).await?;
    }
    prepared
}

async fn types_of_placeholders(
    connection: &mut PgConnection,
    rendered: &Rendered,
) -> Result<Vec<PgTypeInfo>, sqlx::Error> {
    Ok(match prepare_text(connection, &rendered.sql).await?.parameters() {
        Some(Either::Left(types)) => types.to_vec(),
        _ => Vec::new(),
    })
}

fn types_of_parameters(
    types: &[PgTypeInfo],
    statement: &Statement,
    rendered: &Rendered,
) -> Result<Vec<PgTypeInfo>, PrepareError> {
    check_placeholders(types.len(), statement, rendered)?;
    Ok(rendered.positions.iter().map(|position| types[*position].clone()).collect())
}

/// Returns the position of the placeholder whose type PostgreSQL cannot find, if this is the error.
fn untyped_placeholder(error: &sqlx::Error) -> Option<usize> {
    let error = error.as_database_error().filter(|error| error.code().as_deref() == Some("42P18"))?;
    let (_, number) = error.message().rsplit_once('$')?;
    number.parse::<usize>().ok()?.checked_sub(1)
}

fn rejected(error: sqlx::Error, statement: &Statement, rendered: &Rendered) -> PrepareError {
    let position = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>()?.position());
    let offset = match position {
        // PostgreSQL counts characters from 1.
        Some(PgErrorPosition::Original(position)) => {
            rendered.sql.char_indices().nth(position.saturating_sub(1)).map(|(offset, _)| offset)
        }
        _ => None,
    };
    statement_error(error, statement, rendered, offset)
}

/// Compares the type that PostgreSQL has found for a parameter with the type of its values.
async fn parameter_type(
    connection: &mut PgConnection,
    value: &NamedValue,
    info: &PgTypeInfo,
) -> Result<Result<ParameterType, HandlerError>, PrepareError> {
    let base = base_type(info);
    // The array of a domain is cast as that of its base type.
    let (named, suffix) = match base.kind() {
        PgTypeKind::Array(item) if matches!(item.kind(), PgTypeKind::Domain(_)) => (base_type(item), "[]"),
        _ => (base, ""),
    };
    let oid = named.oid().map(|oid| i64::from(oid.0));
    // A cast to `character`, which is `character(1)`, or to a domain cuts or rounds a value without an error. Without a
    // length, the name is `bpchar`, and the column rejects a value that is too long.
    let query = sqlx::query_scalar("SELECT format_type($1::bigint::oid, -1)").bind(oid);
    let name: Option<String> = query.fetch_one(connection).await.map_err(PrepareError::Database)?;
    let name = name.map_or_else(|| "text".to_owned(), |name| format!("{name}{suffix}"));
    if value.target == Target::Binary && base.name() != "BYTEA" {
        let message = format!("`:{}` is a file, but the database expects `{name}` here", value.name);
        let help = "store files in a column of the type `bytea`";
        return Ok(Err(HandlerError::new(message).help(help)));
    }
    let accepts = match (base.kind(), base.name()) {
        (PgTypeKind::Array(item), _) => match integer_range(base_type(item)) {
            Some((min, max)) => Accepts::Integers { min, max },
            None => max_bytes(base_type(item)),
        },
        (_, "DATE" | "TIMESTAMP" | "TIMESTAMPTZ") => Accepts::Time,
        _ => match integer_range(base).filter(|(_, max)| *max < i64::MAX) {
            Some((min, max)) => Accepts::Integer { min, max, is_strict: false },
            None => max_bytes(base),
        },
    };
    if value.is_json {
        return Ok(Ok(ParameterType { name, binding: Binding::Json, accepts }));
    }
    let (targets, binding): (&[Target], _) = match (base.kind(), base.name()) {
        (PgTypeKind::Array(item), _) if matches!(base_type(item).name(), "JSON" | "JSONB") => {
            (&[Target::Nested], Binding::JsonArray)
        }
        (PgTypeKind::Array(_), _) => (&[Target::Nested], Binding::Array),
        (PgTypeKind::Composite(_) | PgTypeKind::Range(_), _) => (&[Target::Text], Binding::Text),
        (_, "INT2" | "INT4" | "INT8" | "OID") => (&[Target::Integer], Binding::Text),
        (_, "FLOAT4" | "FLOAT8") => (&[Target::Integer, Target::Number], Binding::Text),
        (_, "NUMERIC") => (&[Target::Integer, Target::Number, Target::Decimal], Binding::Text),
        (_, "BOOL") => (&[Target::Bool], Binding::Text),
        (_, "JSON" | "JSONB") => return Ok(Ok(ParameterType { name, binding: Binding::Json, accepts })),
        // The name of `bpchar`, which ignores spaces at the end of a value.
        (_, "CHAR") => return Ok(Ok(ParameterType { name, binding: Binding::Text, accepts })),
        (_, "TEXT" | "VARCHAR" | "NAME" | "UNKNOWN") => {
            return Ok(Ok(ParameterType { name: "text".to_owned(), binding: Binding::Text, accepts }));
        }
        (_, "BYTEA") if value.target == Target::Binary => (&[Target::Binary], Binding::Bytes),
        (_, "BYTEA") => (&[Target::Binary], Binding::Text),
        _ => (&[Target::Text], Binding::Text),
    };
    if value.target != Target::Any && !targets.contains(&value.target) {
        let kind = value.target.in_words();
        let message = format!("the values of `:{}` are {kind}, but the database expects `{name}` here", value.name);
        let convert = match value.target {
            // A text with a fraction is not one of a whole number.
            Target::Decimal => format!(":{}::numeric", value.name),
            // A text in the notation of JSON is no array, and no number.
            Target::Nested => format!("= any(:{})", value.name),
            Target::Bool => format!("case when :{} then 1 else 0 end", value.name),
            _ => format!(":{}::text::{name}", value.name),
        };
        let help = format!("change the type of the parameter, or convert the value: `{convert}`");
        return Ok(Err(HandlerError::new(message).help(help)));
    }
    if value.exceeds_i64 && targets == [Target::Integer] {
        return Ok(Err(value.range_error()));
    }
    Ok(Ok(ParameterType { name, binding, accepts }))
}

/// Returns the smallest and the largest number of a type of whole numbers.
fn integer_range(info: &PgTypeInfo) -> Option<(i64, i64)> {
    match info.name() {
        "INT2" => Some((i16::MIN.into(), i16::MAX.into())),
        "INT4" => Some((i32::MIN.into(), i32::MAX.into())),
        "INT8" => Some((i64::MIN, i64::MAX)),
        _ => None,
    }
}

/// Returns the values of a type that PostgreSQL cuts even where it stores them.
fn max_bytes(info: &PgTypeInfo) -> Accepts {
    match info.name() {
        "\"CHAR\"" => Accepts::Text { max_bytes: 1 },
        "NAME" => Accepts::Text { max_bytes: 63 },
        _ => Accepts::Unknown,
    }
}

fn column_type(info: &PgTypeInfo) -> ColumnType {
    let info = base_type(info);
    match (info.kind(), info.name()) {
        (PgTypeKind::Array(item), _) => match column_type(item) {
            ColumnType::Unsupported(name) => ColumnType::Unsupported(format!("{name}[]")),
            ColumnType::Binary => ColumnType::Unsupported("BYTEA[]".to_owned()),
            item => ColumnType::Array(Box::new(item)),
        },
        (_, "BOOL") => ColumnType::Bool,
        (_, name @ ("INT2" | "INT4" | "INT8" | "OID")) => {
            ColumnType::Integer { is_boolean: false, exceeds_id: matches!(name, "INT8" | "OID") }
        }
        (_, "FLOAT4" | "FLOAT8") => ColumnType::Float,
        (_, "NUMERIC") => ColumnType::Decimal,
        (_, "JSON" | "JSONB") => ColumnType::Json,
        (_, "DATE") => ColumnType::Date,
        (_, "TIME") => ColumnType::Time,
        (_, "TIMESTAMP" | "TIMESTAMPTZ") => ColumnType::Datetime,
        (_, "UUID") => ColumnType::Uuid,
        (_, "BYTEA") => ColumnType::Binary,
        (PgTypeKind::Enum(_), _) | (_, "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "citext") => ColumnType::Text,
        (_, name) => ColumnType::Unsupported(name.to_owned()),
    }
}
