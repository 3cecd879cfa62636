//! MySQL and MariaDB.

use std::str::FromStr;

use sqlx::error::BoxDynError;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlRow, MySqlTypeInfo};
use sqlx::query::Query;
use sqlx::types::BigDecimal;
use sqlx::{Arguments, ConnectOptions, Decode, Executor, MySql, Row, Type, TypeInfo, ValueRef};

use super::prepared::{UNREAD_FILE, columns, statement_error};
use super::{Binding, Column, ColumnType, PageOrder, PrepareError, Prepared};
use crate::column::RawValue;
use crate::page::page_with_numbers;
use crate::statement::{Rendered, Statement};
use crate::value::{NamedValue, SqlValue, Target};

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
    let names: Vec<_> = statement.names().collect();
    // In a calculation, a text would become a floating-point number.
    let placeholder = |_, index: usize| match &values[names[index]].decimal {
        Some(decimal) => format!("cast(? as {decimal})"),
        None => "?".to_owned(),
    };
    let mut rendered = statement.render(|index, _| index, placeholder);
    let mut prepared = prepare_rendered(connection, statement, &rendered, values).await?;
    let order_of = |key: &String| prepared.columns.iter().find(|column| column.name == *key).map(|column| column.order);
    let orders: Vec<_> = statement.page_keys.iter().map(order_of).collect();
    let is_numbered = |key: &usize| matches!(orders[*key], Some(PageOrder::Number | PageOrder::Bits));
    let numbered: Vec<_> = (0..orders.len()).filter(is_numbered).collect();
    let is_calculated = orders.contains(&Some(PageOrder::Calculated));
    if !numbered.is_empty() || is_calculated {
        let numbers: Vec<_> = numbered.iter().map(|key| (*key, &*statement.page_keys[*key])).collect();
        let bits = numbers.iter().filter(|(key, _)| orders[*key] == Some(PageOrder::Bits)).map(|(_, column)| *column);
        rendered.sql = page_with_numbers(&rendered.sql, &numbers, bits, is_calculated);
        prepared = prepare_rendered(connection, statement, &rendered, values).await?;
        prepared.columns.truncate(prepared.columns.len() - numbered.len());
        prepared.numbered_keys = numbered;
    }
    prepared.has_late_columns = prepared.columns.is_empty() && statement.has_returning;
    Ok(prepared)
}

async fn prepare_rendered(
    connection: &mut MySqlConnection,
    statement: &Statement,
    rendered: &Rendered,
    values: &[NamedValue],
) -> Result<Prepared, PrepareError> {
    let prepared = connection.prepare(&rendered.sql).await;
    let prepared = prepared.map_err(|error| statement_error(error, statement, rendered, None))?;
    Prepared::new(&prepared, statement, rendered, values, column)
}

pub(super) async fn describe(connection: &mut MySqlConnection, sql: &str) -> Result<Vec<Column>, sqlx::Error> {
    Ok(columns(&connection.prepare(sql).await?, column))
}

fn column(name: &str, info: &MySqlTypeInfo) -> Column {
    let column = Column::new(name, column_type(info.name()));
    // sqlx shows the flags and the size only in this notation. The type is `Enum` or `String` for an `enum`.
    let shown = format!("{info:?}");
    let order = match info.name() {
        _ if shown.contains("ENUM") => PageOrder::Number,
        _ if shown.contains("SET") => PageOrder::Bits,
        "FLOAT" => PageOrder::Float,
        "DECIMAL" if shown.contains("BINARY") => PageOrder::Calculated,
        _ => column.order,
    };
    // MariaDB reports the type `json` as a `longtext` with a binary collation.
    let may_be_json = column.r#type == ColumnType::Unknown && shown.contains("BLOB") && shown.contains("4294967295");
    Column { order, may_be_json, ..column }
}

fn column_type(name: &str) -> ColumnType {
    match name.trim_end_matches(" UNSIGNED") {
        "BOOLEAN" | "TINYINT" | "SMALLINT" | "INT" | "MEDIUMINT" | "BIGINT" | "BIT" => {
            let exceeds_id = matches!(name, "INT UNSIGNED" | "BIGINT" | "BIGINT UNSIGNED");
            ColumnType::Integer { is_boolean: true, exceeds_id }
        }
        "YEAR" => ColumnType::Integer { is_boolean: false, exceeds_id: false },
        "FLOAT" | "DOUBLE" => ColumnType::Float,
        "DECIMAL" => ColumnType::Decimal,
        "DATE" => ColumnType::Date,
        "TIME" => ColumnType::Time,
        "DATETIME" | "TIMESTAMP" => ColumnType::Datetime,
        "JSON" => ColumnType::Json,
        "ENUM" | "SET" | "CHAR" | "VARCHAR" | "TINYTEXT" | "TEXT" | "MEDIUMTEXT" | "LONGTEXT" => ColumnType::Text,
        name @ "GEOMETRY" => ColumnType::Unsupported(name.to_owned()),
        // Texts with a binary collation, among them the JSON columns of MariaDB, look like binary data.
        _ => ColumnType::Unknown,
    }
}

