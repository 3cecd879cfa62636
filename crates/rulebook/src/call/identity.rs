//! The identity of a caller: a name, permissions, and values that the program has attached, such as the claims of a
//! verified token.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use rulebook_model::filename::{FileName, FilePatterns};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use serde_json::{Map, Value as Json};

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
pub struct Identity(Arc<IdentityData>);

/// All clones share it, because each request clones an identity.
#[derive(Clone)]
struct IdentityData {
    name: QualifiedName,
    /// They have been combined with this one.
    combined_names: Vec<QualifiedName>,
    permissions: Box<[Box<str>]>,
    /// Empty if the number of requests is not limited.
    rate_limiters: Vec<Arc<RateLimiter>>,
    /// A file must match a pattern in every item. Empty if files are not restricted.
    files: Vec<FilePatterns>,
    /// At most one value of each type.
    attached_values: Vec<Arc<dyn Any + Send + Sync>>,
}

/// Name and namespace together identify a caller.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QualifiedName {
    pub namespace: Box<str>,
    /// Handlers can read it.
    pub name: Box<str>,
}

impl Identity {
    /// Creates an identity with a name and permissions. A permission has the form that it has in definitions, with
    /// values in place of variables: `user[12]`.
    pub fn new<S: Into<Box<str>>>(name: &str, permissions: impl IntoIterator<Item = S>) -> Self {
        Self(Arc::new(IdentityData {
            name: QualifiedName { namespace: Box::default(), name: name.into() },
            combined_names: Vec::new(),
            permissions: permissions.into_iter().map(Into::into).collect(),
            rate_limiters: Vec::new(),
            files: Vec::new(),
            attached_values: Vec::new(),
        }))
    }

    /// Sets the namespace of the name, such as the issuer of the credential. Identities with the same name are the same
    /// caller only in the same namespace: otherwise their requests are counted separately for limits, and they can use
    /// the same idempotency keys. Neither handlers nor the log see the namespace. It must be the same at all servers
    /// that share limits or idempotency keys.
    ///
    /// The default is empty, so that several authenticators of a program can identify the same user. API keys, and the
    /// kinds of authenticators `jwt`, `basic` and `mtls`, have other namespaces.
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        Arc::make_mut(&mut self.0).name.namespace = namespace.into();
        self
    }

    /// Attaches a value of the program, such as the id of a user. The value replaces an attached value of the same
    /// type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let attached_values = &mut Arc::make_mut(&mut self.0).attached_values;
        attached_values.retain(|other| !other.is::<T>());
        attached_values.push(Arc::new(value));
        self
    }

    /// Returns the value of this type that was attached with [`Identity::with`].
    #[must_use]
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.0.attached_values.iter().find_map(|value| value.downcast_ref())
    }

    /// Limits the number of requests of this identity: requests over the limit are refused with status 429. Calls from
    /// the code of handlers do not count.
    #[must_use]
    pub fn with_rate_limiter(mut self, rate_limiter: Arc<RateLimiter>) -> Self {
        Arc::make_mut(&mut self.0).rate_limiters = vec![rate_limiter];
        self
    }

    /// Restricts the identity to those stored files whose names match one of the patterns.
    #[must_use]
    pub fn with_file_patterns(mut self, files: FilePatterns) -> Self {
        Arc::make_mut(&mut self.0).files = vec![files];
        self
    }

    /// The new identity has no rate limiter and no file patterns.
    pub(crate) fn with_permissions<S: Into<Box<str>>>(&self, permissions: impl IntoIterator<Item = S>) -> Self {
        let mut identity = Self::new(self.name(), permissions);
        let data = Arc::make_mut(&mut identity.0);
        data.name.clone_from(&self.0.name);
        data.combined_names.clone_from(&self.0.combined_names);
        data.attached_values.clone_from(&self.0.attached_values);
        identity
    }

    /// Returns the name of the identity, which handlers can read and the log contains.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name.name
    }

    /// Returns the permissions, in the form in which they were passed to [`Identity::new`].
    pub fn permissions(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.permissions.iter().map(|permission| &**permission)
    }

    /// Returns about how many bytes of memory the identity occupies, without the values that the program has attached.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        let permissions: usize = self.permissions().map(|permission| permission.len() + size_of::<Box<str>>()).sum();
        size_of::<IdentityData>() + self.0.name.namespace.len() + self.name().len() + permissions
    }

    /// Returns `true` if the identity has exactly this permission.
    #[must_use]
    pub fn has_permission(&self, permission: &str) -> bool {
        self.0.permissions.iter().any(|held| &**held == permission)
    }

    /// Returns `true` if the identity may access the stored file with this name: one of the identity's file patterns
    /// matches the name, or the identity has no file patterns. The type of a parameter may restrict the names of files
    /// further.
    #[must_use]
    pub fn may_access_file(&self, file: &FileName) -> bool {
        self.0.files.iter().all(|patterns| patterns.allows(file))
    }
}

