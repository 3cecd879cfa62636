//! What clients read about an API, made from the model alone.
//!
//! In charge of the canonical form of a definition. Must not know plans or requests.

mod canonical;

pub use canonical::{canonical, canonical_service};
