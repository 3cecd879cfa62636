//! Authenticates callers by bearer keys. The server has only the hashes of the keys.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::RequestError;
use crate::keys;

/// All callers. The map key is the SHA-256 hash of the caller's bearer key.
pub struct Callers(HashMap<[u8; 32], Caller>);

struct Caller {
    name: Arc<str>,
    scope: Vec<String>,
}

impl Callers {
    /// Creates the first `count` callers of [`keys`].
    pub fn new(count: usize) -> Self {
        let new_caller = |n| Caller { name: keys::caller_name(n).into(), scope: vec![keys::PERMISSION.to_owned()] };
        Self((0..count).map(|n| (keys::hash_token(&keys::bearer_token(n)), new_caller(n))).collect())
    }
}

/// The name of a caller who may create articles. Handlers extract it before the body, so that the body is not read if
/// the caller lacks the permission.
pub struct Author(pub Arc<str>);

impl FromRequest for Author {
    type Error = RequestError;
    type Future = Ready<Result<Self, RequestError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authorize_author(request))
    }
}

fn authorize_author(request: &HttpRequest) -> Result<Author, RequestError> {
    let caller = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| {
            let callers = request.app_data::<web::Data<Callers>>()?;
            callers.0.get(&keys::hash_token(token))
        })
        .ok_or(RequestError::Unauthenticated)?;
    if caller.scope.iter().any(|held| held == keys::PERMISSION) {
        Ok(Author(Arc::clone(&caller.name)))
    } else {
        Err(RequestError::Forbidden)
    }
}
