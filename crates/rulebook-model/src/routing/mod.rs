//! Finds the service of an API for a path or for a name. The tables in this Rust module are used to route requests, and
//! to detect services with the same path or name in a definition.

mod routes;
mod service_names;

pub use routes::{RouteConflict, Routes, encode_segment};
pub(crate) use routes::{fold_case, path_shape, push_segment_shape};
pub use service_names::{
    NAMESPACE, NamedServices, ServiceNaming, ServicesByClass, ServicesByModule, fields_naming_another_service,
};
