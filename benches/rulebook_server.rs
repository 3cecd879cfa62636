//! The rulebook server: the same endpoints with a definition, and with handlers that need no checks.

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rulebook::key::Keys;
use rulebook::{ApiError, Args, Context, Engine, Module, Rulebook, Settings};
use serde::{Deserialize, Serialize};

use crate::orders::Order;
use crate::{definition, files, orders};

/// Serves the endpoints, with one worker, until the process receives a signal.
///
/// Prints the time in milliseconds from the start of reading the definition until the server is ready to listen.
pub fn serve_endpoints(
    bind: SocketAddr,
    services: usize,
    keys: usize,
    verify_outputs: bool,
) -> Result<(), Box<dyn Error>> {
    let (engine, start_time) = build_endpoints(services, keys, verify_outputs)?;
    println!("{:.1}", start_time.as_secs_f64() * 1e3);
    listen_until_signal(&engine, bind)
}

/// Returns the engine that serves the endpoints, and the time from the start of reading the definition.
pub fn build_endpoints(
    services: usize,
    keys: usize,
    verify_outputs: bool,
) -> Result<(Engine, Duration), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    // Another process writes the definition. So the memory of this process contains only what a server needs.
    let [services_text, keys_text] = [services, keys].map(|number| number.to_string());
    let mut writer = Command::new(env::current_exe()?);
    writer.arg("definitions").arg(folder.path()).args(["--services", &services_text, "--keys", &keys_text]);
    if !writer.status()?.success() {
        return Err("cannot write the definition".into());
    }

    let begun = Instant::now();
    let keys = Keys::load(&folder.path().join("data/keys.json"))?;
    let rulebook = Rulebook::load(folder.path().join("api")).authenticator(keys).verify_outputs(verify_outputs);
    let rulebook = handler_modules(services).into_iter().fold(rulebook, Rulebook::module);
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    let start_time = begun.elapsed();
    // The folder is removed now, because the server process may be killed before it could remove the folder.
    folder.close()?;
    Ok((engine, start_time))
}

/// Serves the demo with its database in this folder, in the same way as [`serve_endpoints`].
pub fn serve_articles(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let rulebook = article_site::add(Rulebook::load(concat!(env!("CARGO_MANIFEST_DIR"), "/api"))).data_folder(folder);
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen_until_signal(&engine, bind)
}

/// Serves the files in this folder, in the same way as [`serve_endpoints`].
pub fn serve_files(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    definition::write_files_definition(folder)?;
    let begun = Instant::now();
    let keys = Keys::load(&folder.join("data/keys.json"))?;
    let module = Module::new("iapi")
        .get(files::ENDPOINT_PATH, rulebook_iapi::download)
        .post(files::ENDPOINT_PATH, rulebook_iapi::upload);
    let rulebook = Rulebook::load(folder.join("api")).data_folder(folder.join("data")).keep_files();
    let engine = rulebook.authenticator(keys).module(module).build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen_until_signal(&engine, bind)
}

/// Serves the definition in the subfolder `api`, whose handlers need no Rust, in the same way as [`serve_endpoints`].
pub fn serve_definition(bind: SocketAddr, folder: &Path) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let rulebook = Rulebook::load(folder.join("api")).data_folder(folder.join("data"));
    let engine = rulebook_cli::with_handler_kinds(rulebook).build().map_err(|report| report.to_string())?;
    println!("{:.1}", begun.elapsed().as_secs_f64() * 1e3);
    listen_until_signal(&engine, bind)
}

/// Serves with one worker until the process receives a signal.
pub fn listen_until_signal(engine: &Engine, bind: SocketAddr) -> Result<(), Box<dyn Error>> {
    let settings = Settings::new().with_bind([bind.to_string()]).with_workers(1).with_signals(true);
    engine.serve(&settings)?.wait()?;
    Ok(())
}

fn handler_modules(services: usize) -> Vec<Module> {
    let module = Module::new("bench");
    if services > 0 {
        return vec![(1..=services).fold(module, |module, n| module.get(&definition::service_path(n), read_line))];
    }
    let module = module
        .get("/ping", ping)
        .get("/private", ping)
        .get("/article/line/{article_id}/{no_line}", read_line)
        .get("/article/query", read_line)
        .get("/script/line/{article_id}/{no_line}", read_line)
        .post("/article", create_article)
        .post("/article/form", create_article)
        .post(orders::PATH, count_orders);
    vec![module, Module::new("Lines").get("/lines/query", read_line)]
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
struct LineOutputs {
    article_id: u32,
    no_line: u32,
    lang: String,
    line: String,
}

async fn read_line(Args(parameters): Args<LineParameters>, _: Context) -> Result<LineOutputs, ApiError> {
    let LineParameters { article_id, no_line, lang } = parameters;
    Ok(LineOutputs { article_id, no_line, lang, line: format!("line {no_line} of article {article_id}") })
}

/// The parameters of `create_article`. Parameters that are not in the response are deserialized too, because the
/// hand-written server also deserializes them.
#[derive(Deserialize)]
struct NewArticle {
    title: String,
    text: String,
    #[expect(dead_code, reason = "checked by the definition, not in the response")]
    lang: String,
    kind: ArticleKind,
    #[expect(dead_code, reason = "checked by the definition, not in the response")]
    author: u32,
    category: u32,
    rating: f64,
    draft: bool,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum ArticleKind {
    News,
    Essay,
    Note,
}

#[derive(Serialize)]
struct CreateOutputs {
    title: String,
    kind: ArticleKind,
    category: u32,
    rating: f64,
    draft: bool,
    length: usize,
    by: Arc<str>,
}

async fn create_article(Args(article): Args<NewArticle>, context: Context) -> Result<CreateOutputs, ApiError> {
    let identity = context.identity().ok_or_else(|| ApiError::internal("the definition requires a scope"))?;
    Ok(CreateOutputs {
        title: article.title,
        kind: article.kind,
        category: article.category,
        rating: article.rating,
        draft: article.draft,
        length: article.text.len(),
        by: identity.name().into(),
    })
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<Order>,
}

#[derive(Serialize)]
struct Counted {
    orders: usize,
    active: usize,
}

async fn count_orders(Args(Orders { orders }): Args<Orders>, _: Context) -> Result<Counted, ApiError> {
    let active = orders.iter().map(|order| order.parts.active()).sum();
    Ok(Counted { orders: orders.len(), active })
}
