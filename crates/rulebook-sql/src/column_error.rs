//! Columns whose types do not fit their outputs, which is an error in the definition.

use serde_json::{Value as Json, json};

use crate::column_output::ColumnOutput;
use crate::database::{Column, ColumnType};
use crate::target::Target;

/// Describes the mismatch of a column and an output, and how to fix it; `None` if they agree as far as their types are
/// known.
pub(crate) fn type_error(column: &Column, output: &ColumnOutput) -> Option<(String, &'static str)> {
    let (name, found) = (&column.name, column.r#type.in_words());
    match &column.r#type {
        ColumnType::Unsupported(r#type) => {
            let cast = "convert it to a text in the statement";
            Some((format!("the column `{name}` has the type `{type}`, which is not supported; {cast}"), ""))
        }
        ColumnType::Binary => {
            let help =
                "only a download with `\"format\": \"file\"` can return it; convert it to a text in the statement";
            Some((format!("the column `{name}` is binary data; {help}"), ""))
        }
        r#type if has_larger_numbers(r#type, output) => {
            let message = format!("the column `{name}` can have numbers above 2147483647, the largest `id`");
            Some((message, "declare an `int` or a `uint`, or `int(0,2147483647)` if there are no larger numbers"))
        }
        r#type if agrees(r#type, output) => None,
        ColumnType::Array(item) if output.target == Target::Nested && output.items.is_some() => {
            let (found, output) = (item.in_words(), output.innermost_item().map_or("", |item| item.target.in_words()));
            Some((format!("each item of the column `{name}` is {found}, but each item of the output is {output}"), ""))
        }
        r#type => {
            let message = format!("the column `{name}` is {found}, but the output is {}", output.in_words());
            let is_decimal = *r#type == ColumnType::Decimal && output.target == Target::Integer;
            let help = "declare a `decimal(p,s)`, or convert the column in the statement, such as with \
                        `cast(… as bigint)` (`signed` in MySQL and MariaDB)";
            Some((message, if is_decimal { help } else { "" }))
        }
    }
}

/// Returns `true` if an output is an `id`, and the column has numbers that are larger.
fn has_larger_numbers(column: &ColumnType, output: &ColumnOutput) -> bool {
    match column {
        ColumnType::Integer { exceeds_id: true, .. } => output.is_unbounded_id(),
        ColumnType::Array(item) => output.innermost_item().is_some_and(|output| has_larger_numbers(item, output)),
        _ => false,
    }
}

/// Returns `true` if an output accepts values of a type. A value can still be one that the output cannot express, such
/// as infinity.
fn agrees(column: &ColumnType, output: &ColumnOutput) -> bool {
    use Target::{Any, Bool, Csv, Date, Datetime, Decimal, Integer, Nested, Number, Text, Time};
    match (column, output.target) {
        (ColumnType::Unknown | ColumnType::Json, _) | (_, Csv) => true,
        (column, Any) => samples(column).iter().any(|sample| output.may_accept(sample)),
        (ColumnType::Integer { is_boolean, .. }, target) => {
            matches!(target, Integer | Number | Decimal) || (*is_boolean && target == Bool)
        }
        (ColumnType::Float, target) => target == Number,
        (ColumnType::Decimal, target) => matches!(target, Number | Text | Decimal),
        (ColumnType::Bool, target) => target == Bool,
        (ColumnType::Text, target) => matches!(target, Text | Decimal | Date | Time | Datetime | Nested),
        (ColumnType::Uuid, target) => target == Text,
        (ColumnType::Date, target) => matches!(target, Text | Date | Datetime),
        (ColumnType::Time, target) => matches!(target, Text | Time),
        (ColumnType::Datetime, target) => matches!(target, Text | Datetime),
        (ColumnType::Array(item), target) => {
            target == Nested && output.innermost_item().is_some_and(|output| agrees(item, output))
        }
        (ColumnType::Binary | ColumnType::Unsupported(_), _) => false,
    }
}

/// Returns what values of a column become for an output that accepts several kinds of values.
fn samples(column: &ColumnType) -> Vec<Json> {
    match column {
        ColumnType::Integer { is_boolean: true, .. } => vec![json!(1), json!(true)],
        ColumnType::Integer { .. } | ColumnType::Float => vec![json!(1)],
        ColumnType::Decimal => vec![json!(1), json!("1")],
        ColumnType::Bool => vec![json!(true)],
        ColumnType::Array(_) => vec![json!([])],
        ColumnType::Date | ColumnType::Time | ColumnType::Datetime | ColumnType::Uuid | ColumnType::Text => {
            vec![json!("")]
        }
        ColumnType::Unknown | ColumnType::Json | ColumnType::Binary | ColumnType::Unsupported(_) => Vec::new(),
    }
}

/// Describes the mismatch of a column and a column of a file.
pub(crate) fn file_type_error(column: &Column, target: Target) -> Option<(String, &'static str)> {
    let is_accepted = match column.r#type {
        ColumnType::Unknown | ColumnType::Text => true,
        ColumnType::Binary | ColumnType::Json => target == Target::Binary,
        _ => false,
    };
    let (name, found) = (&column.name, column.r#type.in_words());
    let accepted = if target == Target::Binary { "binary data or a text" } else { "a text" };
    (!is_accepted).then(|| (format!("the column `{name}` is {found}, but the {name} of a file is {accepted}"), ""))
}
