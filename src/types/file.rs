//! `file`: an uploaded file, judged by its size, its name and what it was recognised as.

use std::borrow::Cow;
use std::sync::Arc;

use mime::Mime;
use serde_json::{Map, Value as Json, json};

use super::bounds::Bounds;
use super::{ArgumentError, Arguments, Check, Most, Takes, Written};
use crate::call::{Broken, Measure, Mismatch, Upload, Value};

#[derive(Debug)]
struct File {
    /// In bytes.
    size: Bounds<u64>,
    /// Media types, `image/*` for all of a kind; any where there are none.
    media_types: Vec<String>,
    /// What may stand behind the last point of the name, in small letters; anything where there are none.
    extensions: Vec<String>,
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    let media_types = arguments.texts("range")?.unwrap_or_default();
    let media_types = media_types
        .into_iter()
        .map(|media_type| {
            let known = media_type.parse::<Mime>().is_ok_and(|mime| mime.params().next().is_none());
            if known {
                return Ok(media_type.to_ascii_lowercase());
            }
            let error = arguments.bad(format!("`{media_type}` is no media type")).at("range");
            Err(error.help("write `image/png`, or `image/*` for all images"))
        })
        .collect::<Result<_, _>>()?;
    let extensions = arguments.texts("ext")?.unwrap_or_default();
    let extensions = extensions
        .into_iter()
        .map(|extension| {
            let bare = extension.strip_prefix('.').unwrap_or(&extension);
            if bare.is_empty() || bare.contains(['.', '/', '\\']) {
                let error = arguments.bad(format!("`{extension}` is no extension")).at("ext");
                return Err(error.help("write `png`"));
            }
            Ok(bare.to_lowercase())
        })
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(File { size: Bounds::read(arguments, false)?, media_types, extensions }))
}

impl File {
    fn passes(&self, upload: &Upload) -> bool {
        self.size.contains(upload.size()) && self.may_take(upload.filename(), upload.media_type())
    }

    fn has_type(&self, media_type: &str) -> bool {
        let of_type = |pattern: &String| match pattern.strip_suffix("/*") {
            Some(kind) => kind == "*" || media_type.split('/').next() == Some(kind),
            None => pattern == media_type,
        };
        self.media_types.is_empty() || self.media_types.iter().any(of_type)
    }

    fn has_extension(&self, filename: &str) -> bool {
        let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        self.extensions.is_empty() || extension.is_some_and(|extension| self.extensions.contains(&extension))
    }

    /// Which rule a file that does not pass breaks.
    fn broken(&self, upload: &Upload) -> Broken {
        let size = Broken::bounds(Measure::Size, self.size.min, self.size.max, upload.size());
        size.unwrap_or_else(|| {
            if self.has_type(upload.media_type()) {
                Broken::Extensions(json!(self.extensions).to_string())
            } else {
                Broken::Words { words: self.media_types.join("/"), got: upload.media_type().to_owned() }
            }
        })
    }
}

impl Check for File {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        match &value {
            Value::File(upload) if self.passes(upload) => Ok(value),
            Value::File(upload) => Err(Mismatch::new(self.expected(), &value).breaking(self.broken(upload))),
            _ => Err(Mismatch::new(self.expected(), &value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let mut words = format!("a file{}", self.size.count("byte"));
        if !self.media_types.is_empty() {
            words.push_str(" of the type ");
            words.push_str(&self.media_types.join(" or "));
        }
        if !self.extensions.is_empty() {
            words.push_str(" with the extension ");
            words.push_str(&self.extensions.join(" or "));
        }
        words.into()
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("format".to_owned(), json!("binary"));
        // Swagger UI shows a file picker by `format`, and other tools by `contentMediaType`.
        let media_type = match self.media_types.as_slice() {
            [media_type] if !media_type.ends_with("/*") => media_type.as_str(),
            _ => "application/octet-stream",
        };
        schema.insert("contentMediaType".to_owned(), json!(media_type));
        Json::Object(schema)
    }

    fn written(&self) -> Written {
        let mut written = self.size.attributes("file");
        for (attribute, list) in [("range", &self.media_types), ("ext", &self.extensions)] {
            if !list.is_empty() {
                written.attributes.insert(attribute.to_owned(), json!(list));
            }
        }
        written
    }

    /// None: a file is nothing without a request that brought it.
    fn extremes(&self) -> Vec<Value<'static>> {
        Vec::new()
    }

    fn takes(&self) -> Takes {
        Takes::File
    }

    fn most(&self) -> Most {
        Most { items: None, bytes: self.size.max }
    }

    fn may_take(&self, filename: &str, media_type: &str) -> bool {
        self.has_type(media_type) && self.has_extension(filename)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test says by failing that what it expects is not so")]
mod tests {
    //! Here because an upload cannot be made from outside.

    use jiff::tz::TimeZone;
    use serde_json::json;
    use tempfile::NamedTempFile;

    use super::super::Functions;
    use super::*;

    #[test]
    fn size_type_and_extension_decide() {
        let png = ("a.b.PNG", "image/png", 10);
        for (attributes, (name, media_type, size), passes) in [
            (json!({}), png, true),
            (json!({"min": 10, "max": 10}), png, true),
            (json!({"min": 11}), png, false),
            (json!({"max": 9}), png, false),
            (json!({"range": ["image/png"]}), png, true),
            (json!({"range": ["IMAGE/*"]}), png, true),
            (json!({"range": ["*/*"]}), png, true),
            (json!({"range": ["image/jpeg", "text/plain"]}), png, false),
            (json!({"range": ["image/*"]}), ("a.png", "imagery/png", 10), false),
            (json!({"ext": ["png"]}), png, true),
            (json!({"ext": ["b"]}), png, false),
            (json!({"ext": ["png"]}), ("png", "image/png", 10), false),
            (json!({"ext": ["png"], "range": ["image/*"]}), ("a.png", "text/html", 10), false),
        ] {
            let arguments = Arguments {
                name: "file",
                terms: &[],
                attributes: attributes.as_object().unwrap(),
                fields: None,
                timezone: &TimeZone::UTC,
                functions: &Functions::default(),
            };
            let path = NamedTempFile::new().unwrap().into_temp_path();
            let upload = Upload::new(name.to_owned(), media_type.to_owned(), size, path);
            let checked = compile(&arguments).unwrap().check(Value::File(upload));
            assert_eq!(checked.is_ok(), passes, "{attributes} of {name}, {media_type}, {size}");
        }
    }
}
