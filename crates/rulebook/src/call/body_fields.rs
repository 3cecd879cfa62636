//! The fields of a request's body that authenticators read.

/// The fields of a request's body that [`Authenticate::check_body`](super::Authenticate::check_body) reads: fields of a
/// form, parts of a multipart body, or members of a JSON object whose values are strings.
///
/// ```
/// use rulebook::BodyFields;
///
/// let fields = BodyFields::new([("csrf", "7f")]);
/// assert_eq!((fields.get("csrf"), fields.get("other")), (Some("7f"), None));
/// ```
#[derive(Debug, Clone, Default)]
pub struct BodyFields(Vec<(String, String)>);

impl BodyFields {
    /// Creates a list of fields, each with its name and its value.
    pub fn new<N: Into<String>, V: Into<String>>(fields: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Returns the value of the field with this name. Returns `None` if the body has no such field, if it has several,
    /// or if the value is not a text.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(known, _)| known == name);
        values.next().filter(|_| values.next().is_none()).map(|(_, value)| value.as_str())
    }
}
