//! A format that clients can ask for.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use mime::Mime;

use super::Format;

/// A format that clients can ask for, with its media type judged. Two are equal when they have one name.
#[derive(Clone)]
pub struct Offered {
    name: String,
    media_type: HeaderValue,
    essence: String,
    aliases: Vec<String>,
    format: Arc<dyn Format>,
}

/// A media type that is none (RFC 9110 section 8.3.1), or a range of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMediaType(pub String);

impl Offered {
    /// Offers a format.
    ///
    /// # Errors
    /// One of its media types is none.
    pub fn new(format: &Arc<dyn Format>) -> Result<Self, BadMediaType> {
        let media_type = format.media_type();
        Ok(Self {
            name: format.name().to_owned(),
            media_type: HeaderValue::from_str(media_type).map_err(|_| BadMediaType(media_type.to_owned()))?,
            essence: essence(media_type)?,
            aliases: format.aliases().iter().map(|alias| essence(alias)).collect::<Result<_, _>>()?,
            format: Arc::clone(format),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What `Content-Type` says of it.
    #[must_use]
    pub fn media_type(&self) -> &HeaderValue {
        &self.media_type
    }

    /// Its media type without parameters.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Further media types by which clients ask for it, without parameters.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> &dyn Format {
        &*self.format
    }
}

/// A media type without its parameters.
fn essence(media_type: &str) -> Result<String, BadMediaType> {
    let bad = || BadMediaType(media_type.to_owned());
    let mime: Mime = media_type.parse().map_err(|_| bad())?;
    if mime.type_() == mime::STAR || mime.subtype() == mime::STAR {
        return Err(bad());
    }
    Ok(mime.essence_str().to_owned())
}

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered")
            .field("name", &self.name)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Offered {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
