//! The log of `rulebook serve`: lines of text for people, or JSON objects for programs.
//!
//! The text of a log record cannot imitate another record: in the text format, the second and further lines of a record
//! are indented, and invisible characters are escaped.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use env_logger::fmt::Formatter;
use env_logger::{Target, WriteStyle};
use log::Record;
use log::kv::{self, Key, Value, VisitSource, VisitValue};
use rulebook_model::invisible::is_invisible;
use rulebook_model::model::LogFormat;
use serde_json::{Map, Value as Json};

use crate::output;

/// The default filter of log records, in the syntax of the crate `env_logger`.
pub(super) const DEFAULT_FILTER: &str = "info,actix=off,actix_server=warn";

/// Starts to log to standard error. The log contains the records that pass `filter`, and every panic.
pub(super) fn start_logging(filter: &str, format: LogFormat) -> Result<(), String> {
    let target = output::queued_stderr().map_or(Target::Stderr, |queue| Target::Pipe(Box::new(queue)));
    let has_color = output::has_color(&io::stderr());
    start(filter, format, target, if has_color { WriteStyle::Always } else { WriteStyle::Never })
}

/// Starts to log as [`start_logging`] does, but to another place.
#[cfg(feature = "test")]
pub(super) fn start_logging_to(filter: &str, format: LogFormat, to: Box<dyn Write + Send>) -> Result<(), String> {
    start(filter, format, Target::Pipe(to), WriteStyle::Never)
}

fn start(filter: &str, format: LogFormat, target: Target, style: WriteStyle) -> Result<(), String> {
    let mut builder = env_logger::Builder::new();
    builder.target(target).write_style(style);
    builder.filter_level(log::LevelFilter::Warn).parse_filters(filter).format(match format {
        LogFormat::Json => write_json_record,
        // A format that a later version of rulebook-model adds is written as text.
        _ => write_text_record,
    });
    builder.try_init().map_err(|error| error.to_string())?;
    rulebook::log_panics();
    Ok(())
}

fn write_text_record(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let text = record.args().to_string();
    let mut message = escape_record_text(&text);
    // The messages of rulebook already contain the values of their fields.
    if !is_from_rulebook(record.target()) {
        for (name, value) in &structured_fields(record) {
            // Writing to a `String` cannot fail.
            let _ =
                write!(message.to_mut(), " {}={}", escape_record_text(name), escape_record_text(&value.to_string()));
        }
    }
    let (time, level) = (line.timestamp_millis(), record.level());
    let style = line.default_level_style(level);
    writeln!(line, "[{time} {style}{level:<5}{style:#} {}] {message}", record.target())
}

fn write_json_record(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut object = Map::new();
    object.insert("time".to_owned(), line.timestamp_millis().to_string().into());
    object.insert("level".to_owned(), record.level().as_str().into());
    object.insert("target".to_owned(), record.target().into());
    object.insert("message".to_owned(), record.args().to_string().into());
    for (name, value) in structured_fields(record) {
        // A field of the record must not replace the time, level, target or message.
        object.entry(name).or_insert(value);
    }
    serde_json::to_writer(&mut *line, &object)?;
    writeln!(line)
}

fn is_from_rulebook(target: &str) -> bool {
    target.strip_prefix("rulebook").is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Indents every line of a text except the first, and escapes other invisible characters than line breaks.
fn escape_record_text(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => escaped.push_str("\n    "),
            char if is_invisible(char) => escaped.extend(char.escape_default()),
            char => escaped.push(char),
        }
    }
    escaped.into()
}

fn structured_fields(record: &Record<'_>) -> Map<String, Json> {
    let mut fields = FieldCollector(Map::new());
    // A structured field whose value cannot be read is omitted.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

struct FieldCollector(Map<String, Json>);

impl<'kvs> VisitSource<'kvs> for FieldCollector {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), kv::Error> {
        let mut field = FieldValue(Json::Null);
        value.visit(&mut field)?;
        self.0.insert(key.as_str().to_owned(), field.0);
        Ok(())
    }
}

/// The value of a structured field: a number, a boolean or null; anything else is a text.
struct FieldValue(Json);

impl<'v> VisitValue<'v> for FieldValue {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), kv::Error> {
        self.0 = value.to_string().into();
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), kv::Error> {
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
}

#[cfg(test)]
mod tests {
    #[test]
    fn record_text_with_line_breaks_cannot_imitate_another_record() {
        let escaped = super::escape_record_text("it broke\nat 1:2\r\x1b[2J \u{9b}café\u{202e}");
        assert_eq!(escaped, "it broke\n    at 1:2\\r\\u{1b}[2J \\u{9b}café\\u{202e}");
    }
}
