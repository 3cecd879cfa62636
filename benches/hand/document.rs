//! Documents that are ready before the first request, sent as they are.

use std::path::Path;
use std::{fs, io};

use actix_web::http::header::{CacheControl, CacheDirective, ContentType, ETag, EntityTag};
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, Route};

/// The documents: how each is asked for, and the file that it is in.
pub const DOCUMENTS: [(&str, &str, &str); 2] =
    [("OPTIONS", "/ping", "options.json"), ("GET", "/openapi.json", "openapi.json")];

/// Their bytes.
#[derive(Clone)]
pub struct Documents {
    options: Bytes,
    openapi: Bytes,
}

impl Documents {
    /// The documents in a folder.
    pub fn load(folder: &Path) -> io::Result<Self> {
        let [options, openapi] = DOCUMENTS.map(|(_, _, file)| fs::read(folder.join(file)).map(Bytes::from));
        Ok(Self { options: options?, openapi: openapi? })
    }

    /// What OPTIONS answers.
    pub fn options(&self) -> Route {
        route(web::method(actix_web::http::Method::OPTIONS), &self.options)
    }

    /// The OpenAPI document.
    pub fn openapi(&self) -> Route {
        route(web::get(), &self.openapi)
    }
}

fn route(route: Route, body: &Bytes) -> Route {
    let body = body.clone();
    route.to(move || {
        let body = body.clone();
        async move {
            HttpResponse::Ok()
                .content_type(ContentType::json())
                .insert_header(ETag(EntityTag::new_strong("1".to_owned())))
                .insert_header(CacheControl(vec![CacheDirective::NoCache]))
                .body(body)
        }
    })
}
