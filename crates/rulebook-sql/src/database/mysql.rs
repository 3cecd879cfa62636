//! MySQL and MariaDB.

use std::str::FromStr;

use serde_json::Value as Json;
use sqlx::ValueRef;
use sqlx::error::BoxDynError;
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlValueRef};
use sqlx::{Arguments, ConnectOptions, Decode, Executor, MySql, Row, TypeInfo};

use super::prepared::{UNREAD_FILE, statement_error};
use super::{ColumnType, PrepareError, Prepared};
use crate::statement::Statement;
use crate::target::{Raw, Target};
use crate::value::{NamedValue, SqlValue};

pub(super) fn options(url: &str) -> Result<MySqlConnectOptions, sqlx::Error> {
    // The columns of the type `timestamp` are converted to the time zone of the session.
    let options = MySqlConnectOptions::from_str(url)?.timezone("+00:00".to_owned());
    Ok(options.disable_statement_logging())
}

/// Returns the maximum size of a packet, which contains all values of a statement.
pub(super) async fn max_packet(connection: &mut MySqlConnection) -> Result<u64, sqlx::Error> {
    sqlx::query_scalar("SELECT @@max_allowed_packet").fetch_one(connection).await
}

pub(super) async fn prepare(
    connection: &mut MySqlConnection,
    statement: &Statement,
    values: &[NamedValue],
) -> Result<Prepared, PrepareError> {
    let rendered = statement.render(|index, _| index, |_, _| "?".to_owned());
    let prepared = connection.prepare(&rendered.sql).await;
    let prepared = prepared.map_err(|error| statement_error(error, statement, &rendered, None))?;
    let mut prepared = Prepared::new(&prepared, statement, &rendered, values, |info| column_type(info.name()))?;
    prepared.has_late_columns = prepared.columns.is_empty() && statement.has_returning;
    Ok(prepared)
}

fn column_type(name: &str) -> ColumnType {
    match name.trim_end_matches(" UNSIGNED") {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" => ColumnType::Integer { is_boolean: true },
        "YEAR" => ColumnType::Integer { is_boolean: false },
        "FLOAT" | "DOUBLE" => ColumnType::Float,
        "DECIMAL" => ColumnType::Decimal,
        "DATE" | "TIME" | "DATETIME" | "TIMESTAMP" => ColumnType::Time,
        "JSON" => ColumnType::Json,
        "ENUM" | "SET" | "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" => ColumnType::Text,
        name @ ("BIT" | "GEOMETRY") => ColumnType::Unsupported(name.to_owned()),
        // Texts with a binary collation, among them the JSON columns of MariaDB, look like binary data.
        _ => ColumnType::Unknown,
    }
}

pub(super) fn arguments(prepared: &Prepared, values: &[SqlValue]) -> Result<MySqlArguments, BoxDynError> {
    let mut arguments = MySqlArguments::default();
    for bound in &prepared.bound {
        match &values[bound.value] {
            SqlValue::Null => add_null(&mut arguments, bound.target),
            SqlValue::Bool(bool) => arguments.add(*bool),
            SqlValue::Int(int) => arguments.add(*int),
            SqlValue::Uint(uint) => arguments.add(*uint),
            SqlValue::Float(float) => arguments.add(*float),
            SqlValue::Text(text) => arguments.add(text),
            SqlValue::Nested(json) => arguments.add(json.to_string()),
            SqlValue::Bytes(bytes) => arguments.add(bytes.as_slice()),
            SqlValue::File(_) => Err(UNREAD_FILE.into()),
        }?;
    }
    Ok(arguments)
}

/// Adds a null of the type that other values of the parameter have. A function such as `coalesce` returns this type,
/// and a column of the type `uuid` of MariaDB does not take the null of a number.
fn add_null(arguments: &mut MySqlArguments, target: Target) -> Result<(), BoxDynError> {
    match target {
        Target::Bool => arguments.add(None::<bool>),
        Target::Integer => arguments.add(None::<i64>),
        Target::Number => arguments.add(None::<f64>),
        Target::Binary => arguments.add(None::<&[u8]>),
        Target::Any | Target::Text | Target::Datetime | Target::Nested => arguments.add(None::<&str>),
    }
}

