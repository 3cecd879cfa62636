//! PostgreSQL. Every value is bound as a text, which the statement casts to the type that PostgreSQL has found for the
//! parameter, so that a value of each type of PostgreSQL can be bound. Results have the binary format.

use std::borrow::Cow;

use rulebook::handler_kind::HandlerError;
use serde_json::Value as Json;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgConnection, PgDatabaseError, PgErrorPosition, PgRow, PgStatement,
    PgTransactionManager, PgTypeInfo, PgTypeKind, PgValueFormat,
};
use sqlx::query::Query;
use sqlx::{
    Arguments, ConnectOptions, Either, Executor, Postgres, Row, Statement as _, TransactionManager, TypeInfo, ValueRef,
};
use url::Url;

use super::prepared::{UNREAD_FILE, check_placeholders, columns, statement_error};
use super::{Accepts, Binding, Column, ColumnType, PrepareError, Prepared};
use crate::column::RawValue;
use crate::errors::InvalidValue;
use crate::release::SAVEPOINT;
use crate::settings::without_unknown_parameters;
use crate::statement::{Rendered, Statement};
use crate::value::{NamedValue, SqlValue, Target};

/// Makes the server look every second whether the client of a statement is gone. Older servers lack this setting.
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
    let mut prepared = Prepared::new(&prepared, statement, &rendered, values, column)?;
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
    Ok(columns(&prepared, column))
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

fn column(name: &str, info: &PgTypeInfo) -> Column {
    Column::new(name, column_type(info))
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

/// The microseconds of a day.
const DAY: i64 = 86_400 * 1_000_000;

pub(super) fn decode(row: &PgRow, index: usize, target: Target) -> Result<RawValue, BoxDynError> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(RawValue::Null);
    }
    let info = value.type_info().into_owned();
    match value.format() {
        PgValueFormat::Binary if target == Target::Binary && base_type(&info).name() == "BYTEA" => {
            Ok(RawValue::Bytes(value.as_bytes()?.to_vec()))
        }
        PgValueFormat::Binary => decode_binary(value.as_bytes()?, &info),
        PgValueFormat::Text => Ok(RawValue::Text(value.as_str()?.to_owned())),
    }
}

/// Returns the type of a value whose type is a domain.
fn base_type(info: &PgTypeInfo) -> &PgTypeInfo {
    match info.kind() {
        PgTypeKind::Domain(base) => base_type(base),
        _ => info,
    }
}

fn decode_binary(bytes: &[u8], info: &PgTypeInfo) -> Result<RawValue, BoxDynError> {
    let info = base_type(info);
    let text = || std::str::from_utf8(bytes).map(str::to_owned);
    Ok(match (info.kind(), info.name()) {
        (PgTypeKind::Array(item), _) => decode_array(bytes, item)?,
        (_, "BOOL") => RawValue::Bool(array::<1>(bytes)? != [0]),
        (_, "INT2") => RawValue::Int(i16::from_be_bytes(array(bytes)?).into()),
        (_, "INT4") => RawValue::Int(i32::from_be_bytes(array(bytes)?).into()),
        (_, "INT8") => RawValue::Int(i64::from_be_bytes(array(bytes)?)),
        (_, "OID") => RawValue::Int(u32::from_be_bytes(array(bytes)?).into()),
        (_, "FLOAT4") => RawValue::Float(f32::from_be_bytes(array(bytes)?).to_string().parse()?),
        (_, "FLOAT8") => RawValue::Float(f64::from_be_bytes(array(bytes)?)),
        (_, "NUMERIC") => RawValue::Decimal(numeric_text(bytes)?),
        (_, "JSON") => RawValue::JsonText(text()?),
        // The first byte is the version of the format.
        (_, "JSONB") => RawValue::JsonText(std::str::from_utf8(bytes.get(1..).unwrap_or_default())?.to_owned()),
        (_, "DATE") => RawValue::Text(match i32::from_be_bytes(array(bytes)?) {
            i32::MAX => "infinity".to_owned(),
            i32::MIN => "-infinity".to_owned(),
            days => date_text(days.into()),
        }),
        (_, "TIMESTAMP") => RawValue::Text(timestamp_text(i64::from_be_bytes(array(bytes)?), "")),
        (_, "TIMESTAMPTZ") => RawValue::Text(timestamp_text(i64::from_be_bytes(array(bytes)?), "Z")),
        (_, "TIME") => RawValue::Text(time_text(i64::from_be_bytes(array(bytes)?))),
        (_, "UUID") => RawValue::Text(uuid_text(array(bytes)?)),
        (PgTypeKind::Enum(_), _) | (_, "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "citext") => {
            RawValue::from_text(bytes)
        }
        (_, name) => return Err(format!("the type {name} is not supported; cast the column to text").into()),
    })
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], BoxDynError> {
    bytes.try_into().map_err(|_| format!("the value has {} bytes instead of {N}", bytes.len()).into())
}

