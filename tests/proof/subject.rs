//! What claims are judged on: a definition, and choices of what to ask of it.

use std::fmt;

use proptest::strategy::Strategy;
use rulebook::model::{Api, Method, Module, Service};
use rulebook::{Rulebook, Unbound};

use crate::generate::{self, Choices, Generated};

/// A definition with what may be asked of it.
#[derive(Clone)]
pub struct Subject {
    /// The files.
    pub generated: Generated,
    /// What is asked, where there is more than one way.
    pub choices: Choices,
}

impl Subject {
    /// The definition, where each method answers with its arguments.
    pub fn rulebook(&self) -> Rulebook {
        rulebook(self.generated.bytes()).unbound(Unbound::Echo)
    }

    /// What the definition says.
    pub fn api(&self) -> Result<Api, String> {
        self.rulebook().check().map_err(|report| report.to_string())
    }
}

/// A definition with the functions that random ones name: they let everything pass.
pub fn rulebook(files: Vec<(std::path::PathBuf, Vec<u8>)>) -> Rulebook {
    let pass = |value: &serde_json::Value, _: Option<&serde_json::Value>| Ok(value.clone());
    Rulebook::read(files).callable("Class::method", pass).callable("exclaim", pass)
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.generated.fmt(f)
    }
}

/// How many choices a value takes, with its part of a request.
const CHOICES: usize = 60;

/// Random definitions with random choices, for so many values.
pub fn subjects(values: usize) -> impl Strategy<Value = Subject> {
    (generate::definitions(), generate::many_choices(values * CHOICES))
        .prop_map(|(generated, choices)| Subject { generated: generated.public(), choices })
}

/// All methods of an API.
pub fn methods(api: &Api) -> Vec<(&Module, &Service, &Method)> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.flat_map(|(module, service)| service.methods.iter().map(move |own| (module, service, own))).collect()
}
