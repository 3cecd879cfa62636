//! Finds the service for a path or a name. The same tables route requests and detect collisions in definitions.

mod naming;
mod routes;
mod service_names;

pub use naming::Naming;
pub use routes::{RouteConflict, Routes, encode_segment};
pub use service_names::{NamedServices, ServicesByClass, ServicesByModule};
