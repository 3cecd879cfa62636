//! The formats of downloads.

use serde_json::Value as Json;

use crate::database::{JsonRow, Prepared, row_object};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON object in each line.
    JsonLines,
    /// Comma-separated values (RFC 4180), with the names of the columns in the first line.
    Csv,
}

impl Format {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// Appends what is before the first row.
    pub(super) fn write_head(self, prepared: &Prepared, to: &mut Vec<u8>) {
        if self == Self::Csv {
            write_csv_line(prepared.columns.iter().map(|column| column.name.clone()), to);
        }
    }

    pub(super) fn write_row(self, prepared: &Prepared, row: JsonRow, to: &mut Vec<u8>) {
        match self {
            Self::JsonLines => {
                to.extend_from_slice(Json::Object(row_object(prepared, row)).to_string().as_bytes());
                to.push(b'\n');
            }
            Self::Csv => write_csv_line(row.into_iter().map(csv_text), to),
        }
    }
}

fn csv_text(value: Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

fn write_csv_line(fields: impl Iterator<Item = String>, to: &mut Vec<u8>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            to.push(b',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            to.extend_from_slice(format!("\"{}\"", field.replace('"', "\"\"")).as_bytes());
        } else {
            to.extend_from_slice(field.as_bytes());
        }
    }
    to.extend_from_slice(b"\r\n");
}
