//! Takes over the requests of actix: finds the route of a request once, and keeps it in the request until a service
//! handles it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::RequestHead;
use actix_web::guard::GuardContext;
use actix_web::{HttpMessage, HttpRequest};
use http::header::{HeaderName, HeaderValue};
use http::uri::PathAndQuery;
use http::{Method, Uri, Version};

use super::observe::REQUEST_ID_FIELD;
use super::served_plan::ServedPlan;
use super::version::find_version;
use super::worker::Worker;
use crate::call::{Head, RequestId};
use crate::pipeline::{Route, catch_panic, route};

/// A request whose route has been found. The first guard or service of an API that actix asks about the request finds
/// it; the data of the request keeps it for the others.
pub(super) struct RoutedRequest {
    /// The worker of the API whose route this is: an `App` can have the services of several.
    worker: Rc<Worker>,
    /// The request line and the header fields.
    pub(super) head: Arc<Head>,
    pub(super) route: Route,
    /// The plan in which the route was found.
    pub(super) served: Rc<ServedPlan>,
    /// The target of the request, if that in `head` begins after the name of a version.
    target: Option<Box<Uri>>,
}

impl RoutedRequest {
    fn new(worker: &Rc<Worker>, request: &RequestHead) -> Self {
        let (mut head, mut served) = (share_head(request, worker), worker.served_plan());
        let (mut target, mut unknown) = (None, None);
        if let Some(versions) = &Rc::clone(&served).runner.plan.versions {
            // The head has no other owner, so that it is not cloned.
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

    /// Calls a function with the route of a request, which is found unless it is known.
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

    /// Returns the route of a request, which a service is going to handle.
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

/// Returns the head of a request. Its texts are shared with actix, because other services and middleware of an `App`
/// may use the request too.
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

/// Returns the request id that the client or a proxy has sent, if this id is valid; otherwise a new id.
fn request_id(headers: &[(HeaderName, HeaderValue)], worker: &Worker) -> RequestId {
    let given = headers.iter().find(|(name, _)| *name == REQUEST_ID_FIELD);
    let given = given.and_then(|(_, id)| RequestId::parse(id.to_str().ok()?));
    given.unwrap_or_else(|| worker.next_request_id())
}

const MAX_KEPT_HEADS: usize = 32;
/// The maximum capacity for header fields of a head that is kept.
const MAX_KEPT_FIELDS: usize = 32;

/// Heads of requests whose memory a worker uses again for its next requests.
#[derive(Debug, Default)]
pub(super) struct HeadPool(RefCell<Vec<Arc<Head>>>);

impl HeadPool {
    /// Returns a head without header fields, which has no other owner.
    pub(super) fn take(&self) -> Arc<Head> {
        let head = self.0.borrow_mut().pop();
        head.unwrap_or_else(|| Arc::new(Head::new(Method::GET, Uri::default())))
    }

    /// Takes back a head, unless the program still uses it.
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