/// Returns a statement with the values of a call.
pub(super) fn query<'q>(
    prepared: &'q Prepared,
    values: &[SqlValue],
) -> Result<Query<'q, MySql, MySqlArguments>, sqlx::Error> {
    let mut arguments = MySqlArguments::default();
    for bound in &prepared.bound {
        match &values[bound.value] {
            value if bound.binding == Binding::Json => arguments.add(value.json_text()),
            SqlValue::Null => add_null(&mut arguments, bound.target),
            SqlValue::Bool(bool) => arguments.add(*bool),
            SqlValue::Int(int) => arguments.add(*int),
            SqlValue::Uint(uint) => arguments.add(*uint),
            SqlValue::Float(float) => arguments.add(*float),
            SqlValue::Decimal(text) => {
                BigDecimal::from_str(text).map_err(BoxDynError::from).and_then(|it| arguments.add(it))
            }
            SqlValue::Text(text) => arguments.add(text),
            SqlValue::Nested(json) => arguments.add(json.to_string()),
            SqlValue::Bytes(bytes) => arguments.add(bytes.as_slice()),
            SqlValue::File(_) => Err(UNREAD_FILE.into()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(sqlx::query_with(&prepared.sql, arguments))
}

/// Adds a null of the type that other values of the parameter have. A function such as `coalesce` returns this type,
/// and a column of the type `uuid` of MariaDB does not take the null of a number.
fn add_null(arguments: &mut MySqlArguments, target: Target) -> Result<(), BoxDynError> {
    match target {
        Target::Bool => arguments.add(None::<bool>),
        Target::Integer => arguments.add(None::<i64>),
        Target::Number => arguments.add(None::<f64>),
        Target::Binary => arguments.add(None::<&[u8]>),
        _ => arguments.add(None::<&str>),
    }
}

pub(super) fn decode(row: &MySqlRow, index: usize, target: Target) -> Result<RawValue, BoxDynError> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(RawValue::Null);
    }
    let info = value.type_info().into_owned();
    let bytes = <&[u8] as Decode<'_, MySql>>::decode(value.clone())?;
    Ok(match info.name() {
        // The name of a `tinyint(1) unsigned` is that of a boolean.
        _ if <u64 as Type<MySql>>::compatible(&info) && info.name() != "BIT" => {
            <u64 as Decode<'_, MySql>>::decode(value)?.into()
        }
        "YEAR" => RawValue::Int(<u16 as Decode<'_, MySql>>::decode(value)?.into()),
        "BIT" => bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)).into(),
        // The shortest decimal notation of a float of 32 bits is that of its value, not of the next float of 64 bits.
        "FLOAT" => RawValue::Float(<f32 as Decode<'_, MySql>>::decode(value)?.to_string().parse()?),
        "DOUBLE" => RawValue::Float(<f64 as Decode<'_, MySql>>::decode(value)?),
        "DECIMAL" => RawValue::Decimal(std::str::from_utf8(bytes)?.to_owned()),
        name @ ("DATE" | "DATETIME" | "TIMESTAMP") => {
            RawValue::Text(date_text(bytes, name == "DATE", name == "TIMESTAMP"))
        }
        "TIME" => RawValue::Text(time_text(bytes)),
        "JSON" => RawValue::JsonText(std::str::from_utf8(bytes)?.to_owned()),
        name if matches!(column_type(name), ColumnType::Integer { .. }) => {
            RawValue::Int(<i64 as Decode<'_, MySql>>::decode(value)?)
        }
        _ if target == Target::Binary => RawValue::Bytes(bytes.to_vec()),
        _ => RawValue::from_text(bytes),
    })
}

/// Returns a number in the binary protocol: parts that are zero may be missing at the end of a value.
fn number<const N: usize>(bytes: &[u8], start: usize) -> u32 {
    (start..start + N).rev().fold(0, |number, index| number << 8 | u32::from(bytes.get(index).copied().unwrap_or(0)))
}

/// Converts a date and time in the binary protocol: the number of bytes, the year, month, day, hour, minute, second and
/// microseconds.
fn date_text(bytes: &[u8], is_date: bool, is_utc: bool) -> String {
    let part = |index| number::<1>(bytes, index);
    let date = format!("{:04}-{:02}-{:02}", number::<2>(bytes, 1), part(3), part(4));
    if is_date {
        return date;
    }
    let zone = if is_utc { "Z" } else { "" };
    format!("{date}T{:02}:{:02}:{:02}{}{zone}", part(5), part(6), part(7), fraction(number::<4>(bytes, 8)))
}

/// Converts a time in the binary protocol: the number of bytes, the sign, the days, hours, minutes, seconds and
/// microseconds.
fn time_text(bytes: &[u8]) -> String {
    let part = |index| number::<1>(bytes, index);
    let sign = if part(1) == 1 { "-" } else { "" };
    let hours = number::<4>(bytes, 2).saturating_mul(24).saturating_add(part(6));
    format!("{sign}{hours:02}:{:02}:{:02}{}", part(7), part(8), fraction(number::<4>(bytes, 9)))
}

/// Returns the fraction of a second without zeros at its end.
fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}").trim_end_matches('0').to_owned() }
}
