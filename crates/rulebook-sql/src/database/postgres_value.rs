//! Converts values to the texts that statements of PostgreSQL bind, and from the binary format of its results.

use std::borrow::Cow;

use serde_json::Value as Json;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow, PgTypeInfo, PgTypeKind, PgValueFormat};
use sqlx::{Arguments, Row, TypeInfo, ValueRef};

use super::prepared::UNREAD_FILE;
use super::{Accepts, Binding, Prepared};
use crate::raw_value::RawValue;
use crate::target::Target;
use crate::value::SqlValue;
use crate::value_error::InvalidValue;

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
pub(super) fn base_type(info: &PgTypeInfo) -> &PgTypeInfo {
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

pub(super) fn arguments(prepared: &Prepared, values: &[SqlValue]) -> Result<PgArguments, BoxDynError> {
    let mut arguments = PgArguments::default();
    for bound in &prepared.bound {
        match &values[bound.value] {
            SqlValue::Bytes(bytes) => arguments.add(bytes.as_slice())?,
            SqlValue::File(_) => return Err(UNREAD_FILE.into()),
            SqlValue::Null if bound.binding == Binding::Bytes => arguments.add(None::<&[u8]>)?,
            value => {
                let text = text(value, bound.binding);
                if let Some(expected) = expected_value(value, text.as_deref(), bound.accepts) {
                    return Err(InvalidValue { value: bound.value, expected }.into());
                }
                arguments.add(text)?;
            }
        }
    }
    Ok(arguments)
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
    if binding == Binding::Json {
        return value.json_text();
    }
    Some(match value {
        SqlValue::Null | SqlValue::File(_) | SqlValue::Bytes(_) => return None,
        SqlValue::Bool(bool) => bool.to_string(),
        SqlValue::Int(int) => int.to_string(),
        SqlValue::Uint(uint) => uint.to_string(),
        SqlValue::Float(float) => float.to_string(),
        SqlValue::Text(text) | SqlValue::Decimal(text) => text.clone(),
        SqlValue::Nested(Json::Array(items)) if matches!(binding, Binding::Array | Binding::JsonArray) => {
            array_text(items, binding)
        }
        SqlValue::Nested(json) => json.to_string(),
    })
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