/// Reads big-endian integers and parts from a value.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], BoxDynError> {
        let (bytes, rest) = self.0.split_at_checked(len).ok_or("the value is too short")?;
        self.0 = rest;
        Ok(bytes)
    }

    fn i32(&mut self) -> Result<i32, BoxDynError> {
        Ok(i32::from_be_bytes(array(self.bytes(4)?)?))
    }

    fn u16(&mut self) -> Result<u16, BoxDynError> {
        Ok(u16::from_be_bytes(array(self.bytes(2)?)?))
    }
}

/// Converts an array of any number of dimensions: the number of dimensions, two words, the length and the first index
/// of each dimension, and the items with their lengths.
fn decode_array(bytes: &[u8], item: &PgTypeInfo) -> Result<RawValue, BoxDynError> {
    let mut reader = Reader(bytes);
    let dimensions = reader.i32()?;
    reader.bytes(8)?;
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        lengths.push(usize::try_from(reader.i32()?)?);
        reader.i32()?;
    }
    if lengths.is_empty() {
        return Ok(RawValue::List(Vec::new()));
    }
    decode_items(&mut reader, &lengths, item)
}

fn decode_items(reader: &mut Reader<'_>, lengths: &[usize], item: &PgTypeInfo) -> Result<RawValue, BoxDynError> {
    let Some((length, inner)) = lengths.split_first() else {
        return match usize::try_from(reader.i32()?) {
            Ok(len) => decode_binary(reader.bytes(len)?, item),
            // The length -1 is null.
            Err(_) => Ok(RawValue::Null),
        };
    };
    let mut items = Vec::new();
    for _ in 0..*length {
        items.push(decode_items(reader, inner, item)?);
    }
    Ok(RawValue::List(items))
}

/// Converts a decimal: the number of groups of four digits, the position of the first group, the sign, the number of
/// digits after the point, and the groups.
fn numeric_text(bytes: &[u8]) -> Result<String, BoxDynError> {
    let mut reader = Reader(bytes);
    let count = usize::from(reader.u16()?);
    let weight = i32::from(reader.u16()? as i16);
    let sign = reader.u16()?;
    let scale = usize::from(reader.u16()?);
    let mut groups = Vec::new();
    for _ in 0..count {
        groups.push(reader.u16()?);
    }
    let sign = match sign {
        0 => "",
        0x4000 => "-",
        0xD000 => return Ok("Infinity".to_owned()),
        0xF000 => return Ok("-Infinity".to_owned()),
        _ => return Ok("NaN".to_owned()),
    };
    let group =
        |position: i32| usize::try_from(position).ok().and_then(|index| groups.get(index)).copied().unwrap_or(0);
    let mut whole: String = (0..=weight).map(|position| format!("{:04}", group(position))).collect();
    whole = whole.trim_start_matches('0').to_owned();
    if whole.is_empty() {
        whole.push('0');
    }
    let fraction_groups = i32::try_from(scale.div_ceil(4))?;
    let mut fraction: String = (1..=fraction_groups).map(|offset| format!("{:04}", group(weight + offset))).collect();
    fraction.truncate(scale);
    Ok(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Returns the date that is a number of days after 2000-01-01. The year 0 is the year before the year 1.
fn date_text(days: i64) -> String {
    // In years that begin in March, the leap day is the last day; 400 of them have 146,097 days, and each five months
    // from March have 153 days.
    let days = days + 730_425;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, is_next_year) = (day - (153 * month + 2) / 5 + 1, month >= 10);
    let month = if is_next_year { month - 9 } else { month + 3 };
    match 400 * cycle + year + i64::from(is_next_year) {
        year @ 0.. => format!("{year:04}-{month:02}-{day:02}"),
        year => format!("-{:06}-{month:02}-{day:02}", -year),
    }
}

fn timestamp_text(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        _ => format!("{}T{}{zone}", date_text(micros.div_euclid(DAY)), time_text(micros.rem_euclid(DAY))),
    }
}

