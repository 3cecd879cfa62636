//! The hand-written server. It implements the endpoints with actix-web: with extractors, serde, and checks in code.
//!
//! The code has production quality, so that the comparison is fair: every error has a complete JSON response, and the
//! code is as fast as possible. It must not use rulebook.

mod article;
mod articles;
mod caller;
mod document;
mod error;
mod files;
mod line;
mod notes;
mod orders;
mod quotes;

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;

use actix_web::web::{self, FormConfig, JsonConfig, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer, Resource, Responder, Route, rt};
use serde::Serialize;

pub use self::articles::serve_articles;
use self::caller::{Author, Callers};
pub use self::document::DOCUMENTS;
use self::document::Documents;
use self::error::RequestError;
pub use self::files::serve_files;
pub use self::notes::serve_notes;
pub use self::quotes::serve_quotes;

/// Maximum length of a request body in bytes.
const MAX_BODY_LEN: usize = 1 << 20;

/// Serves the endpoints, with one worker, until the process receives a signal. If `services` is not 0, only one
/// endpoint is served, with this number of paths. If `documents` is a folder, its documents ([`DOCUMENTS`]) are served
/// too.
pub fn serve_endpoints(
    bind: SocketAddr,
    services: usize,
    keys: usize,
    documents: Option<&Path>,
) -> Result<(), Box<dyn Error>> {
    let documents = documents.map(Documents::load).transpose()?;
    let callers = web::Data::new(Callers::new(keys));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(callers.clone())
            .app_data(PathConfig::default().error_handler(|error, _| RequestError::from(error).into()))
            .app_data(QueryConfig::default().error_handler(|error, _| RequestError::from(error).into()))
            .app_data(
                JsonConfig::default().limit(MAX_BODY_LEN).error_handler(|error, _| RequestError::from(error).into()),
            )
            .app_data(
                FormConfig::default().limit(MAX_BODY_LEN).error_handler(|error, _| RequestError::from(error).into()),
            )
            .configure(|config| add_routes(config, services, documents.as_ref()))
            .default_service(web::to(unknown_service))
    })
    .workers(1)
    .tcp_nodelay(true)
    .bind(bind)?;
    Ok(rt::System::new().block_on(server.run())?)
}

fn add_routes(config: &mut ServiceConfig, services: usize, documents: Option<&Documents>) {
    let read = || web::get().to(line::read_line);
    if services == 0 {
        let from_json = web::post().to(article::create_from_json);
        let from_form = web::post().to(article::create_from_form);
        config
            .service(match documents {
                Some(documents) => resource("/ping", "GET", web::get().to(ping)).route(documents.options_route()),
                None => resource("/ping", "GET", web::get().to(ping)),
            })
            .service(resource("/article/line/{article_id}/{no_line}", "GET", read()))
            .service(resource("/article/query", "GET", web::get().to(line::read_line_by_query)))
            .service(resource("/lines/query", "GET", web::get().to(line::read_line_by_query)))
            .service(resource("/", "GET", web::get().to(line::call_named_method)))
            .service(resource("/script/line/{article_id}/{no_line}", "GET", web::get().to(line::read_line_as_jsonp)))
            .service(resource("/article", "POST", from_json))
            .service(resource("/article/form", "POST", from_form))
            .service(resource(crate::orders::PATH, "POST", web::post().to(orders::count_orders)))
            .service(resource("/private", "GET", web::get().to(private_ping)));
    }
    if let Some(documents) = documents {
        config.service(resource("/openapi.json", "GET", documents.openapi_route()));
    }
    for n in 1..=services {
        let path = format!("/s{n}/line/{{article_id}}/{{no_line}}");
        config.service(resource(&path, "GET", read()));
    }
}

/// Creates an actix resource with one HTTP method. The response to any other method contains the header field `Allow`.
fn resource(path: &str, allow: &'static str, route: Route) -> Resource {
    let unknown_method = move || async move { Err::<HttpResponse, _>(RequestError::UnknownMethod { allow }) };
    web::resource(path).route(route).default_service(web::to(unknown_method))
}

async fn unknown_service() -> Result<HttpResponse, RequestError> {
    Err(RequestError::UnknownService)
}

/// The members `error` and `ErrorDescription` of every success response.
const SUCCESS_MEMBERS: (u32, &str) = (0, "all right");

#[derive(Serialize)]
struct Pong {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: &'static str,
    pong: bool,
}

async fn private_ping(_: Author) -> impl Responder {
    ping().await
}

async fn ping() -> impl Responder {
    let (error, description) = SUCCESS_MEMBERS;
    web::Json(Pong { error, description, pong: true })
}
