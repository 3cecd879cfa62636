//! Serves two API modules in the actix `App` of a program, beside a route and a middleware of the program:
//!
//!   cargo run -p rulebook --example own_app
//!   curl -i http://127.0.0.1:8080/hello
//!   curl -i http://127.0.0.1:8080/article/7

use std::io;

use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpServer, rt, web};
use rulebook::{Rulebook, Settings, Unbound};

const ARTICLE: &str = r#"{ "/": { "article/{id}": { "GET": {
    "info": "An article",
    "in": { "{id}": { "info": "The id of the article", "type": "id", "name": "id" } }
} } } }"#;
const USER: &str = r#"{ "/": { "user": { "GET": { "info": "The user" } } } }"#;

fn main() -> io::Result<()> {
    let files = vec![("article.json".into(), ARTICLE.into()), ("user.json".into(), USER.into())];
    // Each method returns its arguments. A program with handlers adds them with `Rulebook::module` instead.
    let rulebook = Rulebook::read(files).unbound(Unbound::Echo);
    let engine = rulebook.build().map_err(|report| io::Error::other(report.to_string()))?;
    let api = engine.services(&Settings::default())?;
    let (article, user) = (api.module("article")?, api.module("user")?);
    rt::System::new().block_on(async move {
        HttpServer::new(move || {
            App::new()
                .wrap(DefaultHeaders::new().add(("X-Version", "1")))
                .route("/hello", web::get().to(|| async { "hello" }))
                .service(article.clone())
                .service(user.clone())
                .service(api.documents())
        })
        .bind("127.0.0.1:8080")?
        .run()
        .await
    })
}