fn time_text(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { time } else { format!("{time}.{fraction:06}").trim_end_matches('0').to_owned() }
}

fn uuid_text(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// Returns a statement with the values of a call.
pub(super) fn query<'q>(
    prepared: &'q Prepared,
    values: &[SqlValue],
) -> Result<Query<'q, Postgres, PgArguments>, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for bound in &prepared.bound {
        match &values[bound.value] {
            SqlValue::Bytes(bytes) => arguments.add(bytes.as_slice()),
            SqlValue::File(_) => Err(UNREAD_FILE.into()),
            SqlValue::Null if bound.binding == Binding::Bytes => arguments.add(None::<&[u8]>),
            value => {
                let text = text(value, bound.binding);
                match expected_value(value, text.as_deref(), bound.accepts) {
                    Some(expected) => Err(InvalidValue { value: bound.value, expected }.into()),
                    None => arguments.add(text),
                }
            }
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(&prepared.sql, arguments))
}

/// Returns a description of the values that PostgreSQL accepts, if it rejects this value.
fn expected_value(value: &SqlValue, text: Option<&str>, accepts: Accepts) -> Option<Cow<'static, str>> {
    match (accepts, value) {
        (Accepts::Integer { min, max, is_strict: true }, SqlValue::Int(int)) if !(min..=max).contains(int) => {
            Some(format!("a whole number from {min} to {max}").into())
        }
        (Accepts::Integers { min, max }, SqlValue::Nested(array)) if has_integer_beyond(array, min, max) => {
            Some(format!("an array of whole numbers from {min} to {max}").into())
        }
        (Accepts::Text { max_bytes }, SqlValue::Nested(array)) if has_longer_text(array, max_bytes) => {
            Some(format!("an array of texts of at most {max_bytes} bytes").into())
        }
        (Accepts::Text { max_bytes }, SqlValue::Text(text)) if text.len() > max_bytes => {
            Some(format!("a text of at most {max_bytes} bytes").into())
        }
        (Accepts::Time, SqlValue::Text(text)) if text.starts_with("0000-") => Some("a date from the year 1".into()),
        _ => text.filter(|text| text.contains('\0')).map(|_| "a text without the character U+0000".into()),
    }
}

/// Returns `true` if an array, perhaps of arrays, contains a whole number outside of a range.
fn has_integer_beyond(json: &Json, min: i64, max: i64) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| has_integer_beyond(item, min, max)),
        Json::Number(number) if number.is_u64() || number.is_i64() => {
            number.as_i64().is_none_or(|int| !(min..=max).contains(&int))
        }
        _ => false,
    }
}

/// Returns `true` if an array, perhaps of arrays, contains a text that is longer.
fn has_longer_text(json: &Json, max_bytes: usize) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| has_longer_text(item, max_bytes)),
        Json::String(text) => text.len() > max_bytes,
        _ => false,
    }
}

/// Returns the text of a value, which PostgreSQL converts to the type of the parameter.
fn text(value: &SqlValue, binding: Binding) -> Option<String> {
    match value {
        value if binding == Binding::Json => value.json_text(),
        SqlValue::Float(float) => Some(float.to_string()),
        SqlValue::Text(text) | SqlValue::Decimal(text) => Some(text.clone()),
        SqlValue::Nested(Json::Array(items)) if matches!(binding, Binding::Array | Binding::JsonArray) => {
            Some(array_text(items, binding))
        }
        value => value.json_text(),
    }
}

/// Returns the text of an array. Every item is quoted, so that its content has no meaning in the notation of arrays.
fn array_text(items: &[Json], binding: Binding) -> String {
    let items = items.iter().map(|item| match item {
        item if binding == Binding::JsonArray => quoted(&item.to_string()),
        Json::Null => "NULL".to_owned(),
        Json::Array(inner) => array_text(inner, binding),
        Json::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    });
    format!("{{{}}}", items.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
