//! The log of a server: lines of text for people, or JSON objects for programs.
//!
//! Text in log records cannot imitate another line of the log: in the text format, continuation lines are indented and
//! other control characters are escaped.

use std::fmt::Write as _;
use std::io::{self, Write};

use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{self, Key, Value, VisitSource, VisitValue};
use serde_json::{Map, Value as Json};

use rulebook_model::model::LogFormat;

/// The default filter.
pub(super) const FILTER: &str = "info,actix_server=warn";

/// Starts logging to standard error: the records that pass `filter`, and panics.
///
/// # Errors
/// Fails if the program has already set a logger.
pub(super) fn start(filter: &str, format: LogFormat) -> Result<(), String> {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(log::LevelFilter::Warn).parse_filters(filter).format(match format {
        LogFormat::Text => text,
        LogFormat::Json => json,
    });
    builder.try_init().map_err(|error| error.to_string())?;
    rulebook::log_panics();
    Ok(())
}

fn text(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut message = escaped(&record.args().to_string());
    // The messages of this crate contain the values of their fields.
    if !is_this_crate(record.target()) {
        for (name, value) in &fields(record) {
            // Writing to a String cannot fail.
            let _ = write!(message, " {}={}", escaped(name), escaped(&value.to_string()));
        }
    }
    let (time, level) = (line.timestamp_millis(), record.level());
    let style = line.default_level_style(level);
    writeln!(line, "[{time} {style}{level:<5}{style:#} {}] {message}", record.target())
}

fn json(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut object = Map::new();
    object.insert("time".to_owned(), line.timestamp_millis().to_string().into());
    object.insert("level".to_owned(), record.level().as_str().into());
    object.insert("target".to_owned(), record.target().into());
    object.insert("message".to_owned(), record.args().to_string().into());
    for (name, value) in fields(record) {
        // A field of the record must not replace one of these fields.
        object.entry(name).or_insert(value);
    }
    serde_json::to_writer(&mut *line, &object)?;
    writeln!(line)
}

fn is_this_crate(target: &str) -> bool {
    target.strip_prefix("rulebook").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Indents continuation lines and escapes control characters.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => escaped.push_str("\n    "),
            char if char.is_control() => escaped.extend(char.escape_default()),
            char => escaped.push(char),
        }
    }
    escaped
}

/// Returns the structured fields of a record.
fn fields(record: &Record<'_>) -> Map<String, Json> {
    let mut fields = Fields(Map::new());
    // A field whose value cannot be read is omitted.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

struct Fields(Map<String, Json>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let mut field = Field(Json::Null);
        value.visit(&mut field)?;
        self.0.insert(key.as_str().to_owned(), field.0);
        Ok(())
    }
}

struct Field(Json);

impl<'v> VisitValue<'v> for Field {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.0 = value.to_string().into();
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
        self.0 = Json::Null;
        Ok(())
    }

    fn visit_u64(&mut self, value: u64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_i64(&mut self, value: i64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_f64(&mut self, value: f64) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_bool(&mut self, value: bool) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }

    fn visit_str(&mut self, value: &str) -> Result<(), kv::Error> {
        self.0 = value.into();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_cannot_start_a_line_of_the_log() {
        let escaped = super::escaped("it broke\nat 1:2\r\x1b[2J \u{9b}café");
        assert_eq!(escaped, "it broke\n    at 1:2\\r\\u{1b}[2J \\u{9b}café");
    }
}
