//! The module `article`: the articles, their lines and pictures.

mod change;
mod line;
mod list;
mod picture;
mod read;
mod texts;

use rulebook::{Identity, Module};

pub(super) use texts::Texts;

/// Its handlers, as `api/article.json` defines their methods.
pub(super) fn module() -> Module {
    Module::new("article")
        .get("/article", list::list)
        .post("/article", change::create)
        .get("/article/line", line::line)
        .get("/article/{id}", read::read)
        .put("/article/{id}", change::replace)
        .delete("/article/{id}", change::remove)
        .get("/article/{id}/picture", picture::picture)
        .post("/article/{id}/picture", picture::illustrate)
}

/// Which article.
#[derive(serde::Deserialize)]
struct Which {
    article_id: i64,
}

/// The login whose articles a caller may change; none where it may change all.
fn only_of(identity: Option<&Identity>) -> Option<String> {
    match identity {
        Some(editor) if editor.holds("editor") => None,
        Some(author) => Some(author.name.to_string()),
        // Nobody has no articles.
        None => Some(String::new()),
    }
}
