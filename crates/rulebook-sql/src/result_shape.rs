//! How the rows of a result become the outputs of a method, and which columns they must have.

use std::sync::Arc;

use rulebook::handler_kind::HandlerError;
use rulebook_model::model::{Method, Output};
use rulebook_model::suggest::closest_word;
use rulebook_model::types::{Check, Structure};
use serde_json::{Map, Value as Json};

use crate::call::{DownloadContent, Format};
use crate::column::{ColumnOutput, file_type_error, type_error};
use crate::database::{Column, ColumnType};
use crate::statement::{Statement, locate};
use crate::value::Target;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    /// One row: its columns are the outputs.
    One,
    /// Any number of rows: one output is the array of them.
    Many,
    None,
}

#[derive(Debug)]
pub(crate) enum RowShape {
    Members(Vec<Member>),
    /// Any columns, which all become this.
    AnyMembers(Target),
    /// The value of the only column.
    Value(ColumnOutput),
}

/// A member of an object, which a column fills.
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    is_optional: bool,
    output: ColumnOutput,
}

/// How rows become the outputs of a method.
#[derive(Debug)]
pub(crate) struct ResultShape {
    pub rows: Rows,
    /// The name of the output with the array of rows; `None` if the result is the outputs.
    pub output: Option<String>,
    pub row: RowShape,
    /// The columns of outputs beside the whole body, which is the rest of the row.
    beside_body: Vec<String>,
    is_file: bool,
    /// `true` if no row is null, for the only output of a statement.
    pub is_optional: bool,
}

/// The columns of a row that becomes a file, and `true` if a column is optional.
const FILE_COLUMNS: [(&str, Target, bool); 3] =
    [("content", Target::Binary, false), ("name", Target::Text, true), ("type", Target::Text, true)];

impl Member {
    fn new(name: &str, check: &Arc<dyn Check>, is_optional: bool) -> Self {
        Self { name: name.to_owned(), is_optional, output: ColumnOutput::of(check, is_optional) }
    }

    fn of_output(output: &Output) -> Self {
        Self::new(&output.name, &output.r#type.check, output.optional)
    }
}

impl ResultShape {
    pub(crate) fn new(
        method: &Method,
        rows: Option<Rows>,
        download: Option<DownloadContent>,
    ) -> Result<Self, HandlerError> {
        let is_file = download == Some(DownloadContent::File);
        let shape = |rows, output, row| {
            let beside_body = Vec::new();
            Ok(Self { rows, output, row, beside_body, is_file, is_optional: false })
        };
        if is_file {
            let member = |(name, target, is_optional): (&str, Target, _)| Member {
                name: name.to_owned(),
                is_optional,
                output: target.into(),
            };
            return match rows {
                None | Some(Rows::One) => {
                    shape(Rows::One, None, RowShape::Members(FILE_COLUMNS.into_iter().map(member).collect()))
                }
                Some(_) => Err(HandlerError::new("a file comes from one row").help("remove `rows`")),
            };
        }
        if method.options.download {
            let is_csv = download == Some(DownloadContent::Rows(Format::Csv));
            let target = if is_csv { Target::Csv } else { Target::Any };
            return match rows {
                None | Some(Rows::Many) => shape(Rows::Many, None, RowShape::AnyMembers(target)),
                Some(_) => Err(HandlerError::new("a download consists of many rows").help("remove `rows`")),
            };
        }
        let outputs: Vec<_> = method.returned_outputs().collect();
        let single = match outputs[..] {
            [output] => item_of(output).map(|item| (output, item)),
            _ => None,
        };
        let default = match (&single, outputs.is_empty()) {
            (Some(_), _) => Rows::Many,
            (None, true) => Rows::None,
            (None, false) => Rows::One,
        };
        match rows.unwrap_or(default) {
            Rows::None if outputs.iter().all(|output| output.optional) => {
                shape(Rows::None, None, RowShape::AnyMembers(Target::Any))
            }
            Rows::None => {
                let error = HandlerError::new("without rows, the method cannot have outputs");
                Err(error.help("remove `out`, or use `\"rows\": \"one\"`"))
            }
            Rows::One => {
                let (row, beside_body) = one_row(method)?;
                Ok(Self { beside_body, ..shape(Rows::One, None, row)? })
            }
            Rows::Many => match single {
                Some((output, item)) => {
                    let name = (!output.is_whole()).then(|| output.name.clone());
                    shape(Rows::Many, name, row_shape(&item, false))
                }
                None => {
                    let error = HandlerError::new("many rows need exactly one output, which is an array");
                    Err(error.help("declare one output of the type `array<…>`, or use `\"rows\": \"one\"`"))
                }
            },
        }
    }

