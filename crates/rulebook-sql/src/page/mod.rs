//! Pages of a list: the setting `page`.
//!
//! The statement becomes a part of another one, which orders its rows by the keys, returns one row more than the page
//! has, and begins after the row in the cursor of the request. So a page is found by an index however far it is, and
//! rows that are added or removed meanwhile move no other row to another page.

mod cursor;
mod settings;

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use rulebook::ApiError;
use rulebook::handler_kind::{HandlerError, read_or_create_secret};
use rulebook_model::model::Parameter;
use rulebook_model::span::Span;
use serde_json::{Value as Json, json};

use crate::database::{ColumnType, Dialect, PageOrder, Prepared};
use crate::raw_value::RawValue;
use crate::statement::StatementText;
use crate::target::Target;
use crate::value::SqlValue;
use crate::value_error::parameter_error;

pub(crate) use cursor::Secret;
use cursor::{open, seal};
pub(crate) use settings::{LIMIT, PAGE, PageSettings, key_name};

/// The parts of a page around its statement.
const INNER_BEGIN: &str = "select * from (";
const INNER_END: &str = "\n) as page";

/// The member of a key in a cursor that is a decimal: `{"decimal": "0.10"}`.
const DECIMAL: &str = "decimal";

/// The file in the data folder with the key that authenticates cursors.
const SECRET_FILE: &str = "page.key";

/// A column by which the rows of a page are ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub column: String,
    pub is_descending: bool,
    /// `true` if a row can have no value in the column.
    pub accepts_null: bool,
}

pub(crate) struct Page {
    /// The index of the value that is the cursor of the request.
    pub cursor: usize,
    /// The parameter with this cursor.
    pub parameter: Parameter,
    /// The number of rows of a page, or the index of its value.
    pub size: Size,
    /// The index of the number of rows that the statement returns, and those of the values of the keys.
    pub limit: usize,
    pub keys: Vec<usize>,
    /// The output for the cursor of the next page.
    pub next: String,
    /// The keys, for each combination of the fragments of the statement.
    pub orders: Vec<Vec<Key>>,
    /// The id of the method.
    pub method: String,
    pub span: Span,
    pub secret: OnceLock<Secret>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Size {
    Rows(u64),
    Value(usize),
}

impl Page {
    /// Sets the key that authenticates cursors. Without a key in the settings, it is in the data folder, and created if
    /// it does not exist.
    pub(crate) fn prepare(&self, key: Option<&Secret>, data_folder: &Path) -> Result<(), HandlerError> {
        let read = || read_or_create_secret(&data_folder.join(SECRET_FILE));
        let secret = key.map_or_else(read, |key| Ok(*key));
        let secret =
            secret.map_err(|error| HandlerError::new(format!("the key of cursors cannot be used: {error}")))?;
        // A method is prepared once.
        let _ = self.secret.set(secret);
        Ok(())
    }

    /// Sets the values of the page among those of a call. `order` is the combination of the fragments.
    pub(crate) fn set_values(&self, values: &mut [SqlValue], order: usize) -> Result<(), ApiError> {
        values[self.limit] = SqlValue::Int(i64::try_from(self.size(values)).unwrap_or(i64::MAX).saturating_add(1));
        let SqlValue::Text(cursor) = &values[self.cursor] else { return Ok(()) };
        let secret = self.secret.get().ok_or_else(|| ApiError::internal("the page is not prepared"))?;
        let expected = format!("the `{}` of a response with the same order", self.next);
        let keys = open(secret, &self.context(order), cursor);
        let keys = keys.ok_or_else(|| ApiError::parameters(vec![parameter_error(&self.parameter, expected)]))?;
        for (index, key) in self.keys.iter().zip(&keys) {
            values[*index] = match key.get(DECIMAL).and_then(Json::as_str) {
                Some(decimal) => SqlValue::Decimal(decimal.to_owned()),
                None => SqlValue::from(&rulebook::types::Value::from(key)),
            };
        }
        Ok(())
    }

    pub(crate) fn has_cursor(&self, values: &[SqlValue]) -> bool {
        values[self.cursor] != SqlValue::Null
    }

    /// Returns the number of rows of a page.
    pub(crate) fn size(&self, values: &[SqlValue]) -> u64 {
        match self.size {
            Size::Rows(rows) => rows,
            Size::Value(index) => match values[index] {
                SqlValue::Int(rows) => u64::try_from(rows).unwrap_or(1).max(1),
                _ => 1,
            },
        }
    }

