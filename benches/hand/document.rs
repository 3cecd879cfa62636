//! Serves documents from files. The files are loaded at start.

use std::path::Path;
use std::{fs, io};

use actix_web::http::header::{self, CacheControl, CacheDirective, ContentType, ETag, EntityTag};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse, Route};

/// The documents. Each has the HTTP method and the path of its endpoint, and a file name.
pub const DOCUMENTS: [(&str, &str, &str); 2] =
    [("OPTIONS", "/ping", "options.json"), ("GET", "/openapi.json", "openapi.json")];

/// The contents of the documents in [`DOCUMENTS`].
#[derive(Clone)]
pub struct Documents {
    options: Bytes,
    openapi: Bytes,
}

impl Documents {
    /// Loads the documents from files in a folder.
    pub fn load(folder: &Path) -> io::Result<Self> {
        let [options, openapi] = DOCUMENTS.map(|(_, _, file)| fs::read(folder.join(file)).map(Bytes::from));
        Ok(Self { options: options?, openapi: openapi? })
    }

    /// Returns an actix route that responds to OPTIONS requests with the document.
    pub fn options_route(&self) -> Route {
        respond_with_document(web::method(actix_web::http::Method::OPTIONS), &self.options)
    }

    /// Returns an actix route that responds to GET requests with the OpenAPI document.
    pub fn openapi_route(&self) -> Route {
        respond_with_document(web::get(), &self.openapi)
    }
}

fn respond_with_document(route: Route, body: &Bytes) -> Route {
    let body = body.clone();
    route.to(move |request: HttpRequest| {
        let body = body.clone();
        async move {
            let known = request.headers().get(header::IF_NONE_MATCH);
            if known.is_some_and(|tag| ["*", "\"1\""].iter().any(|known| tag == known)) {
                return HttpResponse::NotModified().insert_header(ETag(EntityTag::new_strong("1".to_owned()))).finish();
            }
            HttpResponse::Ok()
                .content_type(ContentType::json())
                .insert_header(ETag(EntityTag::new_strong("1".to_owned())))
                .insert_header(CacheControl(vec![CacheDirective::NoCache]))
                .body(body)
        }
    })
}
