//! Finds the service of an API for a path or for a name. The tables in this Rust module are used to route requests, and
//! to detect services with the same path or name in a definition.

mod naming;
mod routes;
mod service_names;
mod shape;

pub use naming::{ServiceNaming, fields_naming_another_service};
pub use routes::{RouteConflict, Routes, encode_segment};
pub use service_names::{NamedServices, ServicesByClass, ServicesByModule, split_service_name};
pub(crate) use shape::{fold_case, path_shape, push_segment_shape};
