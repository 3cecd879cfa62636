//! A response format that an API offers to clients.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use mime::Mime;

use super::Format;

/// A response format with checked media types that an API offers to clients. Offers are equal if their names are.
#[derive(Clone)]
pub struct FormatOffer {
    media_type: HeaderValue,
    essence: String,
    aliases: Vec<String>,
    format: Arc<dyn Format>,
}

/// A text that is not a media type (RFC 9110 section 8.3.1), or that is a media range such as `text/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidMediaType(pub String);

impl FormatOffer {
    /// Creates an offer of a format to clients.
    ///
    /// # Errors
    /// Fails if one of the media types of the format is invalid.
    pub fn new(format: &Arc<dyn Format>) -> Result<Self, InvalidMediaType> {
        let media_type = format.media_type();
        Ok(Self {
            media_type: HeaderValue::from_str(media_type).map_err(|_| InvalidMediaType(media_type.to_owned()))?,
            essence: media_type_essence(media_type)?,
            aliases: format.aliases().iter().map(|alias| media_type_essence(alias)).collect::<Result<_, _>>()?,
            format: Arc::clone(format),
        })
    }

    /// Returns the name of the format.
    #[must_use]
    pub fn name(&self) -> &str {
        self.format.name()
    }

    /// Returns the value of the header field `Content-Type` in responses of this format.
    #[must_use]
    pub fn media_type(&self) -> &HeaderValue {
        &self.media_type
    }

    /// Returns the media type of the format, without parameters.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// Returns further media types, without parameters, by which clients can request the format.
    #[must_use]
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// Returns the format itself.
    #[must_use]
    pub fn format(&self) -> &dyn Format {
        &*self.format
    }
}

fn media_type_essence(media_type: &str) -> Result<String, InvalidMediaType> {
    let bad = || InvalidMediaType(media_type.to_owned());
    let mime: Mime = media_type.parse().map_err(|_| bad())?;
    if mime.type_() == mime::STAR || mime.subtype() == mime::STAR {
        return Err(bad());
    }
    Ok(mime.essence_str().to_owned())
}

impl fmt::Debug for FormatOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormatOffer")
            .field("name", &self.name())
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl PartialEq for FormatOffer {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}
