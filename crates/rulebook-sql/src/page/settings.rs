//! The setting `page`: `{"by": "created desc, id desc", "size": "limit"}`.

use std::sync::OnceLock;

use rulebook::handler_kind::settings::{object, text, unknown_setting, whole_number, wrong_value};
use rulebook::handler_kind::{HandledMethod, HandlerError, JsonData, JsonNode};
use rulebook::types::Value;
use rulebook_model::model::{Output, Parameter};
use rulebook_model::span::{Span, Spanned};

use super::{Key, Page, Size};
use crate::database::Dialect;
use crate::names::Names;
use crate::statement::StatementText;
use crate::target::Target;

pub(crate) const PAGE: &str = "page";

/// The names of the values that the statement of a page binds besides those of the definition.
pub(crate) const LIMIT: &str = "_page_limit";

pub(crate) fn key_name(index: usize) -> String {
    format!("_page_key_{index}")
}

const KEYS: [&str; 5] = ["by", "size", "cursor", "next", "total"];

/// The settings before the statements are read.
pub(crate) struct PageSettings {
    pub by: StatementText,
    pub span: Span,
    pub next: String,
    /// The output for the number of rows of all pages.
    pub total: Option<Spanned<String>>,
    parameter: Parameter,
    cursor: usize,
    size: Size,
    limit: usize,
}

impl PageSettings {
    /// Reads the setting. `max_rows` is the limit of the rows of a call.
    pub(crate) fn read(
        method: &HandledMethod<'_>,
        names: &mut Names<'_, '_>,
        max_rows: u64,
    ) -> Result<Option<Self>, HandlerError> {
        let Some(node) = method.optional_setting(PAGE) else { return Ok(None) };
        if let Some(member) = object(node, PAGE)?.iter().find(|member| !KEYS.contains(&member.key.value.as_str())) {
            return Err(unknown_setting(&member.key, "`page`", &KEYS));
        }
        let by = node.member("by").ok_or_else(|| {
            let error = HandlerError::new("`page` has no `by`: the columns that order the rows").at(node.span);
            error.help("add for example \"by\": \"created desc, id desc\"")
        })?;
        let JsonData::String(_) = by.data else { return Err(wrong_value(by, "by", "a string, as after `order by`")) };
        let parameter = parameter(method, node, "cursor")?;
        if !parameter.optional
            || parameter.default.is_some()
            || Target::of_argument(&*parameter.r#type.check) != Target::Text
        {
            let message = format!("`{}` is the cursor of a page, so that it must be an optional text", parameter.name);
            return Err(HandlerError::new(message).at(parameter.span).help("write the type as `?string`"));
        }
        let next = output(method, node)?;
        let total = node.member("total").map(|node| text(node, "total")).transpose()?;
        let cursor = names.index_of(&parameter.name).map_err(|error| error.at(node.span))?;
        let size = size(method, node, names, max_rows)?;
        let limit = names.computed(LIMIT, Target::Integer);
        Ok(Some(Self {
            by: by.into(),
            span: node.span,
            next,
            total,
            parameter: parameter.clone(),
            cursor,
            size,
            limit,
        }))
    }

    /// Returns the keys in the text of an order.
    pub(crate) fn keys(&self, by: &StatementText) -> Result<Vec<Key>, HandlerError> {
        let mut keys: Vec<Key> = Vec::new();
        let mut start = 0;
        for part in by.as_str().split(',') {
            let span = by.part(start..start + part.len());
            start += part.len() + 1;
            let mut words = part.split_whitespace();
            let Some(column) = words.next() else { continue };
            let direction = words.next().map(str::to_lowercase);
            let is_name = column.chars().all(|char| char.is_alphanumeric() || char == '_');
            if !is_name || !matches!(direction.as_deref(), None | Some("asc" | "desc")) || words.next().is_some() {
                let error = HandlerError::new(format!("`{}` is not a column that orders pages", part.trim())).at(span);
                return Err(error.help("write the name of a column of the statement, and `desc` after it or nothing"));
            }
            let is_descending = direction.as_deref() == Some("desc");
            keys.push(Key { column: column.to_owned(), is_descending, accepts_null: false });
        }
        if keys.is_empty() {
            let error = HandlerError::new("the rows of pages have no order").at(self.span);
            return Err(
                error.help("name columns that together are different in all rows, such as `created desc, id desc`")
            );
        }
        Ok(keys)
    }

    /// Returns the page of a method. `orders` are the keys for each combination of the fragments of its statement.
    pub(crate) fn into_page(self, method: &HandledMethod<'_>, orders: Vec<Vec<Key>>, keys: Vec<usize>) -> Page {
        let Self { parameter, cursor, size, limit, next, span, .. } = self;
        let (method, secret) = (method.method.id.clone(), OnceLock::new());
        Page { cursor, parameter, size, limit, keys, next, orders, method, span, secret }
    }

    /// Returns the order with the fragments that a combination has chosen.
    pub(crate) fn by_with<'f>(
        &self,
        dialect: Dialect,
        fragment: impl Fn(&str) -> Option<Option<&'f std::sync::Arc<JsonNode>>>,
    ) -> StatementText {
        self.by.with_fragments(dialect, fragment)
    }
}

