//! The endpoints `POST /article` and `POST /article/form`. They check eight fields, and require the permission
//! `author`.

use std::sync::Arc;

use actix_web::web;
use serde::{Deserialize, Serialize};

use super::SUCCESS_MEMBERS;
use super::caller::Author;
use super::error::{ParameterError, RequestError};
use super::line::MAX_ID;

#[derive(Deserialize)]
pub struct NewArticle {
    title: String,
    text: String,
    lang: String,
    kind: ArticleKind,
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

impl NewArticle {
    fn check_fields(&self) -> Result<(), ParameterError> {
        if !(1..=120).contains(&self.title.chars().count()) {
            return Err(ParameterError::new("title", "body", "1 to 120 characters", &self.title));
        }
        if !(1..=10_000).contains(&self.text.chars().count()) {
            return Err(ParameterError::new("text", "body", "1 to 10000 characters", &self.text));
        }
        if !(2..=5).contains(&self.lang.chars().count()) {
            return Err(ParameterError::new("lang", "body", "2 to 5 characters", &self.lang));
        }
        if self.author > MAX_ID {
            return Err(ParameterError::new("author", "body", "0 to 2147483647", &self.author));
        }
        if !(1..=1_000).contains(&self.category) {
            return Err(ParameterError::new("category", "body", "1 to 1000", &self.category));
        }
        if !(0.0..=5.0).contains(&self.rating) {
            return Err(ParameterError::new("rating", "body", "0 to 5", &self.rating));
        }
        Ok(())
    }
}

#[derive(Serialize)]
pub struct CreatedArticle {
    error: u32,
    #[serde(rename = "ErrorDescription")]
    description: &'static str,
    title: String,
    kind: ArticleKind,
    category: u32,
    rating: f64,
    draft: bool,
    length: usize,
    by: Arc<str>,
}

pub async fn create_from_json(
    author: Author,
    article: web::Json<NewArticle>,
) -> Result<web::Json<CreatedArticle>, RequestError> {
    create_article(author, article.into_inner())
}

pub async fn create_from_form(
    author: Author,
    article: web::Form<NewArticle>,
) -> Result<web::Json<CreatedArticle>, RequestError> {
    create_article(author, article.into_inner())
}

fn create_article(author: Author, article: NewArticle) -> Result<web::Json<CreatedArticle>, RequestError> {
    article.check_fields()?;
    let (error, description) = SUCCESS_MEMBERS;
    Ok(web::Json(CreatedArticle {
        error,
        description,
        title: article.title,
        kind: article.kind,
        category: article.category,
        rating: article.rating,
        draft: article.draft,
        length: article.text.len(),
        by: author.0,
    }))
}
