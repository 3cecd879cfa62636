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
use super::error::{ParameterError, RequestError};
use super::{resource, unknown_service};
use crate::{files, keys};

/// Maximum length of a file in bytes.
const FILE_LIMIT: usize = 1 << 30;

/// The folders of files.
#[derive(Clone)]
struct Folders {
    down: PathBuf,
    up: PathBuf,
}

/// Serves the files of this folder with one worker until the process receives a signal. If `nodelay` is `true`,
/// TCP_NODELAY is set, which is not the default of `HttpServer`.
pub fn serve(bind: SocketAddr, folder: &Path, nodelay: bool) -> Result<(), Box<dyn Error>> {
    let callers = web::Data::new(Callers::new(keys::COUNT));
    let folders = Folders { down: folder.join("data/files"), up: folder.join("hand") };
    fs::create_dir_all(folders.up.join("public"))?;
    let server = HttpServer::new(move || {
        let file = resource(files::PATH, "GET, POST", web::get().to(download)).route(web::post().to(upload));
        App::new()
            .app_data(callers.clone())
            .app_data(web::Data::new(folders.clone()))
            .app_data(QueryConfig::default().error_handler(|error, _| RequestError::from(error).into()))
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
struct DownloadParameters {
    filename: String,
}

async fn download(
    _: Author,
    parameters: web::Query<DownloadParameters>,
    folders: web::Data<Folders>,
) -> Result<NamedFile, RequestError> {
    let path = folders.down.join(relative(&parameters.filename)?);
    NamedFile::open(path).map_err(|_| RequestError::UnknownFile)
}

#[derive(MultipartForm)]
struct UploadForm {
    content: TempFile,
    filename: Text<String>,
}

async fn upload(
    _: Author,
    form: MultipartForm<UploadForm>,
    folders: web::Data<Folders>,
) -> Result<HttpResponse, RequestError> {
    let UploadForm { content, filename } = form.into_inner();
    let path = folders.up.join(relative(&filename)?);
    let kept = web::block(move || content.file.persist(path)).await;
    kept.map_err(|_| RequestError::Unavailable)?.map_err(|_| RequestError::Unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Checks that a name is a relative path below `public`.
fn relative(name: &str) -> Result<&Path, RequestError> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && path.starts_with("public") {
        Ok(path)
    } else {
        Err(RequestError::Invalid(vec![ParameterError::new("filename", "query", "a name below public", &name)]))
    }
}
