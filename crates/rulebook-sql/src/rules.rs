//! The columns of the tables of a database, and what the tables demand of values that are written to them.

use crate::database::{Dialect, Lease, TextRow};
use crate::statement::{check_conditions, words};

/// The kind of rule that is a column, whose text is its type.
pub(crate) const COLUMN: &str = "column";
/// The kinds of rules whose violation a method can name.
pub(crate) const NOT_NULL: &str = "not null";
pub(crate) const UNIQUE: &str = "unique";
pub(crate) const FOREIGN_KEY: &str = "foreign key";
pub(crate) const CHECK: &str = "check";
/// The kind of rule of PostgreSQL that no two rows overlap.
pub(crate) const EXCLUDE: &str = "exclude";
/// The kind of rule of a column that has a default.
pub(crate) const DEFAULT: &str = "default";

/// The kind of rule of a column that needs a value in each new row.
pub(crate) const NO_DEFAULT: &str = "no default";
/// The kind of rule that says that the table has triggers.
pub(crate) const TRIGGER: &str = "trigger";
/// The kind of rule of MySQL that values are not made up, except by `insert ignore`. It has no table.
pub(crate) const STRICT: &str = "strict";
/// The kind of rule that is the statement which has created the table.
const DEFINITION: &str = "definition";

/// A column of a table, or what the table demands of the values that are written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub table: String,
    /// The names of the columns; empty if they are not known.
    pub columns: Vec<String>,
    pub kind: String,
    pub text: String,
    /// The name in the errors of the database; empty if they have none.
    pub name: String,
}

impl Rule {
    /// Returns `true` if the rules demand the same, whatever their names are.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.table, &self.columns, &self.kind, &self.text) == (&other.table, &other.columns, &other.kind, &other.text)
    }

    /// Returns `true` if no two rows have the same values in these columns.
    pub(crate) fn is_unique_within(&self, columns: &[String]) -> bool {
        let is_total = self.kind == UNIQUE && self.text.is_empty() && !self.columns.is_empty();
        is_total && self.columns.iter().all(|column| columns.contains(column))
    }

    /// Names the columns, or the table if the columns are not known.
    pub(crate) fn column_names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| format!("`{}.{column}`", self.table)).collect();
        if names.is_empty() { format!("`{}`", self.table) } else { names.join(", ") }
    }
}

/// Returns the columns and the rules of all tables.
pub(crate) async fn rules(lease: &mut Lease, dialect: Dialect) -> Result<Vec<Rule>, sqlx::Error> {
    let mut rows: Vec<TextRow> = Vec::new();
    for alternatives in dialect.list_rules() {
        let mut found = Ok(Vec::new());
        for query in *alternatives {
            found = lease.text_rows(query, &[]).await;
            if found.is_ok() {
                break;
            }
        }
        rows.extend(found?);
    }
    let rule = |row: TextRow| {
        let [table, columns, kind, text, name] =
            <[Option<String>; 5]>::try_from(row).ok()?.map(Option::unwrap_or_default);
        let columns: Vec<_> = columns.split(',').filter(|column| !column.is_empty()).map(str::to_owned).collect();
        // The errors of SQLite name the columns; so do those of the others for a value that is null.
        let is_named_by_columns = kind == NOT_NULL || (dialect == Dialect::Sqlite && kind == UNIQUE);
        let name = match (is_named_by_columns, dialect) {
            (false, _) => name,
            (true, Dialect::Mysql) => columns.join(", "),
            (true, Dialect::Postgres) => {
                let table = table.rsplit('.').next().unwrap_or_default();
                columns.iter().map(|column| format!("{table}.{column}")).collect()
            }
            (true, _) => columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", "),
        };
        Some(Rule { table, columns, kind, text, name })
    };
    let mut rules: Vec<_> = rows.into_iter().filter_map(rule).collect();
    // SQLite has the checks only in the statement that has created the table.
    for definition in rules.extract_if(.., |rule| rule.kind == DEFINITION).collect::<Vec<_>>() {
        let check = |text| Rule { kind: CHECK.to_owned(), text, columns: Vec::new(), ..definition.clone() };
        rules.extend(check_conditions(&definition.text, dialect).into_iter().map(check));
    }
    let columns: Vec<_> = rules.iter().filter(|rule| rule.kind == COLUMN).cloned().collect();
    for check in rules.iter_mut().filter(|rule| rule.kind == CHECK && rule.columns.is_empty()) {
        let words = words(&check.text.replace(['"', '`'], ""), dialect).unwrap_or_default();
        let is_used = |column: &&Rule| {
            column.table == check.table && column.columns.iter().any(|name| words.contains(&name.to_lowercase()))
        };
        check.columns = columns.iter().filter(is_used).flat_map(|column| column.columns.clone()).collect();
    }
    Ok(rules)
}

