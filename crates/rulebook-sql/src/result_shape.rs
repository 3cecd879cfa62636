//! How the rows of a result become the outputs of a method, and which columns they must have.

use rulebook::handler_kind::HandlerError;
use rulebook_model::model::{Method, Output};
use rulebook_model::suggest::closest_word;
use rulebook_model::types::{Check, Structure};

use crate::database::{Column, ColumnOutput, ColumnType};
use crate::statement::{Statement, locate};
use crate::target::Target;

/// The number of rows that a method returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// One row: its columns are the outputs.
    One,
    /// Any number of rows: one output is the array of them.
    Many,
    None,
}

/// What a row becomes.
#[derive(Debug)]
pub(crate) enum RowShape {
    Members(Vec<Member>),
    AnyMembers,
    /// The value of the only column.
    Value(Target),
}

/// A member of an object, which a column fills.
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    is_optional: bool,
    target: Target,
}

impl Member {
    fn column_output(&self) -> ColumnOutput {
        ColumnOutput { target: self.target, is_optional: self.is_optional }
    }
}

/// How rows become the outputs of a method.
#[derive(Debug)]
pub(crate) struct ResultShape {
    pub rows: Rows,
    /// The name of the output with the array of rows; `None` if the result is the outputs.
    pub output: Option<String>,
    pub row: RowShape,
    /// `true` if the row becomes a file.
    is_file: bool,
}

/// The columns of a row that becomes a file, and `true` if a column is optional.
const FILE_COLUMNS: [(&str, Target, bool); 3] =
    [("content", Target::Binary, false), ("name", Target::Text, true), ("type", Target::Text, true)];

impl ResultShape {
    pub(crate) fn new(method: &Method, rows: Option<Rows>, is_file: bool) -> Result<Self, HandlerError> {
        let shape = |rows, output, row| Ok(Self { rows, output, row, is_file });
        if is_file {
            let member =
                |(name, target, is_optional): (&str, _, _)| Member { name: name.to_owned(), is_optional, target };
            return match rows {
                None | Some(Rows::One) => {
                    shape(Rows::One, None, RowShape::Members(FILE_COLUMNS.into_iter().map(member).collect()))
                }
                Some(_) => Err(HandlerError::new("a file comes from one row").help("remove `rows`")),
            };
        }
        if method.options.download {
            return match rows {
                None | Some(Rows::Many) => shape(Rows::Many, None, RowShape::AnyMembers),
                Some(_) => Err(HandlerError::new("a download consists of many rows").help("remove `rows`")),
            };
        }
        let single = match &method.outputs[..] {
            [output] => item_of(output).map(|item| (output, item)),
            _ => None,
        };
        let default = match (&single, method.outputs.is_empty()) {
            (Some(_), _) => Rows::Many,
            (None, true) => Rows::None,
            (None, false) => Rows::One,
        };
        match rows.unwrap_or(default) {
            Rows::None if method.outputs.iter().all(|output| output.optional) => {
                shape(Rows::None, None, RowShape::AnyMembers)
            }
            Rows::None => {
                let error = HandlerError::new("without rows, the method cannot have outputs");
                Err(error.help("remove `out`, or use `\"rows\": \"one\"`"))
            }
            Rows::One => shape(Rows::One, None, one_row(method)),
            Rows::Many => match single {
                Some((output, item)) => {
                    let name = (!output.is_whole()).then(|| output.name.clone());
                    shape(Rows::Many, name, row_shape(&*item))
                }
                None => {
                    let error = HandlerError::new("many rows need exactly one output, which is an array");
                    Err(error.help("declare one output of the type `array<…>`, or use `\"rows\": \"one\"`"))
                }
            },
        }
    }

