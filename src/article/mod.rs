//! The handlers of the API module `article`: articles, their lines and their pictures.

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
        .get("/article", list::list_articles)
        .post("/article", change::create_article)
        .get("/article/line", line::read_lines)
        .get("/article/{id}", read::read_article)
        .put("/article/{id}", change::replace_article)
        .delete("/article/{id}", change::delete_article)
        .get("/article/{id}/picture", picture::read_picture)
        .post("/article/{id}/picture", picture::replace_picture)
}

/// The parameters of a method for one article.
#[derive(serde::Deserialize)]
struct ArticleId {
    article_id: i64,
}

/// Returns the login of the author whose articles the caller may change; `None` if the caller may change all articles.
fn required_author(identity: Option<&Identity>) -> Option<String> {
    match identity {
        Some(editor) if editor.has_permission("editor") => None,
        Some(author) => Some(author.name().to_owned()),
        // No article has an author with an empty login.
        None => Some(String::new()),
    }
}
