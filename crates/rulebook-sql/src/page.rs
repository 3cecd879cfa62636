//! Pages of a list: the setting `page`: `{"by": "created desc, id desc", "size": "limit"}`.
//!
//! The statement becomes a part of another one, which orders its rows by the keys, returns one row more than the page
//! has, and begins after the row in the cursor of the request. So a page is found by an index however far it is, and
//! rows that are added or removed meanwhile move no other row to another page. Only the server can write a cursor,
//! which contains the keys of the last row of a page.

use std::fmt::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake3::Hash;
use rulebook::ApiError;
use rulebook::handler_kind::settings::{object, text, unknown_setting, whole_number, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode, read_or_create_secret};
use rulebook::types::Value;
use rulebook_model::model::{Output, Parameter};
use rulebook_model::span::{Span, Spanned};
use serde_json::{Value as Json, json};

use crate::column::RawValue;
use crate::database::{ColumnType, Dialect, PageOrder, Prepared};
use crate::errors::parameter_error;
use crate::names::{Names, named_parameter};
use crate::statement::StatementText;
use crate::value::{SqlValue, Target};

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
    pub settings: PageSettings,
    /// The indexes of the values of the keys.
    pub keys: Vec<usize>,
    /// The keys, for each combination of the fragments of the statement.
    pub orders: Vec<Vec<Key>>,
    /// The id of the method.
    pub method: String,
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
        values[self.settings.limit] =
            SqlValue::Int(i64::try_from(self.size(values)).unwrap_or(i64::MAX).saturating_add(1));
        let SqlValue::Text(cursor) = &values[self.settings.cursor] else { return Ok(()) };
        let secret = self.secret.get().ok_or_else(|| ApiError::internal("the page is not prepared"))?;
        let expected = format!("the `{}` of a response with the same order", self.settings.next);
        let keys = open(secret, &self.context(order), cursor);
        let keys =
            keys.ok_or_else(|| ApiError::parameters(vec![parameter_error(&self.settings.parameter, expected)]))?;
        for (index, key) in self.keys.iter().zip(&keys) {
            values[*index] = match key.get(DECIMAL).and_then(Json::as_str) {
                Some(decimal) => SqlValue::Decimal(decimal.to_owned()),
                None => SqlValue::from(&rulebook::types::Value::from(key)),
            };
        }
        Ok(())
    }

    pub(crate) fn has_cursor(&self, values: &[SqlValue]) -> bool {
        values[self.settings.cursor] != SqlValue::Null
    }

    pub(crate) fn size(&self, values: &[SqlValue]) -> u64 {
        match self.settings.size {
            Size::Rows(rows) => rows,
            Size::Value(index) => match values[index] {
                SqlValue::Int(rows) => u64::try_from(rows).unwrap_or(1).max(1),
                _ => 1,
            },
        }
    }

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

    /// A row with the same keys as the last row of a page would be missing from all pages.
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

pub(crate) const PAGE: &str = "page";

/// The names of the values that the statement of a page binds besides those of the definition.
pub(crate) const LIMIT: &str = "_page_limit";

pub(crate) fn key_name(index: usize) -> String {
    format!("_page_key_{index}")
}

const KEYS: [&str; 5] = ["by", "size", "cursor", "next", "total"];

pub(crate) struct PageSettings {
    pub by: StatementText,
    pub span: Span,
    pub next: String,
    /// The output for the number of rows of all pages.
    pub total: Option<Spanned<String>>,
    parameter: Parameter,
    /// The index of the value that is the cursor of the request.
    cursor: usize,
    /// The number of rows of a page, or the index of its value.
    size: Size,
    /// The index of the number of rows that the statement returns.
    limit: usize,
}