    /// Compares the columns of a statement with the outputs, and returns what each column becomes.
    ///
    /// # Errors
    /// Returns an error for each column that is not an output, each output without a column, and each column whose type
    /// an output never accepts.
    pub(crate) fn column_outputs(
        &self,
        columns: &[Column],
        statement: &Statement,
    ) -> Result<Vec<ColumnOutput>, Vec<HandlerError>> {
        let mut errors = Vec::new();
        let type_error = |column: &Column, target: Target| {
            let message = if self.is_file { file_type_error(column, target) } else { type_error(column, target) };
            message.map(|message| column_error(column, statement, message))
        };
        if let RowShape::Value(target) = self.row {
            let [column] = columns else {
                let message = format!("the output needs exactly one column, but the statement has {}", columns.len());
                return Err(vec![
                    HandlerError::new(message).at(statement.span()).help(format!("it has {}", list(columns))),
                ]);
            };
            errors.extend(type_error(column, target));
            return if errors.is_empty() { Ok(vec![ColumnOutput { target, is_optional: false }]) } else { Err(errors) };
        }
        errors.extend(duplicate_column(columns, statement));
        let mut outputs = Vec::new();
        for column in columns {
            let output = match &self.row {
                RowShape::Members(members) => match members.iter().find(|member| member.name == column.name) {
                    Some(member) => member.column_output(),
                    None => {
                        errors.push(self.unknown_column(column, members, statement));
                        continue;
                    }
                },
                RowShape::AnyMembers | RowShape::Value(_) => ColumnOutput { target: Target::Any, is_optional: true },
            };
            errors.extend(type_error(column, output.target));
            outputs.push(output);
        }
        if let RowShape::Members(members) = &self.row {
            let has_column = |member: &Member| columns.iter().any(|column| column.name == member.name);
            for member in members.iter().filter(|member| !member.is_optional && !has_column(member)) {
                let name = &member.name;
                let error = HandlerError::new(match self.is_file {
                    true => format!("the file has no column `{name}`"),
                    false => format!("the output `{name}` has no column"),
                });
                let help = format!("the statement has {}; name a column with `… as {name}`", list(columns));
                errors.push(error.at(statement.span()).help(help));
            }
        }
        if errors.is_empty() { Ok(outputs) } else { Err(errors) }
    }

    fn unknown_column(&self, column: &Column, members: &[Member], statement: &Statement) -> HandlerError {
        let name = &column.name;
        let (message, help) = match self.is_file {
            true => {
                (format!("a file has no column `{name}`"), "the columns of a file are `content`, `name` and `type`")
            }
            false => {
                let help = "declare the column in `out`, rename it with `as`, or omit it";
                (format!("the column `{name}` is not an output"), help)
            }
        };
        let closest = closest_word(name, members.iter().map(|member| member.name.as_str()));
        let closest = closest.map(|closest| format!("did you mean `{closest}`? ")).unwrap_or_default();
        column_error(column, statement, message).help(format!("{closest}{help}"))
    }

