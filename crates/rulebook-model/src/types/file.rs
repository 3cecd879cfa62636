//! The type `file`: an uploaded file with its size, its file name and its detected media type.

use std::borrow::Cow;
use std::sync::Arc;

use mime::Mime;
use serde_json::{Value as Json, json};

use super::bounds::Bounds;
use super::{ArgumentError, Arity, Check, MaxSize, TypeArguments, TypeExpr};
use crate::call::{Measure, TypeMismatch, Upload, Value, Violation};

#[derive(Debug)]
struct FileCheck {
    byte_size: Bounds<u64>,
    /// The allowed media types, such as `image/png` or `image/*`. If the list is empty, all are allowed.
    media_types: Vec<String>,
    /// The allowed extensions, in lower case and without the dot. If the list is empty, all are allowed.
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

/// Returns `true` if a list from [`Check::media_types`] includes a media type, which is in lower case and has no
/// parameters.
#[must_use]
pub fn includes_media_type(list: &[String], media_type: &str) -> bool {
    let matches = |pattern: &String| match pattern.strip_suffix("/*") {
        Some(top_level) => top_level == "*" || media_type.split('/').next() == Some(top_level),
        None => pattern == media_type,
    };
    list.is_empty() || list.iter().any(matches)
}

impl FileCheck {
    fn accepts_extension(&self, filename: &str) -> bool {
        let extension = filename.rsplit_once('.').map(|(_, extension)| extension.to_lowercase());
        self.extensions.is_empty() || extension.is_some_and(|extension| self.extensions.contains(&extension))
    }

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

    fn violation(&self, upload: &Upload) -> Option<Violation> {
        let media_type = upload.media_type();
        let size = Violation::of_bounds(Measure::Size, self.byte_size.min, self.byte_size.max, upload.size());
        if size.is_some() {
            size
        } else if !includes_media_type(&self.media_types, media_type) {
            Some(Violation::NotAllowed { allowed: self.media_types.join("/"), got: media_type.to_owned() })
        } else if !self.accepts_extension(upload.filename()) {
            Some(Violation::FileExtension(json!(self.extensions).to_string()))
        } else {
            None
        }
    }
}

impl Check for FileCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let violation = match value {
            Value::File(upload) => match self.violation(upload) {
                None => return Ok(()),
                Some(violation) => violation,
            },
            _ => Violation::MissingFile,
        };
        Err(TypeMismatch::new(self.expected(), value).with_violation(violation))
    }

    fn expected(&self) -> Cow<'static, str> {
        self.describe(&self.byte_size.count_phrase("byte")).into()
    }

    fn in_words(&self) -> Cow<'static, str> {
        self.describe(&self.byte_size.size_phrase()).into()
    }

    fn schema(&self) -> Json {
        // Swagger UI recognizes a file by `format`, and other tools recognize a file by `contentMediaType`.
        let media_type = match self.media_types.as_slice() {
            [media_type] if !media_type.ends_with("/*") => media_type.as_str(),
            _ => "application/octet-stream",
        };
        json!({ "type": "string", "format": "binary", "contentMediaType": media_type })
    }

    fn type_expr(&self) -> TypeExpr {
        let list = |list: &[String]| Some(json!(list)).filter(|_| !list.is_empty());
        let type_expr = self.byte_size.type_expr_with_attributes("file");
        type_expr.with("range", list(&self.media_types)).with("ext", list(&self.extensions))
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

    fn media_types(&self) -> &[String] {
        &self.media_types
    }

    fn accepts_file(&self, filename: &str, media_type: &str) -> bool {
        includes_media_type(&self.media_types, media_type) && self.accepts_extension(filename)
    }
}
