//! `GET` and `POST /iapi/file`, with actix-files and actix-multipart.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};

use actix_files::NamedFile;
use actix_multipart::form::tempfile::{TempFile, TempFileConfig};
use actix_multipart::form::text::Text;
use actix_multipart::form::{MultipartForm, MultipartFormConfig};
use actix_web::web::{self, QueryConfig};
use actix_web::{App, HttpResponse, HttpServer, rt};
use serde::Deserialize;

use super::caller::{Author, Callers};
use super::failure::{Failure, Fault};
use super::{resource, unknown_service};
use crate::{files, keys};

/// Bytes that a file may have.
const FILE_LIMIT: usize = 1 << 30;

/// Where files are.
#[derive(Clone)]
struct Folders {
    down: PathBuf,
    up: PathBuf,
}

/// Serves the files of this folder with one worker until the process is told to stop. `nodelay`: what there is is sent
/// at once, which `HttpServer` does not do by itself.
pub fn serve(bind: SocketAddr, folder: &Path, nodelay: bool) -> Result<(), Box<dyn Error>> {
    let callers = web::Data::new(Callers::new(keys::COUNT));
    let folders = Folders { down: folder.join("data/files"), up: folder.join("hand") };
    fs::create_dir_all(folders.up.join("public"))?;
    let server = HttpServer::new(move || {
        let file = resource(files::PATH, "GET, POST", web::get().to(download)).route(web::post().to(upload));
        App::new()
            .app_data(callers.clone())
            .app_data(web::Data::new(folders.clone()))
            .app_data(QueryConfig::default().error_handler(|error, _| Failure::from(error).into()))
            .app_data(MultipartFormConfig::default().total_limit(FILE_LIMIT))
            .app_data(TempFileConfig::default().directory(&folders.up))
            .service(file)
            .default_service(web::to(unknown_service))
    });
    let server = server.workers(1);
    let server = if nodelay { server.tcp_nodelay(true) } else { server };
    Ok(rt::System::new().block_on(server.bind(bind)?.run())?)
}

#[derive(Deserialize)]
struct Which {
    filename: String,
}

async fn download(_: Author, which: web::Query<Which>, folders: web::Data<Folders>) -> Result<NamedFile, Failure> {
    let path = folders.down.join(relative(&which.filename)?);
    NamedFile::open(path).map_err(|_| Failure::UnknownFile)
}

#[derive(MultipartForm)]
struct New {
    content: TempFile,
    filename: Text<String>,
}

async fn upload(_: Author, form: MultipartForm<New>, folders: web::Data<Folders>) -> Result<HttpResponse, Failure> {
    let New { content, filename } = form.into_inner();
    let path = folders.up.join(relative(&filename)?);
    let kept = web::block(move || content.file.persist(path)).await;
    kept.map_err(|_| Failure::Unavailable)?.map_err(|_| Failure::Unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// A path that leads nowhere but below `public`.
fn relative(name: &str) -> Result<&Path, Failure> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && path.starts_with("public") {
        Ok(path)
    } else {
        Err(Failure::Invalid(vec![Fault::new("filename", "query", "a name below public", &name)]))
    }
}