    /// Returns how the rows of a statement become one output: an array has all rows, an object is one row, and another
    /// output is the value of its only column.
    pub(crate) fn of_output(output: &Output) -> Self {
        let (rows, row) = match item_of(output) {
            Some(item) => (Rows::Many, row_shape(&item, false)),
            None => (Rows::One, row_shape(&output.r#type.check, output.optional)),
        };
        let name = (!output.is_whole()).then(|| output.name.clone());
        Self { rows, output: name, row, beside_body: Vec::new(), is_file: false, is_optional: output.optional }
    }

    pub(crate) fn nothing() -> Self {
        let row = RowShape::AnyMembers(Target::Any);
        Self { rows: Rows::None, output: None, row, beside_body: Vec::new(), is_file: false, is_optional: false }
    }

    /// Returns `true` if a column can be null in a row without an error.
    pub(crate) fn accepts_null(&self, name: &str) -> bool {
        match &self.row {
            RowShape::Members(members) => {
                members.iter().any(|member| member.name == name && member.output.accepts_null)
            }
            RowShape::Value(output) => output.accepts_null,
            RowShape::AnyMembers(_) => true,
        }
    }

    /// Returns `true` unless the definition does not contain this column of a row.
    pub(crate) fn has_column(&self, name: &str) -> bool {
        match &self.row {
            RowShape::Members(members) => members.iter().any(|member| member.name == name),
            RowShape::AnyMembers(_) | RowShape::Value(_) => true,
        }
    }

    /// Returns the names of the columns without which, or with null in which, a row is an error.
    pub(crate) fn required_columns(&self) -> impl Iterator<Item = &str> {
        let members = match &self.row {
            RowShape::Members(members) if self.rows != Rows::None => &members[..],
            _ => &[],
        };
        members.iter().filter(|member| !member.output.accepts_null).map(|member| member.name.as_str())
    }

    /// Returns the outputs in a row. The columns beside the whole body are outputs of their own.
    pub(crate) fn outputs_of_row(&self, mut row: Json) -> Json {
        if self.beside_body.is_empty() {
            return row;
        }
        let mut members = row.as_object_mut();
        let take = |name: &String| Some((name.clone(), members.as_deref_mut()?.shift_remove(name)?));
        let mut outputs: Map<_, _> = self.beside_body.iter().filter_map(take).collect();
        outputs.insert(Output::WHOLE.to_owned(), row);
        Json::Object(outputs)
    }

    /// Compares the columns with the outputs, and returns what each becomes. Fails for a column that is not an output,
    /// an output without a column, and a column whose type its output never accepts.
    pub(crate) fn column_outputs(
        &self,
        columns: &[Column],
        statement: &Statement,
    ) -> Result<Vec<ColumnOutput>, Vec<HandlerError>> {
        let mut errors = Vec::new();
        let type_error = |column: &Column, output: &ColumnOutput| {
            let error = if self.is_file { file_type_error(column, output.target) } else { type_error(column, output) };
            error.map(|(message, help)| {
                let error = column_error(column, statement, message);
                if help.is_empty() { error } else { error.help(help) }
            })
        };
        if let RowShape::Value(output) = &self.row {
            let [column] = columns else {
                let message = format!("the output needs exactly one column, but the statement has {}", columns.len());
                return Err(vec![
                    HandlerError::new(message).at(statement.span()).help(format!("it has {}", list(columns))),
                ]);
            };
            errors.extend(type_error(column, output));
            return if errors.is_empty() { Ok(vec![output.for_column(false)]) } else { Err(errors) };
        }
        errors.extend(duplicate_column(columns, statement));
        let mut outputs = Vec::new();
        for column in columns {
            let output = match &self.row {
                RowShape::Members(members) => match members.iter().find(|member| member.name == column.name) {
                    // The column exists now: if it is gone later, null would hide that.
                    Some(member) => member.output.for_column(false),
                    None => {
                        errors.push(self.unknown_column(column, members, statement));
                        continue;
                    }
                },
                RowShape::AnyMembers(target) => (*target).into(),
                RowShape::Value(output) => output.clone(),
            };
            errors.extend(type_error(column, &output));
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

    /// The outputs of a statement whose columns the database does not describe. The only column has an empty name.
    pub(crate) fn late_columns(&self, statement: &Statement) -> Result<Vec<(Column, ColumnOutput)>, HandlerError> {
        let column = |name: &str, output: &ColumnOutput, may_be_missing| {
            let column = Column::new(name, ColumnType::Unknown);
            (column, output.for_column(may_be_missing))
        };
        match &self.row {
            RowShape::Members(members) => {
                Ok(members.iter().map(|member| column(&member.name, &member.output, member.is_optional)).collect())
            }
            RowShape::Value(output) => Ok(vec![column("", output, false)]),
            RowShape::AnyMembers(_) => {
                let error = HandlerError::new("the database does not describe the columns of `returning`");
                Err(error
                    .at(statement.span())
                    .help("list the fields of the output, or select the rows in another statement"))
            }
        }
    }
}

pub(crate) fn item_of(output: &Output) -> Option<Arc<dyn Check>> {
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

/// Returns what the row of a method becomes, and the columns of outputs beside the whole body.
fn one_row(method: &Method) -> Result<(RowShape, Vec<String>), HandlerError> {
    let Some(whole) = method.whole() else {
        return Ok((RowShape::Members(method.returned_outputs().map(Member::of_output).collect()), Vec::new()));
    };
    let beside: Vec<_> = method.returned_outputs().filter(|output| !output.is_whole()).collect();
    let names = beside.iter().map(|output| output.name.clone()).collect();
    match row_shape(&whole.r#type.check, whole.optional) {
        RowShape::Members(mut members) => {
            let is_beside = |field: &Member| beside.iter().any(|output| output.name == field.name);
            if let Some(field) = members.iter().find(|field| is_beside(field)) {
                let message =
                    format!("the column `{0}` would be the output `{0}` and a field of the output `*`", field.name);
                return Err(HandlerError::new(message).help("rename the output or the field"));
            }
            members.extend(beside.into_iter().map(Member::of_output));
            Ok((RowShape::Members(members), names))
        }
        RowShape::Value(_) if !beside.is_empty() => {
            let error = HandlerError::new("beside other outputs, the output `*` of a row is an object");
            Err(error.help("give the output `*` the type `object` with `fields`, or a name"))
        }
        shape => Ok((shape, names)),
    }
}

fn row_shape(check: &Arc<dyn Check>, is_optional: bool) -> RowShape {
    match check.structure() {
        Structure::Object(shape) if !shape.fields.is_empty() => {
            let fields = shape.fields.iter();
            RowShape::Members(fields.map(|field| Member::new(&field.name, &field.check, field.optional)).collect())
        }
        Structure::Object(_) | Structure::Map(_) | Structure::TaggedUnion { .. } => RowShape::AnyMembers(Target::Any),
        Structure::Nullable(inner) => row_shape(&inner, true),
        Structure::Schema(schema) => row_shape(&schema.check, is_optional),
        _ => RowShape::Value(ColumnOutput::of(check, is_optional)),
    }
}

fn column_error(column: &Column, statement: &Statement, message: String) -> HandlerError {
    let found = locate(&format!("'{}'", column.name), statement.text());
    let span = found.map_or(statement.span(), |range| statement.part(range));
    HandlerError::new(message).at(span)
}

fn duplicate_column(columns: &[Column], statement: &Statement) -> Option<HandlerError> {
    let mut indexed = columns.iter().enumerate();
    let (_, column) =
        indexed.find(|(index, column)| columns[..*index].iter().any(|other| other.name == column.name))?;
    let error = column_error(column, statement, format!("two columns have the name `{}`", column.name));
    Some(error.help("give one of them another name with `as`"))
}

fn list(columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|column| format!("`{}`", column.name)).collect();
    if names.is_empty() { "no columns".to_owned() } else { format!("the columns {}", names.join(", ")) }
}
