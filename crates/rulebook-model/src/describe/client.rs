//! What the functions of generated clients have in common: their tree, and the values that they return.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::method_schemas::{described_schema, response_schema};
use crate::envelope::{self, OutputsLocation, has_content};
use crate::invisible::is_invisible;
use crate::model::{Api, Method, Module, Unbound};

/// A node of the tree: a function, a group of functions, or both. The method with the id `article.line.get` is the
/// function `get` of the group `line`, which is a member of `article`.
pub(super) struct FunctionNode<F> {
    pub(super) function: Option<F>,
    pub(super) children: BTreeMap<String, Self>,
}

impl<F> Default for FunctionNode<F> {
    fn default() -> Self {
        Self { function: None, children: BTreeMap::new() }
    }
}

impl<F> FunctionNode<F> {
    pub(super) fn insert(&mut self, id: &str, function: F) {
        let leaf = id.split('.').fold(self, |node, name| node.children.entry(name.to_owned()).or_default());
        leaf.function = Some(function);
    }
}

pub(super) enum ReturnedValue {
    Download,
    /// The responses of the method have no content, or its envelope has no place for outputs.
    Nothing,
    /// The outputs or, if the envelope does not describe where they are, the whole response body.
    Json(Json),
}

pub(super) fn returned_value(api: &Api, module: &Module, method: &Method) -> ReturnedValue {
    if method.options.download {
        return ReturnedValue::Download;
    }
    let envelope = api.make_envelope(api.envelope_name(module));
    if !method.statuses().any(|status| has_content(envelope::response_status(&*envelope, status))) {
        return ReturnedValue::Nothing;
    }
    let outputs = response_schema(api.unbound, method, described_schema);
    match envelope.decoding().outputs {
        OutputsLocation::Unknown => ReturnedValue::Json(envelope.success_schema(outputs, method.whole().is_some())),
        _ if method.body_outputs().next().is_none() && api.unbound != Unbound::Echo => ReturnedValue::Nothing,
        _ => ReturnedValue::Json(outputs),
    }
}

/// Returns `true` for [invisible](is_invisible) characters that must be escaped in the strings and comments of a
/// program. Otherwise an editor could show a declaration differently from how the compiler reads it (Unicode Technical
/// Report 36, section 2.10).
pub(super) fn is_invisible_in_code(character: char) -> bool {
    // The two joiners are kept, because words of some languages and many emoji contain them.
    is_invisible(character) && !matches!(character, '\t' | '\u{200c}' | '\u{200d}')
}
