//! The endpoint `GET /quote/{quote_id}?lang=en`, which passes checked requests on to another server with awc.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentType};
use actix_web::web::{self, PathConfig, QueryConfig};
use actix_web::{App, HttpResponse, HttpServer, rt};
use awc::error::SendRequestError;
use awc::{Client, Connector};
use serde::Deserialize;

use super::error::{ParameterError, RequestError};
use super::line::MAX_ID;
use super::{resource, unknown_service};

/// The maximum number of connections to the other server.
const MAX_CONNECTIONS: usize = 128;
/// The maximum time until the response of the other server begins.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The maximum length of a response of the other server in bytes.
const MAX_RESPONSE_LEN: usize = 8 << 20;

/// The other server.
struct Upstream {
    client: Client,
    address: SocketAddr,
}

/// Serves the quotes of the server with this address, with one worker, until the process receives a signal.
pub fn serve_quotes(bind: SocketAddr, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let server = HttpServer::new(move || {
        let connector = Connector::new().limit(MAX_CONNECTIONS);
        let client = Client::builder().connector(connector).timeout(TIMEOUT).disable_redirects().finish();
        App::new()
            .app_data(web::Data::new(Upstream { client, address }))
            .app_data(PathConfig::default().error_handler(|error, _| RequestError::from(error).into()))
            .app_data(QueryConfig::default().error_handler(|error, _| RequestError::from(error).into()))
            .service(resource("/quote/{quote_id}", "GET", web::get().to(read_quote)))
            .default_service(web::to(unknown_service))
    });
    Ok(rt::System::new().block_on(server.workers(1).tcp_nodelay(true).bind(bind)?.run())?)
}

#[derive(Deserialize)]
struct QuoteQuery {
    lang: String,
}

async fn read_quote(
    path: web::Path<u32>,
    query: web::Query<QuoteQuery>,
    upstream: web::Data<Upstream>,
) -> Result<HttpResponse, RequestError> {
    let quote_id = path.into_inner();
    if quote_id > MAX_ID {
        return Err(ParameterError::new("quote_id", "path", "0 to 2147483647", &quote_id).into());
    }
    let lang = query.into_inner().lang;
    if !(2..=5).contains(&lang.chars().count()) {
        return Err(ParameterError::new("lang", "query", "2 to 5 characters", &lang).into());
    }
    let lang: String = form_urlencoded::byte_serialize(lang.as_bytes()).collect();
    let request = upstream.client.get(format!("http://{}/quote/{quote_id}?lang={lang}", upstream.address));
    let mut response =
        request.insert_header((header::ACCEPT, "application/json")).send().await.map_err(|error| send_error(&error))?;
    match response.status() {
        StatusCode::OK => {
            let body = response.body().limit(MAX_RESPONSE_LEN).await.map_err(|_| RequestError::BadGateway)?;
            Ok(HttpResponse::Ok().content_type(ContentType::json()).body(body))
        }
        StatusCode::NOT_FOUND => Err(RequestError::UnknownQuote),
        _ => Err(RequestError::BadGateway),
    }
}

fn send_error(error: &SendRequestError) -> RequestError {
    match error {
        SendRequestError::Timeout => RequestError::GatewayTimeout,
        _ => RequestError::BadGateway,
    }
}
