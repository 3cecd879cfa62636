//! The type `file`: an uploaded file. The check tests its size, its file name and the media type that was detected from
//! its content.

use std::borrow::Cow;
use std::sync::Arc;

use mime::Mime;
use serde_json::{Map, Value as Json, json};

use super::bounds::Bounds;
use super::{ArgumentError, Arity, Check, MaxSize, TypeArguments, TypeExpr};
use crate::call::{Measure, TypeMismatch, Upload, Value, Violation};

#[derive(Debug)]
struct FileCheck {
    /// The bounds of the file size in bytes.
    byte_size: Bounds<u64>,
    /// The allowed media types, such as `image/png`, or `image/*` for all subtypes. If the list is empty, any media
    /// type is allowed.
    media_types: Vec<String>,
    /// The allowed file name extensions, in lower case and without the dot. If the list is empty, any extension is
    /// allowed.
    extensions: Vec<String>,
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let media_types = arguments.texts("range")?.unwrap_or_default();
    let media_types = media_types
        .into_iter()
        .map(|media_type| {
            let is_valid = media_type.parse::<Mime>().is_ok_and(|mime| mime.params().next().is_none());
            if is_valid {
                return Ok(media_type.to_ascii_lowercase());
            }
            let error = arguments.error(format!("`{media_type}` is not a media type")).at("range");
            Err(error.help("write `image/png`, or `image/*` for all images"))
        })
        .collect::<Result<_, _>>()?;
    let extensions = arguments.texts("ext")?.unwrap_or_default();
    let extensions = extensions
        .into_iter()
        .map(|extension| {
            let bare = extension.strip_prefix('.').unwrap_or(&extension);
            if bare.is_empty() || bare.contains(['.', '/', '\\']) {
                let error = arguments.error(format!("`{extension}` is not a file extension")).at("ext");
                return Err(error.help("write `png`"));
            }
            Ok(bare.to_lowercase())
        })
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(FileCheck { byte_size: Bounds::of_byte_size(arguments)?, media_types, extensions }))
}

impl FileCheck {
    fn accepts_upload(&self, upload: &Upload) -> bool {
        self.byte_size.contains(upload.size()) && self.accepts_file(upload.filename(), upload.media_type())
    }

    fn accepts_media_type(&self, media_type: &str) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix("/*") {
            Some(top_level) => top_level == "*" || media_type.split('/').next() == Some(top_level),
            None => pattern == media_type,
        };
        self.media_types.is_empty() || self.media_types.iter().any(matches)
    }

    fn accepts_extension(&self, filename: &str) -> bool {
        let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        self.extensions.is_empty() || extension.is_some_and(|extension| self.extensions.contains(&extension))
    }

    /// Describes the valid files. `size` is the phrase for their size.
    fn describe(&self, size: &str) -> String {
        let mut phrase = format!("a file{size}");
        if !self.media_types.is_empty() {
            phrase.push_str(" of the type ");
            phrase.push_str(&self.media_types.join(" or "));
        }
        if !self.extensions.is_empty() {
            phrase.push_str(" with the extension ");
            phrase.push_str(&self.extensions.join(" or "));
        }
        phrase
    }

    /// Returns the requirement of the definition that an invalid file violates.
    fn violation(&self, upload: &Upload) -> Violation {
        let size = Violation::of_bounds(Measure::Size, self.byte_size.min, self.byte_size.max, upload.size());
        size.unwrap_or_else(|| {
            if self.accepts_media_type(upload.media_type()) {
                Violation::FileExtension(json!(self.extensions).to_string())
            } else {
                Violation::NotAllowed { allowed: self.media_types.join("/"), got: upload.media_type().to_owned() }
            }
        })
    }
}

impl Check for FileCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::File(upload) if self.accepts_upload(upload) => Ok(()),
            Value::File(upload) => {
                let violation = self.violation(upload);
                Err(TypeMismatch::new(self.expected(), value).with_violation(violation))
            }
            _ => Err(TypeMismatch::new(self.expected(), value).with_violation(Violation::MissingFile)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        self.describe(&self.byte_size.count_phrase("byte")).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        self.describe(&self.byte_size.size_phrase()).into()
    }

    fn schema(&self) -> Json {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("format".to_owned(), json!("binary"));
        // Swagger UI recognizes a file by `format`, and other tools recognize a file by `contentMediaType`.
        let media_type = match self.media_types.as_slice() {
            [media_type] if !media_type.ends_with("/*") => media_type.as_str(),
            _ => "application/octet-stream",
        };
        schema.insert("contentMediaType".to_owned(), json!(media_type));
        Json::Object(schema)
    }

    fn type_expr(&self) -> TypeExpr {
        let mut type_expr = self.byte_size.type_expr_with_attributes("file");
        for (attribute, list) in [("range", &self.media_types), ("ext", &self.extensions)] {
            if !list.is_empty() {
                type_expr.attributes.insert(attribute.to_owned(), json!(list));
            }
        }
        type_expr
    }

    /// Returns no values, because a file exists only within a request.
    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }

    fn arity(&self) -> Arity {
        Arity::File
    }

    fn max_size(&self) -> MaxSize {
        MaxSize { items: None, bytes: self.byte_size.max }
    }

    fn accepts_file(&self, filename: &str, media_type: &str) -> bool {
        self.accepts_media_type(media_type) && self.accepts_extension(filename)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
mod tests {
    //! Unit tests of the check of files. They are in this file because `Upload` has no public constructor.

    use jiff::tz::TimeZone;
    use serde_json::json;
    use tempfile::NamedTempFile;

    use super::super::Functions;
    use super::*;

    #[test]
    fn files_are_valid_by_size_media_type_and_extension() {
        let png = ("a.b.PNG", "image/png", 10);
        for (attributes, (name, media_type, size), is_valid) in [
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
            let arguments = TypeArguments {
                name: "file",
                positional: &[],
                attributes: attributes.as_object().unwrap(),
                fields: None,
                timezone: &TimeZone::UTC,
                functions: &Functions::default(),
                inherited_constraints: &[],
                has_missing_fields: false,
                nested_types: &[],
                path: "",
            };
            let path = NamedTempFile::new().unwrap().into_temp_path();
            let upload = Upload::new(name.to_owned(), media_type.to_owned(), size, Some(path), None);
            let checked = compile(&arguments).unwrap().checked(Value::File(upload));
            assert_eq!(checked.is_ok(), is_valid, "{attributes} of {name}, {media_type}, {size}");
        }
    }
}
