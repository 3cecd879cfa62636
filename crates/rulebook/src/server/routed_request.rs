//! Takes over the requests of actix: finds the route of a request once, and keeps it in the request until a service
//! handles it. Finds also the version of the API that a request names, in the first segment of its path or in a header
//! field.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::RequestHead;
use actix_web::guard::GuardContext;
use actix_web::{HttpMessage, HttpRequest};
use http::header::{HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Uri, Version};
use rulebook_model::model::ServerPath;

use super::observe::REQUEST_ID_FIELD;
use super::worker::{ServedPlan, Worker};
use crate::call::{ApiError, Head, ParameterError, ParameterErrorKind, RequestId, Source, shorten_text};
use crate::pipeline::{Route, catch_panic, route};
use crate::plan::PlannedVersions;

/// The first guard or service that actix asks finds the route; the data of the request keeps it for the others.
pub(super) struct RoutedRequest {
    /// The worker of the API whose route this is: an `App` can have the services of several.
    worker: Rc<Worker>,
    pub(super) head: Arc<Head>,
    pub(super) route: Route,
    pub(super) served: Rc<ServedPlan>,
    /// The target, if that in `head` begins after the name of a version.
    target: Option<Box<Uri>>,
}

impl RoutedRequest {
    fn new(worker: &Rc<Worker>, request: &RequestHead) -> Self {
        let (mut head, mut served) = (share_head(request, worker), worker.served_plan());
        let (mut target, mut unknown) = (None, None);
        if let Some(versions) = &Rc::clone(&served).runner.plan.versions {
            match find_version(&served, versions, Arc::make_mut(&mut head)) {
                Ok(version) => served = version,
                Err(error) => unknown = Some(error),
            }
            target = Some(Box::new(request.uri.clone()));
        }
        let route = match unknown {
            Some(error) => Route::Error(error.into()),
            None => catch_panic("a stage", || route(&served.runner.plan, &head))
                .unwrap_or_else(|panic| Route::Error(panic.into())),
        };
        Self { worker: Rc::clone(worker), head, route, served, target }
    }

    pub(super) fn with<T>(worker: &Rc<Worker>, context: &GuardContext<'_>, use_routed: impl FnOnce(&Self) -> T) -> T {
        let mut data = context.req_data_mut();
        if let Some(known) = data.get::<Self>().filter(|routed| routed.is_of(worker, context.head())) {
            return use_routed(known);
        }
        let routed = Self::new(worker, context.head());
        let result = use_routed(&routed);
        data.insert(routed);
        result
    }

    pub(super) fn take(worker: &Rc<Worker>, request: &HttpRequest) -> Self {
        let known = request.extensions_mut().remove::<Self>().filter(|routed| routed.is_of(worker, request.head()));
        known.unwrap_or_else(|| Self::new(worker, request.head()))
    }

    /// Returns `true` if this is a route of this worker's API, and no middleware has changed the target of the request.
    fn is_of(&self, worker: &Rc<Worker>, request: &RequestHead) -> bool {
        let target = self.target.as_deref().unwrap_or(&self.head.uri);
        let [known, other] = [target, &request.uri].map(|uri| uri.path_and_query().map_or("", PathAndQuery::as_str));
        Rc::ptr_eq(&self.worker, worker) && (std::ptr::eq(known, other) || known == other)
    }
}

/// The texts are shared with actix, because other services and middleware of an `App` may use the request too.
fn share_head(request: &RequestHead, worker: &Worker) -> Arc<Head> {
    let RequestHead { method, uri, version, headers, peer_addr: peer, .. } = request;
    let mut shared = worker.heads.take();
    // The head has no other owner, so that it is not cloned.
    let head = Arc::make_mut(&mut shared);
    (head.method, head.uri) = (method.clone(), uri.clone());
    head.headers.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    // A body of unknown length may follow, but not one of these methods that means something (RFC 9110 section 9.3.1).
    head.streams = *version == Version::HTTP_2 && !matches!(*method, Method::GET | Method::HEAD);
    head.peer = *peer;
    head.client = worker.state().trusted_proxies.client_address(*peer, &head.headers);
    head.id = request_id(&head.headers, worker);
    shared
}

