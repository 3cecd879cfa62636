//! The identity of a caller: a name, permissions, and values that the program has attached.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rulebook_model::filename::{FileName, FilePatterns};

use super::RateLimiter;

/// The caller whose credential an [`Authenticate`](crate::Authenticate) has recognized.
///
/// The program can attach values to an identity, at most one value of each type, and read these values in handlers:
///
/// ```
/// use rulebook::Identity;
///
/// struct UserId(u64);
///
/// let identity = Identity::new("ada", ["reader", "user[7]"]).with(UserId(7));
/// assert_eq!(identity.data::<UserId>().map(|id| id.0), Some(7));
/// assert!(identity.has_permission("reader"));
/// ```
#[derive(Clone)]
pub struct Identity {
    pub(crate) name: Arc<str>,
    pub(crate) permissions: Arc<[Box<str>]>,
    /// Counts the requests of the identity; `None` if their number is not limited.
    pub(crate) rate_limiter: Option<Arc<RateLimiter>>,
    /// The stored files that the identity may access; `None` if the identity does not restrict files.
    pub(crate) files: Option<Arc<FilePatterns>>,
    /// The values that the program has attached, at most one value of each type.
    attached_values: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Identity {
    /// Creates an identity with a name and permissions. A permission has the form that it has in definitions, with
    /// values in place of variables: `user[12]`.
    pub fn new<S: Into<Box<str>>>(name: &str, permissions: impl IntoIterator<Item = S>) -> Self {
        Self {
            name: name.into(),
            permissions: permissions.into_iter().map(Into::into).collect(),
            rate_limiter: None,
            files: None,
            attached_values: Vec::new(),
        }
    }

    /// Attaches a value of the program, such as the id of a user. The value replaces an attached value of the same
    /// type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.attached_values.retain(|other| !other.is::<T>());
        self.attached_values.push(Arc::new(value));
        self
    }

    /// Returns the value of this type that was attached with [`Identity::with`].
    #[must_use]
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.attached_values.iter().find_map(|value| value.downcast_ref())
    }

    /// Limits the number of requests of this identity: requests over the limit are refused with status 429. Calls from
    /// the code of handlers do not count.
    #[must_use]
    pub fn with_rate_limiter(self, rate_limiter: Arc<RateLimiter>) -> Self {
        Self { rate_limiter: Some(rate_limiter), ..self }
    }

    /// Restricts the identity to those stored files whose names match one of the patterns.
    #[must_use]
    pub fn with_file_patterns(self, files: FilePatterns) -> Self {
        Self { files: Some(Arc::new(files)), ..self }
    }

    /// Copies the name and the attached values to a new identity with other permissions. The new identity has no rate
    /// limiter and no file patterns.
    pub(crate) fn with_permissions<S: Into<Box<str>>>(&self, permissions: impl IntoIterator<Item = S>) -> Self {
        Self { attached_values: self.attached_values.clone(), ..Self::new(&self.name, permissions) }
    }

    /// Returns the name of the identity, which handlers can read and the log contains.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the permissions, in the form in which they were passed to [`Identity::new`].
    pub fn permissions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.permissions.iter().map(|permission| &**permission)
    }

    /// Returns `true` if the identity has exactly this permission.
    #[must_use]
    pub fn has_permission(&self, permission: &str) -> bool {
        self.permissions.iter().any(|held| &**held == permission)
    }

    /// Returns `true` if the identity may access the stored file with this name: one of the identity's file patterns
    /// matches the name, or the identity has no file patterns. The type of a parameter may restrict the names of files
    /// further.
    #[must_use]
    pub fn may_access_file(&self, file: &FileName) -> bool {
        self.files.as_ref().is_none_or(|patterns| patterns.allows(file))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}
