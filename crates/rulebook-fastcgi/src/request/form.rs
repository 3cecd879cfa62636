//! Encodes arguments as the fields of a form, in the notation in which PHP reads arrays: `tags[0]=a`, `size[width]=9`.

use bytes::Bytes;
use rulebook::Upload;
use rulebook::multipart::MultipartForm;
use rulebook::types::Value;
use thiserror::Error;

/// The maximum nesting depth of arrays that PHP reads, unless `max_input_nesting_level` sets another one.
const MAX_DEPTH: usize = 64;

/// A field of a form.
#[derive(Debug)]
pub enum Field {
    /// The name and the value of a field.
    Text(String, Bytes),
    /// The name of a field, and the uploaded file in it.
    File(String, Upload),
    /// The name of a field, and a file in it that was not checked, with the media type of the client.
    OtherFile(String, Upload, Option<Box<str>>),
}

/// The reason why arguments cannot be the fields of a form. PHP would silently change or drop them.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum FormError {
    /// A name in an object would change the structure.
    #[error("PHP cannot read the name {0:?} of a member in the field of a form; set `arguments` to `json`")]
    Name(String),
    /// A name in an object contains a line break, which would end a line in the head of a part.
    #[error("PHP cannot read the line break in the field {0:?} of a form with files; change the name of the member")]
    LineBreak(String),
    /// Values are nested too deeply.
    #[error("PHP reads at most {MAX_DEPTH} levels of arrays in a form; set `arguments` to `json`")]
    Depth,
    /// There are too many fields.
    #[error("the arguments are {0} fields of a form, and PHP reads only `form_fields`; set `arguments` to `json`")]
    Count(usize),
}

/// Appends the fields for an argument. Null, and empty arrays and objects, have no field.
pub fn push_fields(to: &mut Vec<Field>, name: &str, value: Value<'_>) -> Result<(), FormError> {
    push_nested(to, name.to_owned(), value, 1)
}

fn push_nested(to: &mut Vec<Field>, name: String, value: Value<'_>, depth: usize) -> Result<(), FormError> {
    if depth > MAX_DEPTH {
        return Err(FormError::Depth);
    }
    let text = match value {
        Value::Null => return Ok(()),
        Value::File(upload) => {
            to.push(Field::File(name, upload));
            return Ok(());
        }
        Value::List(items) => {
            for (index, item) in items.into_iter().enumerate() {
                push_nested(to, format!("{name}[{index}]"), item, depth + 1)?;
            }
            return Ok(());
        }
        Value::Map(members) => {
            for (key, item) in members {
                if !is_readable_key(&key) {
                    return Err(FormError::Name(key.into_owned()));
                }
                push_nested(to, format!("{name}[{key}]"), item, depth + 1)?;
            }
            return Ok(());
        }
        scalar => scalar_text(&scalar),
    };
    to.push(Field::Text(name, text.into()));
    Ok(())
}

/// Returns the text of a value that is neither null, a file, an array nor an object. Booleans are `1` and `0`, as
/// `http_build_query` of PHP writes them.
pub fn scalar_text(value: &Value<'_>) -> String {
    match value {
        Value::Bool(bool) => u8::from(*bool).to_string(),
        Value::Text(text) => text.clone().into_owned(),
        other => other.to_json().to_string(),
    }
}

/// Returns `true` if PHP reads the text between brackets as the name of a member.
fn is_readable_key(key: &str) -> bool {
    let begins_with_space = key.starts_with(|char: char| char.is_ascii_whitespace() || char == '\u{b}');
    !key.is_empty() && !begins_with_space && !key.contains(['[', ']', '\0'])
}

/// Writes the fields of a form with files, as PHP reads it.
/// Fails if a name contains a line break.
pub fn multipart(fields: Vec<Field>) -> Result<MultipartForm<Upload>, FormError> {
    let mut form = MultipartForm::new().with_escape(escape_name);
    for field in fields {
        let (Field::Text(name, _) | Field::File(name, _) | Field::OtherFile(name, ..)) = &field;
        if name.contains(['\r', '\n']) {
            return Err(FormError::LineBreak(name.clone()));
        }
        match field {
            Field::Text(name, value) => form.field(&name, value),
            Field::File(name, upload) => {
                let (filename, media_type) = (escape_filename(upload.filename()), upload.media_type().to_owned());
                form.file(&name, &filename, Some(&media_type), upload);
            }
            Field::OtherFile(name, upload, media_type) => {
                let filename = upload.filename().replace(char::is_control, "_");
                form.file(&name, &filename, media_type.as_deref(), upload);
            }
        }
    }
    Ok(form)
}

/// Escapes the name of a field. PHP removes backslashes before quotes and backslashes.
fn escape_name(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Escapes the name of a file. PHP reads a backslash before a quote as an escape, so that both are percent-encoded, as
/// browsers do with quotes.
fn escape_filename(name: &str) -> String {
    name.replace('"', "%22").replace('\\', "%5C").replace(char::is_control, "_")
}

/// Returns `true` if PHP does not change the name of a field.
pub fn is_readable_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Encodes the fields without files as `application/x-www-form-urlencoded`.
pub fn urlencoded(fields: &[Field]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for field in fields {
        if let Field::Text(name, value) = field {
            form.append_pair(name, &String::from_utf8_lossy(value));
        }
    }
    form.finish()
}
