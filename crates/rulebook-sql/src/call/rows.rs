//! Results in memory: the rows of a result become the outputs of a call.

use futures_util::StreamExt;
use rulebook::ApiError;
use serde_json::{Map, Value as Json};

use super::{CallFailure, ReadRows, SqlMethod};
use crate::database::{JsonRow, Lease, Prepared, row_object};
use crate::result_shape::{RowShape, Rows};
use crate::value::SqlValue;

pub(super) struct Outputs;

impl ReadRows for Outputs {
    type Result = Json;

    async fn read(
        &self,
        method: &SqlMethod,
        lease: &mut Lease,
        statement: &Prepared,
        values: &[SqlValue],
    ) -> Result<Json, CallFailure> {
        let rows = collect(method, lease, statement, values).await?;
        if rows.is_empty() {
            method.check_missing()?;
        }
        Ok(match (method.shape.rows, &method.shape.output) {
            (Rows::Many, Some(name)) => Json::Object(Map::from_iter([(name.clone(), Json::Array(rows))])),
            (Rows::Many, None) => Json::Array(rows),
            (Rows::One | Rows::None, _) => {
                let row = rows.into_iter().next().ok_or_else(|| {
                    CallFailure::Api(ApiError::internal("the statement returned no row, without `missing`"))
                })?;
                method.shape.outputs_of_row(row)
            }
        })
    }
}

async fn collect(
    method: &SqlMethod,
    lease: &mut Lease,
    statement: &Prepared,
    values: &[SqlValue],
) -> Result<Vec<Json>, CallFailure> {
    let limits = method.limits;
    let mut stream = lease.fetch::<JsonRow>(statement, values)?;
    let (mut rows, mut bytes) = (Vec::new(), 0_u64);
    while let Some(row) = stream.next().await {
        let row = row?;
        bytes = bytes.saturating_add(row.iter().map(size).sum());
        let reason = if method.shape.rows == Rows::One && !rows.is_empty() {
            "the statement returned more than one row; add a condition, or `limit 1`".to_owned()
        } else if rows.len() as u64 >= limits.rows {
            format!("the statement returned more than {} rows; return them in pages, or as a download", limits.rows)
        } else if bytes > limits.bytes {
            format!("the result has more than {} bytes; return it in pages, or as a download", limits.bytes)
        } else {
            rows.push(match method.shape.row {
                RowShape::Value(_) => row.into_iter().next().unwrap_or(Json::Null),
                RowShape::Members(_) | RowShape::AnyMembers(_) => Json::Object(row_object(statement, row)),
            });
            continue;
        };
        return Err(CallFailure::Stopped(ApiError::internal(reason)));
    }
    Ok(rows)
}

/// Returns about the number of bytes that a value occupies.
fn size(value: &Json) -> u64 {
    let bytes = match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len() as u64,
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| name.len() as u64 + size(value)).sum(),
    };
    bytes + 16
}
