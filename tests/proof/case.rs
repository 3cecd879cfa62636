//! A test case: a random definition, and random choices for the requests to it.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use proptest::strategy::Strategy;
use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::model::{Api, Method, Module, Service};
use serde_json::{Value as Json, json};

use super::property_server::PropertyServer;
use crate::client::Bearer;
use support::generate::{self, Choices, Generated};

/// A definition, and the choices for requests and values.
#[derive(Clone)]
pub struct Case {
    /// The files of the definition.
    pub generated: Generated,
    /// The random choices.
    pub choices: Choices,
    cache: Arc<Cache>,
}

/// What was built from the files so far, shared by all properties.
#[derive(Default)]
struct Cache {
    echo: OnceLock<Arc<Engine>>,
    server: Mutex<Option<PropertyServer>>,
}

impl Case {
    fn new(generated: Generated, choices: Choices) -> Self {
        Self { generated, choices, cache: Arc::default() }
    }

    /// Returns an engine for the definition in which each method responds with its parameters.
    pub fn echo(&self) -> Result<Arc<Engine>, String> {
        if let Some(engine) = self.cache.echo.get() {
            return Ok(Arc::clone(engine));
        }
        let rulebook = rulebook(self.generated.bytes()).unbound(Unbound::Echo).authenticator(Bearer);
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        Ok(Arc::clone(self.cache.echo.get_or_init(|| Arc::new(engine))))
    }

    /// Returns a server for the definition: the cached one, or a new one.
    pub fn server(&self) -> Result<PropertyServer, String> {
        let cached = self.cache.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        cached.map_or_else(|| PropertyServer::new(self), Ok)
    }

    /// Caches a server for the next property.
    pub fn keep(&self, server: PropertyServer) {
        *self.cache.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }

    /// Changes a setting of the definition.
    pub fn set(&mut self, key: &str, value: &Json) {
        self.generated = self.generated.clone().with(key, value);
        self.cache = Arc::default();
    }
}

/// Returns a rulebook with the functions that random definitions refer to. The functions accept every value.
pub fn rulebook(files: Vec<(std::path::PathBuf, Vec<u8>)>) -> Rulebook {
    let accept = |value: &Json, _: Option<&Json>| Ok(value.clone());
    Rulebook::read(files).callable("Class::method", accept).callable("exclaim", accept)
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.generated.fmt(f)
    }
}

/// The number of choices for a value and its part of a request.
const CHOICES: usize = 60;

/// Generates cases with enough choices for a number of values. Compression is off: servers compress their documents at
/// start, which would take longer than the checks.
pub fn cases(values: usize) -> impl Strategy<Value = Case> {
    (generate::definitions(), generate::many_choices(values * CHOICES))
        .prop_map(|(generated, choices)| Case::new(generated.public().with("compress", &json!(false)), choices))
}

/// Returns all methods of an API.
pub fn methods(api: &Api) -> Vec<(&Module, &Service, &Method)> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.flat_map(|(module, service)| service.methods.iter().map(move |method| (module, service, method))).collect()
}
