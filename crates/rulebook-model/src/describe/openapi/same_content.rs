//! Recognizes parts of methods that have the same description, so that a document with thousands of similar methods
//! describes such a part only once. Two parts are equal if they differ only in their spans, or in properties that
//! documents do not show.

use std::hash::{Hash, Hasher};

use super::serialization::Placement;
use crate::call::HttpMethod;
use crate::model::{DeclaredError, EnvelopeName, Output, Parameter, ParameterType};

/// A parameter of a method, with its name in the request and the part of the request that carries it.
#[derive(Clone, Copy)]
pub(super) struct PlacedParameter<'a> {
    /// The name in the request.
    pub(super) name: &'a str,
    /// The parameter of the method.
    pub(super) parameter: &'a Parameter,
    /// The part of the request that carries the parameter.
    pub(super) placement: Placement,
}

/// Returns the keys of the schemas to which a type refers. Two modules can have different schemas with the same name,
/// and thus different types with the same notation.
fn schema_keys(r#type: &ParameterType) -> Vec<String> {
    r#type.check.referenced_schemas().iter().map(|schema| schema.key().to_owned()).collect()
}

impl<'a> PlacedParameter<'a> {
    fn content(&self) -> (&'a str, Placement, impl PartialEq + use<'a>) {
        let Parameter { from, info, r#type, optional, default, example, .. } = self.parameter;
        (self.name, self.placement, (from, info, r#type, schema_keys(r#type), optional, default, example))
    }
}

impl PartialEq for PlacedParameter<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content()
    }
}

impl Eq for PlacedParameter<'_> {}

impl Hash for PlacedParameter<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The other properties seldom differ if these are equal.
        (self.name, &self.parameter.info, &self.parameter.r#type.written.term).hash(state);
    }
}

/// The properties of a method on which the responses of its operation depend.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct ResponsesContent<'a> {
    /// The envelope (the format of responses) of the method's API module.
    pub(super) envelope: &'a EnvelopeName,
    /// The names of the classes of server errors that a call of the method can cause.
    pub(super) error_classes: Vec<&'static str>,
    /// The outputs of the method.
    pub(super) outputs: OutputsContent<'a>,
    /// The errors that the method declares.
    pub(super) errors: ErrorsContent<'a>,
    /// The HTTP method.
    pub(super) http: HttpMethod,
    /// The HTTP status of success responses.
    pub(super) status: u16,
    /// `true` if the method returns a file.
    pub(super) download: bool,
    /// `true` if the method requires no permission.
    pub(super) is_public: bool,
    /// `true` if the method can respond with JSONP.
    pub(super) allows_jsonp: bool,
}

/// The outputs of a method.
pub(super) struct OutputsContent<'a>(pub(super) &'a [Output]);

impl<'a> OutputsContent<'a> {
    fn content(&self) -> impl Iterator<Item = impl PartialEq + use<'a>> + use<'a> {
        self.0.iter().map(|Output { name, info, r#type, optional, example, .. }| {
            (name, info, r#type, schema_keys(r#type), optional, example)
        })
    }
}

impl PartialEq for OutputsContent<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.content().eq(other.content())
    }
}

impl Eq for OutputsContent<'_> {}

impl Hash for OutputsContent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for output in self.0 {
            (&output.name, &output.info, &output.r#type.written.term).hash(state);
        }
    }
}

/// The errors that a method declares.
pub(super) struct ErrorsContent<'a>(pub(super) &'a [DeclaredError]);

impl<'a> ErrorsContent<'a> {
    fn content(&self) -> impl Iterator<Item = impl Hash + PartialEq + use<'a>> + use<'a> {
        self.0.iter().map(|DeclaredError { name, status, info, number, .. }| (name, status, info, number))
    }
}

impl PartialEq for ErrorsContent<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.content().eq(other.content())
    }
}

impl Eq for ErrorsContent<'_> {}

impl Hash for ErrorsContent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().for_each(|error| error.hash(state));
    }
}