impl PageSettings {
    /// Reads the setting. `max_rows` is the limit of the rows of a call.
    pub(crate) fn read(
        method: &HandledMethod<'_>,
        names: &mut Names<'_, '_>,
        max_rows: u64,
    ) -> Result<Option<Self>, HandlerError> {
        let Some(node) = method.optional_setting(PAGE) else { return Ok(None) };
        if let Some(member) = object(node, PAGE)?.iter().find(|member| !KEYS.contains(&member.key.value.as_str())) {
            return Err(unknown_setting(&member.key, "`page`", &KEYS));
        }
        let by = node.member("by").ok_or_else(|| {
            let error = HandlerError::new("`page` has no `by`: the columns that order the rows").at(node.span);
            error.help("add for example \"by\": \"created desc, id desc\"")
        })?;
        let JsonData::String(_) = by.data else { return Err(wrong_value(by, "by", "a string, as after `order by`")) };
        let parameter = parameter(method, node, "cursor")?;
        if !parameter.optional
            || parameter.default.is_some()
            || Target::of_argument(&*parameter.r#type.check) != Target::Text
        {
            let message = format!("`{}` is the cursor of a page, so that it must be an optional text", parameter.name);
            return Err(HandlerError::new(message).at(parameter.span).help("write the type as `?string`"));
        }
        let next = output(method, node)?;
        let total = node.member("total").map(|node| text(node, "total")).transpose()?;
        let cursor = names.index_of(&parameter.name).map_err(|error| error.at(node.span))?;
        let size = size(method, node, names, max_rows)?;
        let limit = names.computed(LIMIT, Target::Integer);
        Ok(Some(Self {
            by: by.into(),
            span: node.span,
            next,
            total,
            parameter: parameter.clone(),
            cursor,
            size,
            limit,
        }))
    }

    pub(crate) fn keys(&self, by: &StatementText) -> Result<Vec<Key>, HandlerError> {
        let mut keys: Vec<Key> = Vec::new();
        let mut start = 0;
        for part in by.as_str().split(',') {
            let span = by.part(start..start + part.len());
            start += part.len() + 1;
            let mut words = part.split_whitespace();
            let Some(column) = words.next() else { continue };
            let direction = words.next().map(str::to_lowercase);
            let is_name = column.chars().all(|char| char.is_alphanumeric() || char == '_');
            if !is_name || !matches!(direction.as_deref(), None | Some("asc" | "desc")) || words.next().is_some() {
                let error = HandlerError::new(format!("`{}` is not a column that orders pages", part.trim())).at(span);
                return Err(error.help("write the name of a column of the statement, and `desc` after it or nothing"));
            }
            let is_descending = direction.as_deref() == Some("desc");
            keys.push(Key { column: column.to_owned(), is_descending, accepts_null: false });
        }
        if keys.is_empty() {
            let error = HandlerError::new("the rows of pages have no order").at(self.span);
            return Err(
                error.help("name columns that together are different in all rows, such as `created desc, id desc`")
            );
        }
        Ok(keys)
    }
}

/// Returns the parameter that a member names; without the member, the parameter with its name.
fn parameter<'m>(method: &HandledMethod<'m>, node: &JsonNode, key: &str) -> Result<&'m Parameter, HandlerError> {
    named_parameter(method, &member_name(node, key)?)
}

fn member_name(node: &JsonNode, key: &str) -> Result<Spanned<String>, HandlerError> {
    node.member(key).map_or_else(|| Ok(Spanned::new(key.to_owned(), node.span)), |value| text(value, key))
}

fn output(method: &HandledMethod<'_>, node: &JsonNode) -> Result<String, HandlerError> {
    let name = member_name(node, "next")?;
    let is_cursor = |output: &&Output| {
        output.name == name.value && output.optional && Target::of(&*output.r#type.check) == Target::Text
    };
    if method.method.returned_outputs().any(|output| is_cursor(&output)) {
        return Ok(name.value);
    }
    let message = format!("the method has no output `{}` of the type `?string`", name.value.escape_debug());
    let help = "declare it: it is the `cursor` of the next page, and null on the last one";
    Err(HandlerError::new(message).at(name.span).help(help))
}

fn size(
    method: &HandledMethod<'_>,
    node: &JsonNode,
    names: &mut Names<'_, '_>,
    max_rows: u64,
) -> Result<Size, HandlerError> {
    let Some(value) = node.member("size") else {
        let error = HandlerError::new("`page` has no `size`: the number of rows, or the parameter with it");
        return Err(error.at(node.span).help("add for example \"size\": 20"));
    };
    if let JsonData::Number(_) = value.data {
        return whole_number(value, "size", 1..=max_rows).map(Size::Rows);
    }
    let parameter = parameter(method, node, "size")?;
    let accepts = |rows: u64| parameter.r#type.check.checked(Value::from(&serde_json::json!(rows))).is_ok();
    let is_missing = parameter.optional && parameter.default.is_none();
    if Target::of_argument(&*parameter.r#type.check) != Target::Integer
        || is_missing
        || accepts(0)
        || accepts(max_rows + 1)
    {
        let message = format!("`{}` is not always a number of rows from 1 to {max_rows}", parameter.name);
        let help = "give it a type such as `int(1,100)`, and a `default` if clients may omit it";
        return Err(HandlerError::new(message).at(value.span).help(help));
    }
    names.index_of(&parameter.name).map(Size::Value).map_err(|error| error.at(value.span))
}

/// The key that authenticates cursors.
pub(crate) type Secret = [u8; blake3::KEY_LEN];

/// Returns the cursor with these keys, which is valid in a context only.
fn seal(secret: &Secret, context: &str, keys: &Json) -> String {
    let keys = keys.to_string();
    let mut bytes = tag(secret, context, keys.as_bytes()).as_bytes().to_vec();
    bytes.extend_from_slice(keys.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the keys in a cursor; `None` unless [`seal`] has returned the cursor for the same context.
fn open(secret: &Secret, context: &str, cursor: &str) -> Option<Vec<Json>> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (found, keys) = bytes.split_first_chunk::<{ blake3::OUT_LEN }>()?;
    // Two hashes are compared in constant time.
    let is_valid = Hash::from_bytes(*found) == tag(secret, context, keys);
    if is_valid { serde_json::from_slice(keys).ok() } else { None }
}

fn tag(secret: &Secret, context: &str, keys: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(secret);
    // The length separates the context from the keys.
    hasher.update(&(context.len() as u64).to_le_bytes());
    hasher.update(context.as_bytes());
    hasher.update(keys);
    hasher.finalize()
}
