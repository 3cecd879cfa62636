//! Finding a service by a path or by a name. Definitions are checked for collisions with the same tables that requests
//! are routed by.

mod naming;
mod routes;
mod service_names;

pub use naming::Naming;
pub use routes::{RouteConflict, Routes, encode_segment};
pub use service_names::{NamedServices, ServicesByClass, ServicesByModule};
