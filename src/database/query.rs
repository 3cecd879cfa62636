//! Queries in SQL that all databases understand, after the conversions in this module.
//!
//! - The placeholders of values are `$1`, `$2`, …; MySQL has `?`, which refers to the values in their order.
//! - MySQL returns the id of an inserted row with the result, the other databases with `RETURNING`.
//!
//! SQL that only some databases understand, such as `ON CONFLICT`, must not be used.

use std::borrow::Cow;

use sqlx::any::{AnyArguments, AnyRow, AnyTypeInfo, AnyValueRef};
use sqlx::error::BoxDynError;
use sqlx::{Any, AnyConnection, Arguments, Decode, Encode, FromRow, Type, ValueRef};

use super::dialect::Dialect;

/// Adds a value to the arguments of a query.
type Bind<'q> = Box<dyn Fn(&mut AnyArguments<'q>) -> Result<(), BoxDynError> + Send + 'q>;

/// A query and the values of its placeholders.
pub(crate) struct Query<'q> {
    sql: Cow<'q, str>,
    values: Vec<Bind<'q>>,
}

/// Returns a query without values.
pub(crate) fn query<'q>(sql: impl Into<Cow<'q, str>>) -> Query<'q> {
    Query { sql: sql.into(), values: Vec::new() }
}

impl<'q> Query<'q> {
    /// Adds the value of the next placeholder.
    pub(crate) fn bind(mut self, value: impl Encode<'q, Any> + Type<Any> + Clone + Send + 'q) -> Self {
        self.values.push(Box::new(move |arguments| arguments.add(value.clone())));
        self
    }

    /// Executes the query, and returns the number of rows that it has inserted, found for an update, or deleted.
    pub(crate) async fn execute(self, connection: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        let (sql, arguments) = self.convert(Dialect::of(connection))?;
        Ok(sqlx::query_with(&sql, arguments).execute(connection).await?.rows_affected())
    }

    /// Executes the query, and returns all rows of the result.
    pub(crate) async fn fetch_all<R>(self, connection: &mut AnyConnection) -> Result<Vec<R>, sqlx::Error>
    where
        R: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let (sql, arguments) = self.convert(Dialect::of(connection))?;
        sqlx::query_as_with(&sql, arguments).fetch_all(connection).await
    }

    /// Executes the query, and returns the first row of the result; `None` if the result is empty.
    pub(crate) async fn fetch_optional<R>(self, connection: &mut AnyConnection) -> Result<Option<R>, sqlx::Error>
    where
        R: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let (sql, arguments) = self.convert(Dialect::of(connection))?;
        sqlx::query_as_with(&sql, arguments).fetch_optional(connection).await
    }

    /// Executes an `INSERT` of at most one row, and returns its automatic id; `None` if no row was inserted.
    /// `id_column` is the name of the column with the id.
    pub(crate) async fn insert(
        mut self,
        id_column: &str,
        connection: &mut AnyConnection,
    ) -> Result<Option<i64>, sqlx::Error> {
        let dialect = Dialect::of(connection);
        if dialect == Dialect::Mysql {
            let (sql, arguments) = self.convert(dialect)?;
            let result = sqlx::query_with(&sql, arguments).execute(connection).await?;
            return Ok(result.last_insert_id().filter(|_| result.rows_affected() > 0));
        }
        self.sql = format!("{} RETURNING {id_column}", self.sql).into();
        let inserted: Option<(i64,)> = self.fetch_optional(connection).await?;
        Ok(inserted.map(|(id,)| id))
    }

    /// Returns the SQL and the arguments for a database.
    fn convert(self, dialect: Dialect) -> Result<(Cow<'q, str>, AnyArguments<'q>), sqlx::Error> {
        let mut arguments = AnyArguments::default();
        let (sql, order) = match dialect {
            Dialect::Sqlite | Dialect::Postgres => (self.sql, (0..self.values.len()).collect()),
            Dialect::Mysql => {
                let (sql, order) = with_question_marks(&self.sql);
                (sql.into(), order)
            }
        };
        for index in order {
            let missing = || sqlx::Error::Encode(format!("no value is bound to ${}", index + 1).into());
            self.values.get(index).ok_or_else(missing)?(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok((sql, arguments))
    }
}

/// Replaces the placeholders `$1`, `$2`, … by `?`. Returns the SQL, and the index of the value of each placeholder.
fn with_question_marks(sql: &str) -> (String, Vec<usize>) {
    let mut parts = sql.split('$');
    let mut converted = parts.next().unwrap_or_default().to_owned();
    let mut order = Vec::new();
    for part in parts {
        let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
        match part[..part.len() - rest.len()].parse::<usize>() {
            Ok(number) if number > 0 => {
                order.push(number - 1);
                converted.push('?');
                converted.push_str(rest);
            }
            _ => {
                converted.push('$');
                converted.push_str(part);
            }
        }
    }
    (converted, order)
}

/// A text from a column that is a `MEDIUMTEXT` in MySQL. The driver `Any` returns long texts of MySQL as bytes.
pub(crate) struct LongText(pub(crate) String);

impl Type<Any> for LongText {
    fn type_info() -> AnyTypeInfo {
        <String as Type<Any>>::type_info()
    }

    fn compatible(info: &AnyTypeInfo) -> bool {
        <String as Type<Any>>::compatible(info) || <Vec<u8> as Type<Any>>::compatible(info)
    }
}

impl<'r> Decode<'r, Any> for LongText {
    fn decode(value: AnyValueRef<'r>) -> Result<Self, BoxDynError> {
        if <String as Type<Any>>::compatible(&value.type_info()) {
            return Ok(Self(<String as Decode<'r, Any>>::decode(value)?));
        }
        Ok(Self(String::from_utf8(<Vec<u8> as Decode<'r, Any>>::decode(value)?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::with_question_marks;

    #[test]
    fn placeholders_become_question_marks_with_the_values_in_their_order() {
        let cases: [(&str, &str, &[usize]); 4] = [
            ("SELECT 1", "SELECT 1", &[]),
            ("VALUES ($2, $1, $2)", "VALUES (?, ?, ?)", &[1, 0, 1]),
            ("$12 = $1", "? = ?", &[11, 0]),
            ("'$' || $1 || '$x' || $", "'$' || ? || '$x' || $", &[0]),
        ];
        for (sql, converted, order) in cases {
            assert_eq!(with_question_marks(sql), (converted.to_owned(), order.to_vec()), "{sql}");
        }
    }
}
