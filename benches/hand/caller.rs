//! Authentication by bearer keys, of which the server stores hashes.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::RequestError;
use crate::keys;

/// All callers, by the SHA-256 of their keys.
pub struct Callers(HashMap<[u8; 32], Caller>);

struct Caller {
    name: Arc<str>,
    scope: Vec<String>,
}

impl Callers {
    /// Creates this number of callers.
    pub fn new(count: usize) -> Self {
        let caller = |n| Caller { name: keys::name(n).into(), scope: vec![keys::SCOPE.to_owned()] };
        Self((0..count).map(|n| (keys::hash(&keys::token(n)), caller(n))).collect())
    }
}

/// A caller with the permission to create articles. Extracted before the body, so that the body of other callers is not
/// read.
pub struct Author(pub Arc<str>);

impl FromRequest for Author {
    type Error = RequestError;
    type Future = Ready<Result<Self, RequestError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(author(request))
    }
}

fn author(request: &HttpRequest) -> Result<Author, RequestError> {
    let caller = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| {
            let callers = request.app_data::<web::Data<Callers>>()?;
            callers.0.get(&keys::hash(token))
        })
        .ok_or(RequestError::Unauthenticated)?;
    if caller.scope.iter().any(|held| held == keys::SCOPE) {
        Ok(Author(Arc::clone(&caller.name)))
    } else {
        Err(RequestError::Forbidden)
    }
}
