//! The columns of a row that becomes a file.

use rulebook::handler_kind::HandlerError;
use rulebook_model::suggest::closest_word;

use crate::database::{Column, ColumnType};
use crate::result_shape::{column_error, duplicate_column, list};
use crate::statement::Statement;
use crate::target::Target;

/// The columns of a file.
pub(crate) const FILE_COLUMNS: [(&str, Target); 3] =
    [("content", Target::Binary), ("name", Target::Text), ("type", Target::Text)];

/// Compares the columns of a statement with those of a file, and returns the kind of value that each column becomes.
///
/// # Errors
/// Returns an error for each column that a file does not have, and if there is no content.
pub(crate) fn file_targets(columns: &[Column], statement: &Statement) -> Result<Vec<Target>, Vec<HandlerError>> {
    let mut errors: Vec<_> = duplicate_column(columns, statement).into_iter().collect();
    let mut targets = Vec::new();
    for column in columns {
        let Some((name, target)) = FILE_COLUMNS.into_iter().find(|(name, _)| *name == column.name) else {
            let error = column_error(column, statement, format!("a file has no column `{}`", column.name));
            let known = "the columns of a file are `content`, `name` and `type`";
            let closest = closest_word(&column.name, FILE_COLUMNS.iter().map(|(name, _)| *name));
            let closest = closest.map(|closest| format!("did you mean `{closest}`? ")).unwrap_or_default();
            errors.push(error.help(format!("{closest}{known}")));
            continue;
        };
        let accepted = if target == Target::Binary { "binary data or a text" } else { "a text" };
        if !accepts(target, &column.r#type) {
            let found = column.r#type.in_words();
            let message = format!("the column `{name}` is {found}, but the {name} of a file is {accepted}");
            errors.push(column_error(column, statement, message));
        }
        targets.push(target);
    }
    if columns.iter().all(|column| column.name != "content") {
        let help = format!("the statement has {}; name a column with `… as content`", list(columns));
        errors.push(HandlerError::new("the file has no column `content`").at(statement.span()).help(help));
    }
    if errors.is_empty() { Ok(targets) } else { Err(errors) }
}

fn accepts(target: Target, r#type: &ColumnType) -> bool {
    match r#type {
        ColumnType::Unknown | ColumnType::Text => true,
        ColumnType::Binary | ColumnType::Json => target == Target::Binary,
        _ => false,
    }
}
