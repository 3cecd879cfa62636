//! The header fields of responses that outputs become, and the values that their templates and entity tags contain.

use std::fmt;
use std::sync::Arc;

use super::{Method, Output};
use crate::types::{Arity, Check, ObjectField, Structure};

/// The part of a response that contains an output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputPlace {
    /// The body.
    Body,
    /// A header field.
    Header(ResponseField),
    /// The status line: the output is the HTTP status, which the handler chooses. The definition does not contain this
    /// output; methods with several statuses have it.
    Status,
}

/// The header field that an output becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseField {
    /// The name of the header field, as in the definition.
    pub name: String,
    /// The template of the value; `None` if the handler returns the value.
    pub template: Option<FieldTemplate>,
}

/// The header fields whose values are dates of HTTP.
const DATE_FIELDS: [&str; 4] = ["Last-Modified", "Expires", "Retry-After", "Sunset"];

impl ResponseField {
    /// Returns `true` if a point in time is sent as a date of HTTP (RFC 9110 section 5.6.7) in this header field.
    #[must_use]
    pub fn has_http_date(&self) -> bool {
        DATE_FIELDS.iter().any(|name| name.eq_ignore_ascii_case(&self.name))
    }

    pub(crate) fn new(name: String, template: Option<FieldTemplate>) -> Self {
        Self { name, template }
    }
}

/// The template of a header field: text with names in braces, such as `/orders/{order_id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTemplate(Vec<TemplatePart>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text that is sent as it is.
    Text(String),
    /// The name of a [value](Method::named_value), which is inserted.
    Name(String),
}

impl FieldTemplate {
    /// Parses a template. Returns `None` if a brace is not closed, or was not opened.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if name.is_empty() || name.contains('{') {
                return None;
            }
            parts.extend((!before.is_empty()).then(|| TemplatePart::Text(before.to_owned())));
            parts.push(TemplatePart::Name(name.to_owned()));
            rest = after;
        }
        parts.extend((!rest.is_empty()).then(|| TemplatePart::Text(rest.to_owned())));
        let is_text = |part: &TemplatePart| matches!(part, TemplatePart::Text(text) if text.contains('}'));
        (!parts.iter().any(is_text)).then_some(Self(parts))
    }

    /// Returns the parts of the template in their order.
    #[must_use]
    pub fn parts(&self) -> &[TemplatePart] {
        &self.0
    }

    /// Returns the names in the template.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            TemplatePart::Text(_) => None,
            TemplatePart::Name(name) => Some(name.as_str()),
        })
    }
}

/// Writes the template as in the definition.
impl fmt::Display for FieldTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            TemplatePart::Text(text) => f.write_str(text),
            TemplatePart::Name(name) => write!(f, "{{{name}}}"),
        })
    }
}

/// Where a value of a call is that a template or the entity tag contains.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueSource {
    /// The output with this name.
    Output(String),
    /// The field with this name of the output that is the whole body.
    Field(String),
    /// The parameter with this index.
    Parameter(usize),
}

/// A value of a call that a template or the entity tag contains.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NamedValue {
    /// Where the value is.
    pub source: ValueSource,
    /// The type of the value.
    pub check: Arc<dyn Check>,
    /// `true` if the value may be missing or null.
    pub is_optional: bool,
}

impl Method {
    /// Returns the value with this name: an output that the handler returns, a field of the output that is the whole
    /// body, or a parameter, in this order.
    #[must_use]
    pub fn named_value(&self, name: &str) -> Option<NamedValue> {
        let output = self
            .returned_outputs()
            .find(|output| output.name == name && !output.is_whole() && output.place != OutputPlace::Status);
        if let Some(output) = output {
            let (source, check) = (ValueSource::Output(name.to_owned()), Arc::clone(&output.r#type.check));
            return Some(NamedValue { source, check, is_optional: output.optional });
        }
        if let Some(whole) = self.whole()
            && let Some(field) = fields_of(&whole.r#type.check).into_iter().find(|field| field.name == name)
        {
            let is_optional = whole.optional || field.optional;
            return Some(NamedValue { source: ValueSource::Field(field.name), check: field.check, is_optional });
        }
        let index = self.parameters.iter().position(|parameter| parameter.name == name)?;
        let parameter = &self.parameters[index];
        let is_optional = parameter.optional && parameter.default.is_none();
        let check = Arc::clone(&parameter.r#type.check);
        Some(NamedValue { source: ValueSource::Parameter(index), check, is_optional })
    }

    /// Returns the names for which [`Method::named_value`] returns a value.
    pub(crate) fn names_of_values(&self) -> Vec<String> {
        let outputs = self.returned_outputs().filter(|output| output.place != OutputPlace::Status);
        let outputs = outputs.filter(|output| !output.is_whole()).map(|output| output.name.clone());
        let fields = self.whole().into_iter().flat_map(|whole| fields_of(&whole.r#type.check)).map(|field| field.name);
        outputs.chain(fields).chain(self.parameters.iter().map(|parameter| parameter.name.clone())).collect()
    }

    /// Returns the outputs that the body of a response contains.
    pub fn body_outputs(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().filter(|output| output.place == OutputPlace::Body)
    }

    /// Returns the outputs that are header fields of a response.
    pub fn header_outputs(&self) -> impl Iterator<Item = (&Output, &ResponseField)> {
        self.outputs.iter().filter_map(|output| match &output.place {
            OutputPlace::Header(field) => Some((output, field)),
            OutputPlace::Body | OutputPlace::Status => None,
        })
    }

    /// Returns the outputs that the handler returns: all outputs except the header fields with a template.
    pub fn returned_outputs(&self) -> impl Iterator<Item = &Output> {
        let has_template =
            |output: &Output| matches!(&output.place, OutputPlace::Header(field) if field.template.is_some());
        self.outputs.iter().filter(move |output| !has_template(output))
    }

    /// Returns the output that is the value that the handler returns. It is `None` if the handler returns an object
    /// with the outputs as members. In such an object, [`Output::WHOLE`] is the name of the whole body.
    #[must_use]
    pub fn returned_whole(&self) -> Option<&Output> {
        let mut returned = self.returned_outputs();
        returned.next().filter(|output| output.is_whole() && returned.next().is_none())
    }

    /// Returns the HTTP statuses of success responses, beginning with the default.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.options.status).chain(self.options.other_statuses.iter().copied())
    }

    /// Returns `true` if the handler can return the error `version-mismatch` without a declaration, because a parameter
    /// is the version that the request changes.
    #[must_use]
    pub fn reads_version(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.is_entity_tag)
    }
}

/// Returns the fields of an object type.
fn fields_of(check: &Arc<dyn Check>) -> Vec<ObjectField> {
    match check.structure() {
        Structure::Object(shape) => shape.fields.to_vec(),
        Structure::Nullable(inner) => fields_of(&inner),
        Structure::Schema(schema) => fields_of(&schema.check),
        _ => Vec::new(),
    }
}

/// Returns `true` if a header field can contain the values of a type: single values and, if `allows_lists` is `true`,
/// lists of them.
pub(crate) fn is_field_value(check: &dyn Check, allows_lists: bool) -> bool {
    match check.structure() {
        Structure::Scalar => !matches!(check.arity(), Arity::File | Arity::Files),
        Structure::Array(item) => allows_lists && is_field_value(&*item, false),
        Structure::Nullable(inner) => is_field_value(&*inner, allows_lists),
        Structure::Schema(schema) => is_field_value(&*schema.check, allows_lists),
        Structure::Union(branches) => branches.iter().all(|branch| is_field_value(&**branch, allows_lists)),
        Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => false,
    }
}
