//! What claims are judged on: a definition, and choices of what to ask of it.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use proptest::strategy::Strategy;
use rulebook::model::{Api, Method, Module, Service};
use rulebook::{Engine, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::served::Served;
use crate::client::Bearer;
use crate::generate::{self, Choices, Generated};

/// A definition with what may be asked of it.
#[derive(Clone)]
pub struct Subject {
    /// The files.
    pub generated: Generated,
    /// What is asked, where there is more than one way.
    pub choices: Choices,
    made: Arc<Made>,
}

/// What has been made of the files so far, for all claims that ask for it.
#[derive(Default)]
struct Made {
    echo: OnceLock<Arc<Engine>>,
    served: Mutex<Option<Served>>,
}

impl Subject {
    fn new(generated: Generated, choices: Choices) -> Self {
        Self { generated, choices, made: Arc::default() }
    }

    /// The definition, where each method answers with its arguments.
    pub fn echo(&self) -> Result<Arc<Engine>, String> {
        if let Some(engine) = self.made.echo.get() {
            return Ok(Arc::clone(engine));
        }
        let rulebook = rulebook(self.generated.bytes()).unbound(Unbound::Echo).inspect(Bearer);
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        Ok(Arc::clone(self.made.echo.get_or_init(|| Arc::new(engine))))
    }

    /// The definition at work, where handlers return what they are told.
    pub fn served(&self) -> Result<Served, String> {
        let kept = self.made.served.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.map_or_else(|| Served::new(self), Ok)
    }

    /// Keeps the definition at work for the next claim.
    pub fn keep(&self, served: Served) {
        *self.made.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
    }

    /// Gives the definition another setting.
    pub fn set(&mut self, key: &str, value: &Json) {
        self.generated = self.generated.clone().with(key, value);
        self.made = Arc::default();
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
