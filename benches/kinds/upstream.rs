//! The HTTP server to which the handlers of the kind `http` send requests.

use std::error::Error;
use std::net::SocketAddr;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer, body, rt};
use futures_util::stream;
use serde::{Deserialize, Serialize};

/// The path of the large file.
pub const FILE_PATH: &str = "/large";
/// The size of the large file in bytes.
pub const FILE_SIZE: u64 = 1 << 30;

/// The number of quotes; their numbers begin at 0.
const QUOTE_COUNT: u32 = 1_000;
/// The size of the chunks of the large file in bytes.
const CHUNK_SIZE: usize = 64 << 10;

/// Serves the quotes and the large file, with one worker, until the process receives a signal.
pub fn serve(bind: SocketAddr) -> Result<(), Box<dyn Error>> {
    let app = || {
        App::new()
            .route("/quote/{quote_id}", web::get().to(read_quote))
            .route(FILE_PATH, web::get().to(read_large_file))
    };
    let server = HttpServer::new(app).workers(1).tcp_nodelay(true).bind(bind)?;
    Ok(rt::System::new().block_on(server.run())?)
}

#[derive(Deserialize)]
struct QuoteQuery {
    lang: String,
}

#[derive(Serialize)]
struct Quote {
    quote_id: u32,
    lang: String,
    text: &'static str,
    author: &'static str,
}

async fn read_quote(path: web::Path<u32>, query: web::Query<QuoteQuery>) -> HttpResponse {
    let quote_id = path.into_inner();
    if quote_id >= QUOTE_COUNT {
        return HttpResponse::NotFound().finish();
    }
    let lang = query.into_inner().lang;
    let text = "The lines of a poem are counted from one, and those of a program often from nought.";
    HttpResponse::Ok().json(Quote { quote_id, lang, text, author: "A. Lovelace" })
}

async fn read_large_file() -> HttpResponse {
    let chunk = Bytes::from(vec![b'.'; CHUNK_SIZE]);
    let chunks = FILE_SIZE / CHUNK_SIZE as u64;
    let chunks = stream::iter((0..chunks).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    HttpResponse::Ok().content_type("text/plain").body(body::SizedStream::new(FILE_SIZE, chunks))
}
