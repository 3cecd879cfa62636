//! The module `article`: articles, their lines and pictures.

mod change;
mod input;
mod line;
mod list;
mod picture;
mod read;

use rulebook::{Identity, Module};

pub(super) use input::ArticleInput;

/// Returns the handlers of the methods that `api/article.json` defines.
pub(super) fn module() -> Module {
    Module::new("article")
        .get("/article", list::list)
        .post("/article", change::create)
        .get("/article/line", line::line)
        .get("/article/{id}", read::read)
        .put("/article/{id}", change::replace)
        .delete("/article/{id}", change::remove)
        .get("/article/{id}/picture", picture::read)
        .post("/article/{id}/picture", picture::replace)
}

/// The parameters of a method for one article.
#[derive(serde::Deserialize)]
struct ArticleId {
    article_id: i64,
}

/// Returns the login whose articles the caller may change; `None` if the caller may change all articles.
fn changeable_by(identity: Option<&Identity>) -> Option<String> {
    match identity {
        Some(editor) if editor.has_permission("editor") => None,
        Some(author) => Some(author.name().to_owned()),
        // No article belongs to an empty login.
        None => Some(String::new()),
    }
}