/// Returns the parameter that a member names; without the member, the parameter with its name.
fn parameter<'m>(method: &HandledMethod<'m>, node: &JsonNode, key: &str) -> Result<&'m Parameter, HandlerError> {
    let name = match node.member(key) {
        Some(value) => text(value, key)?,
        None => Spanned::new(key.to_owned(), node.span),
    };
    let parameters = &method.method.parameters;
    parameters.iter().find(|parameter| parameter.name == name.value).ok_or_else(|| {
        let known: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let error = HandlerError::new(format!("the method has no parameter `{}`", name.value.escape_debug()));
        error.at(name.span).suggest(&name.value, "parameters", &known)
    })
}

/// Returns the name of the output for the cursor of the next page.
fn output(method: &HandledMethod<'_>, node: &JsonNode) -> Result<String, HandlerError> {
    let name = match node.member("next") {
        Some(value) => text(value, "next")?,
        None => Spanned::new("next".to_owned(), node.span),
    };
    let is_cursor = |output: &&Output| {
        output.name == name.value && output.optional && Target::of(&*output.r#type.check) == Target::Text
    };
    match method.method.returned_outputs().find(is_cursor) {
        Some(_) => Ok(name.value),
        None => {
            let message = format!("the method has no output `{}` of the type `?string`", name.value.escape_debug());
            let help = "declare it: it is the `cursor` of the next page, and null on the last one";
            Err(HandlerError::new(message).at(name.span).help(help))
        }
    }
}

fn size(
    method: &HandledMethod<'_>,
    node: &JsonNode,
    names: &mut Names<'_, '_>,
    max_rows: u64,
) -> Result<Size, HandlerError> {
    let Some(value) = node.member("size") else {
        let error = HandlerError::new("`page` has no `size`: the number of rows, or the parameter with it");
        return Err(error.at(node.span).help("add for example \"size\": 20"));
    };
    if let JsonData::Number(_) = value.data {
        return whole_number(value, "size", 1..=max_rows).map(Size::Rows);
    }
    let parameter = parameter(method, node, "size")?;
    let accepts = |rows: u64| parameter.r#type.check.checked(Value::from(&serde_json::json!(rows))).is_ok();
    let is_missing = parameter.optional && parameter.default.is_none();
    if Target::of_argument(&*parameter.r#type.check) != Target::Integer
        || is_missing
        || accepts(0)
        || accepts(max_rows + 1)
    {
        let message = format!("`{}` is not always a number of rows from 1 to {max_rows}", parameter.name);
        let help = "give it a type such as `int(1,100)`, and a `default` if clients may omit it";
        return Err(HandlerError::new(message).at(value.span).help(help));
    }
    names.index_of(&parameter.name).map(Size::Value).map_err(|error| error.at(value.span))
}
