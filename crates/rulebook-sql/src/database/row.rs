//! Rows of results, after the conversion of their values.

use serde_json::Value as Json;
use sqlx::error::BoxDynError;

use super::Prepared;
use crate::target::{Raw, Target};

pub(crate) trait FromRow: Sized {
    /// Converts the values of a row. `decode` decodes the value of the column with an index.
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<Raw, BoxDynError>,
    ) -> Result<Self, sqlx::Error>;
}

/// A row whose columns become outputs: a value for each column.
pub(crate) type JsonRow = Vec<Json>;

impl FromRow for JsonRow {
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<Raw, BoxDynError>,
    ) -> Result<Self, sqlx::Error> {
        convert(prepared, decode, |raw, target| Ok(raw.into_json(target)?))
    }
}

#[derive(Debug, Default)]
pub(crate) struct FileRow {
    /// The content; `None` if it is null.
    pub content: Option<Vec<u8>>,
    pub name: Option<String>,
    pub media_type: Option<String>,
}

impl FromRow for FileRow {
    fn from_row(
        prepared: &Prepared,
        decode: impl Fn(usize, Target) -> Result<Raw, BoxDynError>,
    ) -> Result<Self, sqlx::Error> {
        let values = convert(prepared, decode, |raw, _| raw.into_bytes())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|error| sqlx::Error::Decode(error.into()));
        let mut file = Self::default();
        for (column, value) in prepared.columns.iter().zip(values) {
            match column.name.as_str() {
                "content" => file.content = value,
                "name" => file.name = value.map(text).transpose()?,
                _ => file.media_type = value.map(text).transpose()?,
            }
        }
        Ok(file)
    }
}

fn convert<T>(
    prepared: &Prepared,
    decode: impl Fn(usize, Target) -> Result<Raw, BoxDynError>,
    into: impl Fn(Raw, Target) -> Result<T, BoxDynError>,
) -> Result<Vec<T>, sqlx::Error> {
    let targets = prepared.targets.iter().zip(&prepared.columns).enumerate();
    let values = targets.map(|(index, (target, column))| {
        let value = decode(index, *target).and_then(|raw| into(raw, *target));
        value.map_err(|source| sqlx::Error::ColumnDecode { index: column.name.clone(), source })
    });
    values.collect()
}
