//! Results in memory: the rows of a result become the outputs of a call.

use futures_util::StreamExt;
use rulebook::ApiError;
use serde_json::Value as Json;

use super::{CallFailure, ReadRows, ResultStep, SqlMethod};
use crate::database::{Lease, PageRow, row_object};
use crate::result_shape::{RowShape, Rows};
use crate::settings::CallLimits;
use crate::value::SqlValue;

pub(super) struct Outputs;

impl ReadRows for Outputs {
    type Result = Json;

    async fn read(
        &self,
        method: &SqlMethod,
        lease: &mut Lease,
        step: &ResultStep<'_>,
        values: &mut [SqlValue],
        limits: &mut CallLimits,
    ) -> Result<Json, CallFailure> {
        let shape = step.shape;
        let (rows, next) = collect(method, lease, step, values, limits).await?;
        if rows.is_empty() {
            for check in &step.prepared.checks {
                lease.execute(check, values).await?;
            }
            if !shape.is_optional {
                method.check_missing(step)?;
            }
        }
        let whole = match shape.rows {
            Rows::Many => Json::Array(rows),
            Rows::One | Rows::None => match rows.into_iter().next() {
                Some(row) => shape.outputs_of_row(row),
                None if shape.is_optional => Json::Null,
                None => {
                    let reason = "the statement returned no row, without `missing`";
                    return Err(CallFailure::Api(ApiError::internal(reason)));
                }
            },
        };
        let Some(name) = &shape.output else { return Ok(whole) };
        let named = [Some((name.clone(), whole)), next];
        Ok(Json::Object(named.into_iter().flatten().collect()))
    }
}

/// Returns the rows, and the output with the cursor of the next page.
async fn collect(
    method: &SqlMethod,
    lease: &mut Lease,
    step: &ResultStep<'_>,
    values: &mut [SqlValue],
    limits: &mut CallLimits,
) -> Result<(Vec<Json>, Option<(String, Json)>), CallFailure> {
    let page = method.page.as_ref().filter(|_| method.steps[step.index].is_paged);
    let size = page.map(|page| page.size(values));
    // A row that the outputs cannot express is an error, which must not follow a change.
    let is_writing = method.steps.iter().flat_map(|step| &step.variants).any(|statement| !statement.is_reading);
    let mut stream = lease.fetch::<PageRow>(step.prepared, values)?;
    let (mut rows, mut first, mut keys, mut next_keys) = (Vec::new(), None, Vec::new(), None);
    while let Some(row) = stream.next().await {
        let PageRow { row, keys: row_keys } = row?;
        if size == Some(rows.len() as u64) {
            next_keys = Some(row_keys);
            continue;
        }
        if is_writing && let Some((output, column)) = step.prepared.refused_output(&row) {
            let reason = format!("the column `{column}` has a value that is not {}", output.in_words());
            return Err(CallFailure::Stopped(ApiError::internal(reason)));
        }
        let bytes = row.iter().map(size_of_value).sum();
        let reason = if step.shape.rows == Rows::One && !rows.is_empty() {
            "the statement returned more than one row; add a condition, or `limit 1`".to_owned()
        } else if limits.rows == 0 {
            let max = method.limits.rows;
            format!("the statement returned more than {max} rows; return them in pages, or as a download")
        } else if limits.bytes < bytes {
            let max = method.limits.bytes;
            format!("the result has more than {max} bytes; return it in pages, or as a download")
        } else {
            (limits.rows, limits.bytes) = (limits.rows - 1, limits.bytes - bytes);
            if method.inserted.is_some() && rows.is_empty() {
                first = row.first().cloned();
            }
            rows.push(match step.shape.row {
                RowShape::Value(_) => row.into_iter().next().unwrap_or(Json::Null),
                RowShape::Members(_) | RowShape::AnyMembers(_) => Json::Object(row_object(step.prepared, row)),
            });
            keys = row_keys;
            continue;
        };
        return Err(CallFailure::Stopped(ApiError::internal(reason)));
    }
    drop(stream);
    method.note_inserted(step.index, first.as_ref(), values);
    let Some(page) = page else { return Ok((rows, None)) };
    let dialect = method.database.settings.dialect;
    let next = match next_keys {
        Some(next_keys) if next_keys == keys => return Err(CallFailure::Api(page.order_error(step.combination))),
        Some(_) => page.cursor_after(keys, step.prepared, step.combination, dialect).map_err(CallFailure::Api)?,
        None => Json::Null,
    };
    Ok((rows, Some((page.next.clone(), next))))
}

/// Returns about the number of bytes that a value occupies.
fn size_of_value(value: &Json) -> u64 {
    let bytes = match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len() as u64,
        Json::Array(items) => items.iter().map(size_of_value).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| name.len() as u64 + size_of_value(value)).sum(),
    };
    bytes + 16
}
