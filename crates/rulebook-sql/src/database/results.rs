//! The results of statements: whether they are complete, and where their columns are.

use futures_util::future::ready;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use sqlx::error::BoxDynError;
use sqlx::{Column, Database, Either, Row};

use super::Prepared;
use super::lease::FromRow;
use crate::page::key_name;
use crate::raw_value::RawValue;
use crate::target::Target;

type Results<'a, D> = BoxStream<'a, Result<Either<<D as Database>::QueryResult, <D as Database>::Row>, sqlx::Error>>;

/// Returns the results with an error at the end if not all of the `statements` have reached their ends. If the thread
/// of a connection of SQLite ends early, its results only end, so that they would look like those without further rows.
fn complete<'a, D: Database>(
    results: Results<'a, D>,
    mut statements: u32,
) -> impl Stream<Item = Result<Either<D::QueryResult, D::Row>, sqlx::Error>> + Send + 'a {
    results.map(Some).chain(stream::once(ready(None))).filter_map(move |result| {
        match &result {
            Some(Ok(Either::Left(_))) => statements = statements.saturating_sub(1),
            Some(Err(_)) => statements = 0,
            Some(Ok(Either::Right(_))) | None => {}
        }
        ready(result.or_else(|| (statements > 0).then_some(Err(sqlx::Error::WorkerCrashed))))
    })
}

/// Converts the rows of the last one of the `statements`; the others return none. `decode` decodes the value of the
/// column with an index in the row.
pub(super) fn rows<'a, D: Database, T: FromRow + Send + 'a>(
    results: Results<'a, D>,
    statements: u32,
    prepared: &'a Prepared,
    decode: impl Fn(&D::Row, usize, Target) -> Result<RawValue, BoxDynError> + Send + 'a,
) -> BoxStream<'a, Result<T, sqlx::Error>> {
    let mut places = None;
    let rows = complete::<D>(results, statements).try_filter_map(move |result| ready(Ok(result.right())));
    rows.map(move |row| {
        let row = row?;
        let places = &*match &mut places {
            Some(places) => places,
            unknown => unknown.insert(ColumnPlaces::find(prepared, row.columns())?),
        };
        T::from_row(prepared, |index, target| match places {
            ColumnPlaces::Unchanged => decode(&row, index, target),
            ColumnPlaces::Moved(places) => match places[index] {
                Some(place) => decode(&row, place, target),
                None => Ok(RawValue::Null),
            },
        })
    })
    .boxed()
}

/// What a statement without rows has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Changed {
    /// The number of rows.
    pub rows: u64,
    /// The id that the database has given an inserted row, if it reports one.
    pub last_id: Option<i64>,
}

/// Executes a statement without rows.
pub(super) async fn changed<D: Database>(
    results: Results<'_, D>,
    read: impl Fn(D::QueryResult) -> Changed,
) -> Result<Changed, sqlx::Error> {
    let add = |sum: Changed, result: Either<D::QueryResult, D::Row>| {
        let Changed { rows, last_id } = result.left().map(&read).unwrap_or_default();
        // A statement that has inserted no row reports the id of an earlier one.
        let last_id = last_id.filter(|_| rows > 0);
        ready(Ok(Changed { rows: sum.rows + rows, last_id: last_id.or(sum.last_id) }))
    };
    complete::<D>(results, 1).try_fold(Changed::default(), add).await
}

pub(super) async fn all_rows<D: Database>(results: Results<'_, D>) -> Result<Vec<D::Row>, sqlx::Error> {
    complete::<D>(results, 1).try_filter_map(|result| ready(Ok(result.right()))).try_collect().await
}

/// Where the columns are that a statement had when it was prepared.
enum ColumnPlaces {
    Unchanged,
    /// The indexes in the rows; `None` for a column that may be missing, and does not exist.
    Moved(Vec<Option<usize>>),
}

impl ColumnPlaces {
    /// Finds the columns by their names if the tables have got other columns since the statement was prepared.
    fn find<C: Column>(prepared: &Prepared, columns: &[C]) -> Result<Self, sqlx::Error> {
        let numbers = prepared.numbered_keys.iter().map(|key| (key_name(*key), false));
        let named = prepared.columns.iter().zip(&prepared.outputs);
        let named = named.map(|(column, output)| (column.name.clone(), output.may_be_missing));
        let known: Vec<_> = named.chain(numbers).collect();
        if prepared.outputs.is_empty()
            || (known.len() == columns.len() && known.iter().zip(columns).all(|((name, _), now)| name == now.name()))
        {
            return Ok(Self::Unchanged);
        }
        let places = known.into_iter().map(|(name, may_be_missing)| {
            let mut found = (0..columns.len()).filter(|index| columns[*index].name() == name);
            match (found.next(), found.next()) {
                // MariaDB has not described the only column.
                (None, None) if name.is_empty() => Ok(Some(0)),
                (None, None) if !may_be_missing => Err(sqlx::Error::ColumnNotFound(name)),
                (place, None) => Ok(place),
                (_, Some(_)) => {
                    let source = "two columns have this name since the tables were changed".into();
                    Err(sqlx::Error::ColumnDecode { index: name, source })
                }
            }
        });
        Ok(Self::Moved(places.collect::<Result<_, _>>()?))
    }
}
