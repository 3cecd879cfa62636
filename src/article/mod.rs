//! The handlers of the API module `article`: articles, their lines and their pictures.

mod change;
mod input;
mod line;
mod list;
mod picture;
mod read;

use rulebook::{Identity, Module};

use crate::api::article::Handlers;

/// Returns the handlers of the methods that `api/article.json` defines.
pub(super) fn module() -> Module {
    let handlers = Handlers {
        list: list::list_articles,
        create: change::create_article,
        line_get: line::read_lines,
        read: read::read_article,
        replace: change::replace_article,
        remove: change::delete_article,
        picture: picture::read_picture,
        illustrate: picture::replace_picture,
    };
    handlers.into_module()
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