/// What a statement writes to a table.
pub(crate) struct Written<'w> {
    pub is_insert: bool,
    /// The columns that an insert lists; empty if it lists none.
    pub listed: Vec<String>,
    /// All words of what is written, among them the names of the columns.
    pub words: &'w [String],
}

/// Returns the columns that an insert lists in parentheses after the table, in lower case.
fn listed_columns(sql: &str, schema: Option<&str>, table: &str) -> Vec<String> {
    let text = sql.to_lowercase().replace(['"', '`', '[', ']'], "");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let names = schema.map_or(Vec::new(), |schema| vec![format!("into {schema}.{table}")]);
    let defaults = DEFAULT_SCHEMAS.iter().map(|schema| format!("into {schema}.{table}"));
    let defaults = defaults.chain([format!("into {table}")]).filter(|_| schema.is_none());
    let list = names.into_iter().chain(defaults).find_map(|name| {
        let rest = text[text.find(&name)? + name.len()..].trim_start().strip_prefix('(')?;
        Some(rest.split_once(')')?.0.trim().to_owned())
    });
    let is_list = |list: &String| !list.starts_with("select ") && !list.starts_with("with ");
    let list = list.filter(is_list).unwrap_or_default();
    list.split(',').map(|column| column.trim().to_owned()).filter(|column| !column.is_empty()).collect()
}

/// The usual names of the default schemas of PostgreSQL and SQLite.
const DEFAULT_SCHEMAS: [&str; 2] = ["public", "main"];

/// The words that can be between a verb and a table.
const BEFORE_TABLE: [&str; 8] = ["only", "ignore", "low_priority", "or", "replace", "abort", "fail", "rollback"];

/// Returns what a statement with these words writes to a table; `None` if it writes nothing to it.
pub(crate) fn written<'w>(words: &'w [String], sql: &str, table: &str) -> Option<Written<'w>> {
    let table = table.to_lowercase();
    // Without a schema, it is the default one.
    let (schema, table) = table.rsplit_once('.').map_or((None, table.as_str()), |(schema, name)| (Some(schema), name));
    let until = |words: &[String], ends: &[&str]| {
        words.iter().position(|word| ends.contains(&word.as_str())).unwrap_or(words.len())
    };
    words.iter().enumerate().find_map(|(at, verb)| {
        let is_insert = verb == "into";
        if !is_insert && verb != "update" {
            return None;
        }
        let after = &words[at + 1..];
        let start = after.iter().position(|word| !BEFORE_TABLE.contains(&word.as_str()))?;
        let is_schema = |name: &str| {
            let is_written = || sql.to_lowercase().replace(['"', '`'], "").contains(&format!("{name}.{table}"));
            schema.map_or(DEFAULT_SCHEMAS.contains(&name), |schema| schema == name) && is_written()
        };
        let rest = match &after[start..] {
            [name, rest @ ..] if *name == table && schema.is_none() => rest,
            [schema, name, rest @ ..] if *name == table && is_schema(schema) => rest,
            _ => return None,
        };
        let all = &rest[..until(rest, if is_insert { &["returning"] } else { &["where", "returning"] })];
        let listed = if is_insert { listed_columns(sql, schema, table) } else { Vec::new() };
        Some(Written { is_insert, listed, words: all })
    })
}
