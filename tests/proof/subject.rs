//! What claims are judged on: a definition, and choices of what to ask of it.

use std::cell::OnceCell;
use std::fmt;

use proptest::strategy::Strategy;
use rulebook::model::{Api, Method, Module, Service};
use rulebook::{Rulebook, Unbound};
use serde_json::{Value as Json, json};

use crate::generate::{self, Choices, Generated};

/// A definition with what may be asked of it.
#[derive(Clone)]
pub struct Subject {
    /// The files.
    pub generated: Generated,
    /// What is asked, where there is more than one way.
    pub choices: Choices,
    /// What the files say, once that has been asked for.
    api: OnceCell<Api>,
}

impl Subject {
    fn new(generated: Generated, choices: Choices) -> Self {
        Self { generated, choices, api: OnceCell::new() }
    }

    /// The definition, where each method answers with its arguments.
    pub fn rulebook(&self) -> Rulebook {
        rulebook(self.generated.bytes()).unbound(Unbound::Echo)
    }

    /// What the definition says.
    pub fn api(&self) -> Result<Api, String> {
        if let Some(api) = self.api.get() {
            return Ok(api.clone());
        }
        let api = self.rulebook().check().map_err(|report| report.to_string())?;
        Ok(self.api.get_or_init(|| api).clone())
    }

    /// Gives the definition another setting.
    pub fn set(&mut self, key: &str, value: &Json) {
        self.generated = self.generated.clone().with(key, value);
        self.api = OnceCell::new();
    }
}

/// A definition with the functions that random ones name: they let everything pass.
pub fn rulebook(files: Vec<(std::path::PathBuf, Vec<u8>)>) -> Rulebook {
    let pass = |value: &Json, _: Option<&Json>| Ok(value.clone());
    Rulebook::read(files).callable("Class::method", pass).callable("exclaim", pass)
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.generated.fmt(f)
    }
}

/// How many choices a value takes, with its part of a request.
const CHOICES: usize = 60;

/// Random definitions with random choices, for so many values. Servers begin to compress their documents before anybody
/// asks for them, which takes longer than all that is judged.
pub fn subjects(values: usize) -> impl Strategy<Value = Subject> {
    (generate::definitions(), generate::many_choices(values * CHOICES))
        .prop_map(|(generated, choices)| Subject::new(generated.public().with("compress", &json!(false)), choices))
}

/// All methods of an API.
pub fn methods(api: &Api) -> Vec<(&Module, &Service, &Method)> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.flat_map(|(module, service)| service.methods.iter().map(move |own| (module, service, own))).collect()
}