/// Returns the id of the client or a proxy if it is valid, otherwise a new one.
fn request_id(headers: &[(HeaderName, HeaderValue)], worker: &Worker) -> RequestId {
    let given = headers.iter().find(|(name, _)| *name == REQUEST_ID_FIELD);
    let given = given.and_then(|(_, id)| RequestId::parse(id.to_str().ok()?));
    given.unwrap_or_else(|| worker.next_request_id())
}

const MAX_KEPT_HEADS: usize = 32;
const MAX_KEPT_FIELDS: usize = 32;

/// Heads of earlier requests, whose memory is used again for the next requests of the worker.
#[derive(Debug, Default)]
pub(super) struct HeadPool(RefCell<Vec<Arc<Head>>>);

impl HeadPool {
    /// Returns a head that has no header fields and no other owner.
    pub(super) fn take(&self) -> Arc<Head> {
        let head = self.0.borrow_mut().pop();
        head.unwrap_or_else(|| Arc::new(Head::new(Method::GET, Uri::default())))
    }

    pub(super) fn put_back(&self, mut shared: Arc<Head>) {
        let Some(head) = Arc::get_mut(&mut shared) else { return };
        // The fields and the target keep the memory of the connection from being used again.
        head.headers.clear();
        head.uri = Uri::default();
        (head.tls, head.trace, head.version, head.ends_with_version) = (None, None, None, false);
        let mut kept = self.0.borrow_mut();
        if kept.len() < MAX_KEPT_HEADS && head.headers.capacity() <= MAX_KEPT_FIELDS {
            kept.push(shared);
        }
    }
}

/// Returns the version that a request names, or `served`, which is the version for requests that name none. The path of
/// the request then begins after the name of the version. Fails if the header field names an unknown version.
fn find_version(
    served: &Rc<ServedPlan>,
    versions: &PlannedVersions,
    head: &mut Head,
) -> Result<Rc<ServedPlan>, ApiError> {
    let path = head.uri.path();
    let name = path[1.min(path.len())..].split('/').next().unwrap_or_default();
    if let Some(version) = served.version(name)
        && let Some(uri) = below(&head.uri, 1 + name.len())
    {
        head.ends_with_version = path.len() == 1 + name.len();
        head.version = Some(name.into());
        head.uri = uri;
        return Ok(version);
    }
    if is_server_state(path) {
        return Ok(Rc::clone(served));
    }
    let Some(field) = versions.header.as_ref().filter(|field| head.get_all(field).next().is_some()) else {
        return Ok(Rc::clone(served));
    };
    // Several fields are a list (RFC 9110 section 5.3), and not a version.
    let values: Vec<_> = head.get_all(field).map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let name = values.join(", ");
    served.version(&name).ok_or_else(|| {
        let expected = format!("a version of the API: {}", versions.names.join(", "));
        let error = ParameterError::new(ParameterErrorKind::Invalid, field.as_str(), Source::Header, expected);
        ApiError::parameters(vec![error.with_got(Some(format!("{:?}", shorten_text(&name))))])
    })
}

/// Returns a URI without the first bytes of its path. Returns `None` if the rest is a path of the state of the server:
/// proxies close these paths to clients.
fn below(uri: &Uri, length: usize) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().get(length..)?;
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{slash}{rest}").parse::<PathAndQuery>().ok()?);
    let uri = Uri::from_parts(parts).ok()?;
    (!is_server_state(uri.path())).then_some(uri)
}

/// Returns `true` if the path is one of those that show the state of the server, which belong to no version.
fn is_server_state(path: &str) -> bool {
    ServerPath::from_request_path(path).is_some_and(ServerPath::is_server_state)
}
