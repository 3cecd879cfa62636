//! The endpoints as rulebook serves them: a definition, and handlers that need not check anything.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rulebook::{Args, Context, Engine, Keys, Module, Refusal, Rulebook, Settings, iapi};
use serde::{Deserialize, Serialize};

use crate::{definition, demo, files};

/// Serves them with one worker until the process is told to stop.
///
/// Prints the milliseconds from the definition's text to a server that is ready to listen.
pub fn serve(bind: SocketAddr, services: usize, keys: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    definition::write(folder.path(), services, keys)?;

    let begun = Instant::now();
    let keys = Keys::load(&folder.path().join("data/keys.json"))?;
    let rulebook = Rulebook::load(folder.path().join("api")).inspect(keys);
    let rulebook = modules(services).into_iter().fold(rulebook, Rulebook::module);
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    // All of it is read by now, and whoever stops a server may leave it no time to clean up.
    folder.close()?;
    listen(&engine, bind)
}

/// Serves the demo as [`serve`] does, with its database in this folder.
pub fn serve_articles(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let rulebook = demo::add(Rulebook::load(concat!(env!("CARGO_MANIFEST_DIR"), "/api"))).data(folder);
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen(&engine, bind)
}

/// Serves the files in this folder as [`serve`] does.
pub fn serve_files(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    definition::write_files(folder)?;
    let begun = Instant::now();
    let keys = Keys::load(&folder.join("data/keys.json"))?;
    let module = Module::new("iapi").get(files::PATH, iapi::download).post(files::PATH, iapi::upload);
    let rulebook = Rulebook::load(folder.join("api")).data(folder.join("data")).keep_files();
    let engine = rulebook.inspect(keys).module(module).build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen(&engine, bind)
}

fn listen(engine: &Engine, bind: SocketAddr) -> Result<(), Box<dyn Error>> {
    let settings = Settings { bind: vec![bind.to_string()], workers: Some(1), signals: true, ..Settings::default() };
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

async fn ping(_: Args<()>, _: Context) -> Result<Pong, Refusal> {
    Ok(Pong { pong: true })
}

#[derive(Deserialize)]
struct Wanted {
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

async fn line(Args(wanted): Args<Wanted>, _: Context) -> Result<Line, Refusal> {
    let Wanted { article_id, no_line, lang } = wanted;
    Ok(Line { article_id, no_line, lang, line: format!("line {no_line} of article {article_id}") })
}

/// What the answer does not need (`lang`, `author`) is read all the same, as it is by hand.
#[derive(Deserialize)]
struct NewArticle {
    title: String,
    text: String,
    #[expect(dead_code, reason = "checked by the definition, not answered")]
    lang: String,
    kind: Kind,
    #[expect(dead_code, reason = "checked by the definition, not answered")]
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

async fn create(Args(article): Args<NewArticle>, context: Context) -> Result<Created, Refusal> {
    let identity = context.identity().ok_or_else(|| Refusal::internal("the definition asks for a scope"))?;
    Ok(Created {
        title: article.title,
        kind: article.kind,
        category: article.category,
        rating: article.rating,
        draft: article.draft,
        length: article.text.len(),
        by: Arc::clone(&identity.name),
    })
}
