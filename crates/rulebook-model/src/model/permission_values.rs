//! Decides which values the variables of permissions can have: those that the values of parameters have in requests.

use std::borrow::Cow;

use super::{Location, Method, Parameter, Permission, variable_text};
use crate::types::AFTER_ATTRIBUTE;

/// The result of comparing a permission that a method requires with a permission of a caller.
#[derive(Debug, Clone, PartialEq)]
pub enum PermissionMatch<'a> {
    /// The permissions differ for all values of the variables.
    Different,
    /// A request can require the permission of the caller.
    Possible,
    /// No request can require the permission of the caller, because the value of a variable is not a value of its
    /// parameter.
    ImpossibleValue {
        /// The parameter.
        parameter: &'a Parameter,
        /// The value in the permission of the caller.
        value: &'a str,
        /// The text that stands for this value in permissions. `None` if the type of the parameter rejects the value.
        normalized: Option<String>,
    },
}

/// Compares a permission in the scope of a method with a permission of a caller.
#[must_use]
pub fn match_permission<'a>(method: &'a Method, required: &'a Permission, permission: &'a str) -> PermissionMatch<'a> {
    let Some(values) = required.match_values(permission) else { return PermissionMatch::Different };
    for (name, value) in values {
        let Some(parameter) = parameter_by_name(method, name) else { return PermissionMatch::Different };
        let check = &*parameter.r#type.check;
        // Functions may convert other texts to the value, and these texts are unknown.
        let has_functions = check.type_expr().attributes.contains_key(AFTER_ATTRIBUTE);
        if !has_functions && request_text_for_value(parameter, value).is_none() {
            let normalized = variable_text(check, check.decode(Cow::Borrowed(value)));
            let normalized = normalized.filter(|text| text != value);
            return PermissionMatch::ImpossibleValue { parameter, value, normalized };
        }
    }
    PermissionMatch::Possible
}

/// Returns the parameter of the method that has this name in code.
pub(super) fn parameter_by_name<'a>(method: &'a Method, name: &str) -> Option<&'a Parameter> {
    method.parameters.iter().find(|parameter| parameter.name == name)
}

/// Returns a text that a request can send so that the parameter has this value, or `None` if there is no such text.
pub(super) fn request_text_for_value(parameter: &Parameter, value: &str) -> Option<String> {
    let check = &*parameter.r#type.check;
    let text = check.text_for(value)?;
    let is_sendable = match parameter.from {
        // A request with an empty segment omits the parameter.
        Location::Path | Location::Position(_) => !text.is_empty(),
        // Servers remove whitespace around the value of a header field (RFC 9110 section 5.5).
        Location::Header => text.trim_matches([' ', '\t']) == text && !text.contains(['\r', '\n', '\0']),
        Location::Query | Location::Body | Location::WholeBody | Location::Any | Location::Cookie => true,
    };
    let decoded = variable_text(check, check.decode(Cow::Borrowed(&text)));
    (is_sendable && decoded.is_some_and(|decoded| decoded == value)).then_some(text)
}
