//! The input of a property test: a random definition, and random choices for the requests to its API.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use proptest::strategy::Strategy;
use rulebook::{Engine, Rulebook, Unbound};
use rulebook_model::model::{Api, Method, Module, Service};
use serde_json::{Value as Json, json};

use super::property_server::PropertyServer;
use crate::client::Bearer;
use support::generate::{self, Choices, Generated};

/// A random definition, and the random choices for requests and values.
#[derive(Clone)]
pub struct PropertyCase {
    /// The files of the definition.
    pub generated: Generated,
    /// The random choices for requests and values.
    pub choices: Choices,
    cache: Arc<EngineCache>,
}

/// The engine and the server that were built from the files so far. All properties of a case share them.
#[derive(Default)]
struct EngineCache {
    echo_engine: OnceLock<Arc<Engine>>,
    server: Mutex<Option<PropertyServer>>,
}

impl PropertyCase {
    fn new(generated: Generated, choices: Choices) -> Self {
        Self { generated, choices, cache: Arc::default() }
    }

    /// Returns an engine for the definition, in which each method responds with its arguments.
    pub fn echo_engine(&self) -> Result<Arc<Engine>, String> {
        if let Some(engine) = self.cache.echo_engine.get() {
            return Ok(Arc::clone(engine));
        }
        let rulebook = rulebook_with_functions(self.generated.bytes()).unbound(Unbound::Echo).authenticator(Bearer);
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        Ok(Arc::clone(self.cache.echo_engine.get_or_init(|| Arc::new(engine))))
    }

    /// Returns a server for the definition: the server that was kept in the cache, or a new server.
    pub fn server(&self) -> Result<PropertyServer, String> {
        let cached = self.cache.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        cached.map_or_else(|| PropertyServer::new(self), Ok)
    }

    /// Keeps a server in the cache, for the next property.
    pub fn keep_server(&self, server: PropertyServer) {
        *self.cache.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
    }

    /// Sets a key of the settings in the definition.
    pub fn set_setting(&mut self, key: &str, value: &Json) {
        self.generated = self.generated.clone().with(key, value);
        self.cache = Arc::default();
    }
}

/// Returns a rulebook with the functions that random definitions use. Each function returns its value unchanged.
pub fn rulebook_with_functions(files: Vec<(std::path::PathBuf, Vec<u8>)>) -> Rulebook {
    let accept = |value: &Json, _: Option<&Json>| Ok(value.clone());
    Rulebook::read(files).callable("Class::method", accept).callable("exclaim", accept)
}

impl fmt::Debug for PropertyCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.generated.fmt(f)
    }
}

/// The number of random choices that are needed for a value and for its part of a request.
const CHOICES_PER_VALUE: usize = 60;

/// Generates cases with enough random choices for this number of values. Compression is off in them: a server
/// compresses its documents at start, which would take longer than checking the property.
pub fn property_cases(values: usize) -> impl Strategy<Value = PropertyCase> {
    (generate::definitions(), generate::many_choices(values * CHOICES_PER_VALUE))
        .prop_map(|(generated, choices)| PropertyCase::new(generated.public().with("compress", &json!(false)), choices))
}

/// Returns all methods of an API.
pub fn methods(api: &Api) -> Vec<(&Module, &Service, &Method)> {
    let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    services.flat_map(|(module, service)| service.methods.iter().map(move |method| (module, service, method))).collect()
}
