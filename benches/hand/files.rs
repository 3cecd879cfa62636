//! The endpoints `GET /iapi/file` and `POST /iapi/file`, with the crates actix-files and actix-multipart.

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

/// Maximum length of an uploaded file in bytes.
const MAX_FILE_LEN: usize = 1 << 30;

/// The folders from which files are downloaded, and to which files are uploaded.
#[derive(Clone)]
struct Folders {
    downloads: PathBuf,
    uploads: PathBuf,
}

/// Serves the files in this folder, with one worker, until the process receives a signal. If `nodelay` is `true`, the
/// server sets the socket option `TCP_NODELAY`, which `HttpServer` does not set by default.
pub fn serve_files(bind: SocketAddr, folder: &Path, nodelay: bool) -> Result<(), Box<dyn Error>> {
    let callers = web::Data::new(Callers::new(keys::DEFAULT_COUNT));
    let folders = Folders { downloads: folder.join("data/files"), uploads: folder.join("hand") };
    fs::create_dir_all(folders.uploads.join("public"))?;
    let server = HttpServer::new(move || {
        let file = resource(files::ENDPOINT_PATH, "GET, POST", web::get().to(download)).route(web::post().to(upload));
        App::new()
            .app_data(callers.clone())
            .app_data(web::Data::new(folders.clone()))
            .app_data(QueryConfig::default().error_handler(|error, _| RequestError::from(error).into()))
            .app_data(MultipartFormConfig::default().total_limit(MAX_FILE_LEN))
            .app_data(TempFileConfig::default().directory(&folders.uploads))
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
    let path = folders.downloads.join(public_path(&parameters.filename)?);
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
    let path = folders.uploads.join(public_path(&filename)?);
    let persisted = web::block(move || content.file.persist(path)).await;
    persisted.map_err(|_| RequestError::Unavailable)?.map_err(|_| RequestError::Unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Returns a file name as a path if it is a relative path below `public`.
fn public_path(name: &str) -> Result<&Path, RequestError> {
    let path = Path::new(name);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain && path.starts_with("public") {
        Ok(path)
    } else {
        Err(ParameterError::new("filename", "query", "a name below public", &name).into())
    }
}
