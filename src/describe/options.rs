//! What OPTIONS answers: definitions that load again, with what helps a client beside them.

use serde_json::{Value as Json, json};

use super::{canonical, canonical_service};
use crate::model::{Api, Module, Segment, Service};

/// A URI that has services below it, and none of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    /// Its path.
    pub path: Vec<Segment>,
    /// Whether it compares without regard to case.
    pub ignore_case: bool,
}

/// The URIs above services that are not services themselves; base is not among them.
#[must_use]
pub fn uris_above(_: &Api) -> Vec<Above> {
    Vec::new()
}

/// What OPTIONS answers on base and on `*`: the whole API.
#[must_use]
pub fn options_all(api: &Api) -> Json {
    canonical(api)
}

/// What OPTIONS answers on a service.
#[must_use]
pub fn options_service(api: &Api, module: &Module, service: &Service) -> Json {
    canonical_service(api, module, service)
}

/// What OPTIONS answers on a URI above services.
#[must_use]
pub fn options_above(_: &Api, _: &Above) -> Json {
    json!({})
}
