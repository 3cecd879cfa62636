//! The endpoints on rulebook: a definition, and handlers without checks.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rulebook::key::Keys;
use rulebook::{ApiError, Args, Context, Engine, Module, Rulebook, Settings};
use serde::{Deserialize, Serialize};

use crate::{definition, files};

/// Serves the endpoints with one worker until the process receives a signal.
///
/// Prints the time in milliseconds from reading the definition to a server that is ready to listen.
pub fn serve(bind: SocketAddr, services: usize, keys: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    definition::write(folder.path(), services, keys)?;

    let begun = Instant::now();
    let keys = Keys::load(&folder.path().join("data/keys.json"))?;
    let rulebook = Rulebook::load(folder.path().join("api")).authenticator(keys);
    let rulebook = modules(services).into_iter().fold(rulebook, Rulebook::module);
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    // Removed now, because the server may be killed without time to clean up.
    folder.close()?;
    listen(&engine, bind)
}

/// Serves the demo in the same way, with its database in this folder.
pub fn serve_articles(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let rulebook = article_site::add(Rulebook::load(concat!(env!("CARGO_MANIFEST_DIR"), "/api"))).data_folder(folder);
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen(&engine, bind)
}

/// Serves the files in this folder in the same way.
pub fn serve_files(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    definition::write_files(folder)?;
    let begun = Instant::now();
    let keys = Keys::load(&folder.join("data/keys.json"))?;
    let module = Module::new("iapi").get(files::PATH, rulebook_iapi::download).post(files::PATH, rulebook_iapi::upload);
    let rulebook = Rulebook::load(folder.join("api")).data_folder(folder.join("data")).keep_files();
    let engine = rulebook.authenticator(keys).module(module).build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen(&engine, bind)
}

fn listen(engine: &Engine, bind: SocketAddr) -> Result<(), Box<dyn Error>> {
    let settings = Settings::new().with_bind([bind.to_string()]).with_workers(1).with_signals(true);
    engine.serve(&settings)?.wait()?;
    Ok(())
}

fn modules(services: usize) -> Vec<Module> {
    let module = Module::new("bench");
    if services > 0 {
        return vec![(1..=services).fold(module, |module, n| module.get(&definition::path(n), line))];
    }
    let module = module
        .get("/ping", ping)
        .get("/private", ping)
        .get("/article/line/{article_id}/{no_line}", line)
        .get("/article/query", line)
        .get("/script/line/{article_id}/{no_line}", line)
        .post("/article", create)
        .post("/article/form", create);
    vec![module, Module::new("Lines").get("/lines/query", line)]
}

#[derive(Serialize)]
struct Pong {
    pong: bool,
}

async fn ping(_: Args<()>, _: Context) -> Result<Pong, ApiError> {
    Ok(Pong { pong: true })
}

#[derive(Deserialize)]
struct LineParameters {
    article_id: u32,
    no_line: u32,
    lang: String,
}

#[derive(Serialize)]
struct Line {
    article_id: u32,
    no_line: u32,
    lang: String,
    line: String,
}

async fn line(Args(parameters): Args<LineParameters>, _: Context) -> Result<Line, ApiError> {
    let LineParameters { article_id, no_line, lang } = parameters;
    Ok(Line { article_id, no_line, lang, line: format!("line {no_line} of article {article_id}") })
}

/// The parameters of `create`. Those that the response does not contain are read, too, as in the hand-written server.
#[derive(Deserialize)]
struct NewArticle {
    title: String,
    text: String,
    #[expect(dead_code, reason = "checked by the definition, not in the response")]
    lang: String,
    kind: Kind,
    #[expect(dead_code, reason = "checked by the definition, not in the response")]
    author: u32,
    category: u32,
    rating: f64,
    draft: bool,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    News,
    Essay,
    Note,
}

#[derive(Serialize)]
struct Created {
    title: String,
    kind: Kind,
    category: u32,
    rating: f64,
    draft: bool,
    length: usize,
    by: Arc<str>,
}

async fn create(Args(article): Args<NewArticle>, context: Context) -> Result<Created, ApiError> {
    let identity = context.identity().ok_or_else(|| ApiError::internal("the definition requires a scope"))?;
    Ok(Created {
        title: article.title,
        kind: article.kind,
        category: article.category,
        rating: article.rating,
        draft: article.draft,
        length: article.text.len(),
        by: identity.name().into(),
    })
}
