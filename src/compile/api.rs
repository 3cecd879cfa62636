//! The whole lowering, in order.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::function::Wanted;
use super::lower::Lowering;
use super::parts::parts;
use crate::definition::manner::{RULES, TREE};
use crate::definition::written::Definition;
use crate::diagnostic::Diagnostic;
use crate::envelope::Envelopes;
use crate::format::Formats;
use crate::model::Api;
use crate::place::Placed;
use crate::types::{Type, Types};

/// What a definition means.
#[derive(Debug)]
pub struct Lowered {
    /// The API; fit for anything only where there is no diagnostic. What is faulty is left out of it.
    pub api: Api,
    /// The functions that it names: only a definition that is bound to a program needs them.
    pub functions: Vec<Placed<Wanted>>,
    /// Everything that is wrong with its meaning, each once, in no particular order.
    pub diagnostics: Vec<Diagnostic>,
}

/// The types that the terms of a definition can name: the built-in ones unless it does without them, and the
/// program's own, which replace built-in ones of the same name.
pub fn table(definition: &Definition, own: impl IntoIterator<Item = Arc<dyn Type>>) -> Types {
    let builtin = definition.app.default_types.as_ref().is_none_or(|on| on.value);
    let mut types = if builtin { Types::builtin() } else { Types::empty() };
    for own in own {
        types.add(own);
    }
    types
}

/// What answers can be, by the names that a definition can use. By default what is built in.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Their shapes.
    pub envelopes: Envelopes,
    /// What they are written as beside JSON.
    pub formats: Formats,
}

/// Finds out what a definition means, with the types of this [`table`] and these answers.
#[must_use]
pub fn lower(definition: &Definition, types: &Types, answers: &Answers) -> Lowered {
    let jsonp = definition.app.jsonp.as_ref().is_some_and(|on| on.value);
    let mut lowering = Lowering {
        types,
        answers,
        timezone: TimeZone::UTC,
        envelope: None,
        jsonp,
        manner: &TREE,
        functions: Vec::new(),
        faults: Vec::new(),
    };
    let base = lowering.base(definition.app.base.as_ref());
    let mut api = lowering.settings(&definition.app, base.clone().unwrap_or_else(|| "/".to_owned()));
    lowering.manner = if definition.app.common_rules { &RULES } else { &TREE };
    let common = lowering.common(&definition.app.common);
    api.modules = parts(&definition.modules).iter().map(|module| lowering.module(module, &common)).collect();
    lowering.judge_whole(&api.modules, base.as_deref());
    api.modules.sort_by(|a, b| a.name.cmp(&b.name));
    lowering.judge_naming(&api);
    Lowered { api, functions: lowering.functions, diagnostics: lowering.faults }
}
