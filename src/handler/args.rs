//! The checked arguments of a call as the handler's own type.

/// The arguments of a call. `T`'s fields are named like the parameters' names in code.
///
/// A parameter that is required or has a default fills a plain field; one
/// that may be missing an `Option`. `Option<Option<_>>` tells absent (`None`)
/// from null (`Some(None)`). A file is a [`crate::Upload`] handle, see [`crate::File`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args<T>(pub T);