    /// Returns the names of the outputs and what their columns become, for a statement whose columns the database does
    /// not describe. The name is empty for the only column.
    pub(crate) fn late_columns(&self, statement: &Statement) -> Result<Vec<(Column, ColumnOutput)>, HandlerError> {
        let column = |name: &str, output| (Column { name: name.to_owned(), r#type: ColumnType::Unknown }, output);
        match &self.row {
            RowShape::Members(members) => {
                Ok(members.iter().map(|member| column(&member.name, member.column_output())).collect())
            }
            RowShape::Value(target) => Ok(vec![column("", ColumnOutput { target: *target, is_optional: false })]),
            RowShape::AnyMembers => {
                let error = HandlerError::new("the database does not describe the columns of `returning`");
                Err(error
                    .at(statement.span())
                    .help("list the fields of the output, or select the rows in another statement"))
            }
        }
    }
}

/// Returns the type of the items of an output that is an array.
fn item_of(output: &Output) -> Option<std::sync::Arc<dyn Check>> {
    let mut structure = output.r#type.check.structure();
    loop {
        structure = match structure {
            Structure::Array(item) => return Some(item),
            Structure::Nullable(inner) => inner.structure(),
            Structure::Schema(schema) => schema.check.structure(),
            _ => return None,
        }
    }
}

fn one_row(method: &Method) -> RowShape {
    if let Some(whole) = method.whole() {
        return row_shape(&*whole.r#type.check);
    }
    let members = method.outputs.iter().map(|output| Member {
        name: output.name.clone(),
        is_optional: output.optional,
        target: Target::of(&*output.r#type.check),
    });
    RowShape::Members(members.collect())
}

fn row_shape(check: &dyn Check) -> RowShape {
    match check.structure() {
        Structure::Object(shape) if !shape.fields.is_empty() => {
            let members = shape.fields.iter().map(|field| Member {
                name: field.name.clone(),
                is_optional: field.optional,
                target: Target::of(&*field.check),
            });
            RowShape::Members(members.collect())
        }
        Structure::Object(_) | Structure::Map(_) | Structure::TaggedUnion { .. } => RowShape::AnyMembers,
        Structure::Nullable(inner) => row_shape(&*inner),
        Structure::Schema(schema) => row_shape(&*schema.check),
        _ => RowShape::Value(Target::of(check)),
    }
}

fn column_error(column: &Column, statement: &Statement, message: String) -> HandlerError {
    let found = locate(&format!("'{}'", column.name), statement.text());
    let span = found.map_or(statement.span(), |range| statement.part(range));
    HandlerError::new(message).at(span)
}

/// Returns the error of the first column with the name of another one.
fn duplicate_column(columns: &[Column], statement: &Statement) -> Option<HandlerError> {
    let mut indexed = columns.iter().enumerate();
    let (_, column) =
        indexed.find(|(index, column)| columns[..*index].iter().any(|other| other.name == column.name))?;
    let error = column_error(column, statement, format!("two columns have the name `{}`", column.name));
    Some(error.help("give one of them another name with `as`"))
}

/// Describes the mismatch of a column and an output; `None` if they agree as far as their types are known.
fn type_error(column: &Column, target: Target) -> Option<String> {
    let agrees = match (&column.r#type, target) {
        (ColumnType::Unsupported(name), _) => {
            let cast = "convert it to a text in the statement";
            return Some(format!("the column `{}` has the type `{name}`, which is not supported; {cast}", column.name));
        }
        (ColumnType::Binary, _) => {
            let help =
                "only a download with `\"format\": \"file\"` can return it; convert it to a text in the statement";
            return Some(format!("the column `{}` is binary data; {help}", column.name));
        }
        (ColumnType::Unknown | ColumnType::Json, _) | (_, Target::Any) => true,
        (ColumnType::Integer { is_boolean }, target) => {
            matches!(target, Target::Integer | Target::Number) || (*is_boolean && target == Target::Bool)
        }
        (ColumnType::Float, target) => target == Target::Number,
        (ColumnType::Decimal, target) => matches!(target, Target::Integer | Target::Number | Target::Text),
        (ColumnType::Bool, target) => target == Target::Bool,
        (ColumnType::Text, target) => matches!(target, Target::Text | Target::Datetime | Target::Nested),
        (ColumnType::Time, target) => matches!(target, Target::Text | Target::Datetime),
        (ColumnType::Array, target) => target == Target::Nested,
    };
    let column_type = column.r#type.in_words();
    (!agrees).then(|| format!("the column `{}` is {column_type}, but the output is {}", column.name, target.in_words()))
}

/// Describes the mismatch of a column and a column of a file.
fn file_type_error(column: &Column, target: Target) -> Option<String> {
    let is_accepted = match column.r#type {
        ColumnType::Unknown | ColumnType::Text => true,
        ColumnType::Binary | ColumnType::Json => target == Target::Binary,
        _ => false,
    };
    let (name, found) = (&column.name, column.r#type.in_words());
    let accepted = if target == Target::Binary { "binary data or a text" } else { "a text" };
    (!is_accepted).then(|| format!("the column `{name}` is {found}, but the {name} of a file is {accepted}"))
}

fn list(columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|column| format!("`{}`", column.name)).collect();
    if names.is_empty() { "no columns".to_owned() } else { format!("the columns {}", names.join(", ")) }
}