    /// Returns the cursor of the page after a row with these keys.
    pub(crate) fn cursor_after(
        &self,
        keys: Vec<RawValue>,
        prepared: &Prepared,
        order: usize,
        dialect: Dialect,
    ) -> Result<Json, ApiError> {
        let mut values = Vec::new();
        for (key, (_, column)) in keys.into_iter().zip(&prepared.page_columns) {
            let is_null = key == RawValue::Null;
            let value = match (key, dialect) {
                // MySQL compares a decimal with another number as a float.
                (RawValue::Decimal(text), Dialect::Mysql) => json!({ DECIMAL: text }),
                (RawValue::Float(float), _) if column.order == PageOrder::Float => json!(f64::from(float as f32)),
                (key, _) => key.into_json(&Target::Any.into(), &|| {}),
            };
            // Such a value, for example infinity or a day before the year 1, would become another one in a cursor.
            let is_moment = matches!(column.r#type, ColumnType::Date | ColumnType::Datetime);
            let is_before_year_1 = |text: &str| ["-0", "0000-"].iter().any(|start| text.starts_with(start));
            let is_outside = value.as_str().is_some_and(|text| is_moment && is_before_year_1(text));
            if (value.is_null() && !is_null) || is_outside {
                let reason = format!("a value of the column `{}` cannot order the rows of pages", column.name);
                return Err(ApiError::internal(reason));
            }
            values.push(match (value, &column.r#type, dialect) {
                // MySQL does not read the notation of outputs.
                (Json::String(text), ColumnType::Datetime, Dialect::Mysql) => {
                    Json::String(text.trim_end_matches('Z').replacen('T', " ", 1))
                }
                (value, ..) => value,
            });
        }
        let secret = self.secret.get().ok_or_else(|| ApiError::internal("the page is not prepared"))?;
        Ok(Json::String(seal(secret, &self.context(order), &Json::Array(values))))
    }

    /// Returns the error of a row that would be missing from all pages, because it has the same keys as the last row of
    /// a page.
    pub(crate) fn order_error(&self, order: usize) -> ApiError {
        let keys = self.orders.get(order).map(Vec::as_slice).unwrap_or_default();
        let columns: Vec<_> = keys.iter().map(|key| format!("`{}`", key.column)).collect();
        ApiError::internal(format!(
            "two rows have the same values in the columns that order the rows of pages: {}; add the primary key",
            columns.join(", ")
        ))
    }

    /// Returns what a cursor is valid for: the method, and the order of its rows.
    fn context(&self, order: usize) -> String {
        let keys = self.orders.get(order).map(Vec::as_slice).unwrap_or_default();
        keys.iter().fold(self.method.clone(), |mut context, Key { column, is_descending, .. }| {
            let _ = write!(context, "\n{column}{}", if *is_descending { " desc" } else { "" });
            context
        })
    }
}

/// Returns a statement for a page: the rows of `inner`, a range of the text, after those of a cursor.
pub(crate) fn page_text(
    text: &StatementText,
    inner: Range<usize>,
    keys: &[Key],
    has_cursor: bool,
    dialect: Dialect,
    setting: Span,
) -> StatementText {
    let quote = if dialect == Dialect::Mysql { '`' } else { '"' };
    let column = |key: &Key| format!("{quote}{}{quote}", key.column);
    let order: Vec<_> =
        keys.iter().map(|key| format!("{}{}", column(key), if key.is_descending { " desc" } else { "" })).collect();
    let condition = keys.iter().enumerate().rev().fold(String::new(), |rest, (index, key)| {
        let (name, sign) = (key_name(index), if key.is_descending { '<' } else { '>' });
        let column = column(key);
        if key.accepts_null {
            let (is_same, is_other) = dialect.same_or_null(&column, &format!(":{name}"));
            // PostgreSQL puts rows without a value after all others, and the other databases before them.
            let after = match (dialect == Dialect::Postgres) != key.is_descending {
                true => format!("{column} {sign} :{name} or ({column} is null and {is_other})"),
                false => format!("{column} {sign} :{name} or ({column} is not null and ({column} = :{name}) is null)"),
            };
            return if rest.is_empty() { format!("({after})") } else { format!("({after} or ({is_same} and {rest}))") };
        }
        // `a <= 1 and (a < 1 or b < 2)` instead of `a < 1 or (a = 1 and b < 2)`, so that an index finds the first row.
        match rest.as_str() {
            "" => format!("{column} {sign} :{name}"),
            rest => format!("{column} {sign}= :{name} and ({column} {sign} :{name} or ({rest}))"),
        }
    });
    let condition = if has_cursor { format!(" where {condition}") } else { String::new() };
    // A comment at the end of a line must not hide what follows.
    let after = format!("{INNER_END}{condition} order by {} limit :{LIMIT}", order.join(", "));
    text.enclosed(INNER_BEGIN, inner, &after, setting)
}

/// Returns a statement that counts the rows of all pages.
pub(crate) fn total_text(text: &StatementText, dialect: Dialect, setting: Span) -> StatementText {
    text.enclosed("select count(*) from (", 0..text.end(dialect), INNER_END, setting)
}

/// Returns a page of MySQL with columns after its own for the numbers of the words in `numbers`: keys and their
/// columns. The rows are ordered by the numbers themselves for the columns in `bits`. With `is_table`, the rows of the
/// statement are put into a table before they are compared, which a limit causes.
pub(crate) fn page_with_numbers<'a>(
    sql: &str,
    numbers: &[(usize, &str)],
    bits: impl Iterator<Item = &'a str>,
    is_table: bool,
) -> String {
    let end = sql.rfind(INNER_END).unwrap_or(sql.len());
    let inner = sql[..end].strip_prefix(INNER_BEGIN).unwrap_or(sql);
    let limit = if is_table { format!("\nlimit {}", u64::MAX) } else { String::new() };
    let number = |column: &str| format!("cast(`{column}` as unsigned)");
    let columns: String =
        numbers.iter().map(|(key, column)| format!(", {} as {}", number(column), key_name(*key))).collect();
    let order =
        bits.fold(sql[end..].to_owned(), |order, column| order.replace(&format!("`{column}`"), &number(column)));
    format!("select page.*{columns} from ({inner}{limit}{order}")
}