impl Identity {
    /// Returns a copy for a single worker, which shares no reference count with this one.
    pub(crate) fn unshared(&self) -> Self {
        Self(Arc::new(IdentityData::clone(&self.0)))
    }

    /// Returns the name by which the requests of the caller are counted.
    pub(crate) fn qualified_name(&self) -> &QualifiedName {
        &self.0.name
    }

    pub(crate) fn combined_names(&self) -> &[QualifiedName] {
        &self.0.combined_names
    }

    pub(crate) fn permission_list(&self) -> &[Box<str>] {
        &self.0.permissions
    }

    /// Empty if the number of requests is not limited.
    pub(crate) fn rate_limiters(&self) -> &[Arc<RateLimiter>] {
        &self.0.rate_limiters
    }

    /// The result has the name of `self`, and all permissions, attached values and limits, so that a second credential
    /// never removes a limit of the first one.
    pub(crate) fn combined_with(mut self, other: &Self) -> Self {
        let data = Arc::make_mut(&mut self.0);
        for name in std::iter::once(&other.0.name).chain(&other.0.combined_names) {
            if data.name != *name && !data.combined_names.contains(name) {
                data.combined_names.push(name.clone());
            }
        }
        let others = other.0.permissions.iter();
        let added: Vec<_> = others.filter(|permission| !data.permissions.contains(permission)).cloned().collect();
        data.permissions = std::mem::take(&mut data.permissions).into_iter().chain(added).collect();
        for limiter in &other.0.rate_limiters {
            if !data.rate_limiters.iter().any(|known| Arc::ptr_eq(known, limiter)) {
                data.rate_limiters.push(Arc::clone(limiter));
            }
        }
        data.files.extend_from_slice(&other.0.files);
        for value in &other.0.attached_values {
            if !data.attached_values.iter().any(|known| (**known).type_id() == (**value).type_id()) {
                data.attached_values.push(Arc::clone(value));
            }
        }
        self
    }
}

/// As programs in other languages get it.
impl Serialize for Identity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claims = self.data::<Claims>();
        let mut identity = serializer.serialize_struct("Identity", 2 + usize::from(claims.is_some()))?;
        identity.serialize_field("name", self.name())?;
        identity.serialize_field("permissions", &self.0.permissions)?;
        if let Some(claims) = claims {
            identity.serialize_field("claims", claims)?;
        }
        identity.end()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name())
            .field("permissions", &self.0.permissions)
            .finish_non_exhaustive()
    }
}

/// The claims of a token that has been verified (RFC 7519 section 4), for handlers:
///
/// ```
/// use rulebook::{ApiError, Claims, Context};
///
/// fn email(context: &Context) -> Result<String, ApiError> {
///     let claims = context.identity().and_then(|identity| identity.data::<Claims>());
///     let email = claims.and_then(|claims| claims.get("email")).and_then(|email| email.as_str());
///     email.map(str::to_owned).ok_or_else(|| ApiError::declared("no_email"))
/// }
/// ```
///
/// Statements of SQL handlers, and handlers in other languages, read them too.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Claims(Map<String, Json>);

impl Claims {
    /// Creates the claims of a token that has been verified.
    #[must_use]
    pub fn new(claims: Map<String, Json>) -> Self {
        Self(claims)
    }

    /// Returns the value of a claim. If no claim has this name, the name is split at dots: `realm_access.roles` is the
    /// member `roles` of the claim `realm_access`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).or_else(|| {
            let (first, rest) = name.split_once('.')?;
            rest.split('.').try_fold(self.0.get(first)?, |value, name| value.get(name))
        })
    }

    /// Returns about how many bytes of memory the claims occupy.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        members_size(&self.0)
    }

    /// Returns the claims as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Object(self.0.clone())
    }

    /// Returns all claims by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// About, in bytes, without the text of its name and its value.
const MEMBER_SIZE: usize = 128;

fn members_size(members: &Map<String, Json>) -> usize {
    members.iter().map(|(name, value)| MEMBER_SIZE + name.len() + value_size(value)).sum()
}

/// About, in bytes. The parser limits how deep values are nested.
fn value_size(value: &Json) -> usize {
    size_of::<Json>()
        + match value {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(value_size).sum(),
            Json::Object(members) => members_size(members),
            _ => 0,
        }
}
