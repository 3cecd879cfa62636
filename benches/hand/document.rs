//! Documents that are loaded at start.

use std::path::Path;
use std::{fs, io};

use actix_web::http::header::{CacheControl, CacheDirective, ContentType, ETag, EntityTag};
use actix_web::web::{self, Bytes};
use actix_web::{HttpResponse, Route};

/// The documents: HTTP method, path, and file name.
pub const DOCUMENTS: [(&str, &str, &str); 2] =
    [("OPTIONS", "/ping", "options.json"), ("GET", "/openapi.json", "openapi.json")];

/// The contents of the documents.
#[derive(Clone)]
pub struct Documents {
    options: Bytes,
    openapi: Bytes,
}

impl Documents {
    /// Loads the documents in a folder.
    pub fn load(folder: &Path) -> io::Result<Self> {
        let [options, openapi] = DOCUMENTS.map(|(_, _, file)| fs::read(folder.join(file)).map(Bytes::from));
        Ok(Self { options: options?, openapi: openapi? })
    }

    /// Returns the route of the response to OPTIONS.
    pub fn options(&self) -> Route {
        route(web::method(actix_web::http::Method::OPTIONS), &self.options)
    }

    /// Returns the route of the OpenAPI document.
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