pub(super) fn decode(row: &MySqlRow, index: usize, target: Target) -> Result<Raw, BoxDynError> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Raw::Json(Json::Null));
    }
    let name = value.type_info().name().to_owned();
    Ok(match name.as_str() {
        "BIGINT UNSIGNED" => {
            let uint = <u64 as Decode<'_, MySql>>::decode(value)?;
            i64::try_from(uint).map_or_else(|_| Raw::Json(uint.into()), Raw::Int)
        }
        "YEAR" => Raw::Json(<u16 as Decode<'_, MySql>>::decode(value)?.into()),
        name if matches!(column_type(name), ColumnType::Integer { .. }) => match name.ends_with("UNSIGNED") {
            true => Raw::Int(i64::try_from(<u64 as Decode<'_, MySql>>::decode(value)?)?),
            false => Raw::Int(<i64 as Decode<'_, MySql>>::decode(value)?),
        },
        // The shortest decimal notation of a float of 32 bits is that of its value, not of the next float of 64 bits.
        "FLOAT" => Raw::Json(<f32 as Decode<'_, MySql>>::decode(value)?.to_string().parse::<f64>()?.into()),
        "DOUBLE" => Raw::Json(<f64 as Decode<'_, MySql>>::decode(value)?.into()),
        "DECIMAL" => Raw::Decimal(text(value)?),
        "DATE" | "DATETIME" | "TIMESTAMP" => {
            let is_utc = name == "TIMESTAMP";
            Raw::Text(date_text(<&[u8] as Decode<'_, MySql>>::decode(value)?, name == "DATE", is_utc)?)
        }
        "TIME" => Raw::Text(time_text(MySqlTime::decode(value)?)),
        "JSON" => Raw::JsonText(text(value)?),
        "BIT" | "GEOMETRY" => return Err("the type is not supported; convert it to a text in the statement".into()),
        _ if target == Target::Binary => Raw::Bytes(<&[u8] as Decode<'_, MySql>>::decode(value)?.to_vec()),
        _ if target == Target::Nested => Raw::JsonText(text(value)?),
        _ => Raw::Text(text(value)?),
    })
}

fn text(value: MySqlValueRef<'_>) -> Result<String, BoxDynError> {
    match std::str::from_utf8(<&[u8] as Decode<'_, MySql>>::decode(value)?) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => {
            Err("the value is binary; convert it to a text in the statement, for example with to_base64()".into())
        }
    }
}

/// Converts a date and time in the binary protocol: the number of bytes, the year, month, day, hour, minute, second and
/// microseconds, of which the last ones may be missing.
fn date_text(bytes: &[u8], is_date: bool, is_utc: bool) -> Result<String, BoxDynError> {
    let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
    if bytes.len() < 5 {
        return Err("the date is too short".into());
    }
    let year = u16::from_le_bytes([byte(1), byte(2)]);
    let date = format!("{year:04}-{:02}-{:02}", byte(3), byte(4));
    if is_date {
        return Ok(date);
    }
    let micros = u32::from_le_bytes([byte(8), byte(9), byte(10), byte(11)]);
    let zone = if is_utc { "Z" } else { "" };
    Ok(format!("{date}T{:02}:{:02}:{:02}{}{zone}", byte(5), byte(6), byte(7), fraction(micros)))
}

fn time_text(time: MySqlTime) -> String {
    let sign = if time.sign().is_negative() { "-" } else { "" };
    let fraction = fraction(time.microseconds());
    format!("{sign}{:02}:{:02}:{:02}{fraction}", time.hours(), time.minutes(), time.seconds())
}

/// Returns the fraction of a second without zeros at its end.
fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}").trim_end_matches('0').to_owned() }
}
